import type { NumberColumn } from '../components/index.ts'
import type { Word } from '../net/layout.ts'
import { Touch, type ServerClass } from './server-state.ts'

/**
 * Finds what changed since the last tick by comparing each column with a copy, and quantises that on the spot into the
 * class's rows: a tight loop a column. `touched` has the marks of each object of the class.
 */
export const scanClass = (serverClass: ServerClass): void => {
  const { objects, watched, texts, touched, eids } = serverClass
  for (const watch of watched) SCANS.get(watch.column.constructor)!(watch, serverClass, watch.column, watch.shadow)
  for (const { column, shadow } of texts)
    for (let index = 0; index < objects.length; index++) {
      const eid = eids[index]!
      const value = column[eid]
      // Unlike ===, this does not look at a value that is the same one: thousands of them are in no cache.
      if (Object.is(shadow[eid], value)) continue
      // Lists and blobs can change in place: they are packed each time.
      shadow[eid] = typeof value === 'string' ? value : NEVER
      touched[index]! |= Touch.values
    }
}

/** A column to watch: the word that it is quantised to, if it is a number of a layout that one word holds. */
export interface Watch {
  readonly column: NumberColumn
  /** As the column was when it was looked at last. */
  readonly shadow: NumberColumn
  readonly word: Word | undefined
  /** Index of that word in a row; which rows. */
  readonly at: number
  readonly isOwners: boolean
}

/** A copy of a column, to compare with. */
export const shadowOf = (column: NumberColumn): NumberColumn => column.slice()

/**
 * Whether a scan can quantise a word by itself; several ranges have gaps, which only the packer's own check knows, and
 * entities go over the wire under another number.
 */
export const isSimple = (word: Word): boolean =>
  word.kind === 'integer' && word.type.ranges.length < 2 && !word.isReference

/** No value of a column. */
const NEVER = Symbol('never')

type Scan<Column> = (watch: Watch, serverClass: ServerClass, column: Column, shadow: Column) => void

// One function a kind of array, so that each stays monomorphic: a shared one would be an order slower.

/** That no number fits. */
const NO_WORD = { divisor: 1, modulus: 0, min: 0, span: -1 } as const

/** The word of a number, or -1 when it does not fit. */
const quantised = (divisor: number, modulus: number, min: number, span: number, value: number): number => {
  let real = value * divisor
  if (modulus !== 0 && (real < 0 || real >= modulus)) {
    real %= modulus
    if (real < 0) real += modulus
  }
  const rounded = Math.floor(real + 0.5)
  const offset = modulus !== 0 && rounded > span ? 0 : rounded - min
  return offset >= 0 && offset <= span ? offset : -1
}

const scanInt8: Scan<Int8Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    if (value === shadow[eid]) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanUint8: Scan<Uint8Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    if (value === shadow[eid]) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanInt16: Scan<Int16Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    if (value === shadow[eid]) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanUint16: Scan<Uint16Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    if (value === shadow[eid]) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanInt32: Scan<Int32Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    if (value === shadow[eid]) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanUint32: Scan<Uint32Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    if (value === shadow[eid]) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanFloat32: Scan<Float32Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    const before = shadow[eid]!
    // Zero has a sign that === does not see, and that a float64 field sends.
    if (value === before && (value !== 0 || 1 / value === 1 / before)) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanFloat64: Scan<Float64Array> = ({ word, at, isOwners }, serverClass, column, shadow) => {
  const { eids, touched, objects } = serverClass
  const rows = isOwners ? serverClass.ownerRows : serverClass.rows
  const width = isOwners ? serverClass.ownerWidth : serverClass.width
  const mark = isOwners ? Touch.ownerWords : Touch.words
  const { divisor, modulus, min, span } = word ?? NO_WORD
  for (let index = 0, count = objects.length; index < count; index++) {
    const eid = eids[index]!
    const value = column[eid]!
    const before = shadow[eid]!
    // Zero has a sign that === does not see, and that a float64 field sends.
    if (value === before && (value !== 0 || 1 / value === 1 / before)) continue
    shadow[eid] = value
    const offset = quantised(divisor, modulus, min, span, value)
    if (offset >= 0) {
      const place = index * width + at
      if (rows[place] === offset) continue
      rows[place] = offset
      touched[index]! |= mark
    } else touched[index]! |= Touch.all
  }
}
const scanBigInt64: Scan<BigInt64Array> = (_, { eids, touched, objects }, column, shadow) => {
  for (let index = 0; index < objects.length; index++) {
    const eid = eids[index]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[index]! |= Touch.all
  }
}
const scanBigUint64: Scan<BigUint64Array> = (_, { eids, touched, objects }, column, shadow) => {
  for (let index = 0; index < objects.length; index++) {
    const eid = eids[index]!
    if (column[eid] === shadow[eid]) continue
    shadow[eid] = column[eid]!
    touched[index]! |= Touch.all
  }
}

const SCANS = new Map<unknown, Scan<any>>([
  [Int8Array, scanInt8],
  [Uint8Array, scanUint8],
  [Int16Array, scanInt16],
  [Uint16Array, scanUint16],
  [Int32Array, scanInt32],
  [Uint32Array, scanUint32],
  [Float32Array, scanFloat32],
  [Float64Array, scanFloat64],
  [BigInt64Array, scanBigInt64],
  [BigUint64Array, scanBigUint64],
])
