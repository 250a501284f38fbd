import type { SegmentDecoder } from '../codec.ts'
import type { ClassLayouts, Layout } from '../layout.ts'
import { decoded, decodeSegment } from './decode.ts'
import { codecsOf, plansOf, span } from './layouts.ts'
import { parseTables, type SegmentCodec } from './tables.ts'

/** Later tables that are kept: a server moves on only after we have the next ones, but packets may be late. */
const KEPT = 4

/** One generation of tables; without `bytes`, the built-in ones. */
export interface DecoderTables {
  readonly bytes: Uint8Array | undefined
  readonly codecs: ReadonlyMap<Layout, SegmentCodec>
}

/** The other end of `createRangeEncoder`. */
export const createRangeDecoder = (classes: readonly (ClassLayouts | undefined)[]): SegmentDecoder => {
  const plans = plansOf(classes)
  const generations = new Map<number, DecoderTables>([[0, { bytes: undefined, codecs: codecsOf(plans) }]])
  return {
    usesBefore: true,
    generations,
    takeTables(generation, bytes) {
      const tables = generation === 0 ? undefined : parseTables(bytes, plans.plans)
      if (!tables) return false
      generations.delete(generation)
      generations.set(generation, { bytes, codecs: codecsOf(plans, tables) })
      // The first ones are built in, and stay.
      for (const number of generations.keys()) {
        if (generations.size <= KEPT + 1) break
        if (number !== 0) generations.delete(number)
      }
      return true
    },
    decode(bytes, start, end, layout, base, before, frame, onLeft, generation) {
      const codec = generations.get(generation)?.codecs.get(layout)
      if (!codec) return false
      // What a baseline was decoded from is mostly what movements are foretold from: then it is known which of its slots may move.
      const isKnown = base !== undefined && before !== undefined && base.changedFrom === before.tick
      const isValid = decodeSegment(
        codec,
        bytes,
        start,
        end,
        base,
        before,
        span(frame, base),
        base ? span(base, before) : 0,
        frame,
        onLeft,
        isKnown ? base.changedLow : -1,
        isKnown ? base.changedHigh : -1,
      )
      if (!isValid || !base) return isValid
      frame.changedFrom = base.tick
      frame.changedLow = decoded.low
      frame.changedHigh = decoded.high
      return true
    },
  }
}
