import { randomInt } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Connection, ServerTransport } from '../transport.ts'
import { admit, createAdmission, leave, promote } from './admission.ts'
import { createBucket, take } from '../bucket.ts'
import type { Endpoint } from './endpoint.ts'
import {
  type ConnectionsManager,
  type GeckosServer,
  importGeckosServer,
  type WebRTCConnection,
} from './geckos-server.ts'
import { flatIceServers, type GeckosServerOptions, settle, type Settings } from './options.ts'
import { hangUp, type Peer, type PeerHost, takeOver } from './peer.ts'
import { answerSignalling, type CheckedRequest, isSignalling, type Router } from './signalling.ts'
import { createStats, type GeckosStats } from './stats.ts'

/** The server's side over WebRTC. */
export interface GeckosServerTransport<Authorization = unknown> extends ServerTransport<Authorization> {
  /** Counters of what was accepted and refused. */
  readonly stats: GeckosStats
  /** The TCP port of the signalling once `listen` has resolved, also when the option was 0. */
  readonly port: number
}

/** What `authorization` returns of those whom it accepts. */
type Authorized<Authorization> = Exclude<Awaited<Authorization>, false | undefined>

type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown

/** Marks the one server of this process, across copies of this module. */
const ACTIVE = Symbol.for('bitecs-pipes.geckos.server')
const registry = globalThis as { [ACTIVE]?: boolean }

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * Milliseconds between a session's close and the hang-up: the receiving library handles a close that follows a packet at
 * once before the packet, and a goodbye would be lost (some in 1 of 3 runs without a pause, none with 1 ms).
 */
const LINGER = 50

/** 24 letters (143 bits): the id is all that a client shows to answer for its connection, so it must not be guessed. */
const randomId = (): string => Array.from({ length: 24 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('')

/** TCP connections besides one for each peer; an honest client keeps its own for some seconds. */
const MAX_SOCKETS = 1024

/** Prints at most five errors at once and one a second after that: a client must not be able to fill a disk. */
const consoleReport = (): ((error: unknown, where: string) => void) => {
  const lines = createBucket(1, 5, performance.now())
  return (error, where) => {
    if (take(lines, 1, performance.now())) console.error(`geckos: ${where} failed:`, error)
  }
}

/** geckos' request listener, taken off a server that never listens. */
const routerOf = (io: GeckosServer): Router => {
  const carrier = createServer()
  io.addServer(carrier)
  const [router] = carrier.listeners('request')
  return router as Router
}

const assertSupported = (manager: ConnectionsManager | undefined, router: Router | undefined): void => {
  const isFunction = (value: unknown): boolean => typeof value === 'function'
  if (!isFunction(manager?.createConnection) || !isFunction(manager?.createId) || !isFunction(router)) {
    throw new Error('geckos: this version of @geckos.io/server is not supported; install @geckos.io/server@3.1')
  }
}

const openServer = (settings: Settings): Promise<Server> => {
  // Node looks for requests that take too long only every 30 s unless told otherwise.
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000, connectionsCheckingInterval: 1000 })
  server.maxConnections = MAX_SOCKETS + settings.maxConnections
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${settings.host}:${settings.port}`
      const taken = error.code === 'EADDRINUSE' ? 'is in use; choose another port, or 0 for a free one' : error.message
      reject(new Error(`geckos: ${where} ${taken}`, { cause: error }))
    })
    server.listen(settings.port, settings.host, () => {
      server.removeAllListeners('error')
      server.on('error', () => {})
      resolve(server)
    })
  })
}

/**
 * Makes the server's transport over geckos.io: one unordered, unreliable WebRTC datachannel per client. There can be one that
 * listens per process: geckos and its WebRTC library share state within it.
 *
 * Errors: `listen` rejects when `@geckos.io/server` cannot be loaded (the message tells what to install), when the
 * address is taken, and when another one listens in this process. The options are checked when it is made.
 */
export const geckos = <Authorization = unknown>(
  options: GeckosServerOptions<Authorization> = {},
): GeckosServerTransport<Authorized<Authorization>> => {
  const settings = settle(options)
  const stats = createStats()
  const admission = createAdmission()
  const peers = new Map<string, Peer>()
  const handshakes = new Set<Peer>()
  const lingering = new Set<WebRTCConnection>()
  const print = settings.onError ?? consoleReport()
  let port = settings.port
  let announce: (connection: Connection) => void = () => {}
  let shutDown: (() => Promise<void>) | undefined
  let opening: Promise<void> | undefined

  const report = (error: unknown, where: string): void => {
    stats.callbackErrors++
    try {
      print(error, where)
    } catch {
      // a reporter that throws has nobody left to report to
    }
  }

  /** Gives the peer's places and id back; false when that was done before. */
  const release = (peer: Peer): boolean => {
    if (peer.state === 'closed') return false
    const wasOpen = peer.state === 'open'
    peer.state = 'closed'
    clearTimeout(peer.timer)
    leave(admission, peer.address, wasOpen)
    handshakes.delete(peer)
    if (wasOpen) stats.closed++
    if (peer.webrtc) {
      peers.delete(peer.webrtc.id)
      peer.webrtc.connections.delete(peer.webrtc.id)
    }
    return true
  }

  const ended = (peer: Peer, hungUp = false): void => {
    if (!release(peer)) return
    if (peer.webrtc) hangUp(peer.webrtc)
    peer.endpoint?.end(hungUp)
  }

  const closing = (peer: Peer): void => {
    const { webrtc } = peer
    if (!release(peer) || !webrtc) return
    lingering.add(webrtc)
    setTimeout(() => {
      lingering.delete(webrtc)
      hangUp(webrtc)
    }, LINGER)
  }

  const opened = (peer: Peer, endpoint: Endpoint): void => {
    clearTimeout(peer.timer)
    handshakes.delete(peer)
    peer.state = 'open'
    peer.endpoint = endpoint
    promote(admission)
    stats.opened++
    try {
      const result: unknown = announce(endpoint.connection)
      Promise.resolve(result).catch(error => report(error, 'onConnection'))
    } catch (error) {
      // Nobody took the connection: a peer that no session knows must not stay.
      report(error, 'onConnection')
      ended(peer)
    }
  }

  const host: PeerHost = { settings, stats, report, opened, ended, closing }

  const addressOf = (request: IncomingMessage): string | undefined => {
    try {
      return settings.address(request)
    } catch (error) {
      report(error, 'address')
      return undefined
    }
  }

  /** The status to refuse with, or 200. */
  const authorize = async (peer: Peer, request: IncomingMessage): Promise<number> => {
    if (!settings.authorization) return 200
    try {
      const result = await settings.authorization(request.headers.authorization, request)
      if (result === undefined)
        throw new TypeError('authorization returned nothing: return false, a status, or a value')
      if (typeof result === 'number' && result >= 400 && result <= 599) return result
      peer.authorization = result
      return result === false ? 401 : 200
    } catch (error) {
      report(error, 'authorization')
      return 500
    }
  }

  /** Puts admission, authorization, the open timeout and the guards around geckos' `createConnection`. */
  const guard = (manager: ConnectionsManager): void => {
    const create = manager.createConnection.bind(manager)
    manager.createId = randomId
    manager.createConnection = async (_header, request, response) => {
      const { original } = request as unknown as CheckedRequest
      const address = addressOf(original)
      if (address === undefined) return { status: 500 }
      if (shutDown === undefined || !admit(admission, address, settings, stats, performance.now()))
        return { status: 503 }
      const peer: Peer = {
        address,
        authorization: undefined,
        state: 'pending',
        answered: false,
        timer: undefined,
        webrtc: undefined,
        endpoint: undefined,
      }
      handshakes.add(peer)
      peer.timer = setTimeout(() => {
        stats.openTimeouts++
        ended(peer)
      }, settings.openTimeout)
      // A function, because the compiler takes `peer.state` for unchanged across an await.
      const isOver = (): boolean => peer.state === 'closed' || response.destroyed

      try {
        const status = await authorize(peer, original)
        if (status !== 200) stats.unauthorized++
        if (status !== 200 || isOver()) {
          ended(peer)
          return { status: status === 200 ? 503 : status }
        }
        const result = await create(undefined, request, response)
        const webrtc = result.connection && manager.connections.get(result.connection.id)
        if (!webrtc) {
          ended(peer)
          return { status: 500 }
        }
        takeOver(peer, webrtc, host)
        if (isOver() || result.connection?.localDescription === undefined) {
          ended(peer)
          // The open timeout may have ended it before there was a connection.
          manager.connections.delete(webrtc.id)
          hangUp(webrtc)
          return { status: 503 }
        }
        peers.set(webrtc.id, peer)
        return result
      } catch (error) {
        report(error, 'transport')
        ended(peer)
        return { status: 500 }
      }
    }
  }

  const listen = async (onConnection: (connection: Connection) => void): Promise<void> => {
    if (registry[ACTIVE]) {
      throw new Error(
        'geckos: another geckos server listens in this process; close it first, or start one more process',
      )
    }
    registry[ACTIVE] = true
    try {
      const create = await importGeckosServer()
      const io = create({
        iceServers: flatIceServers(settings.iceServers),
        portRange: settings.portRange,
        multiplex: settings.multiplex,
        bindAddress: settings.bindAddress,
        // Only what a request without an origin, or an allowed one, gets back: others never reach geckos.
        cors: { origin: (request: IncomingMessage) => request.headers.origin ?? '', allowAuthorization: true },
      })
      const router = routerOf(io)
      const manager = io.connectionsManager
      assertSupported(manager, router)
      guard(manager)

      const signalling = {
        settings,
        stats,
        router,
        addressOf: (id: string) => peers.get(id)?.address,
        reading: new Set<string>(),
        answer: (id: string) => {
          const peer = peers.get(id)
          if (!peer || peer.answered) return false
          return (peer.answered = true)
        },
      }
      const server: Server = (settings.server as Server | undefined) ?? (await openServer(settings))
      const before = server.listeners('request') as RequestListener[]
      const onRequest: RequestListener = (request, response) => {
        if (isSignalling(request)) void answerSignalling(request, response, signalling)
        else if (settings.server) for (const listener of before) listener.call(server, request, response)
        else response.writeHead(404).end()
      }
      server.removeAllListeners('request')
      server.on('request', onRequest)
      const bound = server.address()
      if (typeof bound === 'object' && bound !== null) port = bound.port
      announce = onConnection

      shutDown = async () => {
        shutDown = undefined
        server.off('request', onRequest)
        for (const listener of before) server.on('request', listener)
        for (const peer of handshakes) ended(peer)
        for (const peer of peers.values()) closing(peer)
        // Timers run in the order of their times: after this one nothing lingers.
        if (lingering.size > 0) await new Promise(resolve => setTimeout(resolve, LINGER))
        if (!settings.server) {
          await new Promise<void>(resolve => {
            server.close(() => resolve())
            server.closeAllConnections()
          })
        }
        registry[ACTIVE] = false
      }
    } catch (error) {
      registry[ACTIVE] = false
      throw error
    }
  }

  return {
    stats,
    get port() {
      return port
    },
    listen: onConnection => (opening = listen(onConnection as (connection: Connection) => void)),
    async close() {
      // Closed while it opens, it must not stay open for good.
      await opening?.catch(() => {})
      await shutDown?.()
    },
  }
}
