import { queueReliable, queueUnreliable } from '../net/downlink.ts'
import { encodeReliableMessage, encodeUnreliableMessage } from '../net/message.ts'
import type { MessageField } from './pack-message.ts'
import { audienceOfMessage, sees } from './permissions.ts'
import type { ServerObject, ServerState, Session } from './server-state.ts'

/** Queues a packed message for each client that its keywords name, but for `except`, or for `only` if it is one of them. */
export const sendToAudience = (
  state: ServerState,
  object: ServerObject,
  field: MessageField,
  packed: Uint8Array,
  except?: Session,
  only?: Session,
): void => {
  const { DistributedObject } = state.schema
  const audience = audienceOfMessage(field)
  const message = { doId: object.doId, field: field.number, packed }
  const isUnreliable = field.keywords.includes('unreliable')
  const bytes = isUnreliable ? encodeUnreliableMessage(message) : encodeReliableMessage(message)
  const zone = DistributedObject.zone[object.eid]!
  const owner = DistributedObject.owner[object.eid]!
  for (const session of state.sessions) {
    const client = session.client
    if (!client || session.closing || session === except || (only && session !== only)) continue
    const isOwner = client.id === owner
    if (!((audience.interested && (isOwner || sees(session, object, zone, owner))) || (audience.owner && isOwner))) continue
    if (isUnreliable) queueUnreliable(session.downlink, bytes)
    else queueReliable(session.downlink, bytes)
  }
}
