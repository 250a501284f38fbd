import { expect, test } from 'vitest'
import { fuzzCase } from './support.ts'

// `npm run fuzz` does the same millions of times.
test('bytes that were changed on the way give a state within its bounds, or nothing', () => {
  let accepted = 0
  for (let seed = 1; seed <= 60; seed++) {
    const result = fuzzCase(seed, 50)
    expect(result.wrong, `seed ${seed}`).toBeUndefined()
    accepted += result.accepted
  }
  // Nothing tells a state of numbers from another: if all were refused, little would have been tested.
  expect(accepted).toBeGreaterThan(50)
})
