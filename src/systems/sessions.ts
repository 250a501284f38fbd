import { removeEntity } from 'bitecs'
import { createBucket } from '../net/bucket.ts'
import { createDownlink, queueReliable } from '../net/downlink.ts'
import type { ByteReader } from '../net/bytes.ts'
import { encodeBye, encodeRefusal, encodeWelcome, isSameSecret, type Hello, type Reason } from '../net/hello.ts'
import { answerInquiry, createFindings, describeMismatch, MAX_ANSWERS, MAX_GROWTH, mismatchOf } from '../net/inquiry.ts'
import { PROTOCOL_VERSION } from '../net/packet.ts'
import { createPings } from '../net/ping.ts'
import { clampInterp, encodeRates, type Rates } from '../net/rates.ts'
import { MAX_MESSAGE } from '../net/reliable.ts'
import { identityOf, isSameSchema, type SchemaMismatch } from '../net/schema-mismatch.ts'
import { countOut, createTrafficWindow } from '../net/traffic.ts'
import type { Connection } from '../net/transport.ts'
import { forgetVisibility } from './visibility.ts'
import { structureOf } from '../dc/index.ts'
import {
  burstOf,
  countViolation,
  guarded,
  noViolations,
  type ServerClient,
  type ServerState,
  type Session,
  type SessionStats,
} from './server-state.ts'

/** Datagrams of one client that may wait for the next tick. */
const MAX_INBOX = 256
/** Datagrams a second that a connection may send: twice what the highest command rate makes, for a link that doubles each. */
const DATAGRAM_RATE = 512
/** Seconds that a connection may take to say hello. */
const HELLO_TIMEOUT = 10
/** Connections without a client, beyond which new ones are turned away. */
const MAX_STRANGERS = 256
/** Seconds between a refusal or goodbye and the close, so that a repetition gets through. */
const CLOSE_DELAY = 0.5
/** Seconds that a client with another schema may take to find out what differs. */
const INQUIRY_TIME = 3

const TEXT: Partial<Record<Reason, string>> = {
  version: 'This page speaks another protocol version than the server: reload it, or update the server.',
  schema: "The schema differs from the server's: both must be built from the same .dc file.",
  password: 'Wrong password.',
  full: 'The server is full.',
  'signed-in': 'Already signed in on this connection.',
}

/** Spelt out, not put together from parts: then its numbers are written in place, without a new one in each tick. */
const createStats = (budget: number): SessionStats => ({
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  bytesInPerSecond: 0,
  bytesOutPerSecond: 0,
  packetsInPerSecond: 0,
  packetsOutPerSecond: 0,
  ping: 0,
  jitter: 0,
  lossIn: 0,
  rtt: 0,
  loss: 0,
  budget,
  resyncs: 0,
})

/** What flows into a session's buckets a second, and what they keep. */
export const allowancesOf = (state: ServerState): Record<'messages' | 'bytes' | 'interest', [number, number]> => ({
  messages: [state.messageRate, burstOf(state, state.messageRate)],
  bytes: [state.messageBytes, MAX_MESSAGE * 1.25 + burstOf(state, state.messageBytes)],
  interest: [state.interestRate, burstOf(state, state.interestRate)],
})

/** A peer connected: from here on its datagrams queue up for the receive system. */
export const openSession = (state: ServerState, connection: Connection): void => {
  const strangers = state.sessions.size - state.clients.size
  if (strangers >= MAX_STRANGERS) {
    connection.close()
    return
  }
  const now = state.now() * 1000
  const allowances = allowancesOf(state)
  const session: Session = {
    connection,
    inbox: [],
    openedAt: state.now(),
    client: undefined,
    hello: undefined,
    downlink: createDownlink(state.maxBytesPerSecond, state.maxChain),
    requested: new Set(),
    granted: new Set(),
    revoked: new Set(),
    zones: new Set(),
    lingering: new Map(),
    left: new Map(),
    isZonesDirty: true,
    zonesVersion: -1,
    pendingInterest: [],
    stats: createStats(state.maxBytesPerSecond),
    trafficWindow: createTrafficWindow(),
    datagramBucket: createBucket(DATAGRAM_RATE, DATAGRAM_RATE * 4, now),
    messageBucket: createBucket(...allowances.messages, now),
    byteBucket: createBucket(...allowances.bytes, now),
    interestBucket: createBucket(...allowances.interest, now),
    fieldBuckets: new Map(),
    violations: noViolations(),
    wanted: { updateRate: 1, commandRate: 1, interp: 0 },
    updateRate: 0,
    commandRate: 0,
    interp: 0,
    pings: createPings(state.pingInterval),
    closing: undefined,
    inquiry: undefined,
    isClosed: false,
  }
  state.sessions.add(session)
  connection.onPacket = packet => {
    if (session.inbox.length < MAX_INBOX) session.inbox.push({ packet, time: state.now() })
    else countViolation(state, session, 'flooded')
  }
  connection.onClose = () => {
    session.isClosed = true
  }
}

/** Bytes that a connection without a client may still be sent: nobody unknown gets more than a few times what it sent. */
const budgetOf = ({ client, stats }: Session): number =>
  client ? Infinity : stats.bytesIn * MAX_GROWTH - stats.bytesOut

/** Sends a datagram outside the packet stream: a welcome, a refusal, a goodbye. */
const sendBare = (session: Session, bytes: Uint8Array): void => {
  if (bytes.length > budgetOf(session)) return
  countOut(session.stats, bytes.length)
  session.connection.send(bytes)
}

/** Refuses a hello and says why. */
const refuse = (state: ServerState, session: Session, hello: Hello, reason: Reason): void => {
  const { nonce } = hello
  const { file } = state.schema
  const schema = reason === 'schema' ? identityOf(file) : undefined
  const refusal = { nonce, reason, text: TEXT[reason] ?? '', ...(schema && { schema }) }
  sendBare(session, encodeRefusal(refusal, budgetOf(session)))
  if (session.client || session.closing) return
  session.closing = { reason, at: state.now() + (schema ? INQUIRY_TIME : CLOSE_DELAY) }
  if (schema) session.inquiry = { findings: createFindings(), answers: 0, schema: hello.schema }
  else tellRefused(state, session, reason, TEXT[reason] ?? reason)
}

/** Answers a question of a client with another schema, and learns from it. */
export const receiveInquiry = (state: ServerState, session: Session, reader: ByteReader): void => {
  const { inquiry } = session
  if (!inquiry || inquiry.answers >= MAX_ANSWERS) {
    countViolation(state, session, 'malformed')
    return
  }
  inquiry.answers++
  const answer = answerInquiry(structureOf(state.schema.file), reader, reader.end, inquiry.findings)
  if (answer) sendBare(session, answer)
  else countViolation(state, session, 'malformed')
}

const tellRefused = (
  state: ServerState,
  session: Session,
  reason: Reason,
  message: string,
  schema?: SchemaMismatch,
): void => {
  const refused = { reason, address: session.connection.address, message, ...(schema && { schema }) }
  for (const handler of state.onRefused) guarded(state, 'onRefused', () => handler(refused))
}

/** What came out of an inquiry, once nothing more will. */
const endInquiry = (state: ServerState, session: Session): void => {
  const { inquiry } = session
  if (!inquiry) return
  session.inquiry = undefined
  if (state.onRefused.size === 0) return
  const { file } = state.schema
  const mismatch = mismatchOf(identityOf(file), inquiry.schema, inquiry.findings, inquiry.answers > 0)
  const message = `A client has another schema: ${describeMismatch(mismatch, 'the client')}.`
  tellRefused(state, session, 'schema', message, mismatch)
}

/** Says goodbye to a client; it is removed at once, the connection a moment later. */
export const endSession = (state: ServerState, session: Session, reason: Reason): void => {
  if (session.closing || session.isClosed) return
  for (let copy = 0; copy < 3; copy++) sendBare(session, encodeBye(reason))
  session.closing = { reason, at: state.now() + CLOSE_DELAY }
  leave(state, session, reason)
}

const leave = (state: ServerState, session: Session, reason: Reason): void => {
  const { client } = session
  if (!client) return
  session.client = undefined
  state.clients.delete(client.id)
  state.sessionOf.delete(client.id)
  for (const handler of state.onLeave) guarded(state, 'onLeave', () => handler(client, reason))
  removeOwned(state, client.id)
  state.store.privateZones.delete(client.id)
  forgetVisibility(state, client.id)
}

/** The objects of a client that left go with it. */
const removeOwned = (state: ServerState, clientId: number): void => {
  for (const { eid } of state.objects.values())
    if (state.schema.DistributedObject.owner[eid] === clientId) removeEntity(state.world, eid)
}

/** Ends sessions that are closed, silent, stuck, or never said hello. */
export const sweepSessions = (state: ServerState, now: number): void => {
  for (const session of state.sessions) {
    if (session.isClosed) leave(state, session, 'closed')
    else if (session.client && now - session.downlink.peer.lastReceiveTime > state.timeout)
      endSession(state, session, 'timeout')
    else if (session.client && !session.downlink.isSound) endSession(state, session, 'overflow')
    const isLate = !session.client && !session.closing && now - session.openedAt > HELLO_TIMEOUT
    const isOver = session.closing !== undefined && now >= session.closing.at
    if (!session.isClosed && !isLate && !isOver) continue
    endInquiry(state, session)
    session.connection.close()
    state.sessions.delete(session)
  }
}

/** The game's word on what a group is worth; 1 when it throws. */
const weightOf = (state: ServerState, ask: () => number): number => {
  const weight = guarded(state, 'priority', ask)
  return typeof weight === 'number' ? weight : 1
}

/** Whole, as rates travel. */
const clampRate = (wanted: number, least: number, most: number): number =>
  Math.round(Math.min(most, Math.max(least, wanted || least)))

/** Gives a session the rates that it wants, as far as the server's limits let it. What it does not say of stays as it was wanted. */
export const setRates = (state: ServerState, session: Session, wanted: Partial<Rates>): void => {
  const { updateRate, commandRate, interp } = session.wanted
  session.wanted = {
    updateRate: wanted.updateRate ?? updateRate,
    commandRate: wanted.commandRate ?? commandRate,
    interp: wanted.interp ?? interp,
  }
  const most = Math.min(state.maxUpdateRate, Math.ceil(state.tickRate))
  session.updateRate = clampRate(session.wanted.updateRate, Math.min(state.minUpdateRate, most), most)
  session.commandRate = clampRate(session.wanted.commandRate, 1, 255)
  session.interp = clampInterp(session.wanted.interp)
}

/** The same at run time: the client is told what it got. */
export const changeRates = (state: ServerState, session: Session, wanted: Partial<Rates>): void => {
  const { updateRate, commandRate, interp } = session
  setRates(state, session, wanted)
  const isAsked = Object.keys(wanted).length > 0
  if (isAsked || session.updateRate !== updateRate || session.commandRate !== commandRate || session.interp !== interp)
    queueReliable(session.downlink, encodeRates(session))
}

const parseData = (json: string): unknown => {
  try {
    return json === '' ? undefined : JSON.parse(json)
  } catch {
    return undefined
  }
}

const freeClientId = (state: ServerState): number => {
  do {
    state.nextClientId = (state.nextClientId % 0xffff) + 1
  } while (state.clients.has(state.nextClientId))
  return state.nextClientId
}

const refusalOf = (state: ServerState, session: Session, hello: Hello): Reason | undefined => {
  if (hello.version !== PROTOCOL_VERSION) return 'version'
  if (session.client) return 'signed-in'
  if (!isSameSchema(hello.schema, state.schema.file)) return 'schema'
  if (!isSameSecret(hello.password, state.password)) return 'password'
  if (state.clients.size >= state.maxClients) return 'full'
  return undefined
}

const welcome = (state: ServerState, session: Session, client: ServerClient, nonce: number): void =>
  sendBare(
    session,
    encodeWelcome({
      nonce,
      clientId: client.id,
      tickRate: state.tickRate,
      tick: state.tick,
      updateRate: session.updateRate,
      commandRate: session.commandRate,
      codec: state.store.codec.name,
    }),
  )

/** Answers a hello. A repeated one gets its answer again; a second sign-in on the connection is refused. */
export const receiveHello = (state: ServerState, session: Session, hello: Hello, now: number): void => {
  if (session.client && session.hello?.nonce === hello.nonce) {
    welcome(state, session, session.client, hello.nonce)
    return
  }
  const reason = session.closing && !session.client ? session.closing.reason : refusalOf(state, session, hello)
  if (reason) {
    refuse(state, session, hello, reason)
    return
  }
  session.hello = hello
  setRates(state, session, { updateRate: hello.updateRate, commandRate: hello.commandRate, interp: hello.interp })
  const client: ServerClient = {
    id: freeClientId(state),
    data: parseData(hello.data),
    address: session.connection.address,
    authorization: session.connection.authorization,
    get updateRate() {
      return session.updateRate
    },
    get commandRate() {
      return session.commandRate
    },
    get interp() {
      return session.interp
    },
    zones: session.zones,
    stats: session.stats,
    violations: session.violations,
  }
  session.client = client
  const { priority } = state
  if (priority)
    session.downlink.weigh = group =>
      group.zone.privateTo > 0 ? 1 : weightOf(state, () => priority(client, group.zone.id, group.layout.dclass))
  session.downlink.peer.lastReceiveTime = now
  state.clients.set(client.id, client)
  state.sessionOf.set(client.id, session)
  welcome(state, session, client, hello.nonce)
  for (const handler of state.onJoin) guarded(state, 'onJoin', () => handler(client))
}
