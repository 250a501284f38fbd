import { ESCAPE, LENGTH_FROM, sizeBits, sizeStart, STRIDE, TOTAL_BITS } from './symbols.ts'
import type { Tables } from './tables.ts'

/** The decoder's half of the range coder. It reads zeros behind the last byte, and never fails: any bytes mean something. */

const NO_BYTES: Uint8Array = new Uint8Array(0)
const NO_SUMS: Uint16Array = new Uint16Array(0)

let bytes = NO_BYTES
let end = 0
let cumulative = NO_SUMS
let lookup = NO_BYTES
let map = NO_BYTES

/** The state lives in an array: variables of a module that hold large numbers would be allocated anew at each change. */
const state = new Int32Array(3)
const CODE = 0
const RANGE = 1
const PLACE = 2

const nextByte = (): number => {
  const place = state[PLACE]!
  state[PLACE] = place + 1
  return place < end ? bytes[place]! : 0
}

/** Starts to decode `from[start..stop)` with the contexts of `contexts`. */
export const startDecoding = (tables: Tables, contexts: Uint8Array, from: Uint8Array, start: number, stop: number): void => {
  bytes = from
  end = stop
  cumulative = tables.cumulative
  lookup = tables.lookup
  map = contexts
  state[PLACE] = start
  state[RANGE] = -1
  let code = 0
  for (let index = 0; index < 4; index++) code = (code << 8) | nextByte()
  state[CODE] = code
}

/** Whether all bytes were looked at, as they are at the end of what an encoder wrote. */
export const isDecoded = (): boolean => state[PLACE]! >= end

const narrow = (code: number, range: number): void => {
  let newCode = code
  let newRange = range
  while (newRange >>> 24 === 0) {
    newCode = (newCode << 8) | nextByte()
    newRange <<= 8
  }
  state[CODE] = newCode
  state[RANGE] = newRange
}

/** The next symbol in a context. */
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

/** A signed number; infinite when the bytes are not of one. */
export const readNumber = (context: number, lengthContext: number): number => {
  const symbol = readSymbol(context)
  if (symbol === ESCAPE) {
    const octave = LENGTH_FROM + readSymbol(lengthContext)
    const isNegative = readRaw(1) === 1
    if (octave > 31) return Infinity
    const size = 2 ** octave + readRaw(octave)
    return isNegative ? -size : size
  }
  const index = (symbol + 1) >> 1
  const size = index < 8 ? index : sizeStart(index) + readRaw(sizeBits(index))
  return (symbol & 1) === 1 ? -size : size
}
