import { setExtension } from './extension.ts'
import { memberKeys, membersOf, type Member } from './members.ts'
import { numberSize, oneSize, type DCArrayType, type DCBytesType, type DCNumberType, type DCPackable } from './model.ts'
import { inRanges, LIMITS } from './number.ts'
import { reserve, type Writer } from './writer.ts'

// What is packed all the time: the plan of a type is made once, and then only calls functions. A plan knows the common ways;
// whatever else there is (a default that stands in, a 64-bit number with a divisor, a switch, and every mistake) it declines,
// and the packer, which knows all of DC and can tell what is wrong, does the whole value again.

/** Packs a value behind what the writer holds. False when it declines: what it wrote by then has no meaning. */
export type PackPlan = (value: unknown, writer: Writer) => boolean

const PLANS = new WeakMap<DCPackable, PackPlan>()

/** The plan of a type, made at first use. */
export function planOf(packable: DCPackable): PackPlan {
  let plan = PLANS.get(packable)
  if (!plan) PLANS.set(packable, (plan = makePlan(packable)))
  return plan
}

const DECLINE: PackPlan = () => false

function makePlan(packable: DCPackable): PackPlan {
  switch (packable.kind) {
    case 'parameter':
      return planOf(packable.type)
    case 'number':
      return number(packable)
    case 'string':
      return text(packable)
    case 'blob':
    case 'blob32':
      return packable.extension ? extension(packable) : blob(packable)
    case 'array':
      return array(packable)
    case 'class':
    case 'atomic':
    case 'molecular':
      return members(membersOf(packable)!)
    default:
      return DECLINE
  }
}

function number(type: DCNumberType): PackPlan {
  const { base, divisor, modulus, ranges } = type
  if (base === 'float64') return ranges.length || modulus !== undefined ? DECLINE : double(divisor)
  if (ranges.length > 1) return DECLINE
  const [low, high] = LIMITS[base],
    [range = { min: low, max: high }] = ranges
  const min = range.min > low ? range.min : low,
    max = range.max < high ? range.max : high
  if (base !== 'int64' && base !== 'uint64') return integer(type, min as number, max as number)
  return divisor === 1 && modulus === undefined ? big(min as bigint, max as bigint) : DECLINE
}

function integer(type: DCNumberType, min: number, max: number): PackPlan {
  const { divisor, modulus } = type,
    size = numberSize(type),
    isBool = type.extension === 'bool'
  const wrap = modulus === undefined ? 0 : modulus * divisor
  return (value, writer) => {
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
  }
}

const double =
  (divisor: number): PackPlan =>
  (value, writer) => {
    if (typeof value !== 'number') return false
    const at = reserve(writer, 8)
    writer.view.setFloat64(at, value * divisor, true)
    return true
  }

const big =
  (min: bigint, max: bigint): PackPlan =>
  (value, writer) => {
    if (typeof value !== 'bigint' || value < min || value > max) return false
    const at = reserve(writer, 8)
    writer.view.setBigUint64(at, value, true)
    return true
  }

function extension({ extension, sizes }: DCBytesType): PackPlan {
  const size = oneSize(sizes)!
  return (value, writer) => {
    if (value instanceof Uint8Array) return false
    // The view is replaced when the writer grows: reserve first.
    const at = reserve(writer, size)
    return setExtension(writer.view, at, extension!, value) === ''
  }
}

const prefixOf = ({ kind, sizes }: DCBytesType): number =>
  oneSize(sizes) !== undefined ? 0 : kind === 'blob32' ? 4 : 2

/** Fills in the length of what was written behind `at`. */
function finish(writer: Writer, at: number, prefix: number, length: number): boolean {
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
  return prefix !== 2 || length <= 0xffff
}

function blob(type: DCBytesType): PackPlan {
  const prefix = prefixOf(type)
  return (value, writer) => {
    if (!(value instanceof Uint8Array) || !inRanges(type.sizes, value.length)) return false
    const at = reserve(writer, prefix + value.length)
    writer.bytes.set(value, at + prefix)
    return finish(writer, at, prefix, value.length)
  }
}

const utf8 = new TextEncoder()

function text(type: DCBytesType): PackPlan {
  const prefix = prefixOf(type)
  return (value, writer) => {
    if (typeof value !== 'string') return false
    const { length } = value
    // No letter is longer in UTF-8.
    const at = reserve(writer, prefix + length * 3),
      { bytes } = writer,
      start = at + prefix
    let size = 0
    for (let code = 0; size < length && (code = value.charCodeAt(size)) < 0x80; size++) bytes[start + size] = code
    if (size < length) size = utf8.encodeInto(value, bytes.subarray(start)).written
    return inRanges(type.sizes, size) && finish(writer, at, prefix, size)
  }
}

function array({ element, sizes, prefixed }: DCArrayType): PackPlan {
  const pack = planOf(element)
  // Elements that may be without bytes cannot be counted.
  if (leastSize(element) === 0) return DECLINE
  return (value, writer) => {
    if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && 'length' in value)) return false
    const list = value as ArrayLike<unknown>
    if (!inRanges(sizes, list.length)) return false
    const prefix = prefixed ? 2 : 0,
      at = reserve(writer, prefix)
    for (let i = 0; i < list.length; i++) if (!pack(list[i], writer)) return false
    return finish(writer, at, prefix, writer.length - at - prefix)
  }
}

/** Bytes that a value has at least; 0 when there may be none. */
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
    case 'switch':
      return leastSize(packable.key)
    default:
      return (membersOf(packable) ?? []).reduce((sum, member) => sum + leastSize(member), 0)
  }
}

function members(list: readonly Member[]): PackPlan {
  const keys = memberKeys(list),
    packs = list.map(planOf),
    count = list.length
  return (value, writer) => {
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
  }
}
