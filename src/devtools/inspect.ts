import type { FieldColumns } from '../components/index.ts'
import { declarationOf, type DCField } from '../dc/index.ts'
import { audienceOf } from '../net/layout.ts'
import { clientStates, type ClientObject } from '../systems/client-state.ts'

/** Who of the clients may write or send a field: `you` and `any` this one too, `owner` its owner, who is another. */
export type MayWrite = 'you' | 'any' | 'owner' | 'server'

/** A field of an object, as this client knows it. */
export interface FieldView {
  readonly name: string
  readonly kind: 'field' | 'message'
  /** As DC declares it. */
  readonly declaration: string
  readonly mayWrite: MayWrite
  /** Whether this client is sent it: `false` of what stays on the server, or is the owner's alone. */
  readonly isSeen: boolean
  /** Of a field: what its columns hold, as text. */
  readonly value: string
}

/** A distributed object, as this client knows it. */
export interface ObjectView {
  readonly eid: number
  readonly doId: number
  readonly dclass: string
  readonly zone: number
  readonly owner: number
  readonly isOwned: boolean
  /** See LIFECYCLE.md. */
  readonly state: ClientObject['state']
}

/** All objects of a client, those that are disabled too, by doId. */
export const objectsOf = (client: object): ObjectView[] => {
  const state = clientStates.get(client)
  const { session, schema } = state ?? {}
  if (!session || !schema) return []
  const { zone } = schema.DistributedObject
  return [...session.objects.values(), ...session.disabled.values()]
    .map(({ eid, doId, clientClass, owner, isOwned, state }) => ({
      eid,
      doId,
      dclass: clientClass.info.dclass.name,
      zone: zone[eid]!,
      owner,
      isOwned,
      state,
    }))
    .sort((a, b) => a.doId - b.doId)
}

const mayWrite = ({ keywords }: DCField, isOwned: boolean): MayWrite => {
  if (keywords.includes('clsend')) return 'any'
  if (!keywords.includes('ownsend')) return 'server'
  return isOwned ? 'you' : 'owner'
}

const isSeen = (field: DCField, isOwned: boolean): boolean => {
  if (field.kind === 'parameter') {
    const audience = audienceOf(field)
    return audience === 'interested' || (audience === 'owner' && isOwned)
  }
  const has = (keyword: string) => field.keywords.includes(keyword)
  return has('broadcast') || has('clrecv') || (isOwned && has('ownrecv'))
}

/** The fields of an object, in the order of the DC file; none when it is not here. */
export const fieldsOf = (client: object, doId: number): FieldView[] => {
  const session = clientStates.get(client)?.session
  const object = session?.objects.get(doId) ?? session?.disabled.get(doId)
  if (!object) return []
  const { dclass, columns } = object.clientClass.info
  return dclass.inherited.map(field => ({
    name: field.name,
    kind: field.kind === 'parameter' ? 'field' : 'message',
    declaration: declarationOf(field),
    mayWrite: mayWrite(field, object.isOwned),
    isSeen: isSeen(field, object.isOwned),
    value: field.kind === 'parameter' ? textOfColumns(columns.get(field)!, object.eid) : '',
  }))
}

/** Characters of a value that are shown. */
const LONGEST = 160

const numberText = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(3))

/** What the columns of a field hold of an entity: of a struct its parts by name. */
const textOfColumns = (columns: FieldColumns, eid: number): string =>
  Array.isArray(columns) || ArrayBuffer.isView(columns)
    ? textOf((columns as unknown[])[eid])
    : Object.entries(columns)
        .map(([name, part]) => `${name} ${textOfColumns(part, eid)}`)
        .join('  ')

/** A value as one line. */
export const textOf = (value: unknown): string => {
  const text = valueText(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

const valueText = (value: unknown): string => {
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array)
    return `<${Array.from(value.subarray(0, 40), byte => byte.toString(16).padStart(2, '0')).join('')}>`
  if (Array.isArray(value)) return value.length > 40 ? `${value.length} items` : `[${value.map(valueText).join(', ')}]`
  if (value && typeof value === 'object')
    return `{ ${Object.entries(value)
      .map(([name, part]) => `${name}: ${valueText(part)}`)
      .join(', ')} }`
  return '–'
}
