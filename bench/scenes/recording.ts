import type { CodecWordKind } from '../../src/net/codec/shape.ts'

/** One 32-bit word of a recorded row, as {@link Recording} describes it. */
export interface RecordedWord {
  readonly name: string
  readonly bits: number
  readonly kind: CodecWordKind
  /** Largest value; 2^bits - 1 by default. */
  readonly span?: number
}

/** What a group of objects did, tick by tick, already quantised: the input of the codec's bench. */
export interface Recording {
  readonly name: string
  /** Ticks a second. */
  readonly hz: number
  readonly ticks: number
  /** Slots; an object keeps its slot while it lives. */
  readonly count: number
  readonly words: readonly RecordedWord[]
  /** doId by tick and slot `[ticks x count]`; 0 is an empty slot. */
  readonly ids: Uint32Array
  /** `[ticks x count x words]`. */
  readonly rows: Uint32Array
}
