/**
 * Distributed objects for bitECS: the schema and the components that both ends share.
 * The server is `bitecs-pipes/server`, the client `bitecs-pipes/client`.
 */
export {
  Alive,
  createSchema,
  fitText,
  Generated,
  loadSchema,
  Owned,
  type DClass,
  type DistributedObjectColumns,
  type Message,
  type Schema,
  type SchemaOptions,
} from './components/index.ts'
