import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'

// A sample: `npm run fuzz -- --only dc` runs any number.
test('mutated texts, bytes and values never throw, hang or are taken for what they are not', () => {
  const { failure, counts } = fuzz(2000, 1)
  expect(failure).toBeUndefined()
  for (const what of ['texts with errors', 'texts without', 'bytes refused', 'bytes accepted', 'values refused'])
    expect(counts[what], what).toBeGreaterThan(30)
}, 30_000)
