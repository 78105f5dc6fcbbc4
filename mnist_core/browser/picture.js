// The network as one picture: the pixels, the layers and the ten outputs, lit by their values, with the connections that
// carry the answer.
import { eachTaken } from "./forward.js"
import { stagesOf } from "./stages.js"

const POSITIVE = [47, 128, 237] // speaks for what it leads to
const NEGATIVE = [235, 120, 30] // speaks against it
const SMALLEST_MAP = 26 // pixels
const CARRIERS = 6 // of a layer, whose connections are drawn
const SOURCES = 5 // connections drawn into each

// Draws what `program` gave for an image, from `forward.read`, onto a canvas of `width` x `height` CSS pixels. `image` is
// null where nothing is drawn: there is no answer then, and no connection carries one. `colors` has `text`, `muted` and `ground`, as CSS
// colours; `selected` is null or { stage, channel }, which is framed. Gives what can be clicked: a list of
// { stage, channel, box, rows, columns }.
export function drawNetwork(canvas, program, found, image, width, height, colors, selected) {
  const density = window.devicePixelRatio || 1
  canvas.width = Math.round(width * density)
  canvas.height = Math.round(height * density)
  canvas.style.width = `${width}px`
  canvas.style.height = `${height}px`
  const pen = canvas.getContext("2d")
  pen.scale(density, density)
  pen.imageSmoothingEnabled = false
  const stages = stagesOf(program)
  const columns = place(stages, found, width, height)
  if (image) connect(pen, program, found, stages, columns)
  drawMaps(pen, image || new Uint8Array(28 * 28), [28, 28, 1], columns[0].items, 255)
  const shown = image ? found : { ...found, digit: null, isDigit: false }
  stages.forEach((stage, i) => drawStage(pen, stage, shown, columns[i + 1], colors))
  const framed = selected && columns[selected.stage + 1]?.items.get(selected.channel)
  if (framed) {
    pen.strokeStyle = colors.text
    pen.lineWidth = 2
    pen.strokeRect(framed.x - 1, framed.y - 1, framed.size + 2, framed.size + 2)
  }
  return stages.flatMap(({ shape: [rows, columnsOfMap] }, stage) =>
    [...columns[stage + 1].items].map(([channel, box]) => ({ stage, channel, box, rows, columns: columnsOfMap }))
  )
}

// Where everything goes: a column each for the image and the stages, with `items`, the box of each channel that is shown.
function place(stages, found, width, height) {
  const count = stages.length + 1
  const outputWidth = 34
  const imageSide = Math.min(112, height, (width * 1.6) / count)
  const step = (width - imageSide - outputWidth) / Math.max(1, stages.length - 1 + 0.35)
  const image = { x: 0, y: (height - imageSide) / 2, size: imageSide }
  const columns = [{ items: new Map([[0, image]]) }]
  stages.forEach((stage, i) => {
    const isLast = i === stages.length - 1
    const room = isLast ? outputWidth : step * 0.62
    const left = isLast ? width - outputWidth : imageSide + step * (i + 0.35) - (i === 0 ? 0 : step * 0.1)
    columns.push({ items: isLast ? outputs(left, height) : grid(stage, found, left, room, height) })
  })
  return columns
}

function outputs(left, height) {
  const step = height / 10
  const size = Math.min(step * 0.8, 26)
  return new Map(Array.from({ length: 10 }, (_, i) => [i, { x: left, y: step * (i + 0.5) - size / 2, size }]))
}

// Units as a grid of squares; maps as small images, the strongest first, as many as there is room for.
function grid(stage, found, left, room, height) {
  const [rows, columns, channels] = stage.shape
  const isMap = rows * columns > 1
  const fits = (across) => Math.min(room / across, height / Math.ceil(channels / across), 22)
  let across = 1
  if (isMap) across = room >= 2 * SMALLEST_MAP ? 2 : 1
  else for (let more = 2; more <= channels; more++) if (fits(more) > fits(across)) across = more
  const pitch = isMap ? Math.min(room / across, 44) : fits(across)
  const down = isMap ? Math.max(1, Math.floor(height / pitch)) : Math.ceil(channels / across)
  const strength = strengths(found.outputs[stage.last], channels)
  const order = Array.from({ length: channels }, (_, i) => i)
  if (isMap) order.sort((a, b) => strength[b] - strength[a])
  const shown = order.slice(0, across * down)
  const top = (height - Math.min(down, Math.ceil(shown.length / across)) * pitch) / 2
  const size = pitch * (isMap ? 0.9 : 0.8)
  return new Map(
    shown.map((channel, i) => [
      channel,
      { x: left + (i % across) * pitch, y: top + Math.floor(i / across) * pitch, size },
    ])
  )
}

function strengths(values, channels) {
  const sums = new Float32Array(channels)
  for (let i = 0; i < values.length; i++) sums[i % channels] += Math.abs(values[i])
  return sums
}

// From the answer back to the image: the connections that add most to what is shown, in their sign's colour.
function connect(pen, program, found, stages, columns) {
  let targets = [found.digit]
  for (let i = stages.length - 1; i >= 0; i--) {
    const sources = [...columns[i].items.keys()]
    const lines = targets.flatMap((target) => {
      const parts = i === 0 ? pixels(program, found, target) : contributions(program, found, stages[i], sources, target)
      return parts.slice(0, SOURCES).map(([source, value]) => ({ source, target, value }))
    })
    const most = lines.reduce((largest, line) => Math.max(largest, Math.abs(line.value)), 1e-9)
    for (const { source, target, value } of lines) {
      const from = i === 0 ? pixelBox(columns[0].items.get(0), source) : columns[i].items.get(source)
      const to = columns[i + 1].items.get(target)
      const share = Math.abs(value) / most
      pen.strokeStyle = `rgba(${(value < 0 ? NEGATIVE : POSITIVE).join(",")},${0.15 + 0.6 * share})`
      pen.lineWidth = 0.5 + 2 * share
      pen.beginPath()
      pen.moveTo(from.x + from.size, from.y + from.size / 2)
      const bend = (to.x - from.x - from.size) / 2
      const [y, end] = [from.y + from.size / 2, to.y + to.size / 2]
      pen.bezierCurveTo(from.x + from.size + bend, y, to.x - bend, end, to.x, end)
      pen.stroke()
    }
    const carried = new Map()
    for (const { source, value } of lines) carried.set(source, (carried.get(source) || 0) + Math.abs(value))
    targets = [...carried].sort((a, b) => b[1] - a[1]).slice(0, CARRIERS).map(([source]) => source)
  }
}

// What the pixels add to a unit of a first layer that is linear: [[pixel, product], ...], the strongest first. A
// convolution's map comes from all of the image, which is pixel -1.
function pixels(program, found, target) {
  const layer = program.layers.find((layer) => layer.kind === "linear" || layer.kind === "convolution")
  if (layer.kind === "convolution") return [[-1, 1]]
  const inked = [...found.input.keys()].filter((pixel) => found.input[pixel] > 0)
  const products = inked.map((pixel) => {
    const weight = program.weights[layer.weights + pixel * layer.outputs[2] + target]
    return [pixel, found.input[pixel] * weight]
  })
  return products.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
}

function pixelBox(image, pixel) {
  if (pixel < 0) return image
  const size = image.size / 28
  return { x: image.x + (pixel % 28) * size, y: image.y + Math.floor(pixel / 28) * size, size }
}

// What each of `sources`, channels, adds to channel `target` of a stage's weighted sum: [[source, sum], ...], the
// strongest first. Of a map, only places count at which the stage gives something.
function contributions(program, found, stage, sources, target) {
  const layer = program.layers[stage.first]
  const taken = stage.first ? found.outputs[stage.first - 1] : found.input
  const given = found.outputs[stage.first]
  const channels = layer.inputs[2]
  const outputs = layer.outputs[2]
  const sums = new Float64Array(channels)
  const add = (from, weight) => {
    for (const source of sources) {
      sums[source] += taken[from + source] * program.weights[layer.weights + (weight + source) * outputs + target]
    }
  }
  if (layer.kind === "linear") for (let from = 0; from < taken.length; from += channels) add(from, from)
  else {
    eachTaken(layer, (at, from, kernel) => {
      if (given[at + target] > 0) add(from, kernel * channels)
    })
  }
  return sources.map((source) => [source, sums[source]]).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
}

function drawStage(pen, stage, found, column, colors) {
  const [rows, columns] = stage.shape
  const values = found.outputs[stage.last]
  const most = largest(values)
  if (values === found.logits) for (const [digit, box] of column.items) drawOutput(pen, digit, found, box, colors)
  else if (rows * columns > 1) drawMaps(pen, values, stage.shape, column.items, most)
  else {
    for (const [unit, box] of column.items) {
      pen.fillStyle = colors.ground
      pen.fillRect(box.x, box.y, box.size, box.size)
      pen.fillStyle = shade(values[unit] / most)
      pen.fillRect(box.x, box.y, box.size, box.size)
    }
  }
}

function largest(values) {
  let most = 1e-9
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]))
  return most
}

function drawOutput(pen, digit, found, box, colors) {
  const probability = found.probabilities[digit]
  const isAnswer = digit === found.digit
  pen.fillStyle = found.isDigit ? `rgba(${POSITIVE.join(",")},${0.08 + 0.92 * probability})` : colors.ground
  pen.beginPath()
  pen.arc(box.x + box.size / 2, box.y + box.size / 2, box.size / 2, 0, 2 * Math.PI)
  pen.fill()
  pen.fillStyle = probability > 0.5 && found.isDigit ? "#fff" : isAnswer ? colors.text : colors.muted
  pen.font = `${isAnswer ? "bold " : ""}${Math.round(box.size * 0.62)}px sans-serif`
  pen.textAlign = "center"
  pen.textBaseline = "middle"
  pen.fillText(String(digit), box.x + box.size / 2, box.y + box.size / 2 + 1)
}

function shade(share) {
  return `rgba(${(share < 0 ? NEGATIVE : POSITIVE).join(",")},${Math.min(1, Math.abs(share))})`
}

// Channels of values (rows, columns, channels) as images, each in its box; white is `most`. They are painted side by side
// onto one canvas first: a canvas for each would take longer than the network.
function drawMaps(pen, values, [rows, columns, channels], boxes, most) {
  const width = columns * boxes.size
  Object.assign(sheet.canvas, { width, height: rows })
  const picture = new ImageData(width, rows)
  const colors = new Uint32Array(picture.data.buffer) // alpha, blue, green, red
  let left = 0
  for (const channel of boxes.keys()) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const share = values[(y * columns + x) * channels + channel] / most
        const level = Math.round(255 * Math.min(1, Math.abs(share)))
        colors[y * width + left + x] = share < 0 ? negative(level / 255) : 0xff000000 | (level * 0x010101)
      }
    }
    left += columns
  }
  sheet.putImageData(picture, 0, 0)
  left = 0
  for (const { x, y, size } of boxes.values()) {
    pen.drawImage(sheet.canvas, left, 0, columns, rows, x, y, size, size)
    left += columns
  }
}

const sheet = document.createElement("canvas").getContext("2d", { willReadFrequently: true })

function negative(share) {
  const [red, green, blue] = NEGATIVE.map((part) => Math.round(part * share))
  return 0xff000000 | (blue << 16) | (green << 8) | red
}
