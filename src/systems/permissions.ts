import type { DCAtomicField, DCMolecularField, DCParameterField } from '../dc/index.ts'
import type { ServerObject, ServerState, Session, Visibility } from './server-state.ts'

/** A field that a client may try to send. */
export type SentField = DCAtomicField | DCMolecularField | DCParameterField

/** What the object's own rule says of a client; `zone` is as usual. */
const ruleFor = ({ clientId }: Session, { rule }: ServerObject): Visibility =>
  rule === undefined ? 'zone' : (rule.clients.get(clientId) ?? rule.answers.get(clientId) ?? rule.all)

/** Whether a client sees an object: its owner does, else its own rule decides, else its zone. */
export const sees = (session: Session, object: ServerObject, zone = object.zone, owner = object.owner): boolean => {
  const { clientId } = session
  if (clientId < 0 || zone === 0) return false
  if (clientId === owner) return true
  const visibility = ruleFor(session, object)
  return visibility === 'zone' ? session.zones.has(zone) : visibility === 'always'
}

/** Whether a client is to see a zone: it asked for it, was given it, or has an object there. */
export const isWanted = (state: ServerState, session: Session, zone: number): boolean =>
  session.requested.has(zone) || session.granted.has(zone) || state.ownedZones.get(session.clientId)?.has(zone) === true

/**
 * The same after this tick's changes of zones: an object that is placed now may come to a zone that is new to the client,
 * or that it is about to leave.
 */
export const willSee = (
  state: ServerState,
  session: Session,
  object: ServerObject,
  zone: number,
  owner: number,
): boolean => {
  if (session.clientId === owner || ruleFor(session, object) !== 'zone') return sees(session, object, zone, owner)
  return zone !== 0 && (isWanted(state, session, zone) || (state.linger > 0 && session.zones.has(zone)))
}

/**
 * Why a client may not send a field: it has not signed in; there never was such an object; the object is in no zone; no client may, by
 * the keywords; the owner alone may; only who sees the object may.
 */
export type Denial = 'unverified' | 'unknown-object' | 'unplaced' | 'undeclared' | 'not-owner' | 'not-interested'

/** `late`: refused, but it was allowed when the client cannot have heard of the change yet. */
export type Permission = 'allowed' | 'late' | Denial

/**
 * Seconds within which what was sent before a change may still arrive: a link that is dead for longer is given up, and of a session
 * that has come back it may be as old as it was away.
 */
const latenessOf = ({ timeout, now }: ServerState, { resumedAt, outage }: Session): number =>
  timeout + 4 + (now() - resumedAt < timeout + 4 ? outage : 0)

const declares = ({ keywords }: SentField, keyword: string): boolean => keywords.includes(keyword)

/**
 * The one place that decides what a client may send, of messages and of state: a field with `clsend` of an object that it
 * sees, one with `ownsend` of an object that it owns, nothing else.
 */
export const permissionOf = (
  state: ServerState,
  session: Session,
  doId: number,
  object: ServerObject | undefined,
  field: SentField,
  isUpload = false,
): Permission => {
  const { client } = session
  if (!client) return 'unverified'
  // Network ids are given once: of one that was given, the object has gone.
  if (!object) return doId > 0 && doId < state.nextDoId ? 'late' : 'unknown-object'
  // An upload is the owner's, whoever else may write some of its fields.
  const isForAll = !isUpload && declares(field, 'clsend')
  const isForOwner = declares(field, 'ownsend')
  if (!isForAll && !isForOwner) return 'undeclared'
  const isOwner = object.owner === client.id
  if (object.zone !== 0 && (isOwner || (isForAll && sees(session, object)))) return 'allowed'
  if (wasAllowed(state, session, client.id, object, isForAll)) return 'late'
  if (object.zone === 0) return 'unplaced'
  return isForAll ? 'not-interested' : 'not-owner'
}

/** Whether it would have been allowed before a change that the client may not know of. */
const wasAllowed = (
  state: ServerState,
  session: Session,
  clientId: number,
  object: ServerObject,
  isForAll: boolean,
): boolean => {
  const since = state.now() - latenessOf(state, session)
  const sawZone = (zone: number) => session.zones.has(zone) || (session.left.get(zone) ?? -Infinity) > since
  for (const { zone, owner, endedAt } of object.past)
    if (endedAt > since && (owner === clientId || (isForAll && sawZone(zone)))) return true
  return isForAll && (object.hiddenAt > since || (object.rule === undefined && sawZone(object.zone)))
}
