import { entityExists, removeEntity } from 'bitecs'
import { encodeBye, type Reason } from '../net/hello.ts'
import { guarded, touch, type ServerClient, type ServerObject, type ServerState, type Session } from './server-state.ts'
import { CLOSE_DELAY, sendBare } from './strangers.ts'
import { forgetVisibility } from './visibility.ts'

/** What becomes of an object whose owner's session ends: it is removed, kept as the server's own, or another client's from now on. */
export type Bequest = 'remove' | 'keep' | ServerClient

/** The same for all objects, or asked for each of them, after `onLeave`. */
export type OwnerLeaves<Client = ServerClient> =
  | 'remove'
  | 'keep'
  | ((eid: number, client: Client, reason: Reason) => Bequest)

/** Says goodbye to a client; it is removed at once, the connection a moment later. */
export const endSession = (state: ServerState, session: Session, reason: Reason): void => {
  if (session.closing) return
  if (!session.isClosed) for (let copy = 0; copy < 3; copy++) sendBare(session, encodeBye(reason))
  session.closing = { reason, at: state.now() + CLOSE_DELAY }
  // Whoever stayed away for too long is just forgotten.
  if (session.suspension && reason !== session.suspension.reason) rememberFarewell(state, session, reason)
  leave(state, session, reason)
}

/** Clients that were sent away while they could not hear it, the newest: they are told when they try to come back. */
const MAX_FAREWELLS = 256

const rememberFarewell = ({ farewells }: ServerState, { client, token, nextToken }: Session, reason: Reason): void => {
  if (!client) return
  farewells.delete(client.id)
  farewells.set(client.id, { token, nextToken, reason })
  if (farewells.size > MAX_FAREWELLS) for (const oldest of farewells.keys()) return void farewells.delete(oldest)
}

/** The session of a client is over: the game hears it, then its objects are removed, kept or handed over. */
export const leave = (state: ServerState, session: Session, reason: Reason): void => {
  const { client } = session
  if (!client) return
  session.client = undefined
  session.clientId = -1
  session.suspension = undefined
  state.clients.delete(client.id)
  state.sessionOf.delete(client.id)
  for (const handler of state.onLeave) guarded(state, 'onLeave', () => handler(client, reason))
  for (const object of state.objects.values()) bequeath(state, object, client, reason)
  state.store.privateZones.delete(client.id)
  forgetVisibility(state, client.id)
}

const bequeath = (state: ServerState, object: ServerObject, client: ServerClient, reason: Reason): void => {
  const { eid } = object
  const { owner } = state.schema.DistributedObject
  if (owner[eid] !== client.id) return
  const { whenOwnerLeaves } = state
  const bequest =
    typeof whenOwnerLeaves === 'function'
      ? guarded(state, 'whenOwnerLeaves', () => whenOwnerLeaves(eid, client, reason))
      : whenOwnerLeaves
  // The game may have removed it itself, or given it to somebody, while it was asked.
  if (!entityExists(state.world, eid) || owner[eid] !== client.id) return
  const heir = typeof bequest === 'object' ? (bequest as ServerClient | null)?.id : undefined
  if (heir === undefined && bequest !== 'keep') return removeEntity(state.world, eid)
  const isHere = heir !== undefined && state.clients.has(heir)
  if (heir !== undefined && !isHere)
    state.onError(new Error(`Client ${heir} is not connected: entity ${eid} stays with the server.`), 'whenOwnerLeaves')
  owner[eid] = isHere ? heir : 0
  touch(object)
}

/** Tells the game of the changes of owner that the capture found. */
export const tellOwners = (state: ServerState): void => {
  const changes = state.ownerChanges.splice(0)
  for (const { object, owner, before } of changes)
    for (const handler of state.onOwner)
      // An observer, or the handler before, may have removed it.
      if (state.objects.get(object.eid) === object) guarded(state, 'onOwner', () => handler(object.eid, owner, before))
}
