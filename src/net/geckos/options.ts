import type { IncomingMessage, Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'

/** A STUN or TURN server, as in `RTCIceServer`. */
export interface IceServer {
  urls: string | string[]
  username?: string
  credential?: string
}

/** Options of the server's transport. Every one has a default: `geckos()` serves this machine on port 9208. */
export interface GeckosServerOptions<Authorization = unknown> {
  /** TCP port of the signalling, 0-65535; 0 takes a free one (see `transport.port`). Default 9208. */
  port?: number
  /**
   * Address that the signalling binds to. Default `'127.0.0.1'`: this machine only. `'0.0.0.0'` serves the LAN or the
   * internet. With `server` it is not used.
   */
  host?: string
  /**
   * An HTTP(S) server of yours to answer on instead of an own one. You call its `listen` and `close`; attach your own
   * request handlers before the transport listens.
   */
  server?: Server | SecureServer
  /**
   * Local address of the UDP socket. Default: `host` when that is a loopback address, else all interfaces. Behind a
   * reverse proxy on the same machine set `'0.0.0.0'`.
   */
  bindAddress?: string
  /** UDP ports, 1025-65535, both ends included. Default: any. `{ min: p, max: p }` with `multiplex` needs one open port. */
  portRange?: { min: number; max: number }
  /** One UDP port for all clients. Default true. */
  multiplex?: boolean
  /** STUN and TURN servers, to find the public address behind a NAT. Default none. */
  iceServers?: IceServer[]
  cors?: {
    /**
     * Which pages may connect: an origin such as `'https://game.example'`, a list of them, `'*'`, or a function.
     * Default: pages of the host that the request is addressed to, on any port (so a development server on another
     * port works), where `localhost`, `127.0.0.1` and `[::1]` count as one host. Requests without an `Origin` header,
     * which no browser page can make across origins, are not restricted by this.
     */
    origin?: '*' | string | string[] | ((origin: string, request: IncomingMessage) => boolean)
  }
  /**
   * Decides who may connect, by the `Authorization` header. Returns `false` to refuse with 401, a number of 400-599 to refuse with
   * that HTTP status, or anything else but undefined to accept; the value is `connection.authorization` and stays on the
   * server. An exception refuses with 500. It has `openTimeout` to answer. Default: everybody.
   */
  authorization?: (header: string | undefined, request: IncomingMessage) => Authorization
  /**
   * Address of a peer, for the per-address limit and logs. Default: that of the TCP connection. Behind a reverse proxy read the
   * header that your proxy sets, else all players share one address.
   */
  address?: (request: IncomingMessage) => string
  /** Peers at most, open ones and handshakes. Default 500. */
  maxConnections?: number
  /** Handshakes at one time; more are answered 503. Default 128. */
  maxPending?: number
  /** Peers of one address, open ones and handshakes; more are answered 503. Default 64. */
  maxPerAddress?: number
  /** Handshakes per second of one address; twice `maxPerAddress` pass at once, more are answered 503. Default 20. */
  handshakeRate?: number
  /** Milliseconds from the first request to the open channel. Default 12 000; clients give up after 10 000. */
  openTimeout?: number
  /** Bytes of an HTTP body; more are answered 413. Default 65 536. */
  maxBody?: number
  /** Bytes of an incoming packet; larger ones are dropped and count as malformed. Default 1200. */
  maxPacket?: number
  /** Incoming packets per second and peer; bursts of two seconds' worth pass, the rest is dropped. Default 300. */
  packetRate?: number
  /** Incoming bytes per second and peer; bursts of two seconds' worth pass, the rest is dropped. Default 262 144. */
  byteRate?: number
  /** Malformed packets (text, oversize) of a peer until it is closed; one is forgiven per second. Default 20. */
  malformedBudget?: number
  /** Receives what callbacks throw and reject. Default: `console.error`, at most one line a second after the first five. */
  onError?: (error: unknown, where: string) => void
}

/** Options that stay undefined when they are not given. */
type Optional = 'server' | 'bindAddress' | 'portRange' | 'authorization' | 'onError'

/** The options with their defaults. */
export type Settings = Required<Omit<GeckosServerOptions, Optional | 'cors'>> & {
  [Name in Optional]: GeckosServerOptions[Name] | undefined
} & { origin: NonNullable<GeckosServerOptions['cors']>['origin'] | undefined }

/** `127.0.0.1` rather than `::ffff:127.0.0.1`. */
const remoteAddress = (request: IncomingMessage): string =>
  (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '')

export const isLoopback = (host: string): boolean =>
  /^(localhost|.*\.localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host.toLowerCase())

const assertRange = (name: string, value: number, min: number, max: number): void => {
  if (!(value >= min && value <= max)) {
    throw new RangeError(`geckos: ${name} is ${value}; it must be from ${min} to ${max}`)
  }
}

/** Fills in the defaults. Throws a RangeError that names the option. */
export const settle = (options: GeckosServerOptions): Settings => {
  const host = options.host ?? '127.0.0.1'
  const loopback = options.server === undefined && isLoopback(host)
  const bindAddress = options.bindAddress ?? (loopback ? (host.includes(':') ? '::1' : '127.0.0.1') : undefined)
  const settings: Settings = {
    port: options.port ?? 9208,
    host,
    server: options.server,
    bindAddress: bindAddress === '0.0.0.0' || bindAddress === '::' ? undefined : bindAddress,
    portRange: options.portRange && { ...options.portRange },
    multiplex: options.multiplex ?? true,
    iceServers: options.iceServers ?? [],
    origin: options.cors?.origin,
    authorization: options.authorization,
    address: options.address ?? remoteAddress,
    maxConnections: options.maxConnections ?? 500,
    maxPending: options.maxPending ?? 128,
    maxPerAddress: options.maxPerAddress ?? 64,
    handshakeRate: options.handshakeRate ?? 20,
    openTimeout: options.openTimeout ?? 12_000,
    maxBody: options.maxBody ?? 65_536,
    maxPacket: options.maxPacket ?? 1200,
    packetRate: options.packetRate ?? 300,
    byteRate: options.byteRate ?? 262_144,
    malformedBudget: options.malformedBudget ?? 20,
    onError: options.onError,
  }
  assertRange('port', settings.port, 0, 65_535)
  assertRange('maxConnections', settings.maxConnections, 1, 100_000)
  assertRange('maxPending', settings.maxPending, 1, 100_000)
  assertRange('maxPerAddress', settings.maxPerAddress, 1, 100_000)
  assertRange('handshakeRate', settings.handshakeRate, 0.01, 1e6)
  assertRange('openTimeout', settings.openTimeout, 100, 600_000)
  assertRange('maxBody', settings.maxBody, 4096, 1 << 24)
  assertRange('maxPacket', settings.maxPacket, 1, 262_144)
  assertRange('packetRate', settings.packetRate, 1, 1e6)
  assertRange('byteRate', settings.byteRate, 1, 1e9)
  assertRange('malformedBudget', settings.malformedBudget, 1, 1e6)
  if (settings.portRange) {
    assertRange('portRange.min', settings.portRange.min, 1025, 65_535)
    assertRange('portRange.max', settings.portRange.max, settings.portRange.min, 65_535)
  }
  return settings
}

/** One URL per entry, credentials inside it: the only form that geckos' server hands on to its WebRTC library. */
export const flatIceServers = (servers: IceServer[]): { urls: string }[] =>
  servers.flatMap(({ urls, username, credential }) =>
    [urls].flat().map(url => {
      if (username === undefined || credential === undefined) return { urls: url }
      const [scheme, rest] = url.split(/:(.*)/)
      return { urls: `${scheme}:${encodeURIComponent(username)}:${encodeURIComponent(credential)}@${rest}` }
    }),
  )
