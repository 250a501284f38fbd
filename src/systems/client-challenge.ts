import { decodeChallenge, encodeResponse, MAX_RESPONSE } from '../net/challenge.ts'
import { openPacket } from '../net/packet.ts'
import { keepAlive } from './client-send.ts'
import { connectError } from './client-session.ts'
import type { ClientSession, ClientState } from './client-state.ts'

/** The server asks who we are: the game answers, in its own time, once. */
export const takeChallenge = (state: ClientState, session: ClientSession, packet: Uint8Array): void => {
  const challenge = decodeChallenge(openPacket(packet).reader)
  const { attempt } = session
  if (!challenge || challenge.nonce !== session.nonce || attempt.limit !== undefined || session.isOver) return
  const { respond } = state
  const reject = (message: string): void => attempt.reject(connectError('unverified', message))
  if (!respond) return reject('The server asks who you are: give createClient the option respond.')
  const hasTime = (): void => {
    attempt.startedAt = state.now()
    attempt.limit = challenge.timeLimit + state.timeout
  }
  hasTime()
  new Promise<Uint8Array>(resolve => resolve(respond(challenge.bytes))).then(
    bytes => {
      if (!(bytes instanceof Uint8Array) || bytes.length > MAX_RESPONSE)
        return reject(`The option respond did not give a Uint8Array of at most ${MAX_RESPONSE} bytes.`)
      attempt.response = encodeResponse({ nonce: session.nonce, bytes })
      attempt.lastHello = -Infinity
      hasTime()
      keepAlive(state, session)
    },
    error => reject(`The option respond failed: ${error instanceof Error ? error.message : error}`),
  )
}
