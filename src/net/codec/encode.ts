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
  shortWay,
  type GroupState,
} from './model.ts'
import { ageOf, Context, LENGTH, MARGINS, MOST_BYTES, Movement, NEW, OWN, SMALL_BITS, type Plan } from './plan.ts'
import { codeOperations, startOperations, writeNumber, writeRaw, writeSymbol } from './range-encoder.ts'
import type { SegmentCodec } from './tables.ts'

/** Slots that change, and how: bit 0 what moves, bit 1 what is still; 4 another object or none `[64]`. */
const changes = new Uint8Array(64)

/** Which slots of a set are marked: whether any, then which eighths, then which of them. */
const writeSlots = (
  setLow: number,
  setHigh: number,
  markedLow: number,
  markedHigh: number,
  nearLow: number,
  nearHigh: number,
  any: number,
  eighth: number,
  slot: number,
): void => {
  if ((setLow | setHigh) === 0) return
  if ((markedLow | markedHigh) === 0) {
    writeSymbol(any, 0)
    return
  }
  writeSymbol(any, 1)
  for (let part = 0; part < 8; part++) {
    const shift = (part & 3) << 3
    let rest = ((part < 4 ? setLow : setHigh) >>> shift) & 255
    if (rest === 0) continue
    const marked = ((part < 4 ? markedLow : markedHigh) >>> shift) & 255
    const near = (((part < 4 ? nearLow : nearHigh) >>> shift) & 255) === 0 ? 0 : 1
    const size = POPULATION[rest]! >> 1
    writeSymbol(eighth + near * 4 + (size > 3 ? 3 : size), marked === 0 ? 0 : 1)
    if (marked === 0) continue
    for (; rest !== 0; rest &= rest - 1) writeSymbol(slot + near, (marked & rest & -rest) === 0 ? 0 : 1)
  }
}

const writeStill = (plan: Plan, to: Uint32Array, from: Uint32Array, at: number): void => {
  const { still, movements, firsts, moduli, bits, signs } = plan
  let seen = 0
  for (let index = 0; index < still.length; index++) {
    const word = still[index]!
    const value = to[at + word]!
    const old = from[at + word]!
    const first = firsts[word]!
    const context = first + OWN + (bits[word]! <= SMALL_BITS ? old : seen)
    if (value === old) {
      writeSymbol(context, 0)
      continue
    }
    const sign = movements[word] === Movement.wideStill ? signs[word]! : 0
    writeNumber(context, first + LENGTH, shortWay(ordered(value, sign) - ordered(old, sign), moduli[word]!))
    seen = 1
  }
}

const writeMoving = (
  plan: Plan,
  to: Uint32Array,
  base: Uint32Array,
  before: Uint32Array | undefined,
  at: number,
  age: number,
  ratio: number,
  activity: number,
): void => {
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
      const left = to[place]!
      writeSymbol(first + OWN + age * MARGINS + (expected & 7), (left - (expected >> 3)) & 3)
      const omitted = LEFT_OUT[left]!
      let largest = 0
      let part = place + 1
      for (let component = 0; component < 4; component++) {
        if (component === omitted) continue
        const step = componentSteps(rotation, component, omitted, steps)
        const leap = step - componentSteps(rotationBase, component, omitted, steps)
        const miss = ((to[part]! - step) << shift) >> shift
        const own = firsts[part - at]!
        const missed = miss < 0 ? -miss : miss
        writeNumber(
          movingContext(own + OWN, age, leapClass(leap < 0 ? -leap : leap), residual),
          own + LENGTH,
          leap < 0 ? 0 - miss : miss,
        )
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
    const miss = shortWay(
      ordered(to[place]!, sign) - landing(old, leap, modulus, movement === Movement.angle),
      modulus,
    )
    writeNumber(
      movingContext(first + OWN, age, leapClass(leap < 0 ? -leap : leap), residual),
      first + LENGTH,
      leap < 0 ? 0 - miss : miss,
    )
    const missed = miss < 0 ? -miss : miss
    if (missed > most) most = missed
    residual = residualClass(most)
  }
}

/** The row of a new object as it differs from `from`: the one before it in the segment, or the defaults. */
const writeNew = (plan: Plan, to: Uint32Array, at: number, from: Uint32Array, fromAt: number, later: number): void => {
  const { width, firsts, moduli, bits, signs } = plan
  for (let word = 0; word < width; word++) {
    if (bits[word] === 0) continue
    const first = firsts[word]!
    const sign = signs[word]!
    const difference = ordered(to[at + word]!, sign) - ordered(from[fromAt + word]!, sign)
    writeNumber(first + NEW + later, first + LENGTH, shortWay(difference, moduli[word]!))
  }
}

const rowChange = (plan: Plan, to: Uint32Array, from: Uint32Array, at: number): number => {
  const { still, moving, movements } = plan
  let change = 0
  for (let index = 0; index < moving.length; index++) {
    const place = at + moving[index]!
    if (
      to[place] !== from[place] ||
      (movements[moving[index]!] === Movement.quaternion &&
        (to[place + 1] !== from[place + 1] || to[place + 2] !== from[place + 2] || to[place + 3] !== from[place + 3]))
    ) {
      change = 1
      break
    }
  }
  for (let index = 0; index < still.length; index++)
    if (to[at + still[index]!] !== from[at + still[index]!]) return change | 2
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
  startOperations()
  writeSymbol(Context.plain, 0)
  model(plan, next, base, before, ticksBase, ticksBefore, changedLow, changedHigh, activeLow, activeHigh, movedTo)
  const end = codeOperations(codec.tables, codec.map, bytes, at)
  if (end >= 0 && end - at <= MOST_BYTES) return end - at
  // Rows that the tables make too large: the words as they are, at worst without the zones that objects went to.
  for (const zones of [movedTo, unknown]) {
    startOperations()
    writeSymbol(Context.plain, 1)
    writePlain(plan, next, base, zones)
    const plainEnd = codeOperations(codec.tables, codec.map, bytes, at)
    if (plainEnd >= 0 && plainEnd - at <= MOST_BYTES) return plainEnd - at
  }
  return -1
}

const unknown = (): undefined => undefined

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
): void => {
  const { slots, width } = plan
  const before = base === undefined ? undefined : earlier
  const age = before === undefined ? 0 : ageOf(ticksBase)
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
  for (let from = 0; ; ) {
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
  writeSlots(
    restLow,
    restHigh,
    markedLow & restLow,
    markedHigh & restHigh,
    movingLow,
    movingHigh,
    Context.anyRest + age * 6 + (crowd > 5 ? 5 : crowd),
    Context.eighthRest + age * 8,
    Context.slotRest + age * 2,
  )
  writeSlots(
    emptyLow,
    emptyHigh,
    markedLow & emptyLow,
    markedHigh & emptyHigh,
    0,
    0,
    Context.anyNew + isKeyframe,
    Context.eighthNew + isKeyframe * 4,
    Context.slotNew + isKeyframe,
  )
  let template = plan.shape.defaults
  let templateAt = 0
  let later = 0
  const changeContext = Context.change + age * 7
  rest = markedLow | movingLow
  for (let from = 0; ; ) {
    for (; rest !== 0; rest &= rest - 1) {
      const slot = from + lowestBit(rest)
      const bit = rest & -rest
      const at = slot * width
      const change = ((from === 0 ? markedLow : markedHigh) & bit) === 0 ? 0 : changes[slot]!
      if (((from === 0 ? usedLow : usedHigh) & bit) !== 0) {
        const isMoving = ((from === 0 ? movingLow : movingHigh) & bit) !== 0
        const activity = isMoving ? activities[slot]! : 0
        writeSymbol(changeContext + activity, change)
        if (change === 0) continue
        if (change !== 4) {
          if ((change & 2) !== 0) writeStill(plan, next.rows, base!.rows, at)
          if ((change & 1) !== 0)
            writeMoving(
              plan,
              next.rows,
              base!.rows,
              isMoving && activity !== FRESH ? before!.rows : undefined,
              at,
              age,
              ratio,
              activity,
            )
          continue
        }
        const zone = movedTo(slot, base!.ids[slot]!)
        const isReplaced = next.ids[slot] !== 0
        writeSymbol(Context.left, (isReplaced ? 1 : 0) | (zone === undefined ? 0 : 2))
        if (zone !== undefined) writeNumber(Context.zone, Context.zoneLength, zone)
        if (!isReplaced) continue
      }
      const id = next.ids[slot]!
      if (later === 0 && base !== undefined) lastId = largestId(base.ids)
      writeNumber(Context.id, Context.idLength, shortWay(id - lastId, 0x100000000))
      lastId = id
      writeNew(plan, next.rows, at, template, templateAt, later)
      template = next.rows
      templateAt = at
      later = 1
    }
    if (from !== 0) break
    from = 32
    rest = markedHigh | movingHigh
  }
}

/** All slots and words as they are: for rows that the tables would make too large. */
const writePlain = (plan: Plan, next: GroupState, base: GroupState | undefined, movedTo: MovedTo): void => {
  const { slots, width, bits } = plan
  for (let slot = 0; slot < slots; slot++) {
    const id = next.ids[slot]!
    const baseId = base === undefined ? 0 : base.ids[slot]!
    if (baseId !== 0) {
      if (id === baseId) writeRaw(1, 1)
      else {
        const zone = movedTo(slot, baseId)
        writeRaw(0, 1)
        writeRaw(zone === undefined ? 0 : 1, 1)
        if (zone !== undefined) writeRaw(zone, 32)
      }
    }
    if (id !== baseId || baseId === 0) {
      writeRaw(id === 0 ? 0 : 1, 1)
      if (id !== 0) writeRaw(id, 32)
    }
    if (id !== 0) for (let word = 0; word < width; word++) writeRaw(next.rows[slot * width + word]!, bits[word]!)
  }
}
