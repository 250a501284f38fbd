import { bitWriter, finishBits, resetWriter, writeBits } from '../bits.ts'
import { writeRawRows } from '../raw.ts'
import { MOST_BYTES } from '../segment-size.ts'
import {
  activities,
  activityOf,
  FRESH,
  landing,
  largerOf,
  largestId,
  leapClass,
  leapOf,
  lowestBit,
  magnitudeOf,
  ordered,
  partLeaps,
  partSteps,
  POPULATION,
  predictParts,
  predictRotation,
  residualClass,
  shortStep,
  shortWay,
  towards,
  wideLanding,
  wideLeapOf,
  type GroupState,
} from './model.ts'
import {
  ageContexts,
  ageOf,
  CONTEXT_LEFT,
  CONTEXT_ZONE,
  CONTEXT_ZONE_LENGTH,
  CONTEXT_ID,
  CONTEXT_ID_LENGTH,
  CONTEXT_ANY_NEW,
  CONTEXT_EIGHTH_NEW,
  CONTEXT_SLOT_NEW,
  CONTEXT_ANY_REST,
  CONTEXT_EIGHTH_REST,
  CONTEXT_SLOT_REST,
  CONTEXT_CHANGE,
  KIND_ANGLE,
  KIND_QUATERNION,
  LENGTH,
  MARGINS,
  MOVING_WORD,
  MOVING_KIND,
  MOVING_OWN,
  MOVING_MODULUS,
  MOVING_PARTS,
  MOVING_SHIFT,
  MOVING_STEPS,
  MOVING_SIZE,
  NEW,
  PART_CONTEXTS,
  RESIDUALS,
  STILL_WORD,
  STILL_OWN,
  STILL_IS_SMALL,
  STILL_SIZE,
  type Plan,
} from './plan.ts'
import { codeEntries, countEntries, entries, writeNumber, writeSymbol, writeWide } from './range-encoder.ts'
import { ESCAPE_FROM, RAW_MARK } from './symbols.ts'
import type { SegmentCodec } from './tables.ts'

/** Slots that change, and how: bit 0 what moves, bit 1 what is still; 4 another object or none `[64]`. */
const changes = new Uint8Array(64)

/** Which slots of a set are marked: whether any, then which eighths, then which of them. */
const writeSlots = (
  start: number,
  setLow: number,
  setHigh: number,
  markedLow: number,
  markedHigh: number,
  nearLow: number,
  nearHigh: number,
  any: number,
  eighth: number,
  slot: number,
): number => {
  if ((setLow | setHigh) === 0) return start
  if ((markedLow | markedHigh) === 0) return writeSymbol(start, any, 0)
  let count = writeSymbol(start, any, 1)
  for (let part = 0; part < 8; part++) {
    const shift = (part & 3) << 3
    let rest = ((part < 4 ? setLow : setHigh) >>> shift) & 255
    if (rest === 0) continue
    const marked = ((part < 4 ? markedLow : markedHigh) >>> shift) & 255
    const near = (((part < 4 ? nearLow : nearHigh) >>> shift) & 255) === 0 ? 0 : 1
    const size = POPULATION[rest]! >> 1
    count = writeSymbol(count, eighth + near * 4 + (size > 3 ? 3 : size), marked === 0 ? 0 : 1)
    if (marked === 0) continue
    for (; rest !== 0; rest &= rest - 1) count = writeSymbol(count, slot + near, (marked & rest & -rest) === 0 ? 0 : 1)
  }
  return count
}

const writeStill = (start: number, plan: Plan, to: Uint32Array, from: Uint32Array, at: number): number => {
  const { still, moduli, signs } = plan
  let count = start
  let seen = 0
  for (let item = 0; item < still.length; item += STILL_SIZE) {
    const word = still[item + STILL_WORD]!
    const value = to[at + word]!
    const old = from[at + word]!
    const own = still[item + STILL_OWN]!
    const context = own + (still[item + STILL_IS_SMALL] === 1 ? old : seen)
    if (value === old) {
      count = writeSymbol(count, context, 0)
      continue
    }
    seen = 1
    const sign = signs[word]!
    count = writeWide(count, context, own - 1, shortWay(ordered(value, sign) - ordered(old, sign), moduli[word]!))
  }
  return count
}

const writeMoving = (
  start: number,
  plan: Plan,
  to: Uint32Array,
  base: Uint32Array,
  before: Uint32Array | undefined,
  at: number,
  age: number,
  ratio: number,
  activity: number,
): number => {
  const { moving } = plan
  const ageAt = ageContexts(age)
  let count = start
  let most = 0
  let residual = activity
  for (let item = 0; item < moving.length; item += MOVING_SIZE) {
    const place = at + moving[item + MOVING_WORD]!
    const kind = moving[item + MOVING_KIND]!
    const own = moving[item + MOVING_OWN]!
    if (kind <= KIND_ANGLE) {
      const modulus = moving[item + MOVING_MODULUS]!
      const old = base[place]! | 0
      const leap = before === undefined ? 0 : leapOf(old, before[place]! | 0, modulus, ratio)
      const there = landing(old, leap, modulus, kind === KIND_ANGLE)
      const miss = shortStep(((to[place]! | 0) - there) | 0, modulus)
      const size = magnitudeOf(miss)
      const context = own + ageAt + leapClass(magnitudeOf(leap)) * RESIDUALS + residual
      const number = towards(miss, leap)
      count = size < ESCAPE_FROM ? writeNumber(count, context, number) : writeWide(count, context, own - 1, number)
      most = largerOf(most, size)
    } else if (kind === KIND_QUATERNION) {
      const shift = moving[item + MOVING_SHIFT]!
      const steps = moving[item + MOVING_STEPS]!
      const expected = predictRotation(base, before, place, shift, steps, ratio)
      const left = to[place]!
      count = writeSymbol(count, own + age * MARGINS + (expected & 7), (left - (expected >> 3)) & 3)
      predictParts(base, place, left, shift, steps)
      const least = most >> 1
      let parts = moving[item + MOVING_PARTS]!
      let largest = 0
      for (let part = 0; part < 3; part++) {
        const leap = partLeaps[part]!
        const miss = ((to[place + 1 + part]! - partSteps[part]!) << shift) >> shift
        const size = magnitudeOf(miss)
        const context = parts + ageAt + leapClass(magnitudeOf(leap)) * RESIDUALS + residual
        const number = towards(miss, leap)
        count = size < ESCAPE_FROM ? writeNumber(count, context, number) : writeWide(count, context, parts - 1, number)
        largest = largerOf(largest, size)
        residual = residualClass(largerOf(largest, least))
        parts += PART_CONTEXTS
      }
      most = largerOf(most, largest)
    } else {
      const word = place - at
      const modulus = plan.moduli[word]!
      const sign = plan.signs[word]!
      const old = ordered(base[place]!, sign)
      const leap = before === undefined ? 0 : wideLeapOf(old, ordered(before[place]!, sign), modulus, ratio)
      const miss = shortWay(ordered(to[place]!, sign) - wideLanding(old, leap, modulus), modulus)
      const context = own + ageAt + leapClass(Math.abs(leap)) * RESIDUALS + residual
      count = writeWide(count, context, own - 1, leap < 0 ? 0 - miss : miss)
      most = Math.max(most, Math.min(Math.abs(miss), 255))
    }
    residual = residualClass(most)
  }
  return count
}

/** The row of a new object as it differs from `from`: the one before it in the segment, or the defaults. */
const writeNew = (
  start: number,
  plan: Plan,
  to: Uint32Array,
  at: number,
  from: Uint32Array,
  fromAt: number,
  later: number,
): number => {
  const { width, firsts, moduli, bits, signs } = plan
  let count = start
  for (let word = 0; word < width; word++) {
    if (bits[word] === 0) continue
    const first = firsts[word]!
    const sign = signs[word]!
    const difference = ordered(to[at + word]!, sign) - ordered(from[fromAt + word]!, sign)
    count = writeWide(count, first + NEW + later, first + LENGTH, shortWay(difference, moduli[word]!))
  }
  return count
}

const rowChange = (plan: Plan, to: Uint32Array, from: Uint32Array, at: number): number => {
  const { still, movingWords } = plan
  let change = 0
  for (let index = 0; index < movingWords.length; index++) {
    const place = at + movingWords[index]!
    if (to[place] !== from[place]) {
      change = 1
      break
    }
  }
  for (let item = 0; item < still.length; item += STILL_SIZE) {
    const place = at + still[item + STILL_WORD]!
    if (to[place] !== from[place]) return change | 2
  }
  return change
}

/** Where the object that left a slot went: the zone it is in now, or `undefined` when it was deleted. */
export type MovedTo = (slot: number, doId: number) => number | undefined

/**
 * Encodes the change of a group from `base` to `next` into `bytes` from `at` on: a pure function of what it is given.
 *
 * @param next the state to send. It must not be the arrays of `base` or `before`
 * @param base what the receiver has; `undefined` for a keyframe
 * @param before an earlier state that the receiver has too, from which movements are foretold; `undefined` for none
 * @param ticksBase ticks from `base` to `next`, 1 to 255
 * @param ticksBefore ticks from `before` to `base`, 1 to 255
 * @param changedLow bit i: slot i may differ between `base` and `next`; `changedHigh` has slots 32 to 63
 * @param activeLow bit i: slot i may differ between `before` and `base`; `activeHigh` likewise
 * @returns bytes written, or -1 when they do not fit
 */
export const encodeSegment = (
  codec: SegmentCodec,
  bytes: Uint8Array,
  at: number,
  next: GroupState,
  base: GroupState | undefined,
  before: GroupState | undefined,
  ticksBase: number,
  ticksBefore: number,
  changedLow: number,
  changedHigh: number,
  activeLow: number,
  activeHigh: number,
  movedTo: MovedTo,
): number => {
  const { plan } = codec
  modelled = model(
    plan,
    next,
    base,
    before,
    ticksBase,
    ticksBefore,
    changedLow,
    changedHigh,
    activeLow,
    activeHigh,
    movedTo,
  )
  const end = codeEntries(codec.tables.cumulative, codec.map, modelled, bytes, at)
  if (end >= 0 && end - at <= MOST_BYTES) return end - at
  // Rows that the tables make too large: the words as they are, at worst without the zones that objects went to.
  modelled = 0
  const whole = writeRows(codec.plan, next, base, movedTo)
  const length = whole <= MOST_BYTES ? whole : writeRows(codec.plan, next, base, undefined)
  if (length > MOST_BYTES || at + length > bytes.length) return -1
  for (let index = 0; index < length; index++) bytes[at + index] = rawWriter.bytes[index]!
  return length
}

const rawWriter = bitWriter(MOST_BYTES)

/** Returns how many bytes they take in {@link rawWriter}. */
const writeRows = (
  plan: Plan,
  next: GroupState,
  base: GroupState | undefined,
  movedTo: MovedTo | undefined,
): number => {
  resetWriter(rawWriter)
  writeBits(rawWriter, RAW_MARK, 8)
  writeRawRows(rawWriter, plan, next, base, movedTo)
  return finishBits(rawWriter)
}

/** Numbers of the entries of the segment that was encoded last. */
let modelled = 0

/** Adds the symbols of the segment that was encoded last to `counts` `[contexts x 64]`, for `trainTables`. */
export const countSymbols = (counts: Uint32Array): void => countEntries(entries, 0, modelled, counts)

const model = (
  plan: Plan,
  next: GroupState,
  base: GroupState | undefined,
  earlier: GroupState | undefined,
  ticksBase: number,
  ticksBefore: number,
  changedLow: number,
  changedHigh: number,
  activeLow: number,
  activeHigh: number,
  movedTo: MovedTo,
): number => {
  const { slots, width } = plan
  let count = 0
  const before = base === undefined ? undefined : earlier
  const age = before === undefined ? 0 : ageOf(ticksBase, ticksBefore)
  const ratio = ticksBase / ticksBefore
  let lastId = 0
  let usedLow = 0
  let usedHigh = 0
  let movingLow = 0
  let movingHigh = 0
  let moves = 0
  if (base !== undefined) {
    const { ids } = base
    for (let slot = 0; slot < slots; slot++)
      if (ids[slot] !== 0) {
        if (slot < 32) usedLow |= 1 << slot
        else usedHigh |= 1 << slot
      }
    if (before !== undefined) {
      let rest = activeLow & usedLow
      let from = 0
      for (;;) {
        for (; rest !== 0; rest &= rest - 1) {
          const slot = from + lowestBit(rest)
          const activity =
            ids[slot] === before.ids[slot] ? activityOf(plan, base.rows, before.rows, slot * width) : FRESH
          activities[slot] = activity
          if (activity === 0) continue
          moves++
          if (from === 0) movingLow |= rest & -rest
          else movingHigh |= rest & -rest
        }
        if (from !== 0) break
        from = 32
        rest = activeHigh & usedHigh
      }
    }
  }
  let markedLow = 0
  let markedHigh = 0
  let rest = slots < 32 ? changedLow & ((1 << slots) - 1) : changedLow
  for (let from = 0; ;) {
    for (; rest !== 0; rest &= rest - 1) {
      const slot = from + lowestBit(rest)
      const baseId = base === undefined ? 0 : base.ids[slot]!
      const change =
        next.ids[slot] !== baseId ? 4 : baseId === 0 ? 0 : rowChange(plan, next.rows, base!.rows, slot * width)
      changes[slot] = change
      if (change === 0) continue
      if (from === 0) markedLow |= rest & -rest
      else markedHigh |= rest & -rest
    }
    if (from !== 0 || slots <= 32) break
    from = 32
    rest = slots < 64 ? changedHigh & ((1 << (slots - 32)) - 1) : changedHigh
  }
  const isKeyframe = base === undefined ? 1 : 0
  const emptyLow = ~usedLow & (slots < 32 ? (1 << slots) - 1 : -1)
  const emptyHigh = slots <= 32 ? 0 : ~usedHigh & (slots < 64 ? (1 << (slots - 32)) - 1 : -1)
  const restLow = usedLow & ~movingLow
  const restHigh = usedHigh & ~movingHigh
  const crowd = 32 - Math.clz32(moves)
  count = writeSlots(
    count,
    restLow,
    restHigh,
    markedLow & restLow,
    markedHigh & restHigh,
    movingLow,
    movingHigh,
    CONTEXT_ANY_REST + age * 6 + (crowd > 5 ? 5 : crowd),
    CONTEXT_EIGHTH_REST + age * 8,
    CONTEXT_SLOT_REST + age * 2,
  )
  count = writeSlots(
    count,
    emptyLow,
    emptyHigh,
    markedLow & emptyLow,
    markedHigh & emptyHigh,
    0,
    0,
    CONTEXT_ANY_NEW + isKeyframe,
    CONTEXT_EIGHTH_NEW + isKeyframe * 4,
    CONTEXT_SLOT_NEW + isKeyframe,
  )
  let template = plan.shape.defaults
  let templateAt = 0
  let later = 0
  const changeContext = CONTEXT_CHANGE + age * 7
  let used = usedLow
  let moving = movingLow
  let marked = markedLow
  for (let from = 0; ;) {
    for (rest = marked | moving; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest
      const slot = from + lowestBit(rest)
      const at = slot * width
      const change = (marked & bit) === 0 ? 0 : changes[slot]!
      if ((used & bit) !== 0) {
        const activity = (moving & bit) === 0 ? 0 : activities[slot]!
        count = writeSymbol(count, changeContext + activity, change)
        if (change === 0) continue
        if (change !== 4) {
          if ((change & 2) !== 0) count = writeStill(count, plan, next.rows, base!.rows, at)
          if ((change & 1) === 0) continue
          const velocity = activity === 0 || activity === FRESH ? undefined : before!.rows
          count = writeMoving(count, plan, next.rows, base!.rows, velocity, at, age, ratio, activity)
          continue
        }
        const zone = movedTo(slot, base!.ids[slot]!)
        const isReplaced = next.ids[slot] !== 0
        count = writeSymbol(count, CONTEXT_LEFT, (isReplaced ? 1 : 0) | (zone === undefined ? 0 : 2))
        if (zone !== undefined) count = writeWide(count, CONTEXT_ZONE, CONTEXT_ZONE_LENGTH, zone)
        if (!isReplaced) continue
      }
      const id = next.ids[slot]!
      if (later === 0 && base !== undefined) lastId = largestId(base.ids)
      count = writeWide(count, CONTEXT_ID, CONTEXT_ID_LENGTH, shortWay(id - lastId, 0x100000000))
      lastId = id
      count = writeNew(count, plan, next.rows, at, template, templateAt, later)
      template = next.rows
      templateAt = at
      later = 1
    }
    if (from !== 0) return count
    from = 32
    used = usedHigh
    moving = movingHigh
    marked = markedHigh
  }
}
