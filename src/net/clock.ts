/**
 * An estimate of the server's clock, for ticks and prediction.
 *
 * Each snapshot header echoes when the client sent something and how long the server held it: an NTP sample (RFC 5905,
 * section 8), whose two ways are weighed apart: the fastest packets up and the fastest ones down need not be of one round
 * trip. A drift is the weighted least-squares slope of the window's samples. What is returned follows by slewing.
 */
export interface ServerClock {
  /** The estimate of server time minus local time, seconds; NaN before the first sample. */
  offset: number
  /** Shortest round trip of the window, without the server's hold, seconds. */
  shortestRoundTrip: number
  /** The last one. */
  roundTrip: number
  /** Server seconds per local second, minus 1: the skew of the clocks, or more when the server is significantly slow. */
  drift: number
  /** Times that the returned time snapped forward, without the first. */
  snaps: number
  /** Samples that made no sense: negative or endless round trips, no numbers. */
  ignored: number
  /** Samples in the window. */
  count: number
  /** @internal Local time that `offset` is for. */
  offsetTime: number
  /** @internal Local time that the first one was returned for. */
  startTime: number
  /** @internal Local time that `time` was returned for. */
  localTime: number
  /** @internal Server time last returned. */
  time: number
  /** @internal Consecutive samples that deny the estimate. */
  denials: number
  /** @internal Whether they are above (1) or below (-1) it. */
  denialSide: number
  /** @internal What the fits so far say of the skew, weighted by their certainty, and the sum of that. */
  skewSum: number
  skewInformation: number
  /** @internal Slot of the next sample in the rings below. */
  next: number
  /** @internal Local time at which each echo was sent, as estimated, `[CAPACITY]`. */
  readonly sent: Float64Array
  /** @internal Server time minus local time by each, `[CAPACITY]`. */
  readonly offsets: Float64Array
  /** @internal `[CAPACITY]` */
  readonly roundTrips: Float64Array
}

// 12 s at 20 samples per second.
const CAPACITY = 240
// Seconds.
const WINDOW = 12
const KEEP = 8
const WEIGHT_FLOOR = 0.004

const SLEW = 0.02
const FAST_SLEW = 0.1
const FASTEST_SLEW = 0.5
// Seconds off: slew fast, snap forward.
const FAST_AT = 0.03
const SNAP_AT = 0.1
/** Seconds ahead: it cannot snap back, so it waits. */
const WAIT_AT = 0.1
/** Seconds from the first sample on in which nobody relies on it yet. */
const YOUTH = 2

// A sample is wrong by at most half of what its round trip is over the shortest; this much more, and the clock itself
// has moved.
const DENIAL = 0.02
const DENIALS = 4

// Standard errors, and the least drift worth following at once: that of an overloaded server.
const DRIFT_T = 5
const DRIFT_LEAST = 0.005
const DRIFT_COUNT = 20
const DRIFT_COUNT_EAGER = 4
// Seconds that samples must cover before they say anything about drift.
const DRIFT_SPAN = 5
// What differs all the time: quartz by 0.0001, a bad one by 0.001. Every fit that covers so many seconds says a little about
// it, and is forgotten after so many others.
const SKEW_SPAN = 8
const SKEW_MOST = 0.002
const SKEW_PRIOR = 0.0004
const SKEW_LEAST_ERROR = 2e-5
const SKEW_MEMORY = 1200
// Delays next to each other are alike: the error is larger than it looks.
const ERROR_FACTOR = 2

// Seconds.
const LONGEST_ROUND_TRIP = 10
// The server's hold is sent rounded, so that a round trip on one machine may come out slightly negative.
const ROUNDING = 0.005

/** A clock without samples. */
export function createServerClock(): ServerClock {
  return {
    offset: NaN,
    shortestRoundTrip: NaN,
    roundTrip: NaN,
    drift: 0,
    snaps: 0,
    ignored: 0,
    count: 0,
    offsetTime: NaN,
    startTime: NaN,
    localTime: NaN,
    time: NaN,
    denials: 0,
    denialSide: 0,
    skewSum: 0,
    skewInformation: 0,
    next: 0,
    sent: new Float64Array(CAPACITY),
    offsets: new Float64Array(CAPACITY),
    roundTrips: new Float64Array(CAPACITY),
  }
}

/**
 * Takes one echo into account; all times in seconds.
 *
 * @param localSend local time at which the echoed datagram was sent
 * @param localReceive local time at which the echo was received
 * @param serverTime server time at which the echo was sent
 * @param hold how long the server had held what it echoes
 * @returns whether the sample made sense; if not, it was counted and ignored
 */
export function clockSample(
  c: ServerClock,
  localSend: number,
  localReceive: number,
  serverTime: number,
  hold: number,
): boolean {
  const measured = localReceive - localSend - hold
  if (!(measured >= -ROUNDING && measured <= LONGEST_ROUND_TRIP && hold >= 0) || !Number.isFinite(serverTime)) {
    c.ignored++
    return false
  }
  const roundTrip = Math.max(0, measured)
  const sent = localReceive - roundTrip / 2
  const offset = serverTime - sent
  const drifting = Math.abs(c.drift) > DRIFT_LEAST
  const denied = noteDenial(c, sent, offset, roundTrip)
  c.roundTrip = roundTrip
  c.sent[c.next] = sent
  c.offsets[c.next] = offset
  c.roundTrips[c.next] = roundTrip
  c.next = (c.next + 1) % CAPACITY
  c.count = Math.min(c.count + 1, CAPACITY)
  while (c.count > KEEP && localReceive - c.sent[slotOf(c, c.count - 1)]! > WINDOW) c.count--
  fit(c, localReceive, denied || drifting)
  if (denied && (drifting || Math.abs(c.drift) <= DRIFT_LEAST)) {
    // Only the run itself still counts: the server stalled or resumed, or runs at another speed from then on.
    c.count = DENIALS
    fit(c, localReceive, true)
  }
  return true
}

/**
 * The server's time at `localTime`, seconds; NaN before the first sample. Never runs backwards: it follows the estimate
 * by running up to 2 % faster or slower, 10 % when it is more than 30 ms off, and snaps forward when more than 100 ms
 * behind. More than 100 ms ahead, and in the first two seconds, it may run 50 % slower or faster.
 */
export function serverTime(c: ServerClock, localTime: number): number {
  const target = localTime + c.offset + c.drift * (localTime - c.offsetTime)
  if (Number.isNaN(c.time)) {
    if (c.count > 0) {
      c.localTime = localTime
      c.startTime = localTime
      c.time = target
    }
    return c.time
  }
  const elapsed = localTime - c.localTime
  if (!(elapsed > 0)) return c.time
  c.localTime = localTime
  const natural = c.time + elapsed * (1 + c.drift)
  const error = target - natural
  if (error > SNAP_AT) {
    c.time = target
    c.snaps++
  } else {
    const isUrgent = error < -WAIT_AT || localTime - c.startTime < YOUTH
    const most = elapsed * (isUrgent ? FASTEST_SLEW : Math.abs(error) > FAST_AT ? FAST_SLEW : SLEW)
    c.time = Math.max(c.time, natural + Math.max(-most, Math.min(most, error)))
  }
  return c.time
}

/** Slot of the sample that `age` others came after. */
function slotOf(c: ServerClock, age: number): number {
  return (c.next - 1 - age + CAPACITY) % CAPACITY
}

/** Whether this sample completes a run of those that the estimate cannot be right about. */
function noteDenial(c: ServerClock, sent: number, offset: number, roundTrip: number): boolean {
  if (c.count === 0) return false
  const residual = offset - c.offset - c.drift * (sent - c.offsetTime)
  const allowed = Math.max(0, roundTrip - c.shortestRoundTrip) / 2 + DENIAL
  const side = Math.abs(residual) > allowed ? Math.sign(residual) : 0
  c.denials = side !== 0 && side === c.denialSide ? c.denials + 1 : Math.abs(side)
  c.denialSide = side
  if (c.denials < DENIALS) return false
  c.denials = 0
  return true
}

/**
 * Fits offset and drift to the window, for local time `at`. `eager`: there is reason to suspect a drift, so less proof
 * will do.
 */
function fit(c: ServerClock, at: number, eager: boolean): void {
  let shortest = Infinity
  for (let age = 0; age < c.count; age++) shortest = Math.min(shortest, c.roundTrips[slotOf(c, age)]!)
  c.shortestRoundTrip = shortest

  // Relative to the newest sample, or the squares would cancel at large clock values.
  const offset0 = c.offsets[slotOf(c, 0)]!
  let sum = 0
  let sumX = 0
  let sumY = 0
  let sumXX = 0
  let sumXY = 0
  let sumYY = 0
  let earliest = 0
  for (let age = 0; age < c.count; age++) {
    const slot = slotOf(c, age)
    const weight = 1 / (c.roundTrips[slot]! - shortest + WEIGHT_FLOOR) ** 2
    const x = c.sent[slot]! - at
    const y = c.offsets[slot]! - offset0
    sum += weight
    sumX += weight * x
    sumY += weight * y
    sumXX += weight * x * x
    sumXY += weight * x * y
    sumYY += weight * y * y
    earliest = Math.min(earliest, x)
  }
  const meanX = sumX / sum
  const meanY = sumY / sum
  const xx = sumXX - sumX * meanX
  const xy = sumXY - sumX * meanY
  const yy = sumYY - sumY * meanY
  const slope = xy / xx
  const error = Math.sqrt(Math.max(0, yy - slope * xy) / (c.count - 2) / xx)
  const steepness = Math.abs(slope)
  const isDrift =
    (eager ? c.count >= DRIFT_COUNT_EAGER : c.count >= DRIFT_COUNT && earliest < -DRIFT_SPAN) &&
    steepness > Math.max(DRIFT_LEAST, DRIFT_T * error)
  if (earliest < -SKEW_SPAN && steepness < SKEW_MOST) {
    const information = 1 / (c.count * (ERROR_FACTOR * Math.max(error, SKEW_LEAST_ERROR)) ** 2)
    c.skewSum += information * slope - c.skewSum / SKEW_MEMORY
    c.skewInformation += information - c.skewInformation / SKEW_MEMORY
  }
  c.drift = isDrift ? slope : c.skewSum / (c.skewInformation + 1 / SKEW_PRIOR ** 2)
  c.offset = offset0 + middleOfWays(c, at, offset0)
  c.offsetTime = at
}

/**
 * The offset at local time `at`, relative to `offset0`: half-way between what the fastest packets of either way say. On
 * its way up a packet makes the server look late, on its way down early.
 */
function middleOfWays(c: ServerClock, at: number, offset0: number): number {
  let up = Infinity
  let down = -Infinity
  for (let age = 0; age < c.count; age++) {
    const slot = slotOf(c, age)
    const offset = c.offsets[slot]! - offset0 - c.drift * (c.sent[slot]! - at)
    up = Math.min(up, offset + c.roundTrips[slot]! / 2)
    down = Math.max(down, offset - c.roundTrips[slot]! / 2)
  }
  let sum = 0
  let weights = 0
  let sumDown = 0
  let weightsDown = 0
  for (let age = 0; age < c.count; age++) {
    const slot = slotOf(c, age)
    const offset = c.offsets[slot]! - offset0 - c.drift * (c.sent[slot]! - at)
    const half = c.roundTrips[slot]! / 2
    const weight = 1 / (offset + half - up + WEIGHT_FLOOR) ** 2
    sum += weight * (offset + half)
    weights += weight
    const weightDown = 1 / (down - offset + half + WEIGHT_FLOOR) ** 2
    sumDown += weightDown * (offset - half)
    weightsDown += weightDown
  }
  return (sum / weights + sumDown / weightsDown) / 2
}
