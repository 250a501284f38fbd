import {
  activities,
  activityOf,
  componentSteps,
  expectedIndex,
  FRESH,
  landing,
  largestId,
  leapClass,
  leapOf,
  LEFT_OUT,
  lowestBit,
  movingContext,
  ordered,
  POPULATION,
  predictRotation,
  residualClass,
  rotation,
  rotationBase,
  unordered,
  type GroupState,
} from './model.ts'
import { ageOf, Context, LENGTH, MARGINS, MOST_BYTES, Movement, NEW, OWN, SMALL_BITS, type Plan } from './plan.ts'
import { isDecoded, readNumber, readRaw, readSymbol, startDecoding } from './range-decoder.ts'
import type { SegmentCodec } from './tables.ts'

/** Told of each object that left its slot: `zone` is where it went, `undefined` when it was deleted. */
export type OnLeft = (doId: number, zone: number | undefined) => void

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
  const { still, movements, firsts, moduli, bits, signs } = plan
  let seen = 0
  for (let index = 0; index < still.length; index++) {
    const word = still[index]!
    const old = rows[at + word]!
    const first = firsts[word]!
    const difference = readNumber(first + OWN + (bits[word]! <= SMALL_BITS ? old : seen), first + LENGTH)
    if (difference === 0) continue
    const sign = movements[word] === Movement.wideStill ? signs[word]! : 0
    const value = add(ordered(old, sign), difference, moduli[word]!)
    if (value < 0) return false
    rows[at + word] = unordered(value, sign)
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
  const { moving, movements, firsts, moduli, bits, signs } = plan
  let most = 0
  let residual = activity
  for (let index = 0; index < moving.length; index++) {
    const word = moving[index]!
    const place = at + word
    const movement = movements[word]!
    const first = firsts[word]!
    if (movement === Movement.quaternion) {
      const size = bits[word + 1]!
      const shift = 32 - size
      const steps = (1 << (size - 1)) - 1
      predictRotation(base, before, place, size, ratio)
      const expected = expectedIndex()
      const left = (readSymbol(first + OWN + age * MARGINS + (expected & 7)) + (expected >> 3)) & 3
      rows[place] = left
      const omitted = LEFT_OUT[left]!
      let largest = 0
      let part = place + 1
      for (let component = 0; component < 4; component++) {
        if (component === omitted) continue
        const step = componentSteps(rotation, component, omitted, steps)
        const leap = step - componentSteps(rotationBase, component, omitted, steps)
        const own = firsts[part - at]!
        const number = readNumber(
          movingContext(own + OWN, age, leapClass(leap < 0 ? -leap : leap), residual),
          own + LENGTH,
        )
        const missed = number < 0 ? -number : number
        if (missed > 1 << (size - 1)) return false
        rows[part] = ((step + (leap < 0 ? 0 - number : number)) << shift) >>> shift
        if (missed > largest) largest = missed
        residual = residualClass(largest > most >> 1 ? largest : most >> 1)
        part++
      }
      if (largest > most) most = largest
      residual = residualClass(most)
      continue
    }
    const modulus = moduli[word]!
    const sign = movement === Movement.wideLinear ? signs[word]! : 0
    const old = ordered(base[place]!, sign)
    const leap = before === undefined ? 0 : leapOf(old, ordered(before[place]!, sign), modulus, ratio)
    const number = readNumber(
      movingContext(first + OWN, age, leapClass(leap < 0 ? -leap : leap), residual),
      first + LENGTH,
    )
    const value = add(landing(old, leap, modulus, movement === Movement.angle), leap < 0 ? 0 - number : number, modulus)
    if (value < 0) return false
    rows[place] = unordered(value, sign)
    const missed = number < 0 ? -number : number
    if (missed > most) most = missed
    residual = residualClass(most)
  }
  return true
}

const readNew = (plan: Plan, rows: Uint32Array, at: number, from: Uint32Array, fromAt: number, later: number): boolean => {
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
  startDecoding(codec.tables, codec.map, bytes, start, end)
  const isPlain = readSymbol(Context.plain) !== 0
  const isValid = isPlain
    ? readPlain(plan, next)
    : readModelled(plan, base, base === undefined ? undefined : before, ticksBase, ticksBefore, next)
  if (!isValid || !isDecoded()) return false
  for (let index = 0; index < leftCount; index++)
    onLeft(leftIds[index]!, leftZones[index] === 0 ? undefined : leftZones[index]! - 1)
  return true
}

const noteLeft = (doId: number, zone: number): void => {
  leftIds[leftCount] = doId
  leftZones[leftCount] = zone + 1
  leftCount++
}

const readModelled = (
  plan: Plan,
  base: GroupState | undefined,
  before: GroupState | undefined,
  ticksBase: number,
  ticksBefore: number,
  next: GroupState,
): boolean => {
  const { slots, width } = plan
  const { ids, rows } = next
  const age = before === undefined ? 0 : ageOf(ticksBase)
  const ratio = ticksBase / ticksBefore
  let lastId = 0
  let usedLow = 0
  let usedHigh = 0
  let movingLow = 0
  let movingHigh = 0
  let moves = 0
  if (base !== undefined)
    for (let slot = 0; slot < slots; slot++) {
      const id = ids[slot]!
      if (id === 0) continue
      if (slot < 32) usedLow |= 1 << slot
      else usedHigh |= 1 << slot
      if (before === undefined) continue
      const activity = id === before.ids[slot] ? activityOf(plan, base.rows, before.rows, slot * width) : FRESH
      activities[slot] = activity
      if (activity === 0) continue
      moves++
      if (slot < 32) movingLow |= 1 << slot
      else movingHigh |= 1 << slot
    }
  const isKeyframe = base === undefined ? 1 : 0
  const crowd = 32 - Math.clz32(moves)
  readSlots(
    usedLow & ~movingLow,
    usedHigh & ~movingHigh,
    movingLow,
    movingHigh,
    Context.anyRest + age * 6 + (crowd > 5 ? 5 : crowd),
    Context.eighthRest + age * 8,
    Context.slotRest + age * 2,
  )
  let toReadLow = movingLow | markedLow
  let toReadHigh = movingHigh | markedHigh
  readSlots(
    ~usedLow & (slots < 32 ? (1 << slots) - 1 : -1),
    slots <= 32 ? 0 : ~usedHigh & (slots < 64 ? (1 << (slots - 32)) - 1 : -1),
    0,
    0,
    Context.anyNew + isKeyframe,
    Context.eighthNew + isKeyframe * 4,
    Context.slotNew + isKeyframe,
  )
  toReadLow |= markedLow
  toReadHigh |= markedHigh
  let template = plan.shape.defaults
  let templateAt = 0
  let later = 0
  const changeContext = Context.change + age * 7
  let rest = toReadLow
  for (let from = 0; ; ) {
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
          if ((change & 1) !== 0 && !readMoving(plan, rows, base!.rows, velocity, at, age, ratio, activity)) return false
          continue
        }
        const left = readSymbol(Context.left)
        let zone = -1
        if ((left & 2) !== 0) {
          zone = readNumber(Context.zone, Context.zoneLength)
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
      lastId = add(lastId, readNumber(Context.id, Context.idLength), 0x100000000)
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

const readPlain = (plan: Plan, next: GroupState): boolean => {
  const { slots, width, bits, moduli } = plan
  const { ids, rows } = next
  for (let slot = 0; slot < slots; slot++) {
    const baseId = ids[slot]!
    const isKept = baseId !== 0 && readRaw(1) === 1
    if (!isKept) {
      if (baseId !== 0) noteLeft(baseId, readRaw(1) === 1 ? readRaw(32) : -1)
      ids[slot] = readRaw(1) === 1 ? readRaw(32) : 0
    }
    const isUsed = ids[slot] !== 0
    for (let word = slot * width; word < (slot + 1) * width; word++) {
      const value = isUsed ? readRaw(bits[word - slot * width]!) : 0
      if (value >= moduli[word - slot * width]!) return false
      rows[word] = value
    }
  }
  return true
}
