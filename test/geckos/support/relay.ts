import { createSocket, type Socket } from 'node:dgram'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One direction of a link. */
export interface LinkConditions {
  /** Share of datagrams that are dropped, 0..1. */
  loss: number
  /** Milliseconds from one end to the other. */
  delay: number
  /** Milliseconds that it may take longer, at random, so that datagrams overtake each other. */
  jitter: number
  /** Bits a second, headers of UDP and IP included; Infinity: as much as is offered. */
  rate: number
  /** Milliseconds that a datagram may queue for the rate; one that would wait longer is dropped, as a router does. */
  queue: number
}

/** A link between geckos clients and a geckos server, in the way of what both of them send. */
export interface Relay {
  /** Where clients find the signalling. */
  readonly port: number
  /** To the server, and to the clients; may be changed at any time. */
  readonly up: LinkConditions
  readonly down: LinkConditions
  /** Datagrams and their bytes, of both directions. */
  readonly stats: { offered: number; offeredBytes: number; delivered: number; deliveredBytes: number }
  close(): Promise<void>
}

/** Bytes of UDP's and IP's headers, which a slow link carries too. */
const HEADERS = 28
const CANDIDATE = /(candidate:\S+ \d+ udp \d+) (\S+) (\d+) typ host/gi

const perfect = (): LinkConditions => ({ loss: 0, delay: 0, jitter: 0, rate: Infinity, queue: Infinity })

const bound = async (): Promise<Socket> => {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 })
  socket.on('error', () => {})
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return socket
}

const bodyOf = async (message: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The client's answer without its addresses: the server then knows it only by what comes through the relay. */
const withoutCandidates = (body: string): string => {
  const answer = JSON.parse(body) as { sdp?: unknown }
  if (typeof answer.sdp === 'string') answer.sdp = answer.sdp.replace(/a=candidate:.*\r?\n/g, '')
  return JSON.stringify(answer)
}

/**
 * Stands between clients and the geckos server on this machine whose signalling is at `serverPort`: passes the
 * signalling on, puts its own UDP ports in the place of the server's, one for each client, and delays, drops and queues what
 * comes in there.
 */
export const startRelay = async (
  serverPort: number,
  up: Partial<LinkConditions> = {},
  down: Partial<LinkConditions> = {},
): Promise<Relay> => {
  const sockets: Socket[] = []
  const timers = new Set<NodeJS.Timeout>()
  const stats = { offered: 0, offeredBytes: 0, delivered: 0, deliveredBytes: 0 }
  const links = { up: { ...perfect(), ...up }, down: { ...perfect(), ...down } }

  /** One direction of one client's link. `line.freeAt`: when (milliseconds) the last datagram has left the queue. */
  const carry = (conditions: LinkConditions, line: { freeAt: number }, datagram: Buffer, send: () => void): void => {
    const { loss, delay, jitter, rate, queue } = conditions
    const bytes = datagram.length + HEADERS
    stats.offered++
    stats.offeredBytes += bytes
    if (Math.random() < loss) return
    const now = performance.now()
    const start = Math.max(now, line.freeAt)
    if (start - now > queue) return
    line.freeAt = start + (bytes * 8000) / rate
    const timer = setTimeout(
      () => {
        timers.delete(timer)
        stats.delivered++
        stats.deliveredBytes += bytes
        send()
      },
      line.freeAt - now + delay + Math.random() * jitter,
    )
    timers.add(timer)
  }

  /** Opens the two sockets of one client; resolves with the port that stands for the server's. */
  const open = async (address: string, port: number): Promise<number> => {
    const front = await bound()
    const back = await bound()
    sockets.push(front, back)
    const lines = { up: { freeAt: 0 }, down: { freeAt: 0 } }
    let client: { address: string; port: number } | undefined
    front.on('message', (datagram, from) => {
      client = from
      carry(links.up, lines.up, datagram, () => back.send(datagram, port, address, () => {}))
    })
    back.on('message', datagram =>
      carry(
        links.down,
        lines.down,
        datagram,
        () => client && front.send(datagram, client.port, client.address, () => {}),
      ),
    )
    return front.address().port
  }

  /** The relay's port for each connection of the server, by id. */
  const ports = new Map<string, Promise<number>>()
  const throughRelay = async (text: string, connection: string): Promise<string> => {
    const first = [...text.matchAll(CANDIDATE)][0]
    if (!first) return text
    if (!ports.has(connection)) ports.set(connection, open(first[2]!, Number(first[3])))
    const port = await ports.get(connection)!
    return text.replace(CANDIDATE, `$1 127.0.0.1 ${port} typ host`)
  }

  const http = createServer(async (request, response) => {
    const sent = await bodyOf(request)
    const body = request.url!.endsWith('/remote-description') ? withoutCandidates(sent) : sent
    const headers = { ...request.headers, host: `127.0.0.1:${serverPort}`, 'content-length': Buffer.byteLength(body) }
    const forward = httpRequest(
      { host: '127.0.0.1', port: serverPort, path: request.url!, method: request.method!, headers },
      async answer => {
        const text = await bodyOf(answer)
        const id = /connections\/(\w+)/.exec(request.url!)?.[1] ?? /"id":"(\w+)"/.exec(text)?.[1] ?? ''
        const changed = await throughRelay(text, id)
        const { 'transfer-encoding': _, ...rest } = answer.headers
        response.writeHead(answer.statusCode!, { ...rest, 'content-length': Buffer.byteLength(changed) })
        response.end(changed)
      },
    )
    forward.on('error', () => response.destroy())
    forward.end(body)
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))

  return {
    port: (http.address() as AddressInfo).port,
    up: links.up,
    down: links.down,
    stats,
    close: async () => {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.close()
      http.closeAllConnections()
      await new Promise(resolve => http.close(resolve))
    },
  }
}
