import { expect, test } from 'vitest'
import { fuzzAnswers, fuzzMessages, fuzzPlainSegments, fuzzTables } from './fuzz-decoders.ts'

test.each([
  ['handshakes, control and game messages, fragments, inquiries', fuzzMessages, 20_000],
  ['segments of the plain codec', fuzzPlainSegments, 3_000],
  ['tables of the range coder', fuzzTables, 500],
  ['bodies of the signalling', fuzzAnswers, 3_000],
])('%s: nothing throws, and what is taken is within bounds', (_, fuzz, cases) => {
  const { accepted, failure } = fuzz(cases, 1)
  expect(failure).toBeUndefined()
  // It was near enough to what is sound.
  expect(accepted).toBeGreaterThan(cases / 100)
  expect(accepted).toBeLessThan(cases)
})
