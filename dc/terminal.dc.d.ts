// Generated from the DC file beside it. Do not edit.
import type { DClass, Message, Schema } from 'bitecs-pipes'

/** `dclass Node` */
export declare const Node: DClass & {
  /** `Vec2 position broadcast ram ownsend interp_linear` */
  readonly position: { readonly x: Float32Array; readonly y: Float32Array }
}

/** `dclass Avatar : Node` */
export declare const Avatar: DClass & {
  /** `Vec2 position broadcast ram ownsend interp_linear` */
  readonly position: { readonly x: Float32Array; readonly y: Float32Array }
  /** `string(0-24) name required broadcast ram` */
  readonly name: string[]
  /** `say(string(1-200) text) ownsend` */
  readonly say: Message<{ text: string }>
  /** `said(string(1-200) text) broadcast` */
  readonly said: Message<{ text: string }>
}

/** `dclass Satellite : Node` */
export declare const Satellite: DClass & {
  /** `Vec2 position broadcast ram ownsend interp_linear` */
  readonly position: { readonly x: Float32Array; readonly y: Float32Array }
  /** `int16/10%360 heading broadcast ram interp_angle` */
  readonly heading: Float32Array
}

declare const schema: Schema<{
  readonly Node: typeof Node
  readonly Avatar: typeof Avatar
  readonly Satellite: typeof Satellite
}>
export default schema
