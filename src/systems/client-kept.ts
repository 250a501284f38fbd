import { isRequired } from '../net/layout.ts'
import { areValuesOfNow, type ReplicaValues } from '../net/replica.ts'
import { deliverMessage } from './client-messages.ts'
import type { ClientObject, ClientSession, ClientState } from './client-state.ts'
import type { Binding } from './rows.ts'

/*
 * Messages that belong to the state of an object come with its value fields, behind them: `required` ones are handed to the game's
 * handlers before the object is alive, the last `ram` ones after that.
 */

const knownOf = (session: ClientSession, { doId }: ClientObject, { layout }: Binding): ReplicaValues | undefined =>
  session.replica.values[layout.audience].get(doId)

/** Whether all of an object's value fields, and the messages that it must not be without, are here, and those of now. */
export const hasAll = (session: ClientSession, object: ClientObject, isLate: boolean): boolean => {
  const binding = object.clientClass.interested
  const { values, messages } = binding.layout
  const known = knownOf(session, object, binding)
  const isNeeded = (index: number) => index < values.length || isRequired(messages[index - values.length]!)
  const count = values.length + messages.length
  for (let index = 0; index < count; index++) if (isNeeded(index) && !known?.packed[index]) return false
  const { bornTick, group } = object
  if (!known || isLate || areValuesOfNow(session.replica, known, bornTick, group.zone)) return true
  for (const index of known.doubt!.fields) if (index < count && isNeeded(index)) return false
  return true
}

/**
 * Hands over what came of the messages that are kept: those that are `required`, or the others. `isLate`: those of before the object was
 * gone have to do, for no others came.
 */
export const deliverKept = (
  state: ClientState,
  session: ClientSession,
  object: ClientObject,
  ofRequired: boolean,
  isLate = false,
): void => {
  for (const binding of [object.clientClass.interested, object.clientClass.owner]) {
    if (!binding || binding.layout.messages.length === 0) continue
    if (binding.layout.audience === 'owner' && !object.isOwned) continue
    const known = knownOf(session, object, binding)
    if (known) deliverKnown(state, session, object, binding, known, ofRequired, isLate)
  }
}

const deliverKnown = (
  state: ClientState,
  session: ClientSession,
  object: ClientObject,
  { layout }: Binding,
  known: ReplicaValues,
  ofRequired: boolean,
  isLate: boolean,
): void => {
  const { values, messages } = layout
  const isOfNow = isLate || areValuesOfNow(session.replica, known, object.bornTick, object.group.zone)
  const order = (a: number, b: number) => (ofRequired ? a - b : known.serials[a]! - known.serials[b]!)
  for (const index of [...known.dirty].sort(order)) {
    const field = messages[index - values.length]
    // What is of before the object was gone comes anew.
    if (!field || isRequired(field) !== ofRequired || (!isOfNow && known.doubt!.fields.has(index))) continue
    known.dirty.delete(index)
    const message = { doId: object.doId, field: field.number, packed: known.packed[index]! }
    const { messages: waiting } = session
    const isOlder = (each: (typeof waiting)[number]) =>
      each.doId === message.doId && each.field === message.field && each.serial < known.serials[index]!
    if (waiting.some(isOlder)) waiting.splice(0, waiting.length, ...waiting.filter(each => !isOlder(each)))
    deliverMessage(state, session, object, message)
  }
}
