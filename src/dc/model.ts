import type { Extension, FloatExtension } from './extension.ts'

/** A closed interval of legal values. Of a number: scaled by the divisor, as on the wire. Of a size: bytes or elements. */
export interface DCRange<T = number | bigint> {
  readonly min: T
  readonly max: T
}

/** The DC names of the numbers: what one takes on the wire, little endian. `char` is one byte, read as a number. */
export type DCNumberBase =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float64'
  | 'char'

/** A number. On the wire: `floor(value * divisor (mod modulus * divisor) + 0.5)`; a float64 is not rounded. */
export interface DCNumberType {
  readonly kind: 'number'
  readonly base: DCNumberBase
  /** 1 when none is declared. */
  readonly divisor: number
  /** As declared, in units of the value (360 for `int16/10%360`). Undone by nobody on reading. */
  readonly modulus?: number
  /** Scaled by the divisor; bigint for the 64-bit bases. Empty: only the limits of the base. */
  readonly ranges: readonly DCRange[]
  /** The typedef that the declaration used, if any. */
  readonly typedefName?: string
  /** The type of the prelude that its typedef is (or is made of), by name and shape. */
  readonly extension?: Extract<Extension, 'bool' | 'DoId'>
}

/** Text or bytes. With one legal size the bytes stand alone, otherwise behind their length (uint32 for blob32, else uint16). */
export interface DCBytesType {
  readonly kind: 'string' | 'blob' | 'blob32'
  /** Legal lengths in bytes. Empty: any that the prefix can say. */
  readonly sizes: readonly DCRange<number>[]
  readonly typedefName?: string
  /** The number or quaternion of the prelude that its typedef is (or is made of), by name and shape. */
  readonly extension?: FloatExtension
}

/** A list of equal elements. */
export interface DCArrayType {
  readonly kind: 'array'
  readonly element: DCType
  /** Legal element counts. Empty: any. */
  readonly sizes: readonly DCRange<number>[]
  /** The packed default of the typedef that the element was declared with. */
  readonly elementDefault?: Uint8Array
  /** Whether a uint16 **byte** length comes first. Panda3D decides it from the innermost type when the brackets are read. */
  readonly prefixed: boolean
  /** What only the hash knows of `int16array/10(0-5)`: a divisor, modulus or range there is accepted and not applied. */
  readonly legacy?: {
    readonly name: string
    readonly divisor: number
    readonly modulus?: number
    readonly ranges: readonly DCRange[]
  }
  readonly typedefName?: string
}

/** A struct (or a dclass) as a value. */
export interface DCClassType {
  readonly kind: 'class'
  readonly dclass: DCClass
  readonly typedefName?: string
}

/** One branch of a switch. */
export interface DCCase {
  /** The packed key; undefined for `default`. */
  readonly value?: Uint8Array
  /** What follows the key. */
  readonly fields: readonly DCParameter[]
}

/** A key, then the fields of the case that the key selects. */
export interface DCSwitchType {
  readonly kind: 'switch'
  readonly name: string
  readonly key: DCParameter | DCAtomicField
  readonly cases: readonly DCCase[]
  readonly defaultCase?: DCCase
  readonly typedefName?: string
}

/** An undeclared type. Only in files read with `strict: false`; nothing can be packed into it. */
export interface DCInvalidType {
  readonly kind: 'invalid'
  readonly typedefName?: string
}

/** Everything that a value can be declared as. */
export type DCType = DCNumberType | DCBytesType | DCArrayType | DCClassType | DCSwitchType | DCInvalidType

/** A named value: an element of a method, a field of a switch case. */
export interface DCParameter {
  readonly kind: 'parameter'
  /** Empty when unnamed. */
  readonly name: string
  readonly type: DCType
  /** The packed default that the DC text declares after `=`, here or at the typedef. */
  readonly default?: Uint8Array
}

interface FieldBase {
  /** Empty for the unnamed fields of structs. */
  readonly name: string
  /** Global over the DCFile, in order of declaration; -1 for constructors and switch keys. */
  readonly number: number
  /** Communication keywords in order of declaration, without duplicates. A molecule has those of its atomics. */
  readonly keywords: readonly string[]
  /** Panda3D's flags of the historical keywords; -1 when any keyword was declared by the file before its use here. */
  readonly flags: number
  readonly owner: DCClass
  /** The comment directly before the declaration, or behind it on its line. */
  readonly comment?: string
}

/** A field that holds a value: replicated state. */
export interface DCParameterField extends FieldBase, DCParameter {
  readonly hasDefault: boolean
  /**
   * The packed value that a new object has: the declared default, or the least legal value. Empty when there is none to
   * pack, as of an undeclared type. Worked out once on reading, so that a client need not carry how.
   */
  readonly initial: Uint8Array
}

/** A method: a message. */
export interface DCAtomicField extends FieldBase {
  readonly kind: 'atomic'
  readonly parameters: readonly DCParameter[]
}

/** Several methods sent as one. */
export interface DCMolecularField extends FieldBase {
  readonly kind: 'molecular'
  readonly atomics: readonly DCAtomicField[]
  /** Those of the atomics, one behind the other: what is packed. */
  readonly parameters: readonly DCParameter[]
}

/** A field of a class. */
export type DCField = DCParameterField | DCAtomicField | DCMolecularField

/** Whatever has a wire form. */
export type DCPackable = DCType | DCParameter | DCField

/** A dclass or a struct. */
export interface DCClass {
  readonly name: string
  /** Index among the classes of the file, structs included; a struct's own number is -1. */
  readonly number: number
  readonly isStruct: boolean
  /** True for the stand-in of an undeclared base (`strict: false` only). */
  readonly isPlaceholder: boolean
  readonly parents: readonly DCClass[]
  /** Own fields in order of declaration, without the constructor. */
  readonly fields: readonly DCField[]
  /** Panda3D's inherited list: own and inherited, shadowed ones removed, sorted by number. */
  readonly inherited: readonly DCField[]
  /** A method of a struct that is named as the struct. */
  readonly constructorField?: DCAtomicField
  /** What a value of this class packs, in order: the constructor, then the inherited list without molecules. */
  readonly members: readonly (DCParameterField | DCAtomicField)[]
  readonly comment?: string
}

/** `from module import symbols`. */
export interface DCImport {
  readonly module: string
  /** Empty for `import module`; `['*']` for a star. */
  readonly symbols: readonly string[]
}

/** `typedef type name`. */
export interface DCTypedef {
  readonly name: string
  readonly type: DCType
  readonly default?: Uint8Array
}

/** One schema: everything read from its files. */
export interface DCFile {
  /** In reading order, structs included: the class number is the index. */
  readonly classes: readonly DCClass[]
  readonly imports: readonly DCImport[]
  /** Keywords that the text declares, in order. Historical ones appear when used or declared. */
  readonly keywords: readonly string[]
  readonly typedefs: readonly DCTypedef[]
  /** All numbered fields; the index is the field number. */
  readonly fields: readonly DCField[]
  /** Panda3D's 32-bit hash, unsigned. */
  readonly hash: number
  /** Our own 64-bit hash, which sees the names of parameters, array-ness, typedefs and defaults too. */
  readonly structureHash: bigint
  /** As `typedef uint16 SchemaVersion = 4;` declares it; 0 without one. */
  readonly version: number
  fieldByNumber(number: number): DCField | undefined
  classByName(name: string): DCClass | undefined
}

/** A complaint about the text. */
export interface DCError {
  /** The name given with the text, or `dc`. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 code units. */
  readonly column: number
  /** UTF-16 code units that it is about, at least 1. */
  readonly length: number
  readonly message: string
  readonly severity: 'error' | 'warning'
  /** The line of the text, without its line break. */
  readonly source: string
  /** Of a syntax error: what would have been right here. */
  readonly expected?: string
  /** Of a syntax error: what came instead. */
  readonly found?: string
  /** What was probably meant, of a name that is not known. */
  readonly suggestion?: string
  /** What to do about it, in words that can follow the message. */
  readonly help?: string
}

const SIZES: Record<DCNumberBase, number> = {
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float64: 8,
  char: 1,
}

/** Size of a number in bytes. */
export const numberSize = (type: DCNumberType): number => SIZES[type.base]

/** Whether the scaled number is a bigint: int64 and uint64. */
export const is64 = (type: DCNumberType): boolean => type.base === 'int64' || type.base === 'uint64'

/** Whether the value itself is a bigint: a 64-bit integer without divisor and modulus. */
export const isBig = (type: DCNumberType): boolean => is64(type) && type.divisor === 1 && type.modulus === undefined

/** The only legal size, if there is just one. */
export const oneSize = (sizes: readonly DCRange<number>[]): number | undefined =>
  sizes.length === 1 && sizes[0]!.min === sizes[0]!.max ? sizes[0]!.min : undefined

/** The field of that name which a class has or inherits. */
export const fieldByName = (dclass: DCClass, name: string): DCField | undefined =>
  name ? dclass.inherited.find(field => field.name === name) : undefined

/**
 * Size in bytes of every value of this type; undefined when sizes differ.
 * With `asPanda`, what Panda3D believes it to be when it decides on length prefixes: it takes `T x[2][3]` for 2 of T.
 */
export function fixedByteSize(packable: DCPackable, asPanda = false): number | undefined {
  switch (packable.kind) {
    case 'number':
      return numberSize(packable)
    case 'string':
    case 'blob':
    case 'blob32':
      return oneSize(packable.sizes)
    case 'array': {
      const count = oneSize(packable.sizes)
      let element = packable.element
      while (asPanda && element.kind === 'array' && !element.typedefName && !element.legacy) element = element.element
      const size = packable.prefixed || count === undefined ? undefined : fixedByteSize(element, asPanda)
      return size === undefined ? undefined : count! * size
    }
    case 'parameter':
      return fixedByteSize(packable.type, asPanda)
    case 'atomic':
    case 'molecular':
      return sumSizes(packable.parameters, asPanda)
    case 'class':
      return sumSizes(packable.dclass.members, asPanda)
    case 'switch': {
      const key = fixedByteSize(packable.key, asPanda)
      const cases = packable.defaultCase ? [...packable.cases, packable.defaultCase] : packable.cases
      const sizes = new Set(cases.map(each => sumSizes(each.fields, asPanda)))
      const [size] = sizes
      // Panda3D compares with the first case, and finds none.
      if (asPanda && !packable.cases.length) return undefined
      return key === undefined || sizes.size > 1 || size === undefined ? undefined : key + size
    }
    default:
      return undefined
  }
}

function sumSizes(members: readonly DCPackable[], asPanda: boolean): number | undefined {
  let sum = 0
  for (const member of members) {
    const size = fixedByteSize(member, asPanda)
    if (size === undefined) return undefined
    sum += size
  }
  return sum
}
