import { expect, test } from 'vitest'
import { backwards, between, delay, judder, simulate, starved } from './simulate.ts'

// Delay in seconds, judder and starvation as shares: what each network may cost at most.
const NETWORKS = [
  { name: 'a clean one', conditions: { lag: 0.01 }, most: { delay: 0.08, judder: 0.001, starved: 0.001 } },
  { name: '50+-5 ms', conditions: { lag: 0.05, jitter: 0.005 }, most: { delay: 0.125, judder: 0.001, starved: 0.002 } },
  {
    name: '100+-30 ms, 2 % loss',
    conditions: { lag: 0.1, jitter: 0.03, loss: 0.02 },
    most: { delay: 0.215, judder: 0.008, starved: 0.015 },
  },
  {
    name: '150+-60 ms, 10 % loss in bursts',
    conditions: { lag: 0.15, jitter: 0.06, loss: 0.1, burst: 3 },
    most: { delay: 0.43, judder: 0.03, starved: 0.06 },
  },
]

for (const { name, conditions, most } of NETWORKS) {
  test.each([1, 2, 3])(`on ${name}, seed %d`, async seed => {
    const { frames, playout } = await simulate({ duration: 40, conditions, seed })
    const settled = between(frames, 10, 40)
    expect(backwards(frames), 'never backwards').toBe(0)
    expect(playout.resyncs, 'no jump').toBe(0)
    expect(delay(settled)).toBeLessThan(most.delay)
    expect(judder(settled)).toBeLessThan(most.judder)
    expect(starved(settled)).toBeLessThan(most.starved)
  })
}

test('with duplicated and reordered datagrams it is no worse than without', async () => {
  const conditions = { lag: 0.05, jitter: 0.005, duplicate: 0.3, reorder: 0.02 }
  const { frames, playout } = await simulate({ duration: 30, conditions })
  expect(judder(between(frames, 10, 30))).toBeLessThan(0.01)
  expect(backwards(frames)).toBe(0)
  expect(playout.ignored).toBeGreaterThan(100)
})

test('the state says what it costs', async () => {
  const { frames, playout } = await simulate({ duration: 20, conditions: { lag: 0.05, jitter: 0.02 } })
  // Without clock synchronisation, the lag of the fastest datagrams cannot be known.
  expect(playout.delay).toBeCloseTo(delay(between(frames, 19, 20)) - 0.03, 1.7)
  expect(playout.rate).toBeCloseTo(1, 2)
  expect(playout.interval).toBeCloseTo(0.05, 2)
})
