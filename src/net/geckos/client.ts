import createChannel from '@geckos.io/client'
import type { ClientTransport, Connection } from '../transport.ts'
import { createEndpoint, type Endpoint } from './endpoint.ts'
import { installNodeWebRTC, isNode } from './node-webrtc.ts'

/** Options of the client's transport. */
export interface GeckosClientOptions {
  /** Scheme and host of the server. Default: those of the page; `http://127.0.0.1` in Node. */
  url?: string
  /** TCP port of the signalling. Default: the port in `url`, else 9208. `null`: that in `url`, else the scheme's own. */
  port?: number | null
  /** Path in front of the signalling, where a reverse proxy puts it: `'/game'`. Default none. */
  path?: string
  /** STUN and TURN servers. Default none. */
  iceServers?: RTCIceServer[]
  /** Value of the `Authorization` header, or a function that gets a fresh one for each attempt. Default none. */
  authorization?: string | (() => string | Promise<string>)
  /** Milliseconds until an attempt to connect is given up. Default 10 000. */
  connectTimeout?: number
}

/** The members of geckos' client 3.1 that the transport builds on; TypeScript-private there. */
interface Manager {
  onDataChannel: (event: RTCDataChannelEvent) => void
  fetchAdditionalCandidates: (host: string, id: string) => Promise<void>
  localPeerConnection?: RTCPeerConnection
}

const LABEL = 'geckos.io'
/** Milliseconds between the session's close and the hang-up, in which its last packets go out. */
const LINGER = 100
/** Handshakes per `connect`. */
const MAX_ATTEMPTS = 4

const timeoutOf = (options: GeckosClientOptions): number => options.connectTimeout ?? 10_000

/** `https://host:port/path` without a slash at the end. */
const baseOf = (options: GeckosClientOptions): string => {
  const page =
    typeof location === 'object' && location.hostname ? `${location.protocol}//${location.hostname}` : undefined
  const text = options.url ?? page ?? 'http://127.0.0.1'
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new TypeError(`geckos: url is ${JSON.stringify(text)}; it must look like 'https://game.example'`, { cause })
  }
  const port = options.port === undefined ? url.port || '9208' : options.port === null ? url.port : String(options.port)
  const path = `${url.pathname}/${options.path ?? ''}`.replace(/\/+/g, '/').replace(/\/$/, '')
  return `${url.protocol}//${url.hostname}${port && `:${port}`}${path}`
}

/** What geckos hands over instead of an Error: the failed fetch, or the status of the server's refusal. */
type Failure = { message?: string; status?: number; cause?: { code?: string; message?: string } }

const REASONS: Record<number, string> = {
  401: 'the server refused the authorization (401)',
  403: "the server refused this page's origin (403): add it to cors.origin of the server's transport",
  404: 'there is no geckos server at this address (404): check url, port and path',
  503: 'the server is full or busy (503): try again later',
}

const describe = (base: string, failure: Failure): Error => {
  const { status } = failure
  if (status !== undefined) {
    const reason = REASONS[status] ?? `the server answered with status ${status}`
    return new Error(`geckos: cannot connect to ${base}: ${reason}`)
  }
  const detail = failure.cause?.code ?? failure.cause?.message ?? failure.message ?? 'unknown error'
  return new Error(
    `geckos: cannot reach ${base} (${detail}). Check that the server runs, that it listens on this host and port ` +
      `(its option host is '127.0.0.1' by default, this machine only), that a firewall lets the TCP port through, and ` +
      `that its cors.origin allows this page`,
    { cause: failure },
  )
}

const timedOut = (base: string, options: GeckosClientOptions, peer: RTCPeerConnection | undefined): Error => {
  const timeout = timeoutOf(options)
  return new Error(
    peer
      ? `geckos: ${base} answered, but no datachannel opened within ${timeout} ms (connection ${peer.connectionState}, ` +
          `ICE ${peer.iceConnectionState}). UDP is probably blocked: check the ` +
          `server's portRange, bindAddress and firewall, and iceServers on both sides (see bindAddress if the server is ` +
          `behind a reverse proxy)`
      : `geckos: ${base} did not answer within ${timeout} ms. Check host and port, and that the server is not overloaded`,
  )
}

/**
 * A handshake that the other side gave up. The server's WebRTC library fails some DTLS handshakes on a busy machine, 0.1 s
 * after ICE connected (measured about 1 in 500; libdatachannel #1632 is such a race), so it is worth another attempt.
 */
class HandshakeLost extends Error {}

/**
 * Asks for the server's late ICE candidates, as geckos does, but only while they matter and without rejections. Resolves
 * with false when the server has given the connection up.
 */
const fetchCandidates = async (manager: Manager, host: string, id: string): Promise<boolean> => {
  try {
    const response = await fetch(`${host}/connections/${id}/additional-candidates`)
    if (!response.ok) return response.status !== 404
    for (const candidate of (await response.json()) as RTCIceCandidateInit[]) {
      await manager.localPeerConnection?.addIceCandidate(candidate)
    }
  } catch {
    // without it the candidates of the offer have to do
  }
  return true
}

const isOver = (peer: RTCPeerConnection): boolean =>
  peer.connectionState === 'failed' || peer.connectionState === 'closed'

/** Milliseconds that a page which is left has for its last packets: not much longer, and it is gone before it hangs up. */
const FAREWELL = 3

/**
 * Chromium puts nothing on the wire before the page's handlers have returned, a busy wait in them included, and a page that is left has no
 * timers any more in time. Messages to itself it has: of 12 pages that were closed, loaded anew or left, 9 got a packet out so, and
 * none when it hung up at once; all of them hung up.
 */
const afterMessages = (action: () => void): void => {
  const { port1, port2 } = new MessageChannel()
  const end = performance.now() + FAREWELL
  port1.onmessage = () => {
    if (performance.now() < end) port2.postMessage(0)
    else action()
  }
  port2.postMessage(0)
}

/** Makes the endpoint of an announced channel, before its first message. */
const endpointOf = (channel: RTCDataChannel, peer: RTCPeerConnection, base: string): Endpoint => {
  const endpoint = createEndpoint({
    address: base,
    // Copied, since a browser may keep the view until it is sent.
    send: packet => {
      if (channel.readyState !== 'open' || packet.byteLength === 0) return
      try {
        channel.send(packet.slice())
      } catch {
        // the browser's send buffer is full, or the channel is closing: a lost datagram
      }
    },
    close: () => void setTimeout(end, LINGER),
    report: (error, where) => console.error(`geckos: ${where} failed:`, error),
  })
  const end = (): void => {
    if (typeof removeEventListener === 'function') removeEventListener('pagehide', onPageHide)
    channel.close()
    peer.close()
    endpoint.end()
  }
  // One that may be shown again is left to the browser: it is frozen with its connection, or that is closed.
  const onPageHide = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) afterMessages(end)
  }

  channel.binaryType = 'arraybuffer'
  // In place of geckos' parser, which turns text into events and throws on some.
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (Object.prototype.toString.call(data) === '[object ArrayBuffer]')
      endpoint.deliver(new Uint8Array(data as ArrayBuffer))
  }
  // geckos waits for the connection state, which takes 5.6 s in Chromium; the channel closes at once.
  channel.addEventListener('close', end)
  peer.addEventListener('connectionstatechange', () => {
    if (isOver(peer)) end()
  })
  if (typeof addEventListener === 'function') addEventListener('pagehide', onPageHide)
  return endpoint
}

/** One handshake, given up after `left` milliseconds. */
const attempt = (base: string, options: GeckosClientOptions, authorization: string | undefined, left: number) => {
  const channel = createChannel({
    url: base,
    port: null as unknown as number,
    authorization,
    label: LABEL,
    iceServers: (options.iceServers ?? []).map(server => ({ ...server })),
  })
  const manager = (channel as unknown as { connectionsManager?: Manager }).connectionsManager
  if (typeof manager?.onDataChannel !== 'function' || typeof manager.fetchAdditionalCandidates !== 'function') {
    throw new Error('geckos: this version of @geckos.io/client is not supported; install @geckos.io/client@3.1')
  }

  return new Promise<Connection>((resolve, reject) => {
    let state: 'connecting' | 'connected' | 'failed' = 'connecting'
    const fail = (error: Error): void => {
      if (state !== 'connecting') return
      state = 'failed'
      clearTimeout(timer)
      manager.localPeerConnection?.close()
      reject(error)
    }
    const lost = (): void => fail(new HandshakeLost(`geckos: ${base} closed the connection while it opened`))
    const timer = setTimeout(() => fail(timedOut(base, options, manager.localPeerConnection)), left)

    // geckos calls this ten times in ten seconds, from when it has made its connection.
    let watched = false
    manager.fetchAdditionalCandidates = async (host, id) => {
      const peer = manager.localPeerConnection
      // An attempt that was given up before there was a connection: close that now.
      if (state === 'failed') peer?.close()
      if (state !== 'connecting' || !peer) return
      if (!watched) peer.addEventListener('connectionstatechange', () => isOver(peer) && lost())
      watched = true
      if (isOver(peer) || !(await fetchCandidates(manager, host, id))) lost()
    }
    const remember = manager.onDataChannel
    manager.onDataChannel = event => {
      remember(event)
      const peer = manager.localPeerConnection
      if (event.channel.label !== LABEL || !peer) return
      if (state === 'failed') return peer.close()
      const endpoint = endpointOf(event.channel, peer, base)
      const onOpen = (): void => {
        if (state !== 'connecting') return
        state = 'connected'
        clearTimeout(timer)
        resolve(endpoint.connection)
      }
      event.channel.addEventListener('close', lost)
      if (event.channel.readyState === 'open') onOpen()
      else event.channel.addEventListener('open', onOpen)
    }
    const onFailure = (failure: unknown): void => {
      // Node's fetch reused a connection that the server had closed: after a restart of the server.
      if ((failure as Failure).cause?.code === 'UND_ERR_SOCKET') lost()
      else fail(describe(base, failure as Failure))
    }
    channel.onConnect(failure => failure && onFailure(failure)).catch(onFailure)
  })
}

const connect = async (options: GeckosClientOptions): Promise<Connection> => {
  const base = baseOf(options)
  const end = performance.now() + timeoutOf(options)
  if (typeof RTCPeerConnection === 'undefined') {
    if (!isNode()) throw new Error('geckos: this browser has no WebRTC (RTCPeerConnection), or it is switched off')
    await installNodeWebRTC()
  }
  for (let attempts = 1; ; attempts++) {
    const { authorization } = options
    const header = typeof authorization === 'function' ? await authorization() : authorization
    try {
      return await attempt(base, options, header, Math.max(0, end - performance.now()))
    } catch (error) {
      if (!(error instanceof HandshakeLost) || attempts === MAX_ATTEMPTS) throw error
    }
  }
}

/**
 * Makes the client's transport over geckos.io, for browsers and, with `node-datachannel` installed, for Node.
 * Each `connect` makes a new connection, and tries again while `connectTimeout` lasts when the handshake was lost. A page
 * that is left (`pagehide`) closes its connection; a session that says goodbye first listens to that event in the capture
 * phase.
 */
export const geckos = (options: GeckosClientOptions = {}): ClientTransport => ({ connect: () => connect(options) })
