import { setExtension, type FloatExtension } from './extension.ts'
import { caseMembers, findCase, memberKeys, membersOf, type Member } from './members.ts'
import {
  numberSize,
  oneSize,
  type DCArrayType,
  type DCBytesType,
  type DCField,
  type DCNumberType,
  type DCPackable,
  type DCSwitchType,
} from './model.ts'
import { defaultScaled, inRanges, placeOf, quantise, setScaled, show } from './number.ts'
import { planOf } from './pack-plan.ts'
import { createReader, unpackType } from './unpacker.ts'
import { reserve, writeBytes, written, type Writer } from './writer.ts'

/** A value of a default may not become larger than this: 16 MiB. */
const MAX_DEFAULT = 1 << 24
const utf8 = new TextEncoder()

/** Size in bytes of the length before a string or blob. */
export const prefixSize = (type: DCBytesType): number =>
  oneSize(type.sizes) !== undefined ? 0 : type.kind === 'blob32' ? 4 : 2

/** Fills in the length of what came since it was reserved at `at`. False when it does not fit the prefix. */
export function endPrefix(writer: Writer, at: number, size: number): boolean {
  const length = writer.length - at - size
  if (size === 2) writer.view.setUint16(at, length, true)
  else if (size) writer.view.setUint32(at, length, true)
  return size !== 2 || length <= 0xffff
}

const where = (writer: Writer): string => placeOf(writer.path)

function mistyped(writer: Writer, expected: string, value: unknown): never {
  throw new TypeError(`${where(writer)}: expected ${expected}, got ${show(value)}`)
}

/**
 * Packs a caller's value.
 * @throws TypeError or RangeError that names the place in the value, the value, and what would be legal.
 */
export function packType(packable: DCPackable, value: unknown, writer: Writer): void {
  const start = writer.length
  if (planOf(packable)(value, writer)) return
  writer.length = start
  packAny(packable, value, writer)
}

/** The same without a plan: packs all of DC, or says why not. Slower, for those who pack little. */
export function packAny(packable: DCPackable, value: unknown, writer: Writer): void {
  switch (packable.kind) {
    case 'number':
      return packNumber(packable, value, writer)
    case 'string':
    case 'blob':
    case 'blob32':
      return packBytes(packable, value, writer)
    case 'array':
      return packArray(packable, value, writer)
    case 'parameter':
      return packAny(packable.type, value, writer)
    case 'switch':
      return packSwitch(packable, value, writer)
    case 'invalid':
      throw new TypeError(`${where(writer)}: the type ${packable.typedefName} is not declared in the DC file`)
    default: {
      const members = membersOf(packable)!
      const used = packMembers(members, 0, value, writer)
      checkRest(members, used, value, writer)
    }
  }
}

function packNumber(type: DCNumberType, value: unknown, writer: Writer): void {
  if (typeof value === 'string' && type.base === 'char' && value.length === 1) value = value.charCodeAt(0)
  if (typeof value === 'boolean' && type.extension === 'bool') value = Number(value)
  const scaled = quantise(type, value as number, writer.path)
  // The view is replaced when the writer grows: reserve first.
  const at = reserve(writer, numberSize(type))
  setScaled(writer.view, at, type, scaled)
}

function packBytes(type: DCBytesType, value: unknown, writer: Writer): void {
  const text = type.kind === 'string'
  if (type.extension && !(value instanceof Uint8Array)) return packExtension(type, type.extension, value, writer)
  if (typeof value === 'string' && text) value = utf8.encode(value)
  if (!(value instanceof Uint8Array)) mistyped(writer, text ? 'a string' : 'a Uint8Array', value)
  if (!inRanges(type.sizes, value.length)) {
    throw new RangeError(
      `${where(writer)}: ${value.length} bytes is outside ${type.kind}(${sizes(type.sizes)}). Shorten it, or change the size in the DC file`,
    )
  }
  const prefix = prefixSize(type),
    at = reserve(writer, prefix)
  writeBytes(writer, value)
  if (!endPrefix(writer, at, prefix)) throw tooLong(writer, value.length)
}

/** A float or a quaternion of the prelude, from its value. */
function packExtension(type: DCBytesType, extension: FloatExtension, value: unknown, writer: Writer): void {
  const at = reserve(writer, oneSize(type.sizes)!)
  const expected = setExtension(writer.view, at, extension, value)
  if (!expected) return
  if (typeof value !== 'number') mistyped(writer, expected, value)
  throw new RangeError(`${where(writer)}: ${value} does not fit ${extension}: expected ${expected}`)
}

function packArray(type: DCArrayType, value: unknown, writer: Writer): void {
  const { element } = type
  if (typeof value === 'string' && element.kind === 'number' && element.base === 'char') value = utf8.encode(value)
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && 'length' in value)) mistyped(writer, 'an array', value)
  const list = value as ArrayLike<unknown>
  if (!inRanges(type.sizes, list.length)) {
    throw new RangeError(
      `${where(writer)}: ${list.length} elements is outside [${sizes(type.sizes)}]. Change the list, or the size in the DC file`,
    )
  }
  const prefix = type.prefixed ? 2 : 0,
    at = reserve(writer, prefix)
  for (let i = 0; i < list.length; i++) {
    const before = writer.length
    packNamed(element, list[i], i, writer)
    // The prefix counts bytes: how many elements without any there were, nobody could tell.
    if (prefix && writer.length === before)
      throw new RangeError(
        `${where(writer)}: elements of no bytes cannot be counted. Give the element a field, or the array a fixed size`,
      )
  }
  if (!endPrefix(writer, at, prefix)) throw tooLong(writer, writer.length - at - 2)
}

function packNamed(packable: DCPackable, value: unknown, key: string | number, writer: Writer): void {
  writer.path.push(key)
  packAny(packable, value, writer)
  writer.path.pop()
}

/** Packs members[from...] out of an object by name or an array by position. Returns how many of its entries were used. */
function packMembers(members: readonly Member[], from: number, value: unknown, writer: Writer): number {
  if (typeof value !== 'object' || value === null) {
    return mistyped(writer, `an object { ${memberKeys(members).join(', ')} } or an array in that order`, value)
  }
  const keys = memberKeys(members),
    list = Array.isArray(value)
  let used = 0
  for (let i = from; i < members.length; i++) {
    const member = members[i]!,
      key = keys[i]!
    const entry: unknown = list
      ? value[i]
      : Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined
    if (entry !== undefined) {
      used++
      packNamed(member, entry, key, writer)
    } else if (member.kind === 'parameter' && member.default) writeBytes(writer, member.default)
    else {
      writer.path.push(key)
      mistyped(writer, `a value (${keys.join(', ')} are needed)`, undefined)
    }
  }
  return used
}

/** A misspelt or surplus entry is a mistake that would otherwise pass in silence. */
function checkRest(members: readonly Member[], used: number, value: unknown, writer: Writer): void {
  const names = Object.keys(value as object)
  if (names.length === used) return
  const keys = Array.isArray(value) ? members.map((_, i) => String(i)) : memberKeys(members)
  const strange = names.find(name => !keys.includes(name))
  if (strange !== undefined)
    throw new TypeError(
      `${where(writer)}: there is no ${show(strange)} here, only ${memberKeys(members).join(', ') || 'an empty value'}`,
    )
}

function packSwitch(type: DCSwitchType, value: unknown, writer: Writer): void {
  const start = writer.length
  const keyOnly: readonly Member[] = (KEY_ONLY.get(type) ?? KEY_ONLY.set(type, [type.key]).get(type))!
  const used = packMembers(keyOnly, 0, value, writer)
  const branch = findCase(type, writer.bytes, start, writer.length)
  if (!branch) throw new RangeError(`${where(writer)}: no case of switch ${type.name} has the key of ${show(value)}`)
  const members = caseMembers(type, branch)
  checkRest(members, used + packMembers(members, 1, value, writer), value, writer)
}

const KEY_ONLY = new WeakMap<DCSwitchType, readonly Member[]>()

const tooLong = (writer: Writer, length: number): RangeError =>
  new RangeError(
    `${where(writer)}: ${length} bytes do not fit the 65535 that DC's length prefix can say. Send it in parts`,
  )

const sizes = (ranges: DCBytesType['sizes']): string =>
  ranges.map(({ min, max }) => (min === max ? min : `${min}-${max}`)).join(', ')

/**
 * Packs the value of one field. A parameter takes its value; a method an object by parameter name (`arg0`, `arg1` for
 * unnamed ones) or an array in order.
 * @returns the bytes, in memory of their own; with `out` they are appended there and the result is a view of them.
 * @throws TypeError or RangeError whose message begins with `Class.field`.
 */
export function packField(field: DCField, value: unknown, out?: Writer): Uint8Array {
  return out ? packInto(out, field, value) : written(writer => void packInto(writer, field, value))
}

function packInto(writer: Writer, field: DCField, value: unknown): Uint8Array {
  const start = writer.length
  if (!planOf(field)(value, writer)) {
    writer.length = start
    packNamedField(field, value, writer)
  }
  return writer.bytes.subarray(start, writer.length)
}

function packNamedField(field: DCField, value: unknown, writer: Writer): void {
  writer.path.length = 0
  writer.path.push(field.owner.name, field.name)
  packAny(field, value, writer)
}

/**
 * {@link packField} without plans, whose code a page need not load: it packs a few values a second, a server thousands.
 * @throws the same.
 */
export const packFieldSlowly = (field: DCField, value: unknown): Uint8Array =>
  written(writer => packNamedField(field, value, writer))

/**
 * The packed default of a field: what the DC file declares, else zeros, empty texts and the least legal sizes.
 * @throws RangeError when the least legal value is larger than 16 MiB.
 */
export function packDefault(packable: DCPackable): Uint8Array {
  return written(writer => writeDefault(packable, writer, { left: 1 << 20 }))
}

/** The value that {@link packDefault} packs, as unpacked. */
export function defaultValue(packable: DCPackable): unknown {
  return unpackType(packable, createReader(packDefault(packable)))
}

function writeDefault(packable: DCPackable, writer: Writer, budget: { left: number }): void {
  switch (packable.kind) {
    case 'number': {
      const at = reserve(writer, numberSize(packable))
      setScaled(writer.view, at, packable, defaultScaled(packable))
      return
    }
    case 'string':
    case 'blob':
    case 'blob32': {
      const length = packable.sizes[0]?.min ?? 0,
        prefix = prefixSize(packable),
        at = reserve(writer, prefix)
      if (writer.length + length > MAX_DEFAULT) throw tooLarge(packable.kind)
      const start = reserve(writer, length)
      // The writer may have been used before.
      writer.bytes.fill(0, start, start + length)
      endPrefix(writer, at, prefix)
      return
    }
    case 'array': {
      const prefix = packable.prefixed ? 2 : 0,
        at = reserve(writer, prefix),
        count = leastCount(packable)
      for (let i = 0; i < count; i++) {
        if (--budget.left < 0 || writer.length > MAX_DEFAULT) throw tooLarge('array')
        if (packable.elementDefault) writeBytes(writer, packable.elementDefault)
        else writeDefault(packable.element, writer, budget)
      }
      endPrefix(writer, at, prefix)
      return
    }
    case 'parameter':
      if (packable.default) writeBytes(writer, packable.default)
      else writeDefault(packable.type, writer, budget)
      return
    case 'switch': {
      const start = writer.length,
        first = packable.cases[0]
      // Panda3D packs the key's default only when some part of the switch declares one.
      const declared = hasDefault(packable)
      writeDefault(packable.key, writer, budget)
      let branch = declared || !first ? findCase(packable, writer.bytes, start, writer.length) : undefined
      if (!branch && first) {
        writer.length = start
        writeBytes(writer, first.value!)
        branch = first
      }
      for (const field of branch?.fields ?? []) writeDefault(field, writer, budget)
      return
    }
    case 'invalid':
      return
    default:
      for (const member of membersOf(packable)!) writeDefault(member, writer, budget)
  }
}

/** Elements that an array has at least. A legacy array of unsigned integers takes its range for that, as in Panda3D. */
const leastCount = ({ sizes, legacy }: DCArrayType): number =>
  Number((legacy?.name.startsWith('u') ? legacy.ranges : sizes)[0]?.min ?? 0)

/** Whether a default is declared for the value or a part of it. */
function hasDefault(packable: DCPackable): boolean {
  switch (packable.kind) {
    case 'parameter':
      return packable.default !== undefined || hasDefault(packable.type)
    case 'array':
      return packable.elementDefault !== undefined || hasDefault(packable.element)
    case 'switch':
      return (
        hasDefault(packable.key) ||
        packable.cases.some(each => each.fields.some(hasDefault)) ||
        (packable.defaultCase?.fields.some(hasDefault) ?? false)
      )
    case 'class':
    case 'atomic':
    case 'molecular':
      return membersOf(packable)!.some(hasDefault)
    default:
      return false
  }
}

const tooLarge = (what: string): RangeError => new RangeError(`The least legal ${what} is too large for a default`)
