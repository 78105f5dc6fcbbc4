// A Streamlit component: what a network reads on the page's canvas while the pen moves, with other networks' answers, or
// with how the answer came about while the network was trained.
import { Answer, element, percent } from "./answer.js"
import { Curve } from "./curve.js"
import { CLEARING, DrawableCanvas } from "./drawable_canvas.js"
import { prepare } from "./preparation.js"
import { read, unpack } from "./forward.js"

class Live {
  constructor(parent) {
    const root = element("div")
    this.root = root
    parent.append(root) // beside the style sheet
    this.answer = new Answer(root)
    this.compared = element("div", { class: "lab-compared", "data-testid": "live-compared" })
    root.append(this.compared)
    this.drawn = this.opened = this.image = null // (28 * 28) each
    this.canvas = new DrawableCanvas(
      ({ ink, width, height }) => {
        this.drawn = prepare(ink, width, height)
        if (this.drawn) this.opened = null
        this.respond()
      },
      () => (this.number = null)
    )
    this.hear = (event) => {
      if (this.canvas.isDrawing || (!this.number && !event.detail)) return // it is of what was drawn before
      this.number = event.detail
      this.respond()
    }
    this.drop = (event) => {
      if (!event.target.closest?.(CLEARING)) return
      this.opened = this.number = null
      this.respond()
    }
    this.learn = ({ detail }) => {
      const { networks, run, steps } = unpack(detail.slice().buffer)
      this.states = { run, networks, steps } // may come before the curve
      this.curve?.addStates(this.states)
    }
    window.addEventListener("lab-states", this.learn)
    window.addEventListener("lab-number", this.hear)
    document.addEventListener("click", this.drop, true)
  }

  close() {
    window.removeEventListener("lab-states", this.learn)
    window.removeEventListener("lab-number", this.hear)
    document.removeEventListener("click", this.drop, true)
    this.canvas.close()
    this.answer.close()
    this.curve?.close()
    cancelAnimationFrame(this.frame)
    this.root.remove()
  }

  // `data`, bytes from `program.pack`: the network that answers, then those that are compared, and `opened`, an image of the
  // data set in place of a drawing, `titles` of what is compared, `run` and `step` of a training with
  // a `label` of the answer, `height` of the picture in pixels, `ways` on.
  update(data, setTriggerValue) {
    const { networks, opened, titles = [], run, step, label = "", height, ways = [] } = unpack(data.slice().buffer)
    this.networks = networks
    this.answer.label.textContent = label
    this.answer.height = height
    this.titles = titles
    if (opened !== this.openedText) {
      this.openedText = opened
      this.opened = opened ? Uint8Array.from(atob(opened), (letter) => letter.charCodeAt(0)) : null
    }
    this.offer(ways, setTriggerValue)
    if (run !== undefined) {
      this.curve ??= new Curve(this.answer.beside)
      this.curve.add(run, step, networks[0])
      if (this.states) this.curve.addStates(this.states)
    }
    this.respond()
  }

  // Buttons that lead from an answer to other pages
  offer(ways, setTriggerValue) {
    if (JSON.stringify(ways) !== this.waysText) {
      this.waysText = JSON.stringify(ways)
      this.buttons = ways.map(([name, words]) => ({ button: element("button", { type: "button", "data-way": name }), words }))
      this.answer.ways.replaceChildren(...this.buttons.map(({ button }) => button))
    }
    for (const { button } of this.buttons) {
      button.onclick = () => setTriggerValue("way", { name: button.dataset.way, digit: this.answer.found.digit })
    }
  }

  respond() {
    if (!this.networks) return
    this.image = this.drawn || this.opened
    const found = this.answer.show(this.networks[0], this.image, this.number)
    for (const { button, words } of this.buttons) {
      button.disabled = !this.image
      button.textContent = words.replace("{digit}", this.image ? `${found.digit === 8 ? "an" : "a"} ${found.digit}` : "a digit")
    }
    this.curve?.show(this.image)
    this.compare()
  }

  // The other networks' answers, one a frame, so that the first one's never waits for them.
  compare() {
    const others = this.networks.slice(1)
    while (this.compared.childElementCount > others.length) this.compared.lastElementChild.remove()
    others.forEach((_, i) => {
      if (!this.compared.children[i]) this.compared.append(element("div", {}, ...["div", "strong", "div"].map((tag) => element(tag))))
      this.compared.children[i].children[0].textContent = this.titles[i]
    })
    cancelAnimationFrame(this.frame)
    let next = 0
    const image = this.image
    const one = () => {
      if (next === others.length) return
      const [, digit, words] = this.compared.children[next].children
      const found = image && read(others[next], image)
      digit.textContent = found ? String(found.digit) : "–"
      words.textContent = !found ? "" : found.isDigit ? `${percent(found.probabilities[found.digit])} sure` : "or no digit"
      next += 1
      this.frame = requestAnimationFrame(one)
    }
    this.frame = requestAnimationFrame(one)
  }
}

const instances = new WeakMap()

export default ({ data, parentElement, setTriggerValue }) => {
  let live = instances.get(parentElement)
  if (!live) {
    live = new Live(parentElement)
    instances.set(parentElement, live)
  }
  live.update(data, setTriggerValue)
  return () => {
    live.close()
    instances.delete(parentElement)
  }
}
