import { createBucket, take } from '../bucket.ts'
import { createEndpoint, type Endpoint } from './endpoint.ts'
import type { WebRTCConnection } from './geckos-server.ts'
import type { Settings } from './options.ts'
import type { GeckosStats } from './stats.ts'

/** One peer from its first request to its end. */
export interface Peer {
  readonly address: string
  authorization: unknown
  state: 'pending' | 'open' | 'closed'
  /** The client's answer was handed on; there is one per connection. */
  answered: boolean
  /** Ends the handshake when it takes too long. */
  timer: NodeJS.Timeout | undefined
  webrtc: WebRTCConnection | undefined
  endpoint: Endpoint | undefined
}

/** What the guards of a peer need of the server. */
export interface PeerHost {
  readonly settings: Settings
  readonly stats: GeckosStats
  report(error: unknown, where: string): void
  /** The channel opened: announce the endpoint. */
  opened(peer: Peer, endpoint: Endpoint): void
  /** The peer (`hungUp`), the network, or the transport ended the peer: release it and tell the session. Idempotent. */
  ended(peer: Peer, hungUp?: boolean): void
  /** The session closed the peer: release it, and hang up when what was sent before has gone out. Idempotent. */
  closing(peer: Peer): void
}

/** Dropped packets, in seconds of the allowed rate, after which a peer that keeps flooding is closed. */
const FLOOD_SECONDS = 10

/** Closes a native object that may be closed already. */
const closeQuietly = (closable: { close(): void }): void => {
  try {
    closable.close()
  } catch {
    // destroyed before: nothing left to close
  }
}

/** Closes channel and connection. */
export const hangUp = (webrtc: WebRTCConnection): void => {
  closeQuietly(webrtc.channel.dataChannel)
  closeQuietly(webrtc.peerConnection)
}

/**
 * Takes a fresh connection over from geckos, before the client can have answered: all callbacks of the native channel and connection
 * become ours. They are called by thread-safe functions, where any exception aborts the process, so none throws. With
 * geckos' own handlers gone, so are its message parser (a text frame `null` throws in it), its handling of a channel
 * that opens and closes at once (it reads members of null), its events that a client can forge, and its process-wide
 * event bus.
 */
export const takeOver = (peer: Peer, webrtc: WebRTCConnection, host: PeerHost): void => {
  const { settings, stats } = host
  const { peerConnection } = webrtc
  const channel = webrtc.channel.dataChannel
  const now = performance.now()
  const packets = createBucket(settings.packetRate, settings.packetRate * 2, now)
  const bytes = createBucket(settings.byteRate, settings.byteRate * 2, now)
  const drops = createBucket(settings.packetRate, settings.packetRate * FLOOD_SECONDS, now)
  const malformed = createBucket(1, settings.malformedBudget, now)

  const kick = (): void => {
    if (peer.state === 'closed') return
    stats.kicked++
    host.ended(peer)
  }

  const receive = (message: string | Uint8Array): void => {
    if (peer.state !== 'open') return
    const time = performance.now()
    if (typeof message === 'string') {
      stats.droppedText++
      if (!take(malformed, 1, time)) kick()
    } else if (message.byteLength > settings.maxPacket) {
      stats.oversize++
      if (!take(malformed, 1, time)) kick()
    } else if (!take(packets, 1, time) || !take(bytes, message.byteLength, time)) {
      stats.rateLimited++
      if (!take(drops, 1, time)) kick()
    } else {
      stats.packets++
      stats.bytes += message.byteLength
      peer.endpoint?.deliver(new Uint8Array(message.buffer, message.byteOffset, message.byteLength))
    }
  }

  /** Never throws, whatever `action` does. */
  const safely =
    <T extends unknown[]>(action: (...values: T) => void) =>
    (...values: T): void => {
      try {
        action(...values)
      } catch (error) {
        host.report(error, 'transport')
      }
    }

  const endpoint = createEndpoint({
    address: peer.address,
    authorization: peer.authorization,
    // The native call copies before it returns: nothing to allocate, and nothing that can change later.
    send: packet => {
      try {
        if (channel.isOpen() && channel.bufferedAmount() === 0 && packet.byteLength > 0)
          channel.sendMessageBinary(packet)
        else stats.sendDropped++
      } catch {
        stats.sendDropped++
      }
    },
    close: () => host.closing(peer),
    report: (error, where) => host.report(error, where),
  })

  peer.webrtc = webrtc
  channel.onOpen(
    safely(() => {
      if (peer.state !== 'pending') return
      // Not earlier: the library keeps what arrives until there is a callback, so the open comes first.
      channel.onMessage(safely(receive))
      host.opened(peer, endpoint)
    }),
  )
  // The other end closed it, or its page went: of a network that broke, the connection's state tells first.
  channel.onClosed(safely(() => host.ended(peer, true)))
  channel.onError(() => {})
  peerConnection.onStateChange(
    safely(state => {
      if (state === 'disconnected' || state === 'failed' || state === 'closed') host.ended(peer)
    }),
  )
  // An honest client opens no channel of its own; the library would queue whatever is sent on one.
  peerConnection.onDataChannel(
    safely(foreign => {
      // Without this callback the library frees the channel, and lets the process exit, only after a garbage collection.
      foreign.onClosed(() => {})
      closeQuietly(foreign)
      kick()
    }),
  )
}
