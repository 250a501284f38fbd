import { createBucket } from '../net/bucket.ts'
import { createDownlink, endDownlink, type Downlink } from '../net/downlink.ts'
import type { Reason } from '../net/hello.ts'
import { createPings } from '../net/ping.ts'
import { MAX_MESSAGE } from '../net/reliable.ts'
import { createTrafficWindow } from '../net/traffic.ts'
import type { Connection } from '../net/transport.ts'
import { isSilent, look, sleptFor } from '../net/vigil.ts'
import { endSession, leave } from './departure.ts'
import {
  burstOf,
  noViolations,
  type ServerState,
  type Session,
  type SessionCounts,
  type SessionStats,
} from './server-state.ts'
import { decideProof } from './sign-in.ts'
import { endInquiry } from './strangers.ts'
import { attach, suspend } from './suspension.ts'

/** Datagrams a second that a connection may send: twice what the highest command rate makes, for a link that doubles each. */
const DATAGRAM_RATE = 512
/** Seconds that a connection may take to say hello. */
const HELLO_TIMEOUT = 10
/** Connections without a client, beyond which new ones are turned away. */
const MAX_STRANGERS = 256

/** Spelt out, not put together from parts: then its numbers are written in place, without a new one in each tick. */
const createCounts = (): SessionCounts => ({
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
  resyncs: 0,
})

/** All numbers of a session, as they are when they are looked at. */
const createStats = (counts: SessionCounts, { peer, budget }: Downlink): SessionStats => {
  const stats = {
    get rtt() {
      return peer.rtt
    },
    get loss() {
      return peer.loss
    },
    get budget() {
      return budget.rate
    },
  }
  for (const name of Object.keys(counts) as (keyof SessionCounts)[])
    Object.defineProperty(stats, name, { get: () => counts[name], enumerable: true })
  return stats as SessionStats
}

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
  const downlink = createDownlink(state.maxBytesPerSecond, state.maxChain, state.minChain)
  const counts = createCounts()
  const session: Session = {
    // What each tick looks at comes first: it lies together in memory, and of a session that is more than one line of a cache.
    inbox: [],
    client: undefined,
    downlink,
    counts,
    datagramBucket: createBucket(DATAGRAM_RATE, DATAGRAM_RATE * 4, now),
    closing: undefined,
    suspension: undefined,
    nextToken: undefined,
    proof: undefined,
    hasLeft: false,
    isClosed: false,
    isZonesDirty: true,
    zonesVersion: -1,
    pendingInterest: [],
    connection,
    updateRate: 0,
    commandRate: 0,
    measureAt: -Infinity,
    clientId: -1,
    openedAt: state.now(),
    nonce: undefined,
    token: undefined,
    resumedAt: -Infinity,
    outage: 0,
    requested: new Set(),
    granted: new Set(),
    revoked: new Set(),
    zones: new Set(),
    lingering: new Map(),
    left: new Map(),
    stats: createStats(counts, downlink),
    trafficWindow: createTrafficWindow(),
    messageBucket: createBucket(...allowances.messages, now),
    byteBucket: createBucket(...allowances.bytes, now),
    interestBucket: createBucket(...allowances.interest, now),
    fieldBuckets: new Map(),
    violations: noViolations(),
    wanted: { updateRate: 1, commandRate: 1, interp: 0 },
    interp: 0,
    pings: createPings(state.pingInterval),
    inquiry: undefined,
  }
  state.sessions.add(session)
  state.downlinks.set(downlink, session)
  attach(state, session, connection)
}

/**
 * The connection is lost or silent: the client may come back, if the server keeps sessions at all, and was heard since it was let in. One
 * that never was may not have its token.
 */
const lose = (state: ServerState, session: Session, reason: Reason): void => {
  if (state.resumeTime > 0 && session.token && !session.closing) suspend(state, session, reason)
  else if (session.isClosed) leave(state, session, reason)
  else endSession(state, session, reason)
}

/** Suspends or ends sessions that are closed, silent, stuck, or never said hello. */
export const sweepSessions = (state: ServerState, now: number): void => {
  const slept = sleptFor(state.vigil, now)
  look(state.vigil, now)
  for (const session of state.sessions) {
    if (session.suspension) session.suspension.until += slept
    if (session.client) watch(state, session, now)
    else if (session.proof && !session.isClosed) decideProof(state, session)
    const { client, closing, proof } = session
    const isLate = !client && !closing && !proof && now - session.openedAt > HELLO_TIMEOUT
    const isOver = closing !== undefined && now >= closing.at
    if (client ? !isOver : !session.isClosed && !session.hasLeft && !isLate && !isOver) continue
    endInquiry(state, session)
    session.connection.close()
    endDownlink(session.downlink)
    state.downlinks.delete(session.downlink)
    state.sessions.delete(session)
  }
}

const watch = (state: ServerState, session: Session, now: number): void => {
  const { suspension, downlink } = session
  if (session.hasLeft) leave(state, session, 'closed')
  else if (!downlink.isSound) endSession(state, session, 'overflow')
  else if (suspension) {
    if (now > suspension.until) endSession(state, session, suspension.reason)
  } else if (session.isClosed) lose(state, session, 'closed')
  else if (isSilent(state.vigil, now, downlink.peer.lastReceiveTime, state.timeout)) lose(state, session, 'timeout')
}
