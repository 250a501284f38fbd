import { LEAPS, Movement, RESIDUALS, type Plan } from './plan.ts'

/** What both ends compute alike before a symbol is coded. All of it is exact, or IEEE 754 + - x / sqrt, in a fixed order. */

/** A group as the codec sees it. */
export interface GroupState {
  /** doId by slot, 0 is an empty one `[slots]`. */
  readonly ids: Uint32Array
  /** `[slots x width]`, row-major. */
  readonly rows: Uint32Array
}

/** Position of the lowest bit that is set. */
export const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)

/** Bits that are set in a byte. */
export const POPULATION = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1
  return count
})

/** Number of bits of a magnitude -> its class. */
const leapClasses = new Uint8Array(33).map((_, bits) => (bits === 0 ? 0 : bits <= 2 ? 1 : bits <= 4 ? 2 : bits <= 6 ? 3 : 4))
/** The class of the size of a movement. */
export const leapClass = (size: number): number => leapClasses[32 - Math.clz32(size)]!

/** The class of the size of a residual. */
export const residualClass = (size: number): number => {
  const bits = 32 - Math.clz32(size)
  return bits < RESIDUALS ? bits : RESIDUALS - 1
}

/** What a turned index counts as, in steps of a component. */
const TURN = 16
/** The activity of objects that have no velocity, for they are too new; 0 is that of resting ones. */
export const FRESH = 6

/** Activity by slot of the segment at hand, 0 to 6 `[64]`. */
export const activities = new Uint8Array(64)

/** How much a slot moves from `before` to `base`: 0 not at all, else 1 to 5. */
export const activityOf = (plan: Plan, base: Uint32Array, before: Uint32Array, at: number): number => {
  const { moving, movements, moduli, bits } = plan
  let most = 0
  for (let index = 0; index < moving.length; index++) {
    const word = moving[index]!
    const place = at + word
    const movement = movements[word]!
    if (movement === Movement.quaternion) {
      if (base[place] !== before[place]) {
        if (most < TURN) most = TURN
        continue
      }
      const shift = 32 - bits[word + 1]!
      for (let part = place + 1; part <= place + 3; part++) {
        const step = ((base[part]! - before[part]!) << shift) >> shift
        const size = step < 0 ? -step : step
        if (size > most) most = size
      }
    } else if (base[place] !== before[place]) {
      let step = base[place]! - before[place]!
      if (movement === Movement.wideLinear) step = 64
      else {
        if (step < 0) step = -step
        const back = moduli[word]! - step
        if (back < step) step = back
      }
      if (step > most) most = step
    }
  }
  return most === 0 ? 0 : most === 1 ? 1 : most <= 3 ? 2 : most <= 11 ? 3 : most <= 39 ? 4 : 5
}

/** The context of a residual in those of a moving word: by age (0: no prediction), how far it should move, and residuals before. */
export const movingContext = (own: number, age: number, leap: number, residual: number): number =>
  age === 0 ? own + residual : own + RESIDUALS + ((age - 1) * LEAPS + leap) * RESIDUALS + residual

/** In the order x, y, z, w: the component that each value of a quaternion's first word leaves out. */
export const LEFT_OUT = new Uint8Array([3, 0, 1, 2])
const LARGEST = Math.SQRT1_2

/** The rotation in `rows[at..at + 4]` as x, y, z, w. */
const unpack = (rows: Uint32Array, at: number, bits: number, out: Float64Array): void => {
  const shift = 32 - bits
  const scale = LARGEST / ((1 << (bits - 1)) - 1)
  const a = ((rows[at + 1]! << shift) >> shift) * scale
  const b = ((rows[at + 2]! << shift) >> shift) * scale
  const c = ((rows[at + 3]! << shift) >> shift) * scale
  const rest = 1 - a * a - b * b - c * c
  const largest = rest > 0 ? Math.sqrt(rest) : 0
  const index = rows[at]!
  // 0 leaves w out, 1 x, 2 y, 3 z.
  out[0] = index === 1 ? largest : a
  out[1] = index === 2 ? largest : index === 1 ? a : b
  out[2] = index === 3 ? largest : index === 0 ? c : b
  out[3] = index === 0 ? largest : c
}

/** Terms of the two series. */
const TERMS = 12
/**
 * Coefficients of sin((s+1)t)/sin(t) and sin(st)/sin(t) as polynomials of (1 - cos t) / 2, where s is how many times the step
 * between the two baselines is to be gone again. For whole s they are Chebyshev's, and end with term s.
 */
const forward = new Float64Array(TERMS)
const backward = new Float64Array(TERMS)
let terms = 0
let ratioOfTerms = -1

const setRatio = (ratio: number): void => {
  ratioOfTerms = ratio
  terms = 1
  forward[0] = ratio + 1
  backward[0] = ratio
  for (let n = 0; n + 1 < TERMS; n++) {
    const below = (n + 1.5) * (n + 1)
    forward[n + 1] = (forward[n]! * (n - ratio) * (n + ratio + 2)) / below
    backward[n + 1] = (backward[n]! * (n + 1 - ratio) * (n + ratio + 1)) / below
    if (forward[n + 1] !== 0 || backward[n + 1] !== 0) terms = n + 2
  }
}

/** The rotation at the baseline and the one that is expected now, as x, y, z, w. */
export const rotationBase = new Float64Array(4)
export const rotation = new Float64Array(4)
const earlier = new Float64Array(4)

/**
 * Fills `rotationBase` and `rotation` from the words at `at`: the turn from `before` to `base`, gone `ratio` times again.
 * Without `before` none is expected.
 */
export const predictRotation = (
  base: Uint32Array,
  before: Uint32Array | undefined,
  at: number,
  bits: number,
  ratio: number,
): void => {
  unpack(base, at, bits, rotationBase)
  if (
    before === undefined ||
    (base[at + 1] === before[at + 1] &&
      base[at + 2] === before[at + 2] &&
      base[at + 3] === before[at + 3] &&
      base[at] === before[at])
  ) {
    rotation[0] = rotationBase[0]!
    rotation[1] = rotationBase[1]!
    rotation[2] = rotationBase[2]!
    rotation[3] = rotationBase[3]!
    return
  }
  unpack(before, at, bits, earlier)
  if (ratio !== ratioOfTerms) setRatio(ratio)
  let cosine =
    rotationBase[0]! * earlier[0]! +
    rotationBase[1]! * earlier[1]! +
    rotationBase[2]! * earlier[2]! +
    rotationBase[3]! * earlier[3]!
  // q and -q are one rotation: the nearer one is meant.
  const sign = cosine < 0 ? -1 : 1
  cosine *= sign
  const half = (1 - cosine) * 0.5
  let u = 0
  let v = 0
  for (let n = terms - 1; n >= 0; n--) {
    u = u * half + forward[n]!
    v = v * half + backward[n]!
  }
  v *= sign
  rotation[0] = rotationBase[0]! * u - earlier[0]! * v
  rotation[1] = rotationBase[1]! * u - earlier[1]! * v
  rotation[2] = rotationBase[2]! * u - earlier[2]! * v
  rotation[3] = rotationBase[3]! * u - earlier[3]! * v
}

/** The quaternion's first word that `rotation` should have, and how clear that is (0 to 6): `index << 3 | margin`. */
export const expectedIndex = (): number => {
  const x = Math.abs(rotation[0]!)
  const y = Math.abs(rotation[1]!)
  const z = Math.abs(rotation[2]!)
  let index = 0
  let most = Math.abs(rotation[3]!)
  let second = 0
  if (x > most) {
    second = most
    most = x
    index = 1
  } else second = x
  if (y > most) {
    second = most
    most = y
    index = 2
  } else if (y > second) second = y
  if (z > most) {
    second = most
    most = z
    index = 3
  } else if (z > second) second = z
  const margin = 32 - Math.clz32((most - second) * 64)
  return (index << 3) | (margin > 6 ? 6 : margin)
}

/** A component of a rotation in steps, as a word of a quaternion from which the one at `omitted` is left out would have it. */
export const componentSteps = (parts: Float64Array, component: number, omitted: number, most: number): number => {
  const factor = most / LARGEST
  const steps = Math.floor(parts[component]! * (parts[omitted]! < 0 ? -factor : factor) + 0.5)
  return steps > most ? most : steps < -most ? -most : steps
}

/** Maps the bits of a float so that they are in the order of the numbers; 0 for `sign` leaves them. */
export const ordered = (value: number, sign: number): number => {
  if (sign === 0) return value
  return value >= sign ? sign * 2 - 1 - value : value + sign
}

/** The inverse of {@link ordered}. */
export const unordered = (value: number, sign: number): number => {
  if (sign === 0) return value
  return value >= sign ? value - sign : sign * 2 - 1 - value
}

/** The smallest number that is `difference` modulo `modulus`; both are whole, |difference| < modulus. */
export const shortWay = (difference: number, modulus: number): number => {
  const half = modulus * 0.5
  return difference > half ? difference - modulus : difference < -half ? difference + modulus : difference
}

/**
 * How far a word is expected to move in `ratio` times the time it took from `before` to `base`; 0 when that is more than a
 * quarter of its range: it jumped.
 */
export const leapOf = (base: number, before: number, modulus: number, ratio: number): number => {
  if (base === before) return 0
  const leap = Math.floor(shortWay(base - before, modulus) * ratio + 0.5)
  const limit = modulus * 0.25
  return leap > limit || leap < -limit ? 0 : leap
}

/** Where a word should be after a leap: angles go round, others stop at their ends. */
export const landing = (base: number, leap: number, modulus: number, isAngle: boolean): number => {
  const value = base + leap
  if (value < 0) return isAngle ? value + modulus : 0
  if (value >= modulus) return isAngle ? value - modulus : modulus - 1
  return value
}

/** The largest doId of a group. */
export const largestId = (ids: Uint32Array): number => {
  let largest = 0
  for (let slot = 0; slot < ids.length; slot++) if (ids[slot]! > largest) largest = ids[slot]!
  return largest
}
