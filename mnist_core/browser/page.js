// A page with a canvas to draw on, and a network's answer while the pen moves.
import { Answer } from "./answer.js"
import { prepare } from "./preparation.js"
import { unpack } from "./forward.js"

const SIDE = 420 // pixels of the canvas, square
const PEN = 30 // pixels

export function start(program) {
  const [network] = unpack(program).networks
  const find = (name) => document.querySelector(`[data-testid="${name}"]`)
  const pad = find("pad")
  const paper = pad.getContext("2d", { willReadFrequently: true })
  const answer = new Answer(find("answer"))
  let strokes = []
  let isDue = false

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
    answer.show(network, prepare(Uint8Array.from({ length: SIDE * SIDE }, (_, i) => pixels[4 * i]), SIDE, SIDE))
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
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", request)
  request()
}
