import { readBits, resetWriter, writeBits, writtenBytes, type BitReader, type BitWriter } from './bits.ts'
import type { Frame } from './frames.ts'
import type { Layout } from './layout.ts'

/**
 * A segment is one group's change from a baseline frame to a later one, as bits: a pure function of the two frames, so
 * that its bytes serve every client that holds the baseline. Layout of the bits: PROTOCOL.md, "Segment".
 */

/** Where the object that left a slot went: the zone it is in now, or `undefined` when it was deleted. */
export type MovedTo = (slot: number, doId: number) => number | undefined

/** Words of up to this many bits are sent whole; wider ones as a difference with a 3-bit size before it. */
const WHOLE_BITS = 4

/** The sizes in bits that a 3-bit selector names, for a word of `bits` bits. */
const sizeOf = (bits: number, selector: number): number => Math.ceil((bits * (selector + 1)) / 8)

const selectorFor = (bits: number, need: number): number => {
  let selector = 0
  while (sizeOf(bits, selector) < need) selector++
  return selector
}

const bitLength = (value: number): number => 32 - Math.clz32(value)

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

const writeWord = (writer: BitWriter, to: number, from: number, bits: number, span: number): void => {
  if (bits === 0) return
  if (to === from) {
    writeBits(writer, 0, 1)
    return
  }
  writeBits(writer, 1, 1)
  if (bits <= WHOLE_BITS) {
    writeBits(writer, to, bits)
    return
  }
  const zigzag = difference(to, from, span)
  const selector = selectorFor(bits, bitLength(zigzag))
  writeBits(writer, selector, 3)
  writeBits(writer, zigzag, sizeOf(bits, selector))
}

/** The word, or -1 when the bits are not of a valid one. */
const readWord = (reader: BitReader, from: number, bits: number, span: number): number => {
  if (bits === 0 || readBits(reader, 1) === 0) return from
  if (bits <= WHOLE_BITS) {
    const whole = readBits(reader, bits)
    return whole <= span ? whole : -1
  }
  const zigzag = readBits(reader, sizeOf(bits, readBits(reader, 3)))
  return zigzag <= span ? addDifference(from, zigzag, span) : -1
}

const isRowEqual = (a: Uint32Array, b: Uint32Array, at: number, width: number): boolean => {
  for (let index = at; index < at + width; index++) if (a[index] !== b[index]) return false
  return true
}

const isSlotEqual = (base: Frame | undefined, frame: Frame, slot: number, width: number): boolean => {
  const id = frame.ids[slot]!
  if (base === undefined) return id === 0
  if (base.ids[slot] !== id) return false
  return id === 0 || isRowEqual(base.rows, frame.rows, slot * width, width)
}

/** Encodes the change from `base` (nothing, for a keyframe) to `frame` into fresh bytes. */
export const encodeSegment = (
  writer: BitWriter,
  layout: Layout,
  base: Frame | undefined,
  frame: Frame,
  movedTo: MovedTo,
): Uint8Array => {
  resetWriter(writer)
  const { width, spans, bits, slots } = layout
  let end = slots
  while (end > 0 && isSlotEqual(base, frame, end - 1, width)) end--
  writeBits(writer, end, 7)
  for (let slot = 0; slot < end; slot++) {
    if (isSlotEqual(base, frame, slot, width)) {
      writeBits(writer, 0, 1)
      continue
    }
    writeBits(writer, 1, 1)
    const id = frame.ids[slot]!
    const baseId = base === undefined ? 0 : base.ids[slot]!
    const isUpdate = id === baseId
    if (baseId !== 0) writeBits(writer, isUpdate ? 1 : 0, 1)
    if (!isUpdate) {
      if (baseId !== 0) {
        writeBits(writer, id === 0 ? 0 : 1, 1)
        const zone = movedTo(slot, baseId)
        writeBits(writer, zone === undefined ? 0 : 1, 1)
        if (zone !== undefined) writeBits(writer, zone, 32)
      }
      if (id === 0) continue
      writeBits(writer, id, 32)
    }
    const from = isUpdate ? base!.rows : layout.defaults
    const fromAt = isUpdate ? slot * width : 0
    for (let word = 0; word < width; word++)
      writeWord(writer, frame.rows[slot * width + word]!, from[fromAt + word]!, bits[word]!, spans[word]!)
  }
  return writtenBytes(writer)
}

/** Told of each object that left its slot: `zone` is where it went, `undefined` when it was deleted. */
export type OnLeft = (doId: number, zone: number | undefined) => void

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
  const { width, spans, bits, slots } = layout
  if (base) {
    frame.ids.set(base.ids)
    frame.rows.set(base.rows)
  } else {
    frame.ids.fill(0)
    frame.rows.fill(0)
  }
  const end = readBits(reader, 7)
  if (end > slots) return false
  for (let slot = 0; slot < end; slot++) {
    if (readBits(reader, 1) === 0) continue
    const baseId = frame.ids[slot]!
    const isUpdate = baseId !== 0 && readBits(reader, 1) === 1
    if (!isUpdate) {
      let isAlive = true
      if (baseId !== 0) {
        isAlive = readBits(reader, 1) === 1
        const zone = readBits(reader, 1) === 1 ? readBits(reader, 32) : undefined
        if (reader.failed) return false
        onLeft(baseId, zone)
      }
      if (!isAlive) {
        frame.ids[slot] = 0
        frame.rows.fill(0, slot * width, (slot + 1) * width)
        continue
      }
      const id = readBits(reader, 32)
      if (id === 0) return false
      frame.ids[slot] = id
      frame.rows.set(layout.defaults, slot * width)
    }
    for (let word = 0; word < width; word++) {
      const at = slot * width + word
      const value = readWord(reader, frame.rows[at]!, bits[word]!, spans[word]!)
      if (value < 0) return false
      frame.rows[at] = value
    }
    if (reader.failed) return false
  }
  return !reader.failed && reader.end - reader.position < 8 && readBits(reader, reader.end - reader.position) === 0
}
