import { ESCAPE, LENGTH_FROM, MOST_TABLE_BYTES, sizeBits, sizeStart, STRIDE, TOTAL_BITS } from './symbols.ts'
import type { Tables } from './tables.ts'

/**
 * The decoder's half of the range coder. It reads zeros behind the last byte, and never fails: any bytes mean something.
 *
 * Its arrays belong to a function that runs once, and have more than 64 bytes. Bundlers make variables of a module's constants: V8 looks
 * those up and checks them at each use. A function's constants it writes into the code, and the addresses of arrays that it does not move.
 */
const createDecoder = () => {
  /** The three bytes from each place on, with zeros behind the last. */
  const input = new Int32Array(MOST_TABLE_BYTES + 1)

  let cumulative: Uint16Array = new Uint16Array(0)
  let lookup: Uint8Array = new Uint8Array(0)
  let map: Uint8Array = new Uint8Array(0)

  /** The state lives in an array: variables that hold large numbers would be allocated anew at each change. */
  const state = new Int32Array(32)
  const CODE = 0
  const RANGE = 1
  /** The next byte, at most the one behind the last. */
  const PLACE = 2
  const END = 3

  /** Of the symbols of numbers: their least magnitudes, and in the upper four bits how many raw bits follow. */
  const sizes = Uint16Array.from(
    { length: ESCAPE },
    (_, symbol) => sizeStart((symbol + 1) >> 1) | (sizeBits((symbol + 1) >> 1) << 12),
  )

  /** Starts to decode `bytes[start..end)`, at most 4,096, with the contexts of `contexts`. */
  const startDecoding = (tables: Tables, contexts: Uint8Array, bytes: Uint8Array, start: number, end: number): void => {
    cumulative = tables.cumulative
    lookup = tables.lookup
    map = contexts
    const length = end - start
    input[1] = input[length] = 0
    let three = 0
    for (let index = length - 1; index >= 0; index--) {
      three = (bytes[start + index]! << 16) | (three >>> 8)
      input[index] = three
    }
    state[CODE] = (input[0]! << 8) | (input[1] & 0xff)
    state[RANGE] = 0xff000000
    state[PLACE] = length < 4 ? length : 4
    state[END] = length
  }

  /** Whether all bytes were looked at, as they are at the end of what an encoder wrote. */
  const isDecoded = (): boolean => state[PLACE] === state[END]

  const narrow = (code: number, range: number): void => {
    const settled = Math.clz32(range) & 24
    const place = state[PLACE]!
    state[CODE] = (code << settled) | (input[place]! >>> (24 - settled))
    state[RANGE] = range << settled
    const next = place + (settled >> 3)
    const end = state[END]!
    state[PLACE] = next < end ? next : end
  }

  /** The next symbol in a context. {@link readNumber} has the same lines: two results of a function would go through memory. */
  const readSymbol = (context: number): number => {
    const sums = cumulative
    const distribution = map[context]!
    const step = state[RANGE]! >>> TOTAL_BITS
    const code = state[CODE]!
    const target = Math.min(((code >>> 0) / step) | 0, (1 << TOTAL_BITS) - 1)
    let at = (distribution << STRIDE) + lookup[(distribution << 7) | (target >>> 7)]!
    let from = sums[at]!
    let to = sums[at + 1]!
    while (to <= target) {
      from = to
      to = sums[++at + 1]!
    }
    narrow((code - Math.imul(step, from)) | 0, Math.imul(step, to - from))
    return at & ((1 << STRIDE) - 1)
  }

  const readBits = (bits: number): number => {
    const step = state[RANGE]! >>> bits
    const code = state[CODE]!
    const value = Math.min(((code >>> 0) / step) | 0, (1 << bits) - 1)
    narrow((code - Math.imul(step, value)) | 0, step)
    return value
  }

  /** `bits` (0 to 32) bits as they are. */
  const readRaw = (bits: number): number => (bits > 16 ? readBits(bits - 16) * 0x10000 + readBits(16) : readBits(bits))

  const readLarge = (lengthContext: number): number => {
    const octave = LENGTH_FROM + readSymbol(lengthContext)
    const isNegative = readRaw(1) === 1
    if (octave > 31) return Infinity
    const size = ((1 << octave) >>> 0) + readRaw(octave)
    return isNegative ? -size : size
  }

  /** A signed number; infinite when the bytes are not of one. */
  const readNumber = (context: number, lengthContext: number): number => {
    const sums = cumulative
    const distribution = map[context]!
    const step = state[RANGE]! >>> TOTAL_BITS
    let code = state[CODE]!
    const target = Math.min(((code >>> 0) / step) | 0, (1 << TOTAL_BITS) - 1)
    let at = (distribution << STRIDE) + lookup[(distribution << 7) | (target >>> 7)]!
    let from = sums[at]!
    let to = sums[at + 1]!
    while (to <= target) {
      from = to
      to = sums[++at + 1]!
    }
    code = (code - Math.imul(step, from)) | 0
    let range = Math.imul(step, to - from)
    const symbol = at & ((1 << STRIDE) - 1)
    if (symbol === ESCAPE) {
      narrow(code, range)
      return readLarge(lengthContext)
    }
    const size = sizes[symbol]!
    const raw = size >> 12
    let magnitude = size & 0xfff
    if (raw !== 0) {
      // Signed like the other way here, or both would go through floating point.
      range = (range >>> raw) | 0
      const which = Math.min(((code >>> 0) / (range >>> 0)) | 0, (1 << raw) - 1)
      code = (code - Math.imul(range, which)) | 0
      magnitude += which
    }
    narrow(code, range)
    const sign = 0 - (symbol & 1)
    return (magnitude ^ sign) - sign
  }

  return [startDecoding, isDecoded, readSymbol, readRaw, readNumber] as const
}

export const [startDecoding, isDecoded, readSymbol, readRaw, readNumber] = /* @__PURE__ */ createDecoder()
