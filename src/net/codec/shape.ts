import type { Layout } from '../layout.ts'

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
 * The shape of a layout. Fields with an interpolation keyword move; so do fixed-point ones, for want of anything better to
 * tell by, unless they say `interp_none`.
 */
export const shapeOf = (layout: Layout): CodecShape => ({
  slots: layout.slots,
  defaults: layout.defaults,
  words: Array.from(layout.bits, (bits, index): CodecWord => {
    const span = layout.spans[index]!
    const word = layout.words[index - (layout.width - layout.words.length)]
    if (!word) return { kind: 'still', bits, span }
    const { keywords } = word.field
    const moves =
      keywords.some(keyword => MOVING.includes(keyword)) || (word.divisor !== 1 && !keywords.includes('interp_none'))
    if (word.kind === 'quaternion') return { kind: word.part === 0 ? 'quaternion' : 'component', bits, span }
    const isFloat = word.kind === 'float32' || word.kind === 'float16' || (word.kind === 'float64' && word.part === 1)
    if (isFloat) return { kind: moves ? 'movingFloat' : 'float', bits, span }
    if (word.kind !== 'integer' || !moves) return { kind: 'still', bits, span }
    return { kind: word.modulus === 0 ? 'linear' : 'angle', bits, span }
  }),
})
