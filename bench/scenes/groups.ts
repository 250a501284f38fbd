import type { GroupState } from '../../src/net/codec/model.ts'
import type { CodecShape } from '../../src/net/codec/shape.ts'
import type { Recording } from './recording.ts'

/** A recording as the codec gets it: rows with owner and epoch before their words, in groups of at most 64 slots. */
export interface Groups {
  readonly shape: CodecShape
  readonly recording: Recording
  /** `[ticks][groups]`. */
  readonly states: readonly (readonly GroupState[])[]
}

export const groupsOf = (recording: Recording, slots = 64): Groups => {
  const { words, ticks, count } = recording
  const shape: CodecShape = {
    slots,
    words: [
      { kind: 'still', bits: 16, span: 0xffff },
      { kind: 'still', bits: 0, span: 0 },
      ...words.map(({ kind, bits, span = 2 ** bits - 1 }) => ({ kind, bits, span })),
    ],
    defaults: new Uint32Array(words.length + 2),
  }
  const width = words.length + 2
  const states = Array.from({ length: ticks }, (_, tick) =>
    Array.from({ length: Math.ceil(count / slots) }, (_, group) => {
      const ids = new Uint32Array(slots)
      const rows = new Uint32Array(slots * width)
      for (let slot = 0; slot < slots && group * slots + slot < count; slot++) {
        const from = tick * count + group * slots + slot
        ids[slot] = recording.ids[from]!
        rows.set(recording.rows.subarray(from * words.length, (from + 1) * words.length), slot * width + 2)
      }
      return { ids, rows }
    }),
  )
  return { shape, recording, states }
}
