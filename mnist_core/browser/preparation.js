// From the ink on a canvas to the 28 x 28 image that MNIST would have made of it: `drawing.to_mnist` for a canvas.

const SIZE = 28 // pixels, side of MNIST's images
const BOX = 20 // pixels, longer side of the digit in it
const EDGE = 26 // of 255: from here on a pixel counts as the digit's when its box is measured
const FAINTEST = 24 // of 255: a canvas with less holds no ink
const TIE = 1e-6 // pixels; a centre of mass so close to the middle of a pixel counts as there, however it is rounded

// `ink` (width * height), 0 to 255, row by row. Gives (28 * 28), 0 to 255, or null where there is no ink.
export function prepare(ink, width, height) {
  let strongest = 0
  for (let i = 0; i < ink.length; i++) if (ink[i] > strongest) strongest = ink[i]
  if (strongest < FAINTEST) return null
  const full = strongest === 255 ? ink : Uint8Array.from(ink, (value) => Math.floor((value * 255) / strongest + 0.5))
  const box = boxOf(full, width, height)
  const scale = BOX / Math.max(box.right - box.left, box.bottom - box.top)
  const columns = Math.max(1, roundHalfEven((box.right - box.left) * scale))
  const rows = Math.max(1, roundHalfEven((box.bottom - box.top) * scale))
  return centred(scaled(full, width, box, columns, rows), columns, rows)
}

function boxOf(ink, width, height) {
  const box = { left: width, top: height, right: 0, bottom: 0 }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < EDGE) continue
      box.left = Math.min(box.left, x)
      box.right = Math.max(box.right, x + 1)
      box.top = Math.min(box.top, y)
      box.bottom = y + 1
    }
  }
  return box
}

// Python's and torch's rounding
function roundHalfEven(value) {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 ? floor + 1 : floor
}

// For each of `newLength` values, which of `length` values it is made of: [[index, weight], ...], as drawing.resampling.
function resampling(length, newLength) {
  const step = length / newLength
  return Array.from({ length: newLength }, (_, i) => {
    const parts = []
    const centre = (i + 0.5) * step - 0.5
    const shrinks = newLength <= length
    const first = Math.max(0, Math.floor(shrinks ? i * step : centre))
    const last = Math.min(length - 1, Math.ceil(shrinks ? (i + 1) * step : centre))
    for (let j = first; j <= last; j++) {
      const covered = Math.min((i + 1) * step, j + 1) - Math.max(i * step, j)
      const weight = shrinks ? covered : 1 - Math.abs(j - centre)
      if (weight > 0) parts.push([j, weight])
    }
    const total = parts.reduce((sum, part) => sum + part[1], 0)
    return parts.map(([j, weight]) => [j, weight / total])
  })
}

// The content of the box, columns x rows, with its strongest ink made 255
function scaled(ink, width, box, columns, rows) {
  const down = resampling(box.bottom - box.top, rows)
  const across = resampling(box.right - box.left, columns)
  const values = new Float64Array(rows * columns)
  const line = new Float64Array(box.right - box.left)
  for (let y = 0; y < rows; y++) {
    line.fill(0)
    for (const [j, weight] of down[y]) {
      const start = (box.top + j) * width + box.left
      for (let x = 0; x < line.length; x++) line[x] += weight * ink[start + x]
    }
    for (let x = 0; x < columns; x++) {
      for (const [j, weight] of across[x]) values[y * columns + x] += weight * line[j]
    }
  }
  const factor = 255 / values.reduce((most, value) => Math.max(most, value), 0)
  return Uint8Array.from(values, (value) => Math.floor(value * factor + 0.5))
}

// The digit in 28 x 28 with its centre of mass in the pixel right below the middle
function centred(digit, columns, rows) {
  let mass = 0
  let alongX = 0
  let alongY = 0
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const value = digit[y * columns + x]
      mass += value
      alongX += value * (x + 0.5)
      alongY += value * (y + 0.5)
    }
  }
  const corner = (centre, length) => Math.min(Math.max(Math.ceil(SIZE / 2 - centre - TIE), 0), SIZE - length)
  const left = corner(alongX / mass, columns)
  const top = corner(alongY / mass, rows)
  const image = new Uint8Array(SIZE * SIZE)
  for (let y = 0; y < rows; y++) {
    image.set(digit.subarray(y * columns, (y + 1) * columns), (top + y) * SIZE + left)
  }
  return image
}
