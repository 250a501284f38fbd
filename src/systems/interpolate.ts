import { newestFrame } from '../net/frames.ts'
import { serverTime } from '../net/clock.ts'
import { playoutAdvance } from '../net/playout.ts'
import { ticksSince } from '../net/ticks.ts'
import type { ClientState } from './client-state.ts'
import { extendTrack, sampleTrack } from './track.ts'

let values = new Float64Array(64)

/** Writes where remote objects are at the playout time into their interpolated columns. The owner's own are left alone. */
export const interpolate = (state: ClientState): void => {
  const { session } = state
  if (!session?.welcome) return
  const now = state.now()
  const shown = playoutAdvance(session.playout, now)
  if (Number.isNaN(shown)) return
  const serverNow = serverTime(session.clock, now)
  state.stats.playoutDelay = Number.isNaN(serverNow) ? session.playout.delay : Math.max(0, serverNow - shown)
  const tick = shown * session.welcome.tickRate
  const { newestTick } = session.replica
  for (const object of session.objects.values()) {
    const { track: plan, interested } = object.clientClass
    const { track } = object
    if (!track || !plan || object.isOwned || track.count === 0) continue
    const frame = object.orphanedAt === undefined ? newestFrame(object.group.history) : undefined
    if (frame) extendTrack(track, session.unwrappedTick + ticksSince(frame.until, newestTick))
    if (values.length < plan.words.length) values = new Float64Array(plan.words.length)
    sampleTrack(track, plan, tick, values)
    for (let word = 0; word < plan.words.length; word++)
      (interested.columns[plan.words[word]!] as Float64Array)[object.eid] = values[word]!
  }
}
