import { WARY, WARY_EXTRAPOLATION, weightsFor } from './advance.ts'
import { createWeights, curve, weigh } from './curve.ts'
import { type History, type Mix, type Numbers, ROWS, type SmoothField, smoothOptions } from './model.ts'

/** What {@link mixField} returns. One for all, so that it stays in the cache. */
let mixed = new Float64Array(4 * 64)

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

const apart = createWeights(smoothOptions(), false)

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

export const mix = (h: History, field: SmoothField, each: Mix, from: number, to: number): void => {
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
