import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createBucket, credit, take } from '../../src/net/bucket.ts'

it('never passes more than the burst plus the rate times the time', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 40 })), { maxLength: 200 }), steps => {
      const bucket = createBucket(50, 100, 0)
      let now = 0
      let passed = 0
      for (const [wait, amount] of steps) {
        now += wait
        if (take(bucket, amount, now)) passed += amount
        expect(passed).toBeLessThanOrEqual(100 + (now / 1000) * 50 + 1e-6)
      }
    }),
  )
})

it('refills after a pause, and a clock that steps back earns nothing', () => {
  const bucket = createBucket(10, 10, 1000)
  expect(take(bucket, 10, 1000)).toBe(true)
  expect(take(bucket, 1, 900)).toBe(false)
  expect(take(bucket, 10, 2000)).toBe(true)
})

it('keeps what was credited beyond the burst until it is spent, and does not add it up', () => {
  const bucket = createBucket(10, 20, 0)
  for (let now = 0; now < 5000; now += 1000) credit(bucket, 3, now)
  expect(take(bucket, 50, 5000), 'the burst, and three seconds').toBe(true)
  expect(take(bucket, 1, 5000)).toBe(false)
  credit(bucket, 3, 5000)
  expect([take(bucket, 31, 5000), take(bucket, 30, 5000)]).toEqual([false, true])
})
