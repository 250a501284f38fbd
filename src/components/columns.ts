import { columnKind, type Column, type ColumnArray, type DCParameterField } from '../dc/index.ts'

/** A typed array with one element an entity. */
export type NumberColumn =
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

/** Named columns of a struct field. */
export interface StructColumns {
  readonly [name: string]: NumberColumn | StructColumns
}

/** The storage of one parameter field `[capacity]`: typed arrays for numbers and structs of them, else JavaScript values. */
export type FieldColumns = NumberColumn | StructColumns | unknown[]

const ARRAYS = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} satisfies Record<ColumnArray, new (length: number) => NumberColumn>

const allocate = (column: Column, capacity: number): FieldColumns => {
  if (column.kind === 'scalar') return new ARRAYS[column.array](capacity)
  if (column.kind === 'value') return []
  return Object.fromEntries(column.fields.map(part => [part.name, allocate(part.column, capacity)])) as StructColumns
}

/** Allocates the columns of a parameter field for entity ids below `capacity`. */
export const createColumns = (field: DCParameterField, capacity: number): FieldColumns =>
  allocate(columnKind(field.type), capacity)

/** The column at the end of `path` (its first name is the field's own). */
export const columnAt = (columns: FieldColumns, path: readonly string[]): NumberColumn =>
  path.slice(1).reduce<FieldColumns>((at, name) => (at as StructColumns)[name]!, columns) as NumberColumn

/** The value of one entity in a field, as it is packed: of a struct or quaternion the parts in order. */
export const readColumns = (columns: FieldColumns, eid: number): unknown =>
  Array.isArray(columns) || ArrayBuffer.isView(columns)
    ? (columns as unknown[])[eid]
    : Object.values(columns).map(part => readColumns(part, eid))

/** Writes a whole field value of one entity: a number, a struct by names (all or some of them) or in order, or a value. */
export const writeColumns = (columns: FieldColumns, eid: number, value: unknown): void => {
  if (Array.isArray(columns)) columns[eid] = value
  else if (ArrayBuffer.isView(columns)) (columns as Float64Array)[eid] = value as number
  else if (Array.isArray(value) || ArrayBuffer.isView(value))
    Object.values(columns).forEach((part, at) => writeColumns(part, eid, (value as unknown[])[at]))
  else for (const [name, part] of Object.entries(value as object)) writeColumns(columns[name]!, eid, part)
}
