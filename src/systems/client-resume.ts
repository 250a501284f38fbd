import { encodeResume } from '../net/resume.ts'
import { decodeRefusal, decodeWelcome, type Reason, type Welcome } from '../net/hello.ts'
import { Kind, openPacket } from '../net/packet.ts'
import { renewPeer } from '../net/peer.ts'
import { loseFragments } from '../net/reliable.ts'
import { ticksSince } from '../net/ticks.ts'
import { countIn, countOut } from '../net/traffic.ts'
import type { Connection } from '../net/transport.ts'
import { sendPacket } from './client-send.ts'
import { endClientSession, tell } from './client-session.ts'
import type { ClientSession, ClientState, Comeback, Suspension } from './client-state.ts'

/*
 * A session is not its connection. When that is lost, or silent for too long, the client opens others, and shows the session's token
 * over them, until the server welcomes it back: sequence numbers, streams and state go on where they were. The silent
 * connection stays open until then, since it may come to life first.
 */

/** Seconds between two attempts: the first, doubled each time, and at most; each half to one and a half times that. */
const SHORTEST_WAIT = 0.25
const LONGEST_WAIT = 4
/** Seconds after which another connection is tried while one is opened, and within which one is to be welcomed over one that is open. */
const PATIENCE = 5
/** Seconds between two repetitions of a resume. */
const INTERVAL = 0.1

const waitAfter = (tries: number): number =>
  Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** (tries - 1)) * (0.5 + Math.random())

/** The connection is lost: the session is suspended, or over when the server does not keep it or we do not want it kept. */
export const suspendClient = (state: ClientState, session: ClientSession, reason: Reason): void => {
  if (session.isOver || session.suspension) return
  const now = state.now()
  const seconds = Math.min(session.welcome!.resumeTime, state.resumeTime)
  if (seconds === 0) return endClientSession(state, session, reason, reason === 'timeout')
  session.suspension = { until: now + seconds, tries: 0, nextTry: now, comeback: undefined }
  state.status = 'reconnecting'
  tell(state, state.onSuspend, 'onSuspend', reason)
}

/** Goes on trying; to be called every now and then while the session is suspended. */
export const driveComeback = (state: ClientState, session: ClientSession, now: number): void => {
  const suspension = session.suspension!
  const { comeback } = suspension
  if (now > suspension.until) endClientSession(state, session, 'timeout', true)
  else if (comeback && now > comeback.until) giveUp(session, comeback, now)
  else if (comeback?.connection) showToken(state, session, comeback, comeback.connection, now)
  else if (!comeback && now >= suspension.nextTry) openAnother(state, session, suspension, now)
}

const giveUp = ({ suspension }: ClientSession, comeback: Comeback, now: number): void => {
  comeback.connection?.close()
  if (suspension?.comeback !== comeback) return
  suspension.comeback = undefined
  suspension.nextTry = now + waitAfter(++suspension.tries)
}

const openAnother = (state: ClientState, session: ClientSession, suspension: Suspension, now: number): void => {
  const nonce = Math.floor(Math.random() * 0x1_0000_0000)
  const comeback: Comeback = { nonce, until: now + PATIENCE, connection: undefined, shownAt: -Infinity }
  suspension.comeback = comeback
  const fail = (): void => giveUp(session, comeback, state.now())
  const use = (connection: Connection): void => {
    // The session has come back or ended without it, or another one is ahead. If it took long, it is what the network is like.
    const { suspension: current } = session
    if (session.isOver || !current || current.comeback?.connection) return connection.close()
    current.comeback = comeback
    comeback.until = state.now() + PATIENCE
    comeback.connection = connection
    connection.onPacket = packet => receiveAnswer(state, session, comeback, connection, packet)
    connection.onClose = fail
    showToken(state, session, comeback, connection, state.now())
  }
  try {
    const opening = state.transport.connect()
    if ('then' in opening) opening.then(use, fail)
    else use(opening)
  } catch {
    fail()
  }
}

const showToken = (
  state: ClientState,
  session: ClientSession,
  comeback: Comeback,
  connection: Connection,
  now: number,
): void => {
  if (now - comeback.shownAt < INTERVAL) return
  comeback.shownAt = now
  const { clientId, token } = session.welcome!
  const resume = encodeResume({ nonce: comeback.nonce, clientId, token })
  countOut(state.stats, resume.length)
  connection.send(resume)
}

const receiveAnswer = (
  state: ClientState,
  session: ClientSession,
  comeback: Comeback,
  connection: Connection,
  packet: Uint8Array,
): void => {
  countIn(state.stats, packet.length)
  const { kind, reader } = openPacket(packet)
  if (kind === Kind.welcome) {
    const welcome = decodeWelcome(reader)
    if (welcome?.nonce === comeback.nonce) takeOver(state, session, connection, welcome)
  } else if (kind === Kind.refuse) {
    const refusal = decodeRefusal(reader)
    if (refusal?.nonce === comeback.nonce) endClientSession(state, session, refusal.reason, false)
  }
}

const nothing = (): void => {}

/** The session goes on over this connection; whatever still comes over the old one is not listened to. */
const takeOver = (state: ClientState, session: ClientSession, connection: Connection, welcome: Welcome): void => {
  const { connection: old, replica } = session
  old.onPacket = nothing
  old.onClose = nothing
  old.close()
  session.welcome = { ...session.welcome!, token: welcome.token }
  // Data packets carry 16 bits of it.
  const ticks = ticksSince(welcome.tick, replica.newestTick)
  if (ticks > 0) {
    session.unwrappedTick += ticks
    replica.newestTick = welcome.tick
  }
  session.suspension = undefined
  session.lifeline.attach(connection)
  comeBack(state, session)
}

/** A datagram came over the silent connection: it lives, unless another one is about to take over. */
export const reviveClient = (state: ClientState, session: ClientSession): void => {
  const { suspension } = session
  if (!suspension || suspension.comeback?.connection) return
  // What is still being opened is closed as soon as it is open.
  session.suspension = undefined
  comeBack(state, session)
}

const comeBack = (state: ClientState, session: ClientSession): void => {
  const now = state.now()
  const { peer, sender, messages, unreliable } = session
  renewPeer(peer, ({ fragments }, time) => {
    if (fragments) loseFragments(sender, fragments, time)
  })
  peer.lastReceiveTime = now
  unreliable.length = 0
  // Their objects come with what is sent from now on.
  for (const message of messages) message.time = now
  state.status = 'connected'
  // At once: by it the server knows that the token has arrived.
  sendPacket(state, session, now)
  tell(state, state.onResume, 'onResume')
}
