import type { SegmentDecoder } from '../net/codec.ts'
import { countSymbols, encodeSegment } from '../net/codec/encode.ts'
import { span } from '../net/codec/layouts.ts'
import { LENGTH } from '../net/codec/plan.ts'
import { LENGTH_FROM, sizeBits, STRIDE, SYMBOLS, TOTAL_BITS } from '../net/codec/symbols.ts'
import type { SegmentCodec } from '../net/codec/tables.ts'
import { createCounts } from '../net/codec/train.ts'
import type { Frame } from '../net/frames.ts'
import { FIXED_WORDS, type Layout } from '../net/layout.ts'
import { MOST_BYTES } from '../net/segment-size.ts'
import { bitsOfWord } from '../net/segment.ts'

/** Bits of words of a layout `[width]`, owner and epoch first. */
export interface WordBits {
  readonly layout: Layout
  readonly bits: Float64Array
}

/**
 * Finds out which words took how many bits of segments that were decoded, without a hook in the decoder: the same frames are
 * encoded once more, and what that writes is counted.
 */
export interface SegmentMeter {
  /** Takes a segment that was decoded; `moved` tells where objects that left it went. */
  take(
    decoder: SegmentDecoder,
    layout: Layout,
    base: Frame | undefined,
    before: Frame | undefined,
    frame: Frame,
    generation: number,
    moved: ReadonlyMap<number, number | undefined>,
  ): void
  /** What the words took since the last call. */
  settle(add: (layout: Layout, word: number, bits: number) => void): void
}

const scratch = new Uint8Array(2 * MOST_BYTES)
const ALL = -1

export const createSegmentMeter = (): SegmentMeter => {
  const counted = new Map<SegmentCodec, { layout: Layout; counts: Uint32Array; isUsed: boolean }>()
  const plain = new Map<Layout, Float64Array>()
  return {
    take(decoder, layout, base, before, frame, generation, moved) {
      if (!decoder.generations) {
        let bits = plain.get(layout)
        if (!bits) plain.set(layout, (bits = new Float64Array(layout.width)))
        addPlain(bits, layout, base, frame)
        return
      }
      const codec = decoder.generations.get(generation)?.codecs.get(layout)
      if (!codec) return
      let known = counted.get(codec)
      if (!known) counted.set(codec, (known = { layout, counts: createCounts(codec.plan), isUsed: true }))
      const ticksBefore = base ? span(base, before) : 0
      const movedTo = (_slot: number, doId: number) => moved.get(doId)
      encodeSegment(codec, scratch, 0, frame, base, before, span(frame, base), ticksBefore, ALL, ALL, ALL, ALL, movedTo)
      countSymbols(known.counts)
      known.isUsed = true
    },
    settle(add) {
      for (const [codec, known] of counted) {
        // Tables are renewed now and then: those of before are not met again.
        if (!known.isUsed) counted.delete(codec)
        else settleCounts(codec, known.counts, (word, bits) => add(known.layout, word, bits))
        known.isUsed = false
      }
      for (const [layout, bits] of plain) {
        bits.forEach((amount, word) => amount > 0 && add(layout, word, amount))
        bits.fill(0)
      }
    },
  }
}

/** What each symbol says by its frequency, and the bits that follow it as they are. */
const settleCounts = (
  { plan, tables, map }: SegmentCodec,
  counts: Uint32Array,
  add: (word: number, bits: number) => void,
): void => {
  const { firsts, width, bits, contexts } = plan
  const words = Array.from({ length: width }, (_, word) => word).filter(word => bits[word]! > 0)
  words.forEach((word, index) => {
    const first = firsts[word]!
    const end = index + 1 < words.length ? firsts[words[index + 1]!]! : contexts
    let sum = 0
    for (let context = first; context < end; context++) {
      const at = context << STRIDE
      const from = map[context]! << STRIDE
      for (let symbol = 0; symbol < SYMBOLS; symbol++) {
        const count = counts[at + symbol]!
        if (count === 0) continue
        const frequency = tables.cumulative[from + symbol + 1]! - tables.cumulative[from + symbol]!
        const raw = context === first + LENGTH ? 1 + LENGTH_FROM + symbol : sizeBits((symbol + 1) >> 1)
        sum += count * (TOTAL_BITS - Math.log2(frequency) + (symbol === SYMBOLS - 1 ? 0 : raw))
      }
    }
    if (sum > 0) add(word, sum)
  })
  counts.fill(0)
}

const addPlain = (bits: Float64Array, layout: Layout, base: Frame | undefined, frame: Frame): void => {
  const { width, slots, defaults } = layout
  for (let slot = 0; slot < slots; slot++) {
    const doId = frame.ids[slot]!
    if (doId === 0) continue
    const at = slot * width
    const isKept = base !== undefined && base.ids[slot] === doId
    const from = isKept ? base.rows : defaults
    const fromAt = isKept ? at : 0
    let first = FIXED_WORDS
    let isChanged = !isKept
    for (let word = 0; word < width; word++)
      if (frame.rows[at + word] !== from[fromAt + word]) {
        isChanged = true
        if (word < FIXED_WORDS) first = 0
      }
    if (!isChanged) continue
    for (let word = first; word < width; word++)
      bits[word]! += bitsOfWord(frame.rows[at + word]!, from[fromAt + word]!, layout.bits[word]!, layout.spans[word]!)
  }
}

/** The field of a word of a row; owner and epoch are of none. */
export const fieldOfWord = (layout: Layout, word: number): string | undefined =>
  layout.words[word - FIXED_WORDS]?.field.name
