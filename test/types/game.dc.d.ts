// Generated from the DC file beside it. Do not edit.
import type { DClass, Message, Schema } from 'bitecs-pipes'

/** `dclass Node` */
export declare const Node: DClass & {
  /**
   * Where it is.
   * `Vec2 position broadcast ram`
   */
  readonly position: {
    /**
     * metres to the east
     * `int16/10 x`: -3276.8 to 3276.7 in steps of 0.1
     */
    readonly x: Float32Array
    /** `int16/10 y`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly y: Float32Array
  }
  /** `touch() clsend` */
  readonly touch: Message<{}>
}

/**
 * A player.
 * `dclass Avatar : Node`
 */
export declare const Avatar: DClass & {
  /**
   * Where it is.
   * `Vec2 position broadcast ram`
   */
  readonly position: {
    /**
     * metres to the east
     * `int16/10 x`: -3276.8 to 3276.7 in steps of 0.1
     */
    readonly x: Float32Array
    /** `int16/10 y`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly y: Float32Array
  }
  /** `touch() clsend` */
  readonly touch: Message<{}>
  /** `string(0-24) name required broadcast`: 0 to 24 bytes of UTF-8 */
  readonly name: string[]
  /** `uint8(0-100) health broadcast ram`: 0 to 100, default 100 */
  readonly health: Uint8Array
  /** `int64 money` */
  readonly money: BigInt64Array
  /** `int64/100 debt`: -92233720368547760 to 92233720368547760 in steps of 0.01 */
  readonly debt: Float64Array
  /** `float64 exact` */
  readonly exact: Float64Array
  /** `blob icon` */
  readonly icon: Uint8Array[]
  /** `bool open`: true or false, default true */
  readonly open: Uint8Array
  /** `DoId target`: the id of an entity, 0 for none */
  readonly target: Uint32Array
  /** `Item items[0-10]`: 0 to 10 elements */
  readonly items: { kind: number; name: string }[][]
  /** `uint16 path[][2]` */
  readonly path: number[][][]
  /** `switch extra` */
  readonly extra: ({ kind: 1; text: string } | { kind: 2 | 3; data: Uint8Array } | { kind: number })[]
  /**
   * `say(string(1-200) text, Vec2 where) ownsend`
   * - text: 1 to 200 bytes of UTF-8
   */
  readonly say: Message<{ text: string; where: { x: number; y: number } }>
  /**
   * `said(string(0-24) name, string(1-200) text, Item items[]) broadcast`
   * - name: 0 to 24 bytes of UTF-8
   * - text: 1 to 200 bytes of UTF-8
   */
  readonly said: Message<{ name: string; text: string; items: { kind: number; name: string }[] }>
  /**
   * `shot(DoId by, float32 speed, quat48 turn, bool fast) ownsend unreliable`
   * - by: the id of an entity, 0 for none
   * - fast: true or false
   */
  readonly shot: Message<{ by: number; speed: number; turn: [x: number, y: number, z: number, w: number]; fast: boolean }>
  /**
   * `setX(uint8 x) broadcast`
   * - x: 0 to 255
   */
  readonly setX: Message<{ x: number }>
  /** `setY(string y) broadcast` */
  readonly setY: Message<{ y: string }>
  /**
   * `setXY : setX, setY`
   * - x: 0 to 255
   */
  readonly setXY: Message<{ x: number; y: string }>
}

declare const schema: Schema<{
  readonly Node: typeof Node
  readonly Avatar: typeof Avatar
}>
export default schema
