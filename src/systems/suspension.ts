import { credit } from '../net/bucket.ts'
import { decodeResume, type Resume } from '../net/resume.ts'
import { isSameSecret, TOKEN, type Reason } from '../net/hello.ts'
import { renewLink } from '../net/downlink.ts'
import type { ByteReader } from '../net/bytes.ts'
import { PROTOCOL_VERSION } from '../net/packet.ts'
import type { Connection } from '../net/transport.ts'
import { endSession } from './departure.ts'
import { countViolation, tellOf, type ServerState, type Session } from './server-state.ts'
import { refuse } from './strangers.ts'

/*
 * A session is not its connection. When that is lost, or silent for too long, the session is suspended: it keeps its client
 * id, its objects and its place, and is sent nothing. It goes on when a datagram comes over its connection after all, or when the
 * client shows the session's token over another one.
 */

/** Datagrams of one client that may wait for the next tick. */
const MAX_INBOX = 256

/** Seconds within which a client was heard that hangs up by itself. */
const PRESENT = 2

/** From here on the session's datagrams are those of this connection. */
export const attach = (state: ServerState, session: Session, connection: Connection): void => {
  session.connection = connection
  session.isClosed = false
  connection.onPacket = packet => {
    if (session.inbox.length < MAX_INBOX) session.inbox.push({ packet, time: state.now() })
    else countViolation(state, session, 'flooded')
  }
  connection.onClose = (hungUp = false) => {
    session.isClosed = true
    // A page that was left: its goodbye may not have got out. A network that broke long ago may end in the same way.
    // So does a try to come back that got no welcome: until it has the newest token, the client may go on trying.
    const heardAt = session.inbox.at(-1)?.time ?? session.downlink.peer.lastReceiveTime
    if (hungUp && !session.nextToken && state.now() - heardAt < PRESENT) session.hasLeft = true
  }
}

const nothing = (): void => {}

/** No datagram of it counts any more, however late it comes. */
const detach = (connection: Connection): void => {
  connection.onPacket = nothing
  connection.onClose = nothing
  connection.close()
}

/** A new token for the next resume; the one before counts until the client shows that it has this one. */
export const issueToken = (state: ServerState, session: Session): void => {
  if (state.resumeTime > 0) session.nextToken = crypto.getRandomValues(new Uint8Array(TOKEN))
}

/**
 * It showed this token. If that is the newest, it gets another one; if it is the one before, it may still get the welcome that has the
 * newest, or the same in another welcome: either may be what it shows next.
 */
const renewToken = (state: ServerState, session: Session, shown: Uint8Array): void => {
  const { nextToken } = session
  if (nextToken && !isSameSecret(shown, nextToken)) return
  if (nextToken) session.token = nextToken
  issueToken(state, session)
}

/** The connection of a client is lost or silent. */
export const suspend = (state: ServerState, session: Session, reason: Reason): void => {
  const { client } = session
  if (!client || session.suspension) return
  const since = state.now()
  session.suspension = { reason, since, until: since + state.resumeTime }
  tellOf(state, client, state.onSuspend, 'onSuspend', reason)
}

/** A datagram of the client came: it has the newest token, and is back if it was away. */
export const hear = (state: ServerState, session: Session): void => {
  if (session.nextToken) session.token = session.nextToken
  session.nextToken = undefined
  if (session.suspension) resume(state, session)
}

/** `answer` goes ahead of what the game's handlers make of it: they may end the session. */
const resume = (state: ServerState, session: Session, answer = nothing): void => {
  const { client, downlink, suspension } = session
  if (!client || !suspension) return
  const now = state.now()
  const seconds = now - suspension.since
  session.suspension = undefined
  session.resumedAt = now
  session.outage = seconds + state.timeout
  renewLink(downlink)
  // What it would have sent meanwhile comes now, at once.
  for (const bucket of [
    session.messageBucket,
    session.byteBucket,
    session.interestBucket,
    ...session.fieldBuckets.values(),
  ])
    credit(bucket, session.outage, now * 1000)
  answer()
  tellOf(state, client, state.onResume, 'onResume', seconds)
}

/**
 * Who gives up its place on a full server for one who comes: somebody who is waited for, if others of that address are waited for too, so
 * that who comes and goes without end takes no more than one place by that. Of those the one that has been away longest.
 */
const dispensable = (state: ServerState): Session | undefined => {
  const longest = new Map<string, Session>()
  let found: Session | undefined
  for (const session of state.sessionOf.values()) {
    if (!session.suspension) continue
    const { address } = session.connection
    const other = longest.get(address)
    const isLonger = !other || session.suspension.since < other.suspension!.since
    if (isLonger) longest.set(address, session)
    const first = isLonger ? session : other
    if (other && (!found || first.suspension!.since < found.suspension!.since)) found = first
  }
  return found
}

/** Whether there is a place for one more client, or one that somebody gives up. */
export const hasRoom = (state: ServerState): boolean =>
  state.clients.size < state.maxClients || (state.clients.size === state.maxClients && dispensable(state) !== undefined)

/** Has somebody give up its place if all are taken: for one who is let in, not for whoever says hello. */
export const makeRoom = (state: ServerState): void => {
  if (state.clients.size < state.maxClients) return
  const session = dispensable(state)
  if (session) endSession(state, session, 'full')
}

/** The session that a resume names and shows the token of. */
const sessionFor = (state: ServerState, { clientId, token }: Resume): Session | undefined => {
  const session = state.sessionOf.get(clientId)
  return session && isTokenOf(session, token) && !session.closing ? session : undefined
}

const isTokenOf = ({ token, nextToken }: Pick<Session, 'token' | 'nextToken'>, shown: Uint8Array): boolean =>
  [token, nextToken].filter(each => each && isSameSecret(shown, each)).length > 0

/** Why the session ended that a resume names and shows the token of, if it did so while its client was away. */
const farewellTo = (state: ServerState, { clientId, token }: Resume): Reason | undefined => {
  const farewell = state.farewells.get(clientId)
  return farewell && isTokenOf(farewell, token) ? farewell.reason : undefined
}

/**
 * Takes a resume that came over the connection of `stranger`: the session that it is for goes on over it, and is given to `welcome`.
 * A connection may try once: after a wrong token it is closed.
 */
export const receiveResume = (
  state: ServerState,
  stranger: Session,
  reader: ByteReader,
  welcome: (session: Session, nonce: number) => void,
): void => {
  const request = decodeResume(reader)
  if (!request) return countViolation(state, stranger, 'malformed')
  const { nonce } = request
  if (stranger.client && stranger.nonce === nonce) return welcome(stranger, nonce)
  const refuseWith = (reason: Reason): void => refuse(state, stranger, nonce, reason)
  if (stranger.closing) return refuseWith(stranger.closing.reason)
  if (request.version !== PROTOCOL_VERSION) return refuseWith('version')
  if (stranger.client || stranger.proof) return refuseWith('signed-in')
  const session = sessionFor(state, request)
  if (!session) {
    const farewell = farewellTo(state, request)
    if (!farewell) countViolation(state, stranger, 'forbidden')
    return refuseWith(farewell ?? 'expired')
  }
  const { connection, inbox } = stranger
  state.sessions.delete(stranger)
  state.downlinks.delete(stranger.downlink)
  inbox.length = 0
  if (connection !== session.connection) detach(session.connection)
  attach(state, session, connection)
  session.nonce = nonce
  renewToken(state, session, request.token)
  const answer = (): void => welcome(session, nonce)
  if (session.suspension) return resume(state, session, answer)
  renewLink(session.downlink)
  answer()
}
