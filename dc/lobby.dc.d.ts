// Generated from the DC file beside it. Do not edit.
import type { DClass, Message, Schema } from 'bitecs-pipes'

/** `dclass Node` */
export declare const Node: DClass & {
  /**
   * Garden units, to a tenth of a unit. The garden is 1,600 units wide.
   * `Vec2 position broadcast ram ownsend interp_linear`
   */
  readonly position: {
    /** `int16/10 x`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10 y`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly y: Float32Array
  }
  /** `int16/10%360 heading broadcast ram ownsend interp_angle`: 0 to 359.9 in steps of 0.1, wraps around at 360 */
  readonly heading: Float32Array
}

/**
 * A player. Its owner walks it (ownsend) and the server moves it between zones.
 * `dclass Avatar : Node`
 */
export declare const Avatar: DClass & {
  /**
   * Garden units, to a tenth of a unit. The garden is 1,600 units wide.
   * `Vec2 position broadcast ram ownsend interp_linear`
   */
  readonly position: {
    /** `int16/10 x`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10 y`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly y: Float32Array
  }
  /** `int16/10%360 heading broadcast ram ownsend interp_angle`: 0 to 359.9 in steps of 0.1, wraps around at 360 */
  readonly heading: Float32Array
  /** `string(0-24) name required broadcast ram`: 0 to 24 bytes of UTF-8 */
  readonly name: string[]
  /** `uint8(0-7) look required broadcast ram`: 0 to 7 */
  readonly look: Uint8Array
  /**
   * 0 awake, 1 dozing: state, so that whoever comes later sees it too.
   * `uint8(0-1) mood broadcast ram ownsend`: 0 to 1
   */
  readonly mood: Uint8Array
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
  /**
   * 0 wave, 1 heart, 2 laugh, 3 surprise: seen by who is near, now or never.
   * `emote(uint8(0-3) kind) ownsend broadcast unreliable`
   * - kind: 0 to 3
   */
  readonly emote: Message<{ kind: number }>
}

/**
 * A creature of the garden, walked by the server.
 * `dclass Npc : Node`
 */
export declare const Npc: DClass & {
  /**
   * Garden units, to a tenth of a unit. The garden is 1,600 units wide.
   * `Vec2 position broadcast ram ownsend interp_linear`
   */
  readonly position: {
    /** `int16/10 x`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly x: Float32Array
    /** `int16/10 y`: -3276.8 to 3276.7 in steps of 0.1 */
    readonly y: Float32Array
  }
  /** `int16/10%360 heading broadcast ram ownsend interp_angle`: 0 to 359.9 in steps of 0.1, wraps around at 360 */
  readonly heading: Float32Array
  /** `uint8(0-5) kind required broadcast ram`: 0 to 5 */
  readonly kind: Uint8Array
  /** `chirp() broadcast unreliable` */
  readonly chirp: Message<{}>
}

/**
 * One object in a zone that everybody sees.
 * `dclass Lobby`
 */
export declare const Lobby: DClass & {
  /** `uint16 population broadcast ram`: 0 to 65535 */
  readonly population: Uint16Array
  /**
   * kind: joined, left.
   * `announce(string(0-16) kind, string(0-24) name) broadcast`
   * - kind: 0 to 16 bytes of UTF-8
   * - name: 0 to 24 bytes of UTF-8
   */
  readonly announce: Message<{ kind: string; name: string }>
}

declare const schema: Schema<{
  readonly Node: typeof Node
  readonly Avatar: typeof Avatar
  readonly Npc: typeof Npc
  readonly Lobby: typeof Lobby
}>
export default schema
