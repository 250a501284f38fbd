import { byteReader, more, readBytes, readU16, readU8, readVarint, type ByteReader } from '../net/bytes.ts'
import { decodeTables, encodeTablesReady } from '../net/codec/messages.ts'
import { decoderOf, loadDecoder } from '../net/decoders.ts'
import { decodeBye, decodeRefusal, decodeWelcome, type Welcome } from '../net/hello.ts'
import { decodeInterestDone, decodeLeave, decodePlaced, decodeZones, encodeResync } from '../net/interest.ts'
import { decodeReliableMessage, decodeUnreliableMessage, type FieldMessage } from '../net/message.ts'
import { Chunk, Control, expandTick, Kind, openPacket, readHeader, type Header } from '../net/packet.ts'
import { markDecoded, receiveAcks, receiveSequence, sentTimeOf } from '../net/peer.ts'
import { playoutPacket } from '../net/playout.ts'
import { decodeRates } from '../net/rates.ts'
import { acknowledgeFragments, loseFragments, readFragment } from '../net/reliable.ts'
import {
  confirmGroups,
  createTold,
  hearTick,
  keepValue,
  leaveGroup,
  placeObject,
  readAudit,
  readState,
  setZones,
  type Decoded,
} from '../net/replica.ts'
import { skipAudit, skipState } from '../net/state-entry.ts'
import { ticksSince } from '../net/ticks.ts'
import { countIn } from '../net/traffic.ts'
import { readValues } from '../net/values.ts'
import { epochOf, takeRates, type ClientSession, type ClientState, type UpContent } from './client-state.ts'
import { beginInquiry, connectError, endClientSession } from './client-session.ts'
import { queueClientReliable } from './client-send.ts'

/** Messages that may wait for the receive system. */
const MAX_MESSAGES = 10_000
/** Packets that may wait for what their segments build on. */
const MAX_HELD = 32
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
    if (welcome?.nonce === session.nonce) takeWelcome(state, session, welcome)
  } else if (kind === Kind.refuse) {
    const refusal = decodeRefusal(reader)
    if (!refusal || refusal.nonce !== session.nonce || session.welcome) return
    if (refusal.reason === 'schema') beginInquiry(state, session, refusal)
    else session.attempt.reject(connectError(refusal.reason, refusal.text || `The server refused: ${refusal.reason}.`))
  } else if (kind === Kind.answer) session.inquiry?.answer(reader)
  else if (kind === Kind.bye) {
    const reason = decodeBye(reader)
    if (session.welcome) endClientSession(state, session, reason, false)
    else session.attempt.reject(connectError(reason, `The server said goodbye: ${reason}.`))
  } else state.stats.malformed++
}

/** Begins the session, once what reads its segments is there: until then its datagrams count as lost. */
const takeWelcome = (state: ClientState, session: ClientSession, welcome: Welcome): void => {
  if (session.isOver || session.welcome) return
  const { replica, playout, attempt, peer } = session
  const decoder = decoderOf(welcome.codec, replica.layouts)
  if (!decoder) {
    loadDecoder(welcome.codec).then(
      () => takeWelcome(state, session, welcome),
      () =>
        attempt.reject(connectError('unreachable', 'The code that reads what the server sends could not be loaded.')),
    )
    return
  }
  replica.codec = decoder
  replica.newestTick = welcome.tick
  session.welcome = welcome
  session.unwrappedTick = 0
  peer.lastReceiveTime = state.now()
  playout.updateRate = welcome.updateRate
  attempt.resolve()
}

const onAcked = (session: ClientSession, content: UpContent, sequence: number): void => {
  for (const { object, words, epoch } of content.uploads) {
    // Acknowledgements come in any order, and what was sent in an older epoch was not applied.
    if (sequence < object.acknowledgedSequence || epoch !== epochOf(object)) continue
    object.acknowledged?.set(words)
    object.acknowledgedSequence = sequence
  }
  if (content.fragments) acknowledgeFragments(session.sender, content.fragments)
  content.whenAcked?.()
}

const onLost = (session: ClientSession, { fragments }: UpContent, time: number): void => {
  if (fragments) loseFragments(session.sender, fragments, time)
}

/** Seconds of the server at an unwrapped tick. */
const serverSeconds = (session: ClientSession): number => session.unwrappedTick / session.welcome!.tickRate

const receiveData = (state: ClientState, session: ClientSession, reader: ByteReader, now: number): void => {
  if (!session.welcome) return
  const { peer, replica } = session
  const header = readHeader(reader)
  const sequence = reader.failed ? -1 : receiveSequence(peer, header.sequence, now)
  if (sequence < 0) return
  const before = replica.newestTick
  const tick = expandTick(header.tick, before)
  takeAcks(state, session, header, tick, now)
  const isNewest = hearTick(replica, tick)
  if (isNewest) {
    session.unwrappedTick += ticksSince(tick, before)
    playoutPacket(session.playout, now, serverSeconds(session))
  }
  const start = reader.position
  const decoded = readStates(state, session, reader, tick)
  if (reader.failed) {
    state.stats.malformed++
    return
  }
  if (isNewest) confirmGroups(replica, tick, told)
  if (decoded === 'waiting' && session.held.length < MAX_HELD) {
    session.held.push({ bytes: reader.bytes.slice(), start, sequence, tick, time: now })
    return
  }
  finishPacket(state, session, reader, start, sequence, decoded, now)
  if (decoded === 'all' && session.held.length > 0) releaseHeld(state, session)
}

/** What the packet at hand told. */
const told = createTold()

/** Reads the state of a packet and skips the rest. `reader.failed` tells a malformed one. */
const readStates = (state: ClientState, session: ClientSession, reader: ByteReader, tick: number): Decoded => {
  told.heard.clear()
  told.deferred.clear()
  told.isAllDeferred = false
  let decoded: Decoded = 'all'
  while (more(reader)) {
    const chunk = readU8(reader)
    if (chunk === Chunk.state) decoded = readState(session.replica, reader, tick, told)
    else if (chunk === Chunk.audit)
      readAudit(session.replica, reader, tick, group => queueClientReliable(state, session, encodeResync(group)))
    else skipChunk(reader, chunk)
  }
  return decoded
}

const skipChunk = (reader: ByteReader, chunk: number): void => {
  if (chunk === Chunk.message) decodeUnreliableMessage(reader)
  else if (chunk === Chunk.fragment) {
    readU16(reader)
    readU8(reader)
    readBytes(reader, readVarint(reader))
  } else reader.failed = true
}

/** Takes what a packet says besides state; it is acknowledged when all of its state was decoded. */
const finishPacket = (
  state: ClientState,
  session: ClientSession,
  reader: ByteReader,
  start: number,
  sequence: number,
  decoded: Decoded,
  now: number,
): void => {
  reader.position = start
  while (more(reader)) {
    const chunk = readU8(reader)
    if (chunk === Chunk.fragment) readFragmentChunk(state, session, reader, now)
    else if (chunk === Chunk.message) queueMessage(state, session, decodeUnreliableMessage(reader), now, false)
    else if (chunk === Chunk.state) skipState(session.replica, reader)
    else if (chunk === Chunk.audit) skipAudit(reader)
    else reader.failed = true
  }
  if (reader.failed) state.stats.malformed++
  else if (decoded === 'all') markDecoded(session.peer, sequence)
}

/** Packets that wait for one that was sent before them; their messages must not run ahead of their state. */
const releaseHeld = (state: ClientState, session: ClientSession): void => {
  const { held } = session
  held.sort((a, b) => ticksSince(a.tick, b.tick))
  let isReleased = true
  while (isReleased) {
    isReleased = false
    for (let index = 0; index < held.length; index++) {
      const packet = held[index]!
      const reader = byteReader(packet.bytes)
      reader.position = packet.start
      const decoded = readStates(state, session, reader, packet.tick)
      if (decoded === 'waiting') continue
      held.splice(index--, 1)
      isReleased = true
      reader.failed = false
      finishPacket(state, session, reader, packet.start, packet.sequence, decoded, packet.time)
    }
  }
}

const takeAcks = (
  state: ClientState,
  session: ClientSession,
  header: Header,
  headerTick: number,
  now: number,
): void => {
  if (header.hold < 0) return
  const { peer } = session
  const before = peer.newestAcked
  receiveAcks(
    peer,
    header.ack,
    header.ackLow,
    header.ackHigh,
    header.hold,
    header.received,
    now,
    (content, sequence) => onAcked(session, content, sequence),
    (content, sentAt) => onLost(session, content, sentAt),
  )
  const sentAt = sentTimeOf(peer, peer.newestAcked)
  if (peer.newestAcked <= before || sentAt === undefined) return
  const tick = session.unwrappedTick + ticksSince(headerTick, session.replica.newestTick)
  state.onEcho?.(session, sentAt, now, tick / session.welcome!.tickRate, header.hold)
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
    const isSound = readValues(reader, value => {
      if (!keepValue(replica, value)) state.stats.malformed++
    })
    if (!isSound) state.stats.malformed++
  } else if (control === Control.zones) {
    const zones = decodeZones(reader)
    if (zones) setZones(replica, zones.zones, zones.tick)
    else state.stats.malformed++
  } else if (control === Control.tables) {
    const tables = decodeTables(reader)
    if (!tables || !replica.codec.takeTables(tables.generation, tables.bytes)) state.stats.malformed++
    else queueClientReliable(state, session, encodeTablesReady(tables.generation))
  } else if (control === Control.leave) {
    const left = decodeLeave(reader)
    if (left) leaveGroup(replica, left)
    else state.stats.malformed++
  } else if (control === Control.placed) {
    const placed = decodePlaced(reader)
    if (!placed || !placeObject(replica, placed)) state.stats.malformed++
  } else if (control === Control.rates) {
    const rates = decodeRates(reader)
    if (rates) takeRates(session, rates)
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
  else
    session.messages.push({ ...message, packed: message.packed.slice(), time: now, serial: session.replica.serial++ })
}
