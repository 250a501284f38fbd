// Generated from the DC file beside it. Do not edit.
import type { DClass, Message, Schema } from 'bitecs-pipes'

/** `dclass Thing` */
export declare const Thing: DClass & {
  /**
   * Owners write their own position; everybody sees it, smoothly.
   * `Vec2 position broadcast ram ownsend interp_hermite`
   */
  readonly position: {
    /** `int16/10(0-1000) x`: 0 to 1000 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10(0-1000) y`: 0 to 1000 in steps of 0.1 */
    readonly y: Float32Array
  }
  /**
   * Counted up when a thing jumps elsewhere: nothing is shown of the way.
   * `uint8 jumps broadcast ram interp_teleport`: 0 to 255
   */
  readonly jumps: Uint8Array
}

/** `dclass Player : Thing` */
export declare const Player: DClass & {
  /**
   * Owners write their own position; everybody sees it, smoothly.
   * `Vec2 position broadcast ram ownsend interp_hermite`
   */
  readonly position: {
    /** `int16/10(0-1000) x`: 0 to 1000 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10(0-1000) y`: 0 to 1000 in steps of 0.1 */
    readonly y: Float32Array
  }
  /**
   * Counted up when a thing jumps elsewhere: nothing is shown of the way.
   * `uint8 jumps broadcast ram interp_teleport`: 0 to 255
   */
  readonly jumps: Uint8Array
  /** `string(0-16) name required broadcast ram ownsend`: 0 to 16 bytes of UTF-8 */
  readonly name: string[]
  /** `uint16%360 hue required broadcast ram`: 0 to 359, wraps around at 360 */
  readonly hue: Float32Array
  /** `uint16 score broadcast ram`: 0 to 65535 */
  readonly score: Uint16Array
}

/** `dclass Firefly : Thing` */
export declare const Firefly: DClass & {
  /**
   * Owners write their own position; everybody sees it, smoothly.
   * `Vec2 position broadcast ram ownsend interp_hermite`
   */
  readonly position: {
    /** `int16/10(0-1000) x`: 0 to 1000 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10(0-1000) y`: 0 to 1000 in steps of 0.1 */
    readonly y: Float32Array
  }
  /**
   * Counted up when a thing jumps elsewhere: nothing is shown of the way.
   * `uint8 jumps broadcast ram interp_teleport`: 0 to 255
   */
  readonly jumps: Uint8Array
  /**
   * Sent to everybody when one is caught; `by` is the player's entity, on each side its own.
   * `caught(DoId by) broadcast`
   * - by: the id of an entity, 0 for none
   */
  readonly caught: Message<{ by: number }>
}

declare const schema: Schema<{
  readonly Thing: typeof Thing
  readonly Player: typeof Player
  readonly Firefly: typeof Firefly
}>
export default schema
