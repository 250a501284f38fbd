import {
  columnKind,
  encodeQuaternion,
  floatBits,
  halfBits,
  initialValue,
  LIMITS,
  MAX_HALF,
  partOf,
  quantise,
  QUATERNION_BITS,
  type Column,
  type DCAtomicField,
  type DCClass,
  type DCMolecularField,
  type DCNumberType,
  type DCParameterField,
} from '../dc/index.ts'
import { mostSlots } from './segment-size.ts'

/** How one 32-bit word of a row stands for (a part of) a number: see {@link Word}. */
export type WordKind = 'integer' | 'int64' | 'float64' | 'float32' | 'float16' | 'quaternion'

/**
 * One 32-bit word of a replicated row: a scaled DC integer minus its smallest value, so that every word is an
 * unsigned number from 0 to `span`. 64-bit numbers take two words, the low one first (`part` 0 and 1); a quaternion takes
 * four: which component is left out, then the others (see `dc/quaternion.ts`). Floats are their bits.
 */
export interface Word {
  readonly field: DCParameterField
  /** Names from the dclass to the typed array: `['position', 'x']`. */
  readonly path: readonly string[]
  readonly kind: WordKind
  readonly type: DCNumberType
  readonly part: 0 | 1 | 2 | 3
  /** Words of the whole number or quaternion. */
  readonly parts: 1 | 2 | 4
  /** Whether it is the network id of another object, whose column holds an entity. */
  readonly isReference: boolean
  /** Bits of each component of a quaternion; 0 for others. */
  readonly componentBits: number
  readonly divisor: number
  /** `modulus * divisor`, or 0 without one. */
  readonly modulus: number
  /** The scaled integer that word 0 stands for. */
  readonly min: number
  readonly span: number
  /** Bits that hold `span`. */
  readonly bits: number
}

/** A field that is a message. */
export type MessageField = DCAtomicField | DCMolecularField

/** Who receives a row: every interested client, or the object's owner alone. */
export type Audience = 'interested' | 'owner'

/**
 * The rows of one dclass for one audience. A row is `[OWNER, EPOCH, ...words]`, each a uint32: the owner's client id,
 * the epoch of what the owner writes, then one word a number. Strings, blobs, arrays and switches are too large for a row: they travel as reliable messages.
 */
export interface Layout {
  readonly dclass: DCClass
  readonly audience: Audience
  readonly words: readonly Word[]
  readonly values: readonly DCParameterField[]
  /**
   * Messages that belong to the state of an object: of `required` ones whoever comes to see it is sent the value of now, of `ram` ones the
   * last that was sent.
   */
  readonly messages: readonly MessageField[]
  /** uint32s a row: `words.length + FIXED_WORDS`. */
  readonly width: number
  /** Largest value and size in bits of each uint32 of a row. */
  readonly spans: Float64Array
  readonly bits: Uint8Array
  /** A row in which every field has its DC default and nobody owns the object. */
  readonly defaults: Uint32Array
  /** Slots a group: 64, or fewer so that the largest possible segment still fits one datagram. */
  readonly slots: number
}

/** Index of the owner's client id in a row. */
export const OWNER = 0
/**
 * Index of the epoch of owner-written fields in a row, 8 bits: the server counts it up when it overrules the owner, who
 * then takes the row's values over; what the owner wrote in an older epoch is void.
 */
export const EPOCH = 1
/** The epoch after one: 1 to 255 and round. 0 is that of what nobody owned yet, so an owner that has no row knows it. */
export const nextEpoch = (epoch: number): number => (epoch % 255) + 1
/** uint32s of a row before its first number. */
export const FIXED_WORDS = 2

const bitsFor = (span: number): number => (span === 0 ? 0 : Math.floor(Math.log2(span)) + 1)

/** Who receives a parameter field, from its keywords; `undefined` when it never leaves the server. */
export const audienceOf = (field: DCParameterField): Audience | undefined => {
  const has = (keyword: string) => field.keywords.includes(keyword)
  if (has('broadcast') || has('clrecv')) return 'interested'
  if (has('ownrecv')) return 'owner'
  return has('airecv') || has('db') ? undefined : 'interested'
}

/** The same of a message that the server sends. */
export const audienceOfMessage = ({ keywords }: MessageField): Audience | undefined =>
  keywords.includes('broadcast') || keywords.includes('clrecv')
    ? 'interested'
    : keywords.includes('ownrecv')
      ? 'owner'
      : undefined

/** Whether a message is told whoever comes to see its object, in any case. A molecule has the keyword by its atomics alone. */
export const isRequired = (field: MessageField): boolean =>
  field.kind === 'atomic' && field.keywords.includes('required')

/** Messages of a class that are kept for an audience. */
const keptBy = (dclass: DCClass, audience: Audience): MessageField[] =>
  dclass.inherited.filter(
    (field): field is MessageField =>
      field.kind !== 'parameter' &&
      audienceOfMessage(field) === audience &&
      (isRequired(field) || field.keywords.includes('ram')),
  )

const integerBounds = (type: DCNumberType): readonly [number, number] => {
  // The packer rounds after the modulus, so that it packs -0.05 of int16/10%360 as 3600; here a full turn is none.
  if (type.modulus !== undefined) return [0, Math.max(0, Math.floor(type.modulus * type.divisor + 0.5) - 1)]
  if (type.ranges.length === 0) return LIMITS[type.base] as readonly [number, number]
  const lows = type.ranges.map(range => Number(range.min))
  const highs = type.ranges.map(range => Number(range.max))
  return [Math.min(...lows), Math.max(...highs)]
}

const wordsOf = (field: DCParameterField, column: Column, path: readonly string[]): Word[] => {
  if (column.kind === 'value') return []
  if (column.kind === 'struct')
    return column.extension
      ? quaternionWords(field, column, path, QUATERNION_BITS[column.extension])
      : column.fields.flatMap(part => wordsOf(field, part.column, [...path, part.name]))
  const { type, extension } = column
  const word: Word = { ...WHOLE, field, path, type, divisor: type.divisor, isReference: extension === 'DoId' }
  if (extension === 'float32') return [{ ...word, kind: extension }]
  if (extension === 'float16') return [{ ...word, kind: extension, span: 0xffff, bits: 16 }]
  if (type.base === 'float64' || type.base === 'int64' || type.base === 'uint64') {
    const half: Word = { ...word, kind: type.base === 'float64' ? 'float64' : 'int64', parts: 2 }
    return [half, { ...half, part: 1 }]
  }
  const [min, max] = integerBounds(type)
  const modulus = type.modulus === undefined ? 0 : type.modulus * type.divisor
  return [{ ...word, modulus, min, span: max - min, bits: bitsFor(max - min) }]
}

/** A word of 32 bits by itself. */
const WHOLE = {
  kind: 'integer',
  part: 0,
  parts: 1,
  componentBits: 0,
  divisor: 1,
  isReference: false,
  modulus: 0,
  min: 0,
  span: 0xffffffff,
  bits: 32,
} as const

/** The words stand beside the columns of x, y, z and w, but each of them is needed for each of these. */
const quaternionWords = (
  field: DCParameterField,
  { fields }: Extract<Column, { kind: 'struct' }>,
  path: readonly string[],
  componentBits: number,
): Word[] =>
  fields.map(({ name, column }, at): Word => {
    const part = at as Word['part']
    const bits = part === 0 ? 2 : componentBits
    const { type } = column as Extract<Column, { kind: 'scalar' }>
    const number = { field, path: [...path, name], type, componentBits }
    return { ...WHOLE, ...number, kind: 'quaternion', part, parts: 4, span: 2 ** bits - 1, bits }
  })

const scratch = new DataView(new ArrayBuffer(8))

/** Splits a float64 or a 64-bit integer into its two words; `part` 0 is the low one. */
const wideWord = (word: Word, value: number | bigint): number => {
  if (word.kind === 'float64') scratch.setFloat64(0, Number(value), true)
  else scratch.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true)
  return scratch.getUint32(word.part * 4, true)
}

/** The float64 that two words stand for. */
export const joinFloat64 = (low: number, high: number): number => {
  scratch.setUint32(0, low, true)
  scratch.setUint32(4, high, true)
  return scratch.getFloat64(0, true)
}

/** The 64-bit integer that two words stand for. */
export const joinInt64 = (low: number, high: number, signed: boolean): bigint => {
  scratch.setUint32(0, low, true)
  scratch.setUint32(4, high, true)
  return signed ? scratch.getBigInt64(0, true) : scratch.getBigUint64(0, true)
}

/** The value of a parameter field, `path` steps into it. */
const valueAt = (value: unknown, path: readonly string[]): unknown => path.slice(1).reduce(partOf, value)

const quaternion = [0, 0, 0, 0]

/** The word of a DC default. */
const defaultWord = (word: Word): number => {
  const initial = initialValue(word.field)
  if (word.kind === 'quaternion') {
    const [x, y, z, w] = valueAt(initial, word.path.slice(0, -1)) as [number, number, number, number]
    encodeQuaternion(x, y, z, w, word.componentBits, quaternion)
    return quaternion[word.part]!
  }
  const value = valueAt(initial, word.path)
  return wordOf(word, typeof value === 'boolean' ? Number(value) : (value as number | bigint))
}

/** Class, field and parts, as the packer names a place. */
const placeOf = ({ field, path }: Word): readonly string[] => [field.owner.name, ...path]

/** The same in words: `Avatar.position.x`. */
export const nameOfWord = (word: Word): string => placeOf(word).join('.')

/**
 * The word that stands for a number, or for a part of a wide one, but of no quaternion. Throws what the packer throws, with
 * class, field, value and range, when it does not fit.
 */
export const wordOf = (word: Word, value: number | bigint): number => {
  const { kind, type, min, span, modulus } = word
  if (kind === 'float32') return floatBits(value as number)
  if (kind === 'float16') return halfOf(word, value as number)
  if (kind !== 'integer') return wideWord(word, quantise(type, value, placeOf(word)))
  let real = (value as number) * word.divisor
  if (modulus !== 0) {
    real %= modulus
    if (real < 0) real += modulus
  }
  const rounded = Math.floor(real + 0.5)
  const offset = modulus !== 0 && rounded > span ? 0 : rounded - min
  // NaN fails both comparisons; several ranges have gaps, which only the packer's own check knows.
  if (offset >= 0 && offset <= span && type.ranges.length < 2) return offset
  return Number(quantise(type, value, placeOf(word))) - min
}

/** The bits of a half float; throws when a finite number is beyond them. */
const halfOf = (word: Word, value: number): number => {
  const bits = halfBits(value)
  if ((bits & 0x7fff) !== 0x7c00 || !Number.isFinite(value)) return bits
  const range = `-${MAX_HALF} to ${MAX_HALF}`
  throw new RangeError(`${nameOfWord(word)}: ${value} is outside float16 (${range}). Clamp it, or use float32`)
}

const makeLayout = (dclass: DCClass, audience: Audience, fields: readonly DCParameterField[]): Layout => {
  const words = fields.flatMap(field => wordsOf(field, columnKind(field.type), [field.name]))
  const values = fields.filter(field => columnKind(field.type).kind === 'value')
  const width = words.length + FIXED_WORDS
  const isOwnerWritten = words.some(word => word.field.keywords.includes('ownsend'))
  const spans = new Float64Array([0xffff, isOwnerWritten ? 0xff : 0, ...words.map(word => word.span)])
  const bits = new Uint8Array(Array.from(spans, bitsFor))
  const defaults = new Uint32Array(width)
  words.forEach((word, index) => {
    defaults[index + FIXED_WORDS] = defaultWord(word)
  })
  const rowBits = bits.reduce((sum, size) => sum + size, 0)
  const slots = mostSlots(rowBits)
  if (slots < 1)
    throw new Error(
      `dclass ${dclass.name} has ${Math.ceil(rowBits / 8)} bytes of numbers, more than one datagram holds: ` +
        'move some of them into an array field, or split the class.',
    )
  return { dclass, audience, words, values, messages: keptBy(dclass, audience), width, spans, bits, defaults, slots }
}

/** The rows of a dclass: the one that interested clients receive, and the one that only the owner receives, if any. */
export interface ClassLayouts {
  readonly interested: Layout
  readonly owner: Layout | undefined
}

/** Lays out the state of a dclass. Throws when a single object could not fit one datagram. */
export const layoutsOf = (dclass: DCClass): ClassLayouts => {
  const fields = dclass.inherited.filter((field): field is DCParameterField => field.kind === 'parameter')
  const owned = fields.filter(field => audienceOf(field) === 'owner')
  return {
    interested: makeLayout(
      dclass,
      'interested',
      fields.filter(field => audienceOf(field) === 'interested'),
    ),
    owner: owned.length > 0 || keptBy(dclass, 'owner').length > 0 ? makeLayout(dclass, 'owner', owned) : undefined,
  }
}
