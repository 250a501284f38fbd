import { newestFrame } from '../net/frames.ts'
import { doubtValues, type ReplicaGroup } from '../net/replica.ts'
import { ticksSince } from '../net/ticks.ts'
import { disable, giveUp } from './client-lifecycle.ts'
import { isDropped, zoneOf } from './client-objects.ts'
import type { ClientObject, ClientSession, ClientState } from './client-state.ts'

/** Ticks that an object on its way between two zones may be missing. */
const ORPHAN_TICKS = 64

/** Objects that are not in a group's newest frame any more, and have not been claimed by another group, are not seen any more. */
export const releaseObjects = (state: ClientState, session: ClientSession, group: ReplicaGroup): void => {
  const frame = newestFrame(group.history)!
  for (let slot = 0; slot < group.layout.slots; slot++) {
    const doId = group.appliedIds[slot]!
    group.appliedIds[slot] = frame.ids[slot]!
    if (doId === 0 || doId === frame.ids[slot]) continue
    if (group.layout.audience === 'owner') {
      if (session.ownerPlaces.get(doId)?.group === group) session.ownerPlaces.delete(doId)
      continue
    }
    const object = session.objects.get(doId)
    if (!object || object.group !== group || (object.slot !== slot && frame.ids[object.slot] === doId)) continue
    if (mayComeBack(session, group, object)) {
      object.orphanedAt ??= session.replica.newestTick
      continue
    }
    const zone = group.movedTo.get(doId)
    if (zone !== undefined) doubtValues(session.replica, doId, frame.tick, zone)
    disable(state, session, object, isDeleted(session, group, object), frame.tick)
  }
  group.movedTo.clear()
  group.isDirty = false
}

/** Whether the server has said of an object that has left its group that it is no more. Of one that came just before, it says nothing. */
const isDeleted = (session: ClientSession, group: ReplicaGroup, object: ClientObject): boolean => {
  const told = toldOf(session, object)
  if (told) return told.isDeleted
  return group.movedTo.has(object.doId) && group.movedTo.get(object.doId) === undefined
}

/** Whether an object that is not in its group any more may still show up in another one. */
const mayComeBack = (session: ClientSession, group: ReplicaGroup, object: ClientObject): boolean => {
  const { doId } = object
  const told = toldOf(session, object)
  if (told) return !told.isGone
  // Of what came after the baseline and has left again, segments say nothing: it moves about, or came to go.
  // An owner sees its object wherever it goes, and may not have heard where yet: what it wrote must not be lost.
  if (!group.movedTo.has(doId)) return object.hasMoved || object.isOwned
  const zone = group.movedTo.get(doId)
  return (
    zone !== undefined &&
    zone !== NOWHERE &&
    (group.isExclusive || object.isOwned || zone === group.zone || session.replica.zones.has(zone))
  )
}

/** The zone of an object that was taken out of its zone. */
const NOWHERE = 0

/** What the server said by itself of where an object went, since it was seen last. */
const toldOf = (session: ClientSession, object: ClientObject) => {
  const told = session.replica.gone.get(object.doId)
  return told && ticksSince(object.seenTick, told.tick) < 0 ? told : undefined
}

/** A group that is not sent any more, with all that it had. */
export const dropGroup = (state: ClientState, session: ClientSession, group: ReplicaGroup): void => {
  for (const object of session.objects.values()) {
    if (object.group !== group) continue
    if (toldOf(session, object)?.isGone === false) object.orphanedAt ??= session.replica.newestTick
    else disable(state, session, object, toldOf(session, object)?.isDeleted)
  }
}

/** Objects with their own rule of who sees them: some are not ours any more, some changed their zone. */
export const applyExceptions = (state: ClientState, session: ClientSession): void => {
  const { gone, placed, newestTick } = session.replica
  for (const [doId, { tick, isGone, isDeleted }] of gone) {
    const object = session.objects.get(doId)
    const disabled = session.disabled.get(doId)
    if (disabled && isDeleted) giveUp(state, session, disabled)
    if (object && isDropped(session, object.group)) {
      if (isGone) disable(state, session, object, isDeleted)
      else object.orphanedAt ??= newestTick
    } else if (object && toldOf(session, object)) {
      if (object.orphanedAt !== undefined && isGone) disable(state, session, object, isDeleted)
      else if (ticksSince(newestTick, tick) < 4 * ORPHAN_TICKS) continue
    }
    gone.delete(doId)
  }
  if (!session.replica.isPlacedNew) return
  session.replica.isPlacedNew = false
  for (const doId of placed.keys()) {
    const object = session.objects.get(doId)
    if (object) state.schema.DistributedObject.zone[object.eid] = zoneOf(session, object.group, doId)
  }
}

/** Objects that have not shown up elsewhere in time. */
export const disableOrphans = (state: ClientState, session: ClientSession): void => {
  for (const object of session.objects.values())
    if (object.orphanedAt !== undefined && ticksSince(session.replica.newestTick, object.orphanedAt) > ORPHAN_TICKS)
      disable(state, session, object)
}
