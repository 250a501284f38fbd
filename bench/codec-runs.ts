import { decodeSegment } from '../src/net/codec/decode.ts'
import { countSymbols, encodeSegment } from '../src/net/codec/encode.ts'
import { planOf, type Plan } from '../src/net/codec/plan.ts'
import { builtInTables, codecOf, parseTables, type SegmentCodec } from '../src/net/codec/tables.ts'
import { createCounts, fadeCounts, trainTables, trainTablesNow } from '../src/net/codec/train.ts'
import { encodeFast } from '../src/net/codec/wasm/encoder.ts'
import { MOST_BYTES } from '../src/net/segment-size.ts'
import type { Groups } from './scenes/groups.ts'

/** How old baselines are, in ticks: the one that is encoded against, and from that to the one before. */
export interface Ages {
  readonly base: number
  readonly before: number
}

export interface RunResult {
  /** Objects that differ from the baseline, segments that hold any, bytes of them, ticks. */
  changed: number
  segments: number
  bytes: number
  ticks: number
  /**
   * Milliseconds of all ticks; of each the best of some turns, which stands above what else the machine does. Encoders take turns: what a server
   * runs, and the same in JavaScript.
   */
  encodeTime: number
  scriptTime: number
  decodeTime: number
}

/** Turns of a tick, of which the first is not timed: a server has just written these rows, and a client just drawn them. */
const TURNS = 4

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const never = (): undefined => undefined

const ENCODERS = [encodeSegment, encodeFast]

/** Slots that differ between two states, as two words of bits. */
const differing = (groups: Groups, tick: number, other: number, group: number): [number, number, number] => {
  const { states, shape } = groups
  const a = states[tick]![group]!
  const b = states[other]![group]!
  const width = shape.words.length
  let low = 0
  let high = 0
  let count = 0
  for (let slot = 0; slot < shape.slots; slot++) {
    let differs = a.ids[slot] !== b.ids[slot]
    for (let at = slot * width; !differs && at < (slot + 1) * width; at++) differs = a.rows[at] !== b.rows[at]
    if (!differs) continue
    count++
    if (slot < 32) low |= 1 << slot
    else high |= 1 << (slot - 32)
  }
  return [low, high, count]
}

/** Encodes and decodes a scene, each tick against a baseline of one age, and compares every decoded state. */
export const run = (groups: Groups, codec: SegmentCodec, { base, before }: Ages, counts?: Uint32Array): RunResult => {
  const { states, shape } = groups
  const result: RunResult = { changed: 0, segments: 0, bytes: 0, ticks: 0, encodeTime: 0, scriptTime: 0, decodeTime: 0 }
  const count = states[0]!.length
  const buffer = new Uint8Array(count * 1200 + MOST_BYTES)
  const other = new Uint8Array(buffer.length)
  const decoded = Array.from({ length: count }, () => ({
    ids: new Uint32Array(shape.slots),
    rows: new Uint32Array(shape.slots * shape.words.length),
  }))
  const starts = new Int32Array(count + 1)
  for (let tick = base + before; tick < states.length; tick++) {
    const work: { group: number; changed: [number, number, number]; active: [number, number, number] }[] = []
    for (let group = 0; group < count; group++) {
      const changed = differing(groups, tick, tick - base, group)
      if (changed[2] === 0) continue
      work.push({ group, changed, active: differing(groups, tick - base, tick - base - before, group) })
      result.changed += changed[2]
    }
    const next = states[tick]!
    const bases = states[tick - base]!
    const befores = states[tick - base - before]!
    let at = 0
    const bests = ENCODERS.map(() => Infinity)
    for (let turn = 0; turn < TURNS; turn++)
      ENCODERS.forEach((encode, which) => {
        at = 0
        const start = performance.now()
        for (let index = 0; index < work.length; index++) {
          const { group, changed, active } = work[index]!
          starts[index] = at
          at += encode(
            codec,
            buffer,
            at,
            next[group]!,
            bases[group],
            befores[group],
            base,
            before,
            changed[0],
            changed[1],
            active[0],
            active[1],
            never,
          )
          if (counts && turn === 0 && encode === encodeSegment) countSymbols(counts)
        }
        if (turn > 0) bests[which] = Math.min(bests[which]!, performance.now() - start)
        if (which > 0 && Buffer.compare(buffer.subarray(0, at), other.subarray(0, at)) !== 0)
          throw new Error(`${groups.recording.name}, tick ${tick}: the encoders differ`)
        if (which === 0) other.set(buffer.subarray(0, at))
      })
    result.scriptTime += bests[0]!
    result.encodeTime += bests[1]!
    starts[work.length] = at
    // A client that decoded the baseline from the one before it knows which slots that changed.
    const isChained = base === before
    let isValid = true
    let best = Infinity
    for (let turn = 0; turn < TURNS; turn++) {
      const start = performance.now()
      for (let index = 0; index < work.length; index++) {
        const { group, active } = work[index]!
        isValid =
          decodeSegment(
            codec,
            buffer,
            starts[index]!,
            starts[index + 1]!,
            bases[group],
            befores[group],
            base,
            before,
            decoded[group]!,
            never,
            isChained ? active[0] : -1,
            isChained ? active[1] : -1,
          ) && isValid
      }
      if (turn > 0) best = Math.min(best, performance.now() - start)
    }
    result.decodeTime += best
    for (const { group } of work) {
      const a = decoded[group]!
      const b = next[group]!
      isValid &&= Buffer.compare(Buffer.from(a.ids.buffer), Buffer.from(b.ids.buffer)) === 0
      isValid &&= Buffer.compare(Buffer.from(a.rows.buffer), Buffer.from(b.rows.buffer)) === 0
    }
    if (!isValid) throw new Error(`${groups.recording.name}, tick ${tick}: decoded something else`)
    result.segments += work.length
    result.bytes += at
    result.ticks++
  }
  return result
}

/** Encodes all groups of every 60th tick without a baseline. Returns the mean bytes of a tick. */
export const runKeyframes = ({ states, shape }: Groups, codec: SegmentCodec, counts?: Uint32Array): number => {
  const buffer = new Uint8Array(1200)
  const decoded = { ids: new Uint32Array(shape.slots), rows: new Uint32Array(shape.slots * shape.words.length) }
  let bytes = 0
  let ticks = 0
  for (let tick = 0; tick < states.length; tick += 60) {
    ticks++
    for (const state of states[tick]!) {
      const size = encodeSegment(codec, buffer, 0, state, undefined, undefined, 1, 1, -1, -1, 0, 0, never)
      if (counts) countSymbols(counts)
      if (!decodeSegment(codec, buffer, 0, size, undefined, undefined, 1, 1, decoded, never))
        throw new Error('A keyframe was refused.')
      bytes += size
    }
  }
  return bytes / ticks
}

/** Trains on scenes at several ages. */
export const train = (scenes: readonly Groups[], ages: readonly Ages[], distributions?: number): Uint8Array => {
  const plan = planOf(scenes[0]!.shape)
  const codec = untrained(plan)
  const counts = createCounts(plan)
  for (const scene of scenes) {
    for (const age of ages) run(scene, codec, age, counts)
    runKeyframes(scene, codec, counts)
  }
  return trainTablesNow([plan], [counts], distributions === undefined ? {} : { distributions })
}

/**
 * Encodes a scene with tables that are made anew each second from what was encoded before, as a server does. Returns the result of
 * each second, and milliseconds that each making of tables took, in all and at most in one slice.
 */
export const runTraining = (scene: Groups, age: Ages): { seconds: RunResult[]; times: number[]; slices: number[] } => {
  const plan = planOf(scene.shape)
  const { hz } = scene.recording
  const counts = createCounts(plan)
  const result = { seconds: [] as RunResult[], times: [] as number[], slices: [] as number[] }
  let codec = untrained(plan)
  const reach = age.base + age.before
  for (let tick = reach; tick + hz <= scene.states.length; tick += hz) {
    const second = { ...scene, states: scene.states.slice(tick - reach, tick + hz) }
    result.seconds.push(run(second, codec, age, counts))
    const work = trainTables([plan], [counts])
    let total = 0
    let most = 0
    for (;;) {
      const start = performance.now()
      const step = work.next()
      const time = performance.now() - start
      total += time
      most = Math.max(most, time)
      if (!step.done) continue
      codec = trained(plan, step.value)
      break
    }
    result.times.push(total)
    result.slices.push(most)
    // The last four seconds or so count.
    if (result.seconds.length % 4 === 0) fadeCounts(counts)
  }
  return result
}

export const untrained = (plan: Plan): SegmentCodec => codecOf(plan, builtInTables([plan]), 0)

export const trained = (plan: Plan, bytes: Uint8Array): SegmentCodec => {
  const tables = parseTables(bytes, [plan])
  if (!tables) throw new Error('Tables that were just made are not understood.')
  return codecOf(plan, tables, 0)
}
