/** How one direction of a link treats datagrams. Every field may be changed while datagrams are under way. */
export interface LinkConditions {
  /** One-way delay, seconds. */
  lag: number
  /**
   * Seconds: each datagram's delay is uniform in `lag - jitter .. lag + jitter` (never below zero). Independent for
   * each, so datagrams sent closer together than the jitter overtake one another.
   */
  jitter: number
  /** Share of datagrams lost, 0..1. */
  loss: number
  /** Share of datagrams that arrive twice, 0..1; the copy has a delay of its own. */
  duplicate: number
  /**
   * Share of datagrams held back by one to two times the lag (at least 50 ms) more, so that later ones overtake them,
   * 0..1.
   */
  reorder: number
  /**
   * Mean number of consecutive datagrams lost at a time; the share lost stays `loss`. Left out, losses are independent.
   * A Gilbert model: E. N. Gilbert, Capacity of a burst-noise channel, 1960.
   */
  burst?: number
  /** Bytes per second; left out, unlimited. Counts payload, without headers. */
  bandwidth?: number
  /** Bytes that may wait for the bandwidth, more are lost; left out, what the bandwidth carries in 0.25 s. */
  queue?: number
}

/** A link that delivers everything at once. */
export const PERFECT_LINK: Readonly<LinkConditions> = { lag: 0, jitter: 0, loss: 0, duplicate: 0, reorder: 0 }

/** The state of one direction of one link: whether it is in a loss burst, and when its bandwidth is free again. */
export interface Conditioner {
  readonly random: () => number
  losing: boolean
  /** Seconds, on the caller's clock: when the last queued byte will have left. */
  busyUntil: number
}

const SHARES = ['loss', 'duplicate', 'reorder'] as const

/** Throws when a condition is not a number that makes sense, naming it. */
export function checkConditions(conditions: LinkConditions): void {
  for (const name of SHARES) {
    if (!(conditions[name] >= 0 && conditions[name] <= 1)) {
      throw new RangeError(`link conditions: ${name} is a share from 0 to 1, not ${conditions[name]}`)
    }
  }
  for (const name of ['lag', 'jitter'] as const) {
    if (!(conditions[name] >= 0 && conditions[name] < Infinity)) {
      throw new RangeError(`link conditions: ${name} is a number of seconds from 0 up, not ${conditions[name]}`)
    }
  }
  const { burst, bandwidth, queue } = conditions
  if (burst !== undefined && !(burst >= 1)) {
    throw new RangeError(`link conditions: burst is a number of datagrams from 1 up, not ${burst}`)
  }
  if (bandwidth !== undefined && !(bandwidth > 0)) {
    throw new RangeError(`link conditions: bandwidth is bytes per second and above 0, not ${bandwidth}`)
  }
  if (queue !== undefined && !(queue >= 0)) {
    throw new RangeError(`link conditions: queue is a number of bytes from 0 up, not ${queue}`)
  }
}

/** A conditioner for one direction of one link. `random` gives uniform numbers in [0, 1). */
export function createConditioner(random: () => number): Conditioner {
  return { random, losing: false, busyUntil: -Infinity }
}

/**
 * Decides what becomes of one datagram that is sent now: the times at which it arrives, none when it is lost, two when
 * it is duplicated. Times are seconds on the caller's clock.
 */
export function conditionDatagram(link: Conditioner, conditions: LinkConditions, now: number, bytes: number): number[] {
  checkConditions(conditions)
  const { random } = link
  // The same number of draws whatever the conditions: runs of one seed that differ in one condition stay comparable.
  const lossDraw = random()
  const jitterDraw = random()
  const reorderDraw = random()
  const holdDraw = random()
  const duplicateDraw = random()
  const copyDraw = random()

  const departure = depart(link, conditions, now, bytes)
  const lost = isLost(link, conditions, lossDraw)
  if (lost || departure === Infinity) return []

  const { lag, jitter } = conditions
  const held = reorderDraw < conditions.reorder ? (1 + holdDraw) * Math.max(lag, 0.05) : 0
  const arrivals = [departure + Math.max(0, lag + (2 * jitterDraw - 1) * jitter) + held]
  if (duplicateDraw < conditions.duplicate) {
    arrivals.push(departure + Math.max(0, lag + (2 * copyDraw - 1) * jitter))
  }
  return arrivals
}

/** When the datagram's last byte leaves, or Infinity when the queue has no room for it. */
function depart(link: Conditioner, conditions: LinkConditions, now: number, bytes: number): number {
  const { bandwidth } = conditions
  if (bandwidth === undefined || bandwidth === Infinity) return now
  const start = Math.max(now, link.busyUntil)
  const waiting = (start - now) * bandwidth
  // An idle link always takes a datagram, however small the queue.
  if (waiting > 0 && waiting + bytes > (conditions.queue ?? bandwidth * 0.25)) return Infinity
  link.busyUntil = start + bytes / bandwidth
  return link.busyUntil
}

/** One step of the two-state Gilbert chain: every datagram of the losing state is lost. */
function isLost(link: Conditioner, conditions: LinkConditions, draw: number): boolean {
  const { loss, burst = 1 } = conditions
  if (loss === 0 || loss === 1) return (link.losing = loss === 1)
  // Independent losses have bursts of 1 / (1 - loss) on average: at that length the chain forgets its state.
  const length = Math.max(burst, 1 / (1 - loss))
  link.losing = link.losing ? draw >= 1 / length : draw < loss / (length * (1 - loss))
  return link.losing
}
