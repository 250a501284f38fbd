import { writeColumns } from '../components/index.ts'
import { hasReferences, type DCParameterField } from '../dc/index.ts'
import { isSameBytes } from '../net/bytes.ts'
import { ticksSince } from '../net/ticks.ts'
import { deliverKept, hasAll } from './client-kept.ts'
import { enter } from './client-lifecycle.ts'
import type { ClientObject, ClientSession, ClientState } from './client-state.ts'
import { unpackHere } from './links.ts'
import { tryPackValue } from './pack-message.ts'
import type { Binding } from './rows.ts'

/** Writes the strings, blobs and lists that came; objects that are whole by that are alive. */
export const applyValues = (state: ClientState, session: ClientSession): void => {
  const { replica } = session
  for (const doId of replica.dirtyValues) {
    const object = session.objects.get(doId)
    if (!object) continue
    replica.dirtyValues.delete(doId)
    for (const binding of [object.clientClass.interested, object.clientClass.owner])
      if (binding) applyValueFields(state, session, object, binding)
    if (object.state === 'alive') {
      deliverKept(state, session, object, true)
      deliverKept(state, session, object, false)
    }
  }
  for (const object of session.unfinished) {
    const isLate = isOverdue(session, object)
    if (!hasAll(session, object, isLate)) continue
    session.unfinished.delete(object)
    deliverKept(state, session, object, true, isLate)
    // A handler may have removed the entity.
    if (session.objects.get(object.doId) !== object) continue
    enter(state, object, 'alive')
    deliverKept(state, session, object, false)
  }
}

/** Seconds that an object which came back waits for strings, blobs and lists of now; then those of before have to do. */
const RENEWAL_TIME = 3

/** Whether an object has waited long enough for what it lacks of now. */
const isOverdue = ({ replica, welcome }: ClientSession, { cameTick }: ClientObject): boolean =>
  ticksSince(replica.newestTick, cameTick) > RENEWAL_TIME * welcome!.tickRate

/** Whether the game wrote an owner-written value field since the server's value went into it. */
const isChanged = (state: ClientState, object: ClientObject, field: DCParameterField, packed: Uint8Array): boolean => {
  const value = (object.clientClass.info.columns.get(field) as unknown[])[object.eid]
  return !isSameBytes(tryPackValue(field, value, state.links), packed)
}

const applyValueFields = (state: ClientState, session: ClientSession, object: ClientObject, binding: Binding): void => {
  const { layout } = binding
  const values = session.replica.values[layout.audience].get(object.doId)
  if (!values) return
  for (const index of values.dirty) {
    // Those behind them are messages.
    if (index >= layout.values.length) continue
    values.dirty.delete(index)
    const field = layout.values[index]!
    const packed = values.packed[index]!
    const epoch = values.epochs[index]!
    if (object.clientClass.ownerValues.includes(field)) {
      // The owner's own fields are the owner's, and the server's echo would undo newer changes: unless it overrules.
      const sent = object.sentValues.get(field)
      if (object.isOwned && sent?.epoch === epoch && (sent.isOurs || isChanged(state, object, field, sent.packed)))
        continue
      object.sentValues.set(field, { packed, epoch, isOurs: false })
    }
    const value = unpackHere(field, packed, state.links)
    if (!value.ok) {
      state.stats.malformed++
      continue
    }
    writeColumns(object.clientClass.info.columns.get(field)!, object.eid, value.value)
    // What names objects that are not here would not pack back: that is no change by the game.
    const sent = object.sentValues.get(field)
    if (sent && hasReferences(field)) sent.packed = tryPackValue(field, value.value, state.links) ?? packed
  }
}
