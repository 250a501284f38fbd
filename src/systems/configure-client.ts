import { encodeRates } from '../net/rates.ts'
import { checkClientChanges, type LiveClientOptions } from './client-options.ts'
import { queueClientReliable } from './client-send.ts'
import type { ClientState } from './client-state.ts'

/** Changes options while running, and asks the server for other rates. */
export const configureClient = (state: ClientState, options: LiveClientOptions): void => {
  const { playout, ...changes } = checkClientChanges(options)
  Object.assign(state, changes)
  state.playout = { ...state.playout, ...playout }
  const { session } = state
  if (!session) return
  const { interpRatio } = changes
  Object.assign(session.playout, interpRatio !== undefined && { interpRatio }, playout)
  session.pings.interval = state.pingInterval
  const { updateRate, commandRate, interp } = changes
  // Before the welcome too: the server may have heard what we wanted before, and is told with the first packet.
  if ((updateRate ?? commandRate ?? interp) !== undefined) queueClientReliable(state, session, encodeRates(state))
}
