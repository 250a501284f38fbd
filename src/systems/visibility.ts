import { exclusiveZone } from '../net/store.ts'
import { touch, type ServerClient, type ServerObject, type ServerState, type Visibility } from './server-state.ts'

/** Overrides who sees an object, for all clients or for one; see `Server.setVisibility`. */
export const setVisibility = (
  state: ServerState,
  object: ServerObject,
  visibility: Visibility,
  client: ServerClient | undefined,
): void => {
  if (visibility !== 'zone' && visibility !== 'always' && visibility !== 'never')
    throw new TypeError(`setVisibility(${object.eid}): give 'zone', 'always' or 'never', not ${String(visibility)}.`)
  const rule = (object.visibility ??= {
    all: 'zone',
    clients: new Map(),
    zone: exclusiveZone(object.zone, object.doId),
  })
  if (client === undefined) rule.all = visibility
  else rule.clients.set(client.id, visibility)
  // Of an object that nobody saw yet there is nothing to be late with.
  if (object.place) object.hiddenAt = state.now()
  state.exceptions.add(object)
  followVisibility(object)
  for (const session of state.sessions) session.isZonesDirty = true
}

/** What is the same for all needs no group of its own, but what was said of single clients is kept. */
const followVisibility = (object: ServerObject): void => {
  const { visibility } = object
  const isUsual = visibility?.all === 'zone' && [...visibility.clients.values()].every(each => each === 'zone')
  object.rule = isUsual ? undefined : visibility
  touch(object)
}

/** A client left: its number may be another's soon. */
export const forgetVisibility = (state: ServerState, clientId: number): void => {
  for (const object of state.exceptions)
    if (object.visibility?.clients.delete(clientId) && state.objects.get(object.eid) === object)
      followVisibility(object)
}
