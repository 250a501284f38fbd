import { expect, test } from 'vitest'
import { createPlayout, playoutAdvance, playoutPacket } from '../../src/net/playout.ts'
import { backwards, between, delay, judder, simulate, starved } from './simulate.ts'

const conditions = { lag: 0.05, jitter: 0.01 }

test('a route that becomes slower, and faster again, is followed within seconds', async () => {
  const { frames, playout } = await simulate({
    duration: 40,
    conditions,
    each(time, network) {
      network.conditions.down.lag = time > 10 && time < 20 ? 0.15 : 0.05
    },
  })
  const before = delay(between(frames, 8, 10))
  expect(delay(between(frames, 18, 20)) - before).toBeCloseTo(0.1, 1.7)
  expect(delay(between(frames, 26, 28)) - before, 'without waiting for the window to pass').toBeLessThan(0.02)
  expect(starved(between(frames, 15, 20))).toBeLessThan(0.01)
  expect(playout.rebases).toBe(2)
  expect(backwards(frames)).toBe(0)
})

test('a route slower than any delay worth having is followed too', async () => {
  const { frames } = await simulate({
    duration: 30,
    conditions,
    each(time, network) {
      network.conditions.down.lag = time > 10 ? 1.55 : 0.05
    },
  })
  expect(delay(between(frames, 28, 30)) - delay(between(frames, 8, 10))).toBeCloseTo(1.5, 1)
  expect(starved(between(frames, 25, 30))).toBeLessThan(0.02)
})

test('ten seconds of silence, and it goes on as if nothing had been', async () => {
  const { frames, playout } = await simulate({
    duration: 30,
    conditions,
    sends: time => time < 10 || time > 20,
  })
  const after = between(frames, 20.5, 30)
  expect(judder(after)).toBeLessThan(0.01)
  expect(starved(after)).toBe(0)
  expect(delay(after)).toBeCloseTo(delay(between(frames, 8, 10)), 2)
  expect(playout.resyncs).toBe(0)
})

test('a silence longer than the window is no reason for a longer delay', async () => {
  const { frames } = await simulate({ duration: 50, conditions, sends: time => time < 10 || time > 40 })
  expect(delay(between(frames, 41, 50))).toBeCloseTo(delay(between(frames, 8, 10)), 2)
})

test('a tab that slept shows the present at once, and does not mistake its sleep for lag', async () => {
  const { frames, playout } = await simulate({ duration: 30, conditions, awake: time => time < 10 || time > 20 })
  expect(backwards(frames)).toBe(0)
  expect(playout.resyncs).toBeLessThanOrEqual(1)
  expect(delay(between(frames, 20, 20.5))).toBeLessThan(0.2)
  expect(delay(between(frames, 22, 30))).toBeCloseTo(delay(between(frames, 8, 10)), 2)
})

test('one stall of half a second does not cost delay for seconds to come', async () => {
  const { frames } = await simulate({ duration: 20, conditions, awake: time => time < 10 || time > 10.5 })
  expect(delay(between(frames, 11, 15)) - delay(between(frames, 8, 10))).toBeLessThan(0.01)
})

test('a server that is too slow for its rate is shown at its own speed', async () => {
  const { frames, playout } = await simulate({
    duration: 40,
    conditions,
    speed: time => (time > 10 && time < 30 ? 0.7 : 1),
  })
  const overloaded = between(frames, 17, 30)
  expect(starved(overloaded)).toBeLessThan(0.02)
  expect(judder(overloaded)).toBeLessThan(0.03)
  expect(delay(overloaded)).toBeLessThan(0.15)
  expect(delay(between(frames, 34, 40)), 'and at full speed when it recovers').toBeLessThan(0.15)
  expect(playout.trend).toBe(0)
  expect(backwards(frames)).toBe(0)
})

test('a server that becomes too slow is noticed within a second', async () => {
  const { frames } = await simulate({ duration: 20, conditions, speed: time => (time > 10 ? 0.7 : 1) })
  expect(Math.min(...between(frames, 10, 12).map(({ server, shown }) => server - shown))).toBeGreaterThan(-0.05)
  expect(delay(between(frames, 12.5, 14))).toBeGreaterThan(0.06)
  expect(starved(between(frames, 12.5, 20))).toBeLessThan(0.02)
  expect(backwards(frames)).toBe(0)
})

test('a server that freezes for a second is waited for', async () => {
  const { frames } = await simulate({ duration: 30, conditions, speed: time => (time > 10 && time < 11 ? 0 : 1) })
  expect(backwards(frames)).toBe(0)
  expect(starved(between(frames, 18, 30))).toBeLessThan(0.01)
  expect(delay(between(frames, 20, 30))).toBeCloseTo(delay(between(frames, 8, 10)), 1.7)
})

test.each([
  ['stood still, with a queue found at the end', () => 10],
  ['was set back', (server: number) => server - 5.02],
])('a machine whose clock %s shows the present at once, at about the usual delay', (_what, clockAt) => {
  const playout = createPlayout()
  const receive = (from: number, to: number, local: (server: number) => number) => {
    for (let step = from; step < to; step++) {
      playoutPacket(playout, local(step * 0.05) + 0.001 * (step % 3), step * 0.05)
      if (local(step * 0.05) < 10 || from >= 300)
        for (let frame = 0; frame < 3; frame++) playoutAdvance(playout, local(step * 0.05) + frame / 60)
    }
  }
  receive(0, 200, server => server + 0.02)
  const usual = playout.offset
  // Five seconds of the server, none of ours.
  receive(200, 300, clockAt)
  receive(300, 303, server => server - 4.98)
  expect(playout.newest - playout.time).toBeLessThan(0.15)
  receive(303, 330, server => server - 4.98)
  // The last of the queue was held up too, by up to a send interval: nobody can tell.
  expect(Math.abs(playout.offset + 5 - usual)).toBeLessThan(0.05)
})
