// Generated from the DC file beside it. Do not edit.
import type { DClass, Schema } from 'bitecs-pipes'

/** `dclass Cube` */
export declare const Cube: DClass & {
  /**
   * Metres, in 512 steps each: the field is 40 metres wide, with its middle at 0.
   * `Place position broadcast ram interp_linear`
   */
  readonly position: {
    /** `int16/512(-24 - 24) x`: -24 to 24 in steps of 0.00195313 */
    readonly x: Float32Array
    /** `int16/512(-24 - 24) y`: -24 to 24 in steps of 0.00195313 */
    readonly y: Float32Array
    /** `uint16/512(0-48) z`: 0 to 48 in steps of 0.00195313 */
    readonly z: Float32Array
  }
  /** `quat32 rotation broadcast ram interp_quat` */
  readonly rotation: { readonly x: Float32Array; readonly y: Float32Array; readonly z: Float32Array; readonly w: Float32Array }
  /**
   * Whether it moves, or did a moment ago.
   * `bool interacting broadcast ram`: true or false
   */
  readonly interacting: Uint8Array
}

/**
 * A big cube. Its owner steers, which nobody else hears of.
 * `dclass Player : Cube`
 */
export declare const Player: DClass & {
  /**
   * Metres, in 512 steps each: the field is 40 metres wide, with its middle at 0.
   * `Place position broadcast ram interp_linear`
   */
  readonly position: {
    /** `int16/512(-24 - 24) x`: -24 to 24 in steps of 0.00195313 */
    readonly x: Float32Array
    /** `int16/512(-24 - 24) y`: -24 to 24 in steps of 0.00195313 */
    readonly y: Float32Array
    /** `uint16/512(0-48) z`: 0 to 48 in steps of 0.00195313 */
    readonly z: Float32Array
  }
  /** `quat32 rotation broadcast ram interp_quat` */
  readonly rotation: { readonly x: Float32Array; readonly y: Float32Array; readonly z: Float32Array; readonly w: Float32Array }
  /**
   * Whether it moves, or did a moment ago.
   * `bool interacting broadcast ram`: true or false
   */
  readonly interacting: Uint8Array
  /** `uint8(0-15) seat required broadcast ram`: 0 to 15 */
  readonly seat: Uint8Array
  /**
   * Which way a player pushes its cube, -1 to 1, and what the cube does to the others: 0 nothing, 1 pulls, 2 pushes.
   * `Steering steering ownsend ownrecv`
   */
  readonly steering: {
    /** `int8/100(-1 - 1) x`: -1 to 1 in steps of 0.01 */
    readonly x: Float32Array
    /** `int8/100(-1 - 1) y`: -1 to 1 in steps of 0.01 */
    readonly y: Float32Array
    /** `uint8(0-2) force`: 0 to 2 */
    readonly force: Uint8Array
  }
}

/**
 * One object with what a page cannot count: how many cubes differed from the tick before, summed up over all ticks.
 * `dclass Scene`
 */
export declare const Scene: DClass & {
  /** `uint32 ticks broadcast ram`: 0 to 4294967295 */
  readonly ticks: Uint32Array
  /** `uint32 changes broadcast ram`: 0 to 4294967295 */
  readonly changes: Uint32Array
}

declare const schema: Schema<{
  readonly Cube: typeof Cube
  readonly Player: typeof Player
  readonly Scene: typeof Scene
}>
export default schema
