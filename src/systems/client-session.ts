import { encodeBye, type Reason } from '../net/hello.ts'
import { countOut } from '../net/traffic.ts'
import type { ClientSession, ClientState } from './client-state.ts'

/** An error of `connect`, with the reason as data. */
export interface ConnectError extends Error {
  readonly reason: Reason | 'unreachable' | 'lost'
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
