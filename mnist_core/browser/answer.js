// What a network reads in an image, as a page shows it while the pen moves: the digit, ten bars, and the network itself,
// lit by the image, with the arithmetic of whatever is clicked in it.
import { arithmetic, figure } from "./arithmetic.js"
import { read } from "./forward.js"
import { drawNetwork } from "./picture.js"

const NOTHING = new Uint8Array(28 * 28)
const QUIET = 700 // milliseconds without a change until a screen reader is told

// An element with attributes and children, which are elements or text.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

export class Answer {
  constructor(root) {
    this.label = element("div", { class: "lab-words" })
    this.digit = element("div", { class: "lab-digit", "data-testid": "live-digit" })
    this.words = element("div", { class: "lab-words", "data-testid": "live-words" })
    this.bars = Array.from({ length: 10 }, (_, digit) =>
      element("div", { class: "lab-bar" }, element("span", {}, String(digit)), element("span"), element("span"))
    )
    this.ways = element("div", { class: "lab-ways" })
    this.beside = element("div", { class: "lab-beside" })
    this.answer = element(
      "div",
      { class: "lab-answer", "data-testid": "live-answer", "data-digit": "", "data-count": "0" },
      element("div", { class: "lab-reading" }, this.label, this.digit, this.words),
      element("div", { class: "lab-bars", "aria-hidden": "true" }, ...this.bars),
      this.beside
    )
    this.picture = element("canvas", {
      "data-testid": "live-network",
      role: "img",
      "aria-label": "The network: the pixels, its layers and its ten outputs, lit by the drawing",
    })
    this.explanation = element("div", { class: "lab-arithmetic", "data-testid": "live-arithmetic" })
    this.spoken = element("div", { class: "lab-spoken", "aria-live": "polite" })
    root.classList.add("lab")
    root.append(
      this.answer,
      this.ways,
      element("div", { class: "lab-network" }, this.picture),
      this.explanation,
      this.spoken
    )
    this.selected = null
    this.picture.onclick = (event) => this.select(event.offsetX, event.offsetY)
    this.resized = new ResizeObserver(() => this.network && this.drawLater())
    this.resized.observe(this.picture.parentElement)
  }

  close() {
    this.resized.disconnect()
    cancelAnimationFrame(this.frame)
    clearTimeout(this.quiet)
  }

  // `image` (28 * 28), 0 to 255, null where nothing is drawn; `network` as from forward.unpack; `number` is null, or the
  // { digits, words } of several digits, which are the answer then. Gives what was found.
  show(network, image, number = null) {
    if (this.network?.layers.length !== network.layers.length) this.selected = null
    this.network = network
    this.image = image
    this.found = read(network, image || NOTHING)
    this.isDigit = Boolean(image) && this.found.isDigit
    if (number && image) this.write(number.digits, number.words)
    else this.write(!image ? "" : this.isDigit ? String(this.found.digit) : "?", this.sentence())
    this.bars.forEach((bar, digit) => {
      const share = image ? this.found.probabilities[digit] : 0
      bar.style.setProperty("--share", share)
      bar.classList.toggle("lab-is-answer", this.isDigit && digit === this.found.digit)
      bar.lastElementChild.textContent = image ? percent(share) : ""
    })
    this.drawLater()
    return this.found
  }

  // The picture comes a frame after the bars, which are not to wait for it.
  drawLater() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined
      this.draw()
    })
  }

  // The answer in large: a digit, a number of several, "?" or nothing; and a sentence below it.
  write(answer, sentence) {
    this.answer.dataset.digit = answer
    this.answer.dataset.count = Number(this.answer.dataset.count) + 1
    this.digit.textContent = answer
    this.digit.dataset.digit = answer
    this.digit.style.setProperty("--letters", answer.length || 1)
    this.words.textContent = sentence
    clearTimeout(this.quiet)
    this.quiet = setTimeout(() => {
      this.spoken.textContent = answer && answer !== "?" ? `${answer}, ${sentence}` : sentence
    }, QUIET)
  }

  sentence() {
    if (!this.image) return "Draw a digit."
    const { digit, probabilities } = this.found
    if (!this.isDigit) return `This looks like no digit (if it were one: ${digit}).`
    return `${percent(probabilities[digit])} sure`
  }

  draw() {
    const width = this.picture.parentElement.clientWidth
    if (!width) return
    const style = getComputedStyle(this.answer)
    const colors = {
      text: style.color,
      muted: style.getPropertyValue("--lab-muted"),
      ground: style.getPropertyValue("--lab-ground"),
    }
    const height = this.height || Math.min(300, Math.max(220, width / 2.6))
    this.boxes = drawNetwork(this.picture, this.network, this.found, this.image, width, height, colors, this.selected)
    this.explain()
  }

  // Explain what lies at a place of the picture, in CSS pixels, and no longer what is explained already.
  select(x, y) {
    const hit = this.boxes?.find(({ box }) => x >= box.x && y >= box.y && x < box.x + box.size && y < box.y + box.size)
    if (!hit) this.selected = null
    else {
      const { stage, channel, box, rows, columns } = hit
      const row = Math.floor(((y - box.y) / box.size) * rows)
      const column = Math.floor(((x - box.x) / box.size) * columns)
      const same = JSON.stringify(this.selected) === JSON.stringify({ stage, channel, row, column })
      this.selected = same ? null : { stage, channel, row, column }
    }
    this.draw()
  }

  explain() {
    if (!this.selected) {
      const words = this.image ? "Click a unit, a map or an output: its arithmetic." : ""
      this.explanation.replaceChildren(words)
      return
    }
    const { stage, channel, row, column } = this.selected
    const { title, terms, others, bias, sum, behind } = arithmetic(this.network, this.found, stage, channel, row, column)
    const side = (words, chosen) =>
      element(
        "div",
        {},
        element("strong", {}, words),
        ...chosen.map((term) => {
          const factors = "value" in term ? `${figure(term.value)} × ${figure(term.weight)} = ` : ""
          return element("div", {}, `${term.name}: ${factors}${signed(term.product)}`)
        })
      )
    const rest = `others ${signed(others)}, bias ${signed(bias)}: sum ${figure(sum)}`
    this.explanation.replaceChildren(
      element("div", { class: "lab-title" }, title),
      side("Speaks for it", terms.filter((term) => term.product > 0)),
      side("Speaks against it", terms.filter((term) => term.product < 0).reverse()),
      element("div", { class: "lab-sum" }, [rest, ...behind.map(({ words, value }) => `${words}: ${figure(value)}`)].join(" → "))
    )
  }
}

const signed = (value) => (value >= 0 ? "+" : "") + figure(value)

// Never 100 % of what is not certain
export function percent(share) {
  return `${share > 0.999 ? Math.floor(share * 1000) / 10 : share > 0.99 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`
}
