// The drawing on the page's canvas, which another component shows in a shadow root, read while the pen moves.

const LOOK = 200 // milliseconds between looks for what no pointer tells of: a canvas that was put up anew, a stroke undone
// The page's own buttons behind which the canvas is blank
export const CLEARING = '[class*="st-key-clear"] button'
const HOST = '[data-testid="stBidiComponentIsolated"]'
// As wide as its place, of the form that it is given, without the toolbar, whose buttons are pressed by the page's own
const style = ({ width, height }) => `
  .dc-root, .dc-scroll { width: 100% !important; overflow: hidden !important; }
  .dc-container { width: 100% !important; height: auto !important; aspect-ratio: ${parseFloat(width)} / ${parseFloat(height)}; border-radius: 8px; overflow: hidden; }
  .dc-container canvas, .dc-container .canvas-container { width: 100% !important; height: 100% !important; }
  .dc-toolbar { display: none !important; }`

export class DrawableCanvas {
  // `onChange` is called, at most once a frame, whenever other pixels are on the canvas, `onPenDown` when a stroke begins
  constructor(onChange, onPenDown) {
    this.onChange = onChange
    this.paper = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })
    this.mark = null
    this.follow = (event) => {
      if (event.type === "pointerdown" && event.composedPath().includes(this.container)) {
        this.isDrawing = true
        onPenDown()
      }
      if (event.type === "pointerup" || event.type === "pointercancel") this.isDrawing = false
      if (this.isDrawing || event.type !== "pointermove") this.request()
    }
    for (const type of FOLLOWED) document.addEventListener(type, this.follow, true)
    this.timer = setInterval(() => this.request(), LOOK)
    this.request()
  }

  close() {
    for (const type of FOLLOWED) document.removeEventListener(type, this.follow, true)
    clearInterval(this.timer)
    cancelAnimationFrame(this.frame)
  }

  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined
      this.look()
    })
  }

  look() {
    if (!this.container?.isConnected) this.container = findContainer()
    if (!this.container) return
    const canvases = this.container.querySelectorAll("canvas")
    const { width, height } = canvases[0]
    if (!width || !height) return
    const { paper } = this
    if (paper.canvas.width !== width || paper.canvas.height !== height) Object.assign(paper.canvas, { width, height })
    paper.clearRect(0, 0, width, height)
    for (const canvas of canvases) paper.drawImage(canvas, 0, 0, width, height)
    const pixels = paper.getImageData(0, 0, width, height).data
    const ink = new Uint8Array(width * height)
    let mark = width
    for (let i = 0; i < ink.length; i++) {
      const value = pixels[4 * i] // white on black or on nothing: any colour tells how much
      ink[i] = value
      if (value) mark = (Math.imul(mark, 31) + i * value) | 0
    }
    if (mark === this.mark) return
    this.mark = mark
    this.onChange({ ink, width, height })
  }
}

const FOLLOWED = ["pointerdown", "pointermove", "pointerup", "pointercancel", "click"]

// The canvas' element with its layers, once it is there; it is as wide as its place from then on.
export function findContainer() {
  for (const { shadowRoot } of document.querySelectorAll(HOST)) {
    const container = shadowRoot?.querySelector(".dc-container")
    if (!container) continue
    if (!shadowRoot.querySelector("style[data-lab]") && container.style.width) {
      const sheet = document.createElement("style")
      sheet.dataset.lab = ""
      sheet.textContent = style(container.style)
      shadowRoot.append(sheet)
    }
    return container
  }
}
