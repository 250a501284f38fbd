export { createSchema, loadSchema } from './create-schema.ts'
export { defineSchema, fileOf, type DClassesOf, type DClassOf } from './define-schema.ts'
export { Alive, Deleted, Disabled, Fresh, Generated, Owned } from './lifecycle.ts'
export {
  checkCapacity,
  checkWorld,
  componentsOf,
  infoOf,
  infosOf,
  schemaOf,
  writeDefaults,
  type AnyClasses,
  type DClass,
  type DClassInfo,
  type DistributedObjectColumns,
  type Message,
  type Schema,
  type SchemaOptions,
} from './schema.ts'
export {
  columnAt,
  readColumns,
  writeColumns,
  type FieldColumns,
  type NumberColumn,
  type StructColumns,
} from './columns.ts'
export type { FieldRead, FieldValue } from './field-value.ts'
export { fitText } from './text.ts'
export {
  getQuat,
  getVec2,
  getVec3,
  setQuat,
  setVec2,
  setVec3,
  type QuatColumns,
  type Vec2Columns,
  type Vec3Columns,
} from './vectors.ts'
export { hasView, viewError, VIEWS, type View } from './views.ts'
