import type { BitWriter } from './bits.ts'
import type { Frame, SlotSet } from './frames.ts'
import type { Layout } from './layout.ts'
import type { DecoderTables } from './codec/segment-decoder.ts'
import type { MovedTo, OnLeft } from './segment.ts'

/**
 * How segments are written and read: pure functions of the frames, so that one segment serves every client that holds
 * what it builds on. The server chooses one, and names it in its welcome.
 */
export const CODECS = ['plain', 'range'] as const
export type CodecName = (typeof CODECS)[number]

/** The server's end. */
export interface SegmentEncoder {
  readonly name: CodecName
  /** What it runs on. */
  readonly runsOn: () => 'wasm' | 'javascript'
  /** Whether it foretells movement from a second baseline and has tables: then the packets name these too. */
  readonly usesBefore: boolean
  /** The newest tables' number, 0 for the built-in ones; whoever has not got them is written to with older ones. */
  readonly generation: number
  /** The bytes of tables, to be sent to a client; `undefined` for the built-in ones, and for those that are forgotten. */
  tablesOf(generation: number): Uint8Array | undefined
  /** Goes on making better tables from what is written, for less than a millisecond; once a tick. */
  train(seconds: number): void
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
    generation: number,
  ): number
}

/** The client's end. */
export interface SegmentDecoder {
  readonly usesBefore: boolean
  /** The tables that it has, by number, for tools that look inside. */
  readonly generations?: ReadonlyMap<number, DecoderTables>
  /** Takes tables of the server; false when they are none. */
  takeTables(generation: number, bytes: Uint8Array): boolean
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
    generation: number,
  ): boolean
}
