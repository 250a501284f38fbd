/** The largest datagram, in bytes: what one SCTP/DTLS/UDP datagram of a browser carries unfragmented. */
export const MAX_PACKET = 1150

/**
 * One peer, as a transport presents it: unordered, unreliable datagrams of at most {@link MAX_PACKET} bytes.
 *
 * A transport sets up both callbacks as no-ops; the session that takes the connection replaces them
 * synchronously, inside the call that hands the connection over, so no early datagram is lost.
 */
export interface Connection<Authorization = unknown> {
  /** Who this is, for logs and per-address limits: `127.0.0.1`, `memory:3`. Never shown to other clients. */
  readonly address: string
  /** What the transport's own authorization returned for this peer (geckos' `userData`); server side only. */
  readonly authorization?: Authorization
  /**
   * Sends one datagram, or silently drops it when the peer is gone. The bytes are copied before the call returns:
   * the caller may reuse the buffer.
   */
  send(packet: Uint8Array): void
  /** Closes both directions. Idempotent; `onClose` is not called for a close of our own. */
  close(): void
  /** Called with each datagram; the view is the callee's to keep. */
  onPacket: (packet: Uint8Array) => void
  /**
   * Called once when the peer or the network ended the connection. `hungUp`: the transport knows that the peer took it down on
   * purpose, as a page does that is left; a session does not wait for it to come back then.
   */
  onClose: (hungUp?: boolean) => void
}

/** The server's side of a transport: announces each peer that connects, with what its own authorization returned. */
export interface ServerTransport<Authorization = unknown> {
  /** Starts to listen. `onConnection` runs synchronously for each new peer. Rejects when the address is taken. */
  listen(onConnection: (connection: Connection<Authorization>) => void): Promise<void>
  /** Closes every connection and frees the address. */
  close(): Promise<void>
}

/** The client's side of a transport. */
export interface ClientTransport {
  /**
   * Opens a connection. Rejects with an `Error` whose message tells a player's developer what to check. One that needs no
   * waiting may be returned as it is.
   */
  connect(): Promise<Connection> | Connection
}
