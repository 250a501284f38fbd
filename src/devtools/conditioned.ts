import { checkConditions, conditionDatagram, createConditioner, PERFECT_LINK } from '../net/conditioner.ts'
import type { LinkPair } from '../net/memory.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'

/** A perfect link both ways, to be made worse: its numbers may be changed at any time. */
export const perfectLink = (): LinkPair => ({ up: { ...PERFECT_LINK }, down: { ...PERFECT_LINK } })

const seconds = (): number => performance.now() / 1000

/**
 * The same connection over a link that is as bad as `link` says, on top of what it is anyway. `onSent` and `onArrived` see
 * each datagram as the client sends it, and as the client gets it.
 */
export const conditionConnection = (
  inner: Connection,
  link: LinkPair,
  onSent: (packet: Uint8Array) => void = () => {},
  onArrived: (packet: Uint8Array) => void = () => {},
): Connection => {
  const up = createConditioner(Math.random)
  const down = createConditioner(Math.random)
  let isClosed = false
  const later = (at: number, now: number, act: () => void): void => {
    if (at <= now) act()
    else setTimeout(act, (at - now) * 1000)
  }
  const outer: Connection = {
    address: inner.address,
    authorization: inner.authorization,
    send(packet) {
      onSent(packet)
      const now = seconds()
      const dues = conditionDatagram(up, link.up, now, packet.length)
      for (const due of dues) {
        // Whoever sends may use the bytes again as soon as this returns.
        const bytes = due <= now ? packet : packet.slice()
        later(due, now, () => {
          if (!isClosed) inner.send(bytes)
        })
      }
    },
    close() {
      isClosed = true
      inner.close()
    },
    onPacket: () => {},
    onClose: () => {},
  }
  inner.onPacket = packet => {
    const now = seconds()
    for (const due of conditionDatagram(down, link.down, now, packet.length))
      later(due, now, () => {
        if (isClosed) return
        onArrived(packet)
        outer.onPacket(packet)
      })
  }
  inner.onClose = () => outer.onClose()
  return outer
}

/**
 * A client's transport over a link that is as bad as you like, on top of what it is anyway: to see how a game feels to a player
 * far away. The overlay's sliders do the same to any client.
 *
 * @example
 * const link = perfectLink()
 * const client = createClient(world, schema, { transport: conditioned(geckos(), link) })
 * link.down.lag = 0.1 // seconds, from now on
 *
 * Throws a `RangeError` for conditions that make no sense.
 */
export const conditioned = (transport: ClientTransport, link: LinkPair): ClientTransport => {
  checkConditions(link.up)
  checkConditions(link.down)
  return {
    connect() {
      const opening = transport.connect()
      return opening instanceof Promise
        ? opening.then(inner => conditionConnection(inner, link))
        : conditionConnection(opening, link)
    },
  }
}
