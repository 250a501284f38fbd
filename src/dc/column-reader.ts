import { isQuaternion, QUATERNION_BITS, type FloatExtension } from './extension.ts'
import { halfValue } from './half.ts'
import { memberKeys, membersOf } from './members.ts'
import {
  is64,
  numberSize,
  oneSize,
  type DCNumberBase,
  type DCNumberType,
  type DCPackable,
  type DCRange,
} from './model.ts'
import { LIMITS } from './number.ts'
import { decodeQuaternion } from './quaternion.ts'
import { createReader, unpackType } from './unpacker.ts'

/** Any typed array. */
export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

/**
 * Where the parts of a value go, a row each: a typed array for a number, for a fixed array of numbers `[rows x count]`, for a
 * quaternion `[rows x 4]`; an object of columns by member name for a struct or a method, by x, y, z and w for a quaternion; a
 * plain array for anything else.
 */
export type ReadColumns = NumberArray | unknown[] | { readonly [name: string]: ReadColumns }

/**
 * Reads the value at bytes [start, end) into row `row` of its columns. Never throws, and allocates nothing unless a column is
 * a plain array.
 * @returns where the value ends, or -1 when the bytes are no value of the type: the columns are as they were then.
 */
export type ColumnReader = (bytes: Uint8Array, start: number, end: number, row: number) => number

/** How the bytes of a number are read. */
const Code = {
  int8: 0,
  uint8: 1,
  int16: 2,
  uint16: 3,
  int32: 4,
  uint32: 5,
  int64: 6,
  uint64: 7,
  float64: 8,
  float16: 9,
  float32: 10,
  quat32: 11,
  quat48: 12,
  /** What the quaternion before holds besides its x. */
  y: 13,
  z: 14,
  w: 15,
} as const
type Code = (typeof Code)[keyof typeof Code]

const codeOf = (base: DCNumberBase | FloatExtension): Code => (base === 'char' ? Code.uint8 : Code[base])

/** Puts the number of {@link RAW} into one place of a column. */
type Store = (column: NumberArray, index: number, divisor: number) => void

/** One number, or the four of a quaternion. */
interface Leaf {
  readonly code: Code
  readonly size: number
  readonly divisor: number
  /** Legal scaled numbers; undefined when all are that the bytes can say. */
  readonly ranges: readonly DCRange[] | undefined
  readonly column: NumberArray
  /** The number of row `r` is at `r * stride + offset`. */
  readonly stride: number
  readonly offset: number
  readonly store: Store
}

/** A part whose size is in its bytes, or that no typed array can hold. */
interface Value {
  readonly packable: DCPackable
  readonly list: unknown[]
}

// Numbers pass through this, as a number that a function returns or takes may be put on the heap.
const RAW = new Float64Array(1)
const WIDE_BYTES = new Uint8Array(8),
  WIDE = new DataView(WIDE_BYTES.buffer)
const WORDS = new Uint32Array(4),
  QUATERNION = new Float64Array(4)

// A function for each kind of array: one that stores into many kinds allocates.
const intoInt8: Store = (column, index, divisor) => {
  ;(column as Int8Array)[index] = RAW[0]! / divisor
}
const intoUint8: Store = (column, index, divisor) => {
  ;(column as Uint8Array)[index] = RAW[0]! / divisor
}
const intoInt16: Store = (column, index, divisor) => {
  ;(column as Int16Array)[index] = RAW[0]! / divisor
}
const intoUint16: Store = (column, index, divisor) => {
  ;(column as Uint16Array)[index] = RAW[0]! / divisor
}
const intoInt32: Store = (column, index, divisor) => {
  ;(column as Int32Array)[index] = RAW[0]! / divisor
}
const intoUint32: Store = (column, index, divisor) => {
  ;(column as Uint32Array)[index] = RAW[0]! / divisor
}
const intoFloat32: Store = (column, index, divisor) => {
  ;(column as Float32Array)[index] = RAW[0]! / divisor
}
const intoFloat64: Store = (column, index, divisor) => {
  ;(column as Float64Array)[index] = RAW[0]! / divisor
}
/** Both halves of a 64-bit integer, as they came. The column is one of its halves: {@link halvesOf}. */
const intoHalves: Store = (column, index) => {
  ;(column as Uint32Array)[index * 2] = WIDE.getUint32(0, true)
  ;(column as Uint32Array)[index * 2 + 1] = WIDE.getUint32(4, true)
}
const intoQuaternion: Store = (column, index) => {
  for (let part = 0; part < 4; part++) (column as Float32Array)[index + part] = QUATERNION[part]!
}

function storeOf(column: NumberArray): Store {
  if (column instanceof Float32Array) return intoFloat32
  if (column instanceof Float64Array) return intoFloat64
  if (column instanceof Int8Array) return intoInt8
  if (column instanceof Uint8Array) return intoUint8
  if (column instanceof Int16Array) return intoInt16
  if (column instanceof Uint16Array) return intoUint16
  return column instanceof Int32Array ? intoInt32 : intoUint32
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** The same memory in 32-bit halves, the lower first. */
const halvesOf = (column: BigInt64Array | BigUint64Array): Uint32Array =>
  new Uint32Array(column.buffer, column.byteOffset, column.length * 2)

/**
 * Prepares a field, method or type for reading its values into columns.
 * @throws TypeError when a part has no column, or one that cannot hold it.
 */
export function columnReader(packable: DCPackable, columns: ReadColumns): ColumnReader {
  const parts: (Leaf | Value)[] = []
  collect(packable, columns, 'name' in packable ? packable.name : 'value', parts)
  const isFixed = parts.every(part => 'code' in part)
  return isFixed ? fixedReader(parts as Leaf[]) : mixedReader(parts)
}

/** All parts have a size: one look at the end, one at what has ranges, then all is written. */
function fixedReader(leaves: readonly Leaf[]): ColumnReader {
  const total = leaves.reduce((sum, { size }) => sum + size, 0)
  const isLimited = leaves.some(({ ranges }) => ranges)
  return (bytes, start, end, row) => {
    const stop = start + total
    if (stop > end || stop > bytes.length) return -1
    let at = start
    if (isLimited) {
      for (let i = 0; i < leaves.length; i++) {
        const leaf = leaves[i]!
        if (leaf.ranges && !isLegal(leaf, bytes, at)) return -1
        at += leaf.size
      }
      at = start
    }
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i]!
      load(leaf.code, bytes, at)
      leaf.store(leaf.column, row * leaf.stride + leaf.offset, leaf.divisor)
      at += leaf.size
    }
    return stop
  }
}

/** Some parts are values: they are unpacked before anything is written. */
function mixedReader(parts: readonly (Leaf | Value)[]): ColumnReader {
  return (bytes, start, end, row) => {
    const reader = createReader(bytes, start, end),
      values: unknown[] = [],
      places: number[] = []
    for (const part of parts) {
      places.push(reader.at)
      if ('code' in part) {
        if (part.size > reader.end - reader.at || (part.ranges && !isLegal(part, bytes, reader.at))) return -1
        reader.at += part.size
      } else {
        values.push(unpackType(part.packable, reader))
        if (reader.failed) return -1
      }
    }
    let next = 0
    for (const [i, part] of parts.entries()) {
      if ('code' in part) {
        load(part.code, bytes, places[i]!)
        part.store(part.column, row * part.stride + part.offset, part.divisor)
      } else part.list[row] = values[next++]
    }
    return reader.at
  }
}

/** Puts a number where {@link Store}s find it. */
function load(code: Code, bytes: Uint8Array, at: number): void {
  switch (code) {
    case Code.int8:
      RAW[0] = (bytes[at]! << 24) >> 24
      return
    case Code.uint8:
      RAW[0] = bytes[at]!
      return
    case Code.int16:
      RAW[0] = ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16
      return
    case Code.uint16:
      RAW[0] = bytes[at]! | (bytes[at + 1]! << 8)
      return
    case Code.int32:
      RAW[0] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
      return
    case Code.uint32:
      RAW[0] = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
      return
    case Code.y:
    case Code.z:
    case Code.w:
      RAW[0] = QUATERNION[code - Code.y + 1]!
      return
    case Code.float16:
      RAW[0] = halfValue(bytes[at]! | (bytes[at + 1]! << 8))
      return
    default:
      loadWide(code, bytes, at)
  }
}

function loadWide(code: Code, bytes: Uint8Array, at: number): void {
  const size = code === Code.float32 || code === Code.quat32 ? 4 : code === Code.quat48 ? 6 : 8
  for (let i = 0; i < size; i++) WIDE_BYTES[i] = bytes[at + i]!
  switch (code) {
    case Code.float32:
      RAW[0] = WIDE.getFloat32(0, true)
      return
    case Code.float64:
      RAW[0] = WIDE.getFloat64(0, true)
      return
    // The sum is rounded once, as the conversion of the whole integer is.
    case Code.int64:
      RAW[0] = WIDE.getInt32(4, true) * 2 ** 32 + WIDE.getUint32(0, true)
      return
    case Code.uint64:
      RAW[0] = WIDE.getUint32(4, true) * 2 ** 32 + WIDE.getUint32(0, true)
      return
    case Code.quat32: {
      for (let word = 1; word < 4; word++) WORDS[word] = (WIDE.getUint32(0, true) >>> (10 * word - 10)) & 0x3ff
      WORDS[0] = WIDE_BYTES[3]! >> 6
      decodeQuaternion(WORDS, 0, QUATERNION_BITS.quat32, QUATERNION, 0)
      RAW[0] = QUATERNION[0]!
      return
    }
    default:
      WORDS[1] = WIDE.getUint16(0, true) & 0x7fff
      WORDS[2] = (WIDE.getUint32(0, true) >>> 15) & 0x7fff
      WORDS[3] = (WIDE_BYTES[3]! >> 6) | ((WIDE.getUint16(4, true) & 0x1fff) << 2)
      WORDS[0] = WIDE_BYTES[5]! >> 5
      decodeQuaternion(WORDS, 0, QUATERNION_BITS.quat48, QUATERNION, 0)
      RAW[0] = QUATERNION[0]!
  }
}

/** Whether the number at a place is in one of its ranges. */
function isLegal({ code, ranges }: Leaf, bytes: Uint8Array, at: number): boolean {
  if (code === Code.quat48) return bytes[at + 5]! < 0x80
  load(code, bytes, at)
  if (code === Code.int64 || code === Code.uint64) {
    const whole = code === Code.int64 ? WIDE.getBigInt64(0, true) : WIDE.getBigUint64(0, true)
    return ranges!.some(({ min, max }) => whole >= min && whole <= max)
  }
  for (let i = 0; i < ranges!.length; i++) {
    const range = ranges![i] as DCRange<number>
    if (RAW[0]! >= range.min && RAW[0]! <= range.max) return true
  }
  return false
}

/** More numbers in one fixed array are not worth a place each. */
const MAX_COUNT = 4096

function collect(packable: DCPackable, columns: ReadColumns | undefined, path: string, parts: (Leaf | Value)[]): void {
  if (columns === undefined) throw new TypeError(`${path}: there is no column. Pass one, a plain array if any`)
  if (packable.kind === 'parameter') return collect(packable.type, columns, path, parts)
  if (Array.isArray(columns)) {
    parts.push({ packable, list: columns as unknown[] })
    return
  }
  if (ArrayBuffer.isView(columns)) return collectNumbers(packable, columns, path, parts)
  if (packable.kind === 'blob' && packable.extension && isQuaternion(packable.extension))
    return collectParts(packable.extension, columns as { readonly [name: string]: ReadColumns }, path, parts)
  const members = membersOf(packable)
  if (!members) throw new TypeError(`${path}: an object of columns is for structs and methods. Pass an array`)
  const keys = memberKeys(members)
  members.forEach((member, i) =>
    collect(member, (columns as { readonly [name: string]: ReadColumns })[keys[i]!], `${path}.${keys[i]}`, parts),
  )
}

/** A quaternion with a column for each of its numbers: the first place has its bytes, the others what came of them. */
function collectParts(
  extension: 'quat32' | 'quat48',
  columns: { readonly [name: string]: ReadColumns },
  path: string,
  parts: (Leaf | Value)[],
): void {
  for (const [code, name] of [
    [codeOf(extension), 'x'],
    [Code.y, 'y'],
    [Code.z, 'z'],
    [Code.w, 'w'],
  ] as const) {
    const column = columns[name]
    if (!ArrayBuffer.isView(column) || isBig(column))
      throw new TypeError(`${path}.${name}: there is no column. Pass a Float32Array`)
    const size = name !== 'x' ? 0 : extension === 'quat32' ? 4 : 6
    const ranges = code === Code.quat48 ? [] : undefined
    parts.push({ code, size, divisor: 1, ranges, column, stride: 1, offset: 0, store: storeOf(column) })
  }
}

function collectNumbers(packable: DCPackable, column: NumberArray, path: string, parts: (Leaf | Value)[]): void {
  if (packable.kind === 'number') {
    parts.push(numberLeaf(packable, column, path, 1, 0))
    return
  }
  if (packable.kind === 'blob' && packable.extension) {
    const { extension } = packable,
      size = oneSize(packable.sizes)!
    const leaf = { code: codeOf(extension), size, divisor: 1, column, offset: 0 }
    if (isBig(column)) throw mismatch(path, extension)
    if (!isQuaternion(extension)) parts.push({ ...leaf, ranges: undefined, stride: 1, store: storeOf(column) })
    else parts.push({ ...leaf, ranges: extension === 'quat48' ? [] : undefined, stride: 4, store: intoQuaternion })
    return
  }
  const count = packable.kind === 'array' && !packable.prefixed ? oneSize(packable.sizes)! : Infinity
  if (packable.kind !== 'array' || packable.element.kind !== 'number' || count > MAX_COUNT)
    throw new TypeError(
      `${path}: a typed array holds numbers, and fixed arrays of up to ${MAX_COUNT} of them. Pass a plain array`,
    )
  for (let i = 0; i < count; i++) parts.push(numberLeaf(packable.element, column, path, count, i))
}

const isBig = (column: NumberArray): column is BigInt64Array | BigUint64Array =>
  column instanceof BigInt64Array || column instanceof BigUint64Array

const mismatch = (path: string, type: string): TypeError =>
  new TypeError(`${path}: a column of 64-bit integers is for int64 and uint64 without divisor, not ${type}`)

function numberLeaf(type: DCNumberType, column: NumberArray, path: string, stride: number, offset: number): Leaf {
  const { base, divisor } = type,
    [low, high] = LIMITS[base]
  const isAll = type.ranges.length === 0 || type.ranges.some(({ min, max }) => min <= low && max >= high)
  const leaf = {
    code: codeOf(base),
    size: numberSize(type),
    divisor,
    offset,
    stride,
    ranges: isAll ? undefined : type.ranges,
  }
  if (!isBig(column)) return { ...leaf, column, store: storeOf(column) }
  if (!is64(type) || divisor !== 1) throw mismatch(path, base)
  if (isLittleEndian) return { ...leaf, column: halvesOf(column), store: intoHalves }
  return { ...leaf, column, store: intoBig }
}

/** Where the halves of memory are the other way round. Allocates. */
const intoBig: Store = (column, index) => {
  ;(column as BigInt64Array)[index] = WIDE.getBigInt64(0, true)
}
