import { getExtension } from './extension.ts'
import { caseMembers, findCase, memberKeys, membersOf, type Member } from './members.ts'
import {
  type DCParameterField,
  numberSize,
  oneSize,
  type DCArrayType,
  type DCBytesType,
  type DCField,
  type DCNumberType,
  type DCPackable,
  type DCRange,
  type DCSwitchType,
} from './model.ts'
import { dequantise, inRanges, LIMITS } from './number.ts'

/**
 * Why bytes were refused: too few of them, a number or length outside its range, a wrong element count (or a key
 * without a case), bytes left over, an undeclared type. Empty: they were not.
 */
export type UnpackFailure = '' | 'short' | 'range' | 'count' | 'left over' | 'invalid'

/** A place in received bytes. After a failure every further read fails too and returns undefined. */
export interface Reader {
  readonly bytes: Uint8Array
  /** The next byte to read. */
  at: number
  /** Where the bytes end. Lowered while a length prefix is in force. */
  end: number
  failed: UnpackFailure
  /** Array elements without any bytes that may still be read: nothing else bounds those. */
  budget: number
  /** How much to check: sizes of parts only, as Panda3D's unpacker, or all ranges. */
  readonly checks: 'sizes' | 'panda' | 'all'
  /** Strings become Uint8Arrays: what they are in DC. */
  readonly rawText: boolean
}

/** The answer to one unpacking. `value` is undefined unless `ok`. */
export interface Unpacked {
  readonly ok: boolean
  readonly value: unknown
  /** Bytes were read up to here. */
  readonly end: number
  readonly reason: UnpackFailure
}

/** Options of {@link unpackField}. */
export interface UnpackOptions {
  /** First byte. Default 0. */
  readonly start?: number
  /** Behind the last byte. Default: all. */
  readonly end?: number
  /** Accept bytes behind the value; `end` of the result says where it ended. Default false. */
  readonly leftOver?: boolean
  /** Check no more than Panda3D's DCPacker does: it ignores the sizes of blobs. Default false. */
  readonly panda?: boolean
  /** Give strings as Uint8Arrays, so that bytes that are not UTF-8 survive. Default false. */
  readonly rawText?: boolean
}

/** Elements without bytes in one value: far more than anybody declares on purpose. */
const MAX_EMPTY = 1024

/** A reader over bytes [start, end). They are not copied; blobs read from them are. */
export function createReader(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  checks: Reader['checks'] = 'all',
  rawText = false,
): Reader {
  return { bytes, at: start, end: Math.min(end, bytes.length), failed: '', budget: MAX_EMPTY, checks, rawText }
}

function fail(reader: Reader, reason: UnpackFailure): undefined {
  reader.failed ||= reason
}

/** Reads the value of one type. Made once for each: reading is then calls of functions that know what they read. */
type Unpack = (reader: Reader) => unknown

const UNPACKS = new WeakMap<DCPackable, Unpack>()

function unpackOf(packable: DCPackable): Unpack {
  let unpack = UNPACKS.get(packable)
  if (!unpack) UNPACKS.set(packable, (unpack = makeUnpack(packable)))
  return unpack
}

function makeUnpack(packable: DCPackable): Unpack {
  switch (packable.kind) {
    case 'number':
      return packable.base === 'float64' || packable.base.endsWith('64') ? wide(packable) : integer(packable)
    case 'string':
    case 'blob':
    case 'blob32':
      return text(packable)
    case 'array':
      return array(packable)
    case 'parameter':
      return unpackOf(packable.type)
    case 'switch':
      return choice(packable)
    case 'invalid':
      return reader => fail(reader, 'invalid')
    default:
      return members(membersOf(packable)!)
  }
}

/**
 * Reads one value. Never throws, and allocates no more than the bytes that are left can mean; look at `reader.failed`.
 * Numbers (bigint for int64 and uint64), strings (bytes that are not UTF-8 become U+FFFD), Uint8Arrays, arrays, and
 * objects by member name for structs, methods and switches.
 */
export const unpackType = (packable: DCPackable, reader: Reader): unknown =>
  reader.failed ? undefined : unpackOf(packable)(reader)

/** Whether values of the prelude's types are what they stand for, not what Panda3D sees. */
const isExtended = (reader: Reader): boolean => reader.checks === 'all' && !reader.rawText

/** Integers of up to 32 bits. */
function integer(type: DCNumberType): Unpack {
  const { base, divisor, ranges } = type,
    size = numberSize(type),
    isSigned = base.startsWith('int'),
    isBool = type.extension === 'bool'
  // Of one range the ends; several have gaps, which are looked at apart.
  const [low, high] = LIMITS[base] as [number, number],
    min = Math.max(low, Math.min(...ranges.map(range => Number(range.min)), ranges.length ? Infinity : low)),
    max = Math.min(high, Math.max(...ranges.map(range => Number(range.max)), ranges.length ? -Infinity : high)),
    gaps = ranges.length > 1 ? ranges : NO_RANGES
  return reader => {
    const { at, bytes } = reader
    if (at + size > reader.end) return fail(reader, 'short')
    reader.at = at + size
    let scaled = bytes[at]!
    if (size === 1) scaled = isSigned ? (scaled << 24) >> 24 : scaled
    else {
      scaled |= bytes[at + 1]! << 8
      if (size === 2) scaled = isSigned ? (scaled << 16) >> 16 : scaled
      else {
        scaled |= (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
        if (!isSigned) scaled >>>= 0
      }
    }
    if (reader.checks !== 'sizes' && (scaled < min || scaled > max || !inRanges(gaps, scaled)))
      return fail(reader, 'range')
    if (isBool && isExtended(reader)) return scaled !== 0
    return divisor === 1 ? scaled : scaled / divisor
  }
}

const NO_RANGES: readonly DCRange[] = []
const WIDE = new DataView(new ArrayBuffer(8)),
  WIDE_BYTES = new Uint8Array(WIDE.buffer)

/** Takes `size` bytes to where they can be looked at as a number. */
function takeWide(reader: Reader, size: number): boolean {
  const { at, bytes } = reader
  if (at + size > reader.end) {
    fail(reader, 'short')
    return false
  }
  reader.at = at + size
  for (let i = 0; i < size; i++) WIDE_BYTES[i] = bytes[at + i]!
  return true
}

/** Numbers of 64 bits. */
function wide(type: DCNumberType): Unpack {
  const { base, ranges } = type
  return reader => {
    if (!takeWide(reader, 8)) return undefined
    const scaled =
      base === 'float64'
        ? WIDE.getFloat64(0, true)
        : base === 'int64'
          ? WIDE.getBigInt64(0, true)
          : WIDE.getBigUint64(0, true)
    if (reader.checks !== 'sizes' && !inRanges(ranges, scaled)) return fail(reader, 'range')
    return dequantise(type, scaled)
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** Up to here, adding ASCII letters one by one is faster than the decoder. */
const SHORT_TEXT = 8

/** Strings, blobs, and what the prelude makes of blobs. */
function text(type: DCBytesType): Unpack {
  const { kind, sizes, extension } = type,
    fixed = oneSize(sizes),
    prefix = fixed !== undefined ? 0 : kind === 'blob32' ? 4 : 2
  return reader => {
    const { bytes } = reader
    let length = fixed
    if (length === undefined) {
      const { at } = reader
      if (at + prefix > reader.end) return fail(reader, 'short')
      length = bytes[at]! | (bytes[at + 1]! << 8)
      if (prefix === 4) length = (length | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
      reader.at = at + prefix
    }
    const start = reader.at
    if (length > reader.end - start) return fail(reader, 'short')
    const { checks } = reader,
      end = start + length
    reader.at = end
    if (checks !== 'sizes' && (checks === 'all' || kind === 'string') && !inRanges(sizes, length))
      return fail(reader, 'range')
    if (extension && isExtended(reader)) {
      reader.at = start
      takeWide(reader, length)
      return getExtension(WIDE, 0, extension) ?? fail(reader, 'range')
    }
    if (kind !== 'string' || reader.rawText) return copyOf(bytes, start, end)
    if (length <= SHORT_TEXT) {
      let letters = ''
      for (let i = start; i < end && bytes[i]! < 0x80; i++) letters += String.fromCharCode(bytes[i]!)
      if (letters.length === length) return letters
    }
    return decoder.decode(bytes.subarray(start, end))
  }
}

/** A copy of bytes [start, end), also of a Buffer, whose `slice` is none. */
const copyOf = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  bytes.constructor === Uint8Array ? bytes.slice(start, end) : new Uint8Array(bytes.subarray(start, end))

function array(type: DCArrayType): Unpack {
  const { element, prefixed, sizes } = type,
    unpack = unpackOf(element),
    count = oneSize(sizes) ?? 0,
    most = sizes.length ? Math.max(...sizes.map(({ max }) => max)) : Infinity,
    isText = element.kind === 'number' && element.base === 'char'
  return reader => {
    const outer = reader.end
    if (prefixed) {
      const { at, bytes } = reader
      if (at + 2 > outer) return fail(reader, 'short')
      reader.at = at + 2
      reader.end = at + 2 + (bytes[at]! | (bytes[at + 1]! << 8))
      if (reader.end > outer) {
        reader.end = outer
        return fail(reader, 'short')
      }
    }
    // Panda3D unpacks an array of char as a string, and looks at neither its count nor its letters then.
    const isLax = isText && reader.checks === 'panda',
      list: unknown[] = []
    while (!reader.failed && (prefixed ? reader.at < reader.end : list.length < count)) {
      const before = reader.at
      if (isLax && before < reader.end) list.push(reader.bytes[reader.at++])
      // No more elements are made than could be legal.
      else if (list.length === most && !isLax) fail(reader, 'count')
      else list.push(unpack(reader))
      // Elements without bytes would fill a length prefix for ever, or a large fixed array for nothing.
      if (reader.at === before && (prefixed || --reader.budget < 0)) fail(reader, 'count')
    }
    reader.end = outer
    if (reader.failed) return undefined
    return isLax || inRanges(sizes, list.length) ? list : fail(reader, 'count')
  }
}

/** The parts of a struct or method, by name. */
function members(list: readonly Member[]): Unpack {
  const keys = memberKeys(list),
    unpacks = list.map(unpackOf)
  // Copying a shape is faster than adding one key after the other.
  const shape: Record<string, unknown> = {}
  for (const key of keys) shape[key] = undefined
  return reader => {
    const into = { ...shape }
    for (let i = 0; i < unpacks.length; i++) {
      into[keys[i]!] = unpacks[i]!(reader)
      if (reader.failed) return undefined
    }
    return into
  }
}

function choice(type: DCSwitchType): Unpack {
  const unpackKey = unpackOf(type.key)
  return reader => {
    const start = reader.at,
      key = unpackKey(reader)
    if (reader.failed) return undefined
    const branch = findCase(type, reader.bytes, start, reader.at)
    if (!branch) return fail(reader, 'range')
    const parts = caseMembers(type, branch),
      keys = memberKeys(parts),
      into: Record<string, unknown> = { [keys[0]!]: key }
    for (let i = 1; i < parts.length; i++) {
      into[keys[i]!] = unpackOf(parts[i]!)(reader)
      if (reader.failed) return undefined
    }
    return into
  }
}

const NO_BYTES = new Uint8Array(0)
/** The reader of {@link unpackField}, which calls nobody who could unpack in between. */
const READER: { -readonly [K in keyof Reader]: Reader[K] } = createReader(NO_BYTES)
const DEFAULTS: UnpackOptions = {}

/**
 * Unpacks one field from bytes off the wire. Never throws. Refuses bytes that are left over unless asked not to.
 */
export function unpackField(
  field: DCPackable | DCField,
  bytes: Uint8Array,
  options: UnpackOptions = DEFAULTS,
): Unpacked {
  const reader = READER
  reader.bytes = bytes
  reader.at = options.start ?? 0
  reader.end = Math.min(options.end ?? bytes.length, bytes.length)
  reader.failed = ''
  reader.budget = MAX_EMPTY
  reader.checks = options.panda ? 'panda' : 'all'
  reader.rawText = options.rawText ?? false
  const value = unpackOf(field)(reader)
  reader.bytes = NO_BYTES
  if (!options.leftOver && reader.at !== reader.end) fail(reader, 'left over')
  const { failed, at } = reader
  return { ok: !failed, value: failed ? undefined : value, end: at, reason: failed }
}

/** The value that a new object has in a field; undefined when there is none. */
export const initialValue = (field: DCParameterField): unknown => unpackField(field, field.initial).value
