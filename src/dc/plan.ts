import { getExtension, setExtension } from './extension.ts'
import { memberKeys, membersOf, type Member } from './members.ts'
import {
  numberSize,
  oneSize,
  type DCArrayType,
  type DCBytesType,
  type DCNumberBase,
  type DCNumberType,
  type DCPackable,
  type DCRange,
} from './model.ts'
import { inRanges, LIMITS } from './number.ts'
import { reserve, type Writer } from './writer.ts'

// What is packed and unpacked all the time: the plan of a type is made once, and then only calls functions. A plan knows the
// common ways; whatever else there is (a default that stands in, a 64-bit number with a divisor, a switch, and every mistake)
// it declines, and the packer and unpacker, which know all of DC and can tell what is wrong, do the whole value again.

/** Packs a value behind what the writer holds. False when it declines: what it wrote by then has no meaning. */
export type PackPlan = (value: unknown, writer: Writer) => boolean

/** Where an unpacking plan reads. */
export interface PlanReader {
  bytes: Uint8Array
  at: number
  end: number
  /** Set when the plan declines, as for bytes that are no value of the type. */
  isDeclined: boolean
}

/** Unpacks the value at the reader. */
export type UnpackPlan = (reader: PlanReader) => unknown

interface Plans {
  readonly pack?: PackPlan
  readonly unpack?: UnpackPlan
}

const PLANS = new WeakMap<DCPackable, Plans>()
const NO_PLANS: Plans = {}

/** The plans of a type, made at first use. */
export function plansOf(packable: DCPackable): Plans {
  let plans = PLANS.get(packable)
  if (!plans) PLANS.set(packable, (plans = makePlans(packable)))
  return plans
}

function makePlans(packable: DCPackable): Plans {
  switch (packable.kind) {
    case 'parameter':
      return plansOf(packable.type)
    case 'number':
      return numberPlans(packable)
    case 'string':
    case 'blob':
    case 'blob32':
      return bytesPlans(packable)
    case 'array':
      return arrayPlans(packable)
    case 'class':
    case 'atomic':
    case 'molecular':
      return membersPlans(membersOf(packable)!)
    default:
      return NO_PLANS
  }
}

const decline = (reader: PlanReader): undefined => {
  reader.isDeclined = true
}

const WIDE = new DataView(new ArrayBuffer(8)),
  WIDE_BYTES = new Uint8Array(WIDE.buffer)

/** The least and greatest number of the type, in scaled integers; undefined when there are gaps between. */
function boundsOf({ base, ranges }: { readonly base: DCNumberBase; readonly ranges: readonly DCRange[] }) {
  if (ranges.length > 1) return undefined
  const [min, max] = LIMITS[base],
    [range] = ranges
  return range ? { min: range.min > min ? range.min : min, max: range.max < max ? range.max : max } : { min, max }
}

function numberPlans(type: DCNumberType): Plans {
  const bounds = boundsOf(type)
  if (!bounds) return NO_PLANS
  const { base, divisor, modulus, ranges } = type
  if (base === 'float64') return ranges.length || modulus !== undefined ? NO_PLANS : doublePlans(divisor)
  if (base === 'int64' || base === 'uint64') {
    if (divisor !== 1 || modulus !== undefined) return NO_PLANS
    return bigPlans(base === 'int64', bounds.min as bigint, bounds.max as bigint)
  }
  return integerPlans(type, bounds.min as number, bounds.max as number)
}

function integerPlans(type: DCNumberType, min: number, max: number): Plans {
  const { base, divisor, modulus } = type,
    size = numberSize(type),
    isSigned = base.startsWith('int'),
    isBool = type.extension === 'bool'
  const wrap = modulus === undefined ? 0 : modulus * divisor
  return {
    pack(value, writer) {
      if (typeof value !== 'number') {
        if (!isBool || typeof value !== 'boolean') return false
        value = value ? 1 : 0
      }
      let scaled = (value as number) * divisor
      if (wrap) {
        // Beyond this the modulus of a double says nothing.
        if (!(scaled <= Number.MAX_SAFE_INTEGER && scaled >= -Number.MAX_SAFE_INTEGER)) return false
        scaled %= wrap
        if (scaled < 0) scaled = (scaled + wrap) % wrap
      }
      const rounded = Math.floor(scaled + 0.5)
      // The sum is not exact next to a half and for large numbers.
      scaled = Number.isInteger(scaled) ? scaled : rounded
      // NaN is neither.
      if (!(scaled >= min && scaled <= max)) return false
      const at = reserve(writer, size),
        { bytes } = writer
      bytes[at] = scaled
      if (size > 1) bytes[at + 1] = scaled >> 8
      if (size > 2) {
        bytes[at + 2] = scaled >> 16
        bytes[at + 3] = scaled >> 24
      }
      return true
    },
    unpack(reader) {
      const { at, bytes } = reader
      if (at + size > reader.end) return decline(reader)
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
      if (scaled < min || scaled > max) return decline(reader)
      if (isBool) return scaled !== 0
      return divisor === 1 ? scaled : scaled / divisor
    },
  }
}

const doublePlans = (divisor: number): Plans => ({
  pack(value, writer) {
    if (typeof value !== 'number') return false
    const at = reserve(writer, 8)
    writer.view.setFloat64(at, value * divisor, true)
    return true
  },
  unpack(reader) {
    if (!takeWide(reader)) return undefined
    const value = WIDE.getFloat64(0, true)
    return divisor === 1 ? value : value / divisor
  },
})

const bigPlans = (isSigned: boolean, min: bigint, max: bigint): Plans => ({
  pack(value, writer) {
    if (typeof value !== 'bigint' || value < min || value > max) return false
    const at = reserve(writer, 8)
    writer.view.setBigUint64(at, value, true)
    return true
  },
  unpack(reader) {
    if (!takeWide(reader)) return undefined
    const value = isSigned ? WIDE.getBigInt64(0, true) : WIDE.getBigUint64(0, true)
    return value < min || value > max ? decline(reader) : value
  },
})

/** Takes eight bytes to where they can be looked at as one number. */
function takeWide(reader: PlanReader): boolean {
  const { at, bytes } = reader
  if (at + 8 > reader.end) {
    decline(reader)
    return false
  }
  reader.at = at + 8
  for (let i = 0; i < 8; i++) WIDE_BYTES[i] = bytes[at + i]!
  return true
}

const utf8 = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** Up to here, adding ASCII letters one by one is faster than the decoder. */
const SHORT_TEXT = 8

function bytesPlans(type: DCBytesType): Plans {
  const { kind, sizes, extension } = type,
    fixed = oneSize(sizes),
    prefix = fixed !== undefined ? 0 : kind === 'blob32' ? 4 : 2,
    longest = prefix === 2 ? 0xffff : 0xffffffff
  if (extension) {
    return {
      pack(value, writer) {
        if (value instanceof Uint8Array) return false
        // The view is replaced when the writer grows: reserve first.
        const at = reserve(writer, fixed!)
        return setExtension(writer.view, at, extension, value) === ''
      },
      unpack(reader) {
        const { at, bytes } = reader
        if (at + fixed! > reader.end) return decline(reader)
        reader.at = at + fixed!
        for (let i = 0; i < fixed!; i++) WIDE_BYTES[i] = bytes[at + i]!
        return getExtension(WIDE, 0, extension) ?? decline(reader)
      },
    }
  }
  const take = (reader: PlanReader): number => {
    const { at, bytes } = reader
    let length = fixed
    if (length === undefined) {
      if (at + prefix > reader.end) return -1
      length = bytes[at]! | (bytes[at + 1]! << 8)
      if (prefix === 4) length = (length | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
    }
    if (length > reader.end - at - prefix || !inRanges(sizes, length)) return -1
    reader.at = at + prefix + length
    return length
  }
  /** Fills in the length of what was written from `at` on. */
  const finish = (writer: Writer, at: number, length: number): boolean => {
    if (length > longest || !inRanges(sizes, length)) return false
    writer.length = at + prefix + length
    const { bytes } = writer
    if (prefix) {
      bytes[at] = length
      bytes[at + 1] = length >> 8
    }
    if (prefix === 4) {
      bytes[at + 2] = length >> 16
      bytes[at + 3] = length >> 24
    }
    return true
  }
  if (kind !== 'string') {
    return {
      pack(value, writer) {
        if (!(value instanceof Uint8Array)) return false
        const at = reserve(writer, prefix + value.length)
        writer.bytes.set(value, at + prefix)
        return finish(writer, at, value.length)
      },
      unpack(reader) {
        const length = take(reader)
        return length < 0 ? decline(reader) : reader.bytes.slice(reader.at - length, reader.at)
      },
    }
  }
  return {
    pack(value, writer) {
      if (typeof value !== 'string') return false
      const { length } = value
      // No letter is longer in UTF-8.
      const at = reserve(writer, prefix + length * 3),
        { bytes } = writer,
        start = at + prefix
      let i = 0
      for (let code = 0; i < length && (code = value.charCodeAt(i)) < 0x80; i++) bytes[start + i] = code
      return finish(writer, at, i === length ? i : utf8.encodeInto(value, bytes.subarray(start)).written)
    },
    unpack(reader) {
      const length = take(reader)
      if (length < 0) return decline(reader)
      const { bytes, at } = reader,
        start = at - length
      if (length <= SHORT_TEXT) {
        let text = ''
        for (let i = start; i < at && bytes[i]! < 0x80; i++) text += String.fromCharCode(bytes[i]!)
        if (text.length === length) return text
      }
      return decoder.decode(bytes.subarray(start, at))
    },
  }
}

/** The greatest legal size. */
export const mostOf = (sizes: readonly DCRange<number>[]): number =>
  sizes.length ? Math.max(...sizes.map(({ max }) => max)) : Infinity

function arrayPlans({ element, sizes, prefixed }: DCArrayType): Plans {
  const { pack, unpack } = plansOf(element),
    count = prefixed ? Infinity : oneSize(sizes)!,
    most = mostOf(sizes)
  // Elements that may be without bytes need the unpacker's budget, and cannot be counted by the packer.
  if (!pack || !unpack || leastSize(element) === 0) return NO_PLANS
  return {
    pack(value, writer) {
      if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && 'length' in value)) return false
      const list = value as ArrayLike<unknown>
      if (!inRanges(sizes, list.length)) return false
      const at = prefixed ? reserve(writer, 2) : 0
      for (let i = 0; i < list.length; i++) if (!pack(list[i], writer)) return false
      if (!prefixed) return true
      const length = writer.length - at - 2
      writer.bytes[at] = length
      writer.bytes[at + 1] = length >> 8
      return length <= 0xffff
    },
    unpack(reader) {
      const list: unknown[] = [],
        outer = reader.end
      if (prefixed) {
        const { at, bytes } = reader
        if (at + 2 > outer) return decline(reader)
        reader.at = at + 2
        reader.end = at + 2 + (bytes[at]! | (bytes[at + 1]! << 8))
        if (reader.end > outer) return decline(reader)
      }
      // No more elements are made than could be legal.
      while (!reader.isDeclined && (prefixed ? reader.at < reader.end && list.length <= most : list.length < count))
        list.push(unpack(reader))
      reader.end = outer
      return reader.isDeclined || !inRanges(sizes, list.length) ? decline(reader) : list
    },
  }
}

/** Bytes that a value of a type with plans has at least; 0 when there may be none. */
function leastSize(packable: DCPackable): number {
  switch (packable.kind) {
    case 'parameter':
      return leastSize(packable.type)
    case 'number':
      return numberSize(packable)
    case 'string':
    case 'blob':
    case 'blob32':
      return oneSize(packable.sizes) ?? 2
    case 'array':
      return packable.prefixed ? 2 : oneSize(packable.sizes)! * leastSize(packable.element)
    default:
      return (membersOf(packable) ?? []).reduce((sum, member) => sum + leastSize(member), 0)
  }
}

function membersPlans(members: readonly Member[]): Plans {
  const keys = memberKeys(members),
    plans = members.map(plansOf),
    packs: PackPlan[] = [],
    unpacks: UnpackPlan[] = []
  for (const { pack, unpack } of plans) {
    if (!pack || !unpack) return NO_PLANS
    packs.push(pack)
    unpacks.push(unpack)
  }
  const count = members.length
  // Copying a shape is faster than adding one key after the other.
  const shape: Record<string, unknown> = {}
  for (const key of keys) shape[key] = undefined
  return {
    pack(value, writer) {
      if (typeof value !== 'object' || value === null) return false
      if (Array.isArray(value)) {
        if (value.length !== count) return false
        for (let i = 0; i < count; i++) if (value[i] === undefined || !packs[i]!(value[i], writer)) return false
        return true
      }
      // Instances of classes have properties that are not their own, which only the packer tells apart.
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype !== Object.prototype && prototype !== null) return false
      const object = value as Record<string, unknown>
      for (let i = 0; i < count; i++) {
        const entry = object[keys[i]!]
        if (entry === undefined || !packs[i]!(entry, writer)) return false
      }
      let names = 0
      for (const _ in object) names++
      return names === count
    },
    unpack(reader) {
      const into = { ...shape }
      for (let i = 0; i < count && !reader.isDeclined; i++) into[keys[i]!] = unpacks[i]!(reader)
      return into
    },
  }
}
