import { caseMembers, findCase, membersOf, type Member } from './members.ts'
import { oneSize, type DCArrayType, type DCNumberType, type DCPackable, type DCSwitchType } from './model.ts'
import { dequantise } from './number.ts'
import { getScaled } from './read-number.ts'
import { createReader, unpackType, type Reader } from './unpacker.ts'

/** Options of {@link formatPacked}. */
export interface FormatOptions {
  /** Write the names of parameters: `{x = 1, y = 2}`. Default false. */
  readonly names?: boolean
}

/**
 * Packed bytes as a value in DC, as Panda3D writes them (DCPacker::unpack_and_format): numbers with six digits, `"texts"`,
 * `<hex>` with the length of blobs, `[arrays]`, `{structs}`, `(methods and switches)`. What it writes can be packed again.
 * @returns undefined when the bytes are no value of the type, or more than one.
 */
export function formatPacked(packable: DCPackable, bytes: Uint8Array, options: FormatOptions = {}): string | undefined {
  const reader = createReader(bytes, 0, bytes.length, 'panda', true)
  const text = format(packable, reader, options.names ?? false)
  return reader.failed || reader.at !== reader.end ? undefined : text
}

function format(packable: DCPackable, reader: Reader, names: boolean): string {
  if (packable.kind === 'parameter') {
    const text = format(packable.type, reader, names)
    return names && packable.name ? `${packable.name} = ${text}` : text
  }
  const start = reader.at
  switch (packable.kind) {
    case 'number':
      return formatNumber(packable, reader)
    case 'string':
      return quote((unpackType(packable, reader) as Uint8Array | undefined) ?? [])
    case 'blob':
    case 'blob32':
      unpackType(packable, reader)
      return `<${Array.from(reader.bytes.subarray(start, reader.at), hex).join('')}>`
    case 'array':
      return formatArray(packable, reader, names)
    case 'switch':
      return formatSwitch(packable, reader, names)
    case 'class':
      return `{${formatAll(packable.dclass.members, reader, names).join(', ')}}`
    case 'invalid':
      reader.failed ||= 'invalid'
      return '<invalid>'
    default:
      return `(${formatAll(membersOf(packable)!, reader, names).join(', ')})`
  }
}

const hex = (byte: number): string => (byte + 256).toString(16).slice(1)

function formatAll(members: readonly Member[], reader: Reader, names: boolean): string[] {
  const parts: string[] = []
  for (const member of members) if (!reader.failed) parts.push(format(member, reader, names))
  return parts
}

function formatNumber(type: DCNumberType, reader: Reader): string {
  const start = reader.at
  unpackType(type, reader)
  if (reader.failed) return ''
  if (type.base === 'char') return quote(reader.bytes.subarray(start, reader.at))
  const { buffer, byteOffset } = reader.bytes
  const scaled = getScaled(new DataView(buffer, byteOffset + start), 0, type)
  return type.base === 'float64' || type.divisor !== 1 ? general(Number(dequantise(type, scaled))) : String(scaled)
}

function formatArray(type: DCArrayType, reader: Reader, names: boolean): string {
  const { element, sizes, prefixed } = type
  if (element.kind === 'number' && element.base === 'char')
    return quote((unpackType(type, reader) as number[] | undefined) ?? [])
  // The count is checked by unpacking all of it, which also bounds the loop.
  const start = reader.at
  unpackType(type, reader)
  if (reader.failed) return ''
  const end = reader.at,
    parts: string[] = [],
    count = prefixed ? Infinity : oneSize(sizes)!
  reader.at = prefixed ? start + 2 : start
  while (!reader.failed && parts.length < count && (!prefixed || reader.at < end))
    parts.push(format(element, reader, names))
  return `[${parts.join(', ')}]`
}

function formatSwitch(type: DCSwitchType, reader: Reader, names: boolean): string {
  const start = reader.at,
    key = format(type.key, reader, names)
  const branch = reader.failed ? undefined : findCase(type, reader.bytes, start, reader.at)
  if (!branch) {
    reader.failed ||= 'range'
    return ''
  }
  return `(${[key, ...formatAll(caseMembers(type, branch).slice(1), reader, names)].join(', ')})`
}

/** DCPacker::enquote_string: all but printable ASCII as `\xNN`. */
function quote(bytes: ArrayLike<number>): string {
  let text = '"'
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`
    else text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${hex(byte)}`
  }
  return text + '"'
}

/** A double as C++ streams write it: %g with six digits. */
export function general(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits, exponent] = sixDigits(Math.abs(value)),
    sign = value < 0 ? '-' : ''
  const strip = (text: string) => text.replace(/0+$/, '').replace(/\.$/, '')
  if (exponent < -4 || exponent >= 6) {
    const power = Math.abs(exponent)
    return `${sign}${strip(`${digits[0]}.${digits.slice(1)}`)}e${exponent < 0 ? '-' : '+'}${power < 10 ? '0' : ''}${power}`
  }
  const text =
    exponent < 0
      ? `0.${'0'.repeat(-exponent - 1)}${digits}`
      : `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
  return sign + strip(text)
}

/** Six significant digits and the power of ten of the first. Halves go to the even digit as in C; JavaScript rounds them up. */
function sixDigits(value: number): [digits: string, exponent: number] {
  const text = value.toExponential(5),
    digits = text[0]! + text.slice(2, 7),
    exponent = Number(text.slice(text.indexOf('e') + 1))
  // A double half way between two numbers of six digits has seven: the last one is a 5, and an even one came before it.
  const seven = value.toExponential(6)
  if (seven[7] === '5' && Number(seven[6]) % 2 === 0 && Number(seven) === value && isExact(seven))
    return [seven[0]! + seven.slice(2, 7), exponent]
  return [digits, exponent]
}

/** Whether the double that a decimal is read as is that decimal: an odd multiple of a power of two, and no fraction beyond it. */
const isExact = (decimal: string): boolean =>
  Number(decimal).toExponential(20) === decimal.replace('e', '0'.repeat(14) + 'e')
