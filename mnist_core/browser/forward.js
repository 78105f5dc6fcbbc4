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

const elementwise = (change) => (layer, taken) => taken.map((value) => change(value))

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

// Eight outputs are summed up at a time, which stay in the processor's registers: twice as fast as one after the other.
function convolution(layer, taken, weights) {
  const inputs = layer.inputs[2]
  const outputs = layer.outputs[2]
  const given = new Float32Array(layer.outputs[0] * layer.outputs[1] * outputs)
  let under = [] // where values under the kernel begin, each with where its weights do
  let here = 0
  const sum = () => {
    let o = 0
    for (; o + 8 <= outputs; o += 8) sumEight(given, here + o, taken, weights, under, inputs, outputs, layer.bias + o, o)
    for (; o < outputs; o++) sumOne(given, here + o, taken, weights, under, inputs, outputs, layer.bias + o, o)
  }
  eachTaken(layer, (at, from, kernel) => {
    if (at !== here) {
      sum()
      under = []
      here = at
    }
    under.push(from, layer.weights + kernel * inputs * outputs)
  })
  sum()
  return given
}

function sumEight(given, at, taken, weights, under, inputs, outputs, bias, o) {
  let s0 = weights[bias]
  let s1 = weights[bias + 1]
  let s2 = weights[bias + 2]
  let s3 = weights[bias + 3]
  let s4 = weights[bias + 4]
  let s5 = weights[bias + 5]
  let s6 = weights[bias + 6]
  let s7 = weights[bias + 7]
  for (let k = 0; k < under.length; k += 2) {
    const from = under[k]
    let weight = under[k + 1] + o
    for (let i = 0; i < inputs; i++, weight += outputs) {
      const value = taken[from + i]
      if (value === 0) continue // as many are, behind a ReLU
      s0 += value * weights[weight]
      s1 += value * weights[weight + 1]
      s2 += value * weights[weight + 2]
      s3 += value * weights[weight + 3]
      s4 += value * weights[weight + 4]
      s5 += value * weights[weight + 5]
      s6 += value * weights[weight + 6]
      s7 += value * weights[weight + 7]
    }
  }
  given[at] = s0
  given[at + 1] = s1
  given[at + 2] = s2
  given[at + 3] = s3
  given[at + 4] = s4
  given[at + 5] = s5
  given[at + 6] = s6
  given[at + 7] = s7
}

function sumOne(given, at, taken, weights, under, inputs, outputs, bias, o) {
  let sum = weights[bias]
  for (let k = 0; k < under.length; k += 2) {
    for (let i = 0; i < inputs; i++) sum += taken[under[k] + i] * weights[under[k + 1] + i * outputs + o]
  }
  given[at] = sum
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
