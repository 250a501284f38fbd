/** What a side says of its schema before anything else. */
export interface SchemaIdentity {
  /** Panda3D's 32-bit hash. */
  readonly hash: number
  /** The 64-bit structural hash. */
  readonly structureHash: bigint
  /** As `typedef uint16 SchemaVersion = 4;` declares it; 0 without one. */
  readonly version: number
}

/** One difference between two schemas: a field, a whole class (no `field`), or an order. */
export interface SchemaDifference {
  /** Missing when the classes themselves are in another order. */
  readonly class?: string
  readonly field?: string
  /** The declaration on the side that tells of it; missing when it has none. */
  readonly here?: string
  /** The declaration on the other side; missing when it has none. */
  readonly there?: string
  /** Both have the same, in another order. */
  readonly isReordered?: true
}

/** Why two sides could not agree on a schema. */
export interface SchemaMismatch {
  readonly here: SchemaIdentity
  readonly there: SchemaIdentity
  /** Which side is older, when both declare a version and these differ. */
  readonly older: 'here' | 'there' | undefined
  readonly differences: readonly SchemaDifference[]
  /** Whether these are all differences: an exchange is bounded, and packets get lost. */
  readonly isComplete: boolean
}

/** What a schema says of itself. */
export const identityOf = ({ hash, structureHash, version }: SchemaIdentity): SchemaIdentity => ({
  hash,
  structureHash,
  version,
})

/** Whether two sides have the same schema. */
export const isSameSchema = (a: SchemaIdentity, b: SchemaIdentity): boolean =>
  a.hash === b.hash && a.structureHash === b.structureHash

/** Which side is older, if both say so. */
export const olderOf = (here: SchemaIdentity, there: SchemaIdentity): SchemaMismatch['older'] => {
  if (here.version === 0 || there.version === 0 || here.version === there.version) return undefined
  return here.version < there.version ? 'here' : 'there'
}
