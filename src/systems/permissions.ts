import type { DCAtomicField, DCMolecularField, DCParameterField } from '../dc/index.ts'
import type { ServerObject, Session } from './server-state.ts'

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
  return field.kind !== 'parameter' && keywords.includes('clsend') && (isOwner || session.zones.has(object.zone))
}

/** Who receives a message from the server. */
export const audienceOfMessage = (
  field: DCAtomicField | DCMolecularField,
): { interested: boolean; owner: boolean } => ({
  interested: field.keywords.includes('broadcast') || field.keywords.includes('clrecv'),
  owner: field.keywords.includes('ownrecv'),
})
