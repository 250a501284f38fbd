import type { SegmentDecoder } from '../codec.ts'
import type { ClassLayouts } from '../layout.ts'
import { decodeSegment } from './decode.ts'
import { codecsOf, plansOf, span } from './layouts.ts'

/** The other end of `createRangeEncoder`. */
export const createRangeDecoder = (classes: readonly (ClassLayouts | undefined)[]): SegmentDecoder => {
  const codecs = codecsOf(plansOf(classes))
  return {
    usesBefore: true,
    decode: (bytes, start, end, layout, base, before, frame, onLeft) =>
      decodeSegment(
        codecs.get(layout)!,
        bytes,
        start,
        end,
        base,
        before,
        span(frame, base),
        base ? span(base, before) : 0,
        frame,
        onLeft,
      ),
  }
}
