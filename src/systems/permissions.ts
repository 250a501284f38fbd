import type { DCAtomicField, DCMolecularField, DCParameterField } from '../dc/index.ts'
import type { ServerObject, ServerState, Session, Visibility } from './server-state.ts'

/** What the object's own rule says of a client; `zone` is as usual. */
const ruleFor = ({ client }: Session, { rule }: ServerObject): Visibility =>
  rule === undefined ? 'zone' : ((client && rule.clients.get(client.id)) ?? rule.all)

/** Whether a client sees an object: its owner does, else its own rule decides, else its zone. */
export const sees = (session: Session, object: ServerObject, zone = object.zone, owner = object.owner): boolean => {
  const { client } = session
  if (!client || zone === 0) return false
  if (client.id === owner) return true
  const visibility = ruleFor(session, object)
  return visibility === 'zone' ? session.zones.has(zone) : visibility === 'always'
}

/** Whether a client is to see a zone: it asked for it, was given it, or has an object there. */
export const isWanted = (state: ServerState, session: Session, zone: number): boolean =>
  session.requested.has(zone) ||
  session.granted.has(zone) ||
  (session.client !== undefined && state.ownedZones.get(session.client.id)?.has(zone) === true)

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
  if (session.client?.id === owner || ruleFor(session, object) !== 'zone') return sees(session, object, zone, owner)
  return zone !== 0 && (isWanted(state, session, zone) || (state.linger > 0 && session.zones.has(zone)))
}

/**
 * The one place that decides what a client may send: a field with `clsend` if it sees the object, one with `ownsend` if
 * it owns it, nothing else.
 */
export const maySend = (
  session: Session,
  object: ServerObject,
  field: DCAtomicField | DCMolecularField | DCParameterField,
): boolean => {
  const { keywords } = field
  const isOwner = session.client !== undefined && object.owner === session.client.id
  if (keywords.includes('ownsend') && isOwner) return true
  // State is written by its owner alone.
  return field.kind !== 'parameter' && keywords.includes('clsend') && (isOwner || sees(session, object))
}

/** Who receives a message from the server. */
export const audienceOfMessage = (
  field: DCAtomicField | DCMolecularField,
): { interested: boolean; owner: boolean } => ({
  interested: field.keywords.includes('broadcast') || field.keywords.includes('clrecv'),
  owner: field.keywords.includes('ownrecv'),
})
