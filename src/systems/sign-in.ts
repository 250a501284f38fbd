import type { ByteReader } from '../net/bytes.ts'
import { decodeResponse } from '../net/challenge.ts'
import { decodeHello, encodeWelcome, isSameSecret, type Hello, type Reason } from '../net/hello.ts'
import { PROTOCOL_VERSION } from '../net/packet.ts'
import { isSameSchema } from '../net/schema-mismatch.ts'
import { beginProof, sendChallenge, takeResponse, takeVerdict, type Candidate } from './authenticate.ts'
import { setRates } from './client-rates.ts'
import { endSession } from './departure.ts'
import { countViolation, guarded, type ServerClient, type ServerState, type Session } from './server-state.ts'
import { refuse, sendBare } from './strangers.ts'
import { hasRoom, issueToken, makeRoom, receiveResume } from './suspension.ts'
import { refreshVisibility } from './visibility.ts'

const NO_TOKEN = new Uint8Array(0)

/** The game's word on what a group is worth; 1 when it throws. */
const weightOf = (state: ServerState, ask: () => number): number => {
  const weight = guarded(state, 'priority', ask)
  return typeof weight === 'number' ? weight : 1
}

const parseData = (json: string): unknown => {
  try {
    return json === '' ? undefined : JSON.parse(json)
  } catch {
    return undefined
  }
}

const freeClientId = (state: ServerState): number => {
  do {
    state.nextClientId = (state.nextClientId % 0xffff) + 1
  } while (state.clients.has(state.nextClientId))
  return state.nextClientId
}

const refusalOf = (state: ServerState, session: Session, hello: Hello): Reason | undefined => {
  if (hello.version !== PROTOCOL_VERSION) return 'version'
  if (session.client || session.proof) return 'signed-in'
  if (!isSameSchema(hello.schema, state.schema.file)) return 'schema'
  if (!isSameSecret(hello.password, state.password)) return 'password'
  if (!hasRoom(state)) return 'full'
  return undefined
}

/** Who asks for it, again too, is there. */
const welcome = (state: ServerState, session: Session, nonce: number): void => {
  session.downlink.peer.lastReceiveTime = state.now()
  sendBare(
    session,
    encodeWelcome({
      nonce,
      clientId: session.client!.id,
      tickRate: state.tickRate,
      tick: state.tick,
      updateRate: session.updateRate,
      commandRate: session.commandRate,
      codec: state.store.codec.name,
      resumeTime: state.resumeTime,
      token: session.nextToken ?? session.token ?? NO_TOKEN,
    }),
  )
}

/** Answers a hello. A repeated one gets its answer again; a second sign-in on the connection is refused. */
export const receiveHello = (state: ServerState, session: Session, reader: ByteReader): void => {
  const hello = decodeHello(reader)
  if (!hello) return countViolation(state, session, 'malformed')
  const { nonce } = hello
  if (session.client && session.nonce === nonce) return welcome(state, session, nonce)
  if (session.proof?.hello.nonce === nonce) return sendChallenge(state, session)
  const reason = session.closing && !session.client ? session.closing.reason : refusalOf(state, session, hello)
  if (reason) return refuse(state, session, nonce, reason, reason === 'schema' ? hello.schema : undefined)
  const { address, authorization } = session.connection
  const candidate = { data: parseData(hello.data), address, authorization }
  if (state.authenticate) beginProof(state, session, hello, candidate)
  else admit(state, session, hello, candidate, undefined)
}

/** Takes a resume: the session that it names goes on over this connection, or it is refused. */
export const receiveSignIn = (state: ServerState, stranger: Session, reader: ByteReader): void => {
  receiveResume(state, stranger, reader, (session, nonce) => welcome(state, session, nonce))
}

/** Takes the answer to a challenge; one that was answered with a welcome gets that again. */
export const receiveResponse = (state: ServerState, session: Session, reader: ByteReader): void => {
  const response = decodeResponse(reader)
  if (!response) countViolation(state, session, 'malformed')
  else if (session.client && session.nonce === response.nonce) welcome(state, session, response.nonce)
  else takeResponse(state, session, response)
}

/** Lets in, or refuses, who has shown who it is. */
export const decideProof = (state: ServerState, session: Session): void => {
  const { proof } = session
  const verdict = takeVerdict(state, session)
  if (!proof || verdict === undefined) return
  const { hello, candidate } = proof
  if (typeof verdict === 'string') refuse(state, session, hello.nonce, verdict)
  else if (!hasRoom(state)) refuse(state, session, hello.nonce, 'full')
  else admit(state, session, hello, candidate, verdict.identity)
}

const admit = (
  state: ServerState,
  session: Session,
  hello: Hello,
  { data, authorization }: Candidate,
  identity: unknown,
): void => {
  makeRoom(state)
  session.nonce = hello.nonce
  setRates(state, session, { updateRate: hello.updateRate, commandRate: hello.commandRate, interp: hello.interp })
  const client: ServerClient = {
    id: freeClientId(state),
    data,
    get address() {
      return session.connection.address
    },
    authorization,
    identity,
    get isSuspended() {
      return session.suspension !== undefined
    },
    get updateRate() {
      return session.updateRate
    },
    get commandRate() {
      return session.commandRate
    },
    get interp() {
      return session.interp
    },
    zones: session.zones,
    stats: session.stats,
    violations: session.violations,
  }
  session.client = client
  session.clientId = client.id
  const { priority } = state
  if (priority)
    session.downlink.weigh = group =>
      group.zone.privateTo > 0 ? 1 : weightOf(state, () => priority(client, group.zone.id, group.layout.dclass))
  state.clients.set(client.id, client)
  state.sessionOf.set(client.id, session)
  issueToken(state, session)
  tellJoin(state, session, client)
  // Whom the game did not keep has heard a goodbye in its place, and its `connect` rejects.
  if (session.client === client) welcome(state, session, hello.nonce)
}

/** Tells the game, for as long as the client is here: whom a handler fails for has no place in the game, and does not stay. */
const tellJoin = (state: ServerState, session: Session, client: ServerClient): void => {
  const fail = (): void => {
    if (session.client === client) endSession(state, session, 'failed')
  }
  for (const handler of state.onJoin) {
    if (session.client !== client) return
    guarded(state, 'onJoin', () => handler(client), fail)
  }
  if (session.client === client) refreshVisibility(state, undefined, client)
}
