import { type History, type Mix, ROWS, type SmoothOptions, type Weights } from './model.ts'

/** Share of the extrapolation that is done at full speed. */
const FULL_SPEED = 0.1

/**
 * What is being blended over decays at this rate, per second; slower where that would make up for more than so many seconds
 * in one, after a long gap, but not slower than the last.
 */
const BLEND_RATE = 35

const BLEND_SPEED = 3

const LEAST_BLEND_RATE = 6
/** Weights below count for nothing. */
export const LEAST_WEIGHT = 1e-4

/** Takes a row out of a mix; its share goes to the base. */
export const forget = (mix: Mix, row: number): void => {
  for (let index = 0; index < mix.count; index++) if (mix.rows[index]! % ROWS === row) mix.weights[index] = 0
}

export const dropVelocities = (mix: Mix): void => {
  const { count, rows, weights } = mix
  mix.count = 0
  for (let index = 0; index < count; index++) if (rows[index]! < ROWS) put(mix, rows[index]!, weights[index]!)
}

const put = (mix: Mix, row: number, weight: number): void => {
  mix.rows[mix.count] = row
  mix.weights[mix.count++] = weight
}

const sums = new Float64Array(2 * ROWS)

/** Adds a mix to `sums`, its base included. */
const addUp = ({ base, count, rows, weights }: Mix, sign: number): void => {
  let rest = sign
  for (let index = 0; index < count; index++) {
    const row = rows[index]!
    const weight = sign * weights[index]!
    sums[row]! += weight
    if (row < ROWS) rest -= weight
  }
  sums[base]! += rest
}

/** Moves the sums of the rows of one mix to another, where they count. */
const collect = (from: Mix, to: Mix): void => {
  for (let index = -1; index < from.count; index++) {
    const row = index < 0 ? from.base : from.rows[index]!
    const weight = sums[row]!
    sums[row] = 0
    if (Math.abs(weight) > LEAST_WEIGHT) put(to, row, weight)
  }
}

/** What is shown stays, and differs from the curve as it is now by so much. */
export const blendOver = (h: History, each: Weights): void => {
  if (Number.isNaN(h.time)) return
  each.time = h.time - each.options.delay
  weigh(h, each, 0, h.count - 1)
  addUp(each.shown, 1)
  addUp(curve, -1)
  each.blend.count = 0
  collect(each.shown, each.blend)
  collect(curve, each.blend)
}

/** How fast a blend decays, by how many seconds it is behind or ahead. */
export const blendRate = (h: History, { count, rows, weights }: Mix): number => {
  let seconds = 0
  for (let index = 0; index < count; index++)
    if (rows[index]! < ROWS) seconds += weights[index]! * (h.times[rows[index]!]! - h.time)
  return Math.min(BLEND_RATE, Math.max(LEAST_BLEND_RATE, BLEND_SPEED / Math.abs(seconds)))
}

/** How far an object gets `ahead` seconds after its newest sample, as seconds at full speed. */
export const reach = (ahead: number, halt: number): number => {
  const full = FULL_SPEED * halt
  if (ahead <= full) return ahead
  const slowing = Math.min(ahead, halt) - full
  return full + slowing - (slowing * slowing) / (2 * (halt - full))
}

const createMix = (): Mix => ({
  base: 0,
  count: 0,
  rows: new Uint8Array(2 * ROWS),
  weights: new Float64Array(2 * ROWS),
})

/** What {@link weigh} finds. One for all, so that it stays in the cache. */
export const curve = createMix()

/** The curve through rows `first` to `last` (by time) at `to.time`, into `curve`. */
export const weigh = (h: History, to: Weights, first: number, last: number): void => {
  const { order, times, untils } = h
  const { time } = to
  const { method } = to.options
  const extrapolate = Math.min(to.most, to.options.extrapolate)
  let at = last
  while (at > first && times[order[at]!]! > time) at--
  const row = order[at]!
  const start = untils[row]!
  const isHeld = start > times[row]!
  curve.base = row
  curve.count = 0
  if (time <= start || method === 'none') return
  const previous = at > first ? order[at - 1]! : 0
  // 0 as well when the state before is known to have held until this very moment: it came in a jump.
  const before = at > first ? times[row]! - untils[previous]! : 0
  if (at === last) {
    if (isHeld || !(extrapolate > 0)) return
    const ahead = reach(time - start, extrapolate)
    if (to.isDriven) put(curve, ROWS + row, ahead)
    else if (before > 0) {
      // As fast as the curve ends: a parabola through the last three, unless the first of them is a rest.
      const canCurve = method === 'hermite' && at - 1 > first && untils[previous] === times[previous]
      const second = canCurve ? order[at - 2]! : 0
      const earlier = times[previous]! - untils[second]!
      const isCurved = canCurve && earlier > 0
      const share = isCurved ? before / (before + earlier) : 0
      const back = isCurved ? (ahead * share) / earlier : 0
      put(curve, previous, -(ahead * (1 + share)) / before - back)
      if (isCurved) put(curve, second, back)
    }
    return
  }
  const next = order[at + 1]!
  const length = times[next]! - start
  const u = (time - start) / length
  if (method === 'linear') {
    put(curve, next, u)
    return
  }
  const rise = u * u * (3 - 2 * u)
  const leaving = u * (1 - u) * (1 - u) * length
  const arriving = u * u * (u - 1) * length
  if (to.isDriven) {
    put(curve, next, rise)
    if (!isHeld) put(curve, ROWS + row, leaving)
    if (untils[next] === times[next]) put(curve, ROWS + next, arriving)
    return
  }
  // The slopes at both ends as shares of those of the chords before, in and after: parabolas through three samples.
  // At the edge of a rest they are 0, so that it is exact.
  const hasBefore = !isHeld && before > 0
  const isHeldNext = untils[next]! > times[next]!
  const hasAfter = !isHeldNext && at + 1 < last
  const after = hasAfter ? order[at + 2]! : 0
  const beyond = hasAfter ? times[after]! - times[next]! : 1
  let leaving0 = 0
  let leaving1 = 0
  let leaving2 = 0
  let arriving0 = 0
  let arriving1 = 0
  let arriving2 = 0
  if (hasBefore) {
    leaving0 = length / (before + length)
    leaving1 = 1 - leaving0
  }
  if (hasAfter) {
    arriving2 = length / (length + beyond)
    arriving1 = 1 - arriving2
  }
  // With nothing on one side, the parabola is that of the other one.
  if (!hasAfter && !isHeldNext) {
    arriving0 = -leaving0
    arriving1 = isHeld || hasBefore ? 2 - leaving1 : 1
  }
  if (!hasBefore && !isHeld) {
    leaving1 = hasAfter ? 2 - arriving1 : 1
    leaving2 = -arriving2
  }
  const chord1 = (leaving * leaving1 + arriving * arriving1) / length
  const chord2 = (leaving * leaving2 + arriving * arriving2) / beyond
  put(curve, next, rise + chord1 - chord2)
  if (hasBefore) put(curve, previous, -(leaving * leaving0 + arriving * arriving0) / before)
  if (hasAfter) put(curve, after, chord2)
}

export const createWeights = (options: SmoothOptions, isDriven: boolean, most = Infinity): Weights => ({
  options,
  isDriven,
  wary: undefined,
  most,
  time: NaN,
  shown: createMix(),
  blend: createMix(),
  oldest: NaN,
})

export const copyMix = (from: Mix, to: Mix): void => {
  to.base = from.base
  to.count = 0
  for (let index = 0; index < from.count; index++) put(to, from.rows[index]!, from.weights[index]!)
}

/** The rows that are shown: those of the curve, and of what is being blended over. */
export const gather = (h: History, each: Weights): void => {
  const { shown, blend } = each
  if (blend.count === 0) copyMix(curve, shown)
  else {
    shown.count = 0
    shown.base = curve.base
    for (let index = 0; index < curve.count; index++) sums[curve.rows[index]!]! += curve.weights[index]!
    for (let index = 0; index < blend.count; index++) sums[blend.rows[index]!]! += blend.weights[index]!
    sums[curve.base] = 0
    collect(curve, shown)
    collect(blend, shown)
  }
  each.oldest = h.times[shown.base]!
  for (let index = 0; index < shown.count; index++)
    each.oldest = Math.min(each.oldest, h.times[shown.rows[index]! % ROWS]!)
}
