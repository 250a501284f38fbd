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
   * Seconds that it goes on when there is no newer sample, 0 for not at all: at full speed for two fifths of them, then
   * ever slower until it stands still.
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

/** The weights of one kind of options. Value weights `[0..ROWS)` and velocity weights, in seconds, `[ROWS..2 ROWS)`. */
interface Weights {
  options: SmoothOptions
  isDriven: boolean
  /** Of the curve at `History.time`. */
  readonly curve: Float64Array
  /** What was shown, and how that differs from the curve: a difference that decays. */
  readonly shown: Float64Array
  readonly blend: Float64Array
  isBlending: boolean
  base: number
  /** The rows that count, without `base`, and their weights. */
  count: number
  readonly rows: Int32Array
  readonly weights: Float64Array
  /** Server time of the oldest of them. */
  oldest: number
}

export interface History {
  readonly fields: readonly SmoothField[]
  /** Numbers a row and slot. */
  readonly width: number
  readonly slots: number
  /** `[ROWS x width x slots]`. */
  readonly values: Float64Array
  /** Server time of each row, and until when the state is known to have stayed so; seconds `[ROWS]`. */
  readonly times: Float64Array
  readonly untils: Float64Array
  /** Rows by time, oldest first `[count]`. */
  readonly order: Uint8Array
  count: number
  /** How often each slot had been moved elsewhere by then, modulo 256 `[ROWS x slots]`. */
  readonly generations: Uint8Array
  /** Server time from which on a slot is as it was moved to last; -Infinity: it never was `[slots]`. */
  readonly cuts: Float64Array
  /** Seconds by which a slot is shown later than the others `[slots]`. */
  readonly delays: Float64Array
  /** Server time that was sampled last; NaN before. */
  time: number
  /** @internal One for each distinct kind of options. */
  readonly weights: Weights[]
  /** @internal The rows beside the numbers of one field `[4 x slots]`. */
  readonly mixed: Float64Array
}

/** Share of the extrapolation that is done at full speed. */
const FULL_SPEED = 0.4
/** The blending over of what came late loses this share per second (as an exponent). */
const BLEND_RATE = 35
/** Weights below count for nothing. */
const LEAST_WEIGHT = 1e-4

/** The options of a DC keyword. */
export const smoothOptions = (options: Partial<SmoothOptions> = {}): SmoothOptions => ({
  method: 'hermite',
  extrapolate: 0.5,
  delay: 0,
  ...options,
})

export const createHistory = (fields: readonly SmoothField[], slots: number): History => {
  const width = fields.reduce((sum, field) => Math.max(sum, field.at + field.size), 0)
  return {
    fields,
    width,
    slots,
    values: new Float64Array(ROWS * width * slots),
    times: new Float64Array(ROWS),
    untils: new Float64Array(ROWS),
    order: new Uint8Array(ROWS),
    count: 0,
    generations: new Uint8Array(ROWS * slots),
    cuts: new Float64Array(slots).fill(-Infinity),
    delays: new Float64Array(slots),
    time: NaN,
    weights: [],
    mixed: new Float64Array(4 * slots),
  }
}

/**
 * Makes room for the state at server time `time`, which is known to hold until `until`; the state before it held until
 * `before`. Write it with {@link writeValue}, then call {@link commitRow}. What is not written stays as it was.
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
    each.shown[row] = each.shown[ROWS + row] = 0
    each.blend[row] = each.blend[ROWS + row] = 0
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

/** A new object in a slot, or one that starts anew: it stands where row `at` has it, before and after. */
export const resetSlot = (h: History, at: number, slot: number): void => {
  const { values, slots, width, generations } = h
  const from = h.order[at]! * width * slots + slot
  for (let row = 0; row < ROWS; row++) {
    generations[row * slots + slot] = generations[h.order[at]! * slots + slot]!
    const to = row * width * slots + slot
    for (let word = 0; word < width; word++) values[to + word * slots] = values[from + word * slots]!
  }
  h.cuts[slot] = -Infinity
}

/**
 * Writes how often the object has been moved elsewhere by then, modulo 256: between rows that differ in it, nothing is
 * shown of the way from one to the other.
 */
export const writeGeneration = (h: History, at: number, slot: number, generation: number): void => {
  const { slots, generations, order, times } = h
  const index = order[at]! * slots + slot
  generations[index] = generation
  for (let newer = Math.max(1, at); newer <= at + 1 && newer < h.count; newer++)
    if (generations[order[newer]! * slots + slot] !== generations[order[newer - 1]! * slots + slot])
      h.cuts[slot] = Math.max(h.cuts[slot]!, times[order[newer]!]!)
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

/** What is shown now differs from the curve by so much. */
const blendOver = (h: History, each: Weights): void => {
  if (Number.isNaN(h.time)) return
  each.base = weigh(h, each, h.time - each.options.delay, 0, h.count - 1)
  each.isBlending = false
  for (let index = 0; index < 2 * ROWS; index++) {
    const difference = each.shown[index]! - each.curve[index]!
    each.blend[index] = difference
    if (Math.abs(difference) > LEAST_WEIGHT) each.isBlending = true
  }
}

/** How far an object gets `ahead` seconds after its newest sample, as seconds at full speed. */
const reach = (ahead: number, halt: number): number => {
  const full = FULL_SPEED * halt
  if (ahead <= full) return ahead
  const slowing = Math.min(ahead, halt) - full
  return full + slowing - (slowing * slowing) / (2 * (halt - full))
}

/**
 * The weights of the curve through rows `first` to `last` (by time) at server time `time`, into `curve`; they sum up
 * to 1. Returns the row that the others' differences are taken from.
 */
const weigh = (h: History, to: Weights, time: number, first: number, last: number): number => {
  const { order, times, untils } = h
  const { curve } = to
  const { method, extrapolate } = to.options
  curve.fill(0)
  let at = last
  while (at > first && times[order[at]!]! > time) at--
  const row = order[at]!
  const start = untils[row]!
  const isHeld = start > times[row]!
  curve[row] = 1
  if (time <= start || method === 'none') return row
  const previous = order[at - 1]!
  const before = at > first ? start - untils[previous]! : 0
  if (at === last) {
    if (isHeld || !(extrapolate > 0)) return row
    const ahead = reach(time - start, extrapolate)
    if (to.isDriven) curve[ROWS + row] = ahead
    else if (at > first) {
      // As fast as the curve ends: a parabola through the last three, unless the first of them is a rest.
      const second = order[at - 2]!
      const isCurved = method === 'hermite' && at - 1 > first && untils[previous] === times[previous]
      const earlier = isCurved ? untils[previous]! - untils[second]! : 0
      const share = isCurved ? before / (before + earlier) : 0
      const slope = (ahead * (1 + share)) / before
      curve[row]! += slope
      curve[previous]! -= slope
      if (isCurved) {
        const back = (ahead * share) / earlier
        curve[previous]! -= back
        curve[second]! += back
      }
    }
    return row
  }
  const next = order[at + 1]!
  const length = times[next]! - start
  const u = (time - start) / length
  if (method === 'linear') {
    curve[row] = 1 - u
    curve[next] = u
    return row
  }
  const rise = u * u * (3 - 2 * u)
  const leaving = u * (1 - u) * (1 - u) * length
  const arriving = u * u * (u - 1) * length
  curve[row] = 1 - rise
  curve[next] = rise
  if (to.isDriven) {
    curve[ROWS + row] = leaving
    curve[ROWS + next] = arriving
    return row
  }
  // The slopes at both ends as shares of those of the chords before, in and after: parabolas through three samples.
  const after = order[at + 2]!
  const isLast = at + 1 === last
  const isHeldNext = untils[next]! > times[next]!
  const beyond = isLast ? 0 : times[after]! - times[next]!
  let leaving0 = 0
  let leaving1 = 0
  let arriving0 = 0
  let arriving1 = 0
  let arriving2 = 0
  if (!isHeld && at > first) {
    leaving0 = length / (before + length)
    leaving1 = 1 - leaving0
  }
  if (!isHeldNext && !isLast) {
    arriving2 = length / (length + beyond)
    arriving1 = 1 - arriving2
  }
  // With nothing on one side, the parabola is that of the other one.
  if (!isHeldNext && isLast) {
    arriving0 = -leaving0
    arriving1 = isHeld || at > first ? 2 - leaving1 : 1
  }
  let leaving2 = 0
  if (!isHeld && at === first) {
    leaving1 = isLast ? 1 : 2 - arriving1
    leaving2 = -arriving2
  }
  const chord0 = before > 0 ? (leaving * leaving0 + arriving * arriving0) / before : 0
  const chord1 = (leaving * leaving1 + arriving * arriving1) / length
  const chord2 = beyond > 0 ? (leaving * leaving2 + arriving * arriving2) / beyond : 0
  if (chord0 !== 0) curve[previous]! -= chord0
  curve[row]! += chord0 - chord1
  curve[next]! += chord1 - chord2
  if (chord2 !== 0) curve[after]! += chord2
  return row
}

const createWeights = (options: SmoothOptions, isDriven: boolean): Weights => ({
  options,
  isDriven,
  curve: new Float64Array(2 * ROWS),
  shown: new Float64Array(2 * ROWS),
  blend: new Float64Array(2 * ROWS),
  isBlending: false,
  base: 0,
  count: 0,
  rows: new Int32Array(2 * ROWS),
  weights: new Float64Array(2 * ROWS),
  oldest: 0,
})

const weightsFor = (h: History, field: SmoothField): Weights => {
  const isDriven = field.velocity >= 0
  for (const each of h.weights) if (each.options === field.options && each.isDriven === isDriven) return each
  const made = createWeights(field.options, isDriven)
  h.weights.push(made)
  if (h.count > 0 && !Number.isNaN(h.time)) {
    made.base = weigh(h, made, h.time - made.options.delay, 0, h.count - 1)
    made.shown.set(made.curve)
  }
  return made
}

/** Lists the rows that count: those of the curve, and of what is being blended over. */
const gather = (h: History, each: Weights): void => {
  const { curve, shown, blend, rows, weights } = each
  let count = 0
  let oldest = h.times[each.base]!
  for (let index = 0; index < 2 * ROWS; index++) {
    const weight = each.isBlending ? curve[index]! + blend[index]! : curve[index]!
    shown[index] = weight
    if (index === each.base || Math.abs(weight) < LEAST_WEIGHT) continue
    rows[count] = index
    weights[count++] = weight
    oldest = Math.min(oldest, h.times[index % ROWS]!)
  }
  each.count = count
  each.oldest = oldest
}

/**
 * Moves to server time `time`, `elapsed` seconds after the last one. `isJump`: time was moved by more than it passed, so
 * what was shown is blended over.
 */
export const advanceHistory = (h: History, time: number, elapsed: number, isJump = false): void => {
  if (h.count === 0) return
  h.time = time
  for (const field of h.fields) weightsFor(h, field)
  const decay = Math.exp(-BLEND_RATE * elapsed)
  for (const each of h.weights) {
    if (isJump) blendOver(h, each)
    else {
      each.base = weigh(h, each, time - each.options.delay, 0, h.count - 1)
      if (each.isBlending) {
        let most = 0
        for (let index = 0; index < 2 * ROWS; index++) {
          each.blend[index]! *= decay
          most = Math.max(most, Math.abs(each.blend[index]!))
        }
        each.isBlending = most > LEAST_WEIGHT
      }
    }
    gather(h, each)
  }
}

/**
 * The numbers of field `field` of slots `from` to `to` at the time last advanced to, into `mixed` `[size x slots]`.
 * Slots that were cut or have a delay of their own are done apart.
 */
export const mixField = (h: History, field: SmoothField, from = 0, to = h.slots): Float64Array => {
  const each = weightsFor(h, field)
  mix(h, field, each, from, to)
  const { cuts, delays } = h
  for (let slot = from; slot < to; slot++)
    if (cuts[slot]! > each.oldest || delays[slot] !== 0) mixApart(h, field, slot, h.time - field.options.delay)
  return h.mixed
}

const apart = createWeights(smoothOptions(), false)

/** One slot by itself: with its own delay, and only of rows of one generation. */
export const mixApart = (h: History, field: SmoothField, slot: number, at: number): void => {
  const time = at - h.delays[slot]!
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
  apart.options = field.options
  apart.isDriven = field.velocity >= 0
  const until = isMoved ? Math.min(time, times[order[last]!]!) : time
  apart.base = weigh(h, apart, until, first, last)
  apart.isBlending = false
  gather(h, apart)
  mix(h, field, apart, slot, slot + 1)
}

const mix = (h: History, field: SmoothField, each: Weights, from: number, to: number): void => {
  const { values, slots, width, mixed } = h
  const { rows, weights, count, base } = each
  const size = width * slots
  for (let part = 0; part < field.size; part++) {
    const word = (field.at + part) * slots
    const q = base * size + word
    const out = part * slots
    const offset = (index: number) =>
      index >= count
        ? q
        : rows[index]! < ROWS
          ? rows[index]! * size + word
          : (rows[index]! - ROWS) * size + (field.velocity + part) * slots
    const weight = (index: number) => (index < count ? weights[index]! : 0)
    if (field.velocity < 0) {
      mixThree(values, q, offset(0), offset(1), offset(2), weight(0), weight(1), weight(2), mixed, out, from, to)
      for (let more = 3; more < count; more += 2)
        addTwo(values, q, offset(more), offset(more + 1), weight(more), weight(more + 1), mixed, out, from, to)
      continue
    }
    for (let slot = from; slot < to; slot++) mixed[out + slot] = values[q + slot]!
    for (let index = 0; index < count; index++) {
      const a = offset(index)
      const w = weight(index)
      const isValue = rows[index]! < ROWS
      for (let slot = from; slot < to; slot++)
        mixed[out + slot]! += w * (values[a + slot]! - (isValue ? values[q + slot]! : 0))
    }
  }
  if (field.kind === 'quaternion') normalise(h, field, base, from, to)
  else if (field.period > 0) wrap(h, field, from, to)
  if (field.kind === 'integer')
    for (let part = 0; part < field.size; part++)
      for (let slot = from; slot < to; slot++) mixed[part * slots + slot] = Math.round(mixed[part * slots + slot]!)
}

const mixThree = (
  values: Float64Array,
  q: number,
  a: number,
  b: number,
  c: number,
  wa: number,
  wb: number,
  wc: number,
  mixed: Float64Array,
  out: number,
  from: number,
  to: number,
): void => {
  for (let slot = from; slot < to; slot++) {
    const value = values[q + slot]!
    mixed[out + slot] =
      value + wa * (values[a + slot]! - value) + wb * (values[b + slot]! - value) + wc * (values[c + slot]! - value)
  }
}

const addTwo = (
  values: Float64Array,
  q: number,
  a: number,
  b: number,
  wa: number,
  wb: number,
  mixed: Float64Array,
  out: number,
  from: number,
  to: number,
): void => {
  for (let slot = from; slot < to; slot++) {
    const value = values[q + slot]!
    mixed[out + slot]! += wa * (values[a + slot]! - value) + wb * (values[b + slot]! - value)
  }
}

/** Only what differs from the row itself: that one is shown bit for bit. */
const normalise = (h: History, field: SmoothField, base: number, from: number, to: number): void => {
  const { mixed, slots, values, width } = h
  const q = (base * width + field.at) * slots
  for (let slot = from; slot < to; slot++) {
    const x = mixed[slot]!
    const y = mixed[slots + slot]!
    const z = mixed[2 * slots + slot]!
    const w = mixed[3 * slots + slot]!
    const isSame =
      x === values[q + slot] &&
      y === values[q + slots + slot] &&
      z === values[q + 2 * slots + slot] &&
      w === values[q + 3 * slots + slot]
    const square = x * x + y * y + z * z + w * w
    if (isSame || !(square > 0)) continue
    const scale = 1 / Math.sqrt(square)
    mixed[slot] = x * scale
    mixed[slots + slot] = y * scale
    mixed[2 * slots + slot] = z * scale
    mixed[3 * slots + slot] = w * scale
  }
}

const wrap = (h: History, field: SmoothField, from: number, to: number): void => {
  const { mixed, slots } = h
  const { period } = field
  for (let part = 0; part < field.size; part++)
    for (let slot = part * slots + from; slot < part * slots + to; slot++) {
      const value = mixed[slot]!
      if (value >= 0 && value < period) continue
      const wrapped = value - period * Math.floor(value / period)
      mixed[slot] = wrapped < period ? wrapped : 0
    }
}
