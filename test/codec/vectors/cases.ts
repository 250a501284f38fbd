import { encodeQuaternion } from '../../../src/dc/index.ts'
import { planOf } from '../../../src/net/codec/plan.ts'
import type { CodecShape, CodecWord } from '../../../src/net/codec/shape.ts'
import { builtInTables, codecOf, parseTables } from '../../../src/net/codec/tables.ts'
import { createCounts, trainTablesNow } from '../../../src/net/codec/train.ts'
import { random } from '../../../src/net/random.ts'
import { emptyState, encodeCase, leftOf, type Case } from '../support.ts'

/** A golden vector: all that a second implementation needs to decode a segment, and what must come of it. */
export interface Vector {
  readonly name: string
  readonly words: readonly CodecWord[]
  readonly slots: number
  readonly defaults: readonly number[]
  /** Trained tables for this shape alone, in hexadecimal; empty for the built-in ones. */
  readonly tables: string
  readonly ticksBase: number
  readonly ticksBefore: number
  /** Slot by slot: doId and row, or nothing for an empty slot. */
  readonly before?: Slots
  readonly base?: Slots
  readonly next: Slots
  /** Objects that left: doId and zone, -1 when they were deleted. */
  readonly left: readonly (readonly [number, number])[]
  readonly segment: string
}

export type Slots = readonly (readonly [id: number, row: readonly number[]] | null)[]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const slotsOf = ({ ids, rows }: Case['next']): Slots =>
  Array.from(ids, (id, slot) =>
    id === 0 ? null : ([id, Array.from(rows.subarray((slot * rows.length) / ids.length, ((slot + 1) * rows.length) / ids.length))] as const),
  )

const still = (bits: number, span = 2 ** bits - 1): CodecWord => ({ kind: 'still', bits, span })
const part: CodecWord = { kind: 'component', bits: 10, span: 1023 }

const WORDS: readonly CodecWord[] = [
  still(16),
  still(8),
  { kind: 'linear', bits: 16, span: 0xffff },
  { kind: 'linear', bits: 14, span: 9999 },
  { kind: 'angle', bits: 12, span: 3599 },
  { kind: 'quaternion', bits: 2, span: 3 },
  part,
  part,
  part,
  still(3, 4),
  still(32),
  { kind: 'float', bits: 32, span: 0xffffffff },
  { kind: 'movingFloat', bits: 16, span: 0xffff },
]

const float = new DataView(new ArrayBuffer(4))

/** Things that drive, turn, and now and then change their state. */
const rowAt = (object: number, tick: number): number[] => {
  const rotation = [0, 0, 0, 0]
  const half = 0.1 * object + 0.04 * tick
  encodeQuaternion(Math.sin(half) * 0.6, Math.sin(half) * 0.8, 0, Math.cos(half), 10, rotation)
  float.setFloat32(0, 1.5 + (object % 3) * (tick > 8 ? 1 : 0))
  return [
    object % 4,
    1 + (tick > 9 && object === 3 ? 1 : 0),
    20000 + object * 100 + tick * (object % 5) * 7,
    Math.max(0, 60 - tick * object),
    (3500 + object * 40 + tick * 25) % 3600,
    ...rotation,
    tick % 9 === object ? 4 : object % 4,
    object * 1000003 + (tick > 9 && object % 6 === 0 ? 5 : 0),
    float.getUint32(0),
    0x3c00 + object * 16 + tick * 3,
  ]
}

const defaults = Uint32Array.from([0, 0, 32768, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

const stateAt = (shape: CodecShape, tick: number) => {
  const state = emptyState(shape)
  for (let slot = 0; slot < shape.slots; slot++) {
    const object = slot + 1
    // Slot 4 is free until tick 6; the object of slot 7 leaves at 8, that of slot 9 is replaced, slot 2 lies still.
    if (slot === 4 && tick < 6) continue
    if (slot === 7 && tick >= 8) continue
    state.ids[slot] = slot === 9 && tick >= 8 ? 500 : object
    state.rows.set(rowAt(object, slot === 2 ? 0 : tick), slot * shape.words.length)
  }
  return state
}

export const makeVectors = (): Vector[] => {
  const shape: CodecShape = { slots: 20, words: WORDS, defaults }
  const plan = planOf(shape)
  const counts = createCounts(plan)
  const chance = random(1)
  for (let index = 0; index < 4000; index++)
    counts[(Math.floor(chance() * 300) << 6) + Math.floor(chance() * chance() * 20)]! += 1 + Math.floor(chance() * 40)
  const tables = trainTablesNow([plan], [counts], { distributions: 12 })
  const zones = Array.from({ length: 20 }, (_, slot) => (slot === 7 ? 40000 : slot === 9 ? undefined : 3))
  const make = (name: string, ticks: readonly (number | undefined)[], bytes?: Uint8Array): Vector => {
    const [before, base, next] = ticks.map(tick => (tick === undefined ? undefined : stateAt(shape, tick)))
    return vectorOf(name, bytes ?? new Uint8Array(0), {
      codec: codecOf(plan, bytes ? parseTables(bytes, [plan])! : builtInTables([plan]), 0),
      next: next!,
      base,
      before,
      ticksBase: ticks[1] === undefined ? 1 : Math.max(1, ticks[2]! - ticks[1]),
      ticksBefore: ticks[0] === undefined ? 1 : ticks[1]! - ticks[0],
      zones,
    })
  }
  return [
    make('a keyframe', [undefined, undefined, 5]),
    make('nothing changed but what moves, one tick later', [5, 6, 7]),
    make('objects that come, leave and are replaced', [4, 5, 10]),
    make('baselines four ticks apart', [1, 5, 11]),
    make('no prediction', [undefined, 5, 9]),
    make('a baseline of long ago', [5, 6, 40]),
    make('trained tables: a keyframe', [undefined, undefined, 5], tables),
    make('trained tables: six ticks', [4, 5, 11], tables),
    make('nothing at all', [5, 6, 6]),
    plainVector(),
  ]
}

/** Small numbers that all change at random, which the built-in tables make too large for one segment. */
const plainVector = (): Vector => {
  const shape: CodecShape = { slots: 64, words: Array.from({ length: 46 }, () => still(2, 2)), defaults: new Uint32Array(46) }
  const plan = planOf(shape)
  const chance = random(2)
  const noise = () => {
    const state = emptyState(shape)
    state.ids.forEach((_, slot) => (state.ids[slot] = slot === 1 ? 0 : 1000 + slot))
    state.rows.forEach((_, at) => (state.rows[at] = at >= 46 && at < 92 ? 0 : Math.floor(chance() * 3)))
    return state
  }
  const base = noise()
  const next = noise()
  base.ids[5] = 7
  base.ids[6] = 8
  const codec = codecOf(plan, builtInTables([plan]), 0)
  const zones = [undefined, undefined, undefined, undefined, undefined, 70000]
  return vectorOf('plain', new Uint8Array(0), { codec, next, base, before: undefined, ticksBase: 1, ticksBefore: 1, zones })
}

const vectorOf = (name: string, tables: Uint8Array, given: Case): Vector => {
  const { shape } = given.codec.plan
  return {
    name,
    words: shape.words,
    slots: shape.slots,
    defaults: [...shape.defaults],
    tables: hex(tables),
    ticksBase: given.ticksBase,
    ticksBefore: given.ticksBefore,
    ...(given.before && { before: slotsOf(given.before) }),
    ...(given.base && { base: slotsOf(given.base) }),
    next: slotsOf(given.next),
    left: leftOf(given).map(([doId, zone]) => [doId, zone ?? -1] as const),
    segment: hex(encodeCase(given)),
  }
}
