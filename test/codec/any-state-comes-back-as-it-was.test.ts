import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MOST_BYTES } from '../../src/net/segment-size.ts'
import { decodeCase, emptyState, encodeCase, leftOf, randomCase } from './support.ts'

test('any rows, whatever they were before, with tables that fit or not, come back in one segment', () => {
  fc.assert(
    fc.property(fc.nat(), seed => {
      const given = randomCase(seed)
      const bytes = encodeCase(given)
      const next = emptyState(given.codec.plan.shape)
      next.ids.fill(77)
      next.rows.fill(77)
      const left: [number, number | undefined][] = []
      expect(decodeCase(given, bytes, next, (doId, zone) => left.push([doId, zone]))).toBe(true)
      expect(next).toEqual(given.next)
      expect(left).toEqual(leftOf(given))
      expect(bytes.length).toBeLessThanOrEqual(MOST_BYTES)
    }),
    { numRuns: 120 },
  )
})
