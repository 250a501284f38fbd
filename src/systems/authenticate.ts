import { encodeChallenge, MAX_CHALLENGE, type ChallengeResponse } from '../net/challenge.ts'
import type { Hello, Reason } from '../net/hello.ts'
import { inRange } from '../net/options.ts'
import { guarded, type ServerState, type Session } from './server-state.ts'
import { refuse, sendBare } from './strangers.ts'

/** A client that wants to sign in. */
export interface Candidate {
  /** What the player gave to `connect`: untrusted JSON. */
  readonly data: any
  readonly address: string
  /** What the transport's authorization returned. */
  readonly authorization: unknown
}

/** What `verify` answers: who the client is, or that it is nobody. */
type Verdict<Identity> = Identity | false | null | undefined

/** How a client shows who it is, within the handshake: it gets a challenge, and is let in by its response. */
export interface Authenticate<Identity = unknown> {
  /** What is to be answered: 1..64 bytes, different each time. Default: 32 random bytes. */
  readonly challenge?: (candidate: Candidate) => Uint8Array | Promise<Uint8Array>
  /**
   * Checks the response (at most 1 KB, untrusted). What it returns becomes `client.identity`; the client is refused (`unverified`) if
   * that is `false`, `null` or `undefined`, or if it throws.
   */
  readonly verify: (
    candidate: Candidate,
    challenge: Uint8Array,
    response: Uint8Array,
  ) => Verdict<Identity> | PromiseLike<Verdict<Identity>>
  /** Seconds for the client to respond, and then for `verify` to decide. 1..60. Default 5. */
  readonly timeLimit?: number
  /**
   * Calls of `verify` under way at once, for clients that have gone meanwhile too, each for `timeLimit` at most; more are refused (`busy`).
   * 1..10000. Default 64.
   */
  readonly maxPending?: number
}

/** Throws a `RangeError` or `TypeError` for what makes no sense. */
export const checkAuthenticate = (given: Authenticate | undefined): Authenticate | undefined => {
  if (!given) return undefined
  if (typeof given.verify !== 'function')
    throw new TypeError('authenticate needs verify: a function of candidate, challenge and response.')
  inRange('authenticate.timeLimit', given.timeLimit ?? 5, 1, 60, 'seconds')
  inRange('authenticate.maxPending', given.maxPending ?? 64, 1, 10_000, 'calls')
  return given
}

/** Where the proof of one client stands. */
export interface Proof {
  readonly hello: Hello
  readonly candidate: Candidate
  challenge: Uint8Array | undefined
  /** Whether its response was taken. */
  isVerifying: boolean
  /** What came out of it; it is acted on within `receive`. */
  verdict: { readonly identity: unknown } | Reason | undefined
  /** Seconds. */
  until: number
}

const RANDOM_BYTES = 32

/** Calls game code that may take its time; what it throws, or rejects with, is told and counts as no answer. */
const ask = (state: ServerState, where: string, call: () => unknown, take: (answer: unknown) => void): void => {
  const answer = guarded(state, where, () => {
    const given = call()
    // What a query builder gives is no Promise, but is waited for all the same: taken for an answer it would let everybody in.
    return typeof (given as { then?: unknown } | null | undefined)?.then === 'function' ? Promise.resolve(given) : given
  })
  if (answer instanceof Promise) answer.then(take, () => take(undefined))
  else take(answer)
}

const isChallenge = (bytes: unknown): bytes is Uint8Array =>
  bytes instanceof Uint8Array && bytes.length > 0 && bytes.length <= MAX_CHALLENGE

const randomChallenge = (): Uint8Array => crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))

/** Asks a client whose hello is in order who it is. */
export const beginProof = (state: ServerState, session: Session, hello: Hello, candidate: Candidate): void => {
  const { challenge = randomChallenge, timeLimit = 5 } = state.authenticate!
  const until = state.now() + timeLimit
  const proof: Proof = { hello, candidate, challenge: undefined, isVerifying: false, verdict: undefined, until }
  session.proof = proof
  ask(
    state,
    'authenticate.challenge',
    () => challenge(candidate),
    bytes => {
      if (isChallenge(bytes)) proof.challenge = bytes.slice()
      else {
        proof.verdict = 'unverified'
        if (bytes !== undefined)
          state.onError(new TypeError(`a challenge is 1 to ${MAX_CHALLENGE} bytes.`), 'authenticate.challenge')
      }
      sendChallenge(state, session)
    },
  )
}

/** Sends the challenge, again for each repetition of the hello. */
export const sendChallenge = (state: ServerState, session: Session): void => {
  const { proof, isClosed, closing } = session
  if (!proof?.challenge || isClosed || closing) return
  const timeLimit = Math.ceil(state.authenticate!.timeLimit ?? 5)
  sendBare(session, encodeChallenge({ nonce: proof.hello.nonce, timeLimit, bytes: proof.challenge }))
}

/** Takes the answer to a challenge, once. */
export const takeResponse = (state: ServerState, session: Session, response: ChallengeResponse): void => {
  const { proof, closing } = session
  if (closing && !session.client) return refuse(state, session, response.nonce, closing.reason)
  if (!proof?.challenge || proof.hello.nonce !== response.nonce || proof.isVerifying || proof.verdict) return
  const { verify, timeLimit = 5, maxPending = 64 } = state.authenticate!
  const { candidate, challenge } = proof
  const now = state.now()
  // The oldest come first: they are let go of in that order.
  for (const each of state.verifying) {
    if (now <= each.until) break
    state.verifying.delete(each)
  }
  if (state.verifying.size >= maxPending) {
    proof.verdict = 'busy'
    return
  }
  proof.isVerifying = true
  proof.until = now + timeLimit
  state.verifying.add(proof)
  ask(
    state,
    'authenticate.verify',
    () => verify(candidate, challenge.slice(), response.bytes),
    identity => {
      state.verifying.delete(proof)
      proof.verdict ??= identity === undefined || identity === null || identity === false ? 'unverified' : { identity }
    },
  )
}

/** Whether a client has shown who it is by now; `undefined` while that is open. It is answered once. */
export const takeVerdict = (state: ServerState, session: Session): Proof['verdict'] => {
  const { proof } = session
  if (!proof) return undefined
  if (state.now() > proof.until) proof.verdict ??= 'unverified'
  if (proof.verdict !== undefined) session.proof = undefined
  return proof.verdict
}
