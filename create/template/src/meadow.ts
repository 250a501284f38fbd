/** The zone that everything is in. A larger world has many: see `createGrid`. */
export const MEADOW = 1
/** Width and height of the meadow. */
export const SIZE = 1000
/** How near a player must come to a firefly to catch it. */
export const REACH = 40
/** Units a second. */
export const SPEED = 400
