/**
 * The alphabet of all distributions: 52 symbols. 0 to 50 are signed numbers, zigzag: 2i is +size i, 2i-1 is -size i. Sizes 0 to 7
 * are the numbers themselves; above them come two sizes an octave (8-11, 12-15, 16-23, ... 3072-4095), each with
 * raw bits that tell which number of them it is. 51 is the escape: a larger number follows.
 */
export const SYMBOLS = 52
/** A context or a distribution takes 64 entries, so that `context << 6 | symbol` names one. */
export const STRIDE = 6
export const ESCAPE = 51
/** Magnitudes from here on are escaped. */
export const ESCAPE_FROM = 4096
/** Bits of the least number that is escaped, less one: what length symbol 0 stands for. */
export const LENGTH_FROM = 12

/** The first byte of a segment that is no code: raw rows follow. The range coder begins below it. */
export const RAW_MARK = 0xff

/** The most bytes of trained tables. */
export const MOST_TABLE_BYTES = 4096

/** Frequencies of a distribution sum up to 2^14. */
export const TOTAL_BITS = 14
export const TOTAL = 1 << TOTAL_BITS

/** The index of a magnitude below 4096. */
export const sizeIndex = (magnitude: number): number => {
  if (magnitude < 8) return magnitude
  const octave = 31 - Math.clz32(magnitude)
  return 2 * octave + 2 + ((magnitude >>> (octave - 1)) & 1)
}

/** Raw bits behind a size. */
export const sizeBits = (index: number): number => (index < 8 ? 0 : ((index - 2) >> 1) - 1)

/** The least magnitude of a size. */
export const sizeStart = (index: number): number => (index < 8 ? index : (2 + (index & 1)) << (((index - 2) >> 1) - 1))
