import type { ByteReader } from '../net/bytes.ts'
import { createInquiry, describeMismatch, mismatchOf, takeAnswer } from '../net/inquiry.ts'
import { identityOf, type SchemaIdentity } from '../net/schema-mismatch.ts'
import { INQUIRY_TIME, schemaError, transmit } from './client-session.ts'
import type { ClientSession, ClientState, SchemaInquiry } from './client-state.ts'

/** Seconds between two of the same questions. */
const INQUIRY_INTERVAL = 0.1

/**
 * Asks a server that refused our schema what differs; a page loads this when it is refused. Calls `end` when there is nothing
 * more to ask, or no time.
 */
export const inquire = (
  state: ClientState,
  session: ClientSession,
  there: SchemaIdentity,
  end: () => void,
): SchemaInquiry => {
  const exchange = createInquiry(state.schema.file, session.nonce, there)
  const startedAt = state.now()
  let lastSent = -Infinity
  const inquiry = {
    drive() {
      const now = state.now()
      if (session.isOver) return
      if (now - startedAt > INQUIRY_TIME || exchange.questions.size === 0) end()
      else if (now - lastSent >= INQUIRY_INTERVAL) {
        lastSent = now
        for (const { packet } of exchange.questions.values()) transmit(state, session, packet)
      }
    },
    answer(reader: ByteReader) {
      const { asked } = exchange
      takeAnswer(exchange, reader)
      // The next questions go out at once.
      if (exchange.asked > asked) lastSent = -Infinity
      inquiry.drive()
    },
    error() {
      const isOver = exchange.questions.size === 0
      const schema = mismatchOf(identityOf(state.schema.file), there, exchange.findings, isOver)
      return schemaError(schema, describeMismatch(schema, 'the server'))
    },
  }
  inquiry.drive()
  return inquiry
}
