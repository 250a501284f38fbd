import { createBucket, take, type Bucket } from '../net/bucket.ts'
import { permissionOf, type SentField } from './permissions.ts'
import { burstOf, type ServerObject, type ServerState, type Session, type ViolationDetail } from './server-state.ts'
import { violate } from './violations.ts'

/**
 * Takes off a session's allowance; false when that is used up. What is unreliable is then dropped; a reliable message cannot be: who
 * sends more than the game allows has to go, before others' links suffer.
 */
export const isWithin = (
  state: ServerState,
  session: Session,
  bucket: Bucket,
  amount: number,
  detail: ViolationDetail,
  isReliable: boolean,
  field?: SentField,
): boolean => {
  if (take(bucket, amount, state.now() * 1000)) return true
  violate(state, session, 'flooded', detail, { field }, isReliable ? 'kick' : 'ignore')
  return false
}

/** The allowance of messages, and of their bytes. */
export const isMessageWithin = (
  state: ServerState,
  session: Session,
  messages: number,
  bytes: number,
  isReliable: boolean,
): boolean =>
  isWithin(state, session, session.messageBucket, messages, 'messages', isReliable) &&
  isWithin(state, session, session.byteBucket, bytes, 'bytes', isReliable)

/** The allowance of one field, if the game gave it one. */
export const isFieldWithin = (state: ServerState, session: Session, field: SentField, isReliable: boolean): boolean => {
  const limit = state.limits.get(field.number)
  if (!limit) return true
  const { rate, burst = Math.max(1, burstOf(state, rate)) } = limit
  let bucket = session.fieldBuckets.get(field.number)
  if (!bucket) session.fieldBuckets.set(field.number, (bucket = createBucket(rate, burst, state.now() * 1000)))
  return isWithin(state, session, bucket, 1, 'field-rate', isReliable, field)
}

/** Whether a client may send a field; if not, that is counted, unless it is only late. */
export const isPermitted = (
  state: ServerState,
  session: Session,
  doId: number,
  object: ServerObject | undefined,
  field: SentField,
  isUpload = false,
): object is ServerObject => {
  const permission = permissionOf(state, session, doId, object, field, isUpload)
  if (permission !== 'allowed' && permission !== 'late')
    violate(state, session, 'forbidden', permission, { field, object })
  return permission === 'allowed'
}

/** Whether an object has a field; of one that is gone nobody knows any more. */
export const isOfClass = (object: ServerObject | undefined, field: SentField): boolean =>
  !object || object.serverClass.info.dclass.inherited.includes(field)
