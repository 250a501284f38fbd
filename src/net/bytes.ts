import { MAX_PACKET } from './transport.ts'

/**
 * Writes whole bytes, little endian, into a fixed buffer. The caller checks the room first with {@link bytesLeft}: what is written
 * beyond it is lost, and only `length` tells.
 */
export interface ByteWriter {
  readonly bytes: Uint8Array
  readonly view: DataView
  length: number
  /** Where the room ends: at first the buffer's length, never beyond it. */
  limit: number
}

/** Makes a writer of `capacity` bytes; a datagram's worth by default. */
export const byteWriter = (capacity = MAX_PACKET): ByteWriter => {
  const bytes = new Uint8Array(capacity)
  return { bytes, view: new DataView(bytes.buffer), length: 0, limit: capacity }
}

/** Room in bytes. */
export const bytesLeft = (writer: ByteWriter): number => writer.limit - writer.length

export const writeU8 = (writer: ByteWriter, value: number): void => {
  writer.bytes[writer.length++] = value
}

export const writeU16 = (writer: ByteWriter, value: number): void => {
  const { bytes, length } = writer
  bytes[length] = value
  bytes[length + 1] = value >>> 8
  writer.length = length + 2
}

export const writeU32 = (writer: ByteWriter, value: number): void => {
  const { bytes, length } = writer
  bytes[length] = value
  bytes[length + 1] = value >>> 8
  bytes[length + 2] = value >>> 16
  bytes[length + 3] = value >>> 24
  writer.length = length + 4
}

export const writeF32 = (writer: ByteWriter, value: number): void => {
  writer.view.setFloat32(writer.length, value, true)
  writer.length += 4
}

/** Bytes that {@link writeVarint} takes for `value`. */
export const varintSize = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5

/** A uint32 in 1 to 5 bytes, seven bits each, least significant first, the high bit set on all but the last. */
export const writeVarint = (writer: ByteWriter, value: number): void => {
  const { bytes } = writer
  let at = writer.length
  let rest = value >>> 0
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = rest | 0x80
  bytes[at++] = rest
  writer.length = at
}

export const writeBytes = (writer: ByteWriter, bytes: Uint8Array): void => {
  writer.bytes.set(bytes, writer.length)
  writer.length += bytes.length
}

/** Copies `count` bytes from `source`, without the view that `set` would need. */
export const copyBytes = (writer: ByteWriter, source: Uint8Array, start: number, count: number): void => {
  const { bytes } = writer
  let at = writer.length
  for (let index = start, end = start + count; index < end; index++) bytes[at++] = source[index]!
  writer.length = at
}

/** Reads whole bytes. Reading past the end yields zeros and sets `failed`; it never throws. */
export interface ByteReader {
  readonly bytes: Uint8Array
  position: number
  readonly end: number
  failed: boolean
}

export const byteReader = (bytes: Uint8Array): ByteReader => ({
  bytes,
  position: 0,
  end: bytes.length,
  failed: false,
})

/** Whether there is something left to read and nothing failed so far. */
export const more = (reader: ByteReader): boolean => !reader.failed && reader.position < reader.end

const take = (reader: ByteReader, count: number): number => {
  const at = reader.position
  if (reader.failed || at + count > reader.end) {
    reader.failed = true
    return -1
  }
  reader.position = at + count
  return at
}

export const readU8 = (reader: ByteReader): number => {
  const at = take(reader, 1)
  return at < 0 ? 0 : reader.bytes[at]!
}

export const readU16 = (reader: ByteReader): number => {
  const at = take(reader, 2)
  return at < 0 ? 0 : reader.bytes[at]! | (reader.bytes[at + 1]! << 8)
}

export const readU32 = (reader: ByteReader): number => {
  const at = take(reader, 4)
  if (at < 0) return 0
  const { bytes } = reader
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

const float = new DataView(new ArrayBuffer(4))

export const readF32 = (reader: ByteReader): number => {
  float.setUint32(0, readU32(reader), true)
  return float.getFloat32(0, true)
}

export const readVarint = (reader: ByteReader): number => {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readU8(reader)
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) {
      if (value > 0xffffffff) reader.failed = true
      return value >>> 0
    }
  }
  reader.failed = true
  return 0
}

/** A view of the next `count` bytes; empty when they are not there. */
export const readBytes = (reader: ByteReader, count: number): Uint8Array => {
  const at = take(reader, count)
  return at < 0 ? reader.bytes.subarray(0, 0) : reader.bytes.subarray(at, at + count)
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A UTF-8 text with a varint byte length before it. */
export const writeText = (writer: ByteWriter, text: string): void => {
  const bytes = encoder.encode(text)
  writeVarint(writer, bytes.length)
  writeBytes(writer, bytes)
}

/** The UTF-8 text that {@link writeText} wrote; malformed sequences become U+FFFD. */
export const readText = (reader: ByteReader): string => decoder.decode(readBytes(reader, readVarint(reader)))

/** The UTF-8 length of a text in bytes. */
export const textSize = (text: string): number => encoder.encode(text).length

/** Whether two byte strings are equal; nothing equals nothing. */
export const isSameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index])
