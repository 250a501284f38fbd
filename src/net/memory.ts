import { takeAllDecoders } from './all-decoders.ts'
import {
  checkConditions,
  conditionDatagram,
  createConditioner,
  PERFECT_LINK,
  type Conditioner,
  type LinkConditions,
} from './conditioner.ts'
import { random } from './random.ts'
import { MAX_PACKET, type ClientTransport, type Connection, type ServerTransport } from './transport.ts'

/** `up` is from a client to the server, `down` from the server to a client. */
export type Direction = 'up' | 'down'

export interface MemoryNetworkOptions {
  /** Seed of everything random; the same seed and the same calls give the same network. Default 1. */
  seed?: number
  /**
   * A virtual clock, seconds. Given one, the network uses no timers: nothing arrives but inside `deliver()`.
   * Default: real time and timers, for a listen server in a browser or a process.
   */
  now?: () => number
  /** Both directions; default a perfect link. */
  conditions?: Partial<LinkConditions>
  /** Client to server, over `conditions`. */
  up?: Partial<LinkConditions>
  /** Server to client, over `conditions`. */
  down?: Partial<LinkConditions>
}

/** Both directions of a link. */
export interface LinkPair {
  up: LinkConditions
  down: LinkConditions
}

/** Counts of datagrams in one direction, all clients together. `sent + duplicated = delivered + lost + under way`. */
export interface LinkStats {
  sent: number
  delivered: number
  /** By the conditions, for want of bandwidth, or because the receiving end had closed. */
  lost: number
  duplicated: number
  /** Payload bytes sent. */
  bytes: number
}

/** A server and its clients in one process, joined by links of any quality. */
export interface MemoryNetwork {
  readonly server: ServerTransport
  /**
   * A transport for one client; `authorization` is what the server finds on its connection. With `link`, the client has
   * conditions of its own in place of the network's, which may be changed at any time too.
   */
  client(authorization?: unknown, link?: LinkPair): ClientTransport
  /** May be changed at any time; datagrams under way keep the fate they were sent with. */
  readonly conditions: LinkPair
  /**
   * Delivers everything that is due at `now()`. What is sent in answer arrives in the next call at the earliest,
   * however small the lag, so that two sides that answer each other cannot hold it for ever.
   */
  deliver(): void
  /** Datagrams and close notices under way. */
  readonly pending: number
  readonly stats: { readonly up: LinkStats; readonly down: LinkStats }
  /**
   * Sees every datagram as it is sent, also those the link then loses; `client` is the address the server knows that
   * client by. For tests (what a client may not see never leaves the server) and recordings. The bytes are not to be
   * changed.
   */
  tap?: ((direction: Direction, packet: Uint8Array, client: string) => void) | undefined
}

/** One end of a link, as the network keeps it. */
interface End {
  readonly connection: Connection
  readonly direction: Direction
  readonly link: LinkPair
  readonly conditioner: Conditioner
  readonly client: string
  peer: End | undefined
  open: boolean
}

interface Arrival {
  /** Seconds. */
  readonly due: number
  readonly order: number
  readonly to: End
  /** Nothing for a close notice. */
  readonly packet: Uint8Array | undefined
}

/**
 * An in-process transport with a link conditioner, for listen servers, tests and benchmarks.
 *
 * Each client has a link of its own: loss bursts and bandwidth are per client and direction. Packets are copied at
 * `send`; one over `MAX_PACKET` throws. `connect` resolves at once, without a round trip; it rejects when the server
 * does not listen.
 *
 * @example
 * let time = 0
 * const network = memoryNetwork({ now: () => time, conditions: { lag: 0.05, jitter: 0.01, loss: 0.02 } })
 * await network.server.listen(connection => { connection.onPacket = packet => connection.send(packet) })
 * const connection = await network.client().connect()
 * connection.send(Uint8Array.of(1, 2, 3))
 * time = 0.1
 * network.deliver()
 */
export function memoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  // Nothing here is worth waiting for: a client is in as soon as the server answers.
  takeAllDecoders()
  const now = options.now ?? (() => performance.now() / 1000)
  const seeds = random(options.seed ?? 1)
  const conditions = {
    up: { ...PERFECT_LINK, ...options.conditions, ...options.up },
    down: { ...PERFECT_LINK, ...options.conditions, ...options.down },
  }
  checkConditions(conditions.up)
  checkConditions(conditions.down)
  const stats = { up: noStats(), down: noStats() }
  // Latest first, so that the next to arrive is popped off the end.
  const arrivals: Arrival[] = []
  const serverEnds = new Set<End>()
  let accept: ((connection: Connection) => void) | undefined
  let connections = 0
  let order = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let timerDue = Infinity

  const network: MemoryNetwork = {
    server: {
      async listen(onConnection) {
        if (accept) throw new Error('memory network: the server listens already; close it or use a second network')
        accept = onConnection
      },
      async close() {
        accept = undefined
        for (const end of serverEnds) end.connection.close()
      },
    },
    client(authorization, link = conditions) {
      checkConditions(link.up)
      checkConditions(link.down)
      return { connect: async () => connect(authorization, link) }
    },
    conditions,
    deliver,
    get pending() {
      return arrivals.length
    },
    stats,
  }
  return network

  function connect(authorization: unknown, link: LinkPair): Connection {
    if (!accept) throw new Error('memory network: nobody listens; await server.listen(...) before a client connects')
    const address = `memory:${++connections}`
    const clientEnd = createEnd('up', link, 'memory:server', address)
    const serverEnd = createEnd('down', link, address, address, authorization)
    clientEnd.peer = serverEnd
    serverEnd.peer = clientEnd
    serverEnds.add(serverEnd)
    accept(serverEnd.connection)
    return clientEnd.connection
  }

  function createEnd(
    direction: Direction,
    link: LinkPair,
    address: string,
    client: string,
    authorization?: unknown,
  ): End {
    const connection: Connection = {
      address,
      authorization,
      send: packet => send(end, packet),
      close: () => close(end),
      onPacket: () => {},
      onClose: () => {},
    }
    const conditioner = createConditioner(random(seeds() * 2 ** 32))
    const end: End = { connection, direction, link, conditioner, client, peer: undefined, open: true }
    return end
  }

  function send(from: End, packet: Uint8Array): void {
    if (packet.byteLength > MAX_PACKET) {
      throw new RangeError(
        `memory network: a datagram of ${packet.byteLength} bytes is over the limit of ${MAX_PACKET}; split it first`,
      )
    }
    const { direction, peer } = from
    if (!from.open || !peer) return
    // Not packet.slice(): a Node Buffer's slice shares the bytes.
    const copy = new Uint8Array(packet)
    const count = stats[direction]
    count.sent++
    count.bytes += copy.byteLength
    network.tap?.(direction, copy, from.client)
    const dues = conditionDatagram(from.conditioner, from.link[direction], now(), copy.byteLength)
    if (dues.length === 0) count.lost++
    else count.duplicated += dues.length - 1
    // Each arrival is the callee's to keep, and to change.
    for (let i = 0; i < dues.length; i++) schedule(dues[i]!, peer, i === 0 ? copy : new Uint8Array(copy))
  }

  function close(end: End): void {
    if (!end.open) return
    end.open = false
    serverEnds.delete(end)
    if (end.peer?.open) schedule(now() + end.link[end.direction].lag, end.peer, undefined)
  }

  function schedule(due: number, to: End, packet: Uint8Array | undefined): void {
    let low = 0
    let high = arrivals.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (arrivals[middle]!.due > due) low = middle + 1
      else high = middle
    }
    arrivals.splice(low, 0, { due, order: order++, to, packet })
    setTimer()
  }

  function deliver(): void {
    const time = now()
    const end = order
    for (let next = arrivals.at(-1); next && next.due <= time && next.order < end; next = arrivals.at(-1)) {
      arrivals.pop()
      arrive(next)
    }
  }

  function arrive({ to, packet }: Arrival): void {
    if (packet) {
      const count = stats[to.direction === 'up' ? 'down' : 'up']
      if (!to.open) {
        count.lost++
        return
      }
      count.delivered++
      to.connection.onPacket(packet)
    } else if (to.open) {
      to.open = false
      serverEnds.delete(to)
      to.connection.onClose()
    }
  }

  /** Real time only: keeps one timer, for the next arrival. */
  function setTimer(): void {
    const due = arrivals.at(-1)?.due ?? Infinity
    if (options.now || due === timerDue) return
    clearTimeout(timer)
    timerDue = due
    if (due === Infinity) return
    timer = setTimeout(onTimer, Math.max(0, Math.ceil((due - now()) * 1000)))
  }

  function onTimer(): void {
    timerDue = Infinity
    // A callback that throws must not stop the network for the others.
    try {
      deliver()
    } finally {
      setTimer()
    }
  }
}

function noStats(): LinkStats {
  return { sent: 0, delivered: 0, lost: 0, duplicated: 0, bytes: 0 }
}
