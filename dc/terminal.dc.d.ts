// Generated from the DC file beside it. Do not edit.
import type { DClass, Message, Schema } from 'bitecs-pipes'

/** `dclass Node` */
export declare const Node: DClass & {
  /**
   * Metres, to a hundredth.
   * `Vec2 position broadcast ram ownsend interp_linear`
   */
  readonly position: {
    /** `int16/100 x`: -327.68 to 327.67 in steps of 0.01 */
    readonly x: Float32Array
    /** `int16/100 y`: -327.68 to 327.67 in steps of 0.01 */
    readonly y: Float32Array
  }
}

/** `dclass Avatar : Node` */
export declare const Avatar: DClass & {
  /**
   * Metres, to a hundredth.
   * `Vec2 position broadcast ram ownsend interp_linear`
   */
  readonly position: {
    /** `int16/100 x`: -327.68 to 327.67 in steps of 0.01 */
    readonly x: Float32Array
    /** `int16/100 y`: -327.68 to 327.67 in steps of 0.01 */
    readonly y: Float32Array
  }
  /** `string(0-24) name required broadcast ram`: 0 to 24 bytes of UTF-8 */
  readonly name: string[]
  /**
   * `say(string(1-200) text) ownsend`
   * - text: 1 to 200 bytes of UTF-8
   */
  readonly say: Message<{ text: string }>
  /**
   * `said(string(1-200) text) broadcast`
   * - text: 1 to 200 bytes of UTF-8
   */
  readonly said: Message<{ text: string }>
}

/** `dclass Satellite : Node` */
export declare const Satellite: DClass & {
  /**
   * Metres, to a hundredth.
   * `Vec2 position broadcast ram ownsend interp_linear`
   */
  readonly position: {
    /** `int16/100 x`: -327.68 to 327.67 in steps of 0.01 */
    readonly x: Float32Array
    /** `int16/100 y`: -327.68 to 327.67 in steps of 0.01 */
    readonly y: Float32Array
  }
  /** `int16/10%360 heading broadcast ram interp_angle`: 0 to 359.9 in steps of 0.1, wraps around at 360 */
  readonly heading: Float32Array
}

declare const schema: Schema<{
  readonly Node: typeof Node
  readonly Avatar: typeof Avatar
  readonly Satellite: typeof Satellite
}>
export default schema
