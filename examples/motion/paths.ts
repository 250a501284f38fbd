/** Where each thing is, in metres on a stage of 16 by 12 around the middle, and which way it looks. */
export interface Pose {
  x: number
  y: number
  /** Degrees. */
  heading: number
}

const TURN = 2 * Math.PI

const eight = (time: number, pose: Pose): void => {
  const phase = (time / 5) * TURN
  pose.x = 6.4 * Math.sin(phase)
  pose.y = -2.2 + 2.6 * Math.sin(2 * phase)
  const dx = 6.4 * Math.cos(phase)
  const dy = 5.2 * Math.cos(2 * phase)
  pose.heading = (Math.atan2(dy, dx) / TURN) * 360
}

/** Back and forth between two walls: its speed jumps. */
const ball = (time: number, pose: Pose): void => {
  const phase = (time / 1.6) % 2
  pose.x = -6.8 + 13.6 * (phase < 1 ? phase : 2 - phase)
  pose.y = 3.1 - Math.abs(Math.sin((time / 0.8) * Math.PI)) * 1.5
  pose.heading = time * 200
}

/** Walks a while and rests a while. */
const walker = (time: number, pose: Pose): void => {
  const phase = (time / 6) % 1
  const away = phase < 0.5
  const share = Math.min(1, (away ? phase : phase - 0.5) / 0.3)
  pose.x = away ? -6.4 + 12.8 * share : 6.4 - 12.8 * share
  pose.y = 4.7
  pose.heading = away ? 0 : 180
}

const PATHS = [eight, ball, walker]

export const KINDS = PATHS.length

/** The true pose of a thing at a time in seconds, into `pose`. */
export const poseAt = (kind: number, time: number, pose: Pose): Pose => {
  PATHS[kind]!(time, pose)
  pose.heading = ((pose.heading % 360) + 360) % 360
  return pose
}
