const scratch = new DataView(new ArrayBuffer(4))

/** The largest finite half float. */
export const MAX_HALF = 65504
/** Numbers from here on round to infinity: half a step above the largest one. */
const HALF_OVERFLOW = 65520

/** The 16 bits of the half float (IEEE 754 binary16) nearest to a number, ties to even; beyond the largest, infinity. */
export const halfBits = (value: number): number => {
  if (value !== value) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= HALF_OVERFLOW) return sign | 0x7c00
  // A step of the subnormal numbers, and of all up to twice the least normal one, is 2^-24.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size))
  const steps = roundEven(size * 2 ** (10 - exponent))
  // Of a normal number the steps begin at 1024, which counts the exponent up by one; so does rounding up to the next power.
  return sign | (((exponent + 14) << 10) + steps)
}

const roundEven = (value: number): number => {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** The number that 16 bits stand for as a half float. */
export const halfValue = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const steps = bits & 0x3ff
  if (exponent === 0x1f) return steps ? NaN : sign * Infinity
  return exponent === 0 ? sign * steps * 2 ** -24 : sign * (0x400 + steps) * 2 ** (exponent - 25)
}

/** The 32 bits of a number as a float32. */
export const floatBits = (value: number): number => {
  scratch.setFloat32(0, value)
  return scratch.getUint32(0)
}

/** The number that 32 bits stand for as a float32. */
export const floatValue = (bits: number): number => {
  scratch.setUint32(0, bits)
  return scratch.getFloat32(0)
}
