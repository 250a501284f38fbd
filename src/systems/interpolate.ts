import { newestFrame } from '../net/frames.ts'
import { advanceToMoment, holdHistory, mixField, ROWS, setMoment, type History } from '../net/history.ts'
import { playoutAdvance } from '../net/playout.ts'
import type { ClientState } from './client-state.ts'
import { secondsAt, type Track } from './track.ts'

/** Writes where remote objects are at the playout time into their interpolated columns. The owner's own are left alone. */
export const interpolate = (state: ClientState): void => {
  const { session } = state
  if (!session?.welcome) return
  const { playout } = session
  const now = state.now()
  const { resyncs } = playout
  const elapsed = now - playout.localTime
  const shown = playoutAdvance(playout, now)
  if (Number.isNaN(shown)) return
  // The fastest packets took half of the shortest round trip.
  const { minRtt } = session.peer
  state.stats.playoutDelay = Math.max(0, playout.delay + (minRtt < Infinity ? minRtt / 2 : 0))
  setMoment(shown, Math.max(0, elapsed))
  for (const [group, track] of session.tracks) {
    if (session.replica.groups.get(group.id) !== group) {
      session.tracks.delete(group)
      continue
    }
    const frame = newestFrame(group.history)
    if (frame) holdHistory(track.history, secondsAt(session, frame.until))
    advanceToMoment(track.history, playout.resyncs !== resyncs)
    showTrack(track)
  }
}

/** Names the rows that are shown, if each field shows just one; else -1. */
const stillRows = ({ hasDelays, weights }: History): number => {
  let still = 0
  for (const { shown, blend } of weights) {
    if (shown.count + blend.count > 0) return -1
    still = still * ROWS + shown.base
  }
  return hasDelays ? -1 : still
}

const showTrack = (track: Track): void => {
  const { plan, history, eids } = track
  const still = stillRows(history)
  if (still >= 0 && still === track.still) return
  track.still = still
  const { slots } = history
  for (const field of plan.fields) {
    const values = mixField(history, field)
    const columns = plan.columns as readonly Float64Array[]
    // Places and turns at one go each.
    let part = 0
    for (; part + 3 <= field.size; part += 3) writeThree(columns, field.at + part, eids, values, part * slots, slots)
    for (; part < field.size; part++) write(columns[field.at + part]!, eids, values, part * slots)
  }
}

const writeThree = (
  columns: readonly Float64Array[],
  at: number,
  eids: Int32Array,
  values: Float64Array,
  from: number,
  slots: number,
): void => {
  const a = columns[at]!
  const b = columns[at + 1]!
  const c = columns[at + 2]!
  for (let slot = 0; slot < eids.length; slot++) {
    const eid = eids[slot]!
    if (eid < 0) continue
    a[eid] = values[from + slot]!
    b[eid] = values[from + slots + slot]!
    c[eid] = values[from + 2 * slots + slot]!
  }
}

const write = (column: Float64Array, eids: Int32Array, values: Float64Array, from: number): void => {
  for (let slot = 0; slot < eids.length; slot++) {
    const eid = eids[slot]!
    if (eid >= 0) column[eid] = values[from + slot]!
  }
}
