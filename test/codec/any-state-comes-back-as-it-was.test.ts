import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decoded, decodeSegment } from '../../src/net/codec/decode.ts'
import type { GroupState } from '../../src/net/codec/model.ts'
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

/** Bits of the slots that differ between two states, as two words. */
const differing = (a: GroupState, b: GroupState): [number, number] => {
  const words = [0, 0] as [number, number]
  const width = a.rows.length / a.ids.length
  a.ids.forEach((id, slot) => {
    const isSame =
      id === b.ids[slot] &&
      a.rows.subarray(slot * width, (slot + 1) * width).every((value, word) => value === b.rows[slot * width + word])
    if (!isSame) words[slot >> 5]! |= 1 << (slot & 31)
  })
  return words
}

test('who knows which slots moved before, or some more, decodes the same, and learns which of them moved now', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer(), fc.integer(), (seed, moreLow, moreHigh) => {
      const given = randomCase(seed)
      const { codec, base, before, ticksBase, ticksBefore } = given
      if (!base || !before) return
      const bytes = encodeCase(given)
      const next = emptyState(codec.plan.shape)
      const [low, high] = differing(base, before)
      const read = (activeLow: number, activeHigh: number) =>
        decodeSegment(
          codec,
          bytes,
          0,
          bytes.length,
          base,
          before,
          ticksBase,
          ticksBefore,
          next,
          () => {},
          activeLow,
          activeHigh,
        )
      for (const [activeLow, activeHigh] of [
        [low, high],
        [low | moreLow, high | moreHigh],
      ]) {
        expect(read(activeLow!, activeHigh!)).toBe(true)
        expect(next).toEqual(given.next)
        const [nowLow, nowHigh] = differing(given.next, base)
        expect([nowLow & ~decoded.low, nowHigh & ~decoded.high], 'of what changed nothing is left out').toEqual([0, 0])
      }
    }),
    { numRuns: 150 },
  )
})
