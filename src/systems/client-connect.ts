import { loadDecoder } from '../net/decoders.ts'
import { checkHello } from '../net/hello.ts'
import { Kind } from '../net/packet.ts'
import type { Connection } from '../net/transport.ts'
import { receiveClientPacket } from './client-link.ts'
import { driveComeback, reviveClient, suspendClient } from './client-resume.ts'
import { keepAlive } from './client-send.ts'
import { connectError, endClientSession } from './client-session.ts'
import { createClientSession, type ClientSession, type ClientState } from './client-state.ts'

/** Milliseconds between two looks at a session that the game does not drive itself. */
const TIMER = 50
/** Seconds without a look after which a datagram's arrival stands for the timer: hidden pages get one a second, or a minute. */
const THROTTLED = 0.3

const openConnection = async (opening: Promise<Connection>): Promise<Connection> => {
  try {
    return await opening
  } catch (error) {
    throw connectError('unreachable', error instanceof Error ? error.message : String(error))
  }
}

/** From here on the session's datagrams are those of this connection. */
const attach = (state: ClientState, session: ClientSession, connection: Connection): void => {
  session.connection = connection
  session.isCut = false
  connection.onPacket = packet => {
    const { lastReceiveTime } = session.peer
    if (session.welcome || packet[0] !== Kind.challenge) receiveClientPacket(state, session, packet)
    else answer(state, session, packet)
    if (session.suspension && session.peer.lastReceiveTime !== lastReceiveTime) reviveClient(state, session)
    if (state.now() - session.vigil.lookedAt > THROTTLED) keepAlive(state, session)
  }
  connection.onClose = () => {
    session.isCut = true
    connection.onPacket = () => {}
    if (session.welcome) session.lifeline.lose('closed')
    else session.attempt.reject(connectError('lost', 'The connection broke before the server answered.'))
  }
}

/** The server asks who we are: a rare thing, whose code is loaded when it happens. */
const answer = (state: ClientState, session: ClientSession, packet: Uint8Array): void => {
  import('./client-challenge.ts').then(
    ({ takeChallenge }) => takeChallenge(state, session, packet),
    // A page whose files are gone from the web server, as after an update.
    () => session.attempt.reject(connectError('unverified', 'The code that answers the server could not be loaded.')),
  )
}

/** Says goodbye when the page is left for good; one that may be shown again from the back/forward cache comes back by itself. */
const watchPage = (state: ClientState, session: ClientSession): (() => void) => {
  if (typeof addEventListener !== 'function') return () => {}
  const onPageHide = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) endClientSession(state, session, 'closed', true)
  }
  // In the capture phase: before the transport hangs up.
  addEventListener('pagehide', onPageHide, true)
  return () => removeEventListener('pagehide', onPageHide, true)
}

/** Says hello until there is an answer; from then on a timer keeps the session alive. */
const signIn = (state: ClientState, connection: Connection, json: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const attempt = {
      json,
      startedAt: state.now(),
      lastHello: -Infinity,
      response: undefined,
      limit: undefined,
      resolve() {
        state.status = 'connected'
        resolve()
      },
      reject(error: Error) {
        endClientSession(state, session, 'closed', false)
        reject(session.inquiry?.error() ?? error)
      },
    }
    const session: ClientSession = createClientSession(state, connection, attempt, {
      attach: other => attach(state, session, other),
      lose: reason => suspendClient(state, session, reason),
      drive: now => driveComeback(state, session, now),
    })
    state.session = session
    const forget = watchPage(state, session)
    const timer = setInterval(() => {
      if (!session.isOver) return keepAlive(state, session)
      clearInterval(timer)
      forget()
    }, TIMER)
    // In Node, an open session alone must not keep a finished process up.
    ;(timer as { unref?: () => void }).unref?.()
    session.lifeline.attach(connection)
    keepAlive(state, session)
  })

/** Signs in, with any JSON for the server's `onJoin`. */
export const connectClient = async (state: ClientState, data: unknown): Promise<void> => {
  if (state.status !== 'idle' && state.status !== 'closed')
    throw connectError('signed-in', `connect() was called while ${state.status}: disconnect() first.`)
  const json = data === undefined ? '' : JSON.stringify(data)
  // What does not fit a hello is told before anything is opened.
  checkHello(state.password, json)
  state.status = 'connecting'
  const attempt = ++state.attempts
  // The one of most servers comes while the connection is made. If it does not, the welcome tries again, and tells.
  loadDecoder('range').catch(() => {})
  try {
    // A transport that is there at once is signed in at once, inside this call.
    const opening = state.transport.connect()
    const connection = 'then' in opening ? await openConnection(opening) : opening
    if (attempt !== state.attempts) {
      connection.close()
      throw connectError('lost', 'disconnect() was called before the connection was open.')
    }
    await signIn(state, connection, json)
  } catch (error) {
    if (attempt === state.attempts) state.status = 'closed'
    throw error
  }
}

/** Ends the session, or the attempt to begin one. */
export const disconnectClient = (state: ClientState): void => {
  if (state.session) endClientSession(state, state.session, 'closed', true)
  else if (state.status === 'connecting') {
    state.attempts++
    state.status = 'closed'
  }
}
