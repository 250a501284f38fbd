/**
 * Lifecycle and ownership tags, for `query` and `observe`: see LIFECYCLE.md.
 * They carry no data, so one set serves every world of a process.
 */

/** The object has a network id and all its columns; nobody sees it yet. On a client only while its components are added. */
export const Fresh = {}

/** The object exists here and its numbers are in their columns; strings, blobs and lists may still be on their way. */
export const Generated = {}

/** Everything of the object has arrived, value fields (strings, blobs, arrays) too: it may be shown. */
export const Alive = {}

/**
 * On a client: the object left what the client sees; its columns keep what was seen of it last, until it returns or is given
 * up (`disabledTime`). On the server: it was taken out of its zone, and no client sees it.
 */
export const Disabled = {}

/** On a client: the entity is about to be removed, right behind the observers of this tag. */
export const Deleted = {}

/** The object belongs to this client: `[Avatar, Owned]` is the owner view, `[Avatar, Not(Owned)]` the remote one. */
export const Owned = {}
