/** Histories, playout and clocks, apart from any world: for tools, tests and games that bring their own network. */
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
  type SmoothField,
  type SmoothOptions,
} from './net/history.ts'
export { createPlayout, playoutAdvance, playoutPacket, type Playout, type PlayoutOptions } from './net/playout.ts'
export { clockSample, createServerClock, serverTime, type ServerClock } from './net/clock.ts'
