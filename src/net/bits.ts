/** Writes bits, least significant first, into a buffer that grows by doubling. */
export interface BitWriter {
  bytes: Uint8Array
  /** Whole bytes written so far. */
  at: number
  /** The bits after them, fewer than 8. */
  rest: number
  fill: number
}

/** Makes a writer; `capacity` is in bytes. */
export const bitWriter = (capacity = 2048): BitWriter => ({
  bytes: new Uint8Array(Math.max(8, capacity)),
  at: 0,
  rest: 0,
  fill: 0,
})

const grow = (writer: BitWriter): void => {
  const grown = new Uint8Array(writer.bytes.length * 2)
  grown.set(writer.bytes)
  writer.bytes = grown
}

/** Makes room for so many more bytes. */
export const growBits = (writer: BitWriter, room: number): void => {
  while (writer.at + room > writer.bytes.length) grow(writer)
}

/** Starts again from the first byte, or from byte `at`. */
export const resetWriter = (writer: BitWriter, at = 0): void => {
  while (at + 8 > writer.bytes.length) grow(writer)
  writer.at = at
  writer.rest = 0
  writer.fill = 0
}

/** Moves whole bytes of what is pending, at most 32 bits, to the buffer. */
export const flushBits = (writer: BitWriter): void => {
  let { rest, fill, at } = writer
  const { bytes } = writer
  while (fill >= 8) {
    bytes[at++] = rest
    rest >>>= 8
    fill -= 8
  }
  writer.at = at
  writer.rest = rest
  writer.fill = fill
  if (at + 8 > bytes.length) grow(writer)
}

const write24 = (writer: BitWriter, value: number, count: number): void => {
  let rest = writer.rest | (value << writer.fill)
  let fill = writer.fill + count
  if (fill >= 8) {
    let { at } = writer
    const { bytes } = writer
    do {
      bytes[at++] = rest
      rest >>>= 8
      fill -= 8
    } while (fill >= 8)
    writer.at = at
    if (at + 8 > bytes.length) grow(writer)
  }
  writer.rest = rest
  writer.fill = fill
}

/** Appends the low `count` (0..32) bits of `value`. */
export const writeBits = (writer: BitWriter, value: number, count: number): void => {
  if (count > 24) {
    write24(writer, value & 0xffff, 16)
    write24(writer, (value >>> 16) & (count === 32 ? 0xffff : (1 << (count - 16)) - 1), count - 16)
  } else write24(writer, value & ((1 << count) - 1), count)
}

/** Pads the last byte with zero bits. Returns how many bytes there are now. */
export const finishBits = (writer: BitWriter): number => {
  if (writer.fill > 0) write24(writer, 0, 8 - writer.fill)
  return writer.at
}

/** A copy of what was written, the last byte padded with zero bits. */
export const writtenBytes = (writer: BitWriter): Uint8Array => writer.bytes.slice(0, finishBits(writer))

/** Reads bits, least significant first. Reading past the end yields zeros and sets `failed`; it never throws. */
export interface BitReader {
  bytes: Uint8Array
  /** The next bit. */
  position: number
  /** The bit after the last one. */
  end: number
  failed: boolean
}

/** Makes a reader over `bytes[start..end)`. */
export const bitReader = (bytes: Uint8Array, start = 0, end = bytes.length): BitReader => ({
  bytes,
  position: start * 8,
  end: end * 8,
  failed: false,
})

/** Points a reader at other bytes. */
export const resetReader = (reader: BitReader, bytes: Uint8Array, start: number, end: number): void => {
  reader.bytes = bytes
  reader.position = start * 8
  reader.end = end * 8
  reader.failed = false
}

const read24 = (reader: BitReader, count: number): number => {
  const { bytes, position } = reader
  const index = position >>> 3
  const shift = position & 7
  let value = bytes[index]! >>> shift
  if (shift + count > 8) {
    value |= bytes[index + 1]! << (8 - shift)
    if (shift + count > 16) {
      value |= bytes[index + 2]! << (16 - shift)
      if (shift + count > 24) value |= bytes[index + 3]! << (24 - shift)
    }
  }
  reader.position = position + count
  return value & ((1 << count) - 1)
}

/** Takes `count` (0..32) bits as an unsigned number. */
export const readBits = (reader: BitReader, count: number): number => {
  if (reader.position + count > reader.end) {
    reader.failed = true
    reader.position = reader.end
    return 0
  }
  if (count <= 24) return count === 0 ? 0 : read24(reader, count)
  const low = read24(reader, 16)
  return (low | (read24(reader, count - 16) << 16)) >>> 0
}
