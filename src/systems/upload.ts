import { bitReader, readBits } from '../net/bits.ts'
import { FIXED_WORDS, joinFloat64, joinInt64, type ClassLayouts, type Layout, type Word } from '../net/layout.ts'
import { dequantise, inRange, quantise } from '../dc/index.ts'
import { isFiniteWord, isSecondHalf, wordsWith } from './rows.ts'

/**
 * Owner-written state on its way up: for one object, every word of its `ownsend` fields, whole. An object may have them
 * in both of its layouts, so the words are named by layout and index, the interested layout first.
 */
export interface UploadPlan {
  readonly words: readonly {
    readonly layout: Layout
    readonly index: number
    readonly bits: number
    readonly span: number
  }[]
  readonly bytes: number
}

/** Plans what an owner of this class sends; `undefined` when it may write no number. */
export const planUpload = (layouts: ClassLayouts): UploadPlan | undefined => {
  const words = [layouts.interested, layouts.owner].flatMap(layout =>
    layout
      ? wordsWith(layout, 'ownsend').map(index => ({
          layout,
          index,
          bits: layout.bits[index + FIXED_WORDS]!,
          span: layout.spans[index + FIXED_WORDS]!,
        }))
      : [],
  )
  if (words.length === 0) return undefined
  return { words, bytes: (words.reduce((sum, word) => sum + word.bits, 0) + 7) >>> 3 }
}

/** The words of an upload `[plan.words.length]` as bits. One by one: they are few, and a page needs no bit writer besides. */
export const encodeUpload = (plan: UploadPlan, values: Uint32Array): Uint8Array => {
  const bytes = new Uint8Array(plan.bytes)
  let at = 0
  plan.words.forEach(({ bits }, index) => {
    for (let bit = 0; bit < bits; bit++, at++) bytes[at >>> 3]! |= ((values[index]! >>> bit) & 1) << (at & 7)
  })
  return bytes
}

/** Whether two words are a number that DC allows and that comes back from our columns: what does not would stop the tick. */
const isWideLegal = (word: Word, low: number, high: number): boolean => {
  const scaled = word.kind === 'float64' ? joinFloat64(low, high) : joinInt64(low, high, word.type.base === 'int64')
  try {
    quantise(word.type, dequantise(word.type, scaled))
    return true
  } catch {
    return false
  }
}

/** Reads an upload into `values`. False when a word is outside what DC declares: nothing of it may be used. */
export const decodeUpload = (plan: UploadPlan, bytes: Uint8Array, values: Uint32Array): boolean => {
  const reader = bitReader(bytes)
  for (let index = 0; index < plan.words.length; index++) {
    const { bits, span, layout, index: at } = plan.words[index]!
    const value = readBits(reader, bits)
    const word = layout.words[at]!
    if (reader.failed || value > span) return false
    if (word.kind === 'integer' && word.type.ranges.length > 1 && !inRange(word.type, value + word.min)) return false
    if (!isFiniteWord(word, value)) return false
    if (isSecondHalf(word) && !isWideLegal(word, values[index - 1]!, value)) return false
    values[index] = value
  }
  return true
}
