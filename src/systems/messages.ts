import { queueReliable, queueUnreliable } from '../net/downlink.ts'
import { encodeReliableMessage, encodeUnreliableMessage } from '../net/message.ts'
import { MAX_RELAYED } from '../net/reliable.ts'
import type { MessageField } from './pack-message.ts'
import { audienceOfMessage, sees } from './permissions.ts'
import { countViolation, type ServerObject, type ServerState, type Session } from './server-state.ts'

/** Queues a packed message for each client that its keywords name, but for the one that it is `from`, or for `only` if it is one of them. */
export const sendToAudience = (
  state: ServerState,
  object: ServerObject,
  field: MessageField,
  packed: Uint8Array,
  from?: Session,
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
    if (!client || session.closing || session === from || (only && session !== only)) continue
    const isOwner = client.id === owner
    if (!((audience.interested && (isOwner || sees(session, object, zone, owner))) || (audience.owner && isOwner)))
      continue
    if (isUnreliable) queueUnreliable(session.downlink, bytes)
    // Better not heard by one whose link is full than the end of its session.
    else if (from && session.downlink.sender.queuedBytes + bytes.length > MAX_RELAYED)
      countViolation(state, from, 'flooded')
    else queueReliable(session.downlink, bytes)
  }
}
