import { createSchema, infosOf, type DClassInfo, type Schema } from '../components/index.ts'
import type { DCField } from '../dc/index.ts'

/**
 * What a client is to an object: its owner; one that sees it; one that is signed in and does not see it; or a connection that has not
 * signed in.
 */
export type Relation = 'owner' | 'interested' | 'stranger' | 'unverified'

/**
 * `toServer`: the client sends a message, or writes state. `toClient`: it gets what the server sends or writes. `relayed`: it gets what
 * another client sends, whom the keywords let. `replayed`: it comes to see the object later, and is told the message then.
 */
export type FieldDirection = 'toServer' | 'toClient' | 'relayed' | 'replayed'

export const DIRECTIONS: readonly FieldDirection[] = ['toServer', 'toClient', 'relayed', 'replayed']

/** Whether a field may go in a direction, to or from a client. */
export interface PermissionRow {
  /** `Avatar.say`; of an inherited field, the class that inherits it. */
  readonly field: string
  readonly kind: DCField['kind']
  readonly keywords: readonly string[]
  readonly direction: FieldDirection
  readonly relation: Relation
  readonly isAllowed: boolean
}

export const RELATIONS: readonly Relation[] = ['owner', 'interested', 'stranger', 'unverified']

export const has = (field: DCField, ...keywords: string[]): boolean =>
  keywords.some(word => field.keywords.includes(word))

const isWritable = (field: DCField, relation: Relation): boolean =>
  relation === 'owner' ? has(field, 'ownsend', 'clsend') : relation === 'interested' && has(field, 'clsend')

export const isReceived = (field: DCField, relation: Relation): boolean => {
  if (relation !== 'owner' && relation !== 'interested') return false
  if (has(field, 'broadcast', 'clrecv')) return true
  if (has(field, 'ownrecv')) return relation === 'owner'
  return field.kind === 'parameter' && !has(field, 'airecv', 'db')
}

/** Whom a client's message is passed on to: the sender is the owner, or of `clsend` one that sees the object. */
const isRelayed = (field: DCField, relation: Relation): boolean =>
  has(field, 'broadcast') && (relation === 'owner' || relation === 'interested')

/** Whom the last `ram` message is told later, or the value of a `required` one. */
const isReplayed = (field: DCField, relation: Relation): boolean =>
  (has(field, 'ram') || (field.kind === 'atomic' && has(field, 'required'))) && isReceived(field, relation)

const DECLARED: Readonly<Record<FieldDirection, (field: DCField, relation: Relation) => boolean>> = {
  toServer: isWritable,
  toClient: isReceived,
  relayed: isRelayed,
  replayed: isReplayed,
}

/** Rows that there are: a message is relayed to its owner only if somebody else may send it. */
const hasRow = (field: DCField, direction: FieldDirection, relation: Relation): boolean => {
  if (direction === 'toServer' || direction === 'toClient') return true
  if (field.kind === 'parameter' || relation === 'unverified') return false
  return direction === 'replayed' || has(field, 'clsend') || (relation !== 'owner' && has(field, 'ownsend'))
}

export const nameOf = (info: DClassInfo, field: DCField): string => `${info.dclass.name}.${field.name}`

export const rowOf = (
  info: DClassInfo,
  field: DCField,
  direction: FieldDirection,
  relation: Relation,
): PermissionRow => ({
  field: nameOf(info, field),
  kind: field.kind,
  keywords: field.keywords,
  direction,
  relation,
  isAllowed: DECLARED[direction](field, relation),
})

/**
 * What a schema allows: a row for each field of each class, in each direction, for each relation of a client to the object. Worked out from
 * the keywords alone, by no code that the server runs.
 */
export const permissionMatrix = (schema: string | Schema<any>): PermissionRow[] =>
  infosOf(typeof schema === 'string' ? createSchema(schema) : schema).flatMap(info =>
    info.dclass.inherited.flatMap(field =>
      DIRECTIONS.flatMap(direction =>
        RELATIONS.filter(relation => hasRow(field, direction, relation)).map(relation =>
          rowOf(info, field, direction, relation),
        ),
      ),
    ),
  )
