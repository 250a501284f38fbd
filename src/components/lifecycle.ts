/**
 * Lifecycle and ownership tags, for `query` and `observe` in a client's world.
 * They carry no data, so one set serves every world of a process.
 */

/** The object exists here and its numbers are in their columns; strings, blobs and lists may still be on their way. */
export const Generated = {}

/** Everything of the object has arrived, value fields (strings, blobs, arrays) too: it may be shown. */
export const Alive = {}

/** The object belongs to this client: `[Avatar, Owned]` is the owner view, `[Avatar, Not(Owned)]` the remote one. */
export const Owned = {}
