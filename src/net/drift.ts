import { withDefaults, type OptionTable } from './options.ts'

/**
 * The clock of panda3d-pipes and of Valve's Source: a tick counter that runs by itself, whose difference to the ticks that
 * arrive is averaged over 16 of them and worked off by running a little faster or slower. It needs no echoes; it is wrong
 * by the way that a tick takes, and follows its jitter. The names are the seed's configuration variables.
 */
export interface DriftOptions {
  /** Whether to correct at all. Default true. */
  clockCorrection?: boolean
  /** Milliseconds off from which it snaps. Default 150. */
  clockDriftMaxMs?: number
  /** For tests: anything but 999 sets the clock to each tick that arrives plus this many. Default 999. */
  clockCorrectionForceServerTick?: number
  /** Milliseconds a second that it is corrected by at most. Default 200. */
  clockCorrectionAdjustmentMaxAmount?: number
  /** Milliseconds off up to which nothing is done. Default 10. */
  clockCorrectionAdjustmentMinOffset?: number
  /** Milliseconds off from which the most is done; in between, in proportion. Default 90. */
  clockCorrectionAdjustmentMaxOffset?: number
}

/** The options may be changed at any time; the rest is for reading. */
export interface DriftClock extends Required<DriftOptions> {
  /** Ticks a second. */
  tickRate: number
  /** Ticks so far, as the server counts them. */
  tick: number
  /** How many of them the last frame made. */
  ticksThisFrame: number
  /** Seconds since the last of them. */
  remainder: number
  /** Times that it snapped. */
  snaps: number
  /** @internal Client's tick minus server's, a ring. */
  readonly offsets: Float64Array
  /** @internal */
  next: number
  /** @internal Whether a tick of the server was seen. */
  isRunning: boolean
}

const OFFSETS = 16
const NOT_FORCED = 999

/** What can be given for each option, and what is taken without: what panda3d-pipes has. */
export const DRIFT_OPTIONS = {
  clockCorrection: { type: 'boolean', default: true, seed: 'clock-correction true' },
  clockDriftMaxMs: { default: 150, least: 0, most: 3_600_000, unit: 'milliseconds', seed: 'clock-drift-max-ms 150' },
  clockCorrectionForceServerTick: {
    default: NOT_FORCED,
    least: -1e6,
    most: 1e6,
    unit: 'ticks',
    whole: true,
    seed: 'clock-correction-force-server-tick 999',
  },
  clockCorrectionAdjustmentMaxAmount: {
    default: 200,
    least: 0,
    most: 1000,
    unit: 'milliseconds a second',
    seed: 'clock-correction-adjustment-max-amount 200',
  },
  clockCorrectionAdjustmentMinOffset: {
    default: 10,
    least: 0,
    most: 3_600_000,
    unit: 'milliseconds',
    seed: 'clock-correction-adjustment-min-offset 10',
  },
  clockCorrectionAdjustmentMaxOffset: {
    default: 90,
    least: 0,
    most: 3_600_000,
    unit: 'milliseconds',
    seed: 'clock-correction-adjustment-max-offset 90',
  },
} as const satisfies OptionTable<DriftOptions>

/** Throws a `RangeError` or `TypeError` for options that make no sense. */
export const createDriftClock = (tickRate: number, options: DriftOptions = {}): DriftClock => {
  if (!(tickRate > 0)) throw new RangeError(`createDriftClock: tickRate is ${tickRate}; give ticks a second.`)
  const all = withDefaults('the drift clock', DRIFT_OPTIONS, options)
  const { clockCorrectionAdjustmentMinOffset: least, clockCorrectionAdjustmentMaxOffset: most } = all
  if (least > most)
    throw new RangeError(
      `clockCorrectionAdjustmentMinOffset is ${least}, more than clockCorrectionAdjustmentMaxOffset, which is ${most}.`,
    )
  return {
    ...all,
    tickRate,
    tick: 0,
    ticksThisFrame: 0,
    remainder: 0,
    snaps: 0,
    offsets: new Float64Array(OFFSETS),
    next: 0,
    isRunning: false,
  }
}

/** Takes note of a tick of the server that arrived. */
export const driftServerTick = (d: DriftClock, tick: number): void => {
  const clientTick = d.tick
  const isFar = Math.abs(tick - clientTick) > (d.clockDriftMaxMs / 1000) * d.tickRate
  if (d.clockCorrectionForceServerTick !== NOT_FORCED) snapTo(d, tick + d.clockCorrectionForceServerTick)
  else if (!d.isRunning || isFar) {
    if (d.isRunning) d.snaps++
    d.offsets.fill(0)
    snapTo(d, tick)
  } else {
    d.offsets[d.next] = clientTick - tick
    d.next = (d.next + 1) % OFFSETS
  }
  d.isRunning = true
}

const snapTo = (d: DriftClock, tick: number): void => {
  d.tick = tick
  d.remainder = 0
}

/** Mean of the window, ticks. */
const meanOffset = (d: DriftClock): number => d.offsets.reduce((sum, offset) => sum + offset, 0) / OFFSETS

/** Advances by a frame of `elapsed` seconds, corrected, and returns how many ticks that made. */
export const driftFrame = (d: DriftClock, elapsed: number): number => {
  d.ticksThisFrame = 0
  if (!d.isRunning || !(elapsed > 0)) return 0
  d.remainder += elapsed + correctionOf(d, elapsed)
  const ticks = Math.floor(d.remainder * d.tickRate + 1e-9)
  d.ticksThisFrame = ticks
  d.tick += ticks
  d.remainder = Math.max(0, d.remainder - ticks / d.tickRate)
  return ticks
}

const correctionOf = (d: DriftClock, elapsed: number): number => {
  const least = d.clockCorrectionAdjustmentMinOffset
  const most = d.clockCorrectionAdjustmentMaxOffset
  const seconds = meanOffset(d) / d.tickRate
  const off = Math.abs(seconds) * 1000
  if (!d.clockCorrection || off <= least) return 0
  const share = most > least ? Math.min(1, (off - least) / (most - least)) : 1
  const perSecond = (share * d.clockCorrectionAdjustmentMaxAmount) / 1000
  const amount = Math.min(elapsed * perSecond, Math.abs(seconds)) * -Math.sign(seconds)
  // What is being corrected is no longer off: or it would be corrected again until the window has passed.
  for (let index = 0; index < OFFSETS; index++) d.offsets[index]! += amount * d.tickRate
  return amount
}
