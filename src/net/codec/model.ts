import {
  KIND_WIDE_LINEAR,
  KIND_QUATERNION,
  MARGINS,
  MOVING_WORD,
  MOVING_KIND,
  MOVING_MODULUS,
  MOVING_SHIFT,
  MOVING_SIZE,
  RESIDUALS,
  type Plan,
} from './plan.ts'

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
const leapClasses = new Uint8Array(33).map((_, bits) =>
  bits === 0 ? 0 : bits <= 2 ? 1 : bits <= 4 ? 2 : bits <= 6 ? 3 : 4,
)
/** The class of the size of a movement. */
export const leapClass = (size: number): number => leapClasses[32 - Math.clz32(size)]!

const residualClasses = new Uint8Array(33).map((_, bits) => Math.min(bits, RESIDUALS - 1))
/** The class of the size of a residual. */
export const residualClass = (size: number): number => residualClasses[32 - Math.clz32(size)]!

/** |number| of an integer, and the larger one of two, without a branch. */
export const magnitudeOf = (number: number): number => {
  const sign = number >> 31
  return ((number ^ sign) - sign) | 0
}
export const largerOf = (a: number, b: number): number => {
  const more = (b - a) | 0
  return (a + (more & ~(more >> 31))) | 0
}

/** What a turned index counts as, in steps of a component. */
const TURN = 16
/** The activity of objects that have no velocity, for they are too new; 0 is that of resting ones. */
export const FRESH = 6

/** Activity by slot of the segment at hand, 0 to 6 `[64]`. */
export const activities = new Uint8Array(64)

/** How much a slot moves from `before` to `base`: 0 not at all, else 1 to 5. */
export const activityOf = (plan: Plan, base: Uint32Array, before: Uint32Array, at: number): number => {
  const { moving } = plan
  let most = 0
  for (let item = 0; item < moving.length; item += MOVING_SIZE) {
    const place = at + moving[item + MOVING_WORD]!
    const kind = moving[item + MOVING_KIND]!
    const difference = (base[place]! - before[place]!) | 0
    if (kind === KIND_QUATERNION) {
      if (difference !== 0) {
        if (most < TURN) most = TURN
        continue
      }
      const shift = moving[item + MOVING_SHIFT]!
      for (let part = place + 1; part <= place + 3; part++) {
        most = largerOf(most, magnitudeOf(((base[part]! - before[part]!) << shift) >> shift))
      }
    } else if (difference !== 0) {
      let size = 64
      if (kind !== KIND_WIDE_LINEAR) {
        size = magnitudeOf(difference)
        const back = (moving[item + MOVING_MODULUS]! - size) | 0
        if (back < size) size = back
      }
      most = largerOf(most, size)
    }
    if (most >= 40) return 5
  }
  return most === 0 ? 0 : most === 1 ? 1 : most <= 3 ? 2 : most <= 11 ? 3 : 4
}

/** A residual in the direction of a leap, or back again: what overshoots is positive. */
export const towards = (residual: number, leap: number): number => {
  const sign = leap >> 31
  return ((residual ^ sign) - sign) | 0
}

/** What foretells rotations. What it keeps belongs to a function that runs once, and is larger than it has to be: see the range decoder. */
const createRotations = () => {
  const LARGE = 72

  /** In the order x, y, z, w: the component that each value of a quaternion's first word leaves out, and the three others. */
  const OMITTED = new Uint8Array([3, 0, 1, 2])
  const FIRST = new Uint8Array([0, 1, 0, 0])
  const SECOND = new Uint8Array([1, 2, 2, 1])
  const THIRD = new Uint8Array([2, 3, 3, 3])
  const LARGEST = Math.sqrt(0.5)

  /** The rotation in `rows[at..at + 4]` as x, y, z, w; a step of a component of 32 - `shift` bits is `scale`. */
  const unpack = (rows: Uint32Array, at: number, shift: number, scale: number, out: Float64Array): void => {
    const a = ((rows[at + 1]! << shift) >> shift) * scale
    const b = ((rows[at + 2]! << shift) >> shift) * scale
    const c = ((rows[at + 3]! << shift) >> shift) * scale
    const rest = 1 - a * a - b * b - c * c
    const index = rows[at]!
    out[OMITTED[index]!] = rest > 0 ? Math.sqrt(rest) : 0
    out[FIRST[index]!] = a
    out[SECOND[index]!] = b
    out[THIRD[index]!] = c
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

  /** Of components of so many steps: a step as a part of 1, and steps to 1. Divisions take their time. */
  const scales = new Float64Array(LARGE)
  let stepsOfScales = 0
  const setSteps = (steps: number): void => {
    stepsOfScales = steps
    scales[0] = LARGEST / steps
    scales[1] = steps / LARGEST
  }

  const margins = new Uint8Array(LARGE).map((_, bits) => Math.min(bits, MARGINS - 2))

  /** The expected rotation: the three components that the baseline's words have, then the one that they leave out. */
  const expected = new Float64Array(LARGE)
  /** Rotations as x, y, z, w. */
  const whole = new Float64Array(LARGE)
  const other = new Float64Array(LARGE)

  const largestOf = (a: number, b: number, c: number): number => Math.max(Math.abs(a), Math.abs(b), Math.abs(c))

  /**
   * Foretells the rotation at `at`: the turn from `before` to `base`, gone `ratio` times again; none without `before`. Returns the first
   * word that it should have, and how clear that is (0 to 6, or 7 when it does not turn): `index << 3 | margin`.
   */
  const predictRotation = (
    base: Uint32Array,
    before: Uint32Array | undefined,
    at: number,
    shift: number,
    steps: number,
    ratio: number,
  ): number => {
    if (steps !== stepsOfScales) setSteps(steps)
    const scale = scales[0]!
    const index = base[at]!
    const a = ((base[at + 1]! << shift) >> shift) * scale
    const b = ((base[at + 2]! << shift) >> shift) * scale
    const c = ((base[at + 3]! << shift) >> shift) * scale
    const rest = 1 - a * a - b * b - c * c
    const left = rest > 0 ? Math.sqrt(rest) : 0
    if (
      before === undefined ||
      (base[at + 1] === before[at + 1] &&
        base[at + 2] === before[at + 2] &&
        base[at + 3] === before[at + 3] &&
        index === before[at])
    ) {
      expected[0] = a
      expected[1] = b
      expected[2] = c
      expected[3] = left
      return (index << 3) | 7
    }
    if (ratio !== ratioOfTerms) setRatio(ratio)
    let earlierA = ((before[at + 1]! << shift) >> shift) * scale
    let earlierB = ((before[at + 2]! << shift) >> shift) * scale
    let earlierC = ((before[at + 3]! << shift) >> shift) * scale
    const earlierRest = 1 - earlierA * earlierA - earlierB * earlierB - earlierC * earlierC
    let earlierLeft = earlierRest > 0 ? Math.sqrt(earlierRest) : 0
    if (before[at] !== index) {
      unpack(before, at, shift, scale, whole)
      earlierA = whole[FIRST[index]!]!
      earlierB = whole[SECOND[index]!]!
      earlierC = whole[THIRD[index]!]!
      earlierLeft = whole[OMITTED[index]!]!
    }
    const dot = a * earlierA + b * earlierB + c * earlierC + left * earlierLeft
    // q and -q are one rotation: the nearer one is meant.
    const half = (1 - (dot < 0 ? -dot : dot)) * 0.5
    let u = 0
    let v = 0
    // Small turns need few terms.
    const turn = half * ratio * ratio
    for (let n = turn < 0.02 && terms > 3 ? 2 : turn < 0.3 && terms > 5 ? 4 : terms - 1; n >= 0; n--) {
      u = u * half + forward[n]!
      v = v * half + backward[n]!
    }
    if (dot < 0) v = -v
    const first = a * u - earlierA * v
    const second = b * u - earlierB * v
    const third = c * u - earlierC * v
    const fourth = left * u - earlierLeft * v
    expected[0] = first
    expected[1] = second
    expected[2] = third
    expected[3] = fourth
    // Mostly it stays the same one that is left out.
    const most = Math.abs(fourth)
    const next = largestOf(first, second, third)
    if (next <= most) return (index << 3) | margins[32 - Math.clz32((most - next) * 64)]!
    spreadExpected(index)
    let now = index
    for (let word = 0; word < 4; word++) if (Math.abs(whole[OMITTED[word]!]!) === next) now = word
    const after = largestOf(whole[FIRST[now]!]!, whole[SECOND[now]!]!, whole[THIRD[now]!]!)
    return (now << 3) | margins[32 - Math.clz32((next - after) * 64)]!
  }

  /** Turns {@link expected}, of a baseline with first word `index`, into `whole`. */
  const spreadExpected = (index: number): void => {
    whole[FIRST[index]!] = expected[0]!
    whole[SECOND[index]!] = expected[1]!
    whole[THIRD[index]!] = expected[2]!
    whole[OMITTED[index]!] = expected[3]!
  }

  /** Components that a rotation is expected to have, in steps, and how far each is from the baseline's `[3]`. */
  const partSteps = new Int32Array(LARGE)
  const partLeaps = new Int32Array(LARGE)

  const stepsOf = (value: number, factor: number, steps: number): number => {
    const step = Math.floor(value * factor + 0.5)
    return step > steps ? steps : step < -steps ? 0 - steps : step
  }

  /** Fills {@link partSteps} and {@link partLeaps} for a first word `left`, after `predictRotation` of the same. */
  const predictParts = (base: Uint32Array, at: number, left: number, shift: number, steps: number): void => {
    const factor = scales[1]!
    const index = base[at]!
    if (left === index) {
      const sign = expected[3]! < 0 ? -factor : factor
      const a = stepsOf(expected[0]!, sign, steps)
      const b = stepsOf(expected[1]!, sign, steps)
      const c = stepsOf(expected[2]!, sign, steps)
      partSteps[0] = a
      partSteps[1] = b
      partSteps[2] = c
      partLeaps[0] = a - ((base[at + 1]! << shift) >> shift)
      partLeaps[1] = b - ((base[at + 2]! << shift) >> shift)
      partLeaps[2] = c - ((base[at + 3]! << shift) >> shift)
      return
    }
    spreadExpected(index)
    unpack(base, at, shift, scales[0]!, other)
    const omitted = OMITTED[left]!
    const sign = whole[omitted]! < 0 ? -factor : factor
    const baseSign = other[omitted]! < 0 ? -factor : factor
    for (let part = 0; part < 3; part++) {
      const component = (part === 0 ? FIRST : part === 1 ? SECOND : THIRD)[left]!
      const step = stepsOf(whole[component]!, sign, steps)
      partSteps[part] = step
      partLeaps[part] = step - stepsOf(other[component]!, baseSign, steps)
    }
  }

  return [predictRotation, predictParts, partSteps, partLeaps] as const
}

export const [predictRotation, predictParts, partSteps, partLeaps] = /* @__PURE__ */ createRotations()

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

/** {@link shortWay} of integers of at most 30 bits. */
export const shortStep = (difference: number, modulus: number): number => {
  const half = modulus >> 1
  return difference > half
    ? (difference - modulus) | 0
    : difference < 0 - half
      ? (difference + modulus) | 0
      : difference
}

/**
 * How far a word is expected to move: its way from `before` to `base`, gone `ratio` times again; 0 when that is more than a
 * quarter of its range, for then it jumped. Of at most 30 bits.
 */
export const leapOf = (base: number, before: number, modulus: number, ratio: number): number => {
  if (base === before) return 0
  const leap = Math.floor(shortStep((base - before) | 0, modulus) * ratio + 0.5)
  const limit = modulus >> 2
  return leap > limit || leap < 0 - limit ? 0 : leap | 0
}

/** Where a word should be after a leap: angles go round, others stop at their ends. Of at most 30 bits. */
export const landing = (base: number, leap: number, modulus: number, isAngle: boolean): number => {
  const value = (base + leap) | 0
  if (value < 0) return isAngle ? (value + modulus) | 0 : 0
  if (value >= modulus) return isAngle ? (value - modulus) | 0 : (modulus - 1) | 0
  return value
}

/** {@link leapOf} of any word. */
export const wideLeapOf = (base: number, before: number, modulus: number, ratio: number): number => {
  const leap = Math.floor(shortWay(base - before, modulus) * ratio + 0.5)
  const limit = modulus * 0.25
  return leap > limit || leap < -limit ? 0 : leap
}

/** {@link landing} of any word that is no angle. */
export const wideLanding = (base: number, leap: number, modulus: number): number =>
  Math.max(0, Math.min(modulus - 1, base + leap))

/** The largest doId of a group. */
export const largestId = (ids: Uint32Array): number => {
  let largest = 0
  for (let slot = 0; slot < ids.length; slot++) if (ids[slot]! > largest) largest = ids[slot]!
  return largest
}
