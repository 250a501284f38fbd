import { ESCAPE, LENGTH_FROM, MOST_TABLE_BYTES, sizeBits, sizeStart, STRIDE, TOTAL_BITS } from './symbols.ts'
import type { Tables } from './tables.ts'

/** The decoder's half of the range coder. It reads zeros behind the last byte, and never fails: any bytes mean something. */

/** A copy of the bytes with zeros behind them. */
const input = new Uint8Array(MOST_TABLE_BYTES + 4)

let cumulative: Uint16Array = new Uint16Array(0)
let lookup: Uint8Array = new Uint8Array(0)
let map: Uint8Array = new Uint8Array(0)

/** The state lives in an array: variables of a module that hold large numbers would be allocated anew at each change. */
const state = new Int32Array(4)
const CODE = 0
const RANGE = 1
/** The next byte, at most the one behind the last. */
const PLACE = 2
const END = 3

/** Starts to decode `bytes[start..end)`, at most 4,096, with the contexts of `contexts`. */
export const startDecoding = (
  tables: Tables,
  contexts: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): void => {
  cumulative = tables.cumulative
  lookup = tables.lookup
  map = contexts
  const length = end - start
  for (let index = 0; index < length; index++) input[index] = bytes[start + index]!
  input.fill(0, length, length + 4)
  state[CODE] = (input[0]! << 24) | (input[1]! << 16) | (input[2]! << 8) | input[3]!
  state[RANGE] = 0xff000000
  state[PLACE] = length < 4 ? length : 4
  state[END] = length
}

/** Whether all bytes were looked at, as they are at the end of what an encoder wrote. */
export const isDecoded = (): boolean => state[PLACE] === state[END]

const narrow = (code: number, range: number): void => {
  const settled = Math.clz32(range) & 24
  const place = state[PLACE]!
  const bytes = (input[place]! << 16) | (input[place + 1]! << 8) | input[place + 2]!
  state[CODE] = (code << settled) | (bytes >>> (24 - settled))
  state[RANGE] = range << settled
  const next = place + (settled >> 3)
  const end = state[END]!
  state[PLACE] = next < end ? next : end
}

/** The next symbol in a context. {@link readNumber} has the same lines: two results of a function would go through memory. */
export const readSymbol = (context: number): number => {
  const distribution = map[context]!
  const step = state[RANGE]! >>> TOTAL_BITS
  const code = state[CODE]!
  let target = ((code >>> 0) / step) | 0
  if (target >= 1 << TOTAL_BITS) target = (1 << TOTAL_BITS) - 1
  let symbol = lookup[(distribution << 7) | (target >>> 7)]!
  const at = distribution << STRIDE
  while (cumulative[at + symbol + 1]! <= target) symbol++
  const from = cumulative[at + symbol]!
  narrow((code - Math.imul(step, from)) | 0, Math.imul(step, cumulative[at + symbol + 1]! - from))
  return symbol
}

const readBits = (bits: number): number => {
  const step = state[RANGE]! >>> bits
  const code = state[CODE]!
  let value = ((code >>> 0) / step) | 0
  if (value >= 1 << bits) value = (1 << bits) - 1
  narrow((code - Math.imul(step, value)) | 0, step)
  return value
}

/** `bits` (0 to 32) bits as they are. */
export const readRaw = (bits: number): number =>
  bits > 16 ? readBits(bits - 16) * 0x10000 + readBits(16) : readBits(bits)

/** Of the sizes: their least magnitudes and raw bits. */
const starts = Uint16Array.from({ length: 26 }, (_, size) => sizeStart(size))
const raws = Uint8Array.from({ length: 26 }, (_, size) => sizeBits(size))

const readLarge = (lengthContext: number): number => {
  const octave = LENGTH_FROM + readSymbol(lengthContext)
  const isNegative = readRaw(1) === 1
  if (octave > 31) return Infinity
  const size = ((1 << octave) >>> 0) + readRaw(octave)
  return isNegative ? -size : size
}

/** A signed number; infinite when the bytes are not of one. */
export const readNumber = (context: number, lengthContext: number): number => {
  const distribution = map[context]!
  const step = state[RANGE]! >>> TOTAL_BITS
  let code = state[CODE]!
  let target = ((code >>> 0) / step) | 0
  if (target >= 1 << TOTAL_BITS) target = (1 << TOTAL_BITS) - 1
  let symbol = lookup[(distribution << 7) | (target >>> 7)]!
  const at = distribution << STRIDE
  while (cumulative[at + symbol + 1]! <= target) symbol++
  const from = cumulative[at + symbol]!
  code = (code - Math.imul(step, from)) | 0
  let range = Math.imul(step, cumulative[at + symbol + 1]! - from)
  if (symbol === ESCAPE) {
    narrow(code, range)
    return readLarge(lengthContext)
  }
  const size = (symbol + 1) >> 1
  const raw = raws[size]!
  let magnitude = starts[size]!
  if (raw !== 0) {
    range >>>= raw
    let which = ((code >>> 0) / range) | 0
    if (which >= 1 << raw) which = (1 << raw) - 1
    code = (code - Math.imul(range, which)) | 0
    magnitude += which
  }
  narrow(code, range)
  const sign = 0 - (symbol & 1)
  return (magnitude ^ sign) - sign
}
