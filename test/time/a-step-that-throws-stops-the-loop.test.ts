import { expect, test } from 'vitest'
import { tickLoop } from '../../src/systems/tick-loop.ts'
import { manualTimer } from './manual-timer.ts'

const broken = new Error('broken')
const fail = () => {
  throw broken
}

test('the loop stops and the error is rethrown', () => {
  const timer = manualTimer()
  const loop = tickLoop(60, fail, timer.options)
  expect(() => timer.run(1)).toThrow(broken)
  expect(loop.running).toBe(false)
  expect(timer.waiting).toBe(false)
  expect(loop.stats.ticks).toBe(1)
})

test('with onError, it is handed over instead', () => {
  const timer = manualTimer({ lateness: () => 0.05 })
  const errors: unknown[] = []
  const loop = tickLoop(60, fail, { ...timer.options, onError: error => errors.push(error) })
  timer.run(1)
  expect(errors, 'once: also the rest of a run is dropped').toEqual([broken])
  expect(loop.running).toBe(false)
})
