import { expect, test } from 'vitest'
import { createPeer, type Peer } from '../../src/net/peer.ts'
import { createLinkStats, createPings, measurePing } from '../../src/net/ping.ts'
import { clientOf, createWorlds } from '../support/worlds.ts'

const DC = 'dclass Thing { uint8 value broadcast; };'

test('both ends agree on ping, jitter and loss of a link that is bad one way', async () => {
  const worlds = createWorlds(DC, { conditions: {} })
  const guest = await worlds.join()
  Object.assign(worlds.network.conditions.down, { lag: 0.06, jitter: 0.01, loss: 0.2 })
  Object.assign(worlds.network.conditions.up, { lag: 0.04 })
  worlds.run(1200)
  const ours = clientOf(worlds, guest).stats
  const theirs = guest.client.stats
  for (const { ping, jitter } of [ours, theirs]) {
    expect(ping).toBeGreaterThan(0.1)
    // Datagrams wait for the next frame or tick of the other end before they are read.
    expect(ping).toBeLessThan(0.17)
    expect(jitter).toBeGreaterThan(0.001)
    expect(jitter).toBeLessThan(0.04)
  }
  expect(theirs.lossIn, 'what does not arrive here').toBeGreaterThan(0.1)
  expect(theirs.lossIn).toBeLessThan(0.35)
  expect(ours.loss, 'and what the server sent in vain').toBeGreaterThan(0.1)
  expect(ours.lossIn, 'nothing is lost on the way up').toBe(0)
  expect(theirs.loss).toBeLessThan(0.02)
  await worlds.end()
})

/** Feeds one round trip after the other. */
const measure = (trips: readonly number[], interval = 1, gap = 1) => {
  const peer: Peer<undefined> = createPeer()
  const pings = createPings(interval)
  const stats = createLinkStats()
  trips.forEach((trip, index) => {
    peer.lastRtt = trip
    peer.newestReceived++
    peer.received++
    measurePing(pings, peer, stats, index * gap)
  })
  return { pings, stats, peer }
}

test('the averages are those of the last sixteen', () => {
  expect(measure([0.1]).stats).toEqual({ ping: 0.1, jitter: 0, lossIn: 0 })
  expect(measure([0.1, 0.2, 0.1]).stats.ping).toBeCloseTo(0.4 / 3)
  expect(measure([0.1, 0.2, 0.1]).stats.jitter).toBeCloseTo(0.1)
  const { stats } = measure([...Array(20).fill(1), ...Array(16).fill(0.05)])
  expect(stats.ping).toBeCloseTo(0.05)
  expect(stats.jitter).toBeCloseTo(0)
})

test('a ping is taken when one is due, and only of an answer that nobody has seen', () => {
  expect(measure(Array(50).fill(0.1), 1, 0.1).pings.count).toBe(5)
  const { pings, stats, peer } = measure([0.1])
  measurePing(pings, peer, stats, 100)
  expect(pings.count, 'no answer since').toBe(1)
})
