import type { Pose } from './paths.ts'

/**
 * What a first version does, and many libraries: keep the datagrams in a list, stay a fixed time behind, and draw a
 * straight line between the two around that time.
 */
export interface Linear {
  readonly samples: { readonly time: number; readonly poses: readonly Pose[] }[]
  /** Seconds of the server's clock minus ours, as the first datagrams made it look. */
  offset: number
}

/** Three datagrams behind. */
export const DELAY = 0.15

export const createLinear = (): Linear => ({ samples: [], offset: NaN })

/** A datagram of server time `time` came at our time `now`. */
export const takeSample = (linear: Linear, time: number, now: number, poses: readonly Pose[]): void => {
  const offset = time - now
  if (Number.isNaN(linear.offset) || Math.abs(offset - linear.offset) > 1) linear.offset = offset
  linear.samples.push({ time, poses })
  linear.samples.sort((a, b) => a.time - b.time)
  if (linear.samples.length > 40) linear.samples.shift()
}

/** The server time that is shown at our time `now`. */
export const shownTime = (linear: Linear, now: number): number => now + linear.offset - DELAY

const nearer = (from: number, to: number): number => ((to - from + 540) % 360) - 180

/** Where a thing is drawn. */
export const linearPose = (linear: Linear, kind: number, now: number, pose: Pose): boolean => {
  const { samples } = linear
  const time = shownTime(linear, now)
  const next = samples.findIndex(sample => sample.time > time)
  const later = samples[next < 0 ? samples.length - 1 : next]
  const earlier = samples[next < 0 ? samples.length - 1 : Math.max(0, next - 1)]
  if (!later || !earlier) return false
  const share = later === earlier ? 0 : (time - earlier.time) / (later.time - earlier.time)
  const a = earlier.poses[kind]!
  const b = later.poses[kind]!
  pose.x = a.x + (b.x - a.x) * share
  pose.y = a.y + (b.y - a.y) * share
  pose.heading = a.heading + nearer(a.heading, b.heading) * share
  return true
}
