import type { EntityId } from 'bitecs'
import type { FieldColumns } from '../components/index.ts'
import { encodeFieldUpdate } from '../net/message.ts'
import { queueClientReliable } from './client-send.ts'
import { clientStates, type ClientHandle } from './client-state.ts'
import { isFiniteValue, packValue } from './pack-message.ts'
import { hasKeyword } from './rows.ts'

/** What one entity has in the columns of a field; of a quaternion `[x, y, z, w]`. */
export type FieldValue<Columns> = Columns extends BigInt64Array | BigUint64Array
  ? bigint
  : Columns extends { readonly BYTES_PER_ELEMENT: number }
    ? number
    : Columns extends readonly (infer Value)[]
      ? Value
      : { readonly [Name in keyof Columns]: FieldValue<Columns[Name]> } | readonly number[]

/**
 * Asks the server to write a `clsend` field, with columns `Door.isOpen`, of any object that this client sees. Reliable and in order; the
 * newest write stands, whoever sent it. The columns show it when it comes back with the object's state. Its owner writes a field that
 * is `ownsend` too straight into the columns.
 *
 * Throws for an entity that is no object of an open session, a field that is not its, or not `clsend`, and a value that does not fit.
 */
export const writeField = <Columns extends FieldColumns>(
  client: ClientHandle,
  eid: EntityId,
  columns: Columns,
  value: FieldValue<Columns>,
): void => {
  const state = clientStates.get(client)
  const object = state?.session?.byEid.get(eid)
  if (!state?.session || !object)
    throw new Error(`writeField(${eid}): the entity is no distributed object of an open session.`)
  const { info } = object.clientClass
  for (const [field, known] of info.columns) {
    if (known !== (columns as FieldColumns)) continue
    const name = `${field.owner.name}.${field.name}`
    if (!hasKeyword(field, 'clsend'))
      throw new TypeError(`writeField(${eid}): ${name} is not \`clsend\`: no client writes it by this.`)
    if (object.isOwned && hasKeyword(field, 'ownsend'))
      throw new TypeError(`writeField(${eid}): this client owns the entity: write ${name}[${eid}] itself.`)
    if (!isFiniteValue(value))
      throw new RangeError(`writeField(${eid}): ${name} is not finite: a client may not send that.`)
    const packed = packValue(field, value, state.links).slice()
    queueClientReliable(state, state.session, encodeFieldUpdate({ doId: object.doId, field: field.number, packed }, 0))
    return
  }
  throw new TypeError(`writeField(${eid}): these are the columns of no field of a ${info.dclass.name}.`)
}
