/* First byte of a reliable message. */

/** An atomic field: doId, field number, packed arguments. */
export const message = 1
/** Value fields of an object (server to client). */
export const values = 2
/** The zones that the client sees (server to client). */
export const zones = 3
/** Answer to an interest request, when all of it has arrived. */
export const interestDone = 4
/** A request to change interest (client to server). */
export const interest = 5
/** One owner-written value field (client to server). */
export const field = 6
/** A group whose state is doubtful or forgotten: start again with a keyframe (client to server). */
export const resync = 7
/** A group of one object that has its own rule of who sees it: the client does no more (server to client). */
export const leave = 8
/** The zone that such an object is in now (server to client). */
export const placed = 9
/** Packet rates and interpolation: wanted (client to server), granted (server to client). */
export const rates = 10
/** Tables of the codec (server to client), and that they came (client to server). */
export const tables = 11
