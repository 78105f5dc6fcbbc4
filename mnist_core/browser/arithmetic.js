// How a value that the picture shows comes about: inputs times weights, summed up, and what the layers behind make of it.
import { stagesOf } from "./stages.js"

const NAMED = 4 // of the terms for it, and as many of those against it

// The value of `channel` of the stage of that index, at `row` and `column` of what the picture shows of it. Gives
// { title, terms: [{ name, value, weight, product }], others, bias, sum, behind: [{ words, value }] }: the terms are the
// strongest, in falling order; those of a convolution of several maps are sums over its kernel, without value and weight.
export function arithmetic(program, found, index, channel, row, column) {
  const stages = stagesOf(program)
  const stage = stages[index]
  const layer = program.layers[stage.first]
  const place = placeOf(stage, layer, found.outputs[stage.first], channel, row, column)
  const all = layer.kind === "linear" ? linearTerms(program, found, stages, index, channel) : kernelTerms(program, found, stage, channel, place)
  const bias = program.weights[layer.bias + channel]
  const sum = all.reduce((total, term) => total + term.product, bias)
  const falling = all.toSorted((one, other) => other.product - one.product)
  const terms = [
    ...falling.slice(0, NAMED).filter((term) => term.product > 0),
    ...falling.slice(NAMED).slice(-NAMED).filter((term) => term.product < 0),
  ]
  const others = sum - bias - terms.reduce((total, term) => total + term.product, 0)
  return { title: titleOf(stages, index, channel, place), terms, others, bias, sum, behind: behind(program, found, stage, channel, place, sum) }
}

function titleOf(stages, index, channel, place) {
  if (index === stages.length - 1) return `Output ${channel}`
  const [rows, columns] = stages[index].shape
  return rows * columns > 1 ? `Layer ${index + 1}, map ${channel} at (${place.row}, ${place.column})` : `Layer ${index + 1}, unit ${channel}`
}

// Where in what a convolution gives the strongest value lies of those that make up the value shown.
function placeOf(stage, layer, given, channel, row, column) {
  const [height, width, channels] = layer.outputs
  const [rows, columns] = stage.shape
  const [down, across] = [Math.floor(height / rows), Math.floor(width / columns)]
  let best = { row: row * down, column: column * across }
  const at = (place) => given[(place.row * width + place.column) * channels + channel]
  for (let y = row * down; y < (row + 1) * down; y++) {
    for (let x = column * across; x < (column + 1) * across; x++) {
      if (at({ row: y, column: x }) > at(best)) best = { row: y, column: x }
    }
  }
  return best
}

function linearTerms(program, found, stages, index, channel) {
  const layer = program.layers[stages[index].first]
  const taken = takenBy(found, stages[index])
  const [rows, columns, channels] = layer.inputs
  const name = (i) => {
    if (rows * columns === 1) return `unit ${i}`
    const at = Math.floor(i / channels)
    return `${channels === 1 ? "pixel" : `map ${i % channels}`} (${Math.floor(at / columns)}, ${at % columns})`
  }
  return Array.from(taken, (value, i) => {
    const weight = program.weights[layer.weights + i * layer.outputs[2] + channel]
    return { name: name(i), value, weight, product: value * weight }
  })
}

function kernelTerms(program, found, stage, channel, place) {
  const layer = program.layers[stage.first]
  const taken = takenBy(found, stage)
  const [height, width, inputs] = layer.inputs
  const products = inputs > 1 ? Array.from({ length: inputs }, (_, i) => ({ name: `map ${i}`, product: 0 })) : []
  for (let j = 0; j < layer.kernel; j++) {
    for (let i = 0; i < layer.kernel; i++) {
      const row = place.row * layer.stride + j - layer.padding
      const column = place.column * layer.stride + i - layer.padding
      if (row < 0 || row >= height || column < 0 || column >= width) continue
      for (let input = 0; input < inputs; input++) {
        const value = taken[(row * width + column) * inputs + input]
        const kernel = (j * layer.kernel + i) * inputs + input
        const weight = program.weights[layer.weights + kernel * layer.outputs[2] + channel]
        if (inputs > 1) products[input].product += value * weight
        else products.push({ name: `pixel (${row}, ${column})`, value, weight, product: value * weight })
      }
    }
  }
  return products
}

function takenBy(found, stage) {
  return stage.first ? found.outputs[stage.first - 1] : found.input
}

// What the layers behind the weighted sum make of it, one after the other.
function behind(program, found, stage, channel, place, sum) {
  const steps = []
  let before = sum
  for (let index = stage.first + 1; index <= stage.last; index++) {
    const layer = program.layers[index]
    const [rows, columns, channels] = layer.outputs
    const pooled = ["maximum", "mean", "unshuffle"].includes(layer.kind)
    const row = Math.min(rows - 1, Math.floor((place.row * rows) / program.layers[stage.first].outputs[0]))
    const column = Math.min(columns - 1, Math.floor((place.column * columns) / program.layers[stage.first].outputs[1]))
    const value = found.outputs[index][(row * columns + column) * channels + channel]
    if (layer.kind === "sum") steps.push({ words: `plus ${figure(value - before)} that bypasses the layer`, value })
    else if (layer.kind === "mean") steps.push({ words: "mean of the map", value })
    else if (pooled) steps.push({ words: layer.kind === "maximum" ? "largest of its neighbours" : layer.kind, value })
    else steps.push({ words: layer.kind, value })
    before = value
  }
  return steps
}

// A number as people read it: three digits that count, with a sign that is a minus.
export function figure(value) {
  return Number(value.toPrecision(3)).toString().replace("-", "−")
}
