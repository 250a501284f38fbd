import { removeEntity } from 'bitecs'
import { createBucket } from '../net/bucket.ts'
import { createDownlink } from '../net/downlink.ts'
import { encodeBye, encodeRefusal, encodeWelcome, isSameSecret, type Hello, type Reason } from '../net/hello.ts'
import { PROTOCOL_VERSION } from '../net/packet.ts'
import { MAX_MESSAGE } from '../net/reliable.ts'
import { countOut, createTraffic, createTrafficWindow } from '../net/traffic.ts'
import type { Connection } from '../net/transport.ts'
import { guarded, type ServerClient, type ServerState, type Session } from './server-state.ts'

/** Datagrams of one client that may wait for the next tick. */
const MAX_INBOX = 256
/** Seconds that a connection may take to say hello. */
const HELLO_TIMEOUT = 10
/** Connections without a client, beyond which new ones are turned away. */
const MAX_STRANGERS = 256
/** Seconds between a refusal or goodbye and the close, so that a repetition gets through. */
const CLOSE_DELAY = 0.5

const TEXT: Partial<Record<Reason, string>> = {
  version: 'This page speaks another protocol version than the server: reload it, or update the server.',
  schema: "The schema differs from the server's: both must be built from the same .dc file.",
  password: 'Wrong password.',
  full: 'The server is full.',
  'signed-in': 'Already signed in on this connection.',
}

/** A peer connected: from here on its datagrams queue up for the receive system. */
export const openSession = (state: ServerState, connection: Connection): void => {
  const strangers = state.sessions.size - state.clients.size
  if (strangers >= MAX_STRANGERS) {
    connection.close()
    return
  }
  const session: Session = {
    connection,
    inbox: [],
    openedAt: state.now(),
    client: undefined,
    hello: undefined,
    downlink: createDownlink(),
    requested: new Set(),
    zones: new Set(),
    pendingInterest: [],
    stats: { ...createTraffic(), rtt: 0, loss: 0 },
    trafficWindow: createTrafficWindow(),
    messageBucket: createBucket(state.messageRate, state.messageRate * (state.timeout + 4), state.now() * 1000),
    byteBucket: createBucket(
      state.messageBytes,
      MAX_MESSAGE * 1.25 + state.messageBytes * (state.timeout + 4),
      state.now() * 1000,
    ),
    updateRate: 0,
    commandRate: 0,
    sendCredit: 0,
    closing: undefined,
    isClosed: false,
  }
  state.sessions.add(session)
  connection.onPacket = packet => {
    if (session.inbox.length < MAX_INBOX) session.inbox.push({ packet, time: state.now() })
    else state.violations.flooded++
  }
  connection.onClose = () => {
    session.isClosed = true
  }
}

/** Sends a datagram outside the packet stream: a welcome, a refusal, a goodbye. */
const sendBare = (session: Session, bytes: Uint8Array): void => {
  countOut(session.stats, bytes.length)
  session.connection.send(bytes)
}

/** Refuses a hello and says why. */
const refuse = (state: ServerState, session: Session, nonce: number, reason: Reason): void => {
  sendBare(session, encodeRefusal({ nonce, reason, text: TEXT[reason] ?? '' }))
  if (!session.client) session.closing ??= { reason, at: state.now() + CLOSE_DELAY }
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
    session.connection.close()
    state.sessions.delete(session)
  }
}

const clampRate = (wanted: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, wanted || least))

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
  if (hello.schemaHash !== state.schema.hash) return 'schema'
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
    refuse(state, session, hello.nonce, reason)
    return
  }
  session.hello = hello
  session.updateRate = clampRate(
    hello.updateRate,
    state.minUpdateRate,
    Math.min(state.maxUpdateRate, Math.ceil(state.tickRate)),
  )
  session.commandRate = clampRate(hello.commandRate, 1, 255)
  const client: ServerClient = {
    id: freeClientId(state),
    data: parseData(hello.data),
    address: session.connection.address,
    authorization: session.connection.authorization,
    updateRate: session.updateRate,
    commandRate: session.commandRate,
    interp: hello.interp >= 0 && hello.interp <= 1 ? hello.interp : 0,
    zones: session.zones,
    stats: session.stats,
  }
  session.client = client
  session.downlink.peer.lastReceiveTime = now
  state.clients.set(client.id, client)
  state.sessionOf.set(client.id, session)
  welcome(state, session, client, hello.nonce)
  for (const handler of state.onJoin) guarded(state, 'onJoin', () => handler(client))
}
