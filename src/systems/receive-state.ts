import { writeColumns } from '../components/index.ts'
import { mapReferences, unpackField, type DCParameterField } from '../dc/index.ts'
import { isSameBytes, readBytes, readU32, readU8, readVarint, type ByteReader } from '../net/bytes.ts'
import { audienceOf, FIXED_WORDS } from '../net/layout.ts'
import { decodeWrite, type FieldUpdate } from '../net/message.ts'
import type { ValueSet } from '../net/values.ts'
import { isFieldWithin, isOfClass, isPermitted, isWithin } from './allowances.ts'
import { RAW } from './links.ts'
import { isFiniteValue, tryPackValue } from './pack-message.ts'
import { hasKeyword, readWordOf, valueOf, isSecondHalf, writeColumn } from './rows.ts'
import { touch, type ServerClass, type ServerObject, type ServerState, type Session } from './server-state.ts'
import { decodeUpload } from './upload.ts'
import { judge } from './validate.ts'
import { violate } from './violations.ts'

/** Whether a client writes a field as the object's owner. */
const isOwners = (session: Session, object: ServerObject, field: DCParameterField): boolean =>
  object.owner === session.client!.id && hasKeyword(field, 'ownsend')

/** The value that packed bytes stand for, with entities for network ids; `undefined`, and counted, if they are none that a client may send. */
const readValue = (
  state: ServerState,
  session: Session,
  object: ServerObject,
  field: DCParameterField,
  packed: Uint8Array,
): { readonly value: unknown } | undefined => {
  const value = unpackField(field, packed)
  const again = value.ok && isFiniteValue(value.value) ? tryPackValue(field, value.value, RAW) : undefined
  const isValue = Array.isArray(object.serverClass.info.columns.get(field))
  // Bytes that do not pack back, such as text that is no UTF-8, could not be sent on. Numbers are sent on as their columns have them.
  if (again && (!isValue || isSameBytes(again, packed)))
    return { value: mapReferences(field, value.value, doId => state.links.entityOf(doId)) }
  violate(state, session, 'outOfRange', 'value', { field, object })
  return undefined
}

/** Writes what a client sent, or what the game made of it. */
const writeJudged = (
  state: ServerState,
  session: Session,
  object: ServerObject,
  field: DCParameterField,
  value: unknown,
): 'taken' | 'refused' | 'corrected' => {
  const verdict = judge(state, session, object, field, value)
  if (state.objects.get(object.eid) !== object) return 'refused'
  touch(object)
  if (verdict.kind !== 'refused')
    writeColumns(
      object.serverClass.info.columns.get(field)!,
      object.eid,
      verdict.kind === 'taken' ? value : verdict.value,
    )
  return verdict.kind
}

/** A string, blob or list of the owner, or of one who may write it; and numbers that are for the server alone. */
export const receiveField = (
  state: ServerState,
  session: Session,
  { doId, epoch, field: number, packed }: FieldUpdate,
  isTaken: boolean,
): void => {
  const field = state.schema.file.fieldByNumber(number)
  const object = state.byDoId.get(doId)
  if (field?.kind !== 'parameter' || !isOfClass(object, field)) {
    violate(state, session, 'malformed', 'field', { field, object })
    return
  }
  if (!isPermitted(state, session, doId, object, field)) return
  const isValue = Array.isArray(object.serverClass.info.columns.get(field))
  const isOwn = isOwners(session, object, field)
  // From when it owned the object.
  if (!isOwn && epoch !== 0) return
  // Numbers go up by themselves, unless they are for the server alone.
  if (!isValue && (!isOwn || audienceOf(field))) {
    violate(state, session, 'malformed', 'channel', { field, object })
    return
  }
  if (!isOwn && !isWithin(state, session, session.messageBucket, 1, 'messages', true, field)) return
  const set = isOwn ? [object.values, object.ownerValues].find(each => each?.layout.values.includes(field)) : undefined
  if (!isTaken || !isFieldWithin(state, session, field, true)) {
    // If the game lets it stay, it gets the value back that stands.
    if (set) set.fromOwner[set.layout.values.indexOf(field)] = packed.slice()
    touch(object)
    return
  }
  const read = readValue(state, session, object, field, packed)
  if (!read) return
  if (set) receiveOwnValue(state, session, object, set, field, epoch, packed, read.value)
  else writeJudged(state, session, object, field, read.value)
}

const receiveOwnValue = (
  state: ServerState,
  session: Session,
  object: ServerObject,
  set: ValueSet,
  field: DCParameterField,
  epoch: number,
  packed: Uint8Array,
  value: unknown,
): void => {
  const column = object.serverClass.info.columns.get(field) as unknown[]
  const index = set.layout.values.indexOf(field)
  const known = set.fromOwner[index] ?? set.packed[index]
  // Game code wrote it since the last tick, as a handler may: the next capture tells the owner.
  const isOverruled = known && !isSameBytes(tryPackValue(field, column[object.eid], state.links), known)
  if (isOverruled) touch(object)
  if (epoch !== (set.epochs[index] ?? 0) || isOverruled) return
  // As the column gives it back: what it names may be gone.
  const sent = tryPackValue(field, value, state.links)?.slice() ?? packed.slice()
  writeJudged(state, session, object, field, value)
  // What stands is another value than this one when it was refused or corrected: the next capture tells the owner.
  set.fromOwner[index] = sent
}

/** Fields that are remembered of what a client wrote of others' objects. */
const MAX_WRITES = 4096

/** Whether a version, 0..255 and round, is newer than another. */
const isNewer = (version: number, than: number): boolean => ((version - than) << 24) >> 24 > 0

/** Notes which version of a field a client wrote last. False when that was this one, or a newer one. */
const isNewWrite = (session: Session, key: number, version: number): boolean => {
  const writes = (session.writes ??= new Map())
  const last = writes.get(key)
  if (last !== undefined && !isNewer(version, last)) return false
  writes.delete(key)
  writes.set(key, version)
  if (writes.size > MAX_WRITES) for (const oldest of writes.keys()) return writes.delete(oldest)
  return true
}

/** A number that a client writes of an object which it sees: in each of its packets until one is acknowledged. The newest counts. */
export const receiveWrite = (state: ServerState, session: Session, reader: ByteReader): void => {
  const write = decodeWrite(reader)
  if (!write || !session.client) return
  const { doId, packed, version } = write
  const field = state.schema.file.fieldByNumber(write.field)
  const object = state.byDoId.get(doId)
  if (field?.kind !== 'parameter' || !isOfClass(object, field)) {
    violate(state, session, 'malformed', 'field', { field, object })
    return
  }
  if (!isPermitted(state, session, doId, object, field)) return
  if (Array.isArray(object.serverClass.info.columns.get(field))) {
    violate(state, session, 'malformed', 'channel', { field, object })
    return
  }
  // From before it owned the object: now it writes by itself.
  if (isOwners(session, object, field)) return
  if (!isNewWrite(session, doId * 0x10000 + field.number, version)) return
  if (!isFieldWithin(state, session, field, false)) return
  if (!isWithin(state, session, session.byteBucket, packed.length, 'bytes', false, field)) return
  const read = readValue(state, session, object, field, packed)
  if (read) writeJudged(state, session, object, field, read.value)
}

/**
 * Whether game code wrote owner-written columns since the last tick, as a handler may: what the owner sends until it
 * hears of that is void.
 */
const isOverruled = (object: ServerObject): boolean => {
  const { upload } = object.serverClass
  try {
    return upload!.words.some((_, at) => uploadWordOf(object, at) !== object.expected![at])
  } catch {
    // A value that does not fit: only game code can have written it, and the next capture tells it so.
    return true
  }
}

/** Owner-written word `at` as its column has it now. */
const uploadWordOf = ({ serverClass: { upload, interested, owner }, eid }: ServerObject, at: number): number => {
  const { layout, index } = upload!.words[at]!
  return readWordOf(layout === interested.layout ? interested : owner!, index, eid)
}

const uploadWords = new Uint32Array(4096)
const uploadRow = new Uint32Array(4096)
/** Words of the upload at hand that the game took as something else, or not at all. */
const isJudged = new Uint8Array(4096)

const KNOWN = new WeakMap<ServerClass, ReadonlyMap<DCParameterField, readonly number[]>>()

/** The words of each field in an upload of this class. */
const uploadFields = (serverClass: ServerClass): ReadonlyMap<DCParameterField, readonly number[]> => {
  let known = KNOWN.get(serverClass)
  if (!known) {
    const fields = new Map<DCParameterField, number[]>()
    serverClass.upload!.words.forEach(({ layout, index }, at) => {
      const { field } = layout.words[index]!
      fields.set(field, [...(fields.get(field) ?? []), at])
    })
    KNOWN.set(serverClass, (known = fields))
  }
  return known
}

/** The words at hand as a value. */
const valueFromWords = (
  { serverClass: { upload, interested, owner } }: ServerObject,
  words: readonly number[],
): unknown => {
  let whole: unknown
  for (const at of words) {
    const { layout, index } = upload!.words[at]!
    const word = layout.words[index]!
    if (isSecondHalf(word)) continue
    const number = valueOf(layout, index, uploadRow, 0)
    const { links } = layout === interested.layout ? interested : owner!
    const value = word.isReference ? links.entityOf(number as number) : number
    const path = word.path.slice(1)
    if (path.length === 0) return value
    let part = (whole ??= {}) as Record<string, unknown>
    for (const name of path.slice(0, -1)) part = (part[name] ??= {}) as Record<string, unknown>
    part[path.at(-1)!] = value
  }
  return whole
}

/** Has the game look at each field of an upload that is not as it was. False when nothing is to be written any more. */
const judgeUpload = (state: ServerState, session: Session, object: ServerObject): boolean => {
  const { upload } = object.serverClass
  isJudged.fill(0, 0, upload!.words.length)
  if (state.checks.size === 0) return true
  // Both layouts number their words from 0: a field is in one of them.
  for (const [field, words] of uploadFields(object.serverClass)) {
    if (!state.checks.has(field) || words.every(at => uploadWords[at] === object.expected![at])) continue
    for (const at of words) uploadRow[FIXED_WORDS + upload!.words[at]!.index] = uploadWords[at]!
    const kind = writeJudged(state, session, object, field, valueFromWords(object, words))
    if (state.objects.get(object.eid) !== object || !session.client) return false
    if (kind !== 'taken') for (const at of words) isJudged[at] = 1
  }
  return true
}

export const receiveUpload = (state: ServerState, session: Session, reader: ByteReader, sequence: number): void => {
  const doId = readU32(reader)
  const epoch = readU8(reader)
  const bytes = readBytes(reader, readVarint(reader))
  const object = state.byDoId.get(doId)
  if (reader.failed || !session.client) return
  if (!object) {
    if (doId === 0 || doId >= state.nextDoId) violate(state, session, 'forbidden', 'unknown-object')
    return
  }
  const { upload, interested, owner } = object.serverClass
  if (!upload) {
    violate(state, session, 'forbidden', 'undeclared', { object })
    return
  }
  // Its words are all of `ownsend` fields: one stands for all.
  const { layout, index } = upload.words[0]!
  const { field } = layout.words[index]!
  if (!isPermitted(state, session, doId, object, field, true)) return
  if (sequence <= object.uploadSequence || epoch !== object.epoch) return
  if (isOverruled(object)) {
    // The next capture tells the owner, also when the game forgot to mark it.
    touch(object)
    return
  }
  if (bytes.length !== upload.bytes || !decodeUpload(upload, bytes, uploadWords)) {
    violate(state, session, 'outOfRange', 'value', { field, object })
    return
  }
  object.uploadSequence = sequence
  touch(object)
  if (!judgeUpload(state, session, object)) return
  upload.words.forEach(({ layout, index }, at) => {
    if (isJudged[at]) return
    const binding = layout === interested.layout ? interested : owner!
    uploadRow[FIXED_WORDS + index] = uploadWords[at]!
    // A number of several words is written when all of them are there.
    const { part, parts } = layout.words[index]!
    if (part + 1 < parts) return
    for (let word = index - part; word <= index; word++) writeColumn(binding, word, object.eid, uploadRow, 0)
  })
  // As the columns give them back, which for a float64 with a divisor need not be what came. What the game took as something else
  // differs from what came: the next capture tells the owner.
  for (let at = 0; at < upload.words.length; at++)
    object.expected![at] = isJudged[at] ? uploadWords[at]! : uploadWordOf(object, at)
}
