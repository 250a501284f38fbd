import type { ByteReader } from '../net/bytes.ts'
import { encodeBye, type Reason, type Refusal } from '../net/hello.ts'
import { identityOf, olderOf, type SchemaMismatch } from '../net/schema-mismatch.ts'
import { countOut } from '../net/traffic.ts'
import type { ClientSession, ClientState } from './client-state.ts'

/** An error of `connect`, with the reason as data. */
export interface ConnectError extends Error {
  readonly reason: Reason | 'unreachable' | 'lost'
  /** Of another schema (`schema`): what differs, and which side is older. */
  readonly schema?: SchemaMismatch
}

export const connectError = (reason: ConnectError['reason'], message: string): ConnectError =>
  Object.assign(new Error(message), { name: 'ConnectError', reason })

/** Sends a datagram and counts it. */
export const transmit = (state: ClientState, session: ClientSession, bytes: Uint8Array): void => {
  countOut(state.stats, bytes.length)
  session.connection.send(bytes)
}

/** Ends the session: tells the server (unless it told us), the waiting promises and the game. */
export const endClientSession = (state: ClientState, session: ClientSession, reason: Reason, isOurs: boolean): void => {
  if (session.isOver) return
  session.isOver = true
  if (isOurs) for (let copy = 0; copy < 3; copy++) transmit(state, session, encodeBye(reason))
  session.connection.close()
  for (const { reject } of session.interest.values())
    reject(connectError('lost', 'The session ended before the zones were complete.'))
  session.interest.clear()
  state.session = undefined
  // One without objects must not take the place of the one before, whose objects still wait to be removed.
  if (session.objects.size > 0) state.ended = session
  state.status = 'closed'
  if (session.welcome)
    for (const handler of state.onDisconnect) {
      try {
        handler(reason)
      } catch (error) {
        state.onError(error, 'onDisconnect')
      }
    }
  // A disconnect() of the game's own while `connect` waits for the answer.
  else if (isOurs) session.attempt.reject(connectError('lost', 'The session was ended before the server answered.'))
}

/** Seconds that an inquiry may take, and between two of the same questions. */
const INQUIRY_TIME = 2
const INQUIRY_INTERVAL = 0.1

/** The server has another schema: finds out what differs before `connect` rejects. */
export const beginInquiry = (state: ClientState, session: ClientSession, refusal: Refusal): void => {
  const there = refusal.schema
  if (session.inquiry) return
  if (!there) {
    session.attempt.reject(connectError(refusal.reason, refusal.text))
    return
  }
  const startedAt = state.now()
  const inquiry = { refusal, there, startedAt, lastSent: -Infinity, exchange: undefined, code: undefined }
  session.inquiry = inquiry
  import('../net/inquiry.ts').then(
    code => {
      if (session.isOver) return
      const exchange = code.createInquiry(state.schema.file, session.nonce, there)
      session.inquiry = { ...inquiry, startedAt: state.now(), code, exchange }
      driveInquiry(state, session)
    },
    // A page whose files are gone from the web server, as after an update: what is known already has to do.
    () => endInquiry(session),
  )
}

/** Asks what was not answered yet. */
export const driveInquiry = (state: ClientState, session: ClientSession): void => {
  const { inquiry } = session
  const now = state.now()
  if (!inquiry || session.isOver) return
  if (now - inquiry.startedAt > INQUIRY_TIME || inquiry.exchange?.questions.size === 0) endInquiry(session)
  else if (inquiry.exchange && now - inquiry.lastSent >= INQUIRY_INTERVAL) {
    inquiry.lastSent = now
    for (const { packet } of inquiry.exchange.questions.values()) transmit(state, session, packet)
  }
}

/** An answer of the server: the next questions go out at once. */
export const receiveAnswer = (state: ClientState, session: ClientSession, reader: ByteReader): void => {
  const { inquiry } = session
  if (!inquiry?.exchange || !inquiry.code) return
  const { asked } = inquiry.exchange
  inquiry.code.takeAnswer(inquiry.exchange, reader)
  if (inquiry.exchange.asked > asked) inquiry.lastSent = -Infinity
  driveInquiry(state, session)
}

/** `connect` rejects with {@link schemaError}. */
const endInquiry = (session: ClientSession): void =>
  session.attempt.reject(connectError('schema', session.inquiry!.refusal.text))

/** The error of a session whose schema was refused, with all that is known by now; of others none. */
export const schemaError = (state: ClientState, { inquiry }: ClientSession): ConnectError | undefined => {
  if (!inquiry) return undefined
  const { there, code, exchange } = inquiry
  const here = identityOf(state.schema.file)
  const older = olderOf(here, there)
  if (code && exchange) {
    const schema = code.mismatchOf(here, there, exchange.findings, exchange.questions.size === 0)
    return Object.assign(connectError('schema', describe(code.describeMismatch(schema, 'the server'))), { schema })
  }
  const age = older === 'here' ? 'this client is older' : older ? 'the server is older' : ''
  return Object.assign(connectError('schema', describe(age)), {
    schema: { here, there, older, differences: [], isComplete: false },
  })
}

const describe = (details: string): string =>
  `The schema differs from the server's${details && `: ${details}`}: both must be built from the same .dc file.`
