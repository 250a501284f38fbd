/**
 * What remote objects looked like lately, and what they look like at any time between: rows of numbers by server time.
 *
 * A history holds the objects that are received together, a slot each. A row is the state of all of them at one
 * server time, so a frame is `row + sum of weight x (other row - row)` over a few rows, and the same weights serve
 * every number of every object. Linear, cubic, transmitted velocities, extrapolation and the blending over of what came
 * late differ in the weights alone. At rest the differences are 0, so the sum is exact.
 */

/** Rows that a history keeps; a ring. Seconds of it: 32 / update rate, without the time that nothing changed. */
export const ROWS = 32

/** How one field is interpolated; may be changed at any time. */
export interface SmoothOptions {
  /** `hermite`: a cubic through the samples; `linear`: straight lines; `none`: the newest value at or before the time. */
  method: 'hermite' | 'linear' | 'none'
  /**
   * Seconds that it goes on when there is no newer sample, 0 for not at all: at full speed for a tenth of them, then ever
   * slower until it stands still. Default 0.7. At most 0.15 for an object that was moved elsewhere in the last 10 s: it may be
   * again.
   */
  extrapolate: number
  /** Seconds on top of the playout delay; below 0: fresher, at the price of extrapolation. */
  delay: number
}

/** A field of the rows: `size` numbers from word `at` on. */
export interface SmoothField {
  readonly at: number
  readonly size: number
  /** `quaternion`: x, y, z, w as in gl-matrix, normalised; `integer`: rounded; `number`: neither. */
  readonly kind: 'number' | 'integer' | 'quaternion'
  /** Of numbers that go round, such as 360 for degrees or 1 for a cycle; 0 for those that do not. */
  period: number
  /** The first word of the field that transmits its derivative, per second; -1 for none. */
  velocity: number
  options: SmoothOptions
}

/**
 * Weights of some rows; what is left of 1 is the weight of row `base`. A row `ROWS` or above stands for the velocities in
 * row - ROWS, and its weight is in seconds.
 */
interface Mix {
  base: number
  count: number
  readonly rows: Uint8Array
  readonly weights: Float64Array
}

/** The weights of one kind of options. */
interface Weights {
  options: SmoothOptions
  isDriven: boolean
  /** The same for those that were moved elsewhere lately, and may be again: they are foretold for less long. */
  wary: Weights | undefined
  /** Seconds of extrapolation, at most `options.extrapolate`. */
  most: number
  /** Server time of the curve; not an argument of {@link weigh}, which would be allocated. */
  time: number
  /** What is shown. */
  readonly shown: Mix
  /** By how much that differs from the curve: a difference that decays. Its weights sum up to 0, `base` has no part. */
  readonly blend: Mix
  /** Server time of the oldest row that is shown. */
  oldest: number
}

/** Half of the memory where all numbers are single precision: with many objects, a frame takes as long as reading it. */
type Numbers = Float32Array | Float64Array

export interface History {
  readonly fields: readonly SmoothField[]
  /** Numbers a row and slot. */
  readonly width: number
  /** Objects that there is room for. */
  slots: number
  /** `[ROWS x width x slots]`. */
  values: Numbers
  /** Server time of each row, and until when the state is known to have stayed so; seconds `[ROWS]`. */
  readonly times: Float64Array
  readonly untils: Float64Array
  /** Rows by time, oldest first `[count]`. */
  readonly order: Uint8Array
  count: number
  /** How often each slot had been moved elsewhere by then, modulo 256 `[ROWS x slots]`. */
  generations: Uint8Array
  /** Server time of a slot's oldest row: before it, it stands as it does there; Infinity: it is empty `[slots]`. */
  births: Float64Array
  /** Server time from which on a slot is where it was moved to last; -Infinity: it never was `[slots]`. */
  cuts: Float64Array
  /** Seconds by which a slot is shown later than the others `[slots]`. */
  delays: Float64Array
  /** Server time that was sampled last; NaN before. */
  time: number
  /** @internal Those of each field `[fields]`, and each of them once. */
  readonly fieldWeights: Weights[]
  weights: Weights[]
  /** @internal The latest cut and birth, and whether any slot has a delay: most histories have nothing of it. */
  latestCut: number
  latestBirth: number
  hasDelays: boolean
}

/** Share of the extrapolation that is done at full speed. */
const FULL_SPEED = 0.1
/**
 * What is being blended over decays at this rate, per second; slower where that would make up for more than so many seconds
 * in one, after a long gap, but not slower than the last.
 */
const BLEND_RATE = 35
const BLEND_SPEED = 3
const LEAST_BLEND_RATE = 6
/** Seconds that time may jump by and still be blended over. */
const LONGEST_BLEND = 1
/** Seconds that an object is taken for one that moves elsewhere now and then, and seconds that it is extrapolated. */
const WARY = 10
const WARY_EXTRAPOLATION = 0.15
/** Weights below count for nothing. */
const LEAST_WEIGHT = 1e-4

/** The options of a DC keyword. */
export const smoothOptions = (options: Partial<SmoothOptions> = {}): SmoothOptions => ({
  method: 'hermite',
  extrapolate: 0.7,
  delay: 0,
  ...options,
})

const widthOf = (fields: readonly SmoothField[]): number =>
  fields.reduce((width, field) => Math.max(width, field.at + field.size), 0)

/** `isSingle`: every number that will be written is a float32. */
export const createHistory = (fields: readonly SmoothField[], slots: number, isSingle = false): History => ({
  fields,
  width: widthOf(fields),
  times: new Float64Array(ROWS),
  untils: new Float64Array(ROWS),
  order: new Uint8Array(ROWS),
  count: 0,
  time: NaN,
  latestCut: -Infinity,
  latestBirth: -Infinity,
  hasDelays: false,
  fieldWeights: [],
  weights: [],
  ...createSlots(fields, slots, isSingle),
})

const createSlots = (fields: readonly SmoothField[], slots: number, isSingle: boolean) => ({
  slots,
  values: new (isSingle ? Float32Array : Float64Array)(ROWS * widthOf(fields) * slots),
  generations: new Uint8Array(ROWS * slots),
  births: new Float64Array(slots).fill(Infinity),
  cuts: new Float64Array(slots).fill(-Infinity),
  delays: new Float64Array(slots),
})

/** What {@link mixField} returns. One for all, so that it stays in the cache. */
let mixed = new Float64Array(4 * 64)

/** Makes room for more objects. */
export const growHistory = (h: History, slots: number): void => {
  const { values, generations, births, cuts, delays, slots: before } = h
  if (slots <= before) return
  Object.assign(h, createSlots(h.fields, slots, values instanceof Float32Array))
  for (let line = 0; line < ROWS * h.width; line++)
    h.values.set(values.subarray(line * before, (line + 1) * before), line * slots)
  for (let row = 0; row < ROWS; row++)
    h.generations.set(generations.subarray(row * before, (row + 1) * before), row * slots)
  h.births.set(births)
  h.cuts.set(cuts)
  h.delays.set(delays)
}

/**
 * Makes room for the state at server time `time`, which is known to hold until `until`; the state before it held until
 * `before`. Write the objects with {@link writeValue} and {@link sealSlot}, then call {@link commitRow}. Those that are
 * not written stay as they were.
 *
 * @returns its place among the rows, or -1 when it is there already or too old
 */
export const insertRow = (h: History, time: number, until: number, before = -Infinity): number => {
  const { order, times, untils } = h
  let at = h.count
  while (at > 0 && times[order[at - 1]!]! > time) at--
  const previous = order[at - 1]!
  if (at > 0 && times[previous] === time) {
    untils[previous] = Math.max(untils[previous]!, until)
    return -1
  }
  let row = h.count
  if (h.count === ROWS) {
    if (at === 0) return -1
    row = order[0]!
    order.copyWithin(0, 1, at)
    at--
  } else {
    order.copyWithin(at + 1, at, h.count)
    h.count++
  }
  order[at] = row
  times[row] = time
  const next = at + 1 < h.count ? times[order[at + 1]!]! : Infinity
  untils[row] = Math.max(time, Math.min(until, next))
  if (at > 0) untils[previous] = Math.min(time, Math.max(untils[previous]!, before))
  const like = at > 0 ? previous : h.count > 1 ? order[1]! : row
  const size = h.width * h.slots
  h.values.copyWithin(row * size, like * size, (like + 1) * size)
  h.generations.copyWithin(row * h.slots, like * h.slots, (like + 1) * h.slots)
  for (const each of h.weights) {
    forget(each.shown, row)
    forget(each.blend, row)
  }
  return at
}

/** Writes one number of a row that was just inserted. */
export const writeValue = (h: History, at: number, slot: number, word: number, value: number): void => {
  h.values[(h.order[at]! * h.width + word) * h.slots + slot] = value
}

/** Ends an insertion: what is shown goes over to the curve through the new row. */
export const commitRow = (h: History, at: number): void => {
  for (const field of h.fields) {
    if (field.kind === 'quaternion') alignQuaternions(h, field.at, at)
    else if (field.period > 0)
      for (let word = 0; word < field.size; word++) alignTurns(h, field.at + word, field.period, at)
  }
  for (const each of h.weights) blendOver(h, each)
}

/** The newest state is known to hold until `until`. */
export const holdHistory = (h: History, until: number): void => {
  const newest = h.order[h.count - 1]!
  if (h.count > 0 && h.untils[newest]! < until) {
    h.untils[newest] = until
    if (h.time > h.times[newest]!) for (const each of h.weights) blendOver(h, each)
  }
}

/** Empties a slot: what is written next is another object, or one that starts anew. */
export const resetSlot = (h: History, slot: number): void => {
  h.births[slot] = Infinity
  h.cuts[slot] = -Infinity
}

/**
 * Ends the writing of an object's numbers. `generation`: how often it has been moved elsewhere by then, modulo 256:
 * between rows that differ in it, nothing is shown of the way from one to the other.
 */
export const sealSlot = (h: History, at: number, slot: number, generation = 0): void => {
  const { slots, generations, order, times, births } = h
  const row = order[at]!
  generations[row * slots + slot] = generation
  if (times[row]! < births[slot]!) {
    // Nothing is known of the time before: it stood there. Rows to come are copies of these.
    if (births[slot] === Infinity) for (let other = 0; other < ROWS; other++) copySlot(h, row, other, slot)
    else for (let older = 0; older < at; older++) copySlot(h, row, order[older]!, slot)
    births[slot] = times[row]!
    h.latestBirth = Math.max(h.latestBirth, times[row]!)
  }
  for (let newer = Math.max(1, at); newer <= at + 1 && newer < h.count; newer++)
    if (generations[order[newer]! * slots + slot] !== generations[order[newer - 1]! * slots + slot]) {
      h.cuts[slot] = Math.max(h.cuts[slot]!, times[order[newer]!]!)
      h.latestCut = Math.max(h.latestCut, h.cuts[slot]!)
    }
}

/** Shows one slot so many seconds later than the others. */
export const delaySlot = (h: History, slot: number, delay: number): void => {
  h.delays[slot] = delay
  h.hasDelays = h.delays.some(each => each !== 0)
}

const copySlot = (h: History, from: number, to: number, slot: number): void => {
  const { slots, width, values, generations } = h
  if (from === to) return
  generations[to * slots + slot] = generations[from * slots + slot]!
  for (let word = 0; word < width; word++)
    values[(to * width + word) * slots + slot] = values[(from * width + word) * slots + slot]!
}

/**
 * An object is about to come from one history into another, at server time `time`: where that one stood still, it gets the
 * rows of this one, or the object would stand still there as well.
 */
export const spreadRows = (from: History, to: History, time: number): void => {
  let isSpread = false
  for (let index = 0; index < from.count; index++) {
    const at = from.times[from.order[index]!]!
    if (at >= time) break
    let before = to.count - 1
    while (before >= 0 && to.times[to.order[before]!]! > at) before--
    if (before >= 0 && to.untils[to.order[before]!]! < at) continue
    const until = before < 0 ? at : to.untils[to.order[before]!]!
    const inserted = insertRow(to, at, until)
    if (inserted >= 0) isSpread = true
    // No longer held in between: it moves there.
    if (inserted > 0) to.untils[to.order[inserted - 1]!] = to.times[to.order[inserted - 1]!]!
  }
  if (!isSpread) return
  const newest = to.order[to.count - 1]!
  to.untils[newest] = to.times[newest]!
  if (Number.isNaN(to.time)) return
  // The rows are alike, so nothing of what is shown changes: what was the weight of one is now that of others.
  for (const each of to.weights) {
    each.time = to.time - each.options.delay
    weigh(to, each, 0, to.count - 1)
    gather(to, each)
  }
}

/** Gives a slot the past of one of another history: as that has it at the times of the rows before row `at`. */
export const carrySlot = (from: History, fromSlot: number, to: History, slot: number, at: number): void => {
  if (from.count === 0) return
  const fromSize = from.width * from.slots
  for (let index = 0; index < at; index++) {
    const row = to.order[index]!
    past.time = to.times[row]!
    weigh(from, past, 0, from.count - 1)
    const { base, count, rows, weights } = curve
    to.generations[row * to.slots + slot] = from.generations[base * from.slots + fromSlot]!
    for (let word = 0; word < to.width; word++) {
      const column = word * from.slots + fromSlot
      const value = from.values[base * fromSize + column]!
      let sum = value
      for (let other = 0; other < count; other++)
        sum += weights[other]! * (from.values[rows[other]! * fromSize + column]! - value)
      to.values[(row * to.width + word) * to.slots + slot] = sum
    }
  }
  to.births[slot] = Math.min(to.births[slot]!, from.births[fromSlot]!)
  to.cuts[slot] = from.cuts[fromSlot]!
  to.latestCut = Math.max(to.latestCut, to.cuts[slot]!)
}

/** The newer row keeps its sign, so that what it says is shown bit for bit. */
const alignQuaternions = (h: History, word: number, at: number): void => {
  const { values, order, slots, width } = h
  const size = width * slots
  for (let slot = 0; slot < slots; slot++)
    for (let older = Math.min(at, h.count - 2); older >= 0; older--) {
      const a = order[older]! * size + word * slots + slot
      const b = order[older + 1]! * size + word * slots + slot
      let dot = 0
      for (let part = 0; part < 4 * slots; part += slots) dot += values[a + part]! * values[b + part]!
      if (dot >= 0) {
        if (older < at) break
        continue
      }
      for (let part = 0; part < 4 * slots; part += slots) values[a + part] = -values[a + part]!
    }
}

/** The same for what goes round: older rows are moved by whole turns to where the way to the newer one is shortest. */
const alignTurns = (h: History, word: number, period: number, at: number): void => {
  const { values, order, slots, width } = h
  const size = width * slots
  for (let slot = 0; slot < slots; slot++)
    for (let older = Math.min(at, h.count - 2); older >= 0; older--) {
      const a = order[older]! * size + word * slots + slot
      const turns = Math.round((values[order[older + 1]! * size + word * slots + slot]! - values[a]!) / period)
      if (turns === 0) {
        if (older < at) break
        continue
      }
      values[a]! += turns * period
    }
}

/** Takes a row out of a mix; its share goes to the base. */
const forget = (mix: Mix, row: number): void => {
  for (let index = 0; index < mix.count; index++) if (mix.rows[index]! % ROWS === row) mix.weights[index] = 0
}

const dropVelocities = (mix: Mix): void => {
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
const blendOver = (h: History, each: Weights): void => {
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
const blendRate = (h: History, { count, rows, weights }: Mix): number => {
  let seconds = 0
  for (let index = 0; index < count; index++)
    if (rows[index]! < ROWS) seconds += weights[index]! * (h.times[rows[index]!]! - h.time)
  return Math.min(BLEND_RATE, Math.max(LEAST_BLEND_RATE, BLEND_SPEED / Math.abs(seconds)))
}

/** How far an object gets `ahead` seconds after its newest sample, as seconds at full speed. */
const reach = (ahead: number, halt: number): number => {
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
const curve = createMix()

/** The curve through rows `first` to `last` (by time) at `to.time`, into `curve`. */
const weigh = (h: History, to: Weights, first: number, last: number): void => {
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

const createWeights = (options: SmoothOptions, isDriven: boolean, most = Infinity): Weights => ({
  options,
  isDriven,
  wary: undefined,
  most,
  time: NaN,
  shown: createMix(),
  blend: createMix(),
  oldest: NaN,
})

const copyMix = (from: Mix, to: Mix): void => {
  to.base = from.base
  to.count = 0
  for (let index = 0; index < from.count; index++) put(to, from.rows[index]!, from.weights[index]!)
}

const weightsFor = (h: History, index: number): Weights => {
  const { options, velocity } = h.fields[index]!
  const former = h.fieldWeights[index]
  if (former !== undefined && former.options === options && former.isDriven === velocity >= 0) return former
  return changeWeights(h, index, former)
}

const changeWeights = (h: History, index: number, former: Weights | undefined): Weights => {
  const { options, velocity } = h.fields[index]!
  const isDriven = velocity >= 0
  let found = h.weights.find(each => each.options === options && each.isDriven === isDriven)
  if (!found) {
    found = createWeights(options, isDriven)
    // What is shown now goes over to another way to show it.
    if (former) {
      copyMix(former.shown, found.shown)
      if (!isDriven) dropVelocities(found.shown)
      blendOver(h, found)
    }
  }
  h.fieldWeights[index] = found
  collectWeights(h)
  return found
}

const collectWeights = (h: History): void => {
  h.weights = [...new Set(h.fieldWeights.flatMap(each => (each.wary ? [each, each.wary] : each)))]
}

/** Beside each weights, those for who was moved elsewhere; while nobody was, without. */
const keepWary = (h: History, isNeeded: boolean): void => {
  let isChanged = false
  for (const each of h.fieldWeights) {
    if (isNeeded === (each.wary !== undefined)) continue
    isChanged = true
    each.wary = isNeeded ? createWeights(each.options, each.isDriven, WARY_EXTRAPOLATION) : undefined
    if (each.wary) copyMix(each.shown, each.wary.shown)
    if (each.wary) copyMix(each.blend, each.wary.blend)
  }
  if (isChanged) collectWeights(h)
}

/** The rows that are shown: those of the curve, and of what is being blended over. */
const gather = (h: History, each: Weights): void => {
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

/**
 * Moves to server time `time`, `elapsed` seconds after the last one. `isJump`: time was moved by more than it passed, so
 * what was shown is blended over. Does not allocate.
 */
export const advanceHistory = (h: History, time: number, elapsed: number, isJump = false): void => {
  setMoment(time, elapsed)
  advanceToMoment(h, isJump)
}

/** Time and seconds since the last one. */
const moment = new Float64Array(2)

/** What {@link advanceToMoment} advances to: numbers that a function is given may be allocated, for each history anew. */
export const setMoment = (time: number, elapsed: number): void => {
  moment[0] = time
  moment[1] = elapsed
}

/** {@link advanceHistory} for many histories. */
export const advanceToMoment = (h: History, isJump: boolean): void => {
  if (h.count === 0) return
  const time = moment[0]!
  // While time stands still, so does what is shown; who was away for seconds sees the present, not how it came about.
  const isAway = isJump && time - h.time > LONGEST_BLEND
  const elapsed = isAway ? Infinity : time === h.time ? 0 : moment[1]!
  for (let index = 0; index < h.fields.length; index++) weightsFor(h, index)
  const isFirst = Number.isNaN(h.time)
  h.time = time
  keepWary(h, h.latestCut > time - WARY)
  for (const each of h.weights) {
    const { blend } = each
    if (isJump && !isFirst && !isAway) blendOver(h, each)
    else {
      each.time = time - each.options.delay
      weigh(h, each, 0, h.count - 1)
      const decay = blend.count === 0 ? 0 : Math.exp(-blendRate(h, blend) * elapsed)
      let kept = 0
      for (let index = 0; index < blend.count; index++) {
        const weight = blend.weights[index]! * decay
        if (Math.abs(weight) < LEAST_WEIGHT) continue
        blend.rows[kept] = blend.rows[index]!
        blend.weights[kept++] = weight
      }
      blend.count = kept
    }
    gather(h, each)
  }
}

/**
 * The numbers of field `field` at the time last advanced to, `[size x slots]`; what is after them in the array means
 * nothing, and the next call overwrites it.
 */
export const mixField = (h: History, field: SmoothField): Float64Array => {
  const { slots, cuts, births, delays } = h
  if (mixed.length < field.size * slots) mixed = new Float64Array(field.size * slots)
  const { shown, oldest, isDriven, wary } = weightsFor(h, h.fields.indexOf(field))
  mix(h, field, shown, 0, slots)
  if (wary || h.hasDelays || h.latestCut > oldest || (isDriven && h.latestBirth > oldest))
    for (let slot = 0; slot < slots; slot++)
      // Before it was there, it stood still, whatever its first velocity.
      if (
        delays[slot] !== 0 ||
        cuts[slot]! > oldest ||
        (isDriven && births[slot]! > oldest && births[slot] !== Infinity)
      )
        mixApart(h, field, slot, h.time - field.options.delay)
      else if (wary && cuts[slot]! > h.time - WARY) mix(h, field, wary.shown, slot, slot + 1)
  return mixed
}

/** Seconds over which a slope is taken, each side. */
const SLOPE = 1e-3

/** How fast a field of a slot changes at the time last advanced to, per second, into `out` from `to` on. */
export const slopeField = (
  h: History,
  field: SmoothField,
  slot: number,
  out: Float64Array | number[],
  to = 0,
): void => {
  const { slots, width, values } = h
  const time = h.time - field.options.delay - h.delays[slot]!
  apart.options = field.options
  apart.isDriven = field.velocity >= 0
  for (let part = 0; part < field.size; part++) out[to + part] = 0
  for (let side = -1; side <= 1; side += 2) {
    const { base, count, rows, weights } = curveOf(h, slot, time + side * SLOPE)
    for (let part = 0; part < field.size; part++) {
      const at = (row: number, word: number) => values[(row * width + word + part) * slots + slot]!
      // Of both sides from one row: far from the origin, the difference would be lost otherwise.
      let sum = side > 0 ? at(base, field.at) - at(sideBase, field.at) : 0
      for (let index = 0; index < count; index++) {
        const row = rows[index]!
        sum += weights[index]! * (row < ROWS ? at(row, field.at) - at(base, field.at) : at(row - ROWS, field.velocity))
      }
      out[to + part]! += (side * sum) / (2 * SLOPE)
    }
    sideBase = base
  }
}

let sideBase = 0

/** Forgets the past of a slot: it stands as in its newest row. */
export const resetHistorySlot = (h: History, slot: number): void => {
  if (h.count === 0) return
  const newest = h.order[h.count - 1]!
  for (let row = 0; row < ROWS; row++) copySlot(h, newest, row, slot)
  h.births[slot] = h.times[newest]!
  h.latestBirth = h.times[newest]!
  h.cuts[slot] = -Infinity
}

const apart = createWeights(smoothOptions(), false)
/** Between samples as the curve has it, after the last as that. */
const past = createWeights(smoothOptions({ extrapolate: 0 }), false)

/** One slot by itself: with its own delay, and only of rows of one generation. */
const mixApart = (h: History, field: SmoothField, slot: number, time: number): void => {
  apart.options = field.options
  apart.isDriven = field.velocity >= 0
  mix(h, field, curveOf(h, slot, time - h.delays[slot]!), slot, slot + 1)
}

/** The curve of one slot at `time`, by the options of `apart`. */
const curveOf = (h: History, slot: number, time: number): Mix => {
  const { order, times, generations, slots } = h
  let first = h.count - 1
  while (first > 0 && times[order[first]!]! > time) first--
  let last = first
  const generationAt = (index: number) => generations[order[index]! * slots + slot]
  // It was moved somewhere between these two, none knows when.
  if (last + 1 < h.count && generationAt(last + 1) !== generationAt(last)) {
    const middle = (h.untils[order[last]!]! + times[order[last + 1]!]!) / 2
    if (time > middle) first = last = last + 1
  }
  const generation = generationAt(first)
  const isMoved = last + 1 < h.count && generationAt(last + 1) !== generation
  while (first > 0 && generationAt(first - 1) === generation) first--
  while (last + 1 < h.count && generationAt(last + 1) === generation) last++
  while (first < last && times[order[first]!]! < h.births[slot]!) first++
  apart.most = h.cuts[slot]! > h.time - WARY ? WARY_EXTRAPOLATION : Infinity
  apart.time = isMoved ? Math.min(time, times[order[last]!]!) : time
  weigh(h, apart, first, last)
  return curve
}

const mix = (h: History, field: SmoothField, each: Mix, from: number, to: number): void => {
  const { slots } = h
  const { base, count, rows, weights } = each
  // Weights beyond `count` are 0, of whatever row.
  for (let index = count; index < 3; index++) {
    rows[index] = base
    weights[index] = 0
  }
  // All slots: the numbers of the field lie side by side.
  if (from === 0 && to === slots) mixRun(h, field, each, 0, 0, slots * field.size)
  else for (let part = 0; part < field.size; part++) mixRun(h, field, each, part * slots, from, to)
  if (field.kind === 'quaternion') normalise(h, field, base, from, to)
  else if (field.period > 0) wrap(h, field, from, to)
  if (field.kind === 'integer')
    for (let part = 0; part < field.size; part++)
      for (let slot = from; slot < to; slot++) mixed[part * slots + slot] = Math.round(mixed[part * slots + slot]!)
}

/** Mixes the numbers `out + from` to `out + to` of a field. */
const mixRun = (
  { values, slots, width }: History,
  field: SmoothField,
  { base, count, rows, weights }: Mix,
  out: number,
  from: number,
  to: number,
): void => {
  const size = width * slots
  const word = field.at * slots + out
  const velocity = field.velocity * slots + out
  const q = base * size + word
  let index = 0
  if (count === 0 || field.velocity >= 0) for (let slot = from; slot < to; slot++) mixed[out + slot] = values[q + slot]!
  else {
    // In one go, which is most of the work that there is.
    const a = rows[0]! * size + word
    const b = rows[1]! * size + word
    const c = rows[2]! * size + word
    mixThree(values, q, a, b, c, weights[0]!, weights[1]!, weights[2]!, mixed, out, from, to)
    index = 3
  }
  for (; index < count; index++) {
    const row = rows[index]!
    if (row < ROWS) addDifference(values, q, row * size + word, weights[index]!, mixed, out, from, to)
    else addVelocity(values, (row - ROWS) * size + velocity, weights[index]!, mixed, out, from, to)
  }
}

const mixThree = (
  values: Numbers,
  q: number,
  a: number,
  b: number,
  c: number,
  wa: number,
  wb: number,
  wc: number,
  result: Float64Array,
  out: number,
  from: number,
  to: number,
): void => {
  for (let slot = from; slot < to; slot++) {
    const value = values[q + slot]!
    result[out + slot] =
      value + wa * (values[a + slot]! - value) + wb * (values[b + slot]! - value) + wc * (values[c + slot]! - value)
  }
}

const addDifference = (
  values: Numbers,
  q: number,
  a: number,
  weight: number,
  result: Float64Array,
  out: number,
  from: number,
  to: number,
): void => {
  for (let slot = from; slot < to; slot++) result[out + slot]! += weight * (values[a + slot]! - values[q + slot]!)
}

const addVelocity = (
  values: Numbers,
  a: number,
  weight: number,
  result: Float64Array,
  out: number,
  from: number,
  to: number,
): void => {
  for (let slot = from; slot < to; slot++) result[out + slot]! += weight * values[a + slot]!
}

/** Half of the angle, squared, from which a turn is not small. */
const LARGE_TURN = 0.01

/**
 * Quaternions of length 1. Only what differs from the row itself: that one is shown bit for bit. What is far from it was
 * extrapolated: there, the length of the step is the angle, where the direction of the sum would never reach 90 degrees.
 */
const normalise = (h: History, field: SmoothField, base: number, from: number, to: number): void => {
  const { slots, values, width } = h
  const q = (base * width + field.at) * slots
  for (let slot = from; slot < to; slot++) {
    const x = mixed[slot]!
    const y = mixed[slots + slot]!
    const z = mixed[2 * slots + slot]!
    const w = mixed[3 * slots + slot]!
    const qx = values[q + slot]!
    const qy = values[q + slots + slot]!
    const qz = values[q + 2 * slots + slot]!
    const qw = values[q + 3 * slots + slot]!
    const square = x * x + y * y + z * z + w * w
    if ((x === qx && y === qy && z === qz && w === qw) || !(square > 0)) continue
    const along = x * qx + y * qy + z * qz + w * qw
    const across = square - along * along
    let scale = 1 / Math.sqrt(square)
    let rest = 0
    if (across > LARGE_TURN) {
      const step = Math.sqrt(across)
      const half = Math.max(step, Math.atan2(step, along))
      scale = Math.sin(half) / step
      rest = Math.cos(half) - along * scale
    }
    mixed[slot] = x * scale + qx * rest
    mixed[slots + slot] = y * scale + qy * rest
    mixed[2 * slots + slot] = z * scale + qz * rest
    mixed[3 * slots + slot] = w * scale + qw * rest
  }
}

const wrap = (h: History, field: SmoothField, from: number, to: number): void => {
  const { slots } = h
  const { period } = field
  for (let part = 0; part < field.size; part++)
    for (let slot = part * slots + from; slot < part * slots + to; slot++) {
      const value = mixed[slot]!
      if (value >= 0 && value < period) continue
      const wrapped = value - period * Math.floor(value / period)
      mixed[slot] = wrapped >= 0 && wrapped < period ? wrapped : 0
    }
}
