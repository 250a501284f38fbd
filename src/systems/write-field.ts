import type { EntityId } from 'bitecs'
import type { FieldColumns, FieldValue } from '../components/index.ts'
import type { DCParameterField } from '../dc/index.ts'
import { bytesLeft, isSameBytes, writeU8, type ByteWriter } from '../net/bytes.ts'
import { encodeFieldUpdate, encodeWrite, writeSize } from '../net/message.ts'
import { Chunk } from '../net/packet.ts'
import { queueClientReliable } from './client-send.ts'
import {
  clientStates,
  type ClientHandle,
  type ClientObject,
  type ClientSession,
  type UpContent,
} from './client-state.ts'
import { isFiniteValue, packValue } from './pack-message.ts'
import { hasKeyword } from './rows.ts'

export type { FieldValue } from '../components/index.ts'

/** Objects of which it is remembered which version of a field was sent last: as many as the server remembers fields. */
const MAX_OBJECTS = 4096

/** A number that was written: it goes up in each packet until one is acknowledged that had its newest value. */
interface Write {
  object: ClientObject
  readonly field: DCParameterField
  packed: Uint8Array
  /** Of the value that was sent last, 0..255 and round. */
  version: number
  /** Whether that is the newest one, and whether it is known to have arrived. */
  isSent: boolean
  isAcked: boolean
}

/** What was written of each object, by session and doId. */
const WRITES = new WeakMap<ClientSession, Map<number, Write[]>>()

const writesOf = (session: ClientSession): Map<number, Write[]> => {
  let writes = WRITES.get(session)
  if (!writes) {
    WRITES.set(session, (writes = new Map()))
    session.writeMore = (writer, content) => writePending(session, writes!, writer, content)
  }
  return writes
}

const writePending = (
  session: ClientSession,
  writes: Map<number, Write[]>,
  writer: ByteWriter,
  content: UpContent,
): void => {
  const sent: { write: Write; version: number }[] = []
  for (const list of writes.values())
    for (const write of list) {
      const { object } = write
      if (write.isSent && write.isAcked) continue
      // Whoever does not see it any more may not write it either.
      if (session.objects.get(object.doId) !== object) {
        Object.assign(write, { isSent: true, isAcked: true })
        continue
      }
      const version = write.isSent ? write.version : (write.version + 1) & 255
      const body = { doId: object.doId, field: write.field.number, packed: write.packed, version }
      if (writeSize(body) > bytesLeft(writer)) continue
      writeU8(writer, Chunk.write)
      encodeWrite(writer, body)
      Object.assign(write, { version, isSent: true, isAcked: false })
      sent.push({ write, version })
    }
  if (sent.length > 0)
    content.whenAcked = () => {
      for (const { write, version } of sent) if (write.version === version) write.isAcked = true
    }
}

const noteWrite = (session: ClientSession, object: ClientObject, field: DCParameterField, packed: Uint8Array): void => {
  const writes = writesOf(session)
  const list = writes.get(object.doId) ?? []
  writes.delete(object.doId)
  writes.set(object.doId, list)
  if (writes.size > MAX_OBJECTS) writes.delete(writes.keys().next().value!)
  const known = list.find(write => write.field === field)
  if (!known) list.push({ object, field, packed, version: 0, isSent: false, isAcked: false })
  // The same once more, and nobody can have written anything between the two.
  else if (known.isSent || !isSameBytes(known.packed, packed)) Object.assign(known, { object, packed, isSent: false })
}

/**
 * Asks the server to write a `clsend` field, with columns `Door.isOpen`, of any object that this client sees. The newest write stands,
 * whoever sent it. The columns show it when it comes back with the object's state. Numbers, and structs of them, go up with the next `send` and
 * may be written in every frame; strings, blobs and lists are reliable messages. The owner of an object writes a field that is `ownsend` too
 * straight into the columns.
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
    if (!Array.isArray(columns)) noteWrite(state.session, object, field, packed)
    else
      queueClientReliable(
        state,
        state.session,
        encodeFieldUpdate({ doId: object.doId, field: field.number, packed }, 0),
      )
    return
  }
  throw new TypeError(`writeField(${eid}): these are the columns of no field of a ${info.dclass.name}.`)
}
