import { columnAt, type DClassInfo, type NumberColumn } from '../components/index.ts'
import { dequantise, quantise, type DCParameterField } from '../dc/index.ts'
import { EPOCH, FIXED_WORDS, joinFloat64, joinInt64, OWNER, wideWord, type Layout, type Word } from '../net/layout.ts'

/** A layout's words beside the columns that hold them: how rows and the world's columns turn into each other. */
export interface Binding {
  readonly layout: Layout
  /** The column of each word. */
  readonly columns: readonly NumberColumn[]
}

export const bindLayout = (layout: Layout, info: DClassInfo): Binding => ({
  layout,
  columns: layout.words.map(word => columnAt(info.columns.get(word.field)!, word.path)),
})

/** The scaled integer of a value; throws what the packer throws, with class, field, value and range, when it does not fit. */
const integerOf = (word: Word, value: number): number => {
  let real = value * word.divisor
  if (word.modulus !== 0) {
    real %= word.modulus
    if (real < 0) real += word.modulus
  }
  const rounded = Math.floor(real + 0.5)
  const offset = word.modulus !== 0 && rounded > word.span ? 0 : rounded - word.min
  // NaN fails both comparisons; several ranges have gaps, which only the packer's own check knows.
  if (offset >= 0 && offset <= word.span && word.type.ranges.length < 2) return offset
  return Number(quantise(word.type, value, [word.field.owner.name, ...word.path])) - word.min
}

/** The word of an entity as its column has it now. */
export const readWordOf = (binding: Binding, index: number, eid: number): number => {
  const word = binding.layout.words[index]!
  const value = (binding.columns[index] as Float64Array)[eid]!
  if (word.kind === 'integer') return integerOf(word, value)
  return wideWord(word, quantise(word.type, value, [word.field.owner.name, ...word.path]))
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

/** The number that a word (with its neighbour, for wide ones) of a row stands for. */
export const valueOf = (layout: Layout, index: number, rows: Uint32Array, at: number): number | bigint => {
  const word = layout.words[index]!
  const bits = rows[at + FIXED_WORDS + index]!
  if (word.kind === 'integer') return word.divisor === 1 ? bits + word.min : (bits + word.min) / word.divisor
  const high = rows[at + FIXED_WORDS + index + 1]!
  return dequantise(
    word.type,
    word.kind === 'float64' ? joinFloat64(bits, high) : joinInt64(bits, high, word.type.base === 'int64'),
  )
}

/** Writes word `index` of the row at `rows[at..]` into an entity's column. The second half of a wide word does nothing. */
export const writeColumn = (binding: Binding, index: number, eid: number, rows: Uint32Array, at: number): void => {
  if (binding.layout.words[index]!.part === 1) return
  ;(binding.columns[index] as Float64Array)[eid] = valueOf(binding.layout, index, rows, at) as number
}

/** Indexes of the words whose field has one of these keywords. */
export const wordsWith = (layout: Layout, ...keywords: readonly string[]): number[] =>
  layout.words.flatMap((word, index) => (hasKeyword(word.field, ...keywords) ? [index] : []))

/** Whether a field has one of these keywords. */
export const hasKeyword = (field: DCParameterField, ...keywords: readonly string[]): boolean =>
  keywords.some(keyword => field.keywords.includes(keyword))
