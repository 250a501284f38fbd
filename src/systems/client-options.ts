import { createPlayout, type PlayoutOptions } from '../net/playout.ts'
import type { ClientTransport } from '../net/transport.ts'
import type { ClientState } from './client-state.ts'
import { inRange } from './option-range.ts'

export interface ClientOptions {
  /** How to reach the server: `geckos()` from `bitecs-pipes/geckos/client`, or `memoryNetwork().client()`. */
  readonly transport: ClientTransport
  /** What the server asks for. Default: nothing. */
  readonly password?: string
  /** Packets a second wanted from the server, 1..255; it may grant fewer. Default 20. */
  readonly updateRate?: number
  /** Packets a second sent to the server, 1..255. Default 30. */
  readonly commandRate?: number
  /** Seconds of interpolation delay, 0..1, for a fixed one; 0 (default) lets it follow the link. */
  readonly interp?: number
  /** How the display delay is found: see `PlayoutOptions`. Default: adaptive, or fixed when `interp` is given. */
  readonly playout?: PlayoutOptions
  /** Seconds between two pings of `stats`, whose averages are over 16 of them. Default 0.25. */
  readonly pingInterval?: number
  /** Seconds without an answer after which the server counts as gone. Default 10. */
  readonly timeout?: number
  /** Told what message handlers threw, and which owned object holds a value that its DC type does not. Default: console.error. */
  readonly onError?: (error: unknown, where: string) => void
  /** The clock, in seconds. Default: `performance.now() / 1000`. */
  readonly now?: () => number
}

export const rate = (name: string, value: number): number =>
  Math.round(inRange(name, value, 1, 255, 'packets a second'))
export const interpOf = (value: number): number => inRange('interp', value, 0, 1, 'seconds')

/** What the options come to: checked, and with defaults for what was left out. */
export type ClientSettings = Pick<
  ClientState,
  | 'transport'
  | 'password'
  | 'updateRate'
  | 'commandRate'
  | 'interp'
  | 'playout'
  | 'pingInterval'
  | 'timeout'
  | 'now'
  | 'onError'
>

/** Throws a `RangeError` or `TypeError` for options that make no sense. */
export const checkClientOptions = (options: ClientOptions): ClientSettings => {
  if (!options.transport)
    throw new TypeError(
      'createClient needs a transport: geckos() from "bitecs-pipes/geckos/client" (install @geckos.io/client), ' +
        'or memoryNetwork().client() from "bitecs-pipes/memory".',
    )
  // Throws for options that make no sense, now rather than when a session begins.
  createPlayout(options.playout)
  return {
    transport: options.transport,
    password: options.password ?? '',
    updateRate: rate('updateRate', options.updateRate ?? 20),
    commandRate: rate('commandRate', options.commandRate ?? 30),
    interp: interpOf(options.interp ?? 0),
    playout: options.playout ?? {},
    pingInterval: options.pingInterval ?? 0.25,
    timeout: inRange('timeout', options.timeout ?? 10, 0.1, 3600, 'seconds'),
    now: options.now ?? (() => performance.now() / 1000),
    onError: options.onError ?? ((error, where) => console.error(`bitecs-pipes: ${where} threw`, error)),
  }
}
