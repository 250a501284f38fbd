import { checkOptions, withDefaults, type OptionTable } from './options.ts'

/**
 * When to show what was received: an adaptive playout that needs no clock synchronisation.
 *
 * For every datagram that advances the newest server time, received at local time `r`, with `s` the server time that
 * was newest before it, `need = r - s` is the smallest offset between local time and displayed time that would not have
 * starved. A high quantile of it over some seconds covers lag, jitter, loss, the send interval and its beat with the
 * ticks, all in one number.
 */
export interface PlayoutOptions {
  /**
   * `adaptive` (default): the offset is the `quantile` of what recent datagrams needed, plus `margin`.
   * `fixed`: the offset is the median of receive minus server time, plus max(`interp`, `interpRatio` / `updateRate`):
   * the delay of panda3d-pipes and of Valve's Source.
   */
  mode?: 'adaptive' | 'fixed'
  /** Share of send intervals whose datagram comes in time. Default 0.97. */
  quantile?: number
  /** Seconds on top of the quantile. Default 0.004. */
  margin?: number
  /** Seconds of arrivals that are remembered. Default 20. */
  window?: number
  /** Share of its error that displayed time makes up for per second. Default 0.6. */
  gain?: number
  /** Largest departure of the rate from the server's own. Default 0.12. */
  maxRateChange?: number
  /** Change of the rate per second at most. Default 1. */
  rateSlew?: number
  /** Seconds: behind by more, with data at hand, displayed time jumps forward. Default 0.2. */
  resyncAfter?: number
  /** Seconds; `fixed` mode. Default 0.1. */
  interp?: number
  /** Send intervals; `fixed` mode. Default 2. */
  interpRatio?: number
  /** Datagrams per second that the server sends; `fixed` mode, and the first guess of the adaptive one. Default 20. */
  updateRate?: number
}

/**
 * The state of one playout. The options may be changed at any time; the rest is for reading. Times and durations in
 * seconds.
 */
export interface Playout extends Required<PlayoutOptions> {
  /** Displayed server time; NaN before the first datagram. */
  time: number
  /** Displayed server time per local time. */
  rate: number
  /** What playout adds: how far displayed time is behind that of the fastest datagrams of the window as they arrive. */
  delay: number
  /** Local time minus displayed time that playout steers towards. */
  offset: number
  /** Newest server time received; NaN before the first datagram. */
  newest: number
  /** Mean server time between datagrams. */
  interval: number
  /**
   * Change of receive minus server time per second: above 0 when the server is too slow to keep its rate, 0 when not
   * significant.
   */
  trend: number
  /** Forward jumps so far; the caller blends what is shown across each. */
  resyncs: number
  /** Datagrams that did not advance the newest server time: duplicated, reordered, or not a number. */
  ignored: number
  /** Times that a run of outliers moved the window. */
  rebases: number
  /** Arrivals in the window. */
  count: number
  /** @internal */
  readonly arrivals: Arrivals
  /** @internal Local time of the last advance. */
  localTime: number
  /** @internal Local time of the last datagram that was newer than all before it. */
  receiveTime: number
  /** @internal Local time that arrivals must be from to say something about the trend. */
  trendStart: number
  /** @internal Smallest receive minus server time of the window. */
  fastest: number
  /** @internal Median of the window as it was before the run of outliers in progress. */
  median: number
  /** @internal An arrival below is an outlier. */
  low: number
  /** @internal An arrival above is an outlier. */
  high: number
  /** @internal Whether the run of outliers in progress is above (1) or below (-1) the window; 0 for none. */
  runSide: number
  /** @internal Local time of its first. */
  runStart: number
  /** @internal */
  runLength: number
  /** @internal Those of it that are in the window. */
  runArrivals: number
  /** @internal Its values. */
  readonly run: Float64Array
}

/** The window: rings of CAPACITY, one entry per datagram that advanced the newest server time. */
interface Arrivals {
  /** Slot of the next arrival. */
  next: number
  /** Local receive time. */
  readonly received: Float64Array
  /** Receive time minus the server time that was newest before. */
  readonly need: Float64Array
  /** Receive time minus the datagram's own server time. */
  readonly travel: Float64Array
  /** Send intervals that it brought: more than 1 after losses. */
  readonly intervals: Uint8Array
  /** Added to both: what the window was moved by since, by the trend and by rebases. */
  readonly shift: Float64Array
  readonly sorted: Float64Array
}

// 20 s of datagrams at 51 per second; at higher rates the window is shorter.
const CAPACITY = 1024
// After a long silence, the last arrivals before it are still the best guess.
const KEEP = 16
// What came after a gap counts for more, but a gap of seconds is no reason for seconds of delay.
const MOST_INTERVALS = 3
// Arrivals before the quantile is trusted more than the first guess.
const WARM_UP = 8

const LATE_RUN = 6
const EARLY_RUN = 4
// Seconds beyond the window's own bounds.
const LATE_OUTLIER = 0.04
const EARLY_OUTLIER = 0.02
// Seconds over the offset: silence or a stall, which no delay worth having would bridge.
const STALL = 1

// Seconds of arrivals that the trend is measured over, in two halves; and what each half must show.
const TREND_WINDOW = 3
const TREND_ARRIVALS = 6
const TREND_T = 4
const TREND_LEAST = 0.01
// Once a run of outliers told when it began, no halves are needed: one line, but a steep and clear one.
const NEW_TREND_T = 8
const NEW_TREND_LEAST = 0.05
const RISING_RUN = 3
const RISING_LEAST = 0.1
// Seconds that the trend is extrapolated over when no datagram arrives.
const TREND_REACH = 0.25

// By how much more and further it steers under a trend.
const TREND_GAIN = 1.5
const TREND_RATE_CHANGE = 1.5

// Seconds; a frame that takes longer is a hitch, not a frame rate.
const HITCH = 0.1

/** What can be given for each option, and what is taken without. */
export const PLAYOUT_OPTIONS = {
  mode: { type: ['adaptive', 'fixed'], default: 'adaptive' },
  quantile: { default: 0.97, least: 0, most: 1, unit: 'of the datagrams' },
  margin: { default: 0.004, least: 0, most: 1, unit: 'seconds' },
  window: { default: 20, least: 0, most: 3600, unit: 'seconds' },
  gain: { default: 0.6, least: 0, most: 60, unit: 'a second' },
  maxRateChange: { default: 0.12, least: 0, most: 1, unit: 'of the rate' },
  rateSlew: { default: 1, least: 0, most: 1000, unit: 'a second' },
  resyncAfter: { default: 0.2, least: 0, most: Infinity, unit: 'seconds' },
  interp: { default: 0.1, least: 0, most: 60, unit: 'seconds', seed: 'interp 0.1' },
  interpRatio: { default: 2, least: 0, most: 255, unit: 'packets', seed: 'interp-ratio 2' },
  updateRate: { default: 20, least: 0.001, most: 1000, unit: 'datagrams a second', seed: 'updaterate 20' },
} as const satisfies OptionTable<PlayoutOptions>

/** A playout that has seen nothing yet. Throws when an option makes no sense. */
export function createPlayout(options: PlayoutOptions = {}): Playout {
  const playout: Playout = {
    ...withDefaults('playout', PLAYOUT_OPTIONS, options),
    time: NaN,
    rate: 1,
    delay: 0,
    offset: NaN,
    newest: NaN,
    interval: 1 / (options.updateRate ?? PLAYOUT_OPTIONS.updateRate.default),
    trend: 0,
    resyncs: 0,
    ignored: 0,
    rebases: 0,
    count: 0,
    arrivals: {
      next: 0,
      received: new Float64Array(CAPACITY),
      need: new Float64Array(CAPACITY),
      travel: new Float64Array(CAPACITY),
      intervals: new Uint8Array(CAPACITY),
      shift: new Float64Array(CAPACITY),
      sorted: new Float64Array(CAPACITY * MOST_INTERVALS),
    },
    localTime: NaN,
    receiveTime: NaN,
    trendStart: -Infinity,
    fastest: NaN,
    median: NaN,
    low: -Infinity,
    high: Infinity,
    runSide: 0,
    runStart: NaN,
    runLength: 0,
    runArrivals: 0,
    run: new Float64Array(LATE_RUN),
  }
  return playout
}

/** Throws for options of a playout that make no sense. */
export const checkPlayout = (options: PlayoutOptions = {}): void => {
  checkOptions('playout', PLAYOUT_OPTIONS, options)
}

/**
 * Takes note of a datagram with a snapshot of `serverTime` that is received at `localTime`; call it for every one.
 * Duplicated and reordered ones are harmless.
 *
 * @returns whether it is newer than all before it
 */
export function playoutPacket(p: Playout, localTime: number, serverTime: number): boolean {
  if (!Number.isFinite(serverTime) || serverTime <= p.newest) {
    p.ignored++
    return false
  }
  // A suspended machine's clock may have been read anew: arrivals are in order all the same.
  if (localTime < p.receiveTime) localTime = p.receiveTime
  if (localTime < p.localTime) localTime = p.localTime
  const travel = localTime - serverTime
  if (Number.isNaN(p.newest)) {
    // Nothing was newest before it: what it needed is the offset that the next one will need, if that comes as
    // announced.
    p.newest = serverTime
    p.receiveTime = localTime
    p.fastest = travel
    p.offset = travel + firstDelay(p)
    p.time = localTime - p.offset
    p.localTime = localTime
    return true
  }
  const need = localTime - p.newest
  const gap = serverTime - p.newest
  const value = p.mode === 'fixed' ? travel : need
  p.interval += (Math.min(serverTime - p.newest, 4 * p.interval) - p.interval) / 16
  p.newest = serverTime
  moveWithTrend(p, localTime)
  // Late ones hot on the heels of each other were held up together: one stall, not so many witnesses.
  const isClose = localTime - p.receiveTime < 0.3 * p.interval
  const sameStall = isClose && value > p.high && p.runSide > 0
  // And early ones: what a suspended tab finds in its queue was held up too, the last of it the least.
  if (isClose && value < p.low && p.runSide < 0) supersede(p, value)
  if (!sameStall) noteOutlier(p, localTime, value)
  if (!sameStall && !(value > p.offset + Math.max(STALL, 4 * p.interval))) addArrival(p, localTime, need, travel, gap)
  p.receiveTime = localTime
  dropOld(p, localTime)
  p.trend = measureTrend(p, localTime) || noticeTrend(p)
  if (p.trend !== 0) align(p, localTime)
  steer(p, travel)
  return true
}

/**
 * Advances displayed server time to `localTime` and returns it, seconds; NaN before the first datagram. Call it once
 * per frame.
 *
 * Never runs backwards. Runs at the server's rate +- `maxRateChange`, on past the newest datagram when none comes (the
 * caller extrapolates, then holds), but one long frame does not push it there. Does not allocate.
 */
export function playoutAdvance(p: Playout, localTime: number): number {
  const elapsed = localTime - p.localTime
  if (!(elapsed > 0)) return p.time
  p.localTime = localTime

  // While the trend lasts, the offset that is right changes between datagrams too.
  const offset = p.offset + p.trend * Math.min(localTime - p.receiveTime, TREND_REACH)
  const target = localTime - offset
  const natural = 1 - p.trend
  const error = target - (p.time + natural * elapsed)

  if (error < -p.resyncAfter && p.time > p.newest) {
    // Far ahead with nothing to show: standing still is the quickest way back, and looks no worse.
    p.rate = 0
  } else {
    const isSlow = Math.abs(p.trend) > NEW_TREND_LEAST
    const most = p.maxRateChange * (isSlow ? TREND_RATE_CHANGE : 1)
    const change = Math.max(-most, Math.min(most, p.gain * (isSlow ? TREND_GAIN : 1) * error))
    const wanted = Math.max(0, natural + change)
    const slew = p.rateSlew * elapsed
    // Out of a standstill at once: the slew keeps motion smooth, and there was none.
    p.rate = p.rate === 0 ? wanted : Math.max(p.rate - slew, Math.min(p.rate + slew, wanted))
  }
  let next = p.time + p.rate * elapsed

  // A frame hitch: the datagrams that came during it may not have been handed over yet.
  if (elapsed > HITCH && next > p.newest) next = Math.max(p.time, p.newest)
  const reach = Math.min(target, p.newest)
  if (reach - next > p.resyncAfter) {
    next = reach
    p.rate = Math.max(0, natural)
    p.resyncs++
  }
  p.time = next
  p.delay = localTime - next - p.fastest
  return next
}

function firstDelay(p: Playout): number {
  return p.mode === 'fixed' ? Math.max(p.interp, p.interpRatio / p.updateRate) : 1 / p.updateRate + p.margin
}

function addArrival(p: Playout, localTime: number, need: number, travel: number, gap: number): void {
  const { arrivals } = p
  const slot = arrivals.next
  arrivals.received[slot] = localTime
  arrivals.need[slot] = need
  arrivals.travel[slot] = travel
  arrivals.intervals[slot] = Math.max(1, Math.min(MOST_INTERVALS, Math.round(gap * p.updateRate)))
  arrivals.shift[slot] = 0
  arrivals.next = (slot + 1) % CAPACITY
  p.count = Math.min(p.count + 1, CAPACITY)
  p.runArrivals++
}

function dropOld(p: Playout, localTime: number): void {
  const { received } = p.arrivals
  while (p.count > KEEP && localTime - received[slotOf(p, p.count - 1)]! > p.window) p.count--
}

/** Slot of the arrival that `age` others came after. */
function slotOf(p: Playout, age: number): number {
  return (p.arrivals.next - 1 - age + CAPACITY) % CAPACITY
}

/** Under a trend, old arrivals say what new ones will need only once they are moved along with it. */
function moveWithTrend(p: Playout, localTime: number): void {
  if (p.trend === 0) return
  // No further than the trend is believed in: after a long silence, who knows.
  shiftWindow(p, p.trend * Math.min(localTime - p.receiveTime, TREND_REACH), 0)
}

/**
 * Moves the arrivals since a trend began along with it to now, and those before to where these are: they still tell the
 * shape of the jitter.
 */
function align(p: Playout, localTime: number): void {
  const { received, need, shift, sorted } = p.arrivals
  const start = Math.max(p.trendStart, localTime - TREND_WINDOW)
  let newer = 0
  for (; newer < p.count && received[slotOf(p, newer)]! >= start; newer++) {
    const slot = slotOf(p, newer)
    shift[slot] = p.trend * (localTime - received[slot]!)
    sorted[newer] = need[slot]! + shift[slot]!
  }
  if (newer < TREND_ARRIVALS || newer === p.count) return
  const median = quantileOf(sorted.subarray(0, newer).sort(), 0.5)
  for (let age = newer; age < p.count; age++) sorted[age] = need[slotOf(p, age)]! + shift[slotOf(p, age)]!
  const before = quantileOf(sorted.subarray(newer, p.count).sort(), 0.5)
  for (let age = newer; age < p.count; age++) shift[slotOf(p, age)]! += median - before
}

/** Moves all arrivals but the `kept` newest by `amount`, seconds, and the bounds with them. */
function shiftWindow(p: Playout, amount: number, kept: number): void {
  for (let age = kept; age < p.count; age++) p.arrivals.shift[slotOf(p, age)]! += amount
  p.median += amount
  p.low += amount
  p.high += amount
}

/**
 * Counts consecutive outliers on one side; a whole run of them is a new route, a resumed tab or a server clock that
 * moved. The window then moves to where they are: what it knows of the shape of the jitter still holds better than so
 * few arrivals.
 */
function noteOutlier(p: Playout, localTime: number, value: number): void {
  const side = value > p.high ? 1 : value < p.low ? -1 : 0
  if (side === 0) {
    p.runSide = 0
    return
  }
  if (side !== p.runSide) {
    p.runSide = side
    p.runStart = localTime
    p.runLength = 0
    p.runArrivals = 0
  }
  p.run[p.runLength++] = value
  if (p.runLength < (side > 0 ? LATE_RUN : EARLY_RUN)) return
  const run = p.run.subarray(0, p.runLength).sort()
  shiftWindow(p, quantileOf(run, 0.5) - p.median, p.runArrivals)
  // A trend may have begun, or the one that was has ended: what came before the run says nothing about it.
  if (side * p.trend < 0 || localTime - p.trendStart > TREND_WINDOW) p.trendStart = p.runStart
  p.runSide = 0
  p.rebases++
}

/** The run so far says as much as its newest arrival, `value`. */
function supersede(p: Playout, value: number): void {
  p.run.fill(value, 0, p.runLength)
  p.count -= p.runArrivals
  p.arrivals.next = (p.arrivals.next - p.runArrivals + CAPACITY) % CAPACITY
  p.runArrivals = 0
}

/** Sets the offset, and the bounds of what is an outlier, from the window. */
function steer(p: Playout, travel: number): void {
  const { need, travel: travels, intervals, shift, sorted } = p.arrivals
  if (p.count === 0) return
  let fastest = Infinity
  let count = 0
  for (let age = 0; age < p.count; age++) {
    const slot = slotOf(p, age)
    const moved = travels[slot]! + shift[slot]!
    // What came after a gap is what that whole time needed.
    if (p.mode === 'fixed') sorted[count++] = moved
    else for (let each = intervals[slot]!; each > 0; each--) sorted[count++] = need[slot]! + shift[slot]!
    fastest = Math.min(fastest, moved)
  }
  const values = sorted.subarray(0, count).sort()
  const high = quantileOf(values, p.quantile)
  const median = quantileOf(values, 0.5)
  p.fastest = fastest
  if (p.mode === 'fixed') {
    p.offset = median + firstDelay(p)
  } else {
    p.offset = high + p.margin
    // Few arrivals say little about the latest to come.
    if (p.count < WARM_UP) p.offset = Math.max(p.offset, travel + firstDelay(p))
  }
  // A run is judged by the window as it was before it.
  if (p.runSide !== 0) return
  p.median = median
  p.low = values[0]! - EARLY_OUTLIER
  p.high = high + LATE_OUTLIER
}

/** Quantile of sorted values, linear between neighbours. */
function quantileOf(sorted: Float64Array, quantile: number): number {
  const at = quantile * (sorted.length - 1)
  const index = Math.floor(at)
  const value = sorted[index]!
  return index + 1 < sorted.length ? value + (sorted[index + 1]! - value) * (at - index) : value
}

/**
 * The slope of receive minus server time, per second; 0 unless both halves of the last seconds show one of the same
 * sign by themselves. A step (a new route) or a spike (a stall and what it held up) can tilt one half, not both.
 */
function measureTrend(p: Playout, localTime: number): number {
  const { received } = p.arrivals
  const start = Math.max(p.trendStart, localTime - TREND_WINDOW)
  const middle = (start + localTime) / 2
  let recent = 0
  while (recent < p.count && received[slotOf(p, recent)]! > middle) recent++
  let all = recent
  while (all < p.count && received[slotOf(p, all)]! >= start) all++
  if (start === p.trendStart)
    return all < TREND_ARRIVALS ? 0 : clampTrend(significantSlope(p, 0, all, NEW_TREND_T, NEW_TREND_LEAST))
  if (recent < TREND_ARRIVALS || all - recent < TREND_ARRIVALS) return 0
  const newer = significantSlope(p, 0, recent, TREND_T, TREND_LEAST)
  const older = significantSlope(p, recent, all, TREND_T, TREND_LEAST)
  if (newer * older <= 0) return 0
  return clampTrend((newer + older) / 2)
}

/** A few outliers in a row that rise steeply and evenly: a trend has begun with them. */
function noticeTrend(p: Playout): number {
  if (p.trend !== 0 || p.runSide <= 0 || p.runLength < RISING_RUN || p.count < TREND_ARRIVALS) return 0
  const slope = significantSlope(p, 0, TREND_ARRIVALS, NEW_TREND_T, RISING_LEAST)
  if (slope <= 0) return 0
  p.trendStart = p.arrivals.received[slotOf(p, TREND_ARRIVALS - 1)]!
  p.runSide = 0
  return clampTrend(slope)
}

function clampTrend(slope: number): number {
  return Math.max(-0.5, Math.min(0.9, slope))
}

/**
 * Least-squares slope over the arrivals of ages `from` to `to`; 0 when it is below `least`, or `errors` standard errors.
 */
function significantSlope(p: Playout, from: number, to: number, errors: number, least: number): number {
  const { received, travel } = p.arrivals
  const count = to - from
  // Relative to one of them, or the squares would cancel at large clock values.
  const time0 = received[slotOf(p, from)]!
  const travel0 = travel[slotOf(p, from)]!
  let sumX = 0
  let sumY = 0
  let sumXX = 0
  let sumXY = 0
  let sumYY = 0
  for (let age = from; age < to; age++) {
    const slot = slotOf(p, age)
    const x = received[slot]! - time0
    const y = travel[slot]! - travel0
    sumX += x
    sumY += y
    sumXX += x * x
    sumXY += x * y
    sumYY += y * y
  }
  const xx = sumXX - (sumX * sumX) / count
  const xy = sumXY - (sumX * sumY) / count
  const yy = sumYY - (sumY * sumY) / count
  if (!(xx > 0)) return 0
  const slope = xy / xx
  const error = Math.sqrt(Math.max(0, yy - slope * xy) / (count - 2) / xx)
  return Math.abs(slope) > least && Math.abs(slope) > errors * error ? slope : 0
}
