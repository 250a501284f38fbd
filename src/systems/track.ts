import { vec4 } from 'gl-matrix'
import type { DCParameterField } from '../dc/index.ts'
import type { Binding } from './rows.ts'
import { valueOf, wordsWith } from './rows.ts'

/**
 * One object's recent values by server tick, for interpolation. Ticks here are unwrapped: plain numbers that only grow.
 * A sample holds from its tick until the tick up to which the object is known to have stayed so, which is what keeps
 * an object that starts to move from being dragged along from where it rested long before.
 */
export interface Track {
  /** Tick of each sample `[SAMPLES]`, a ring. */
  readonly ticks: Float64Array
  readonly untils: Float64Array
  /** `[SAMPLES x words]`. */
  readonly values: Float64Array
  newest: number
  count: number
}

/** Samples kept: more than a second at 20 a second is never shown. */
const SAMPLES = 32

/** How the numbers of a class are smoothed: which words, the period of those that go round, which are rotations. */
export interface TrackPlan {
  readonly words: readonly number[]
  /** In the field's unit; 0 for what does not go round `[words]`. */
  readonly periods: Float64Array
  /** Where among `words` the four of each quaternion begin, in gl-matrix' order x, y, z, w. */
  readonly quaternions: readonly number[]
}

const KEYWORDS = ['interp_linear', 'interp_hermite', 'interp_angle', 'interp_quat']
const FULL_TURN = 360

const periodOf = (field: DCParameterField, modulus: number | undefined): number =>
  field.keywords.includes('interp_angle') ? (modulus ?? FULL_TURN) : 0

/** The first of the four words of each field with `interp_quat`; one with another number of words is smoothed apart. */
const quaternionsOf = (binding: Binding, words: readonly number[]): number[] =>
  words.flatMap((index, at) => {
    const { field } = binding.layout.words[index]!
    const four = words.slice(at, at + 4).filter(other => binding.layout.words[other]!.field === field)
    const isFirst = at === 0 || binding.layout.words[words[at - 1]!]!.field !== field
    return field.keywords.includes('interp_quat') && isFirst && four.length === 4 ? [at] : []
  })

/** Plans the smoothing of a class' numbers; `undefined` when it has none. 64-bit integers are never smoothed. */
export const planTrack = (binding: Binding): TrackPlan | undefined => {
  const words = wordsWith(binding.layout, ...KEYWORDS).filter(index => {
    const word = binding.layout.words[index]!
    return word.part === 0 && word.kind !== 'int64'
  })
  if (words.length === 0) return undefined
  const periods = words.map(index => {
    const word = binding.layout.words[index]!
    return periodOf(word.field, word.type.modulus)
  })
  return { words, periods: new Float64Array(periods), quaternions: quaternionsOf(binding, words) }
}

export const createTrack = (plan: TrackPlan): Track => ({
  ticks: new Float64Array(SAMPLES),
  untils: new Float64Array(SAMPLES),
  values: new Float64Array(SAMPLES * plan.words.length),
  newest: -1,
  count: 0,
})

/** Puts a row into the history. `until`: how long it is known to hold; `before`: how long the state before it did. */
export const pushSample = (
  track: Track,
  plan: TrackPlan,
  binding: Binding,
  rows: Uint32Array,
  at: number,
  tick: number,
  until: number,
  before: number,
): void => {
  const { words } = plan
  const { newest } = track
  let isSame = track.count > 0
  const next = (newest + 1) % SAMPLES
  for (let word = 0; word < words.length; word++) {
    const value = valueOf(binding.layout, words[word]!, rows, at) as number
    if (isSame && track.values[newest * words.length + word] !== value) isSame = false
    track.values[next * words.length + word] = value
  }
  if (isSame) {
    track.untils[newest] = Math.max(track.untils[newest]!, until)
    return
  }
  if (track.count > 0) {
    if (tick <= track.ticks[newest]!) return
    track.untils[newest] = Math.max(track.untils[newest]!, Math.min(before, tick))
  }
  track.ticks[next] = tick
  track.untils[next] = until
  track.newest = next
  track.count = Math.min(track.count + 1, SAMPLES)
}

/** The newest sample is known to hold until `tick`. */
export const extendTrack = (track: Track, tick: number): void => {
  if (track.count > 0 && track.untils[track.newest]! < tick) track.untils[track.newest] = tick
}

const mix = (from: number, to: number, share: number, period: number): number => {
  if (period === 0) return from + (to - from) * share
  let turn = (to - from) % period
  if (turn > period / 2) turn -= period
  else if (turn < -period / 2) turn += period
  const value = (from + turn * share) % period
  return value < 0 ? value + period : value
}

/** Writes the values at (fractional) tick `time` into `out` `[words]`: the first sample before it, the last one after. */
export const sampleTrack = (track: Track, plan: TrackPlan, time: number, out: Float64Array): void => {
  const { periods } = plan
  const width = periods.length
  let index = track.newest
  let later = -1
  for (let step = 1; step < track.count && track.ticks[index]! > time; step++) {
    later = index
    index = (index + SAMPLES - 1) % SAMPLES
  }
  const start = Math.min(track.untils[index]!, later < 0 ? Infinity : track.ticks[later]!)
  if (later < 0 || time <= start) {
    for (let word = 0; word < width; word++) out[word] = track.values[index * width + word]!
    return
  }
  const share = (time - start) / (track.ticks[later]! - start)
  for (let word = 0; word < width; word++)
    out[word] = mix(track.values[index * width + word]!, track.values[later * width + word]!, share, periods[word]!)
  for (const at of plan.quaternions) mixQuaternion(track.values, index * width + at, later * width + at, share, out, at)
}

const from = vec4.create()
const to = vec4.create()

/** Componentwise and normalised, the short way round: between samples as near as these, hardly apart from a slerp. */
const mixQuaternion = (
  values: Float64Array,
  fromAt: number,
  toAt: number,
  share: number,
  out: Float64Array,
  at: number,
): void => {
  vec4.set(from, values[fromAt]!, values[fromAt + 1]!, values[fromAt + 2]!, values[fromAt + 3]!)
  vec4.set(to, values[toAt]!, values[toAt + 1]!, values[toAt + 2]!, values[toAt + 3]!)
  if (vec4.dot(from, to) < 0) vec4.negate(to, to)
  vec4.lerp(from, from, to, share)
  vec4.normalize(from, from)
  for (let part = 0; part < 4; part++) out[at + part] = from[part]!
}
