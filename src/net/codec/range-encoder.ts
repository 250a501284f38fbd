import { ESCAPE, ESCAPE_FROM, LENGTH_FROM, STRIDE, TOTAL_BITS } from './symbols.ts'

/**
 * The arithmetic half of the encoder, in three loops that a processor likes: a segment is first modelled into entries, a number
 * in a context each; these become operations on the range, a symbol or raw bits each; and these become bytes.
 *
 * Entries are pairs: a context and a signed number below 4096 (flags and kinds too, as the number of their symbol); or the context
 * with `DIRECT` and a symbol; or `~bits` and as many raw bits.
 */
const entries = new Int32Array(1 << 17)
const DIRECT = 1 << 30

// Writers take how many numbers the entries have, and return how many they have then.

/** A signed integer of a magnitude below 4096 in a context. */
export const writeNumber = (count: number, context: number, value: number): number => {
  entries[count] = context
  entries[count + 1] = value
  return count + 2
}

/** A symbol up to 14 in a context. */
export const writeSymbol = (count: number, context: number, symbol: number): number =>
  writeNumber(count, context, (symbol & 1) === 1 ? ~(symbol >> 1) : symbol >> 1)

const writeBits = (count: number, value: number, bits: number): number => writeNumber(count, ~bits, value)

/** The low `bits` (0 to 32) bits of a number. */
export const writeRaw = (count: number, value: number, bits: number): number =>
  bits > 16
    ? writeBits(writeBits(count, value >>> 16, bits - 16), value & 0xffff, 16)
    : writeBits(count, value, bits)

/** A signed number of a magnitude up to 2^32 - 1. */
export const writeWide = (count: number, context: number, lengthContext: number, value: number): number => {
  const size = value < 0 ? 0 - value : value
  if (size < ESCAPE_FROM) return writeNumber(count, context, value)
  const octave = 31 - Math.clz32(size)
  let next = writeNumber(count, context | DIRECT, ESCAPE)
  next = writeNumber(next, lengthContext | DIRECT, octave - LENGTH_FROM)
  next = writeRaw(next, value < 0 ? 1 : 0, 1)
  return writeRaw(next, size - 2 ** octave, octave)
}

/**
 * An operation takes a part of the range: `width` steps from `start` on, a step being the range >> `shift`. It is held as two
 * numbers: `width << 16 | start`, and `shift << 26 | context << 6 | symbol`, where raw bits have symbol 63.
 */
const operations = new Int32Array(1 << 17)
const RAW = 63
const SYMBOL = TOTAL_BITS << 26
/** Numbers of operations of the segment that was coded last. */
let operationCount = 0

const makeOperations = (cumulative: Uint16Array, map: Uint8Array, count: number): number => {
  let at = 0
  for (let index = 0; index < count; index += 2) {
    const context = entries[index]!
    const value = entries[index + 1]!
    if (context < 0 || context >= DIRECT) {
      if (context < 0) {
        operations[at] = (1 << 16) | value
        operations[at + 1] = (~context << 26) | RAW
      } else {
        const entry = (map[context - DIRECT]! << STRIDE) | value
        const start = cumulative[entry]!
        operations[at] = ((cumulative[entry + 1]! - start) << 16) | start
        operations[at + 1] = SYMBOL | ((context - DIRECT) << STRIDE) | value
      }
      at += 2
      continue
    }
    const isNegative = value >>> 31
    const size = (value ^ (value >> 31)) + isNegative
    const distribution = map[context]! << STRIDE
    let raw = -1
    let symbol = size + size - isNegative
    if (size >= 8) {
      raw = 30 - Math.clz32(size)
      symbol = 4 * raw + 8 + (((size >>> raw) & 1) << 1) - isNegative
    }
    const start = cumulative[distribution + symbol]!
    operations[at] = ((cumulative[distribution + symbol + 1]! - start) << 16) | start
    operations[at + 1] = SYMBOL | (context << STRIDE) | symbol
    at += 2
    if (raw < 0) continue
    operations[at] = (1 << 16) | (size & ((1 << raw) - 1))
    operations[at + 1] = (raw << 26) | RAW
    at += 2
  }
  return at
}

/** Adds the symbols of what was coded last to `counts` `[contexts x 64]`, for `trainTables`. */
export const countSymbols = (counts: Uint32Array): void => {
  for (let index = 1; index < operationCount; index += 2) {
    const mark = operations[index]! & 0x3ffffff
    if ((mark & 63) !== RAW) counts[mark]!++
  }
}

const SIGN = 1 << 31

/**
 * Codes the first `count` numbers of the entries into `bytes` from `at` on. Returns where they end, or -1 when there is no room. Zero
 * bytes at the end are left out: a decoder reads zeros there. The range coder has 32 bits; a carry runs back into the bytes.
 */
export const codeEntries = (
  cumulative: Uint16Array,
  map: Uint8Array,
  count: number,
  bytes: Uint8Array,
  at: number,
): number => {
  const numbers = makeOperations(cumulative, map, count)
  operationCount = numbers
  const last = bytes.length - 4
  let low = 0
  let range = -1
  let place = at
  for (let index = 0; index < numbers; index += 2) {
    const operation = operations[index]!
    const step = range >>> (operations[index + 1]! >>> 26)
    const sum = (low + Math.imul(step, operation & 0xffff)) | 0
    if ((sum ^ SIGN) < (low ^ SIGN)) carry(bytes, place)
    range = Math.imul(step, operation >>> 16)
    // Whole bytes that are settled: none, one or two.
    const settled = Math.clz32(range) & 24
    if (place > last) return -1
    bytes[place] = sum >>> 24
    bytes[place + 1] = sum >>> 16
    place += settled >> 3
    low = sum << settled
    range <<= settled
  }
  // The number in [low, low + range) with the fewest bytes: the next multiple of 2^32, or else of 2^24.
  if (low !== 0) {
    if ((low >>> 0) + (range >>> 0) > 0x100000000) carry(bytes, place)
    else bytes[place++] = ((low + 0xffffff) | 0) >>> 24
  }
  while (place > at + 1 && bytes[place - 1] === 0) place--
  if (place === at) bytes[place++] = 0
  return place
}

const carry = (bytes: Uint8Array, end: number): void => {
  let place = end - 1
  while (++bytes[place]! === 256) place--
}
