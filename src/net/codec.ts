import { bitReader, resetReader, type BitWriter } from './bits.ts'
import type { Frame, SlotSet } from './frames.ts'
import type { Layout } from './layout.ts'
import { decodeSegment, encodeSegment, type MovedTo, type OnLeft } from './segment.ts'

/**
 * How segments are written and read: pure functions of the frames, so that one segment serves every client that holds
 * what it builds on. A session uses one codec; the server names it in its welcome.
 */
export interface Codec {
  /** What the welcome calls it. */
  readonly id: number
  readonly name: string
  /** Whether it foretells movement from a second baseline: then the packets name that too. */
  readonly usesBefore: boolean
  /**
   * Writes the change from `base` (nothing, for a keyframe) to `frame` behind what is in the writer. `slots` may differ
   * between these two, `active` between `before` and `base`. Returns the size in bytes.
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
  /** Reads it again, into `frame`; total: see {@link decodeSegment}. */
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

const reader = bitReader(new Uint8Array(0))

/** Differences in as few bits as they need, nothing foretold: the reference, and easy to read in a dump. */
export const plainCodec: Codec = {
  id: 0,
  name: 'plain',
  usesBefore: false,
  encode: (writer, layout, base, _before, frame, slots, _active, movedTo) =>
    encodeSegment(writer, layout, base, frame, slots, movedTo),
  decode(bytes, start, end, layout, base, _before, frame, onLeft) {
    resetReader(reader, bytes, start, end)
    return decodeSegment(reader, layout, base, frame, onLeft)
  },
}
