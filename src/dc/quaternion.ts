/**
 * A unit quaternion as its three smallest components. The fourth follows from them, as it is made positive: q and -q are the
 * same rotation. Four words: which component is left out (0: w, 1: x, 2: y, 3: z), then the others in the order x, y, z,
 * w, in two's complement of `bits` bits. All zeros are the identity, which is what DC gives a field without a default.
 */
export type QuaternionWords = Uint32Array | number[]

/** The largest that a component which is not the largest can be is 1/√2. */
const LARGEST = Math.SQRT1_2

/** In gl-matrix' order x, y, z, w: the component that stands for each value of the first word. */
const LEFT_OUT = [3, 0, 1, 2] as const

const part = [0, 0, 0, 0]

/**
 * Encodes (x, y, z, w) of any length but zero, which stands for the identity, into `out` `[4]`. False when it is not finite:
 * `out` is then as it was. `bits` is 10 for quat32, 15 for quat48.
 */
export const encodeQuaternion = (
  x: number,
  y: number,
  z: number,
  w: number,
  bits: number,
  out: QuaternionWords,
): boolean => {
  // Scaled first: squares of large numbers overflow, of small ones vanish.
  const scale = Math.max(Math.abs(x), Math.abs(y), Math.abs(z), Math.abs(w))
  if (!(scale < Infinity)) return false
  if (scale === 0) {
    out[0] = out[1] = out[2] = out[3] = 0
    return true
  }
  part[0] = x / scale
  part[1] = y / scale
  part[2] = z / scale
  part[3] = w / scale
  let left = 0
  for (let at = 1; at < 4; at++) if (Math.abs(part[LEFT_OUT[at]!]!) > Math.abs(part[LEFT_OUT[left]!]!)) left = at
  const omitted = LEFT_OUT[left]!
  const length = Math.sqrt(part[0] * part[0] + part[1] * part[1] + part[2] * part[2] + part[3] * part[3])
  const steps = 2 ** (bits - 1) - 1
  const factor = ((part[omitted]! < 0 ? -1 : 1) * steps) / (LARGEST * length)
  out[0] = left
  let word = 1
  for (let at = 0; at < 4; at++)
    if (at !== omitted) out[word++] = Math.floor(part[at]! * factor + 0.5) & (2 ** bits - 1)
  return true
}

/**
 * Decodes four words at `words[at..]` into `out[outAt..]` as x, y, z, w: a unit quaternion whatever the words are. Words are
 * taken modulo their size.
 */
export const decodeQuaternion = (
  words: ArrayLike<number>,
  at: number,
  bits: number,
  out: Float32Array | Float64Array | number[],
  outAt: number,
): void => {
  const steps = 2 ** (bits - 1) - 1
  const omitted = LEFT_OUT[words[at]! & 3]!
  let sum = 0
  let word = at + 1
  for (let component = 0; component < 4; component++) {
    if (component === omitted) continue
    const signed = (words[word++]! << (32 - bits)) >> (32 - bits)
    const value = (signed / steps) * LARGEST
    part[component] = value
    sum += value * value
  }
  part[omitted] = Math.sqrt(Math.max(0, 1 - sum))
  // Three components that no rotation has are longer than one.
  const length = sum > 1 ? Math.sqrt(sum) : 1
  for (let component = 0; component < 4; component++) out[outAt + component] = part[component]! / length
}
