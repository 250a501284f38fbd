import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clockSample, createServerClock, serverTime } from '../../src/net/clock.ts'
import { backwards, between, mean, simulate, type Frame } from './simulate.ts'

const errors = (frames: Frame[]) => frames.map(({ clock, server }) => clock - server)
const worst = (frames: Frame[]) => Math.max(...errors(frames).map(Math.abs))

// Bias and wander (rms around it), seconds.
test.each([
  { name: '50+-5 ms', conditions: { lag: 0.05, jitter: 0.005 }, bias: 0.001, wander: 0.0003 },
  { name: '100+-30 ms, 2 % loss', conditions: { lag: 0.1, jitter: 0.03, loss: 0.02 }, bias: 0.004, wander: 0.0015 },
  {
    name: '150+-60 ms, 10 % loss in bursts',
    conditions: { lag: 0.15, jitter: 0.06, loss: 0.1, burst: 3 },
    bias: 0.008,
    wander: 0.004,
  },
])('on $name', async ({ conditions, bias, wander }) => {
  const { frames, clock } = await simulate({ duration: 40, conditions })
  const settled = errors(between(frames, 10, 40))
  const offset = mean(settled)
  expect(Math.abs(offset), 'bias').toBeLessThan(bias)
  expect(Math.sqrt(mean(settled.map(error => (error - offset) ** 2))), 'wander').toBeLessThan(wander)
  expect(backwards(frames, 'clock')).toBe(0)
  expect(clock.snaps).toBe(0)
  expect(Math.abs(clock.drift)).toBeLessThan(1e-4)
})

test('it is right to 10 ms within a second', async () => {
  const { frames } = await simulate({ duration: 3, conditions: { lag: 0.05, jitter: 0.01 } })
  expect(worst(between(frames, 1, 3))).toBeLessThan(0.01)
})

test('an overloaded server is followed at its own speed', async () => {
  const { frames } = await simulate({
    duration: 40,
    conditions: { lag: 0.05, jitter: 0.01 },
    speed: time => (time > 10 && time < 25 ? 0.7 : 1),
  })
  expect(worst(between(frames, 16, 25)), 'while it is slow').toBeLessThan(0.01)
  expect(worst(between(frames, 30, 40)), 'and after').toBeLessThan(0.01)
  expect(backwards(frames, 'clock')).toBe(0)
})

test('clocks that run at different speeds are told apart from delays', async () => {
  for (const skew of [0.001, -0.001]) {
    const { frames } = await simulate({
      duration: 40,
      conditions: { lag: 0.05, jitter: 0.01 },
      speed: () => 1 + skew,
    })
    expect(Math.abs(mean(errors(between(frames, 20, 40))))).toBeLessThan(0.002)
  }
})

test('a server that froze is waited for, without running backwards', async () => {
  const { frames } = await simulate({
    duration: 30,
    conditions: { lag: 0.05 },
    speed: time => (time > 10 && time < 10.5 ? 0 : 1),
  })
  expect(worst(between(frames, 18, 30))).toBeLessThan(0.005)
  expect(backwards(frames, 'clock')).toBe(0)
})

test('a route that is slower one way only misleads by half of the difference at most, and slowly', async () => {
  const { frames, clock } = await simulate({
    duration: 60,
    conditions: { lag: 0.05, jitter: 0.005 },
    each(time, network) {
      network.conditions.down.lag = time > 20 ? 0.11 : 0.05
    },
  })
  expect(worst(between(frames, 20, 30)), 'old samples with shorter round trips outweigh new ones').toBeLessThan(0.01)
  expect(worst(frames.slice(60))).toBeLessThan(0.035)
  expect(clock.snaps).toBe(0)
})

/** A clock with samples of 40 ms of round trip for 5 s; the server is 1,000 s ahead. */
function settled() {
  const clock = createServerClock()
  for (let local = 0; local < 5; local += 0.05) {
    clockSample(clock, local - 0.04, local, local - 0.02 + 1000, 0)
    serverTime(clock, local)
  }
  serverTime(clock, 5)
  return clock
}

test('the hold on the server is no part of the round trip', () => {
  const clock = createServerClock()
  clockSample(clock, 1, 1.14, 501.12, 0.1)
  expect(clock.roundTrip).toBeCloseTo(0.04)
  expect(serverTime(clock, 1.14)).toBeCloseTo(501.14)
})

test('small errors are slewed by 2 %, larger ones by 10 %, and a clock far ahead waits', () => {
  for (const [off, slew] of [
    [0.02, 0.02],
    [-0.02, 0.02],
    [0.08, 0.1],
    [-0.08, 0.1],
    [-0.15, 0.5],
    [-0.5, 0.5],
  ] as const) {
    const clock = settled()
    clock.offset += off
    expect(serverTime(clock, 5.1) - 1005.1, `${off} s off`).toBeCloseTo(Math.sign(off) * slew * 0.1, 9)
    expect(clock.snaps).toBe(0)
  }
})

test('more than 100 ms behind, it snaps forward', () => {
  const clock = settled()
  clock.offset += 0.2
  expect(serverTime(clock, 5.1)).toBeCloseTo(1005.3, 9)
  expect(clock.snaps).toBe(1)
})

test('senseless samples are counted and change nothing', () => {
  const clock = settled()
  const before = structuredClone(clock)
  expect(clockSample(clock, 5, 4, 1005, 0), 'received before sent').toBe(false)
  expect(clockSample(clock, 5, 5.1, 1005, 3), 'held for longer than it was away').toBe(false)
  expect(clockSample(clock, 5, 5.1, 1005, -1)).toBe(false)
  expect(clockSample(clock, 5, 5.1, NaN, 0)).toBe(false)
  expect(clockSample(clock, NaN, 5.1, 1005, 0)).toBe(false)
  expect(clockSample(clock, 5, 50, 1005, 0), 'an endless round trip').toBe(false)
  expect(clock).toEqual({ ...before, ignored: 6 })
})

test('there is no server time before the first sample', () => {
  expect(serverTime(createServerClock(), 5)).toBeNaN()
})

test('it never runs backwards, whatever the samples', () => {
  const time = fc.double({ min: 0, max: 2, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(fc.record({ after: time, away: time, server: time, hold: time }), { maxLength: 80 }),
      events => {
        const clock = createServerClock()
        let local = 0
        let last = -Infinity
        for (const { after, away, server, hold } of events) {
          local += after
          clockSample(clock, local - away, local, server * 10, hold)
          const next = serverTime(clock, local)
          if (clock.count === 0) continue
          expect(next).toBeGreaterThanOrEqual(last)
          last = next
        }
      },
    ),
  )
})
