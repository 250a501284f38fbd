import { addComponent, addEntity, entityExists, removeComponent, removeEntity } from 'bitecs'
import { checkCapacity, Owned } from '../components/index.ts'
import type { ClientObject, ClientSession, ClientState } from './client-state.ts'
import { keepLists } from './client-references.ts'
import { change, CLIENT_TRANSITIONS, letGo, lifecycleFault, transition, type LifecycleState } from './lifecycle.ts'
import { leaveTrack } from './track.ts'

/*
 * How a client's objects come and go. Those that are here are in `session.objects`; those that left and may come back are in
 * `session.disabled`, the oldest first, and for everything else they are not here.
 */

/** Brings an object into another state. A transition that must not be is counted and told, not made. */
export const enter = (state: ClientState, object: ClientObject, to: LifecycleState): void => {
  const tell = (error: unknown): void => state.onError(error, 'receive')
  // The game may have removed the entity meanwhile.
  if (object.state === 'deleted' || transition(state.world, CLIENT_TRANSITIONS, object, to, tell)) return
  if (state.stats.faults++ === 0) tell(lifecycleFault(object, to))
}

/** Gives an object a component, or takes it away. False when an observer has removed the entity by that. */
export const give = (state: ClientState, object: ClientObject, component: object, isGiven = true): boolean =>
  change(state.world, object, isGiven ? addComponent : removeComponent, component, error =>
    state.onError(error, 'receive'),
  )

/** An entity for a new object; the longest disabled object gives up its own where there is no room. `undefined`: there is none. */
export const makeEntity = (state: ClientState, session: ClientSession): number | undefined => {
  const { world, schema } = state
  let eid = addEntity(world)
  while (eid >= schema.capacity) {
    removeEntity(world, eid)
    const [oldest] = session.disabled.values()
    if (!oldest) {
      session.isCrowded = true
      complainOfCapacity(state, eid)
      return undefined
    }
    giveUp(state, session, oldest)
    eid = addEntity(world)
  }
  return eid
}

/** Told once: an object that does not fit is left out until there is room, the rest goes on. */
const complainOfCapacity = (state: ClientState, eid: number): void => {
  if (state.isOverCapacity) return
  state.isOverCapacity = true
  try {
    checkCapacity(state.schema, eid)
  } catch (error) {
    state.onError(error, 'receive')
  }
}

/**
 * An object is not seen any more; `isDeleted`: the server has said that it is no more. Frames up to `tick` are of before.
 */
export const disable = (
  state: ClientState,
  session: ClientSession,
  object: ClientObject,
  isDeleted = false,
  tick = object.seenTick,
): void => {
  session.objects.delete(object.doId)
  session.byEid.delete(object.eid)
  session.unfinished.delete(object)
  session.disabled.set(object.doId, object)
  session.isPopulationChanged = true
  leaveTrack(object)
  keepLists(session, object)
  object.sinceTick = tick
  object.disabledAt = state.now()
  if (object.isOwned) {
    object.isOwned = false
    give(state, object, Owned, false)
  }
  enter(state, object, 'disabled')
  if (isDeleted || state.disabledTime === 0) giveUp(state, session, object)
  else expireDisabled(state, session)
}

/** Removes an entity. An observer that throws keeps bitECS from what is behind it: it goes on when it is asked again. */
const end = ({ world, onError }: ClientState, eid: number): void => {
  for (let tries = 0; tries < 64 && entityExists(world, eid); tries++) {
    try {
      return removeEntity(world, eid)
    } catch (error) {
      onError(error, 'receive')
    }
  }
}

/** A disabled object ends, and its entity with it. */
export const giveUp = (state: ClientState, session: ClientSession, object: ClientObject): void => {
  const { schema } = state
  enter(state, object, 'deleted')
  // An observer that removed the entity has let the object go.
  if (session.disabled.get(object.doId) !== object) return
  session.disabled.delete(object.doId)
  session.hasRoom = session.isCrowded
  end(state, object.eid)
  schema.DistributedObject.doId[object.eid] = 0
}

/** Those that were gone for too long, and the oldest of too many. */
export const expireDisabled = (state: ClientState, session: ClientSession): void => {
  const now = state.now()
  for (const object of session.disabled.values()) {
    if (now - object.disabledAt < state.disabledTime && session.disabled.size <= state.maxDisabled) return
    giveUp(state, session, object)
  }
}

/** Of a session that has ended nothing comes back. */
export const endObjects = (state: ClientState, session: ClientSession): void => {
  for (const object of session.objects.values()) disable(state, session, object, true)
  for (const object of session.disabled.values()) giveUp(state, session, object)
}

/** The game removes an entity itself: bitECS may give its id to something else. */
export const forsake = (state: ClientState, eid: number): void => {
  for (const session of [state.session, state.ended]) {
    const doId = state.schema.DistributedObject.doId[eid]!
    const object = session?.byEid.get(eid) ?? session?.disabled.get(doId)
    if (!session || object?.eid !== eid) continue
    letGo(object)
    leaveTrack(object)
    session.byEid.delete(eid)
    session.objects.delete(object.doId)
    session.disabled.delete(object.doId)
    session.unfinished.delete(object)
    session.isPopulationChanged = true
    session.hasRoom = session.isCrowded
  }
}
