/**
 * Time, for those who want more than a client gives by itself: fixed steps with the server's ticks, how single fields and
 * objects are smoothed, and the parts of it all, for tools, tests and games that bring their own network.
 */
export { advanceTicks, createTickClock, type TickClock, type TickClockOptions } from './systems/tick-clock.ts'
export {
  delayObject,
  derivative,
  networked,
  resetObject,
  smooth,
  timeOfTick,
  type FieldSmoothing,
  type Networked,
} from './systems/smooth.ts'
export { createDriftClock, driftFrame, driftServerTick, type DriftClock, type DriftOptions } from './net/drift.ts'
export {
  advanceHistory,
  commitRow,
  createHistory,
  delaySlot,
  growHistory,
  holdHistory,
  insertRow,
  mixField,
  resetSlot,
  ROWS,
  sealSlot,
  smoothOptions,
  writeValue,
  type History,
  type Mix,
  type Numbers,
  type SmoothField,
  type SmoothOptions,
  type Weights,
} from './net/history.ts'
export { createPlayout, playoutAdvance, playoutPacket, type Playout, type PlayoutOptions } from './net/playout.ts'
export { clockSample, createServerClock, serverTime, type ServerClock } from './net/clock.ts'
