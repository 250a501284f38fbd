import { writeColumns } from '../components/index.ts'
import { mapReferences, unpackField } from '../dc/index.ts'
import { byteReader, isSameBytes, more, readBytes, readU32, readU8, readVarint, type ByteReader } from '../net/bytes.ts'
import { decodeTablesReady } from '../net/codec/messages.ts'
import { confirmTables, queueReliable, resync } from '../net/downlink.ts'
import { decodeHello } from '../net/hello.ts'
import { decodeInterest, decodeResync, encodeInterestDone } from '../net/interest.ts'
import { audienceOf, FIXED_WORDS } from '../net/layout.ts'
import { decodeFieldUpdate, decodeReliableMessage, decodeUnreliableMessage, type FieldMessage } from '../net/message.ts'
import { Chunk, Control, Kind, openPacket, readHeader } from '../net/packet.ts'
import { markDecoded, receiveAcks, receiveSequence } from '../net/peer.ts'
import { decodeRates } from '../net/rates.ts'
import { readFragment } from '../net/reliable.ts'
import { createBucket, take, type Bucket } from '../net/bucket.ts'
import { countIn } from '../net/traffic.ts'
import { sendToAudience } from './messages.ts'
import { RAW, unpackHere } from './links.ts'
import { isFiniteValue, nameOf, tryPackValue } from './pack-message.ts'
import { permissionOf, type SentField } from './permissions.ts'
import { hasKeyword, readWordOf, writeColumn } from './rows.ts'
import {
  burstOf,
  countViolation,
  guarded,
  touch,
  type ServerObject,
  type ServerState,
  type Session,
  type ViolationDetail,
} from './server-state.ts'
import { changeRates, endSession, receiveHello, receiveInquiry, sweepSessions } from './sessions.ts'
import { decodeUpload } from './upload.ts'
import { violate } from './violations.ts'

/** Unfinished interest requests that one client may have. */
const MAX_PENDING_INTEREST = 256

/** Takes in everything that arrived since the last tick: joins, acknowledgements, owner-written state, messages. */
export const serverReceive = (state: ServerState): void => {
  const now = state.now()
  for (const session of state.sessions) {
    for (const { packet, time } of session.inbox) receivePacket(state, session, packet, time)
    session.inbox.length = 0
  }
  sweepSessions(state, now)
}

/**
 * Takes off a session's allowance; false when that is used up. What is unreliable is then dropped; a reliable message cannot be: who
 * sends more than the game allows has to go, before others' links suffer.
 */
const isWithin = (
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

/** The allowance of one field, if the game gave it one. */
const isFieldWithin = (state: ServerState, session: Session, field: SentField, isReliable: boolean): boolean => {
  const limit = state.limits.get(field.number)
  if (!limit) return true
  const { rate, burst = Math.max(1, burstOf(state, rate)) } = limit
  let bucket = session.fieldBuckets.get(field.number)
  if (!bucket) session.fieldBuckets.set(field.number, (bucket = createBucket(rate, burst, state.now() * 1000)))
  return isWithin(state, session, bucket, 1, 'field-rate', isReliable, field)
}

/** Whether a client may send a field; if not, that is counted, unless it is only late. */
const isPermitted = (
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

const malformed = (state: ServerState, session: Session): void => violate(state, session, 'malformed', 'datagram')

const receivePacket = (state: ServerState, session: Session, packet: Uint8Array, time: number): void => {
  countIn(session.stats, packet.length)
  if (!isWithin(state, session, session.datagramBucket, 1, 'datagrams', false)) return
  const { kind, reader } = openPacket(packet)
  if (kind === Kind.data) {
    if (session.client) receiveData(state, session, reader, time)
    // Whoever was sent away may not know it yet.
    else if (!session.closing) countViolation(state, session, 'forbidden')
  } else if (kind === Kind.hello) {
    const hello = decodeHello(reader)
    if (hello) receiveHello(state, session, hello, time)
    else malformed(state, session)
  } else if (kind === Kind.inquiry) receiveInquiry(state, session, reader)
  else if (kind === Kind.bye) {
    session.isClosed = true
  } else malformed(state, session)
}

const receiveData = (state: ServerState, session: Session, reader: ByteReader, time: number): void => {
  const { downlink } = session
  const header = readHeader(reader)
  if (reader.failed) {
    malformed(state, session)
    return
  }
  const sequence = receiveSequence(downlink.peer, header.sequence, time)
  if (sequence < 0) return
  if (header.hold >= 0) {
    const isKnown = receiveAcks(
      downlink.peer,
      header.ack,
      header.ackLow,
      header.ackHigh,
      header.hold,
      header.received,
      time,
      downlink.onAcked,
      downlink.onLost,
      downlink.onDoubt,
    )
    if (!isKnown) malformed(state, session)
  }
  while (more(reader) && session.client) readChunk(state, session, reader, sequence)
  if (reader.failed) malformed(state, session)
  else markDecoded(downlink.peer, sequence)
}

const readChunk = (state: ServerState, session: Session, reader: ByteReader, sequence: number): void => {
  const chunk = readU8(reader)
  if (chunk === Chunk.fragment) {
    const isSound = readFragment(session.downlink.receiver, reader, message => receiveReliable(state, session, message))
    if (!isSound) {
      violate(state, session, 'malformed', 'stream')
      endSession(state, session, 'malformed')
    }
  } else if (chunk === Chunk.message) {
    const message = decodeUnreliableMessage(reader)
    if (message && isMessageWithin(state, session, 1, message.packed.length, false))
      receiveMessage(state, session, message, true)
  } else if (chunk === Chunk.upload) receiveUpload(state, session, reader, sequence)
  else reader.failed = true
}

const isMessageWithin = (
  state: ServerState,
  session: Session,
  messages: number,
  bytes: number,
  isReliable: boolean,
): boolean =>
  isWithin(state, session, session.messageBucket, messages, 'messages', isReliable) &&
  isWithin(state, session, session.byteBucket, bytes, 'bytes', isReliable)

const receiveReliable = (state: ServerState, session: Session, bytes: Uint8Array): void => {
  if (!session.client) return
  const reader = byteReader(bytes)
  const control = readU8(reader)
  // Owner-written values count by their bytes alone: how often they go up is the client's command rate.
  const messages = control === Control.field || control === Control.interest ? 0 : 1
  const isTaken = isMessageWithin(state, session, messages, bytes.length, true)
  if (!session.client) return
  // If the game lets it stay, requests and values are answered all the same, and of our own protocol nothing can be left out.
  if (!isTaken && control !== Control.interest && control !== Control.field) {
    if (control !== Control.message) endSession(state, session, 'flooded')
    return
  }
  if (control === Control.interest) receiveInterest(state, session, reader, isTaken)
  else if (control === Control.tables) {
    const generation = decodeTablesReady(reader)
    if (generation === undefined) malformed(state, session)
    else confirmTables(session.downlink, state.store, generation)
  } else if (control === Control.resync) {
    const group = decodeResync(reader)
    if (group === undefined) malformed(state, session)
    else {
      session.stats.resyncs++
      resync(session.downlink, group)
    }
  } else if (control === Control.message) {
    const message = decodeReliableMessage(reader)
    if (message) receiveMessage(state, session, message, false)
    else malformed(state, session)
  } else if (control === Control.rates) {
    const rates = decodeRates(reader)
    if (rates) changeRates(state, session, rates)
    else malformed(state, session)
  } else if (control === Control.field) {
    const update = decodeFieldUpdate(reader)
    if (update) receiveField(state, session, update, isTaken)
    else malformed(state, session)
  } else malformed(state, session)
}

const receiveInterest = (state: ServerState, session: Session, reader: ByteReader, isTaken: boolean): void => {
  const { client, requested, pendingInterest } = session
  const request = decodeInterest(reader)
  if (!request || !client) {
    malformed(state, session)
    return
  }
  if (!isTaken || !isWithin(state, session, session.interestBucket, 1, 'interest', true)) {
    // If the game lets it stay, it learns that nothing came of this.
    queueReliable(session.downlink, encodeInterestDone(request.request, request.zones))
    return
  }
  if (pendingInterest.length >= MAX_PENDING_INTEREST) {
    countViolation(state, session, 'flooded')
    endSession(state, session, 'overflow')
    return
  }
  session.isZonesDirty = true
  if (request.operation === 'set') requested.clear()
  const refused: number[] = []
  for (const zone of request.zones) {
    if (request.operation === 'remove') requested.delete(zone)
    else if (requested.has(zone)) continue
    else if (zone === 0 || requested.size >= state.maxZones) refused.push(zone)
    else if (guarded(state, 'allowZone', () => state.allowZone(client, zone)) === true) requested.add(zone)
    else refused.push(zone)
  }
  const granted = request.zones.filter(zone => requested.has(zone))
  for (const zone of granted) session.revoked.delete(zone)
  pendingInterest.push({ request: request.request, zones: granted, refused })
}

const receiveMessage = (state: ServerState, session: Session, message: FieldMessage, isUnreliable: boolean): void => {
  const { client } = session
  const field = state.schema.file.fieldByNumber(message.field)
  const object = state.byDoId.get(message.doId)
  if (!client) return
  if (!field || field.kind === 'parameter' || !isOfClass(object, field)) {
    violate(state, session, 'malformed', 'field', { field, object })
    return
  }
  if (isUnreliable !== field.keywords.includes('unreliable')) {
    violate(state, session, 'malformed', 'channel', { field, object })
    return
  }
  if (!isPermitted(state, session, message.doId, object, field)) return
  if (!isFieldWithin(state, session, field, !isUnreliable)) return
  const args = unpackHere(field, message.packed, state.links)
  if (!args.ok || !isFiniteValue(args.value)) {
    violate(state, session, 'outOfRange', 'value', { field, object })
    return
  }
  let isRelayed = true
  for (const handler of state.handlers.get(field) ?? [])
    if (guarded(state, nameOf(field), () => handler(object.eid, args.value, client)) === false) isRelayed = false
  // A handler may have removed the object.
  if (isRelayed && field.keywords.includes('broadcast') && state.objects.get(object.eid) === object)
    sendToAudience(state, object, field, message.packed.slice(), session)
}

/** Whether an object has a field; of one that is gone nobody knows any more. */
const isOfClass = (object: ServerObject | undefined, field: SentField): boolean =>
  !object || object.serverClass.info.dclass.inherited.includes(field)

const receiveField = (
  state: ServerState,
  session: Session,
  { doId, epoch, field: number, packed }: FieldMessage & { readonly epoch: number },
  isTaken: boolean,
): void => {
  const field = state.schema.file.fieldByNumber(number)
  const object = state.byDoId.get(doId)
  if (field?.kind !== 'parameter' || !isOfClass(object, field)) {
    violate(state, session, 'malformed', 'field', { field, object })
    return
  }
  if (!isPermitted(state, session, doId, object, field)) return
  const columns = object.serverClass.info.columns.get(field)!
  const isValue = Array.isArray(columns)
  const isOwners = object.owner === session.client!.id && hasKeyword(field, 'ownsend')
  // Numbers of the owner go up by themselves, unless they are for the server alone.
  if (isOwners && !isValue && audienceOf(field)) {
    violate(state, session, 'malformed', 'channel', { field, object })
    return
  }
  // From when it owned the object.
  if (!isOwners && epoch !== 0) return
  if (!isOwners && !isWithin(state, session, session.messageBucket, 1, 'messages', true, field)) return
  const set = isOwners
    ? [object.values, object.ownerValues].find(each => each?.layout.values.includes(field))
    : undefined
  if (!isTaken || !isFieldWithin(state, session, field, true)) {
    // If the game lets it stay, it gets the value back that stands.
    if (set) set.fromOwner[set.layout.values.indexOf(field)] = packed.slice()
    touch(object)
    return
  }
  const value = unpackField(field, packed)
  const again = value.ok && isFiniteValue(value.value) ? tryPackValue(field, value.value, RAW) : undefined
  // Bytes that do not pack back, such as text that is no UTF-8, could not be sent on. Numbers are sent on as their columns have them.
  if (!again || (isValue && !isSameBytes(again, packed))) {
    violate(state, session, 'outOfRange', 'value', { field, object })
    return
  }
  const local = mapReferences(field, value.value, doId => state.links.entityOf(doId))
  if (set) {
    const index = set.layout.values.indexOf(field)
    const known = set.fromOwner[index] ?? set.packed[index]
    // Game code wrote it since the last tick, as a handler may: the next capture tells the owner.
    const isOverruled =
      known && !isSameBytes(tryPackValue(field, (columns as unknown[])[object.eid], state.links), known)
    if (isOverruled) touch(object)
    if (epoch !== (set.epochs[index] ?? 0) || isOverruled) return
    // As the column gives it back: what it names may be gone.
    set.fromOwner[index] = tryPackValue(field, local, state.links)
  }
  touch(object)
  writeColumns(columns, object.eid, local)
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

const receiveUpload = (state: ServerState, session: Session, reader: ByteReader, sequence: number): void => {
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
  upload.words.forEach(({ layout, index }, at) => {
    const binding = layout === interested.layout ? interested : owner!
    uploadRow[FIXED_WORDS + index] = uploadWords[at]!
    // A number of several words is written when all of them are there.
    const { part, parts } = layout.words[index]!
    if (part + 1 < parts) return
    for (let word = index - part; word <= index; word++) writeColumn(binding, word, object.eid, uploadRow, 0)
  })
  // As the columns give them back, which for a float64 with a divisor need not be what came.
  for (let at = 0; at < upload.words.length; at++) object.expected![at] = uploadWordOf(object, at)
}
