import { byteReader, more, readU8, type ByteReader } from '../net/bytes.ts'
import { clockSample } from '../net/clock.ts'
import { decodeBye, decodeRefusal, decodeWelcome } from '../net/hello.ts'
import { decodeInterestDone, decodeZones } from '../net/interest.ts'
import { decodeReliableMessage, decodeUnreliableMessage, type FieldMessage } from '../net/message.ts'
import { Chunk, Control, Kind, openPacket, readHeader, type Header } from '../net/packet.ts'
import { markDecoded, receiveAcks, receiveSequence, type Sent } from '../net/peer.ts'
import { playoutPacket } from '../net/playout.ts'
import { acknowledgeFragments, loseFragments, readFragment } from '../net/reliable.ts'
import {
  confirmGroups,
  hearTick,
  keepValue,
  readDeferred,
  readSegment,
  setZones,
  type ReplicaGroup,
} from '../net/replica.ts'
import { ticksSince } from '../net/ticks.ts'
import { countIn } from '../net/traffic.ts'
import { decodeValue } from '../net/values.ts'
import { epochOf, type ClientSession, type ClientState, type UpContent } from './client-state.ts'
import { connectError, endClientSession } from './client-session.ts'

/** Messages that may wait for the receive system. */
const MAX_MESSAGES = 10_000
/** Messages that may wait before unreliable ones are dropped: a hidden page has no frames to deliver them in. */
const MAX_UNRELIABLE_WAITING = 256

/** Takes a datagram as it arrives: state is decoded into the replica, messages wait for the receive system. */
export const receiveClientPacket = (state: ClientState, session: ClientSession, packet: Uint8Array): void => {
  if (session.isOver) return
  const now = state.now()
  countIn(state.stats, packet.length)
  const { kind, reader } = openPacket(packet)
  if (kind === Kind.data) receiveData(state, session, reader, now)
  else if (kind === Kind.welcome) {
    const welcome = decodeWelcome(reader)
    if (!welcome || welcome.nonce !== session.nonce || session.welcome) return
    session.welcome = welcome
    session.peer.lastReceiveTime = now
    session.replica.newestTick = welcome.tick
    session.unwrappedTick = 0
    session.playout.updateRate = welcome.updateRate
    session.attempt.resolve()
  } else if (kind === Kind.refuse) {
    const refusal = decodeRefusal(reader)
    if (!refusal || refusal.nonce !== session.nonce || session.welcome) return
    session.attempt.reject(connectError(refusal.reason, refusal.text || `The server refused: ${refusal.reason}.`))
  } else if (kind === Kind.bye) {
    const reason = decodeBye(reader)
    if (session.welcome) endClientSession(state, session, reason, false)
    else session.attempt.reject(connectError(reason, 'The server said goodbye.'))
  } else state.stats.malformed++
}

const onAcked = (session: ClientSession, sent: Sent<UpContent>): void => {
  for (const { object, words, epoch } of sent.content.uploads) {
    // Acknowledgements come in any order, and what was sent in an older epoch was not applied.
    if (sent.sequence < object.acknowledgedSequence || epoch !== epochOf(object)) continue
    object.acknowledged?.set(words)
    object.acknowledgedSequence = sent.sequence
  }
  if (sent.content.fragments) acknowledgeFragments(session.sender, sent.content.fragments)
}

const onLost = (session: ClientSession, sent: Sent<UpContent>): void => {
  if (sent.content.fragments) loseFragments(session.sender, sent.content.fragments, sent.time)
}

/** Seconds of the server at an unwrapped tick. */
const serverSeconds = (session: ClientSession): number => session.unwrappedTick / session.welcome!.tickRate

const receiveData = (state: ClientState, session: ClientSession, reader: ByteReader, now: number): void => {
  if (!session.welcome) return
  const { peer, replica } = session
  const header = readHeader(reader)
  const sequence = reader.failed ? -1 : receiveSequence(peer, header.sequence, now)
  if (sequence < 0) return
  takeAcks(session, header, now)
  const before = replica.newestTick
  const isNewest = hearTick(replica, header.tick)
  if (isNewest) {
    session.unwrappedTick += ticksSince(header.tick, before)
    playoutPacket(session.playout, now, serverSeconds(session))
  }
  const heard = new Set<ReplicaGroup>()
  let deferred: Set<number> | undefined = new Set()
  let isDecoded = true
  while (more(reader)) {
    const chunk = readU8(reader)
    if (chunk === Chunk.segment) isDecoded = readSegment(replica, reader, header.tick, heard) && isDecoded
    else if (chunk === Chunk.deferred) deferred = readDeferred(reader)
    else if (chunk === Chunk.fragment) readFragmentChunk(state, session, reader, now)
    else if (chunk === Chunk.message) queueMessage(state, session, decodeUnreliableMessage(reader), now, false)
    else reader.failed = true
  }
  if (reader.failed) state.stats.malformed++
  else if (isDecoded) markDecoded(peer, sequence)
  if (isNewest && deferred && !reader.failed) confirmGroups(replica, header.tick, heard, deferred)
}

const takeAcks = (session: ClientSession, header: Header, now: number): void => {
  if (header.hold < 0) return
  const { peer, clock } = session
  const before = peer.newestAcked
  receiveAcks(
    peer,
    header.ack,
    header.ackLow,
    header.ackHigh,
    header.hold,
    now,
    sent => onAcked(session, sent),
    sent => onLost(session, sent),
  )
  const sent = peer.sent[peer.newestAcked % peer.sent.length]
  if (peer.newestAcked <= before || sent?.sequence !== peer.newestAcked) return
  const tick = session.unwrappedTick + ticksSince(header.tick, session.replica.newestTick)
  clockSample(clock, sent.time, now, tick / session.welcome!.tickRate, header.hold)
}

const readFragmentChunk = (state: ClientState, session: ClientSession, reader: ByteReader, now: number): void => {
  if (!readFragment(session.receiver, reader, message => receiveReliable(state, session, message, now)))
    reader.failed = true
}

const receiveReliable = (state: ClientState, session: ClientSession, bytes: Uint8Array, now: number): void => {
  const { replica } = session
  const reader = byteReader(bytes)
  const control = readU8(reader)
  if (control === Control.message) queueMessage(state, session, decodeReliableMessage(reader), now, true)
  else if (control === Control.values) {
    const value = decodeValue(reader)
    if (!value || !keepValue(replica, value)) state.stats.malformed++
  } else if (control === Control.zones) {
    const zones = decodeZones(reader)
    if (zones) setZones(replica, zones.zones, zones.tick)
    else state.stats.malformed++
  } else if (control === Control.interestDone) {
    const done = decodeInterestDone(reader)
    const promise = done && session.interest.get(done.request)
    if (!done || !promise) return
    session.interest.delete(done.request)
    promise.resolve({ granted: promise.zones.filter(zone => !done.refused.includes(zone)), refused: done.refused })
  } else state.stats.malformed++
}

const queueMessage = (
  state: ClientState,
  session: ClientSession,
  message: FieldMessage | undefined,
  now: number,
  isReliable: boolean,
): void => {
  if (!message) state.stats.malformed++
  else if (session.messages.length >= MAX_MESSAGES) endClientSession(state, session, 'overflow', true)
  else if (!isReliable && session.messages.length >= MAX_UNRELIABLE_WAITING) state.stats.orphanedMessages++
  else session.messages.push({ ...message, packed: message.packed.slice(), time: now })
}
