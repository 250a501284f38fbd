import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitReader } from '../../src/net/bits.ts'
import type { Frame } from '../../src/net/frames.ts'
import type { Layout } from '../../src/net/layout.ts'
import { random } from '../../src/net/random.ts'
import { decodeSegment } from '../../src/net/segment.ts'
import { anyLayout, anySeed, laterFrame, mutate, randomFrame, segmentOf } from './support.ts'

/** Words around the frame that nobody may write. */
const FENCE = 64

const fenced = (length: number) => {
  const whole = new Uint32Array(length + 2 * FENCE).fill(0xdeadbeef)
  return { whole, inside: whole.subarray(FENCE, FENCE + length) }
}

const isFenceIntact = (whole: Uint32Array): boolean =>
  whole.subarray(0, FENCE).every(word => word === 0xdeadbeef) &&
  whole.subarray(whole.length - FENCE).every(word => word === 0xdeadbeef)

const areWordsInSpan = (layout: Layout, frame: Frame): boolean =>
  frame.rows.every((word, at) => word <= layout.spans[at % layout.width]!)

// Thousands of frames are compared: by `toEqual` that would take most of the time.
const isSame = (a: Uint32Array, b: Uint32Array): boolean => a.every((word, at) => word === b[at])

test('any bytes are a frame of legal words or refused; they write nowhere else and throw never', () => {
  let accepted = 0
  let refused = 0
  fc.assert(
    fc.property(anyLayout, anySeed, fc.boolean(), (layout, seed, isKeyframe) => {
      const chance = random(seed)
      const before = randomFrame(layout, 0.7, chance)
      const base = isKeyframe ? undefined : before
      const bytes = segmentOf(layout, base, laterFrame(layout, before, chance), () => 7)
      const copy = structuredClone(before)
      const ids = fenced(layout.slots)
      const rows = fenced(layout.slots * layout.width)
      for (let mutant = 0; mutant < 10; mutant++) {
        const frame: Frame = {
          tick: 0,
          until: 0,
          ids: ids.inside,
          rows: rows.inside,
          changedLow: 0,
          changedHigh: 0,
          changedFrom: -1,
        }
        let left = 0
        const mutated = mutate(bytes, chance)
        const isAccepted = decodeSegment(bitReader(mutated), layout, base, frame, () => left++)
        if (isAccepted) accepted++
        else refused++
        if (isAccepted) expect(areWordsInSpan(layout, frame)).toBe(true)
        expect(isFenceIntact(ids.whole) && isFenceIntact(rows.whole)).toBe(true)
        expect(left).toBeLessThanOrEqual(layout.slots)
        expect(isSame(before.ids, copy.ids) && isSame(before.rows, copy.rows)).toBe(true)
      }
    }),
    { numRuns: 250 },
  )
  // Both happen, or the test tests nothing.
  expect(Math.min(accepted, refused)).toBeGreaterThan(100)
})

test('every cut of a segment, and anything behind it, is refused', () => {
  fc.assert(
    fc.property(anyLayout, anySeed, (layout, seed) => {
      const chance = random(seed)
      const base = randomFrame(layout, 0.5, chance)
      const bytes = segmentOf(layout, base, laterFrame(layout, base, chance), () => 7)
      const frame = randomFrame(layout, 0, chance)
      const decode = (each: Uint8Array) => decodeSegment(bitReader(each), layout, base, frame, () => {})
      for (let length = 0; length < bytes.length; length += 1 + Math.floor(bytes.length / 20))
        expect(decode(bytes.subarray(0, length))).toBe(false)
      expect(decode(Uint8Array.from([...bytes, 0]))).toBe(false)
    }),
    { numRuns: 100 },
  )
})
