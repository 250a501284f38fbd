import { MAX_PACKET } from './transport.ts'
import type { Peer } from './peer.ts'

/**
 * How many bytes a second one client is sent: a token bucket whose rate goes down while its link is filling up and
 * slowly up again while it is not. A pure function of the times and measurements handed in.
 */
export interface Budget {
  /** Bytes a second now, and their bounds. */
  rate: number
  least: number
  most: number
  /** Bytes that may go at once, and when (seconds) that was so. */
  tokens: number
  time: number
  /** When the rate was looked at last. */
  adaptedAt: number
  /** Whether a send was held up since. */
  wasHeldUp: boolean
}

/** No client is kept below so many bytes a second, however bad its link is. */
const LEAST_RATE = 4096
/** Seconds of its rate that a client may get at once after a pause. */
const BURST = 0.25
/** Share of the rate that is left when the link fills up, and share of the limit that is added when it does not. */
const DECREASE = 0.85
const INCREASE = 0.04
const SLOW_INCREASE = 0.01
/** Shares of lost packets: above the one the link is full, above the other it may be, and takes its time. */
const HEAVY_LOSS = 0.4
const SOME_LOSS = 0.1

export const createBudget = (most: number): Budget => ({
  rate: most,
  least: Math.min(LEAST_RATE, most),
  most,
  tokens: Math.max(MAX_PACKET, most * BURST),
  time: -Infinity,
  adaptedAt: -Infinity,
  wasHeldUp: false,
})

/** Changes the limit; the rate goes up to a higher one by and by. */
export const limitBudget = (budget: Budget, most: number): void => {
  budget.most = most
  budget.least = Math.min(LEAST_RATE, most)
  budget.rate = Math.min(most, Math.max(budget.least, budget.rate))
}

const adapt = <C>(budget: Budget, peer: Peer<C>, now: number): void => {
  if (now - budget.adaptedAt < Math.max(0.1, peer.rtt)) return
  budget.adaptedAt = now
  // A link that loses much is slow to answer, and stalls, for that reason alone.
  const isSlow = peer.loss < SOME_LOSS && (peer.rtt > peer.minRtt * 1.5 + 0.05 || budget.wasHeldUp)
  if (isSlow || peer.loss > HEAVY_LOSS) budget.rate = Math.max(budget.least, budget.rate * DECREASE)
  else
    budget.rate = Math.min(budget.most, budget.rate + budget.most * (peer.loss < SOME_LOSS ? INCREASE : SLOW_INCREASE))
  budget.wasHeldUp = false
}

/** The bytes that may go now, at most one datagram's worth. */
export const allowance = <C>(budget: Budget, peer: Peer<C>, now: number): number => {
  adapt(budget, peer, now)
  const most = Math.max(MAX_PACKET, budget.rate * BURST)
  if (budget.time > -Infinity) budget.tokens = Math.min(most, budget.tokens + (now - budget.time) * budget.rate)
  budget.time = now
  return Math.min(MAX_PACKET, Math.floor(budget.tokens))
}

/** Whether there is enough for more than the client's ordinary packets. */
export const hasPlenty = (budget: Budget): boolean => budget.tokens >= 2 * MAX_PACKET

/** Takes off what was sent. */
export const spend = (budget: Budget, bytes: number): void => {
  budget.tokens -= bytes
}
