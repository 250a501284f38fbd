import { expect, test } from 'vitest'
import { virtualLink } from './virtual-link.ts'

test('nothing arrives before the lag is over, and everything after it', async () => {
  const link = await virtualLink({ conditions: { lag: 0.1 } })
  link.client.send(Uint8Array.of(1))
  link.at(0.099)
  expect(link.server.received, 'too early').toEqual([])
  link.at(0.1)
  expect(link.server.received).toEqual([{ time: 0.1, bytes: [1] }])
  expect(link.network.pending).toBe(0)
})

test('each direction has conditions of its own', async () => {
  const link = await virtualLink({ conditions: { lag: 0.1 }, down: { lag: 0.3 } })
  link.client.send(Uint8Array.of(1))
  link.server.send(Uint8Array.of(2))
  link.run(1)
  expect(link.server.received[0]!.time).toBeCloseTo(0.1)
  expect(link.client.received[0]!.time).toBeCloseTo(0.3)
})

test('jitter spreads arrivals evenly around the lag', async () => {
  const link = await virtualLink({ conditions: { lag: 0.1, jitter: 0.03 } })
  for (let i = 0; i < 2000; i++) link.client.send(Uint8Array.of(1))
  link.run(0.2)
  const times = link.server.received.map(({ time }) => time)
  expect(times.length).toBe(2000)
  expect(Math.min(...times), 'the earliest').toBeCloseTo(0.07, 2)
  expect(Math.max(...times), 'the latest').toBeCloseTo(0.13, 2)
  expect(times.reduce((sum, time) => sum + time) / times.length, 'the mean').toBeCloseTo(0.1, 2)
})

test('datagrams of equal delay arrive in the order they were sent', async () => {
  const link = await virtualLink({ conditions: { lag: 0.05 } })
  for (let i = 0; i < 200; i++) link.client.send(Uint8Array.of(i))
  link.at(1)
  expect(link.server.received.map(({ bytes }) => bytes[0])).toEqual(Array.from({ length: 200 }, (_, i) => i))
})

test('conditions changed on the way hold for what is sent from then on', async () => {
  const link = await virtualLink({ conditions: { lag: 0.1 } })
  link.client.send(Uint8Array.of(1))
  link.network.conditions.up.lag = 0.01
  link.client.send(Uint8Array.of(2))
  link.run(1)
  expect(link.server.received.map(({ bytes }) => bytes[0])).toEqual([2, 1])
})

test('two sides that answer each other at once cannot hold deliver for ever', async () => {
  const link = await virtualLink()
  link.client.connection.onPacket = packet => link.client.send(packet)
  link.server.connection.onPacket = packet => link.server.send(packet)
  link.client.send(Uint8Array.of(1))
  link.at(0)
  expect(link.network.stats.up.delivered).toBe(1)
  expect(link.network.stats.down.delivered, 'the answer waits for the next call').toBe(0)
  link.at(0)
  expect(link.network.stats.down.delivered).toBe(1)
})
