import { clockSample, createServerClock, serverTime, type ServerClock } from '../net/clock.ts'
import {
  createDriftClock,
  DRIFT_OPTIONS,
  driftFrame,
  driftServerTick,
  type DriftClock,
  type DriftOptions,
} from '../net/drift.ts'
import { withDefaults, type OptionTable } from '../net/options.ts'
import { ticksSince } from '../net/ticks.ts'
import { clientStates, type ClientHandle, type ClientSession } from './client-state.ts'

export interface TickClockOptions extends DriftOptions {
  /**
   * `echo` (default): the server's clock from echoed timestamps, as good as the way up is like the way down. `window`: the
   * manager of panda3d-pipes, with its options.
   */
  readonly mode?: 'echo' | 'window'
  /** Seconds ahead of the server, such as half a round trip, so that what is done in a tick reaches it in time. Default 0. */
  readonly lead?: number
  /** Ticks that one frame makes at most; what is beyond is skipped. Default 8. */
  readonly maxTicksPerFrame?: number
}

/** Fixed steps for code of the client that runs with the server's ticks. */
export interface TickClock {
  /** Seconds ahead of the server; may be changed at any time. */
  lead: number
  maxTicksPerFrame: number
  /** The client's tick, uint32 as the server counts them; that of the last step of this frame. */
  tick: number
  /** How many steps this frame is to make. */
  ticksThisFrame: number
  /** Seconds since the last step: what is drawn may be that far on. */
  remainder: number
  /** Ticks that were not made because too many were due at once. */
  skipped: number
  /** The manager's own state, in `window` mode. */
  readonly drift: DriftClock | undefined
  /** @internal */
  readonly client: ClientHandle
  /** @internal The session that it runs with, and its ticks so far, unwrapped. */
  session: ClientSession | undefined
  ticks: number
  /** @internal */
  heardTick: number
  time: number
}

/** What is known of the server's time, in sessions that a tick clock runs with; others need not know it. */
const CLOCKS = new WeakMap<ClientSession, ServerClock>()

const clockOf = (session: ClientSession): ServerClock => {
  let clock = CLOCKS.get(session)
  if (!clock) CLOCKS.set(session, (clock = createServerClock()))
  return clock
}

/** What can be given for each option, and what is taken without. */
export const TICK_CLOCK_OPTIONS = {
  mode: { type: ['echo', 'window'], default: 'echo' },
  lead: { default: 0, least: -3600, most: 3600, unit: 'seconds' },
  maxTicksPerFrame: { default: 8, least: 1, most: 1000, unit: 'ticks' },
  ...DRIFT_OPTIONS,
} as const satisfies OptionTable<TickClockOptions>

/** Makes a clock for a client; it starts by itself with each session. */
export const createTickClock = (client: ClientHandle, options: TickClockOptions = {}): TickClock => {
  const { mode, lead, maxTicksPerFrame, ...drift } = withDefaults('createTickClock', TICK_CLOCK_OPTIONS, options)
  const state = clientStates.get(client)
  if (state && mode === 'echo') state.onEcho = (session, ...echo) => void clockSample(clockOf(session), ...echo)
  return {
    lead,
    maxTicksPerFrame,
    tick: 0,
    ticksThisFrame: 0,
    remainder: 0,
    skipped: 0,
    // Its rate is the session's, once there is one.
    drift: mode === 'window' ? createDriftClock(1, drift) : undefined,
    client,
    session: undefined,
    ticks: NaN,
    heardTick: NaN,
    time: NaN,
  }
}

/** System: advances to now, once a frame after `receive`. Returns how many fixed steps to make; 0 without a session. */
export const advanceTicks = (c: TickClock): number => {
  const state = clientStates.get(c.client)
  if (!state) throw new TypeError('advanceTicks: this clock was not made for a client of createClient().')
  const { session } = state
  c.ticksThisFrame = 0
  if (session !== c.session) {
    c.session = session
    c.ticks = c.time = c.heardTick = NaN
    if (c.drift) c.drift.isRunning = false
  }
  if (!session?.welcome) return 0
  const { tickRate } = session.welcome
  const now = state.now()
  const exact = c.drift ? driftTicks(c, c.drift, session, now) : (serverTime(clockOf(session), now) + c.lead) * tickRate
  if (Number.isNaN(exact)) return 0
  const ticks = Math.floor(exact + 1e-9)
  if (Number.isNaN(c.ticks)) c.ticks = ticks
  const due = Math.max(0, ticks - c.ticks)
  c.ticksThisFrame = Math.min(due, c.maxTicksPerFrame)
  c.skipped += due - c.ticksThisFrame
  c.ticks += due
  c.remainder = Math.max(0, exact - c.ticks) / tickRate
  // Ticks of the session count from its first on; those of the server are uint32 and wrap.
  c.tick = (session.replica.newestTick + Math.round(c.ticks - session.unwrappedTick)) >>> 0
  return c.ticksThisFrame
}

/** The manager's ticks by now, unwrapped. */
const driftTicks = (c: TickClock, drift: DriftClock, session: ClientSession, now: number): number => {
  const { replica, unwrappedTick } = session
  if (!replica.hasTick) return NaN
  drift.tickRate = session.welcome!.tickRate
  if (ticksSince(replica.newestTick, c.heardTick) !== 0 || Number.isNaN(c.heardTick)) {
    c.heardTick = replica.newestTick
    driftServerTick(drift, unwrappedTick)
  }
  if (!Number.isNaN(c.time)) driftFrame(drift, now - c.time)
  c.time = now
  return drift.tick + (drift.remainder + c.lead) * drift.tickRate
}
