import { columnAt, type DClassInfo, type NumberColumn } from '../components/index.ts'
import {
  decodeQuaternion,
  dequantise,
  encodeQuaternion,
  floatValue,
  halfValue,
  type DCParameterField,
} from '../dc/index.ts'
import {
  EPOCH,
  FIXED_WORDS,
  joinFloat64,
  joinInt64,
  nameOfWord,
  OWNER,
  wordOf,
  type Layout,
  type Word,
} from '../net/layout.ts'
import type { Links } from './links.ts'

/** A layout's words beside the columns that hold them: how rows and the world's columns turn into each other. */
export interface Binding {
  readonly layout: Layout
  /** The column of each word. */
  readonly columns: readonly NumberColumn[]
  /** For the words that name another object. */
  readonly links: Links
}

export const bindLayout = (layout: Layout, info: DClassInfo, links: Links): Binding => ({
  layout,
  columns: layout.words.map(word => columnAt(info.columns.get(word.field)!, word.path)),
  links,
})

const quaternion = [0, 0, 0, 0]

/** One word of the quaternion whose columns stand beside its four words. */
const quaternionWordOf = (binding: Binding, index: number, eid: number): number => {
  const word = binding.layout.words[index]!
  const columns = binding.columns as readonly Float32Array[]
  const first = index - word.part
  const x = columns[first]![eid]!
  const y = columns[first + 1]![eid]!
  const z = columns[first + 2]![eid]!
  const w = columns[first + 3]![eid]!
  if (encodeQuaternion(x, y, z, w, word.componentBits, quaternion)) return quaternion[word.part]!
  const place = nameOfWord(word).slice(0, -2)
  throw new RangeError(`${place}: [${x}, ${y}, ${z}, ${w}] is no rotation. Check what computed it`)
}

/** The word of an entity as its column has it now. */
export const readWordOf = (binding: Binding, index: number, eid: number): number => {
  const word = binding.layout.words[index]!
  if (word.kind === 'quaternion') return quaternionWordOf(binding, index, eid)
  const value = (binding.columns[index] as Float64Array)[eid]!
  return word.isReference ? binding.links.doIdOf(value) : wordOf(word, value)
}

/** Fills the row at `rows[at..]` with what an entity's columns hold. */
export const readRow = (
  binding: Binding,
  eid: number,
  owner: number,
  epoch: number,
  rows: Uint32Array,
  at: number,
): void => {
  rows[at + OWNER] = owner
  rows[at + EPOCH] = binding.layout.bits[EPOCH] === 0 ? 0 : epoch
  for (let index = 0; index < binding.layout.words.length; index++)
    rows[at + index + FIXED_WORDS] = readWordOf(binding, index, eid)
}

/** The number that a word (with its neighbours, for wide ones) of a row stands for. Of a quaternion, the part in its column. */
export const valueOf = (layout: Layout, index: number, rows: Uint32Array, at: number): number | bigint => {
  const word = layout.words[index]!
  const bits = rows[at + FIXED_WORDS + index]!
  switch (word.kind) {
    case 'integer':
      return word.divisor === 1 ? bits + word.min : (bits + word.min) / word.divisor
    case 'float32':
      return floatValue(bits)
    case 'float16':
      return halfValue(bits)
    case 'quaternion':
      decodeQuaternion(rows, at + FIXED_WORDS + index - word.part, word.componentBits, quaternion, 0)
      return quaternion[word.part]!
    default: {
      const high = rows[at + FIXED_WORDS + index + 1]!
      return dequantise(
        word.type,
        word.kind === 'float64' ? joinFloat64(bits, high) : joinInt64(bits, high, word.type.base === 'int64'),
      )
    }
  }
}

/** Whether a word shares the column of the one before it: the second half of a wide number. */
export const isSecondHalf = (word: Word): boolean => word.parts === 2 && word.part === 1

/** Writes word `index` of the row at `rows[at..]` into an entity's column. The second half of a wide word does nothing. */
export const writeColumn = (binding: Binding, index: number, eid: number, rows: Uint32Array, at: number): void => {
  const word = binding.layout.words[index]!
  if (isSecondHalf(word)) return
  const value = valueOf(binding.layout, index, rows, at) as number
  ;(binding.columns[index] as Float64Array)[eid] = word.isReference ? binding.links.entityOf(value) : value
}

/** Whether the number or quaternion that word `index` is a part of differs between two rows. */
export const isNumberChanged = (
  layout: Layout,
  index: number,
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
): boolean => {
  const { part, parts } = layout.words[index]!
  const first = FIXED_WORDS + index - part
  for (let word = first; word < first + parts; word++) if (a[atA + word] !== b[atB + word]) return true
  return false
}

/** Whether bits are a number that a client may send: no NaN and no infinity. Of a float64 the high half tells. */
export const isFiniteWord = (word: Word, bits: number): boolean => {
  if (word.kind === 'float32') return (bits & 0x7f800000) !== 0x7f800000
  if (word.kind === 'float16') return (bits & 0x7c00) !== 0x7c00
  return word.kind !== 'float64' || word.part === 0 || (bits & 0x7ff00000) !== 0x7ff00000
}

/** Indexes of the words whose field has one of these keywords. */
export const wordsWith = (layout: Layout, ...keywords: readonly string[]): number[] =>
  layout.words.flatMap((word, index) => (hasKeyword(word.field, ...keywords) ? [index] : []))

/** Whether a field has one of these keywords. */
export const hasKeyword = (field: DCParameterField, ...keywords: readonly string[]): boolean =>
  keywords.some(keyword => field.keywords.includes(keyword))
