import type { Peer } from './peer.ts'

/**
 * What the link of a session is like, seen from this end. Every data packet is a ping: it echoes the newest one of the
 * other end and says how long that was held. Each end measures by its own clock and trusts the other with the hold alone,
 * which can make a round trip look shorter, never longer than it was.
 */
export interface LinkStats {
  /** Mean round trip of the last 16 pings, seconds; 0 before the first. */
  ping: number
  /** Mean difference between one of them and the next, seconds. */
  jitter: number
  /** Share of the other end's packets that did not arrive, 0..1, over the time of these pings. */
  lossIn: number
}

/** The pings of one end. */
export interface Pings {
  /** Seconds between two of them. */
  interval: number
  lastTime: number
  /** Round trips, a ring `[PINGS]`, and where we stood then: newest packet of the other end, and how many of them came. */
  readonly roundTrips: Float64Array
  readonly newest: Float64Array
  readonly received: Float64Array
  count: number
}

const PINGS = 16

export const createLinkStats = (): LinkStats => ({ ping: 0, jitter: 0, lossIn: 0 })

export const createPings = (interval: number): Pings => ({
  interval,
  lastTime: -Infinity,
  roundTrips: new Float64Array(PINGS),
  newest: new Float64Array(PINGS),
  received: new Float64Array(PINGS),
  count: 0,
})

/** Takes a ping when one is due and there is an answer since the last; call it as often as you like. */
export const measurePing = <C>(pings: Pings, peer: Peer<C>, stats: LinkStats, now: number): void => {
  if (peer.lastRtt === 0 || now - pings.lastTime < pings.interval) return
  const { roundTrips, newest, received } = pings
  pings.lastTime = now
  const slot = pings.count++ % PINGS
  const window = Math.min(pings.count, PINGS)
  const oldest = pings.count > PINGS ? (slot + 1) % PINGS : 0
  roundTrips[slot] = peer.lastRtt
  newest[slot] = peer.newestReceived
  received[slot] = peer.received
  peer.lastRtt = 0
  let last = roundTrips[oldest]!
  let sum = last
  let differences = 0
  for (let index = 1, at = oldest; index < window; index++) {
    at = at + 1 === PINGS ? 0 : at + 1
    const each = roundTrips[at]!
    sum += each
    differences += Math.abs(each - last)
    last = each
  }
  stats.ping = sum / window
  stats.jitter = window > 1 ? differences / (window - 1) : 0
  const sent = newest[slot]! - newest[oldest]!
  stats.lossIn = sent > 0 ? Math.max(0, 1 - (received[slot]! - received[oldest]!) / sent) : 0
}
