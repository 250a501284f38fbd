import type { Codec } from '../scene.ts'

// What the simulation and its two servers tell each other, through Node's channel between parent and child.

/** A player's cube: the seat it has, and who steers it, if anybody is there. */
export interface Seat {
  readonly seat: number
  readonly codec: Codec | undefined
  /** Its id at the server of that codec. */
  readonly client: number
}

/** From the simulation, once a tick. */
export interface Frame {
  /** Cubes that may differ from the last frame; from `SMALL_CUBES` up they are players' by seat. */
  readonly indices: Uint16Array
  /** x, y, z in metres, the quaternion x, y, z, w, and whether it moves, of each `[indices x 8]`. */
  readonly poses: Float32Array
  /** Ticks so far. */
  readonly ticks: number
  /** Cubes that differed from the tick before, summed up over these ticks. */
  readonly changes: number
  /** All seats that are taken, when that changed. */
  readonly seats: readonly Seat[] | undefined
}

export const POSE = 8

/** From a server: it listens; a player came (with what it calls itself, to get its cube back), steers, or went. */
export type Notice =
  | { readonly kind: 'ready' }
  | { readonly kind: 'join'; readonly client: number; readonly ticket: string }
  | { readonly kind: 'steer'; readonly client: number; readonly x: number; readonly y: number; readonly force: number }
  | { readonly kind: 'leave'; readonly client: number }
