/**
 * Distributed objects for bitECS: the schema and the components that both ends share.
 * The server is `bitecs-pipes/server`, the client `bitecs-pipes/client`.
 */
export {
  Alive,
  createSchema,
  Deleted,
  Disabled,
  fitText,
  Fresh,
  Generated,
  loadSchema,
  Owned,
  type AnyClasses,
  type DClass,
  type DClassInfo,
  type DistributedObjectColumns,
  type FieldColumns,
  type FieldRead,
  type Message,
  type NumberColumn,
  type Schema,
  type SchemaOptions,
  type StructColumns,
  getQuat,
  getVec2,
  getVec3,
  setQuat,
  setVec2,
  setVec3,
  type QuatColumns,
  type Vec2Columns,
  type Vec3Columns,
} from './components/index.ts'
export {
  columnOf,
  createGrid,
  distanceToZone,
  followViews,
  hasZone,
  rowOf,
  zoneAt,
  zoneOfCell,
  zonesAround,
  type Grid,
  type GridOptions,
  type Viewpoint,
} from './systems/grid.ts'
export { createFollow, type FollowOptions, type ZoneAsker, type ZoneGiver } from './systems/follow.ts'
export { createZoning, type Placed, type Placing, type Position, type ZoningOptions } from './systems/zoning.ts'
export { writeField, type FieldValue } from './systems/write-field.ts'
export type { ClientHandle } from './systems/client-state.ts'
export type { View } from './components/index.ts'
export { defineView, useViews, type ViewComponents, type ViewDefinition } from './systems/views.ts'
