import { expect, it } from 'vitest'
import { createEndpoint } from '../../src/net/geckos/endpoint.ts'
import { record } from './support/until.ts'

const make = () => {
  const log = { sent: [] as Uint8Array[], closes: 0, errors: [] as string[] }
  const endpoint = createEndpoint({
    address: 'test',
    send: packet => void log.sent.push(packet),
    close: () => void log.closes++,
    report: (_error, where) => void log.errors.push(where),
  })
  return { endpoint, log }
}
const microtasks = () => new Promise(resolve => setImmediate(resolve))

it('keeps packets, in order, until onPacket is set', async () => {
  const { endpoint } = make()
  for (let n = 0; n < 3; n++) endpoint.deliver(Uint8Array.of(n))
  const seen = record(endpoint.connection)
  endpoint.deliver(Uint8Array.of(3))
  expect(seen.packets.length, 'not inside the assignment: the session is not complete yet').toBe(0)
  await microtasks()
  endpoint.deliver(Uint8Array.of(4))
  expect(seen.packets.map(packet => packet[0])).toEqual([0, 1, 2, 3, 4])
})

it('hands over the packets and then the end when the peer is gone already', async () => {
  const { endpoint } = make()
  endpoint.deliver(Uint8Array.of(7))
  endpoint.end()
  endpoint.deliver(Uint8Array.of(8))
  const order: string[] = []
  endpoint.connection.onPacket = packet => void order.push(`packet ${packet[0]}`)
  endpoint.connection.onClose = () => void order.push('close')
  await microtasks()
  expect(order).toEqual(['packet 7', 'close'])
})

it('keeps a bounded number', async () => {
  const { endpoint } = make()
  for (let n = 0; n < 5000; n++) endpoint.deliver(new Uint8Array(1))
  const seen = record(endpoint.connection)
  await microtasks()
  expect(seen.packets.length).toBe(256)
})

it('is silent after a close of our own', async () => {
  const { endpoint, log } = make()
  endpoint.deliver(Uint8Array.of(1))
  const seen = record(endpoint.connection)
  endpoint.connection.close()
  endpoint.connection.close()
  endpoint.connection.send(Uint8Array.of(1))
  endpoint.deliver(Uint8Array.of(2))
  endpoint.end()
  await microtasks()
  expect(seen).toEqual({ packets: [], closed: 0 })
  expect(log).toEqual({ sent: [], closes: 1, errors: [] })
})

it('reports what callbacks throw and reject, and goes on', async () => {
  const { endpoint, log } = make()
  endpoint.connection.onPacket = packet => {
    if (packet[0] === 1) throw new Error('thrown')
    return Promise.reject(new Error('rejected')) as unknown as void
  }
  endpoint.connection.onClose = () => {
    throw new Error('thrown')
  }
  await microtasks()
  endpoint.deliver(Uint8Array.of(1))
  endpoint.deliver(Uint8Array.of(2))
  endpoint.end()
  await microtasks()
  expect(log.errors).toEqual(['onPacket', 'onClose', 'onPacket'])
})
