import { bitReader, resetReader, type BitWriter } from './bits.ts'
import type { Frame, SlotSet } from './frames.ts'
import type { Layout } from './layout.ts'
import { decodeSegment, encodeSegment, type MovedTo, type OnLeft } from './segment.ts'

/**
 * How segments are written and read: pure functions of the frames, so that one segment serves every client that holds
 * what it builds on. The server chooses one, and names it in its welcome.
 */
export const CODECS = ['plain', 'range'] as const
export type CodecName = (typeof CODECS)[number]

/** The server's end. */
export interface SegmentEncoder {
  readonly name: CodecName
  /** Whether it foretells movement from a second baseline: then the packets name that too. */
  readonly usesBefore: boolean
  /**
   * Writes the change from `base` (nothing, for a keyframe) to `frame` behind what is in the writer, which is at a whole
   * byte. `slots` may differ between these two, `active` between `before` and `base`. Returns the size in bytes.
   */
  encode(
    writer: BitWriter,
    layout: Layout,
    base: Frame | undefined,
    before: Frame | undefined,
    frame: Frame,
    slots: SlotSet,
    active: SlotSet,
    movedTo: MovedTo,
  ): number
}

/** The client's end. */
export interface SegmentDecoder {
  readonly usesBefore: boolean
  /** Reads a segment into `frame`; total: see `decodeSegment`. */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    layout: Layout,
    base: Frame | undefined,
    before: Frame | undefined,
    frame: Frame,
    onLeft: OnLeft,
  ): boolean
}

/** Differences in as few bits as they need, nothing foretold: the reference, and easy to read in a dump. */
export const plainEncoder: SegmentEncoder = {
  name: 'plain',
  usesBefore: false,
  encode: (writer, layout, base, _before, frame, slots, _active, movedTo) =>
    encodeSegment(writer, layout, base, frame, slots, movedTo),
}

const reader = /* @__PURE__ */ bitReader(/* @__PURE__ */ new Uint8Array(0))

export const plainDecoder: SegmentDecoder = {
  usesBefore: false,
  decode(bytes, start, end, layout, base, _before, frame, onLeft) {
    resetReader(reader, bytes, start, end)
    return decodeSegment(reader, layout, base, frame, onLeft)
  },
}
