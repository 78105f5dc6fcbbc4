// A Streamlit component: an image whose pixels are chosen by pointing at them, by dragging or with the arrow keys.
// `data` has the `image`, base64 of a byte for each pixel, its `side`, the side of the `frame` around what is chosen,
// and the `place`, row and column of the frame's upper left pixel; the state `at` is where it has been moved to.

const TIMES = 12 // pixels of the canvas that a pixel of the image is wide
const OFTEN = 100 // milliseconds between two reports while the frame is dragged
const COLOR = "#e66100"
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

class Pixels {
  constructor(parent) {
    this.canvas = document.createElement("canvas")
    Object.assign(this.canvas, { tabIndex: 0, className: "lab-pixels" })
    this.canvas.setAttribute("role", "application")
    Object.assign(this.canvas.style, {
      width: "100%",
      maxWidth: "260px",
      display: "block",
      borderRadius: "8px",
      cursor: "crosshair",
      touchAction: "none",
    })
    parent.append(this.canvas)
    this.canvas.onpointerdown = (event) => {
      this.canvas.setPointerCapture(event.pointerId)
      this.point(event)
    }
    this.canvas.onpointermove = (event) => event.buttons && this.point(event)
    this.canvas.onkeydown = (event) => {
      const move = MOVES[event.key]
      if (!move) return
      event.preventDefault()
      this.go(this.place.map((value, axis) => value + move[axis]))
    }
  }

  show(data, report) {
    this.report = report
    if (data.image !== this.data?.image || data.frame !== this.data?.frame) this.place = data.place
    else if (`${data.place}` !== `${this.place}`) this.send() // a report that met a running script may be lost
    this.data = data
    this.bytes = Uint8Array.from(atob(data.image), (letter) => letter.charCodeAt(0))
    this.canvas.setAttribute("aria-label", data.alt)
    this.paint()
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect()
    const { side, frame } = this.data
    const along = (where, from, length) => Math.floor((side * (where - from)) / length - (frame - 1) / 2)
    this.go([along(event.clientY, box.top, box.height), along(event.clientX, box.left, box.width)])
  }

  go(place) {
    const last = this.data.side - this.data.frame
    const [row, column] = place.map((value) => Math.min(last, Math.max(0, value)))
    if (row === this.place[0] && column === this.place[1]) return
    this.place = [row, column]
    this.paint()
    this.send()
  }

  send() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.report("at", this.place)
    }, OFTEN)
  }

  paint() {
    const { side, frame } = this.data
    Object.assign(this.canvas, { width: side * TIMES, height: side * TIMES })
    const paper = this.canvas.getContext("2d")
    this.bytes.forEach((value, index) => {
      paper.fillStyle = `rgb(${value}, ${value}, ${value})`
      paper.fillRect((index % side) * TIMES, Math.floor(index / side) * TIMES, TIMES, TIMES)
    })
    paper.strokeStyle = COLOR
    paper.lineWidth = 3
    const [row, column] = this.place
    paper.strokeRect(column * TIMES, row * TIMES, frame * TIMES, frame * TIMES)
  }
}

const shown = new WeakMap()

export default ({ data, parentElement, setStateValue }) => {
  if (!shown.has(parentElement)) shown.set(parentElement, new Pixels(parentElement))
  shown.get(parentElement).show(data, setStateValue)
  return () => {
    const pixels = shown.get(parentElement)
    clearTimeout(pixels?.timer)
    pixels?.canvas.remove()
    shown.delete(parentElement)
  }
}
