import type { Layout, Word } from '../layout.ts'

/**
 * What the codec takes a 32-bit word of a row for:
 * - `still`: it stays or jumps, and the old value says most about the new one;
 * - `linear`, `angle`: it moves on; an angle wraps round at its span;
 * - `float`, `movingFloat`: the bits of an IEEE number, or its upper half; they are compared in the order of the numbers;
 * - `quaternion`: the first of four words of a rotation, as `encodeQuaternion` of `dc` writes them. `component`: one of the other
 *   three, in two's complement of its bits.
 */
export type CodecWordKind = 'still' | 'linear' | 'angle' | 'float' | 'movingFloat' | 'quaternion' | 'component'

/** One word of a row: an unsigned integer 0..`span` of `bits` bits. */
export interface CodecWord {
  readonly kind: CodecWordKind
  readonly bits: number
  readonly span: number
}

/** What the codec has to know of a layout. */
export interface CodecShape {
  /** Slots a group, 1 to 64. */
  readonly slots: number
  readonly words: readonly CodecWord[]
  /** The row of a new object before its fields are written `[words]`. */
  readonly defaults: Uint32Array
}

const MOVING = ['interp_linear', 'interp_hermite', 'interp_angle', 'interp_quat']

/**
 * The shape of a layout. Rotations move, and fields with an interpolation keyword; so do fixed-point ones, for want of anything
 * better to tell by, unless they say `interp_none`.
 */
export const shapeOf = (layout: Layout): CodecShape => ({
  slots: layout.slots,
  defaults: layout.defaults,
  words: Array.from(layout.bits, (bits, index): CodecWord => {
    const word = layout.words[index - (layout.width - layout.words.length)]
    return { kind: word ? kindOf(word) : 'still', bits, span: layout.spans[index]! }
  }),
})

const kindOf = ({ kind, part, modulus, divisor, field: { keywords } }: Word): CodecWordKind => {
  if (kind === 'quaternion') return part === 0 ? 'quaternion' : 'component'
  const moves =
    keywords.some(keyword => MOVING.includes(keyword)) || (divisor !== 1 && !keywords.includes('interp_none'))
  // Of a float64 the upper half has the sign, the exponent and what matters most.
  if (kind === 'float32' || kind === 'float16' || (kind === 'float64' && part === 1))
    return moves ? 'movingFloat' : 'float'
  if (kind !== 'integer' || !moves) return 'still'
  return modulus === 0 ? 'linear' : 'angle'
}
