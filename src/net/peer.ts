/**
 * One end of a session: numbers what it sends, learns from acknowledgements what arrived, and measures the round trip.
 * Pure: handed times (seconds) and numbers, it does no I/O. Both ends use the same machine.
 */

/** Sent packets remembered; beyond it a packet without an answer counts as lost. A power of two. */
export const SENT = 128
/** Acknowledgements a packet carries: its own newest and the 63 before. */
export const ACK_BITS = 64
/** A packet counts as lost when one sent this many later has arrived. */
const REORDER = 3
/** Seconds; a hold of this long or longer was cut to it on the wire and says nothing of the round trip. */
export const LONGEST_HOLD = 6.5535
/** Grace over the smallest round trip before an unanswered packet stops the sender (seconds). */
const OVERDUE = 0.05
/**
 * While stopped, seconds between two probes: a share of how long the oldest packet is overdue, within these; and between two
 * that may be as large as any packet.
 */
const PROBE_SHARE = 0.15
const SHORTEST_PROBE = 0.015
const LONGEST_PROBE = 0.2
const LARGE_PROBE = 0.1
/** The smallest round trip is forgotten after so many seconds, so that a change of route is followed. */
const MIN_RTT_WINDOW = 10

/** What became of a packet that was sent. */
export const FLYING = 1
export const ACKED = 2
export const LOST = 3

/** Words of {@link Peer.bits}. */
export const KNOWN = 0
export const SEEN = 2
export const DECODED = 4

/** State of one end; the measured values are public, in seconds. */
export interface Peer<Content> {
  /** Number of the next packet to send; internal numbers do not wrap, 16 bits of them travel. */
  nextSequence: number
  /**
   * When each of the last packets was sent, what became of it, and what it carried, which is the sender's business: rings `[SENT]`, by the
   * low bits of its number. As objects, each would have to be fetched from afar after so long.
   */
  readonly sentTimes: Float64Array
  readonly sentStates: Uint8Array
  readonly contents: (Content | undefined)[]
  /** Newest sequence that the other end acknowledged; -1 before the first. */
  newestAcked: number
  /**
   * Of packets before the newest, 64 bits each as two words, low first; bit i is packet `newest - i`. {@link KNOWN}: acknowledged by the other
   * end. {@link SEEN}: received. {@link DECODED}: received *and* decoded, which is what is acknowledged.
   */
  readonly bits: Uint32Array
  /** Up to here every packet is acknowledged or lost. */
  settled: number
  /** Newest sequence received; -1 before the first. */
  newestReceived: number
  newestReceivedTime: number
  lastSendTime: number
  lastReceiveTime: number
  lastProbeTime: number
  lastLargeProbeTime: number
  /** The newest round trip that nobody has looked at yet; 0 for none. */
  lastRtt: number
  /** Smoothed round trip and its mean deviation; 0 before the first sample. */
  rtt: number
  rttDeviation: number
  minRtt: number
  minRttTime: number
  /**
   * Share of sent packets that were lost, 0..1, smoothed over about 60 packets: from how many the other end says that it
   * received, since one that cannot be decoded for want of another is not lost.
   */
  loss: number
  /** The same, below 0 while more arrive than were sent since: late ones, which counted as lost before. */
  rawLoss: number
  /** The share that was lost over some 600 packets. */
  longLoss: number
  /** Packets received so far, each once. */
  received: number
  /** What the other end said last of that, and its newest sequence then; -1 before. */
  reported: number
  reportedAt: number
  /** Packets received twice or too late to tell; dropped. */
  duplicates: number
}

export const createPeer = <Content>(): Peer<Content> => ({
  // What each packet looks at comes first: it lies together in memory.
  newestReceived: -1,
  received: 0,
  bits: new Uint32Array(6),
  nextSequence: 0,
  newestAcked: -1,
  settled: -1,
  sentTimes: new Float64Array(SENT),
  sentStates: new Uint8Array(SENT),
  contents: Array.from({ length: SENT }),
  reported: 0,
  reportedAt: -1,
  newestReceivedTime: 0,
  lastReceiveTime: -Infinity,
  lastSendTime: -Infinity,
  minRtt: Infinity,
  minRttTime: -Infinity,
  rtt: 0,
  rttDeviation: 0,
  lastRtt: 0,
  loss: 0,
  rawLoss: 0,
  longLoss: 0,
  lastProbeTime: -Infinity,
  lastLargeProbeTime: -Infinity,
  duplicates: 0,
})

/** The internal number nearest to `reference` whose low 16 bits are `low`. */
export const expandSequence = (low: number, reference: number): number => {
  const base = reference < 0 ? 0 : reference
  const difference = ((low - (base & 0xffff) + 0x8000) & 0xffff) - 0x8000
  return base + difference
}

const shiftUp = (bits: Uint32Array, at: number, count: number): void => {
  if (count >= 64) {
    bits[at] = 0
    bits[at + 1] = 0
  } else if (count >= 32) {
    bits[at + 1] = bits[at]! << (count - 32)
    bits[at] = 0
  } else if (count > 0) {
    bits[at + 1] = (bits[at + 1]! << count) | (bits[at]! >>> (32 - count))
    bits[at] = bits[at]! << count
  }
}

const hasBit = (low: number, high: number, index: number): boolean =>
  ((index < 32 ? low >>> index : high >>> (index - 32)) & 1) === 1

const setBit = (bits: Uint32Array, at: number, index: number): void => {
  bits[at + (index >>> 5)]! |= 1 << (index & 31)
}

/** Takes note of a packet's arrival. Returns its internal number, or -1 for a duplicate or one too old to tell. */
export const receiveSequence = <C>(peer: Peer<C>, low: number, now: number): number => {
  const sequence = expandSequence(low, peer.newestReceived)
  peer.lastReceiveTime = now
  if (sequence > peer.newestReceived) {
    const count = peer.newestReceived < 0 ? ACK_BITS : sequence - peer.newestReceived
    shiftUp(peer.bits, SEEN, count)
    shiftUp(peer.bits, DECODED, count)
    peer.newestReceived = sequence
    peer.newestReceivedTime = now
    setBit(peer.bits, SEEN, 0)
    peer.received++
    return sequence
  }
  const index = peer.newestReceived - sequence
  if (sequence < 0 || index >= ACK_BITS || hasBit(peer.bits[SEEN]!, peer.bits[SEEN + 1]!, index)) {
    peer.duplicates++
    return -1
  }
  setBit(peer.bits, SEEN, index)
  peer.received++
  return sequence
}

/** Marks a received packet as decoded, so that it will be acknowledged. */
export const markDecoded = <C>(peer: Peer<C>, sequence: number): void => {
  const index = peer.newestReceived - sequence
  if (index >= 0 && index < ACK_BITS) setBit(peer.bits, DECODED, index)
}

/** Whether what is in the rings at its place is of this packet: it was sent, and no other has taken its place. */
const isRemembered = <C>(peer: Peer<C>, sequence: number): boolean =>
  sequence >= 0 && sequence < peer.nextSequence && sequence >= peer.nextSequence - SENT

/** When (seconds) a packet was sent, and what became of it; `undefined` when that is forgotten, or never was. */
export const sentTimeOf = <C>(peer: Peer<C>, sequence: number): number | undefined =>
  isRemembered(peer, sequence) ? peer.sentTimes[sequence % SENT] : undefined
export const sentStateOf = <C>(peer: Peer<C>, sequence: number): number | undefined =>
  isRemembered(peer, sequence) ? peer.sentStates[sequence % SENT] : undefined

/** Told of what a lost packet carried, and when (seconds) it was sent. */
export type OnLost<Content> = (content: Content, time: number) => void

/** Takes the number of the packet about to be sent and remembers what it carries. */
export const sendSequence = <C>(peer: Peer<C>, content: C, now: number, onLost: OnLost<C>): number => {
  const sequence = peer.nextSequence
  const at = sequence % SENT
  if (peer.sentStates[at] === FLYING) lose(peer, at, onLost)
  peer.nextSequence = sequence + 1
  peer.sentTimes[at] = now
  peer.sentStates[at] = FLYING
  peer.contents[at] = content
  peer.lastSendTime = now
  return sequence
}

/** Packets over which the loss is smoothed. */
const LOSS_PACKETS = 60
/** The same for what a link is like in the long run, and the average of all before there were so many. */
const LONG_LOSS_PACKETS = 600

const lose = <C>(peer: Peer<C>, at: number, onLost: OnLost<C>): void => {
  peer.sentStates[at] = LOST
  onLost(peer.contents[at]!, peer.sentTimes[at]!)
}

/** Takes in how many packets the other end has by now (low 8 bits). */
const measureLoss = <C>(peer: Peer<C>, newest: number, received: number): void => {
  const sent = newest - peer.reportedAt
  if (sent <= 0) return
  const arrived = (received - peer.reported) & 0xff
  // Longer apart than the counter reaches: nothing can be said.
  if (sent < 200) {
    const raw = peer.rawLoss + (1 - arrived / sent - peer.rawLoss) * Math.min(1, sent / LOSS_PACKETS)
    peer.rawLoss = Math.max(-1, raw)
    peer.loss = Math.max(0, raw)
    const weight = Math.min(1, sent / Math.min(LONG_LOSS_PACKETS, newest + 1))
    peer.longLoss += (1 - arrived / sent - peer.longLoss) * weight
  }
  peer.reported = received
  peer.reportedAt = newest
}

const sampleRtt = <C>(peer: Peer<C>, sample: number, now: number): void => {
  peer.lastRtt = sample
  // Jacobson and Karels, as in RFC 6298.
  if (peer.rtt === 0) {
    peer.rtt = sample
    peer.rttDeviation = sample / 2
  } else {
    peer.rttDeviation += (Math.abs(peer.rtt - sample) - peer.rttDeviation) / 4
    peer.rtt += (sample - peer.rtt) / 8
  }
  if (sample <= peer.minRtt || now - peer.minRttTime > MIN_RTT_WINDOW) {
    peer.minRtt = sample
    peer.minRttTime = now
  }
}

/**
 * Applies the acknowledgements of a received packet: `ack` is the newest sequence (16 bits) that the other end saw,
 * `low` and `high` its 64 bits (bit 0 is `ack` itself), `hold` the seconds it held `ack` before answering,
 * `received` how many packets it has got (low 8 bits).
 * `onAcked` is told what a packet carried, and its number, and `onDoubt` of the newest packet when it came and was not decoded.
 * Returns false, and changes nothing, when it acknowledges what was never sent.
 */
export const receiveAcks = <C>(
  peer: Peer<C>,
  ack: number,
  low: number,
  high: number,
  hold: number,
  received: number,
  now: number,
  onAcked: (content: C, sequence: number) => void,
  onLost: OnLost<C>,
  onDoubt?: (content: C) => void,
): boolean => {
  const newest = expandSequence(ack, peer.nextSequence - 1)
  if (newest >= peer.nextSequence || newest < 0) return false
  const isKnown = isRemembered(peer, newest)
  if (newest > peer.newestAcked && isKnown) {
    const sample = now - peer.sentTimes[newest % SENT]! - hold
    if (sample >= 0 && hold < LONGEST_HOLD) sampleRtt(peer, Math.max(sample, 0.0001), now)
  }
  takeBits(peer, newest, low, high, onAcked)
  if (onDoubt && (low & 1) === 0 && isKnown && peer.sentStates[newest % SENT] === FLYING)
    onDoubt(peer.contents[newest % SENT]!)
  measureLoss(peer, newest, received)
  if (newest > peer.newestAcked) peer.newestAcked = newest
  while (peer.settled < newest - REORDER) {
    const sequence = ++peer.settled
    if (isRemembered(peer, sequence) && peer.sentStates[sequence % SENT] === FLYING) lose(peer, sequence % SENT, onLost)
  }
  return true
}

const fresh = new Uint32Array(2)

/** Of 64 acknowledgements, all but a few are known already: only the others are looked at. */
const takeBits = <C>(
  peer: Peer<C>,
  newest: number,
  low: number,
  high: number,
  onAcked: (content: C, sequence: number) => void,
): void => {
  const { bits } = peer
  if (newest > peer.newestAcked) shiftUp(bits, KNOWN, peer.newestAcked < 0 ? ACK_BITS : newest - peer.newestAcked)
  fresh[0] = low
  fresh[1] = high
  const top = Math.max(newest, peer.newestAcked)
  shiftUp(fresh, 0, top - newest)
  fresh[0]! &= ~bits[KNOWN]!
  fresh[1]! &= ~bits[KNOWN + 1]!
  for (let half = 0; half < 2; half++) {
    let rest = fresh[half]!
    bits[KNOWN + half]! |= rest
    while (rest !== 0) {
      const sequence = top - half * 32 - (31 - Math.clz32(rest & -rest))
      rest &= rest - 1
      const at = sequence % SENT
      if (!isRemembered(peer, sequence) || peer.sentStates[at] === ACKED) continue
      peer.sentStates[at] = ACKED
      const content = peer.contents[at]!
      // It is heard of no more.
      peer.contents[at] = undefined
      onAcked(content, sequence)
    }
  }
}

/**
 * The session goes on over another link, or after a long silence: what is under way will hardly arrive (if it did, its
 * acknowledgement still counts), and what was measured says nothing of what comes.
 */
export const renewPeer = <C>(peer: Peer<C>, onLost: OnLost<C>): void => {
  for (let at = 0; at < SENT; at++) if (peer.sentStates[at] === FLYING) lose(peer, at, onLost)
  peer.rtt = 0
  peer.rttDeviation = 0
  peer.minRtt = Infinity
  peer.lastRtt = 0
  peer.loss = 0
  peer.rawLoss = 0
  peer.longLoss = 0
  // Of what was sent until now it is not asked any more how much arrived.
  peer.reportedAt = peer.nextSequence - 1
  peer.lastProbeTime = -Infinity
  peer.lastLargeProbeTime = -Infinity
}

/** How long to wait for an acknowledgement before sending reliable data again (seconds). */
export const resendTimeout = <C>(peer: Peer<C>): number =>
  peer.rtt === 0 ? 0.25 : Math.min(Math.max(0.4, peer.rtt * 1.25), Math.max(0.06, peer.rtt + 4 * peer.rttDeviation))

/**
 * Whether the sender may go on, must wait, or may send a small probe: SCTP queues without a bound and never drops, so what is
 * sent while the oldest unanswered packet is overdue waits behind it and is old when it arrives. But SCTP notices by later
 * packets, and much sooner than by its timer, that one was lost, and after a timeout lets only few bytes out: hence probes,
 * many at first, and small. Now and then a large one: perhaps it is only the answers that do not come through. `interval` is how
 * often (seconds) the other end sends, and so acknowledges.
 */
export const clearance = <C>(peer: Peer<C>, now: number, interval: number): 'go' | 'probe' | 'wait' => {
  const oldest = peer.newestAcked + 1
  if (oldest >= peer.nextSequence) return 'go'
  const since = isRemembered(peer, oldest) ? now - peer.sentTimes[oldest % SENT]! : Infinity
  const base = peer.minRtt === Infinity ? LONGEST_PROBE : peer.minRtt
  const late = since - (base + interval + OVERDUE)
  // One more would take the place of the oldest, whose answer would then count for nothing.
  if (late <= 0) return peer.nextSequence - oldest < SENT ? 'go' : 'wait'
  if (now - peer.lastProbeTime < Math.min(LONGEST_PROBE, Math.max(SHORTEST_PROBE, late * PROBE_SHARE))) return 'wait'
  peer.lastProbeTime = now
  if (now - peer.lastLargeProbeTime < LARGE_PROBE) return 'probe'
  peer.lastLargeProbeTime = now
  return 'go'
}
