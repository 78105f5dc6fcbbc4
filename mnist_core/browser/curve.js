// How likely each digit is to a network as it is trained: ten lines over the steps, the answer's in colour. The steps have
// a logarithmic scale, as a network learns most in its first moments.
import { element } from "./answer.js"
import { read } from "./forward.js"

const HEIGHT = 150 // pixels
const MOST = 48 // states of the network that came while it was watched; from there on every second one is dropped
const PAUSE = 150 // milliseconds without a change of the drawing until earlier states are asked again
const A_TURN = 8 // milliseconds of asking in one go

export class Curve {
  constructor(root) {
    this.canvas = element("canvas", {
      "data-testid": "live-curve",
      role: "img",
      "aria-label": "The probability of each digit by step",
    })
    root.append(this.canvas)
    this.begin()
    this.image = null
  }

  close() {
    clearTimeout(this.timer)
  }

  begin(run) {
    this.run = run
    this.watched = [] // { step, network, image, probabilities }, ascending, as are those that the run has kept
    this.kept = []
  }

  // The network at a step of a run; another run begins a new curve.
  add(run, step, network) {
    if (run !== this.run) this.begin(run)
    while (this.watched.at(-1)?.step >= step) this.watched.pop()
    this.watched.push({ step, network })
    if (this.watched.length > MOST) this.watched = this.watched.filter((_, i) => i % 2 === 0 || i === MOST)
  }

  // What the run has kept of its network along the way.
  addStates({ run, networks, steps }) {
    if (run !== this.run || steps.length === this.kept.length) return
    this.kept = steps.map((step, i) => this.kept.find((state) => state.step === step) || { step, network: networks[i] })
    this.askLater()
  }

  get states() {
    return [...this.kept, ...this.watched].sort((one, other) => one.step - other.step)
  }

  // What all states read in the image: the newest at once, the others once the pen rests.
  show(image) {
    const isNew = image !== this.image
    this.image = image
    const newest = this.watched.at(-1)
    if (newest) ask(newest, image)
    this.draw()
    if (isNew) this.askLater()
  }

  askLater() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.askAll(), PAUSE)
  }

  askAll() {
    const end = performance.now() + A_TURN
    const waiting = this.states.filter((state) => state.image !== this.image)
    while (waiting.length && performance.now() < end) ask(waiting.shift(), this.image)
    this.draw()
    if (waiting.length) this.timer = setTimeout(() => this.askAll())
  }

  draw() {
    const { canvas } = this
    const width = canvas.parentElement.clientWidth
    if (!width) return
    const density = window.devicePixelRatio || 1
    Object.assign(canvas, { width: width * density, height: HEIGHT * density })
    Object.assign(canvas.style, { width: `${width}px`, height: `${HEIGHT}px` })
    const pen = canvas.getContext("2d")
    pen.scale(density, density)
    const style = getComputedStyle(canvas)
    const [muted, ground, accent] = ["muted", "ground", "accent"].map((name) => style.getPropertyValue(`--lab-${name}`))
    const box = { left: 40, right: width - 18, top: 8, bottom: HEIGHT - 20 }
    const last = Math.max(20, this.watched.at(-1)?.step ?? 0)
    const x = (step) => box.left + (Math.log1p(step / 10) / Math.log1p(last / 10)) * (box.right - box.left)
    const y = (share) => box.bottom - share * (box.bottom - box.top)
    pen.font = `11px ${style.fontFamily}`
    pen.fillStyle = muted
    pen.strokeStyle = ground
    pen.textBaseline = "middle"
    pen.textAlign = "right"
    for (const share of [0, 0.5, 1]) {
      drawLine(pen, [[box.left, y(share)], [box.right, y(share)]], 1)
      pen.fillText(`${share * 100} %`, box.left - 4, y(share))
    }
    pen.textAlign = "center"
    pen.fillText("step 0", box.left + 8, HEIGHT - 7)
    let taken = box.left + 50
    for (let step = 10; step <= last; step *= 10) {
      if (x(step) < taken || x(step) > box.right - 10) continue
      pen.fillText(step.toLocaleString("en"), x(step), HEIGHT - 7)
      taken = x(step) + 50
    }
    const states = this.states.filter((state) => state.image === this.image && state.image)
    if (!states.length) return
    const newest = states.at(-1).probabilities
    const digit = newest.indexOf(Math.max(...newest))
    const curve = (of) => states.map((state) => [x(state.step), y(state.probabilities[of])])
    pen.strokeStyle = muted
    pen.globalAlpha = 0.5
    for (let other = 0; other < 10; other++) if (other !== digit) drawLine(pen, curve(other), 1)
    pen.globalAlpha = 1
    pen.strokeStyle = pen.fillStyle = accent
    drawLine(pen, curve(digit), 2.5)
    pen.font = `bold 14px ${style.fontFamily}`
    pen.fillText(String(digit), x(states.at(-1).step) + 10, y(newest[digit]))
  }
}

function ask(state, image) {
  if (state.image === image) return
  state.probabilities = image ? read(state.network, image).probabilities : null
  state.image = image
}

function drawLine(pen, points, width) {
  pen.lineWidth = width
  pen.beginPath()
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)))
  pen.stroke()
}
