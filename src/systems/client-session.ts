import { encodeBye, type Reason, type Refusal } from '../net/hello.ts'
import { identityOf, olderOf, type SchemaIdentity, type SchemaMismatch } from '../net/schema-mismatch.ts'
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

/** Calls the game's handlers. */
export const tell = <Args extends unknown[]>(
  state: ClientState,
  handlers: Iterable<(...args: Args) => void>,
  where: string,
  ...args: Args
): void => {
  for (const handler of handlers) {
    try {
      handler(...args)
    } catch (error) {
      state.onError(error, where)
    }
  }
}

/** Ends the session: tells the server (unless it told us), the waiting promises and the game. */
export const endClientSession = (state: ClientState, session: ClientSession, reason: Reason, isOurs: boolean): void => {
  if (session.isOver) return
  session.isOver = true
  if (isOurs) for (let copy = 0; copy < 3; copy++) transmit(state, session, encodeBye(reason))
  session.connection.close()
  session.suspension?.comeback?.connection?.close()
  for (const { reject } of session.interest.values())
    reject(connectError('lost', 'The session ended before the zones were complete.'))
  session.interest.clear()
  state.session = undefined
  // One without objects must not take the place of the one before, whose objects still wait to be removed.
  if (session.objects.size + session.disabled.size > 0) state.ended = session
  state.status = 'closed'
  if (session.welcome) tell(state, state.onDisconnect, 'onDisconnect', reason)
  // A disconnect() of the game's own while `connect` waits for the answer.
  else if (isOurs) session.attempt.reject(connectError('lost', 'The session was ended before the server answered.'))
}

/** Seconds that an inquiry may take, and as long may its code take to come. */
export const INQUIRY_TIME = 2

/** The server has another schema: finds out what differs before `connect` rejects. */
export const beginInquiry = (state: ClientState, session: ClientSession, refusal: Refusal): void => {
  if (session.inquiry) return
  const { schema: there, text } = refusal
  const fail = (): void => session.attempt.reject(connectError('schema', text))
  if (!there) return fail()
  const startedAt = state.now()
  session.inquiry = {
    drive() {
      if (state.now() - startedAt > INQUIRY_TIME) fail()
    },
    answer() {},
    error: () => unexplained(identityOf(state.schema.file), there),
  }
  import('./client-inquiry.ts').then(
    ({ inquire }) => {
      if (!session.isOver) session.inquiry = inquire(state, session, there, fail)
    },
    // A page whose files are gone from the web server, as after an update: what is known already has to do.
    fail,
  )
}

/** The error of `connect` for a schema that is not the server's; `details` say what differs, if anything is known of that. */
export const schemaError = (schema: SchemaMismatch, details: string): ConnectError =>
  Object.assign(
    connectError(
      'schema',
      `The schema differs from the server's${details && `: ${details}`}: both must be built from the same .dc file.`,
    ),
    { schema },
  )

/** The same by what both sides say of themselves. */
const unexplained = (here: SchemaIdentity, there: SchemaIdentity): ConnectError => {
  const older = olderOf(here, there)
  const age = older && `${older === 'here' ? 'this client' : 'the server'} is older`
  return schemaError({ here, there, older, differences: [], isComplete: false }, age ?? '')
}
