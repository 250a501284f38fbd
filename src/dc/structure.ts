import type {
  DCArrayType,
  DCClass,
  DCField,
  DCFile,
  DCMolecularField,
  DCNumberType,
  DCParameter,
  DCRange,
  DCSwitchType,
  DCType,
} from './model.ts'
import { dequantise } from './number.ts'
import { getScaled } from './read-number.ts'

/** The structure of a schema, class by class, as it is compared with another one. */
export interface SchemaStructure {
  /** Every class and struct, in order. */
  readonly classes: readonly ClassStructure[]
}

/** A class or struct: what is its own, without its number in the file. */
export interface ClassStructure {
  readonly name: string
  /** 32-bit hash of the header and the own fields in order. */
  readonly print: number
  /** `dclass Avatar : Node`. */
  readonly header: string
  /** Own fields in order, the constructor of a struct first. */
  readonly fields: readonly FieldStructure[]
}

/** A field, without its number. */
export interface FieldStructure {
  /** Of one without a name its place, `#2`. */
  readonly name: string
  readonly print: number
  /** `uint8(0..100) health = 100 broadcast ram`. */
  readonly text: string
}

/** Two halves of a 64-bit FNV-1a hash, both uint32. */
interface Fnv {
  high: number
  low: number
}

const start = (): Fnv => ({ high: 0xcbf29ce4, low: 0x84222325 })

/** Adds ASCII text. The prime is 2^40 + 0x1b3: 435 times, and eight bits further up in the high half. */
const addText = (hash: Fnv, text: string): Fnv => {
  let { high, low } = hash
  for (let at = 0; at < text.length; at++) {
    low = (low ^ text.charCodeAt(at)) >>> 0
    const product = low * 0x1b3
    high = (Math.imul(high, 0x1b3) + ((product / 0x1_0000_0000) | 0) + (low << 8)) >>> 0
    low = product >>> 0
  }
  hash.high = high
  hash.low = low
  return hash
}

/** A 32-bit hash of ASCII text: both halves of its FNV-1a. */
export const printOf = (text: string): number => {
  const { high, low } = addText(start(), text)
  return (high ^ low) >>> 0
}

const STRUCTURES = new WeakMap<readonly DCClass[], SchemaStructure>()

/** The structure of a schema; worked out once. */
export const structureOf = ({ classes }: Pick<DCFile, 'classes'>): SchemaStructure => {
  let structure = STRUCTURES.get(classes)
  if (!structure) STRUCTURES.set(classes, (structure = makeStructure(classes)))
  return structure
}

/**
 * The structural hash: 64-bit FNV-1a of the canonical text. Unlike Panda3D's it sees the names of parameters, array-ness,
 * typedefs and defaults.
 */
export const structureHash = (file: Pick<DCFile, 'classes'>): bigint => {
  const { high, low } = addText(start(), canonicalText(file))
  return (BigInt(high) << 32n) | BigInt(low)
}

/** The text that the structural hash is a hash of: a line for each class and each of its fields, as PROTOCOL.md tells. */
export const canonicalText = ({ classes }: Pick<DCFile, 'classes'>): string => {
  const named = new Set(classes)
  let text = ''
  for (const dclass of classes) {
    text += `${headerOf(dclass)}\n`
    for (const field of ownFields(dclass)) text += `${field.number} ${fieldText(field, named)}\n`
  }
  return text
}

const ownFields = (dclass: DCClass): readonly DCField[] =>
  dclass.constructorField ? [dclass.constructorField, ...dclass.fields] : dclass.fields

const makeStructure = (all: readonly DCClass[]): SchemaStructure => {
  const named = new Set(all)
  const classes = all.map(dclass => {
    const header = headerOf(dclass)
    const fields = ownFields(dclass).map((field, at) => {
      const text = fieldText(field, named)
      return { name: field.name || `#${at}`, print: printOf(text), text }
    })
    return { name: dclass.name, print: printOf([header, ...fields.map(({ text }) => text)].join('\n')), header, fields }
  })
  return { classes }
}

const headerOf = ({ isStruct, name, parents }: DCClass): string => {
  const bases = parents.map(parent => parent.name).join(', ')
  return `${isStruct ? 'struct' : 'dclass'} ${name}${bases && ` : ${bases}`}`
}

/** The canonical text of a field without its number. Classes of `named` stand by their name, others are written out. */
export const fieldText = (field: DCField, named: ReadonlySet<DCClass>): string => {
  const text =
    field.kind === 'parameter'
      ? parameterText(field, named)
      : field.kind === 'atomic'
        ? `${field.name}(${field.parameters.map(each => memberText(each, named)).join(', ')})`
        : `${field.name} : ${(field as DCMolecularField).atomics.map(atomic => atomic.name).join(', ')}`
  if (field.kind === 'molecular') return text
  const { keywords } = field
  return `${text}${keywords.length > 0 ? ` ${keywords.length > 1 ? [...keywords].sort().join(' ') : keywords[0]}` : ''}`
}

const memberText = (member: DCParameter | DCField, named: ReadonlySet<DCClass>): string =>
  member.kind === 'parameter' ? parameterText(member, named) : fieldText(member, named)

const parameterText = ({ type, name, default: packed }: DCParameter, named: ReadonlySet<DCClass>): string =>
  typeText(type, named) + (name && ` ${name}`) + (packed ? ` = ${valueText(type, packed)}` : '')

const typeText = (type: DCType, named: ReadonlySet<DCClass>): string => {
  const bare = bareText(type, named)
  // An alias of a type of the prelude is that type, too.
  const text = 'extension' in type && type.extension !== type.typedefName ? `${type.extension}{${bare}}` : bare
  return type.typedefName && type.typedefName !== text ? `${type.typedefName}{${text}}` : text
}

const bareText = (type: DCType, named: ReadonlySet<DCClass>): string => {
  switch (type.kind) {
    case 'number':
      return type.base + factorsText(type) + bracketed(rangesText(type.ranges, type))
    case 'string':
    case 'blob':
    case 'blob32':
      return type.kind + bracketed(rangesText(type.sizes))
    case 'array':
      return arrayText(type, named)
    case 'class': {
      const { dclass } = type
      return named.has(dclass)
        ? dclass.name
        : `${headerOf(dclass)} { ${ownFields(dclass)
            .map(field => `${fieldText(field, named)}; `)
            .join('')}}`
    }
    case 'switch':
      return switchText(type, named)
    default:
      return 'undeclared'
  }
}

const bracketed = (text: string): string => text && `(${text})`

const factorsText = ({ divisor, modulus }: { readonly divisor: number; readonly modulus?: number }): string =>
  (divisor === 1 ? '' : `/${divisor}`) + (modulus === undefined ? '' : `%${modulus}`)

/** In units of the value, as `type` scales it: integers of 64 bits exactly, else as the shortest decimal. */
const rangesText = (ranges: readonly DCRange[], type?: DCNumberType): string => {
  const end = (scaled: number | bigint) => (type ? dequantise(type, scaled) : scaled)
  return ranges.map(({ min, max }) => (min === max ? `${end(min)}` : `${end(min)}..${end(max)}`)).join(', ')
}

const arrayText = (type: DCArrayType, named: ReadonlySet<DCClass>): string => {
  if (type.legacy) {
    const { name, ranges } = type.legacy
    const numbers = { kind: 'number', base: 'int32', ...type.legacy } as const
    return name + factorsText(numbers) + bracketed(rangesText(ranges, numbers))
  }
  // Brackets stand outermost first, as in DC.
  let brackets = ''
  let innermost: DCArrayType = type
  for (;;) {
    brackets += `[${rangesText(innermost.sizes)}]`
    const { element } = innermost
    if (element.kind !== 'array' || element.typedefName || element.legacy) break
    innermost = element
  }
  const { element, elementDefault } = innermost
  const text = typeText(element, named)
  return (elementDefault ? `(${text} = ${valueText(element, elementDefault)})` : text) + brackets
}

const switchText = (type: DCSwitchType, named: ReadonlySet<DCClass>): string => {
  const branches = type.defaultCase ? [...type.cases, type.defaultCase] : type.cases
  const cases = branches.map(
    ({ value, fields }) =>
      `${value ? `case ${bytesText(value)}` : 'default'}: ${fields.map(each => `${parameterText(each, named)}; `).join('')}`,
  )
  return `switch ${type.name && `${type.name} `}(${memberText(type.key, named)}) { ${cases.join('')}}`
}

/** A packed value: a number as one, everything else as its bytes. */
const valueText = (type: DCType, packed: Uint8Array): string => {
  if (type.kind !== 'number') return bytesText(packed)
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  return `${dequantise(type, getScaled(view, 0, type))}`
}

/** Values longer than this stand as their hash. */
const MAX_VALUE = 64

const DIGITS = '0123456789abcdef'

const hex = (bytes: ArrayLike<number>): string => {
  let text = ''
  for (let at = 0; at < bytes.length; at++) text += DIGITS[bytes[at]! >> 4]! + DIGITS[bytes[at]! & 15]!
  return text
}

const bytesText = (bytes: Uint8Array): string => {
  if (bytes.length <= MAX_VALUE) return `<${hex(bytes)}>`
  const { high, low } = addText(start(), hex(bytes))
  return `<${bytes.length} bytes ${hex([24, 16, 8, 0].map(shift => (high >>> shift) & 255))}${hex([24, 16, 8, 0].map(shift => (low >>> shift) & 255))}>`
}

/** The name of the typedef whose default is the schema's version: `typedef uint16 SchemaVersion = 4;`. */
export const VERSION_TYPEDEF = 'SchemaVersion'

/**
 * The version that a schema declares by `typedef uint16 SchemaVersion = 4;`, 0 without one. A typedef that nothing uses is in
 * neither hash, reserves no word, and Panda3D reads it.
 */
export const schemaVersion = ({ typedefs }: Pick<DCFile, 'typedefs'>): number => {
  const typedef = typedefs.find(({ name }) => name === VERSION_TYPEDEF)
  if (typedef?.type.kind !== 'number' || !typedef.default) return 0
  const version = Number(valueText(typedef.type, typedef.default))
  return version >= 0 && version <= 0xffffffff ? Math.floor(version) : 0
}
