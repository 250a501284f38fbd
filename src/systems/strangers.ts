import { structureOf } from '../dc/index.ts'
import type { ByteReader } from '../net/bytes.ts'
import { encodeRefusal, type Reason } from '../net/hello.ts'
import { answerInquiry, createFindings, describeMismatch, MAX_ANSWERS, MAX_GROWTH, mismatchOf } from '../net/inquiry.ts'
import { identityOf, type SchemaIdentity, type SchemaMismatch } from '../net/schema-mismatch.ts'
import { countOut } from '../net/traffic.ts'
import { countViolation, guarded, type ServerState, type Session } from './server-state.ts'

/** Seconds between a refusal or goodbye and the close, so that a repetition gets through. */
export const CLOSE_DELAY = 0.5
/** Seconds that a client with another schema may take to find out what differs. */
const INQUIRY_TIME = 3

const TEXT: Partial<Record<Reason, string>> = {
  version: 'This page speaks another protocol version than the server: reload it, or update the server.',
  schema: "The schema differs from the server's: both must be built from the same .dc file.",
  password: 'Wrong password.',
  full: 'The server is full.',
  'signed-in': 'Already signed in on this connection.',
  expired: 'The session is over: sign in again.',
  unverified: 'The server did not accept who you are.',
  busy: 'Too many are signing in: try again in a moment.',
  failed: 'Something failed at the server as you joined.',
}

/** Bytes that a connection without a client may still be sent: nobody unknown gets more than a few times what it sent. */
const budgetOf = ({ client, stats }: Session): number =>
  client ? Infinity : stats.bytesIn * MAX_GROWTH - stats.bytesOut

/** Sends a datagram outside the packet stream: a welcome, a refusal, a challenge, a goodbye. */
export const sendBare = (session: Session, bytes: Uint8Array): void => {
  if (bytes.length > budgetOf(session)) return
  countOut(session.counts, bytes.length)
  session.connection.send(bytes)
}

/** Refuses a hello, a resume or a response, and says why; `schema` is that of the client. */
export const refuse = (
  state: ServerState,
  session: Session,
  nonce: number,
  reason: Reason,
  schema?: SchemaIdentity,
): void => {
  const here = reason === 'schema' ? identityOf(state.schema.file) : undefined
  const refusal = { nonce, reason, text: TEXT[reason] ?? '', ...(here && { schema: here }) }
  sendBare(session, encodeRefusal(refusal, budgetOf(session)))
  // What it has, or is about to get, it keeps.
  if (session.client || session.proof || session.closing) return
  session.closing = { reason, at: state.now() + (schema ? INQUIRY_TIME : CLOSE_DELAY) }
  if (schema) session.inquiry = { findings: createFindings(), answers: 0, schema }
  else tellRefused(state, session, reason, TEXT[reason] ?? reason)
}

const tellRefused = (
  state: ServerState,
  session: Session,
  reason: Reason,
  message: string,
  schema?: SchemaMismatch,
): void => {
  const refused = { reason, address: session.connection.address, message, ...(schema && { schema }) }
  for (const handler of state.onRefused) guarded(state, 'onRefused', () => handler(refused))
}

/** Answers a question of a client with another schema, and learns from it. */
export const receiveInquiry = (state: ServerState, session: Session, reader: ByteReader): void => {
  const { inquiry } = session
  if (!inquiry || inquiry.answers >= MAX_ANSWERS) {
    countViolation(state, session, 'malformed')
    return
  }
  inquiry.answers++
  const answer = answerInquiry(structureOf(state.schema.file), reader, reader.end, inquiry.findings)
  if (answer) sendBare(session, answer)
  else countViolation(state, session, 'malformed')
}

/** What came out of an inquiry, once nothing more will. */
export const endInquiry = (state: ServerState, session: Session): void => {
  const { inquiry } = session
  if (!inquiry) return
  session.inquiry = undefined
  if (state.onRefused.size === 0) return
  const { file } = state.schema
  const mismatch = mismatchOf(identityOf(file), inquiry.schema, inquiry.findings, inquiry.answers > 0)
  const message = `A client has another schema: ${describeMismatch(mismatch, 'the client')}.`
  tellRefused(state, session, 'schema', message, mismatch)
}
