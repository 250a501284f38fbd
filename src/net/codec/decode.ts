import { bitReader, resetReader } from '../bits.ts'
import { readRawRows } from '../raw.ts'
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
  towards,
  unordered,
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
import { isDecoded, readNumber, readSymbol, startDecoding } from './range-decoder.ts'
import { RAW_MARK } from './symbols.ts'
import type { SegmentCodec } from './tables.ts'

/** Told of each object that left its slot: `zone` is where it went, `undefined` when it was deleted. */
export type OnLeft = (doId: number, zone: number | undefined) => void

/** Slots that may differ between the segment that was decoded last and its baseline: bit i of the two words. */
export const decoded = { low: 0, high: 0 }

/** Slots that were marked by {@link readSlots}. */
let markedLow = 0
let markedHigh = 0

/** Objects that left, and their zones + 1, or 0 `[64]`. They are told of when all is known to be well. */
const leftIds = new Uint32Array(64)
const leftZones = new Float64Array(64)
let leftCount = 0

/** `from` and a difference round `modulus`; -1 when that is no value of the word. */
const add = (from: number, difference: number, modulus: number): number => {
  let value = from + difference
  if (value < 0) value += modulus
  else if (value >= modulus) value -= modulus
  return value >= 0 && value < modulus ? value : -1
}

const readSlots = (
  setLow: number,
  setHigh: number,
  nearLow: number,
  nearHigh: number,
  any: number,
  eighth: number,
  slot: number,
): void => {
  markedLow = 0
  markedHigh = 0
  if ((setLow | setHigh) === 0 || readSymbol(any) === 0) return
  for (let part = 0; part < 8; part++) {
    const shift = (part & 3) << 3
    let rest = ((part < 4 ? setLow : setHigh) >>> shift) & 255
    if (rest === 0) continue
    const near = (((part < 4 ? nearLow : nearHigh) >>> shift) & 255) === 0 ? 0 : 1
    const size = POPULATION[rest]! >> 1
    if (readSymbol(eighth + near * 4 + (size > 3 ? 3 : size)) === 0) continue
    for (; rest !== 0; rest &= rest - 1) {
      if (readSymbol(slot + near) === 0) continue
      if (part < 4) markedLow |= (rest & -rest) << shift
      else markedHigh |= (rest & -rest) << shift
    }
  }
}

/** Reads into `rows` over what is there from the baseline. False: no row of this plan. */
const readStill = (plan: Plan, rows: Uint32Array, at: number): boolean => {
  const { still, moduli, signs } = plan
  let seen = 0
  for (let item = 0; item < still.length; item += STILL_SIZE) {
    const word = still[item + STILL_WORD]!
    const old = rows[at + word]!
    const own = still[item + STILL_OWN]!
    const difference = readNumber(own + (still[item + STILL_IS_SMALL] === 1 ? old : seen), own - 1)
    if (difference === 0) continue
    const value = add(ordered(old, signs[word]!), difference, moduli[word]!)
    if (value < 0) return false
    rows[at + word] = unordered(value, signs[word]!)
    seen = 1
  }
  return true
}

const readMoving = (
  plan: Plan,
  rows: Uint32Array,
  base: Uint32Array,
  before: Uint32Array | undefined,
  at: number,
  age: number,
  ratio: number,
  activity: number,
): boolean => {
  const { moving } = plan
  const ageAt = ageContexts(age)
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
      const context = own + ageAt + leapClass(magnitudeOf(leap)) * RESIDUALS + residual
      const number = readNumber(context, own - 1)
      // What is not of 30 bits is caught by the sum.
      const value = add(there, leap < 0 ? 0 - number : number, modulus)
      if (value < 0) return false
      rows[place] = value
      const size = magnitudeOf(number)
      most = largerOf(most, size)
    } else if (kind === KIND_QUATERNION) {
      const shift = moving[item + MOVING_SHIFT]!
      const steps = moving[item + MOVING_STEPS]!
      const expected = predictRotation(base, before, place, shift, steps, ratio)
      const left = (readSymbol(own + age * MARGINS + (expected & 7)) + (expected >> 3)) & 3
      rows[place] = left
      predictParts(base, place, left, shift, steps)
      const least = most >> 1
      let parts = moving[item + MOVING_PARTS]!
      let largest = 0
      for (let part = 0; part < 3; part++) {
        const leap = partLeaps[part]!
        const context = parts + ageAt + leapClass(magnitudeOf(leap)) * RESIDUALS + residual
        const number = readNumber(context, parts - 1)
        if (number > steps + 1 || number < ~steps) return false
        const size = magnitudeOf(number)
        rows[place + 1 + part] = ((partSteps[part]! + towards(number, leap)) << shift) >>> shift
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
      const number = readNumber(own + ageAt + leapClass(Math.abs(leap)) * RESIDUALS + residual, own - 1)
      const value = add(wideLanding(old, leap, modulus), leap < 0 ? 0 - number : number, modulus)
      if (value < 0) return false
      rows[place] = unordered(value, sign)
      most = Math.max(most, Math.min(Math.abs(number), 255))
    }
    residual = residualClass(most)
  }
  return true
}

const readNew = (
  plan: Plan,
  rows: Uint32Array,
  at: number,
  from: Uint32Array,
  fromAt: number,
  later: number,
): boolean => {
  const { width, firsts, moduli, bits, signs } = plan
  for (let word = 0; word < width; word++) {
    if (bits[word] === 0) {
      rows[at + word] = 0
      continue
    }
    const first = firsts[word]!
    const sign = signs[word]!
    const difference = readNumber(first + NEW + later, first + LENGTH)
    const value = add(ordered(from[fromAt + word]!, sign), difference, moduli[word]!)
    if (value < 0) return false
    rows[at + word] = unordered(value, sign)
  }
  return true
}

/**
 * Decodes `bytes[start..end)` into `next`, all of which it overwrites. Total: any bytes give true or false, in time bounded by
 * the size of the group, and write nothing but `next`. False: this is no segment of these states; `next` is then rubbish and
 * `onLeft` was not called.
 *
 * @param base what the segment was made from; `undefined` for a keyframe
 * @param before what movements were foretold from; `undefined` for nothing
 * @param ticksBase ticks from `base` to the segment's, as the encoder had it
 * @param ticksBefore ticks from `before` to `base`
 * @param next must not be the arrays of `base` or `before`
 * @param activeLow bit i: slot i may differ between `before` and `base`; `activeHigh` likewise. All of them, when that is not known
 */
export const decodeSegment = (
  codec: SegmentCodec,
  bytes: Uint8Array,
  start: number,
  end: number,
  base: GroupState | undefined,
  before: GroupState | undefined,
  ticksBase: number,
  ticksBefore: number,
  next: GroupState,
  onLeft: OnLeft,
  activeLow = -1,
  activeHigh = -1,
): boolean => {
  if (!(start >= 0 && start < end && end <= bytes.length) || end - start > MOST_BYTES) return false
  const { plan } = codec
  if (base === undefined) {
    next.ids.fill(0)
    next.rows.fill(0)
  } else {
    next.ids.set(base.ids)
    next.rows.set(base.rows)
  }
  leftCount = 0
  if (bytes[start] === RAW_MARK) {
    resetReader(reader, bytes, start + 1, end)
    decoded.low = -1
    decoded.high = -1
    if (!readRawRows(reader, plan, next, noteLeft)) return false
  } else {
    startDecoding(codec.tables, codec.map, bytes, start, end)
    const earlier = base === undefined ? undefined : before
    if (!readModelled(plan, base, earlier, ticksBase, ticksBefore, next, activeLow, activeHigh) || !isDecoded())
      return false
  }
  for (let index = 0; index < leftCount; index++)
    onLeft(leftIds[index]!, leftZones[index] === 0 ? undefined : leftZones[index]! - 1)
  return true
}

const reader = /* @__PURE__ */ bitReader(/* @__PURE__ */ new Uint8Array(0))

const noteLeft = (doId: number, zone: number | undefined): void => {
  leftIds[leftCount] = doId
  leftZones[leftCount] = zone === undefined ? 0 : zone + 1
  leftCount++
}

/** Whether two rows agree from `start` on up to before `end`: four words at a time, of which the last may be some of those before. */
const isSame = (a: Uint32Array, b: Uint32Array, start: number, end: number): boolean => {
  let differing = 0
  let at = start
  const last = end - 4
  if (last < start) {
    for (; at < end; at++) differing |= a[at]! ^ b[at]!
    return differing === 0
  }
  for (; at < last; at += 4)
    differing |= (a[at]! ^ b[at]!) | (a[at + 1]! ^ b[at + 1]!) | (a[at + 2]! ^ b[at + 2]!) | (a[at + 3]! ^ b[at + 3]!)
  differing |= (a[last]! ^ b[last]!) | (a[last + 1]! ^ b[last + 1]!)
  differing |= (a[last + 2]! ^ b[last + 2]!) | (a[last + 3]! ^ b[last + 3]!)
  return differing === 0
}

const readModelled = (
  plan: Plan,
  base: GroupState | undefined,
  before: GroupState | undefined,
  ticksBase: number,
  ticksBefore: number,
  next: GroupState,
  activeLow: number,
  activeHigh: number,
): boolean => {
  const { slots, width, movingWords } = plan
  const movingFrom = movingWords[0] ?? 0
  const movingEnd = (movingWords[movingWords.length - 1] ?? -1) + 1
  const { ids, rows } = next
  const age = before === undefined ? 0 : ageOf(ticksBase, ticksBefore)
  const ratio = ticksBase / ticksBefore
  let lastId = 0
  let usedLow = 0
  let usedHigh = 0
  let movingLow = 0
  let movingHigh = 0
  let moves = 0
  if (base !== undefined) {
    const { rows: to } = base
    const from = before?.rows
    for (let slot = 0; slot < slots; slot++) {
      const id = ids[slot]!
      if (id === 0) continue
      const bit = 1 << (slot & 31)
      if (slot < 32) usedLow |= bit
      else usedHigh |= bit
      if (from === undefined || ((slot < 32 ? activeLow : activeHigh) & bit) === 0) continue
      let activity = FRESH
      if (id === before!.ids[slot]) {
        // Most slots rest: that is found out first, without a branch for each word.
        const at = slot * width
        if (isSame(to, from, at + movingFrom, at + movingEnd)) continue
        activity = activityOf(plan, to, from, at)
        // What is still lies among what moves.
        if (activity === 0) continue
      }
      activities[slot] = activity
      moves++
      if (slot < 32) movingLow |= bit
      else movingHigh |= bit
    }
  }
  const isKeyframe = base === undefined ? 1 : 0
  const crowd = 32 - Math.clz32(moves)
  readSlots(
    usedLow & ~movingLow,
    usedHigh & ~movingHigh,
    movingLow,
    movingHigh,
    CONTEXT_ANY_REST + age * 6 + (crowd > 5 ? 5 : crowd),
    CONTEXT_EIGHTH_REST + age * 8,
    CONTEXT_SLOT_REST + age * 2,
  )
  let toReadLow = movingLow | markedLow
  let toReadHigh = movingHigh | markedHigh
  readSlots(
    ~usedLow & (slots < 32 ? (1 << slots) - 1 : -1),
    slots <= 32 ? 0 : ~usedHigh & (slots < 64 ? (1 << (slots - 32)) - 1 : -1),
    0,
    0,
    CONTEXT_ANY_NEW + isKeyframe,
    CONTEXT_EIGHTH_NEW + isKeyframe * 4,
    CONTEXT_SLOT_NEW + isKeyframe,
  )
  toReadLow |= markedLow
  toReadHigh |= markedHigh
  decoded.low = toReadLow
  decoded.high = toReadHigh
  let template = plan.shape.defaults
  let templateAt = 0
  let later = 0
  const changeContext = CONTEXT_CHANGE + age * 7
  let rest = toReadLow
  for (let from = 0; ;) {
    for (; rest !== 0; rest &= rest - 1) {
      const slot = from + lowestBit(rest)
      const bit = rest & -rest
      const at = slot * width
      if (((from === 0 ? usedLow : usedHigh) & bit) !== 0) {
        const isMoving = ((from === 0 ? movingLow : movingHigh) & bit) !== 0
        const activity = isMoving ? activities[slot]! : 0
        const change = readSymbol(changeContext + activity)
        if (change === 0) continue
        if (change > 4) return false
        if (change !== 4) {
          if ((change & 2) !== 0 && !readStill(plan, rows, at)) return false
          const velocity = isMoving && activity !== FRESH ? before!.rows : undefined
          if ((change & 1) !== 0 && !readMoving(plan, rows, base!.rows, velocity, at, age, ratio, activity))
            return false
          continue
        }
        const left = readSymbol(CONTEXT_LEFT)
        let zone: number | undefined
        if ((left & 2) !== 0) {
          zone = readNumber(CONTEXT_ZONE, CONTEXT_ZONE_LENGTH)
          if (!(zone >= 0 && zone <= 0xffffffff)) return false
        }
        if (left > 3) return false
        noteLeft(ids[slot]!, zone)
        if ((left & 1) === 0) {
          ids[slot] = 0
          rows.fill(0, at, at + width)
          continue
        }
      }
      if (later === 0 && base !== undefined) lastId = largestId(base.ids)
      lastId = add(lastId, readNumber(CONTEXT_ID, CONTEXT_ID_LENGTH), 0x100000000)
      if (lastId <= 0 || !readNew(plan, rows, at, template, templateAt, later)) return false
      ids[slot] = lastId
      template = rows
      templateAt = at
      later = 1
    }
    if (from !== 0) return true
    from = 32
    rest = toReadHigh
  }
}
