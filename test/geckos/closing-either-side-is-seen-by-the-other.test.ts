import { afterAll, beforeAll, expect, it } from 'vitest'
import { geckos as geckosClient } from '../../src/geckos-client.ts'
import { geckos as geckosServer } from '../../src/geckos-server.ts'
import type { Connection } from '../../src/net/transport.ts'
import { record, until } from './support/until.ts'

/** First byte of the packet by which a client makes its connection known: an attempt whose handshake was lost may have opened here too. */
const HELLO = 255

const transport = geckosServer({ port: 0 })
let peer: Connection | undefined
beforeAll(() =>
  transport.listen(connection => {
    connection.onPacket = packet => {
      if (packet[0] === HELLO) peer = connection
    }
  }),
)
afterAll(() => transport.close())

const connect = async () => {
  peer = undefined
  const client = await geckosClient({ port: transport.port }).connect()
  const server = await until('the server to know the client', () => {
    client.send(Uint8Array.of(HELLO))
    return peer
  })
  return { client, atClient: record(client), server, atServer: record(server) }
}

/** What came besides greetings. */
const messages = (seen: { packets: Uint8Array[] }) => seen.packets.filter(packet => packet[0] !== HELLO)

it('tells the server, once, that the client closed', async () => {
  const { client, atClient, atServer } = await connect()
  client.close()
  client.close()
  await until('onClose at the server', () => atServer.closed > 0)
  expect([atServer.closed, atClient.closed], 'only the other side is told').toEqual([1, 0])
})

it('tells the client, once, that the server closed', async () => {
  const { client, atClient, server, atServer } = await connect()
  server.close()
  server.close()
  await until('onClose at the client', () => atClient.closed > 0, 5000)
  expect([atServer.closed, atClient.closed], 'only the other side is told').toEqual([0, 1])
  client.send(Uint8Array.of(1))
  server.send(Uint8Array.of(1))
  client.close()
})

it('still delivers what was sent just before the close', async () => {
  for (const from of ['client', 'server', 'client', 'server', 'server', 'client'] as const) {
    const { client, atClient, server, atServer } = await connect()
    const [sender, seen] = from === 'client' ? [client, atServer] : [server, atClient]
    for (let count = 0; count < 3; count++) sender.send(Uint8Array.of(count))
    sender.close()
    await until('onClose', () => seen.closed > 0)
    expect(messages(seen).length, `a goodbye of the ${from}`).toBe(3)
  }
})

it('frees every place', async () => {
  await until('the counters to agree', () => transport.stats.closed === transport.stats.opened)
})
