/** Writes bits, least significant first, into a buffer that grows by doubling up to a limit. */
export interface BitWriter {
  bytes: Uint8Array
  /** Bits written so far. */
  length: number
}

/** Makes a writer; `capacity` is in bytes. */
export const bitWriter = (capacity = 2048): BitWriter => ({ bytes: new Uint8Array(capacity), length: 0 })

/** Starts again from the first bit. */
export const resetWriter = (writer: BitWriter): void => {
  writer.length = 0
}

const ensureBits = (writer: BitWriter, bits: number): void => {
  const need = (writer.length + bits + 7) >>> 3
  if (need <= writer.bytes.length) return
  const grown = new Uint8Array(Math.max(need, writer.bytes.length * 2))
  grown.set(writer.bytes)
  writer.bytes = grown
}

/** Appends the low `count` (0..32) bits of `value`. */
export const writeBits = (writer: BitWriter, value: number, count: number): void => {
  ensureBits(writer, count)
  const bytes = writer.bytes
  let at = writer.length
  let left = count
  let rest = value >>> 0
  while (left > 0) {
    const index = at >>> 3
    const shift = at & 7
    const take = left < 8 - shift ? left : 8 - shift
    const bits = rest & ((1 << take) - 1)
    if (shift === 0) bytes[index] = bits
    else bytes[index]! |= bits << shift
    rest >>>= take
    at += take
    left -= take
  }
  writer.length = at
}

/** A copy of what was written, the last byte padded with zero bits. */
export const writtenBytes = (writer: BitWriter): Uint8Array => writer.bytes.slice(0, (writer.length + 7) >>> 3)

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

/** Takes `count` (0..32) bits as an unsigned number. */
export const readBits = (reader: BitReader, count: number): number => {
  if (reader.position + count > reader.end) {
    reader.failed = true
    reader.position = reader.end
    return 0
  }
  let value = 0
  let got = 0
  let at = reader.position
  while (got < count) {
    const shift = at & 7
    const take = count - got < 8 - shift ? count - got : 8 - shift
    value += ((reader.bytes[at >>> 3]! >>> shift) & ((1 << take) - 1)) * 2 ** got
    got += take
    at += take
  }
  reader.position = at
  return value
}
