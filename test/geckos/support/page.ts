// Runs in the browser: our client's transport, driven by the test through `window.peer`.
import { geckos } from '../../../src/geckos-client.ts'
import type { Connection } from '../../../src/net/transport.ts'

export interface PagePeer {
  /** Milliseconds that it took. */
  connect(port: number): Promise<number>
  send(bytes: number[]): void
  close(): void
  packets: number[][]
  closed: number
}

let connection: Connection
const peer: PagePeer = {
  connect: async port => {
    const start = performance.now()
    connection = await geckos({ port }).connect()
    const took = performance.now() - start
    connection.onPacket = packet => void peer.packets.push([...packet])
    connection.onClose = () => void peer.closed++
    return took
  },
  send: bytes => {
    const packet = Uint8Array.from(bytes)
    connection.send(packet)
    packet.fill(0)
  },
  close: () => connection.close(),
  packets: [],
  closed: 0,
}

Object.assign(window, { peer })
