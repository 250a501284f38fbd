import { expect, test } from 'vitest'
import { tickLoop } from '../../src/systems/tick-loop.ts'
import { manualTimer } from './manual-timer.ts'

test('steps that take twice their interval: half of them are skipped, and none pile up', () => {
  const timer = manualTimer()
  const loop = tickLoop(50, () => timer.spend(0.04), timer.options)
  timer.run(10)
  const { ticks, skipped } = loop.stats
  expect(ticks).toBeGreaterThan(245)
  expect(ticks + skipped, 'the schedule is kept').toBeGreaterThanOrEqual(495)
  expect(skipped).toBeGreaterThan(235)
})

test('after a pause, four steps are made at once, three of them late, and the rest is dropped', () => {
  const timer = manualTimer()
  const loop = tickLoop(50, () => {}, timer.options)
  timer.run(1)
  expect(loop.stats).toEqual({ ticks: 50, late: 0, skipped: 0 })
  timer.spend(1)
  timer.run(0)
  expect(loop.stats).toEqual({ ticks: 54, late: 3, skipped: 46 })
  timer.run(1)
  expect(loop.stats, 'and then it goes on as before').toEqual({ ticks: 104, late: 3, skipped: 46 })
})

test('a short pause is made up for entirely', () => {
  const timer = manualTimer()
  const loop = tickLoop(50, () => {}, timer.options)
  timer.spend(0.06)
  timer.run(0)
  expect(loop.stats).toEqual({ ticks: 3, late: 2, skipped: 0 })
})

test('the number of steps in a row is an option', () => {
  const timer = manualTimer()
  const loop = tickLoop(50, () => {}, { ...timer.options, maxCatchUp: 1 })
  timer.spend(1)
  timer.run(0)
  expect(loop.stats).toEqual({ ticks: 1, late: 0, skipped: 49 })
})
