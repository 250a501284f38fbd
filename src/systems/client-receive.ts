import { newestFrame } from '../net/frames.ts'
import { measurePing } from '../net/ping.ts'
import { sweepValues } from '../net/replica.ts'
import { measureTraffic } from '../net/traffic.ts'
import { endObjects, expireDisabled } from './client-lifecycle.ts'
import { deliverMessages } from './client-messages.ts'
import { claimObjects } from './client-objects.ts'
import { renewReferences } from './client-references.ts'
import { applyExceptions, disableOrphans, dropGroup, releaseObjects } from './client-release.ts'
import type { ClientSession, ClientState } from './client-state.ts'
import { applyValues } from './client-values.ts'

/** Brings the world to the newest state that was decoded, then delivers the messages that were sent with it. */
export const clientReceive = (state: ClientState): void => {
  if (state.ended) {
    endObjects(state, state.ended)
    state.ended = undefined
    state.stats.objects = 0
    state.stats.disabled = 0
  }
  const { session } = state
  if (!session?.welcome) return
  const { replica } = session
  const { hasRoom } = session
  if (hasRoom) session.hasRoom = session.isCrowded = false
  const dirty = [...replica.groups.values()].filter(
    ({ isDirty, history }) => isDirty || (hasRoom && newestFrame(history) !== undefined),
  )
  // First everything that is somewhere now, then what left: an object that changed its zone is never missing.
  for (const group of dirty) claimObjects(state, session, group)
  renewReferences(state, session)
  applyValues(state, session)
  // Before anything goes: what was sent along with a removal is still delivered.
  deliverMessages(state, session)
  for (const group of dirty) releaseObjects(state, session, group)
  for (const group of replica.droppedGroups) dropGroup(state, session, group)
  replica.droppedGroups.length = 0
  applyExceptions(state, session)
  disableOrphans(state, session)
  expireDisabled(state, session)
  if (session.isPopulationChanged) {
    renewReferences(state, session)
    applyValues(state, session)
  }
  sweepValues(replica, session.welcome.tickRate)
  measure(state, session)
}

const measure = (state: ClientState, session: ClientSession): void => {
  const { stats } = state
  stats.rtt = session.peer.rtt
  stats.loss = session.peer.loss
  measurePing(session.pings, session.peer, stats, state.now())
  stats.objects = session.objects.size
  stats.disabled = session.disabled.size
  stats.zones = session.replica.zones.size
  stats.undecodable = session.replica.undecodable
  stats.desyncs = session.replica.desyncs
  measureTraffic(stats, state.trafficWindow, state.now())
}
