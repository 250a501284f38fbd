import { readBits, writeBits, type BitReader, type BitWriter } from './bits.ts'

/**
 * Rows as they are, bit by bit: what a codec falls back to when its own way takes more than one segment may have. Layout of the bits:
 * PROTOCOL.md, "Raw rows".
 */

/** What of a layout matters here. */
export interface RawShape {
  readonly slots: number
  readonly width: number
  /** Size in bits and largest value of each word of a row. */
  readonly bits: Uint8Array
  readonly spans: Float64Array
}

/** A group: doId by slot (0: empty), and the rows. */
export interface RawState {
  readonly ids: Uint32Array
  readonly rows: Uint32Array
}

/** Writes all slots of `next`; `movedTo` is where those that left went, `undefined` when that is not to be told. */
export const writeRawRows = (
  writer: BitWriter,
  { slots, width, bits }: RawShape,
  next: RawState,
  base: RawState | undefined,
  movedTo: ((slot: number, doId: number) => number | undefined) | undefined,
): void => {
  for (let slot = 0; slot < slots; slot++) {
    const id = next.ids[slot]!
    const baseId = base === undefined ? 0 : base.ids[slot]!
    if (baseId !== 0) {
      writeBits(writer, id === baseId ? 1 : 0, 1)
      const zone = id === baseId ? undefined : movedTo?.(slot, baseId)
      if (id !== baseId) writeBits(writer, zone === undefined ? 0 : 1, 1)
      if (zone !== undefined) writeBits(writer, zone, 32)
    }
    if (id !== baseId || baseId === 0) {
      writeBits(writer, id === 0 ? 0 : 1, 1)
      if (id !== 0) writeBits(writer, id, 32)
    }
    if (id !== 0)
      for (let word = 0; word < width; word++) writeBits(writer, next.rows[slot * width + word]!, bits[word]!)
  }
}

/**
 * Reads all slots over `next`, which holds the baseline. Total: false when these are no rows of the shape; `next` is then rubbish.
 * `onLeft` is told of each object that left, `zone` is where it went, `undefined` when it was deleted, or that was not told.
 */
export const readRawRows = (
  reader: BitReader,
  { slots, width, bits, spans }: RawShape,
  { ids, rows }: RawState,
  onLeft: (doId: number, zone: number | undefined) => void,
): boolean => {
  for (let slot = 0; slot < slots; slot++) {
    const baseId = ids[slot]!
    if (baseId === 0 || readBits(reader, 1) === 0) {
      if (baseId !== 0) onLeft(baseId, readBits(reader, 1) === 1 ? readBits(reader, 32) : undefined)
      ids[slot] = readBits(reader, 1) === 1 ? readBits(reader, 32) : 0
    }
    const isUsed = ids[slot] !== 0
    for (let word = 0; word < width; word++) {
      const value = isUsed ? readBits(reader, bits[word]!) : 0
      if (value > spans[word]!) return false
      rows[slot * width + word] = value
    }
  }
  return isAtEnd(reader)
}

/** Whether nothing but the padding of the last byte is left, and nothing was missing. */
export const isAtEnd = (reader: BitReader): boolean =>
  !reader.failed && reader.end - reader.position < 8 && readBits(reader, reader.end - reader.position) === 0
