import { growBits } from '../bits.ts'
import type { SegmentEncoder } from '../codec.ts'
import type { ClassLayouts } from '../layout.ts'
import { encodeSegment } from './encode.ts'
import { codecsOf, plansOf, span } from './layouts.ts'
import { MOST_BYTES } from './plan.ts'

/** The range coder, for the layouts of a schema: what moves is foretold from two baselines. */
export const createRangeEncoder = (classes: readonly (ClassLayouts | undefined)[]): SegmentEncoder => {
  const codecs = codecsOf(plansOf(classes))
  return {
    name: 'range',
    usesBefore: true,
    encode(writer, layout, base, before, frame, slots, active, movedTo) {
      growBits(writer, MOST_BYTES + 64)
      const size = encodeSegment(
        codecs.get(layout)!,
        writer.bytes,
        writer.at,
        frame,
        base,
        before,
        span(frame, base),
        base ? span(base, before) : 0,
        slots.low,
        slots.high,
        active.low,
        active.high,
        movedTo,
      )
      // Groups have no more slots than the worst segment has room for.
      if (size < 0) throw new Error(`A segment of ${layout.dclass.name} does not fit ${MOST_BYTES} bytes.`)
      writer.at += size
      return size
    },
  }
}
