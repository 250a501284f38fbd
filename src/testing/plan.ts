import { columnAt, infosOf, type DClassInfo, type NumberColumn, type Schema } from '../components/index.ts'
import {
  columnKind,
  partOf,
  initialValue,
  packField,
  type Column,
  type DCAtomicField,
  type DCMolecularField,
  type DCNumberType,
  type DCParameterField,
} from '../dc/index.ts'
import { hasValues } from './random-value.ts'

/** Who may know a field of an object, by its keywords. */
export type Audience = 'interested' | 'owner' | 'nobody'

/** One number of a field, in its typed array. */
export interface Leaf {
  readonly name: string
  readonly type: DCNumberType
  readonly column: NumberColumn
  /** What a new object has here, as the column holds it. */
  readonly initial: number | bigint
}

/** A parameter field of a dclass with what a test needs to write and compare it. */
export interface FieldPlan {
  readonly field: DCParameterField
  /** `Avatar.health`. */
  readonly name: string
  readonly audience: Audience
  readonly isOwnerWritten: boolean
  /** Its numbers, or none for a string, blob, list or switch. */
  readonly leaves: readonly Leaf[]
  /** The column of one that has no leaves `[capacity]`. */
  readonly values: unknown[]
  /** The packed initial value of one that has no leaves. */
  readonly initial: Uint8Array
}

/** A dclass with its fields. */
export interface ClassPlan {
  readonly info: DClassInfo
  readonly name: string
  readonly fields: readonly FieldPlan[]
  /** Those that random game code can write, and that random owners can. */
  readonly writable: readonly FieldPlan[]
  readonly playable: readonly FieldPlan[]
  /** Messages that the server may send, that any interested client may send, and that the owner may. */
  readonly told: readonly (DCAtomicField | DCMolecularField)[]
  readonly asked: readonly (DCAtomicField | DCMolecularField)[]
  readonly owned: readonly (DCAtomicField | DCMolecularField)[]
}

const audienceOf = (keywords: readonly string[]): Audience => {
  if (keywords.includes('broadcast') || keywords.includes('clrecv')) return 'interested'
  if (keywords.includes('ownrecv')) return 'owner'
  return keywords.includes('airecv') || keywords.includes('db') ? 'nobody' : 'interested'
}

const leavesOf = (info: DClassInfo, field: DCParameterField, column: Column, path: readonly string[]): Leaf[] => {
  if (column.kind === 'value') return []
  if (column.kind === 'struct')
    return column.fields.flatMap(part => leavesOf(info, field, part.column, [...path, part.name]))
  const value = path.slice(1).reduce<any>(partOf, initialValue(field))
  const array = columnAt(info.columns.get(field)!, path)
  return [
    { name: `${info.dclass.name}.${path.join('.')}`, type: column.type, column: array, initial: held(array, value) },
  ]
}

/** A number as an element of a typed array holds it. */
export const held = (column: NumberColumn, value: number | bigint): number | bigint =>
  column instanceof Float32Array ? Math.fround(value as number) : value

const planOf = (info: DClassInfo): ClassPlan => {
  const { dclass } = info
  const fields = dclass.inherited.flatMap((field): FieldPlan[] => {
    if (field.kind !== 'parameter') return []
    const leaves = leavesOf(info, field, columnKind(field.type), [field.name])
    return [
      {
        field,
        name: `${dclass.name}.${field.name}`,
        audience: audienceOf(field.keywords),
        isOwnerWritten: field.keywords.includes('ownsend'),
        leaves,
        values: leaves.length > 0 ? [] : (info.columns.get(field) as unknown[]),
        initial:
          leaves.length > 0 || field.initial.length === 0 ? field.initial : packField(field, initialValue(field)),
      },
    ]
  })
  const writable = fields.filter(({ field }) => hasValues(field))
  const messages = dclass.inherited.filter(
    (field): field is DCAtomicField | DCMolecularField => field.kind !== 'parameter' && hasValues(field),
  )
  const has = (...keywords: string[]) => messages.filter(field => keywords.some(word => field.keywords.includes(word)))
  return {
    info,
    name: dclass.name,
    fields,
    writable,
    playable: writable.filter(field => field.isOwnerWritten && field.audience !== 'nobody'),
    told: has('broadcast', 'clrecv', 'ownrecv'),
    asked: has('clsend'),
    owned: has('ownsend'),
  }
}

const plans = new WeakMap<object, ClassPlan[]>()

/** What tests know of the dclasses of a schema, in file order. */
export const plansOf = (schema: Schema<any>): readonly ClassPlan[] => {
  let known = plans.get(schema)
  if (!known) plans.set(schema, (known = infosOf(schema).map(planOf)))
  return known
}
