import { bitReader, resetReader } from './bits.ts'
import type { SegmentDecoder, SegmentEncoder } from './codec.ts'
import { decodeSegment, encodeSegment } from './segment.ts'

/** Differences in as few bits as they need, nothing foretold: the reference, and easy to read in a dump. */
export const plainEncoder: SegmentEncoder = {
  name: 'plain',
  runsOn: () => 'javascript',
  usesBefore: false,
  generation: 0,
  tablesOf: () => undefined,
  train() {},
  encode: (writer, layout, base, _before, frame, slots, _active, movedTo) =>
    encodeSegment(writer, layout, base, frame, slots, movedTo),
}

const reader = /* @__PURE__ */ bitReader(/* @__PURE__ */ new Uint8Array(0))

const plainDecoder: SegmentDecoder = {
  usesBefore: false,
  takeTables: () => false,
  decode(bytes, start, end, layout, base, _before, frame, onLeft) {
    resetReader(reader, bytes, start, end)
    return decodeSegment(reader, layout, base, frame, onLeft)
  },
}

/** The other end of `plainEncoder`. */
export const createPlainDecoder = (): SegmentDecoder => plainDecoder
