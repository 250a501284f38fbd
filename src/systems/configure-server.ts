import { retune } from '../net/bucket.ts'
import { limitBudget } from '../net/budget.ts'
import { changeRates } from './client-rates.ts'
import { checkServerChanges, type LiveServerOptions } from './server-options.ts'
import type { ServerState, Session } from './server-state.ts'
import { allowancesOf } from './sessions.ts'

/** Changes options while running, for everyone who is there and for those who come. */
export const configureServer = (state: ServerState, options: LiveServerOptions): void => {
  Object.assign(state, checkServerChanges(state.schema, options, state))
  for (const session of state.sessions) configureSession(state, session)
}

const configureSession = (state: ServerState, session: Session): void => {
  const { downlink } = session
  const now = state.now() * 1000
  session.pings.interval = state.pingInterval
  downlink.maxChain = state.maxChain
  downlink.minChain = state.minChain
  limitBudget(downlink.budget, state.maxBytesPerSecond)
  const { messages, bytes, interest } = allowancesOf(state)
  retune(session.messageBucket, ...messages, now)
  retune(session.byteBucket, ...bytes, now)
  retune(session.interestBucket, ...interest, now)
  // Those of single fields are made anew when they are needed.
  session.fieldBuckets.clear()
  if (session.client) changeRates(state, session, {})
}
