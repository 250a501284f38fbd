import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitReader, bitWriter } from '../../src/net/bits.ts'
import { random } from '../../src/net/random.ts'
import { decodeSegment, encodeSegment, type MovedTo } from '../../src/net/segment.ts'
import { anyLayout, anySeed, frameOf, laterFrame, randomFrame } from './support.ts'

const writer = bitWriter(1)
/** One object in three was deleted. */
const movedTo: MovedTo = (slot, doId) => ((slot + doId) % 3 === 0 ? undefined : (doId * 31) >>> 0)

test('what is decoded is the frame that was encoded, bit for bit, from a baseline and from nothing', () => {
  fc.assert(
    fc.property(anyLayout, anySeed, fc.boolean(), (layout, seed, isKeyframe) => {
      const chance = random(seed)
      const before = randomFrame(layout, chance(), chance)
      const frame = laterFrame(layout, before, chance)
      const base = isKeyframe ? undefined : before
      const bytes = encodeSegment(writer, layout, base, frame, movedTo)
      const decoded = randomFrame(layout, 1, chance)
      const left: unknown[] = []
      expect(decodeSegment(bitReader(bytes), layout, base, decoded, (...each) => left.push(each))).toBe(true)
      expect(decoded.ids).toEqual(frame.ids)
      expect(decoded.rows).toEqual(frame.rows)
      const gone = [...(base?.ids ?? [])].flatMap((doId, slot) =>
        doId !== 0 && doId !== frame.ids[slot] ? [[doId, movedTo(slot, doId)]] : [],
      )
      expect(left).toEqual(gone)
    }),
    { numRuns: 600 },
  )
})

test('the same frames give the same bytes, and neither frame is touched', () => {
  fc.assert(
    fc.property(anyLayout, anySeed, (layout, seed) => {
      const chance = random(seed)
      const base = randomFrame(layout, 0.7, chance)
      const frame = laterFrame(layout, base, chance)
      const copies = [base, frame].map(each => structuredClone(each))
      const first = encodeSegment(writer, layout, base, frame, movedTo)
      encodeSegment(writer, layout, undefined, base, movedTo)
      expect(encodeSegment(bitWriter(), layout, base, frame, movedTo)).toEqual(first)
      expect([base, frame]).toEqual(copies)
    }),
    { numRuns: 200 },
  )
})

test('no change is one byte', () => {
  fc.assert(
    fc.property(anyLayout, anySeed, (layout, seed) => {
      const frame = randomFrame(layout, 0.5, random(seed))
      expect([...encodeSegment(writer, layout, frame, frame, movedTo)]).toEqual([0])
      expect([...encodeSegment(writer, layout, undefined, frameOf(layout), movedTo)]).toEqual([0])
    }),
    { numRuns: 50 },
  )
})
