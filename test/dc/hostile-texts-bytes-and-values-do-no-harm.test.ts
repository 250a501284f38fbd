import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'

// A sample: `bench/dc-fuzz.ts` runs a million.
test.each([1, 2])(
  'mutated texts, bytes and values never throw, hang or are taken for what they are not (seed %i)',
  seed => {
    const { failure, counts } = fuzz(4000, seed)
    expect(failure).toBeUndefined()
    for (const name of [
      'texts with errors',
      'texts without',
      'bytes refused',
      'bytes accepted',
      'values refused',
      'values accepted',
    ])
      expect(counts[name], name).toBeGreaterThan(50)
  },
)
