import { MAX_PASSWORD } from '../net/hello.ts'
import { checkOptions, withDefaults, type LiveOptions, type OptionTable } from '../net/options.ts'
import { checkPlayout, type PlayoutOptions } from '../net/playout.ts'
import { MAX_INTERP } from '../net/rates.ts'
import type { ClientTransport } from '../net/transport.ts'

export interface ClientOptions {
  /** How to reach the server: `geckos()` from `bitecs-pipes/geckos/client`, or `memoryNetwork().client()`. */
  readonly transport: ClientTransport
  /** What the server asks for. Default: nothing. */
  readonly password?: string
  /** Packets a second wanted from the server, 1..255; it may grant fewer. Default 20. */
  readonly updateRate?: number
  /**
   * Packets a second sent to the server, 1..255. Default 30. In panda3d-pipes it is 100; but a server of 30 ticks a second takes them in
   * 30 times a second.
   */
  readonly commandRate?: number
  /**
   * Seconds of interpolation delay, 0..1, for a fixed one; 0 lets it follow the link. Default 0. In panda3d-pipes it is 0.1, since it has
   * nothing that follows the link.
   */
  readonly interp?: number
  /**
   * With a fixed delay, this many of the server's packets: the delay is the larger one of `interp` and `interpRatio / updateRate`
   * seconds. Default 2.
   */
  readonly interpRatio?: number
  /** How the display delay is found: see `PlayoutOptions`. Default: adaptive, or fixed when `interp` is given. */
  readonly playout?: PlayoutOptions
  /**
   * Seconds between two pings of `stats`, whose averages are over 16 of them. 0.01..60. Default 0.25. In panda3d-pipes it is 0.5, as a ping
   * is a message there; here every packet is one.
   */
  readonly pingInterval?: number
  /** Seconds without an answer after which the connection counts as lost. Default 5. */
  readonly timeout?: number
  /** Seconds that the client tries to come back when its connection is lost, if the server keeps its session so long; 0: never. Default 3600. */
  readonly resumeTime?: number
  /**
   * Answers the server's challenge (`authenticate`) with at most 1024 bytes, such as a signature of it. Default: none, and
   * `connect` rejects when the server has one (`unverified`).
   */
  readonly respond?: (challenge: Uint8Array) => Uint8Array | Promise<Uint8Array>
  /**
   * Seconds that an object which the client does not see any more is kept, `Disabled`, with its last state: it keeps its entity if it
   * returns in time. Systems then have to leave out what is `Disabled`, or look for `Alive`. Default 0: its entity goes at once, so
   * that `query(world, [Avatar])` has nothing but what is seen. 0..86400.
   */
  readonly disabledTime?: number
  /** Objects that are kept so at once; the one that left first goes for the next. Default 1000. 1..1000000. */
  readonly maxDisabled?: number
  /** Told what message handlers threw, and which owned object holds a value that its DC type does not. Default: console.error. */
  readonly onError?: (error: unknown, where: string) => void
  /** The clock, in seconds. Default: `performance.now() / 1000`. */
  readonly now?: () => number
}

/** What can be given for each option, and what is taken without. */
export const CLIENT_OPTIONS = {
  transport: { type: 'object' },
  password: { type: 'string', default: '', bytes: MAX_PASSWORD, live: true, seed: 'password' },
  updateRate: {
    default: 20,
    least: 1,
    most: 255,
    unit: 'packets a second',
    live: true,
    negotiated: true,
    seed: 'updaterate 20',
  },
  commandRate: {
    default: 30,
    least: 1,
    most: 255,
    unit: 'packets a second',
    live: true,
    negotiated: true,
    seed: 'cmdrate 100',
  },
  interp: { default: 0, least: 0, most: MAX_INTERP, unit: 'seconds', live: true, negotiated: true, seed: 'interp 0.1' },
  interpRatio: { default: 2, least: 0, most: 255, unit: 'packets', live: true, seed: 'interp-ratio 2' },
  playout: { type: 'object', live: true },
  pingInterval: { default: 0.25, least: 0.01, most: 60, unit: 'seconds', live: true, seed: 'ping-interval 0.5' },
  timeout: { default: 5, least: 0.1, most: 3600, unit: 'seconds', live: true },
  resumeTime: { default: 3600, least: 0, most: 3600, unit: 'seconds', live: true },
  respond: { type: 'function' },
  disabledTime: { default: 0, least: 0, most: 86_400, unit: 'seconds', live: true },
  maxDisabled: { default: 1000, least: 1, most: 1_000_000, unit: 'objects', live: true },
  onError: { type: 'function' },
  now: { type: 'function' },
} as const satisfies OptionTable<ClientOptions>

/** What `client.configure` changes. */
export type LiveClientOptions = LiveOptions<ClientOptions, typeof CLIENT_OPTIONS>

/** Rates are whole, as they travel. */
const whole = <Options extends LiveClientOptions>(options: Options): Options => {
  const { updateRate, commandRate, playout } = options
  checkPlayout(playout)
  return {
    ...options,
    ...(updateRate && { updateRate: Math.round(updateRate) }),
    ...(commandRate && { commandRate: Math.round(commandRate) }),
  }
}

/** The options, checked, with defaults for what was left out. Throws a `RangeError` or `TypeError` for what makes no sense. */
export const checkClientOptions = (options: ClientOptions) => {
  if (typeof options.transport?.connect !== 'function')
    throw new TypeError(
      'createClient needs a transport: geckos() from "bitecs-pipes/geckos/client" (install @geckos.io/client), ' +
        'or memoryNetwork().client() from "bitecs-pipes/memory".',
    )
  const all = whole(withDefaults('createClient', CLIENT_OPTIONS, options))
  return {
    ...all,
    playout: all.playout ?? {},
    respond: all.respond,
    now: all.now ?? (() => performance.now() / 1000),
    onError: all.onError ?? ((error: unknown, where: string) => console.error(`bitecs-pipes: ${where} threw`, error)),
  }
}

/** The changes, checked, for `client.configure`. Throws as `createClient` does, and for what does not change while running. */
export const checkClientChanges = (changes: LiveClientOptions): LiveClientOptions =>
  whole(checkOptions('client.configure', CLIENT_OPTIONS, changes, true))
