/**
 * What remote objects looked like lately, and what they look like at any time between: rows of numbers by server time.
 *
 * A history holds the objects that are received together, a slot each. A row is the state of all of them at one
 * server time, so a frame is `row + sum of weight x (other row - row)` over a few rows, and the same weights serve
 * every number of every object. Linear, cubic, transmitted velocities, extrapolation and the blending over of what came
 * late differ in the weights alone. At rest the differences are 0, so the sum is exact.
 */

export { advanceHistory, advanceToMoment, setMoment } from './history/advance.ts'
export { mixField, slopeField } from './history/mix.ts'
export {
  createHistory,
  growHistory,
  ROWS,
  smoothOptions,
  type History,
  type Mix,
  type Numbers,
  type SmoothField,
  type SmoothOptions,
  type Weights,
} from './history/model.ts'
export {
  carrySlot,
  commitRow,
  delaySlot,
  holdHistory,
  insertRow,
  resetHistorySlot,
  resetSlot,
  sealSlot,
  spreadRows,
  writeValue,
} from './history/rows.ts'
