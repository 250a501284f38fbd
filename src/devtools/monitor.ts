import { clockSample, createServerClock } from '../net/clock.ts'
import type { LinkPair } from '../net/memory.ts'
import type { ClientState } from '../systems/client-state.ts'
import { createAccountant, type Account } from './account.ts'
import { measureLedger, totalsOf, type Ledger } from './ledger.ts'
import { createRecorder, type Recorder, type RecorderOptions } from './recorder.ts'
import { stateOf, tapClient } from './tap.ts'

/** What a client's link and playout were like at a moment. Seconds and bytes a second; NaN for what is not known yet. */
export interface Sample {
  /** By the client's clock. */
  readonly time: number
  /** Smoothed round trip, and the mean difference between one and the next. */
  readonly rtt: number
  readonly jitter: number
  /** Shares that are lost on the way here and to the server, 0..1. */
  readonly lossIn: number
  readonly lossOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** `bytesIn` and `bytesOut` by class. */
  readonly classesIn: ReadonlyMap<string, number>
  readonly classesOut: ReadonlyMap<string, number>
  /** How far what is shown is behind the fastest datagrams, and how far it should be. */
  readonly buffer: number
  readonly idealBuffer: number
  /** The server's clock minus ours, and its drift: server seconds per second, less 1. */
  readonly clockOffset: number
  readonly clockDrift: number
  /** Mean age of the baselines that state builds on. */
  readonly baselineAge: number
  /** Frames since the sample before, and those of them that showed a time later than the newest state. */
  readonly frames: number
  readonly starvedFrames: number
}

/** Watches a client: the same numbers as the overlay shows, as data. */
export interface Monitor {
  readonly account: Account
  /** The newest last; some 60 seconds of them, four a second. */
  readonly samples: readonly Sample[]
  /** Starved frames so far. */
  readonly starvedFrames: number
  /** What the link is made to be like, on top of what it is: see `LinkConditions`; may be changed at any time. */
  readonly link: LinkPair
  /**
   * Records what the client is sent and sends, from now on, in memory: at most so many seconds and bytes, the newest. It ends with the
   * session. Throws a `RangeError` for options that make no sense.
   */
  record(options?: RecorderOptions): Recorder
  /** Looks at the client; once a frame, after `interpolate`. Takes a sample when one is due. */
  update(): void
  /** Leaves the client alone, on its own link. */
  stop(): void
}

/** Seconds between two samples, and how many are kept. */
const INTERVAL = 0.25
const KEPT = 240
/** Seconds between two looks at the rates of the account. */
const RATES = 1

/**
 * Watches a client, connected or not, from now on. Its bytes are counted by class and field, to the bit.
 *
 * @example
 * const monitor = watchClient(client)
 * for (const { dclass, bits } of totalsOf(monitor.account.down)) console.log(dclass, bits / 8)
 */
export const watchClient = (client: object): Monitor => {
  const state = stateOf(client, 'watchClient')
  const tap = tapClient(state)
  const accountant = createAccountant(state)
  const { account } = accountant
  tap.listeners.add(accountant.take)
  const clock = watchClock(state)
  const samples: Sample[] = []
  let sampledAt = -Infinity
  let measuredAt = NaN
  let bytes = { in: 0, out: 0 }
  const bits = { down: new Map<string, number>(), up: new Map<string, number>() }
  let frames = 0
  let starved = 0
  let starvedFrames = 0
  let shownAt = NaN

  const countFrame = (): void => {
    const playout = tap.session?.playout
    if (!playout || playout.localTime === shownAt || Number.isNaN(playout.localTime)) return
    shownAt = playout.localTime
    frames++
    if (!(playout.time > playout.newest)) return
    starved++
    starvedFrames++
  }

  const sample = (now: number): void => {
    const { stats } = state
    const playout = tap.session?.playout
    const elapsed = now - sampledAt
    clock.renew()
    const classesIn = shareByClass(account.down, bits.down, elapsed)
    const classesOut = shareByClass(account.up, bits.up, elapsed)
    samples.push({
      time: now,
      rtt: stats.rtt > 0 ? stats.rtt : NaN,
      jitter: stats.jitter,
      lossIn: stats.lossIn,
      lossOut: stats.loss,
      bytesIn: elapsed < Infinity ? (stats.bytesIn - bytes.in) / elapsed : 0,
      bytesOut: elapsed < Infinity ? (stats.bytesOut - bytes.out) / elapsed : 0,
      classesIn,
      classesOut,
      buffer: playout ? playout.localTime - playout.time - playout.fastest : NaN,
      idealBuffer: playout ? playout.offset - playout.fastest : NaN,
      clockOffset: clock.clock.offset,
      clockDrift: clock.clock.drift,
      baselineAge: account.baselineAge,
      frames,
      starvedFrames: starved,
    })
    if (samples.length > KEPT) samples.shift()
    bytes = { in: stats.bytesIn, out: stats.bytesOut }
    frames = 0
    starved = 0
    sampledAt = now
  }

  return {
    account,
    samples,
    get starvedFrames() {
      return starvedFrames
    },
    link: tap.link,
    record: options => createRecorder(tap, options),
    update() {
      const now = state.now()
      countFrame()
      if (now - sampledAt >= INTERVAL) sample(now)
      if (Number.isNaN(measuredAt)) measuredAt = now
      if (now - measuredAt < RATES) return
      accountant.settle()
      for (const ledger of [account.down, account.up]) measureLedger(ledger, now - measuredAt)
      measuredAt = now
    },
    stop() {
      tap.stop()
      accountant.stop()
      clock.stop()
    },
  }
}

/** Bytes a second of each class since the last time, which `before` remembers in bits. */
const shareByClass = (ledger: Ledger, before: Map<string, number>, elapsed: number): Map<string, number> => {
  const rates = new Map<string, number>()
  for (const { dclass, bits } of totalsOf(ledger)) {
    const rate = (bits - (before.get(dclass) ?? 0)) / 8 / elapsed
    before.set(dclass, bits)
    if (rate > 0) rates.set(dclass, rate)
  }
  return rates
}

/** An estimate of the server's clock, beside the game's own if it has one. */
const watchClock = (state: ClientState) => {
  let clock = createServerClock()
  let session = state.session
  let former: ClientState['onEcho']
  const ours: NonNullable<ClientState['onEcho']> = (of, ...echo) => {
    former?.(of, ...echo)
    if (of !== session) clock = createServerClock()
    session = of
    clockSample(clock, ...echo)
  }
  return {
    get clock() {
      return clock
    },
    /** A tick clock that the game makes later takes our place. */
    renew() {
      if (state.onEcho === ours) return
      former = state.onEcho
      state.onEcho = ours
    },
    stop() {
      if (state.onEcho === ours) state.onEcho = former
    },
  }
}
