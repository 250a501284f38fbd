import { isQuaternion, type Extension } from './extension.ts'
import type { DCNumberType, DCType } from './model.ts'

/** The name of the typed array that holds a scalar column. */
export type ColumnArray =
  | 'Int8Array'
  | 'Uint8Array'
  | 'Int16Array'
  | 'Uint16Array'
  | 'Int32Array'
  | 'Uint32Array'
  | 'BigInt64Array'
  | 'BigUint64Array'
  | 'Float32Array'
  | 'Float64Array'

/**
 * How a parameter field is held, one slot an entity: a typed array; an object of columns for a struct of scalars or a
 * quaternion; or a plain array of values (text, blobs, lists, switches, structs with any of these).
 */
export type Column =
  | {
      readonly kind: 'scalar'
      readonly array: ColumnArray
      /** Of a float16 or float32 the number that the column holds. */
      readonly type: DCNumberType
      /** Of a `DoId` the column holds ids of entities. */
      readonly extension?: Extension
    }
  | {
      readonly kind: 'struct'
      readonly fields: readonly { readonly name: string; readonly column: Column }[]
      /** The fields are x, y, z and w of a quaternion, whose value is a list of them. */
      readonly extension?: 'quat32' | 'quat48'
    }
  | { readonly kind: 'value'; readonly type: DCType }

const FLOAT = {
  kind: 'scalar',
  array: 'Float32Array',
  type: { kind: 'number', base: 'float64', divisor: 1, ranges: [] },
} as const satisfies Column

/** The parts of a quaternion, in gl-matrix' order. */
const PARTS = ['x', 'y', 'z', 'w'] as const

/** A part of a value by name: of a struct, or of a quaternion `[x, y, z, w]`. */
export const partOf = (value: unknown, name: string): unknown =>
  Array.isArray(value) ? value[PARTS.indexOf(name as 'x')] : (value as Record<string, unknown>)[name]

/** The one mapping from DC types to columns: the store allocates by it and the type generator writes it down. */
export function columnKind(type: DCType): Column {
  const { extension } = type as { readonly extension?: Extension }
  if (type.kind === 'number') return { kind: 'scalar', array: arrayOf(type), type, ...(extension && { extension }) }
  if (extension && isQuaternion(extension))
    return { kind: 'struct', fields: PARTS.map(name => ({ name, column: FLOAT })), extension }
  if (extension) return { ...FLOAT, extension }
  if (type.kind === 'class') {
    const fields = []
    for (const member of type.dclass.members) {
      const column = member.kind === 'parameter' && member.name ? columnKind(member.type) : undefined
      if (!column || column.kind === 'value') return { kind: 'value', type }
      fields.push({ name: member.name, column })
    }
    if (fields.length) return { kind: 'struct', fields }
  }
  return { kind: 'value', type }
}

/** Fixed point needs the mantissa of its integer: 24 bits hold 8 and 16, 53 bits hold 32. */
function arrayOf({ base, divisor, modulus }: DCNumberType): ColumnArray {
  if (base === 'float64') return 'Float64Array'
  if (base === 'char') return 'Uint8Array'
  if (divisor !== 1 || modulus !== undefined) return /(8|16)$/.test(base) ? 'Float32Array' : 'Float64Array'
  const name = (base[0] === 'u' ? 'Ui' + base.slice(2) : 'I' + base.slice(1)) + 'Array'
  return (/64/.test(base) ? 'Big' + name : name) as ColumnArray
}
