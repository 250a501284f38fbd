import { afterAll, beforeAll, expect, it } from 'vitest'
import { geckos as geckosClient } from '../../src/geckos-client.ts'
import { geckos as geckosServer } from '../../src/geckos-server.ts'
import type { Connection } from '../../src/net/transport.ts'
import { record, until } from './support/until.ts'

const transport = geckosServer({ port: 0 })
/** The one that the client's packets come to: an attempt whose handshake was lost may have opened here as well. */
let peer: Connection
let client: Connection

beforeAll(async () => {
  await transport.listen(connection => {
    connection.onPacket = packet => {
      peer = connection
      connection.send(packet)
    }
  })
  client = await geckosClient({ port: transport.port }).connect()
})
afterAll(() => transport.close())

it('brings back every byte of the largest packet', async () => {
  const seen = record(client)
  const packet = Uint8Array.from({ length: 1150 }, (_, index) => index * 7)
  client.send(packet)
  await until('the echo', () => seen.packets.length === 1)
  expect(seen.packets[0], 'the bytes came back as they were sent').toEqual(packet)
  expect(seen.packets[0]!.byteOffset, 'the view is over its own bytes').toBe(0)
})

it('lets both sides reuse a buffer right after send', async () => {
  const seen = record(client)
  const buffer = new Uint8Array(1150)
  const server = peer
  for (let count = 1; count <= 20; count++) {
    buffer.fill(count)
    client.send(buffer)
    server.send(buffer)
    buffer.fill(255)
  }
  await until('20 echoes and 20 packets of the server', () => seen.packets.length === 40)
  const heads = seen.packets.map(packet => packet[0]!)
  expect(new Set(heads).size, 'each content came twice').toBe(20)
  expect(
    seen.packets.every(packet => packet.every(byte => byte === packet[0])),
    'none was changed after send',
  ).toBe(true)
})

it('sends a view of a larger buffer as only that view', async () => {
  const seen = record(client)
  client.send(Uint8Array.of(9, 9, 1, 2, 3, 9).subarray(2, 5))
  await until('the echo', () => seen.packets.length === 1)
  expect([...seen.packets[0]!]).toEqual([1, 2, 3])
})

it('tells who sends more than a datagram carries', () => {
  expect(() => client.send(new Uint8Array(1151))).toThrow(/1151 bytes.*1150/)
})

it('counts what it carried', () => {
  expect(transport.stats).toMatchObject({ packets: 22, kicked: 0, rateLimited: 0 })
  expect(transport.stats.opened - transport.stats.closed).toBeGreaterThan(0)
  expect(peer.address).toBe('127.0.0.1')
})
