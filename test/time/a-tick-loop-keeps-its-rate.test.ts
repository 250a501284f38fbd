import { expect, test } from 'vitest'
import { tickLoop } from '../../src/systems/tick-loop.ts'
import { random } from '../../src/net/random.ts'
import { manualTimer } from './manual-timer.ts'

test.each([1, 20, 60, 66, 144])('after an hour at %d a second, exactly that many steps were made', rate => {
  const next = random(rate)
  const timer = manualTimer({ lateness: () => next() * 0.003 })
  let steps = 0
  const loop = tickLoop(rate, () => steps++, timer.options)
  timer.run(3600 + 0.005)
  expect(steps).toBe(3600 * rate)
  expect(loop.stats.ticks).toBe(steps)
  expect(loop.stats.skipped).toBe(0)
})

test('the first step comes one interval after the start', () => {
  const timer = manualTimer()
  let steps = 0
  tickLoop(10, () => steps++, timer.options)
  timer.run(0.099)
  expect(steps).toBe(0)
  timer.run(0.002)
  expect(steps).toBe(1)
})

test('steps of uneven length do not shift the schedule', () => {
  const next = random(5)
  const timer = manualTimer()
  const loop = tickLoop(60, () => timer.spend(next() * 0.015), timer.options)
  timer.run(60.02)
  expect(Math.abs(loop.stats.ticks - 3601)).toBeLessThanOrEqual(1)
})

test('a stopped loop makes no further step, also within a run of them', () => {
  const timer = manualTimer({ lateness: () => 0.05 })
  let steps = 0
  const loop = tickLoop(60, () => ++steps === 2 && loop.stop(), timer.options)
  timer.run(1)
  expect(steps).toBe(2)
  expect(loop.running).toBe(false)
  expect(timer.waiting, 'no timer is left behind').toBe(false)
  loop.stop()
})

test('a stop between steps cancels the timer', () => {
  const timer = manualTimer()
  const loop = tickLoop(60, () => {}, timer.options)
  expect(timer.waiting).toBe(true)
  loop.stop()
  expect(timer.waiting).toBe(false)
})

test('a rate that makes no sense is refused', () => {
  expect(() => tickLoop(0, () => {})).toThrow('the rate is 0 to 1000 steps per second, not 0')
  expect(() => tickLoop(NaN, () => {})).toThrow('not NaN')
  expect(() => tickLoop(60, () => {}, { maxCatchUp: 0 })).toThrow('maxCatchUp')
})

test('in real time: a quarter of a second at 200 a second, by the clock', async () => {
  const start = performance.now()
  const elapsed = await new Promise<number>(resolve => {
    const loop = tickLoop(200, () => {
      if (loop.stats.ticks + loop.stats.skipped < 50) return
      loop.stop()
      resolve(performance.now() - start)
    })
  })
  expect(elapsed, 'not early').toBeGreaterThan(249)
  expect(elapsed, 'not a timer lateness a step').toBeLessThan(400)
}, 5000)
