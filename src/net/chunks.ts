/* First byte of a chunk in a data packet. */

/** One fragment of the reliable stream. */
export const fragment = 1
/** An atomic field, sent once: doId, field number, length, packed arguments. */
export const message = 2
/** Segments of groups, and which groups are not told of (server to client). */
export const state = 3
/** Hashes of groups, for the receiver to compare (server to client). */
export const audit = 4
/** Owner-written state of one object (client to server). */
export const upload = 5
/** One number of an object, of one who need not own it (client to server). */
export const write = 6
