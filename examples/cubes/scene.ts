// What the page and the servers agree on.

/** The one zone. */
export const ZONE = 1
export const TICK_RATE = 60

/** Small cubes lie in rows of this many, a metre apart. */
export const ROWS = 30
export const SMALL_CUBES = ROWS * ROWS
/** Half an edge, metres. */
export const SMALL_HALF = 0.2
export const BIG_HALF = 0.75
/** Players at once. */
export const SEATS = 16
/** From the middle to the walls, which nobody sees, metres. */
export const ARENA = 20

/** Each codec has a server of its own, with the same cubes, on the next port. */
export const CODECS = ['range', 'plain'] as const
export type Codec = (typeof CODECS)[number]

export const FORCE = { none: 0, pull: 1, push: 2 } as const
