import { expect, test } from 'vitest'
import { createPlayout, playoutAdvance, playoutPacket } from '../../src/net/playout.ts'
import { backwards, between, delay, judder, simulate } from './simulate.ts'

test.each([
  { interp: 0.1, interpRatio: 2, updateRate: 20, expected: 0.1 },
  { interp: 0.1, interpRatio: 3, updateRate: 20, expected: 0.15 },
  { interp: 0.25, interpRatio: 2, updateRate: 20, expected: 0.25 },
])('max($interp, $interpRatio / $updateRate) behind the median datagram', async ({ expected, ...options }) => {
  const { frames } = await simulate({
    duration: 30,
    conditions: { lag: 0.1, jitter: 0.03 },
    playout: { mode: 'fixed', ...options },
  })
  const settled = between(frames, 10, 30)
  expect(delay(settled)).toBeCloseTo(0.1 + expected, 1.9)
  expect(judder(settled)).toBeLessThan(0.005)
  expect(backwards(frames)).toBe(0)
})

test('the mode may be changed while it runs', () => {
  const playout = createPlayout()
  for (let i = 0; i < 1200; i++) {
    if (i === 400) playout.mode = 'fixed'
    if (i === 800) playout.mode = 'adaptive'
    playoutPacket(playout, i * 0.05 + 0.02, i * 0.05)
    for (let frame = 0; frame < 3; frame++) playoutAdvance(playout, i * 0.05 + 0.02 + frame / 60)
    if (i === 799) expect(playout.offset).toBeCloseTo(0.02 + 0.1, 6)
    if (i === 399 || i === 1199) expect(playout.offset).toBeCloseTo(0.02 + 0.05 + 0.004, 6)
  }
  expect(playout.resyncs).toBe(0)
})
