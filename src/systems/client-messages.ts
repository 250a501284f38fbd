import type { MessageField } from '../net/layout.ts'
import type { FieldMessage } from '../net/message.ts'
import type { ClientObject, ClientSession, ClientState, WaitingMessage } from './client-state.ts'
import { unpackHere } from './links.ts'
import { nameOf } from './pack-message.ts'

/** Seconds that a message waits for its object. */
const MESSAGE_PATIENCE = 3

/** Hands the messages that came to the game's handlers; those whose object is not here, or not whole, wait. */
export const deliverMessages = (state: ClientState, session: ClientSession): void => {
  if (session.messages.length === 0) return
  const now = state.now()
  // Handlers may cause new messages to be queued: these wait for the next call.
  const messages = session.messages.splice(0)
  const held = new Set<number>()
  const kept: WaitingMessage[] = []
  for (const message of messages) {
    const object = session.objects.get(message.doId)
    // An object that is here and not whole yet, or may still come with the zones we asked for, is waited for.
    const isComing = object !== undefined || session.interest.size > 0 || now - message.time < MESSAGE_PATIENCE
    if (object?.state === 'alive' && !held.has(message.doId)) deliverMessage(state, session, object, message)
    else if (isComing) {
      held.add(message.doId)
      kept.push(message)
    } else state.stats.orphanedMessages++
  }
  session.messages.unshift(...kept)
}

/** What is kept of a message is the newest: a new entity of the object is told that. */
const remember = (
  session: ClientSession,
  { doId, clientClass }: ClientObject,
  field: MessageField,
  packed: Uint8Array,
): void => {
  for (const binding of [clientClass.interested, clientClass.owner]) {
    const at = binding?.layout.messages.indexOf(field) ?? -1
    const known = binding && at >= 0 ? session.replica.values[binding.layout.audience].get(doId) : undefined
    if (!known) continue
    const index = binding!.layout.values.length + at
    known.packed[index] = packed
    known.dirty.delete(index)
    known.doubt?.fields.delete(index)
  }
}

/** Hands a message to the game's handlers. */
export const deliverMessage = (
  state: ClientState,
  session: ClientSession,
  object: ClientObject,
  message: FieldMessage,
): void => {
  const field = state.schema.file.fieldByNumber(message.field)
  const isOfClass = field !== undefined && object.clientClass.info.dclass.inherited.includes(field)
  const args = isOfClass && field.kind !== 'parameter' ? unpackHere(field, message.packed, state.links) : undefined
  if (!isOfClass || field.kind === 'parameter' || !args?.ok) {
    state.stats.malformed++
    return
  }
  remember(session, object, field, message.packed)
  for (const handler of state.handlers.get(field) ?? []) {
    // The one before may have removed the entity, or ended the session.
    if (session.isOver || session.objects.get(object.doId) !== object) return
    try {
      const result = handler(object.eid, args.value)
      if (result instanceof Promise) result.catch((error: unknown) => state.onError(error, nameOf(field)))
    } catch (error) {
      state.onError(error, nameOf(field))
    }
  }
}
