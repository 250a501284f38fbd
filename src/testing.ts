/**
 * For a game's own tests: server and clients in one process on virtual time, over links of any quality, and the
 * convergence oracle, which plays seeded scenarios of a game and proves that every client ends up showing what it
 * should. Needs no test runner and no Node; not for a page or a server in use.
 */
export { describeCosts, expectBudget, type Budget } from './testing/budget.ts'
export {
  converge,
  describeScenario,
  explain,
  playSeed,
  type ConvergeOptions,
  type ConvergeReport,
  type Divergence,
} from './testing/converge.ts'
export { createDice, type Dice } from './testing/dice.ts'
export { prepareGame, type ClientSide, type Game, type PreparedGame, type ServerSide } from './testing/game.ts'
export { measure, type ClassCosts, type Costs, type MeasureOptions } from './testing/measure.ts'
export { differences, type DifferenceOptions, type Side, type Viewer } from './testing/oracle.ts'
export {
  checkPermissions,
  permissionMatrix,
  type FieldDirection,
  type PermissionOptions,
  type PermissionReport,
  type PermissionRow,
  type Relation,
} from './testing/permissions.ts'
export { randomValue } from './testing/random-value.ts'
export { play, type Outcome, type RunOptions } from './testing/run.ts'
export type { Failure } from './testing/run-verdict.ts'
export {
  createScenario,
  WEIGHTS,
  type Cast,
  type ClientScenario,
  type EventKind,
  type Scenario,
  type ScenarioEvent,
  type ScenarioOptions,
  type ServerScenario,
} from './testing/scenario.ts'
export { shrink, type Shrunk, type ShrinkOptions } from './testing/shrink.ts'
export { train, type Trained } from './testing/train.ts'
export { createWorlds, FRAME, type Guest, type Worlds, type WorldsOptions } from './testing/worlds.ts'
export { memoryNetwork } from './net/memory.ts'
export type { Direction, LinkPair, LinkStats, MemoryNetwork, MemoryNetworkOptions } from './net/memory.ts'
export { PERFECT_LINK, type LinkConditions } from './net/conditioner.ts'
