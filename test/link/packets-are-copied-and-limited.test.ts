import { expect, test } from 'vitest'
import { MAX_PACKET } from '../../src/net/transport.ts'
import { virtualLink } from './virtual-link.ts'

test('the sender may reuse its buffer', async () => {
  const link = await virtualLink({ conditions: { lag: 0.05 } })
  const buffer = Uint8Array.of(1, 2, 3)
  link.client.send(buffer)
  buffer.fill(9)
  link.at(1)
  expect(link.server.received[0]!.bytes).toEqual([1, 2, 3])
})

test('a view into a larger buffer arrives as that view, alone', async () => {
  const link = await virtualLink()
  let arrived: Uint8Array | undefined
  link.server.connection.onPacket = packet => (arrived = packet)
  link.client.send(Uint8Array.of(0, 1, 2, 3).subarray(1, 3))
  link.at(0)
  expect(arrived).toEqual(Uint8Array.of(1, 2))
  expect(arrived!.buffer.byteLength, 'nothing else comes along').toBe(2)
})

test('a datagram over the limit throws and says what to do; one at the limit arrives', async () => {
  const link = await virtualLink()
  expect(() => link.client.send(new Uint8Array(MAX_PACKET + 1))).toThrow('over the limit of 1150; split it')
  link.client.send(new Uint8Array(MAX_PACKET))
  link.at(0)
  expect(link.server.received[0]!.bytes.length).toBe(MAX_PACKET)
})

test('sent datagrams and bytes are counted per direction', async () => {
  const link = await virtualLink()
  link.client.send(new Uint8Array(10))
  link.client.send(new Uint8Array(20))
  link.server.send(new Uint8Array(5))
  link.at(0)
  expect(link.network.stats.up).toMatchObject({ sent: 2, delivered: 2, bytes: 30 })
  expect(link.network.stats.down).toMatchObject({ sent: 1, delivered: 1, bytes: 5 })
})
