import { is64, numberSize, type DCNumberBase, type DCNumberType, type DCRange } from './model.ts'

/** Least and greatest integer of a type. */
export type Limits = readonly [number | bigint, number | bigint]

const limitsOf = (bits: number, signed: boolean): Limits =>
  signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]

/** The least and greatest scaled value that a base can hold. */
export const LIMITS: Record<DCNumberBase, Limits> = {
  int8: limitsOf(8, true),
  int16: limitsOf(16, true),
  int32: limitsOf(32, true),
  int64: [-(1n << 63n), (1n << 63n) - 1n],
  uint8: limitsOf(8, false),
  uint16: limitsOf(16, false),
  uint32: limitsOf(32, false),
  uint64: [0n, (1n << 64n) - 1n],
  char: limitsOf(8, false),
  float64: [-Infinity, Infinity],
}

/** Whether one of the ranges holds the value; no ranges allow everything. */
export function inRanges(ranges: readonly DCRange[], value: number | bigint): boolean {
  if (!ranges.length) return true
  for (const range of ranges) if (value >= range.min && value <= range.max) return true
  return false
}

/** Whether a scaled value lies within the declared ranges and the limits of the base. */
export function inRange(type: DCNumberType, scaled: number | bigint): boolean {
  const [min, max] = LIMITS[type.base]
  return (type.base === 'float64' || (scaled >= min && scaled <= max)) && inRanges(type.ranges, scaled)
}

/** `floor(modulus * divisor + 0.5)`: the modulus of the integer path. */
export const scaledModulus = (type: { divisor: number; modulus?: number }): number =>
  Math.floor(type.modulus! * type.divisor + 0.5)

/**
 * A value as the number that is packed: times the divisor, modulus, then rounded half up. Undefined when it does not fit.
 * A bigint takes Panda3D's integer path (exact, with an integer modulus even for float64), a number its double path
 * (dcSimpleParameter.cxx, pack_int64 and pack_double).
 */
export function scale(type: DCNumberType, value: number | bigint): number | bigint | undefined {
  if (typeof value === 'bigint') return wrapInteger(type, value * BigInt(type.divisor))
  let scaled: number | bigint = wrap(value * type.divisor, type)
  if (type.base !== 'float64') {
    if (!Number.isFinite(scaled)) return undefined
    // + 0 turns a negative zero into the only zero that bytes know.
    scaled = (Number.isInteger(scaled) ? scaled : Math.floor(scaled + 0.5)) + 0
    if (is64(type)) scaled = BigInt(scaled)
  }
  return inRange(type, scaled) ? scaled : undefined
}

/** The integer path behind the multiplication: the modulus, and whether it fits. */
export function wrapInteger(type: DCNumberType, product: bigint): number | bigint | undefined {
  const modulus = type.modulus === undefined ? 0n : BigInt(scaledModulus(type)),
    rest = modulus ? ((product % modulus) + modulus) % modulus : product
  const scaled = is64(type) ? rest : Number(rest)
  return inRange(type, scaled) ? scaled : undefined
}

/** `real` modulo modulus * divisor, in [0, modulus * divisor). */
function wrap(real: number, type: DCNumberType): number {
  if (type.modulus === undefined) return real
  const modulus = type.modulus * type.divisor
  const rest = real % modulus
  // A tiny negative rest would round up to the modulus itself.
  return rest >= 0 ? rest + 0 : (rest + modulus) % modulus
}

const NOWHERE: Path = []

/**
 * Quantises a value exactly as the packer does.
 * @returns the scaled integer: bigint for 64-bit bases, else number. A float64 is only scaled.
 * @throws TypeError when it is no number, RangeError when it does not fit; `path` (`['Avatar', 'heading']`) leads the message.
 */
export function quantise(type: DCNumberType, value: number | bigint, path: Path = NOWHERE): number | bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new TypeError(`${placeOf(path)}: expected a ${type.base} number, got ${show(value)}`)
  }
  if (typeof value === 'number' && type.base !== 'float64') {
    if (!Number.isFinite(value))
      throw new RangeError(
        `${placeOf(path)}: ${value} cannot be packed into ${type.base}. Check the computation that produced it`,
      )
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new RangeError(
        `${placeOf(path)}: ${value} is not a safe integer. ${is64(type) ? 'Pass a bigint' : `It does not fit ${describe(type)}`}`,
      )
    }
  }
  const scaled = scale(type, value)
  if (scaled === undefined)
    throw new RangeError(
      `${placeOf(path)}: ${value} is outside ${describe(type)}. Clamp it, or widen the type in the DC file`,
    )
  return scaled
}

/** The value of a scaled number: bigint for plain int64 and uint64, else a number. A modulus is not undone. */
export function dequantise(type: DCNumberType, scaled: number | bigint): number | bigint {
  if (type.divisor !== 1) return Number(scaled) / type.divisor
  return typeof scaled === 'bigint' && type.modulus !== undefined ? Number(scaled) : scaled
}

/** The scaled number that stands for "nothing given": 0 if allowed, else the least of the first range. */
export const defaultScaled = (type: DCNumberType): number | bigint => {
  const zero = is64(type) ? 0n : 0
  return inRanges(type.ranges, zero) ? zero : type.ranges[0]!.min
}

/** Writes a scaled number, little endian. */
export function setScaled(view: DataView, at: number, type: DCNumberType, scaled: number | bigint): void {
  if (type.base === 'float64') view.setFloat64(at, scaled as number, true)
  else
    switch (numberSize(type)) {
      case 1:
        return view.setUint8(at, scaled as number)
      case 2:
        return view.setUint16(at, scaled as number, true)
      case 4:
        return view.setUint32(at, scaled as number, true)
      default:
        view.setBigUint64(at, scaled as bigint, true)
    }
}

/** The legal values in words, in units of the value: `int16/100 (-40 to 40)`. */
export function describe(type: DCNumberType): string {
  const ranges = type.ranges.length ? type.ranges : [{ min: LIMITS[type.base][0], max: LIMITS[type.base][1] }]
  const text = ranges.map(({ min, max }) => `${dequantise(type, min)} to ${dequantise(type, max)}`).join(', ')
  return `${type.base}${type.divisor === 1 ? '' : `/${type.divisor}`}${type.modulus === undefined ? '' : `%${type.modulus}`} (${text})`
}

/** Names and indices that lead to a place in a value. */
export type Path = readonly (string | number)[]

/** A path in words: `Avatar.items[3].name`. */
export const placeOf = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i ? `.${part}` : part)).join('') || 'value'

/** A caller's value in an error message: short, and never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? value.slice(0, 40) + '…' : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
  return String(value) + (typeof value === 'bigint' ? 'n' : '')
}
