import { finishBits, flushBits, readBits, resetWriter, writeBits, type BitReader, type BitWriter } from './bits.ts'
import type { Frame, SlotSet } from './frames.ts'
import { FIXED_WORDS, type Layout } from './layout.ts'
import { isAtEnd, readRawRows, writeRawRows } from './raw.ts'
import { MOST_BYTES } from './segment-size.ts'

/**
 * A segment is one group's change from a baseline frame to a later one, as bits: a pure function of the frames, so
 * that its bytes serve every client that holds the baseline. Layout of the bits: PROTOCOL.md, "Segment".
 */

/** Where the object that left a slot went: the zone it is in now, or `undefined` when it was deleted. */
export type MovedTo = (slot: number, doId: number) => number | undefined

/** Words of up to this many bits are sent whole; wider ones as a difference with a 3-bit size before it. */
const WHOLE_BITS = 4

/** The sizes in bits that a 3-bit selector names, for a word of `bits` bits: row `bits`, eight columns. */
const SIZES = new Uint8Array(33 * 8)
for (let bits = 1; bits <= 32; bits++) {
  const steps = bits <= 20 ? [2, 3, 4, 5, 6, 8, 11] : [2, 3, 5, 7, 9, 12, 18]
  for (let selector = 0; selector < 8; selector++)
    SIZES[bits * 8 + selector] = Math.min(bits, selector === 7 ? bits : steps[selector]!)
}

/** The difference from `from` to `to` the short way round `0..span`, zigzag coded: always within `span` itself. */
const difference = (to: number, from: number, span: number): number => {
  const modulus = span + 1
  let delta = to - from
  if (delta < 0) delta += modulus
  const back = modulus - delta
  return (delta === 0 || delta <= back - 1 ? delta * 2 : back * 2 - 1) >>> 0
}

const addDifference = (from: number, zigzag: number, span: number): number => {
  const modulus = span + 1
  const odd = zigzag % 2
  const delta = odd ? -((zigzag + 1) / 2) : zigzag / 2
  let to = from + delta
  if (to < 0) to += modulus
  else if (to >= modulus) to -= modulus
  return to
}

/** The selector for a word of `bits` bits and a difference of `need`: row `bits`, 33 columns. */
const SELECTORS = /* @__PURE__ */ (() => {
  const selectors = new Uint8Array(33 * 33)
  for (let bits = 1; bits <= 32; bits++)
    for (let need = 0; need <= bits; need++) {
      let selector = 0
      while (SIZES[bits * 8 + selector]! < need) selector++
      selectors[bits * 33 + need] = selector
    }
  return selectors
})()

/** Bits that a word of a changed object takes. */
export const bitsOfWord = (to: number, from: number, bits: number, span: number): number => {
  if (bits === 0) return 0
  if (to === from) return 1
  if (bits <= WHOLE_BITS) return 1 + bits
  return 4 + SIZES[bits * 8 + SELECTORS[bits * 33 + 32 - Math.clz32(difference(to, from, span))]!]!
}

/** The word, or -1 when the bits are not of a valid one. */
const readWord = (reader: BitReader, from: number, bits: number, span: number): number => {
  if (bits === 0 || readBits(reader, 1) === 0) return from
  if (bits <= WHOLE_BITS) {
    const whole = readBits(reader, bits)
    return whole <= span ? whole : -1
  }
  const zigzag = readBits(reader, SIZES[bits * 8 + readBits(reader, 3)]!)
  return zigzag <= span ? addDifference(from, zigzag, span) : -1
}

const isSlotEqual = (base: Frame | undefined, frame: Frame, slot: number, width: number): boolean => {
  const id = frame.ids[slot]!
  if (base === undefined) return id === 0
  if (base.ids[slot] !== id) return false
  if (id === 0) return true
  const { rows } = frame
  const before = base.rows
  for (let index = slot * width, end = index + width; index < end; index++)
    if (rows[index] !== before[index]) return false
  return true
}

/** Slots that differ, of the segment that is being written. */
const changed = new Uint8Array(64)

/** Bits that hold a slot's number: 6 for 64. */
export const slotBits = (layout: Layout): number => 32 - Math.clz32(layout.slots - 1)

const differingSlots = (layout: Layout, base: Frame | undefined, frame: Frame, slots: SlotSet): number => {
  let count = 0
  for (let half = 0; half < 2; half++) {
    let rest = half === 0 ? slots.low : slots.high
    while (rest !== 0) {
      const slot = half * 32 + 31 - Math.clz32(rest & -rest)
      rest &= rest - 1
      if (slot < layout.slots && !isSlotEqual(base, frame, slot, layout.width)) changed[count++] = slot
    }
  }
  return count
}

/** Writes words `first` to `end` of a row; by itself, so that the bits stay in registers. */
const writeWords = (
  writer: BitWriter,
  layout: Layout,
  to: Uint32Array,
  at: number,
  from: Uint32Array,
  fromAt: number,
  first: number,
  end: number,
): void => {
  const { spans, bits } = layout
  let { rest, fill } = writer
  for (let word = first; word < end; word++) {
    const size = bits[word]!
    if (size === 0) continue
    const now = to[at + word]!
    const before = from[fromAt + word]!
    if (now === before) fill++
    else if (size <= WHOLE_BITS) {
      rest |= ((now << 1) | 1) << fill
      fill += size + 1
    } else {
      const zigzag = difference(now, before, spans[word]!)
      const selector = SELECTORS[size * 33 + 32 - Math.clz32(zigzag)]!
      const count = SIZES[size * 8 + selector]!
      rest |= ((selector << 1) | 1) << fill
      fill += 4
      if (fill + count <= 32) {
        rest |= zigzag << fill
        fill += count
      } else {
        writer.rest = rest
        writer.fill = fill
        flushBits(writer)
        writeBits(writer, zigzag, count)
        rest = writer.rest
        fill = writer.fill
      }
    }
    if (fill >= 8) {
      writer.rest = rest
      writer.fill = fill
      flushBits(writer)
      rest = writer.rest
      fill = writer.fill
    }
  }
  writer.rest = rest
  writer.fill = fill
}

/** The words of an object that changes; owner and epoch, which seldom do, share one bit. */
const writeRow = (
  writer: BitWriter,
  layout: Layout,
  to: Uint32Array,
  at: number,
  from: Uint32Array,
  fromAt: number,
): void => {
  const isHandedOver = to[at] !== from[fromAt] || to[at + 1] !== from[fromAt + 1]
  writeBits(writer, isHandedOver ? 1 : 0, 1)
  writeWords(writer, layout, to, at, from, fromAt, isHandedOver ? 0 : FIXED_WORDS, layout.width)
}

/**
 * Encodes the change from `base` (nothing, for a keyframe) to `frame` behind what is in the writer; `slots` are those
 * that may differ. Returns the size in bytes.
 */
export const encodeSegment = (
  writer: BitWriter,
  layout: Layout,
  base: Frame | undefined,
  frame: Frame,
  slots: SlotSet,
  movedTo: MovedTo,
): number => {
  const start = writer.at
  const { width } = layout
  const indexBits = slotBits(layout)
  const count = differingSlots(layout, base, frame, slots)
  const isList = indexBits > 0 && count * indexBits < layout.slots
  writeBits(writer, isList ? 1 : 0, 1)
  if (isList) writeBits(writer, count, indexBits)
  else {
    let next = 0
    for (let slot = 0; slot < layout.slots; slot++) {
      const isChanged = next < count && changed[next] === slot
      writeBits(writer, isChanged ? 1 : 0, 1)
      if (isChanged) next++
    }
  }
  let lastId = 0
  for (let index = 0; index < count; index++) {
    const slot = changed[index]!
    if (isList) writeBits(writer, slot, indexBits)
    const id = frame.ids[slot]!
    const baseId = base === undefined ? 0 : base.ids[slot]!
    if (id !== baseId) {
      if (baseId !== 0) {
        const zone = movedTo(slot, baseId)
        writeBits(writer, (id === 0 ? 0 : 2) | (zone === undefined ? 0 : 4), 3)
        if (zone !== undefined) writeBits(writer, zone, 32)
      }
      if (id === 0) continue
      const isNear = lastId !== 0 && id > lastId && id - lastId <= 16
      writeBits(writer, isNear ? 1 : 0, 1)
      writeBits(writer, isNear ? id - lastId - 1 : id, isNear ? 4 : 32)
      lastId = id
      writeRow(writer, layout, frame.rows, slot * width, layout.defaults, 0)
    } else {
      writeBits(writer, 1, 1)
      writeRow(writer, layout, frame.rows, slot * width, base!.rows, slot * width)
    }
  }
  if (finishBits(writer) - start <= MOST_BYTES) return writer.at - start
  // At worst without the zones that objects went to.
  const length = writeRows(writer, start, layout, base, frame, movedTo)
  return length <= MOST_BYTES ? length : writeRows(writer, start, layout, base, frame, undefined)
}

/** The rows as they are, behind an empty list and a one. */
const writeRows = (
  writer: BitWriter,
  start: number,
  layout: Layout,
  base: Frame | undefined,
  frame: Frame,
  movedTo: MovedTo | undefined,
): number => {
  resetWriter(writer, start)
  writeBits(writer, 1, 1 + slotBits(layout))
  writeBits(writer, 1, 1)
  writeRawRows(writer, layout, frame, base, movedTo)
  return finishBits(writer) - start
}

/** Told of each object that left its slot: `zone` is where it went, `undefined` when it was deleted. */
export type OnLeft = (doId: number, zone: number | undefined) => void

/** Reads the words of a changed object over those in `rows`. False: not of a valid row. */
const readRow = (reader: BitReader, layout: Layout, rows: Uint32Array, at: number): boolean => {
  const { width, spans, bits } = layout
  for (let word = readBits(reader, 1) === 1 ? 0 : FIXED_WORDS; word < width; word++) {
    const value = readWord(reader, rows[at + word]!, bits[word]!, spans[word]!)
    if (value < 0) return false
    rows[at + word] = value
  }
  return !reader.failed
}

/** Reads which slots differ into `changed` (for a list: nothing yet). Returns how many, -1 when they are too many. */
const readSlots = (reader: BitReader, layout: Layout, isList: boolean): number => {
  if (isList) {
    const count = readBits(reader, slotBits(layout))
    return count <= layout.slots ? count : -1
  }
  let count = 0
  for (let slot = 0; slot < layout.slots; slot++) if (readBits(reader, 1) === 1) changed[count++] = slot
  return count
}

/**
 * Decodes a segment into `frame`, all of which it overwrites. Total: any bytes give true or false, in time bounded by
 * the group's size, and touch nothing but `frame`. False: not a segment of these frames; `frame` is then rubbish.
 */
export const decodeSegment = (
  reader: BitReader,
  layout: Layout,
  base: Frame | undefined,
  frame: Frame,
  onLeft: OnLeft,
): boolean => {
  const { width, slots } = layout
  if (base) {
    frame.ids.set(base.ids)
    frame.rows.set(base.rows)
  } else {
    frame.ids.fill(0)
    frame.rows.fill(0)
  }
  const indexBits = slotBits(layout)
  const isList = readBits(reader, 1) === 1
  const count = readSlots(reader, layout, isList)
  if (isList && count === 0 && readBits(reader, 1) === 1) return readRawRows(reader, layout, frame, onLeft)
  let lastId = 0
  let lastSlot = -1
  for (let index = 0; index < count; index++) {
    const slot = isList ? readBits(reader, indexBits) : changed[index]!
    if (slot <= lastSlot || slot >= slots) return false
    lastSlot = slot
    const baseId = frame.ids[slot]!
    if (baseId === 0 || readBits(reader, 1) === 0) {
      const fate = baseId === 0 ? 1 : readBits(reader, 2)
      if (baseId !== 0) {
        const zone = fate & 2 ? readBits(reader, 32) : undefined
        if (reader.failed) return false
        onLeft(baseId, zone)
      }
      if ((fate & 1) === 0) {
        frame.ids[slot] = 0
        frame.rows.fill(0, slot * width, (slot + 1) * width)
        continue
      }
      const isNear = readBits(reader, 1) === 1
      if (isNear && lastId === 0) return false
      const id = isNear ? (lastId + 1 + readBits(reader, 4)) >>> 0 : readBits(reader, 32)
      if (id === 0) return false
      lastId = id
      frame.ids[slot] = id
      frame.rows.set(layout.defaults, slot * width)
    }
    if (!readRow(reader, layout, frame.rows, slot * width)) return false
  }
  return count >= 0 && isAtEnd(reader)
}
