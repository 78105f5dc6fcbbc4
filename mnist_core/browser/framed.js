// A Streamlit component: a picture with a frame around each digit that was read in it; one drag chooses a part of it.

const SMALLEST = 12 // pixels on the screen, a side of a part: less is a tap
const APART = 36 // pixels on the screen from the middle of a digit to the next, from which there is room for confidences

function made(tag, className, ...children) {
  const element = document.createElement(tag)
  element.className = className
  element.append(...children)
  return element
}

class Framed {
  constructor(parent) {
    this.image = made("img", "")
    this.image.draggable = false
    this.frames = made("div", "")
    this.part = made("div", "part")
    this.picture = made("div", "picture", this.image, this.frames)
    this.stage = made("div", "stage", this.picture)
    this.stage.dataset.testid = "framed"
    parent.append(this.stage) // beside the style sheet
    this.picture.onpointerdown = (event) => this.begin(event)
    this.picture.onpointermove = (event) => this.drag(event)
    this.picture.onpointerup = () => this.end()
    this.picture.onpointercancel = () => this.drop()
    this.resized = new ResizeObserver(() => this.arrange())
    this.resized.observe(this.picture)
  }

  close() {
    this.resized.disconnect()
    this.stage.remove()
  }

  // `picture`, an address that holds it, with `words` as its text alternative, `highest` in CSS; `digits`, each with
  // `digit`, `sure` in words, `doubted` and `box`: left, top, right and bottom as shares of the picture; `choosing`:
  // whether a part can be chosen.
  update({ picture, words, highest, digits, choosing }, setTriggerValue) {
    this.choose = choosing ? (part) => setTriggerValue("part", part) : null
    this.digits = digits
    this.drop()
    if (this.image.src !== picture) this.image.src = picture
    this.image.alt = words
    this.stage.style.setProperty("--highest", highest)
    this.stage.classList.toggle("choosing", choosing)
    this.frames.replaceChildren(
      ...digits.map(({ digit, sure, doubted, box }) => {
        const frame = made("div", doubted ? "digit unsure" : "digit", made("span", "", String(digit)), made("small", "", sure))
        place(frame, box)
        return frame
      })
    )
    this.arrange()
  }

  arrange() {
    const { width, height } = this.picture.getBoundingClientRect()
    const middles = this.digits.map(({ box }) => [((box[0] + box[2]) / 2) * width, ((box[1] + box[3]) / 2) * height])
    const isNear = ([x, y], [otherX, otherY]) => Math.abs(x - otherX) < APART && Math.abs(y - otherY) < APART
    const crowded = middles.some((one, i) => middles.slice(i + 1).some((other) => isNear(one, other)))
    this.stage.classList.toggle("crowded", crowded)
  }

  at(event) {
    const { left, top, width, height } = this.picture.getBoundingClientRect()
    const within = (share) => Math.min(1, Math.max(0, share))
    return [within((event.clientX - left) / width), within((event.clientY - top) / height)]
  }

  begin(event) {
    if (!this.choose || !event.isPrimary) return
    this.picture.setPointerCapture(event.pointerId)
    this.start = this.to = this.at(event)
    this.dragging = true
    this.picture.append(this.part)
    place(this.part, this.box())
  }

  drag(event) {
    if (!this.dragging || !event.isPrimary) return
    this.to = this.at(event)
    place(this.part, this.box())
  }

  end() {
    if (!this.dragging) return
    const { width, height } = this.part.getBoundingClientRect()
    if (Math.min(width, height) < SMALLEST) return this.drop()
    this.dragging = false // the part stays until the answer comes
    this.choose(this.box())
  }

  drop() {
    this.dragging = false
    this.part.remove()
  }

  box() {
    const sides = [0, 1].map((axis) => [this.start[axis], this.to[axis]].sort((a, b) => a - b))
    return [sides[0][0], sides[1][0], sides[0][1], sides[1][1]]
  }
}

function place(element, [left, top, right, bottom]) {
  const percent = (share) => `${100 * share}%`
  Object.assign(element.style, {
    left: percent(left),
    top: percent(top),
    width: percent(right - left),
    height: percent(bottom - top),
  })
}

const instances = new WeakMap()

export default ({ data, parentElement, setTriggerValue }) => {
  let framed = instances.get(parentElement)
  if (!framed) {
    framed = new Framed(parentElement)
    instances.set(parentElement, framed)
  }
  framed.update(data, setTriggerValue)
  return () => {
    framed.close()
    instances.delete(parentElement)
  }
}
