import { TICK_RATE, type Codec } from '../scene.ts'
import type { Session } from './session.ts'

/** Bits of a cube as floats: three of 32 for the place, four for the rotation, and one that says whether it moves. */
export const RAW_BITS = 32 * (3 + 4) + 1
/** Counts that are kept, to compare the newest with the oldest: a second of them. */
const KEPT = 5

/** What came in the last second. */
export interface Reading {
  readonly codec: Codec
  /** Kilobits a second: whole datagrams of ours, without what WebRTC adds. */
  readonly kbps: number
  /** What as many datagrams, each with all cubes as floats, would come to. */
  readonly rawKbps: number
  readonly packets: number
  /** Cubes that differ from tick to tick. */
  readonly moving: number
  /** Bits of a datagram by moving cubes; NaN while nothing moves. */
  readonly bitsPerCube: number
}

/**
 * Reads a session's traffic against what the servers count. The count comes with the state, so that bytes and cubes are of
 * the same ticks. To be called in each frame; returns a reading when a new count came, four times a second.
 */
export const createReader = (session: Session) => {
  const kept: { ticks: number; changes: number; bytesIn: number; packetsIn: number }[] = []
  return (): Reading | undefined => {
    if (!session.isWhole()) {
      kept.length = 0
      return undefined
    }
    const { bytesIn, packetsIn } = session.client.stats
    const counts = session.counts()
    if (counts.ticks === kept.at(-1)?.ticks) return undefined
    kept.push({ ...counts, bytesIn, packetsIn })
    if (kept.length > KEPT) kept.shift()
    const [first] = kept
    const ticks = counts.ticks - first!.ticks
    if (ticks <= 0) return undefined
    const bits = (bytesIn - first!.bytesIn) * 8
    const packets = packetsIn - first!.packetsIn
    const moving = (counts.changes - first!.changes) / ticks
    return {
      codec: session.codec,
      kbps: ((bits / ticks) * TICK_RATE) / 1000,
      rawKbps: ((session.cubes().length * RAW_BITS * packets) / ticks) * (TICK_RATE / 1000),
      packets: (packets / ticks) * TICK_RATE,
      moving,
      bitsPerCube: moving < 1 ? NaN : bits / packets / moving,
    }
  }
}
