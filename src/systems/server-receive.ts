import { byteReader, more, readBytes, readU16, readU32, readU8, readVarint, type ByteReader } from '../net/bytes.ts'
import { decodeTablesReady } from '../net/codec/messages.ts'
import { confirmTables, resync } from '../net/downlink.ts'
import { queueReliable } from '../net/outgoing.ts'
import { decodeInterest, decodeResync, encodeInterestDone } from '../net/interest.ts'
import {
  decodeFieldUpdate,
  decodeReliableMessage,
  decodeUnreliableMessage,
  decodeWrite,
  type FieldMessage,
} from '../net/message.ts'
import { Chunk, Control, Kind, openPacket, readHeader } from '../net/packet.ts'
import { markDecoded, receiveAcks, receiveSequence } from '../net/peer.ts'
import { decodeRates } from '../net/rates.ts'
import { readFragment } from '../net/reliable.ts'
import { countIn } from '../net/traffic.ts'
import { isFieldWithin, isMessageWithin, isOfClass, isPermitted, isWithin } from './allowances.ts'
import { unpackHere } from './links.ts'
import { fitsMemory, relay } from './messages.ts'
import { isFiniteValue, nameOf } from './pack-message.ts'
import { receiveField, receiveUpload, receiveWrite } from './receive-state.ts'
import { countViolation, guarded, type ServerState, type Session } from './server-state.ts'
import { changeRates } from './client-rates.ts'
import { preload } from './preload.ts'
import { endSession } from './departure.ts'
import { sweepSessions } from './sessions.ts'
import { receiveHello, receiveResponse, receiveSignIn } from './sign-in.ts'
import { receiveInquiry } from './strangers.ts'
import { hear } from './suspension.ts'
import { violate } from './violations.ts'

/** Unfinished interest requests that one client may have. */
const MAX_PENDING_INTEREST = 256

/** Takes in everything that arrived since the last tick: joins, acknowledgements, owner-written state, messages. */
export const serverReceive = (state: ServerState): void => {
  const now = state.now()
  preload(state)
  for (const session of state.sessions) {
    const { inbox } = session
    if (inbox.length === 0) continue
    for (const { packet, time } of inbox) receivePacket(state, session, packet, time)
    // Not by its length, which would give its memory back.
    while (inbox.length > 0) inbox.pop()
  }
  sweepSessions(state, now)
}

const malformed = (state: ServerState, session: Session): void => violate(state, session, 'malformed', 'datagram')

const receivePacket = (state: ServerState, session: Session, packet: Uint8Array, time: number): void => {
  countIn(session.counts, packet.length)
  if (!isWithin(state, session, session.datagramBucket, 1, 'datagrams', false)) return
  const { kind, reader } = openPacket(packet)
  if (kind === Kind.data) {
    if (session.client) receiveData(state, session, reader, time)
    // Whoever was sent away may not know it yet.
    else if (!session.closing) countViolation(state, session, 'forbidden')
  } else if (kind === Kind.hello) receiveHello(state, session, reader)
  else if (kind === Kind.resume) receiveSignIn(state, session, reader)
  else if (kind === Kind.response) receiveResponse(state, session, reader)
  else if (kind === Kind.inquiry) receiveInquiry(state, session, reader)
  else if (kind === Kind.bye) {
    session.hasLeft = true
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
  if (session.nextToken || session.suspension) hear(state, session)
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
  const start = reader.position
  // State first: a message never runs ahead of what its sender wrote before it.
  while (more(reader) && session.client) readStateChunk(state, session, reader, sequence)
  reader.failed = false
  reader.position = start
  while (more(reader) && session.client) readMessageChunk(state, session, reader)
  if (reader.failed) malformed(state, session)
  else markDecoded(downlink.peer, sequence)
}

const readStateChunk = (state: ServerState, session: Session, reader: ByteReader, sequence: number): void => {
  const chunk = readU8(reader)
  if (chunk === Chunk.upload) receiveUpload(state, session, reader, sequence)
  else if (chunk === Chunk.write) receiveWrite(state, session, reader)
  else if (chunk === Chunk.message) decodeUnreliableMessage(reader)
  else if (chunk === Chunk.fragment) {
    readU16(reader)
    readU8(reader)
    readBytes(reader, readVarint(reader))
  } else reader.failed = true
}

const readMessageChunk = (state: ServerState, session: Session, reader: ByteReader): void => {
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
  } else if (chunk === Chunk.write) decodeWrite(reader)
  else if (chunk === Chunk.upload) {
    readU32(reader)
    readU8(reader)
    readBytes(reader, readVarint(reader))
  } else reader.failed = true
}

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
      session.counts.resyncs++
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
  if (!fitsMemory(field, message.packed)) {
    violate(state, session, 'outOfRange', 'too-large', { field, object })
    return
  }
  let isRelayed = true
  // A handler may remove the object.
  const isHere = (): boolean => state.objects.get(object.eid) === object
  for (const handler of state.handlers.get(field) ?? [])
    if (isHere() && guarded(state, nameOf(field), () => handler(object.eid, args.value, client)) === false)
      isRelayed = false
  if (isRelayed && field.keywords.includes('broadcast') && isHere())
    relay(state, object, field, message.packed.slice(), session)
}
