import { ESCAPE, ESCAPE_FROM, LENGTH_FROM, sizeBits, sizeIndex, STRIDE, TOTAL_BITS } from './symbols.ts'

/**
 * The arithmetic half of the encoder: a segment is first modelled into entries, a number in a context each, and these are then coded in
 * one loop that has all its state in registers, and hardly a branch that could go either way.
 *
 * Entries are pairs: a context and a signed number below 4096 (flags and kinds too, as the number of their symbol); or the context
 * with `DIRECT` and a symbol; or `~bits` and as many raw bits.
 */
export const entries = new Int32Array(1 << 17)
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
  bits > 16 ? writeBits(writeBits(count, value >>> 16, bits - 16), value & 0xffff, 16) : writeBits(count, value, bits)

/** A signed number of a magnitude up to 2^32 - 1. */
export const writeWide = (count: number, context: number, lengthContext: number, value: number): number => {
  const size = value < 0 ? 0 - value : value
  if (size < ESCAPE_FROM) return writeNumber(count, context, value)
  const octave = 31 - Math.clz32(size)
  let next = writeNumber(count, context | DIRECT, ESCAPE)
  next = writeNumber(next, lengthContext | DIRECT, octave - LENGTH_FROM)
  next = writeRaw(next, value < 0 ? 1 : 0, 1)
  return writeRaw(next, size - ((1 << octave) >>> 0), octave)
}

/** Of magnitudes below 4096: raw bits << 8 | twice the size. */
export const sizes = Uint16Array.from({ length: ESCAPE_FROM }, (_, magnitude) => {
  const size = sizeIndex(magnitude)
  return (sizeBits(size) << 8) | (2 * size)
})

/** Adds the symbols of `count` numbers of such entries, `from` that index on, to `counts` `[contexts x 64]`. */
export const countEntries = (entries: Int32Array, from: number, count: number, counts: Uint32Array): void => {
  for (let index = from, end = from + count; index < end; index += 2) {
    const context = entries[index]!
    const value = entries[index + 1]!
    if (context >= DIRECT) counts[((context - DIRECT) << STRIDE) | value]!++
    else if (context >= 0) counts[(context << STRIDE) | ((sizes[Math.abs(value)]! & 255) - (value >>> 31))]!++
  }
}

/** No code begins with the byte 255. */
export const FIRST_RANGE = 0xff000000 | 0

/** Bytes to come, each with the carries that it still owes to the one before it; the first one is none. */
const digits = new Int32Array(1 << 14)

/**
 * Codes the first `count` numbers of the entries into `bytes` from `at` on. Returns where they end, or -1 when there is no room. Zero
 * bytes at the end are left out: a decoder reads zeros there. The range coder has 32 bits.
 */
export const codeEntries = (
  cumulative: Uint16Array,
  map: Uint8Array,
  count: number,
  bytes: Uint8Array,
  at: number,
): number => {
  const last = digits.length - 4
  let low = 0
  let range = FIRST_RANGE
  let place = 1
  digits[0] = 0
  for (let index = 0; index < count; index += 2) {
    const context = entries[index]!
    const value = entries[index + 1]!
    let more: number
    if (context >>> 30 === 0) {
      const isNegative = value >>> 31
      const magnitude = (value ^ (value >> 31)) + isNegative
      const size = sizes[magnitude]!
      const entry = (map[context]! << STRIDE) + (size & 255) - isNegative
      const raw = size >>> 8
      const start = cumulative[entry]!
      const step = range >>> TOTAL_BITS
      range = Math.imul(step, cumulative[entry + 1]! - start) >>> raw
      more = (Math.imul(step, start) + Math.imul(range, magnitude & ((1 << raw) - 1))) | 0
    } else if (context >= 0) {
      const entry = (map[context - DIRECT]! << STRIDE) | value
      const start = cumulative[entry]!
      const step = range >>> TOTAL_BITS
      range = Math.imul(step, cumulative[entry + 1]! - start)
      more = Math.imul(step, start)
    } else {
      range = range >>> ~context
      more = Math.imul(range, value)
    }
    const sum = (low + more) | 0
    digits[place - 1]! += ((low & more) | ((low | more) & ~sum)) >>> 31
    // Whole bytes that are settled but for carries: none, one or two, and seldom three.
    const settled = Math.clz32(range) & 24
    if (place > last) return -1
    digits[place] = sum >>> 24
    digits[place + 1] = (sum >>> 16) & 255
    if (settled === 24) digits[place + 2] = (sum >>> 8) & 255
    place += settled >> 3
    low = sum << settled
    range <<= settled
  }
  // The number in [low, low + range) with the fewest bytes: the next multiple of 2^32, or else of 2^24.
  if (low !== 0) {
    if ((low >>> 0) + (range >>> 0) > 0x100000000) digits[place - 1]! += 1
    else digits[place++] = ((low + 0xffffff) | 0) >>> 24
  }
  let carry = 0
  let end = 0
  const room = bytes.length - at
  for (let index = place - 1; index > 0; index--) {
    const digit = (digits[index]! + carry) | 0
    carry = digit >> 8
    if (end === 0) {
      if ((digit & 255) === 0 && index > 1) continue
      if (index > room) return -1
      end = at + index
    }
    bytes[at + index - 1] = digit
  }
  if (end === 0) {
    // Nothing at all, or one byte that is zero: it takes a byte.
    if (room < 1) return -1
    bytes[at] = 0
    return at + 1
  }
  return end
}
