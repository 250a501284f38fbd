import { ESCAPE, ESCAPE_FROM, LENGTH_FROM, STRIDE, TOTAL_BITS } from './symbols.ts'
import type { Tables } from './tables.ts'

/**
 * The arithmetic half of the encoder. A segment is first modelled into operations, then coded from them in one loop with all its
 * state in registers: a symbol in a context (`context << 6 | symbol`), or up to 16 raw bits (`RAW | bits << 16 | value`).
 * The range coder has 32 bits; a carry runs back into the bytes (Martin's range coder of 1979, by bytes).
 */
const RAW = 1 << 31

/** The most operations of a segment: plans are bounded by `MOST_BITS`. */
const operations = new Int32Array(1 << 16)

/** Operations written so far. */
let count = 0

/** Starts a segment. */
export const startOperations = (): void => {
  count = 0
}

/** A symbol in a context. */
export const writeSymbol = (context: number, symbol: number): void => {
  operations[count++] = (context << STRIDE) | symbol
}

/** The low `bits` (0 to 32) bits of a number. */
export const writeRaw = (value: number, bits: number): void => {
  if (bits > 16) {
    operations[count++] = RAW | ((bits - 16) << 16) | (value >>> 16)
    operations[count++] = RAW | (16 << 16) | (value & 0xffff)
  } else operations[count++] = RAW | (bits << 16) | value
}

/** A signed number of a magnitude up to 2^32 - 1. */
export const writeNumber = (context: number, lengthContext: number, value: number): void => {
  const isNegative = value < 0
  const size = isNegative ? -value : value
  if (size < 8) {
    operations[count++] = (context << STRIDE) | (isNegative ? 2 * size - 1 : 2 * size)
  } else if (size < ESCAPE_FROM) {
    const raw = 30 - Math.clz32(size)
    const index = 2 * raw + 4 + ((size >>> raw) & 1)
    operations[count++] = (context << STRIDE) | (isNegative ? 2 * index - 1 : 2 * index)
    operations[count++] = RAW | (raw << 16) | (size & ((1 << raw) - 1))
  } else {
    const octave = 31 - Math.clz32(size)
    writeSymbol(context, ESCAPE)
    writeSymbol(lengthContext, octave - LENGTH_FROM)
    writeRaw(isNegative ? 1 : 0, 1)
    writeRaw(size - 2 ** octave, octave)
  }
}

/** Adds the symbols of the segment that was modelled last to `counts` `[contexts x 64]`. */
export const countSymbols = (counts: Uint32Array): void => {
  for (let index = 0; index < count; index++) {
    const operation = operations[index]!
    if (operation >= 0) counts[operation]!++
  }
}

/**
 * Codes the operations into `bytes` from `at` on. Returns where they end, or -1 when there is no room. Zero bytes at the
 * end are left out: a decoder reads zeros there.
 */
export const codeOperations = (tables: Tables, map: Uint8Array, bytes: Uint8Array, at: number): number => {
  const { cumulative } = tables
  const end = bytes.length
  let low = 0
  let range = -1
  let place = at
  for (let index = 0; index < count; index++) {
    const operation = operations[index]!
    let add: number
    if (operation >= 0) {
      const entry = (map[operation >> STRIDE]! << STRIDE) | (operation & 63)
      const start = cumulative[entry]!
      const step = range >>> TOTAL_BITS
      add = Math.imul(step, start)
      range = Math.imul(step, cumulative[entry + 1]! - start)
    } else {
      range >>>= (operation >> 16) & 31
      add = Math.imul(range, operation & 0xffff)
    }
    const sum = (low + add) | 0
    if ((sum ^ RAW) < (low ^ RAW)) {
      let carry = place - 1
      while (++bytes[carry]! === 256) carry--
    }
    low = sum
    while (range >>> 24 === 0) {
      if (place >= end) return -1
      bytes[place++] = low >>> 24
      low <<= 8
      range <<= 8
    }
  }
  // The number in [low, low + range) with the fewest bytes: the next multiple of 2^32, or else of 2^24.
  if (low !== 0) {
    if ((low >>> 0) + (range >>> 0) > 0x100000000) {
      let carry = place - 1
      while (++bytes[carry]! === 256) carry--
    } else {
      if (place >= end) return -1
      bytes[place++] = ((low + 0xffffff) | 0) >>> 24
    }
  }
  while (place > at && bytes[place - 1] === 0) place--
  if (place > at) return place
  if (place >= end) return -1
  bytes[place++] = 0
  return place
}
