import { getExtension } from './extension.ts'
import { caseMembers, findCase, memberKeys, membersOf, type Member } from './members.ts'
import {
  type DCParameterField,
  numberSize,
  oneSize,
  type DCArrayType,
  type DCBytesType,
  type DCField,
  type DCPackable,
  type DCSwitchType,
} from './model.ts'
import { dequantise, getScaled, inRange, inRanges } from './number.ts'
import { mostOf, plansOf, type PlanReader } from './plan.ts'

/**
 * Why bytes were refused: too few of them, a number or length outside its range, a wrong element count (or a key
 * without a case), bytes left over, an undeclared type. Empty: they were not.
 */
export type UnpackFailure = '' | 'short' | 'range' | 'count' | 'left over' | 'invalid'

/** A place in received bytes. After a failure every further read fails too and returns undefined. */
export interface Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
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
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** A reader over bytes [start, end). They are not copied; blobs read from them are. */
export function createReader(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  checks: Reader['checks'] = 'all',
  rawText = false,
): Reader {
  end = Math.min(end, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { bytes, view, at: start, end, failed: '', budget: MAX_EMPTY, checks, rawText }
}

function fail(reader: Reader, reason: UnpackFailure): undefined {
  reader.failed ||= reason
}

/** Whether `count` more bytes are there; fails the reader if not. */
function has(reader: Reader, count: number): boolean {
  if (reader.failed) return false
  if (count <= reader.end - reader.at) return true
  fail(reader, 'short')
  return false
}

/**
 * Reads one value. Never throws, and allocates no more than the bytes that are left can mean; look at `reader.failed`.
 * Numbers (bigint for int64 and uint64), strings (bytes that are not UTF-8 become U+FFFD), Uint8Arrays, arrays, and
 * objects by member name for structs, methods and switches.
 */
export function unpackType(packable: DCPackable, reader: Reader): unknown {
  switch (packable.kind) {
    case 'number': {
      const size = numberSize(packable)
      if (!has(reader, size)) return undefined
      const scaled = getScaled(reader.view, reader.at, packable)
      reader.at += size
      if (reader.checks !== 'sizes' && !inRange(packable, scaled)) return fail(reader, 'range')
      return packable.extension === 'bool' && isExtended(reader) ? scaled !== 0 : dequantise(packable, scaled)
    }
    case 'string':
    case 'blob':
    case 'blob32':
      return unpackBytes(packable, reader)
    case 'array':
      return unpackArray(packable, reader)
    case 'parameter':
      return unpackType(packable.type, reader)
    case 'switch':
      return unpackSwitch(packable, reader)
    case 'invalid':
      return fail(reader, 'invalid')
    default:
      return unpackMembers(membersOf(packable)!, reader, {}, 0)
  }
}

/** Whether values of the prelude's types are what they stand for, not what Panda3D sees. */
const isExtended = (reader: Reader): boolean => reader.checks === 'all' && !reader.rawText

function unpackBytes(type: DCBytesType, reader: Reader): unknown {
  const prefix = type.kind === 'blob32' ? 4 : 2
  let length = oneSize(type.sizes)
  if (length === undefined) {
    if (!has(reader, prefix)) return undefined
    length = prefix === 4 ? reader.view.getUint32(reader.at, true) : reader.view.getUint16(reader.at, true)
    reader.at += prefix
  }
  if (!has(reader, length)) return undefined
  const start = reader.at
  reader.at += length
  if (
    (reader.checks === 'all' || (reader.checks === 'panda' && type.kind === 'string')) &&
    !inRanges(type.sizes, length)
  ) {
    return fail(reader, 'range')
  }
  if (type.extension && isExtended(reader)) {
    const value = getExtension(reader.view, start, type.extension)
    return value === undefined ? fail(reader, 'range') : value
  }
  return type.kind === 'string' && !reader.rawText
    ? utf8.decode(reader.bytes.subarray(start, reader.at))
    : reader.bytes.slice(start, reader.at)
}

function unpackArray(type: DCArrayType, reader: Reader): unknown {
  const { element } = type,
    list: unknown[] = [],
    outer = reader.end
  const count = oneSize(type.sizes) ?? 0
  if (type.prefixed) {
    if (!has(reader, 2)) return undefined
    const length = reader.view.getUint16(reader.at, true)
    reader.at += 2
    if (!has(reader, length)) return undefined
    reader.end = reader.at + length
  }
  const isText = element.kind === 'number' && element.base === 'char',
    most = isText && reader.checks === 'panda' ? Infinity : mostOf(type.sizes)
  while (!reader.failed && (type.prefixed ? reader.at < reader.end : list.length < count)) {
    const before = reader.at
    // No more elements are made than could be legal.
    if (list.length === most) fail(reader, 'count')
    else if (isText && reader.checks === 'panda' && has(reader, 1)) list.push(reader.bytes[reader.at++])
    else list.push(unpackType(element, reader))
    // Elements without bytes would fill a length prefix for ever, or a large fixed array for nothing.
    if (reader.at === before && (type.prefixed || --reader.budget < 0)) fail(reader, 'count')
  }
  reader.end = outer
  if (reader.failed) return undefined
  // Panda3D unpacks an array of char as a string, and looks at no count then.
  if (reader.checks === 'panda' && isText) return list
  return inRanges(type.sizes, list.length) ? list : fail(reader, 'count')
}

function unpackMembers(
  members: readonly Member[],
  reader: Reader,
  into: Record<string, unknown>,
  from: number,
): unknown {
  const keys = memberKeys(members)
  for (let i = from; i < members.length && !reader.failed; i++) into[keys[i]!] = unpackType(members[i]!, reader)
  return reader.failed ? undefined : into
}

function unpackSwitch(type: DCSwitchType, reader: Reader): unknown {
  const start = reader.at,
    key = unpackType(type.key, reader)
  if (reader.failed) return undefined
  const branch = findCase(type, reader.bytes, start, reader.at)
  if (!branch) return fail(reader, 'range')
  const members = caseMembers(type, branch)
  return unpackMembers(members, reader, { [memberKeys(members)[0]!]: key }, 1)
}

/**
 * Unpacks one field from bytes off the wire. Never throws. Refuses bytes that are left over unless asked not to.
 */
export function unpackField(field: DCPackable | DCField, bytes: Uint8Array, options: UnpackOptions = {}): Unpacked {
  if (!options.panda && !options.rawText) {
    const { unpack } = plansOf(field)
    if (unpack) {
      const end = Math.min(options.end ?? bytes.length, bytes.length)
      PLANNED.bytes = bytes
      PLANNED.at = options.start ?? 0
      PLANNED.end = end
      PLANNED.isDeclined = false
      const value = unpack(PLANNED)
      PLANNED.bytes = NO_BYTES
      if (!PLANNED.isDeclined && (options.leftOver || PLANNED.at === end))
        return { ok: true, value, end: PLANNED.at, reason: '' }
    }
  }
  const reader = createReader(bytes, options.start, options.end, options.panda ? 'panda' : 'all', options.rawText)
  const value = unpackType(field, reader)
  if (!options.leftOver && !reader.failed && reader.at !== reader.end) reader.failed = 'left over'
  const reason = reader.failed
  return { ok: !reason, value: reason ? undefined : value, end: reader.at, reason }
}

const NO_BYTES = new Uint8Array(0)
/** Unpacking calls nobody who could unpack in between. */
const PLANNED: PlanReader = { bytes: NO_BYTES, at: 0, end: 0, isDeclined: false }

/** The value that a new object has in a field; undefined when there is none. */
export const initialValue = (field: DCParameterField): unknown => unpackField(field, field.initial).value
