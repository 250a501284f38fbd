import { createEntityIndex, createWorld } from 'bitecs'

/** Pixels. */
export const FIELD = { width: 640, height: 360 }
export const RADIUS = { dot: 14, ball: 18 }
export const ZONE = 1

// The components of `listen.dc` are arrays by entity id, and both ends use them: with one index for all worlds of this process, an id
// means one entity in one of them.
const entities = createEntityIndex()
export const makeWorld = () => createWorld(entities)
