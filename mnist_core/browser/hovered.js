// A Streamlit component: beside the point of a Plotly chart that is pointed at, its image. `data` has the `key` of the
// chart, the `numbers` that its points have as their `customdata`, and the `sheet`, base64 of a PNG with their images
// of 28 x 28 pixels, so many `columns` in a row, in the order of the numbers.

const SHOWN = 112 // pixels that it is shown wide
const AWAY = 14 // pixels between the point and the image

class Hovered {
  constructor() {
    this.plots = new WeakSet() // that are listened to
    this.picture = document.createElement("div")
    this.picture.className = "lab-hovered"
    this.picture.setAttribute("aria-hidden", "true") // the chart's own label says which image it is
    Object.assign(this.picture.style, {
      position: "fixed",
      width: `${SHOWN}px`,
      height: `${SHOWN}px`,
      boxSizing: "content-box",
      border: "2px solid #888888",
      borderRadius: "6px",
      imageRendering: "pixelated",
      pointerEvents: "none",
      zIndex: 1000,
    })
    this.hide()
    document.body.append(this.picture)
    // a chart that is changed is put up anew: what is listened to is found when it is pointed at
    document.addEventListener("pointerover", this.listen, true)
  }

  show(data) {
    this.key = data.key
    this.columns = data.columns
    this.places = new Map(data.numbers.map((number, place) => [number, place]))
    this.picture.style.backgroundImage = `url(data:image/png;base64,${data.sheet})`
    this.picture.style.backgroundSize = `${data.columns * SHOWN}px auto`
    this.hide()
  }

  listen = (event) => {
    const plot = event.target.closest?.(`.st-key-${this.key} .js-plotly-plot`)
    if (!plot) return this.hide()
    if (!plot.on || this.plots.has(plot)) return
    this.plots.add(plot)
    plot.on("plotly_hover", ({ points: [point], event }) => this.point(point.customdata, event))
    plot.on("plotly_unhover", () => this.hide())
  }

  point(number, { clientX, clientY }) {
    const place = this.places.get(number)
    if (place === undefined) return this.hide()
    const above = clientY - SHOWN - AWAY
    const left = Math.min(Math.max(clientX - SHOWN / 2, 0), window.innerWidth - SHOWN)
    const column = place % this.columns
    const row = Math.floor(place / this.columns)
    Object.assign(this.picture.style, {
      backgroundPosition: `${-column * SHOWN}px ${-row * SHOWN}px`,
      left: `${left}px`,
      top: `${above > 0 ? above : clientY + AWAY}px`,
      display: "block",
    })
    this.picture.dataset.number = number
  }

  hide() {
    this.picture.style.display = "none"
  }

  remove() {
    document.removeEventListener("pointerover", this.listen, true)
    this.picture.remove()
  }
}

const shown = new WeakMap()

export default ({ data, parentElement }) => {
  if (!shown.has(parentElement)) shown.set(parentElement, new Hovered())
  shown.get(parentElement).show(data)
  return () => {
    shown.get(parentElement)?.remove()
    shown.delete(parentElement)
  }
}
