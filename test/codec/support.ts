import { decodeSegment } from '../../src/net/codec/decode.ts'
import { encodeSegment } from '../../src/net/codec/encode.ts'
import type { GroupState } from '../../src/net/codec/model.ts'
import { planOf } from '../../src/net/codec/plan.ts'
import { mostSlots } from '../../src/net/segment-size.ts'
import type { CodecShape, CodecWord, CodecWordKind } from '../../src/net/codec/shape.ts'
import { builtInTables, codecOf, parseTables, type SegmentCodec } from '../../src/net/codec/tables.ts'
import { createCounts, trainTablesNow } from '../../src/net/codec/train.ts'
import { random } from '../../src/net/random.ts'

export type Chance = () => number

const below = (chance: Chance, most: number): number => Math.floor(chance() * most)
const pick = <T>(chance: Chance, items: readonly T[]): T => items[below(chance, items.length)]!

/** A shape of 1 to 12 fields of any kind, in groups of 1 to 64 slots. */
export const randomShape = (chance: Chance): CodecShape => {
  const words: CodecWord[] = []
  const fields = 1 + below(chance, 12)
  for (let field = 0; field < fields; field++) {
    const kind = pick<CodecWordKind>(chance, ['still', 'linear', 'angle', 'float', 'movingFloat', 'quaternion'])
    if (kind === 'quaternion') {
      const bits = pick(chance, [2, 9, 10, 15])
      words.push({ kind, bits: 2, span: 3 })
      for (let part = 0; part < 3; part++) words.push({ kind: 'component', bits, span: 2 ** bits - 1 })
      continue
    }
    const isFloat = kind === 'float' || kind === 'movingFloat'
    const bits = isFloat ? pick(chance, [16, 32]) : pick(chance, [0, 1, 2, 4, 5, 8, 9, 12, 16, 18, 24, 30, 31, 32])
    const most = 2 ** bits - 1
    const span = isFloat || bits === 0 || chance() < 0.5 ? most : 2 ** (bits - 1) + below(chance, 2 ** (bits - 1))
    words.push({ kind, bits, span })
  }
  const rowBits = words.reduce((sum, { bits }) => sum + bits, 0)
  const slots = 1 + below(chance, mostSlots(rowBits))
  return { slots, words, defaults: Uint32Array.from(words, ({ span }) => below(chance, Math.min(span, 9) + 1)) }
}

export const emptyState = ({ slots, words }: CodecShape): GroupState => ({
  ids: new Uint32Array(slots),
  rows: new Uint32Array(slots * words.length),
})

export const copyState = ({ ids, rows }: GroupState): GroupState => ({ ids: ids.slice(), rows: rows.slice() })

/** The state some ticks later: `wildness` 0 is that little moved, 1 that anything happened. Returns where objects went. */
export const stir = (shape: CodecShape, state: GroupState, chance: Chance, wildness: number): void => {
  const { words, slots } = shape
  const width = words.length
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * width
    const fate = chance()
    if (fate < 0.02 + 0.5 * wildness * wildness) {
      const isUsed = chance() < 0.7
      state.ids[slot] = isUsed ? pick(chance, [1 + slot, below(chance, 2000) + 1, 0xffffffff - slot]) : 0
      words.forEach(({ span }, word) => {
        state.rows[at + word] = isUsed ? pick(chance, [shape.defaults[word]!, span, below(chance, span + 1)]) : 0
      })
    } else if (state.ids[slot] !== 0 && fate < 0.6)
      words.forEach(({ bits, span }, word) => {
        if (chance() < 0.4) return
        const far = chance() < wildness
        const step = far ? below(chance, span + 1) : below(chance, 7) - 2
        const value = (state.rows[at + word]! + step) % (span + 1)
        state.rows[at + word] = bits === 0 ? 0 : value < 0 ? value + span + 1 : value
      })
  }
}

/** What one call of the encoder is given. */
export interface Case {
  readonly codec: SegmentCodec
  readonly next: GroupState
  readonly base: GroupState | undefined
  readonly before: GroupState | undefined
  readonly ticksBase: number
  readonly ticksBefore: number
  /** Zones of objects by slot; `undefined` when they were deleted. */
  readonly zones: readonly (number | undefined)[]
}

const tablesOf = (shape: CodecShape, chance: Chance): SegmentCodec => {
  const plan = planOf(shape)
  if (chance() < 0.85) return codecOf(plan, builtInTables([plan]), 0)
  const counts = createCounts(plan)
  // Tables that fit nothing in particular: all that is asked of them is that both ends have the same ones.
  for (let index = 0; index < 400; index++)
    counts[(below(chance, plan.contexts) << 6) + below(chance, 52)]! += 1 + below(chance, 2 ** below(chance, 16))
  const tables = parseTables(trainTablesNow([plan], [counts], { distributions: 1 + below(chance, 20) }), [plan])
  return codecOf(plan, tables!, 0)
}

export const randomCase = (seed: number): Case => {
  const chance = random(seed)
  const shape = randomShape(chance)
  const wildness = pick(chance, [0, 0, 0.05, 0.3, 1])
  const state = emptyState(shape)
  const snapshot = (wild: number): GroupState => {
    stir(shape, state, chance, wild)
    return copyState(state)
  }
  const hasBase = chance() < 0.85
  const before = snapshot(1)
  const base = snapshot(wildness)
  const next = snapshot(wildness)
  return {
    codec: tablesOf(shape, chance),
    next,
    base: hasBase ? base : undefined,
    before: hasBase && chance() < 0.8 ? before : undefined,
    ticksBase: 1 + below(chance, pick(chance, [3, 64])),
    ticksBefore: 1 + below(chance, pick(chance, [2, 64])),
    zones: Array.from({ length: shape.slots }, () =>
      chance() < 0.5 ? undefined : pick(chance, [0, 7, below(chance, 5000), 0xffffffff]),
    ),
  }
}

/** Encodes a case into its own bytes; all slots may differ. */
export const encodeCase = ({ codec, next, base, before, ticksBase, ticksBefore, zones }: Case): Uint8Array => {
  const bytes = new Uint8Array(2000)
  const size = encodeSegment(
    codec,
    bytes,
    3,
    next,
    base,
    before,
    ticksBase,
    ticksBefore,
    -1,
    -1,
    -1,
    -1,
    slot => zones[slot],
  )
  if (size < 0) throw new Error('It does not fit.')
  return bytes.slice(3, 3 + size)
}

/** Decodes bytes as the segment of a case, into `next`. */
export const decodeCase = (
  { codec, base, before, ticksBase, ticksBefore }: Case,
  bytes: Uint8Array,
  next: GroupState,
  onLeft: (doId: number, zone: number | undefined) => void = () => {},
): boolean => decodeSegment(codec, bytes, 0, bytes.length, base, before, ticksBase, ticksBefore, next, onLeft)

/** Who left which slot in a case. */
export const leftOf = ({ base, next, zones }: Case): [number, number | undefined][] =>
  [...(base?.ids ?? [])].flatMap((id, slot) =>
    id !== 0 && id !== next.ids[slot] ? [[id, zones[slot]] as [number, number | undefined]] : [],
  )

/** Changes some bytes of a segment, or its length. */
export const mutate = (bytes: Uint8Array, chance: Chance): Uint8Array => {
  const kind = chance()
  if (kind < 0.1) return Uint8Array.from({ length: 1 + below(chance, 200) }, () => below(chance, 256))
  if (kind < 0.2) return bytes.slice(0, 1 + below(chance, bytes.length))
  const mutated =
    kind < 0.3
      ? Uint8Array.from([...bytes, ...Array.from({ length: 1 + below(chance, 9) }, () => below(chance, 256))])
      : bytes.slice()
  const flips = 1 + below(chance, 4)
  for (let flip = 0; flip < flips; flip++) mutated[below(chance, mutated.length)]! ^= 1 << below(chance, 8)
  return mutated
}

/** Tries mutations of the segment of a case. Returns what is wrong with what they did, or nothing. */
export const fuzzCase = (seed: number, count: number): { readonly accepted: number; readonly wrong?: string } => {
  const chance = random(seed + 0x5eed)
  const given = randomCase(seed)
  const { slots, words } = given.codec.plan.shape
  const width = words.length
  const margin = 16
  // The group in the middle of larger arrays: what is written outside it is found.
  const allIds = new Uint32Array(slots + 2 * margin).fill(0xdeadbeef)
  const allRows = new Uint32Array(slots * width + 2 * margin).fill(0xdeadbeef)
  const next = {
    ids: allIds.subarray(margin, margin + slots),
    rows: allRows.subarray(margin, margin + slots * width),
  }
  const bytes = encodeCase(given)
  const base = given.base && copyState(given.base)
  const before = given.before && copyState(given.before)
  let accepted = 0
  for (let index = 0; index < count; index++) {
    const mutated = mutate(bytes, chance)
    let told = 0
    const isValid = decodeCase(given, mutated, next, () => told++)
    if (isValid) accepted++
    else if (told > 0) return { accepted, wrong: 'told of objects that left in a segment that it refused' }
    if (told > slots) return { accepted, wrong: 'told of more objects than there are slots' }
    if (isValid)
      for (let at = 0; at < next.rows.length; at++)
        if (next.rows[at]! > words[at % width]!.span) return { accepted, wrong: `word ${at % width} is too large` }
  }
  for (const all of [allIds, allRows])
    if (![...all.slice(0, margin), ...all.slice(-margin)].every(value => value === 0xdeadbeef))
      return { accepted, wrong: 'wrote outside its arrays' }
  const isSame = (a: GroupState | undefined, b: GroupState | undefined): boolean =>
    (a?.ids.every((id, slot) => id === b!.ids[slot]) ?? true) && (a?.rows.every((v, at) => v === b!.rows[at]) ?? true)
  if (!isSame(base, given.base) || !isSame(before, given.before)) return { accepted, wrong: 'wrote into its baselines' }
  return { accepted }
}
