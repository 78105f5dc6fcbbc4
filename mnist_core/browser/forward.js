// A network's forward pass, from a program that `exchange/browser_program.py` writes.
// Values lie as (height, width, channels), weights of a convolution as (row, column, input, output).

const MEAN = 0.1307 // of MNIST's training pixels, as a share of full white
const DEVIATION = 0.3081

// Takes apart what `program.pack` has put together, an ArrayBuffer: its header, with the networks, ready to `read`.
export function unpack(buffer) {
  const begin = 4 + new DataView(buffer).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, begin - 4)))
  let place = begin
  const networks = header.programs.map((program) => {
    const halves = new Uint16Array(buffer, place, program.count)
    place += 2 * program.count
    return { ...program, weights: Float32Array.from(halves, fromHalf) }
  })
  return { ...header, networks }
}

function fromHalf(half) {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 0) return sign * 2 ** -24 * fraction
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
}

// What the network reads in `image` (28 * 28), 0 to 255: the digit, its probabilities, whether it is a digit at all, and
// what each layer gives.
export function read(program, image) {
  const input = Float32Array.from(image, (value) => (value / 255 - MEAN) / DEVIATION)
  const outputs = []
  for (const layer of program.layers) {
    const before = outputs.length ? outputs[outputs.length - 1] : input
    outputs.push(LAYERS[layer.kind](layer, before, program.weights, outputs, input))
  }
  const logits = outputs[outputs.length - 1]
  const highest = Math.max(...logits)
  const powers = Array.from(logits, (logit) => Math.exp((logit - highest) / program.temperature))
  const total = powers.reduce((sum, power) => sum + power, 0)
  const score = highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0))
  return {
    input,
    outputs,
    logits,
    probabilities: powers.map((power) => power / total),
    digit: logits.indexOf(highest),
    isDigit: program.threshold === null || score >= program.threshold,
  }
}

const elementwise = (change) => (layer, taken) => Float32Array.from(taken, change)

const LAYERS = {
  convolution,
  linear,
  scale: (layer, taken, weights) => {
    const count = layer.outputs[2]
    return taken.map((value, i) => value * weights[layer.weights + (i % count)] + weights[layer.bias + (i % count)])
  },
  relu: elementwise((value) => (value > 0 ? value : 0)),
  tanh: elementwise(Math.tanh),
  sigmoid: elementwise((value) => 1 / (1 + Math.exp(-value))),
  gelu: elementwise((value) => (value / 2) * (1 + erf(value / Math.SQRT2))),
  sum: (layer, taken, weights, outputs, input) => {
    const other = layer.with < 0 ? input : outputs[layer.with]
    return taken.map((value, i) => value + other[i])
  },
  maximum: (layer, taken) => {
    const [height, width, channels] = layer.outputs
    const given = new Float32Array(height * width * channels).fill(-Infinity)
    eachTaken(layer, (at, from) => {
      for (let c = 0; c < channels; c++) given[at + c] = Math.max(given[at + c], taken[from + c])
    })
    return given
  },
  mean: (layer, taken) => {
    const channels = layer.outputs[2]
    const given = new Float32Array(channels)
    for (let i = 0; i < taken.length; i++) given[i % channels] += taken[i]
    return given.map((value) => (value * channels) / taken.length)
  },
  unshuffle: (layer, taken) => {
    const [height, width, channels] = layer.inputs
    const given = new Float32Array(taken.length)
    const side = layer.kernel
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          const place = Math.floor(y / side) * layer.outputs[1] + Math.floor(x / side)
          const channel = (c * side + (y % side)) * side + (x % side)
          given[place * layer.outputs[2] + channel] = taken[(y * width + x) * channels + c]
        }
      }
    }
    return given
  },
}

// Calls back with where a place of the output and one of the input under its kernel begin, and the place in the kernel.
export function eachTaken(layer, callback) {
  const [height, width, channels] = layer.inputs
  const [rows, columns, outputs] = layer.outputs
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let j = 0; j < layer.kernel; j++) {
        const row = y * layer.stride + j - layer.padding
        if (row < 0 || row >= height) continue
        for (let i = 0; i < layer.kernel; i++) {
          const column = x * layer.stride + i - layer.padding
          if (column < 0 || column >= width) continue
          callback((y * columns + x) * outputs, (row * width + column) * channels, j * layer.kernel + i)
        }
      }
    }
  }
}

function convolution(layer, taken, weights) {
  const inputs = layer.inputs[2]
  const outputs = layer.outputs[2]
  const given = new Float32Array(layer.outputs[0] * layer.outputs[1] * outputs)
  const bias = weights.subarray(layer.bias, layer.bias + outputs)
  for (let i = 0; i < given.length; i += outputs) given.set(bias, i)
  eachTaken(layer, (at, from, kernel) => {
    let weight = layer.weights + kernel * inputs * outputs
    for (let i = 0; i < inputs; i++, weight += outputs) {
      const value = taken[from + i]
      if (value === 0) continue // most are, behind a ReLU
      for (let o = 0; o < outputs; o++) given[at + o] += value * weights[weight + o]
    }
  })
  return given
}

function linear(layer, taken, weights) {
  const outputs = layer.outputs[2]
  const given = weights.slice(layer.bias, layer.bias + outputs)
  let weight = layer.weights
  for (let i = 0; i < taken.length; i++, weight += outputs) {
    const value = taken[i]
    if (value === 0) continue
    for (let o = 0; o < outputs; o++) given[o] += value * weights[weight + o]
  }
  return given
}

// Abramowitz and Stegun (1964), 7.1.26; within 1.5e-7
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  return Math.sign(x) * (1 - sum * Math.exp(-x * x))
}
