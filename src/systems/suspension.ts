import { credit } from '../net/bucket.ts'
import { decodeResume, type Resume } from '../net/resume.ts'
import { isSameSecret, TOKEN, type Reason } from '../net/hello.ts'
import { renewLink } from '../net/downlink.ts'
import type { ByteReader } from '../net/bytes.ts'
import { PROTOCOL_VERSION } from '../net/packet.ts'
import type { Connection } from '../net/transport.ts'
import { countViolation, guarded, type ServerState, type Session } from './server-state.ts'
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
    const heardAt = session.inbox.at(-1)?.time ?? session.downlink.peer.lastReceiveTime
    if (hungUp && state.now() - heardAt < PRESENT) session.hasLeft = true
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

/** The connection of a client is lost or silent. */
export const suspend = (state: ServerState, session: Session, reason: Reason): void => {
  const { client } = session
  if (!client || session.suspension) return
  session.suspension = { reason, since: state.now() }
  for (const handler of state.onSuspend) guarded(state, 'onSuspend', () => handler(client, reason))
}

/** A datagram of the client came: it has the newest token, and is back if it was away. */
export const hear = (state: ServerState, session: Session): void => {
  if (session.nextToken) session.token = session.nextToken
  session.nextToken = undefined
  if (session.suspension) resume(state, session)
}

const resume = (state: ServerState, session: Session): void => {
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
  for (const handler of state.onResume) guarded(state, 'onResume', () => handler(client, seconds))
}

/** The session that a resume names and shows the token of. */
const sessionFor = (state: ServerState, { clientId, token }: Resume): Session | undefined => {
  const session = state.sessionOf.get(clientId)
  const isKnown =
    session !== undefined &&
    [session.token, session.nextToken].filter(each => each && isSameSecret(token, each)).length > 0
  return isKnown && !session.closing ? session : undefined
}

/**
 * Takes a resume that came over the connection of `stranger`. Returns the session that goes on over it, and is to be welcomed.
 * A connection may try once: after a wrong token it is closed.
 */
export const receiveResume = (
  state: ServerState,
  stranger: Session,
  reader: ByteReader,
  now: number,
): { session: Session; nonce: number } | undefined => {
  const request = decodeResume(reader)
  if (!request) {
    countViolation(state, stranger, 'malformed')
    return undefined
  }
  const { nonce } = request
  if (stranger.client && stranger.nonce === nonce) return { session: stranger, nonce }
  const refuseWith = (reason: Reason): undefined => void refuse(state, stranger, nonce, reason)
  if (stranger.closing) return refuseWith(stranger.closing.reason)
  if (request.version !== PROTOCOL_VERSION) return refuseWith('version')
  if (stranger.client || stranger.proof) return refuseWith('signed-in')
  const session = sessionFor(state, request)
  if (!session) {
    countViolation(state, stranger, 'forbidden')
    return refuseWith('expired')
  }
  const { connection, inbox } = stranger
  state.sessions.delete(stranger)
  inbox.length = 0
  if (connection !== session.connection) detach(session.connection)
  attach(state, session, connection)
  session.nonce = nonce
  session.downlink.peer.lastReceiveTime = now
  if (session.suspension) resume(state, session)
  else renewLink(session.downlink)
  // It may have got its last welcome, or not: either token may be the one that it shows next.
  if (session.nextToken && isSameSecret(request.token, session.nextToken)) session.token = session.nextToken
  issueToken(state, session)
  return { session, nonce }
}
