// Generated from the DC file beside it. Do not edit.
import type { DClass, Schema } from 'bitecs-pipes'

/** `dclass Dot` */
export declare const Dot: DClass & {
  /**
   * Pixels of the field, to a tenth.
   * `Vec2 position broadcast ram ownsend interp_linear`
   */
  readonly position: {
    /** `int16/10 x`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10 y`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly y: Float32Array
  }
  /** `string(0-24) name required broadcast ram`: 0 to 24 bytes of UTF-8 */
  readonly name: string[]
  /** `uint16%360 hue required broadcast ram`: 0 to 359, wraps around at 360 */
  readonly hue: Float32Array
}

/** `dclass Ball` */
export declare const Ball: DClass & {
  /**
   * Pixels of the field, to a tenth.
   * `Vec2 position broadcast ram interp_linear`
   */
  readonly position: {
    /** `int16/10 x`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10 y`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly y: Float32Array
  }
  /** `uint16 kicks broadcast ram`: 0 to 65535 */
  readonly kicks: Uint16Array
}

declare const schema: Schema<{
  readonly Dot: typeof Dot
  readonly Ball: typeof Ball
}>
export default schema
