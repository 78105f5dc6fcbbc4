// A page with a canvas to draw on, the network's answer while the pen moves, and the network itself.
import { drawNetwork } from "./picture.js"
import { prepare } from "./preparation.js"
import { read, ready } from "./forward.js"

const SIDE = 420 // pixels of the canvas, square
const PEN = 26 // pixels

export function start(program, weights) {
  const network = ready(program, weights)
  const find = (name) => document.querySelector(`[data-testid="${name}"]`)
  const pad = find("pad")
  const paper = pad.getContext("2d", { willReadFrequently: true })
  const answer = find("live-answer")
  const bars = [...document.querySelectorAll(".bar")]
  let strokes = []
  let isDue = false
  let count = 0

  function paint() {
    paper.fillStyle = "#000"
    paper.fillRect(0, 0, SIDE, SIDE)
    paper.strokeStyle = paper.fillStyle = "#fff"
    paper.lineWidth = PEN
    paper.lineCap = paper.lineJoin = "round"
    for (const stroke of strokes) {
      paper.beginPath()
      paper.moveTo(...stroke[0])
      for (const point of stroke) paper.lineTo(...point)
      paper.stroke()
    }
  }

  function respond() {
    isDue = false
    paint()
    const pixels = paper.getImageData(0, 0, SIDE, SIDE).data
    const image = prepare(Uint8Array.from({ length: SIDE * SIDE }, (_, i) => pixels[4 * i]), SIDE, SIDE)
    const found = read(network, image || new Uint8Array(28 * 28))
    count += 1
    answer.dataset.digit = !image ? "" : found.isDigit ? found.digit : "?"
    answer.dataset.count = count
    find("digit").textContent = !image ? "" : found.isDigit ? found.digit : "?"
    find("words").textContent = !image
      ? "Draw a digit."
      : found.isDigit
        ? `${Math.floor(found.probabilities[found.digit] * 1000) / 10} % sure`
        : `This looks like no digit (if it were one: ${found.digit}).`
    bars.forEach((bar, digit) => {
      const share = image ? found.probabilities[digit] : 0
      bar.style.setProperty("--share", share)
      bar.classList.toggle("answer", Boolean(image) && found.isDigit && digit === found.digit)
      bar.lastElementChild.textContent = image ? `${Math.round(share * 100)} %` : ""
    })
    const style = getComputedStyle(document.body)
    const colors = {
      text: style.color,
      muted: style.getPropertyValue("--muted"),
      ground: style.getPropertyValue("--ground"),
    }
    const picture = find("live-network")
    const width = picture.parentElement.clientWidth
    const seen = image || new Uint8Array(28 * 28)
    drawNetwork(picture, network, found, seen, width, Math.min(300, Math.max(220, width / 2.5)), colors)
  }

  function request() {
    if (isDue) return
    isDue = true
    requestAnimationFrame(respond)
  }

  const point = (event) => {
    const box = pad.getBoundingClientRect()
    return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height]
  }
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return
    pad.setPointerCapture(event.pointerId)
    strokes.push([point(event)])
    request()
  })
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return
    strokes[strokes.length - 1].push(point(event))
    request()
  })
  find("clear").addEventListener("click", () => {
    strokes = []
    request()
  })
  find("undo").addEventListener("click", () => {
    strokes.pop()
    request()
  })
  window.addEventListener("resize", request)
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", request)
  request()
}
