import fc from 'fast-check'
import { expect, test } from 'vitest'
import { random } from '../../src/net/random.ts'
import { virtualLink } from './virtual-link.ts'

const conditions = { lag: 0.08, jitter: 0.04, loss: 0.1, burst: 2, duplicate: 0.05, reorder: 0.05 }

async function record(seed: number) {
  const link = await virtualLink({ seed, conditions })
  for (let i = 0; i < 200; i++) {
    link.run(i / 100)
    link.client.send(Uint8Array.of(i))
    link.server.send(Uint8Array.of(i))
  }
  link.run(3)
  return { up: link.server.received, down: link.client.received, stats: link.network.stats }
}

test('the same seed gives the same arrivals to the millisecond', async () => {
  expect(await record(7)).toEqual(await record(7))
})

test('another seed gives others', async () => {
  expect((await record(7)).up).not.toEqual((await record(8)).up)
})

test('a second client changes nothing for the first', async () => {
  const alone = await virtualLink({ seed: 3, conditions })
  const joined = await virtualLink({ seed: 3, conditions })
  const second = await joined.network.client().connect()
  for (let i = 0; i < 100; i++) {
    for (const link of [alone, joined]) link.client.send(Uint8Array.of(i))
    second.send(Uint8Array.of(i))
  }
  alone.run(1)
  joined.run(1)
  expect(joined.server.received).toEqual(alone.server.received)
})

test('no datagram is unaccounted for, whatever the conditions', async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  await fc.assert(
    fc.asyncProperty(
      fc.record({ loss: share, duplicate: share, reorder: share, lag: share, jitter: share }),
      fc.integer(),
      async (any, seed) => {
        const link = await virtualLink({ seed, conditions: any })
        for (let i = 0; i < 50; i++) link.client.send(Uint8Array.of(i))
        link.at(0.5)
        const { sent, duplicated, delivered, lost } = link.network.stats.up
        expect(sent + duplicated).toBe(delivered + lost + link.network.pending)
        link.at(10)
        expect(link.network.pending).toBe(0)
      },
    ),
  )
})

test('random numbers are uniform, and neighbouring seeds have nothing in common', () => {
  const bins = Array.from({ length: 10 }, () => 0)
  const one = random(1)
  const two = random(2)
  let product = 0
  for (let i = 0; i < 100_000; i++) {
    const a = one()
    bins[Math.floor(a * 10)]!++
    product += (a - 0.5) * (two() - 0.5)
  }
  for (const bin of bins) expect(Math.abs(bin - 10_000)).toBeLessThan(500)
  expect(Math.abs(product / 100_000)).toBeLessThan(0.002)
})
