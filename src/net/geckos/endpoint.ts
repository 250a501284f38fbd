import { type Connection, MAX_PACKET } from '../transport.ts'

/** Packets kept for a session that has not set its callbacks yet; more than a server sends during one round trip. */
const MAX_EARLY = 256

/** A {@link Connection} and the two ends that its datachannel drives. */
export interface Endpoint {
  readonly connection: Connection
  /** A datagram came in. The endpoint keeps the view. */
  deliver(packet: Uint8Array): void
  /** The peer or the network ended the connection; `hungUp`: the peer did, on purpose. */
  end(hungUp?: boolean): void
}

/** What an adapter does for its endpoint. */
export interface Wire {
  address: string
  authorization?: unknown
  /** Sends bytes that may change as soon as the call returns. Not called after the end. */
  send(packet: Uint8Array): void
  /** Takes the channel down. Called at most once, and not when the peer ended it. */
  close(): void
  /** An exception or a rejection of one of the session's callbacks. */
  report(error: unknown, where: string): void
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

/**
 * Makes the connection that a session sees. What arrives before the session has set its callbacks is kept, in order,
 * and handed over in the microtask after it sets them. An exception in a callback goes to `report`, never up:
 * on a server it would abort the process, because the caller is a native thread-safe function.
 */
export const createEndpoint = (wire: Wire): Endpoint => {
  const noop = (): void => {}
  let onPacket: Connection['onPacket'] = noop
  let onClose: Connection['onClose'] = noop
  let early: Uint8Array[] = []
  let attached = false
  let attaching = false
  let closed = false
  let ended = false
  let wasHungUp = false

  const settle = (result: unknown, where: string): void => {
    if (isThenable(result)) result.then(undefined, error => wire.report(error, where))
  }

  const tellPacket = (packet: Uint8Array): void => {
    try {
      settle(onPacket(packet), 'onPacket')
    } catch (error) {
      wire.report(error, 'onPacket')
    }
  }

  const tellClose = (): void => {
    try {
      settle(onClose(wasHungUp), 'onClose')
    } catch (error) {
      wire.report(error, 'onClose')
    }
  }

  const attach = (): void => {
    attached = true
    const packets = early
    early = []
    for (const packet of packets) if (!closed) tellPacket(packet)
    if (ended && !closed) tellClose()
  }

  const attachSoon = (): void => {
    if (attaching) return
    attaching = true
    queueMicrotask(attach)
  }

  const connection: Connection = {
    address: wire.address,
    authorization: wire.authorization,
    send: packet => {
      if (packet.byteLength > MAX_PACKET) {
        throw new RangeError(`geckos: a packet of ${packet.byteLength} bytes; a datagram carries ${MAX_PACKET}`)
      }
      if (!closed && !ended) wire.send(packet)
    },
    close: () => {
      if (closed) return
      closed = true
      if (!ended) wire.close()
    },
    get onPacket() {
      return onPacket
    },
    set onPacket(callback) {
      onPacket = callback
      attachSoon()
    },
    get onClose() {
      return onClose
    },
    set onClose(callback) {
      onClose = callback
      attachSoon()
    },
  }

  return {
    connection,
    deliver: packet => {
      if (closed || ended) return
      if (attached) tellPacket(packet)
      else if (early.length < MAX_EARLY) early.push(packet)
    },
    end: (hungUp = false) => {
      if (closed || ended) return
      ended = true
      wasHungUp = hungUp
      if (attached) tellClose()
    },
  }
}
