import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/**
 * The members of `@geckos.io/server` 3.1 that the transport builds on, as structural types: geckos' own declarations need
 * the DOM library. All of them are public there.
 */
export interface GeckosServer {
  connectionsManager: ConnectionsManager
  addServer(server: Server): void
}

export interface ConnectionsManager {
  readonly connections: Map<string, WebRTCConnection>
  createConnection(
    authorization: string | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ status: number; connection?: { id: string; localDescription?: unknown } }>
  /** Declared private; replaced, because geckos draws ids from `Math.random`. */
  createId(): string
}

export interface WebRTCConnection {
  readonly id: string
  /** The manager's map, of which this is an entry. */
  readonly connections: Map<string, WebRTCConnection>
  readonly peerConnection: NativePeerConnection
  readonly channel: { readonly dataChannel: NativeDataChannel }
}

/** `PeerConnection` of node-datachannel. */
export interface NativePeerConnection {
  close(): void
  onStateChange(callback: (state: string) => void): void
  onDataChannel(callback: (channel: NativeDataChannel) => void): void
}

/** `DataChannel` of node-datachannel. Setting a callback replaces the one before. */
export interface NativeDataChannel {
  close(): void
  isOpen(): boolean
  bufferedAmount(): number
  sendMessageBinary(bytes: Uint8Array): boolean
  onOpen(callback: () => void): void
  onClosed(callback: () => void): void
  onError(callback: (error: string) => void): void
  onMessage(callback: (message: string | Uint8Array) => void): void
}

type Factory = (options: object) => GeckosServer

const HELP = `geckos: the server's transport could not load its optional peer dependency @geckos.io/server.
  1. Install it:  npm install @geckos.io/server
  2. Its WebRTC library compiles during installation where no prebuilt one can be downloaded. A version that ships prebuilt
     binaries avoids that; put this in the package.json of your application (the root project) and install again:
       npm:   "overrides": { "node-datachannel": "0.33.4" }
       pnpm:  "pnpm": { "overrides": { "node-datachannel": "0.33.4" } }
       yarn:  "resolutions": { "node-datachannel": "0.33.4" }`

/** Imports geckos' server. Rejects with what to install when the package or its native library is missing. */
export const importGeckosServer = async (
  load: () => Promise<unknown> = () => import('@geckos.io/server'),
): Promise<Factory> => {
  try {
    return ((await load()) as { geckos: Factory }).geckos
  } catch (cause) {
    throw new Error(`${HELP}\nThe import failed with: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}
