import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitReader, bitWriter } from '../../src/net/bits.ts'
import { changedSince, createHistory, frameForWriting, markSlot, type Frame } from '../../src/net/frames.ts'
import type { Layout } from '../../src/net/layout.ts'
import { random } from '../../src/net/random.ts'
import { decodeSegment, encodeSegment, type MovedTo } from '../../src/net/segment.ts'
import { anyLayout, anySeed, frameOf, LAYOUTS, laterFrame, nameOf, randomFrame, segmentOf } from './support.ts'

/** Takes a slot over as a store does. */
const changeSlot = (layout: Layout, into: Frame, from: Frame, slot: number) => {
  into.ids[slot] = from.ids[slot]!
  const row = from.rows.subarray(slot * layout.width, (slot + 1) * layout.width)
  into.rows.set(row, slot * layout.width)
  markSlot(into, slot)
}

/** One object in three was deleted. */
const movedTo: MovedTo = (slot, doId) => ((slot + doId) % 3 === 0 ? undefined : (doId * 31) >>> 0)

test('what is decoded is the frame that was encoded, bit for bit, from a baseline and from nothing', () => {
  fc.assert(
    fc.property(anyLayout, anySeed, fc.boolean(), (layout, seed, isKeyframe) => {
      const chance = random(seed)
      const before = randomFrame(layout, chance(), chance)
      const frame = laterFrame(layout, before, chance)
      const base = isKeyframe ? undefined : before
      const bytes = segmentOf(layout, base, frame, movedTo)
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
      const first = segmentOf(layout, base, frame, movedTo)
      segmentOf(layout, undefined, base, movedTo)
      expect(segmentOf(layout, base, frame, movedTo)).toEqual(first)
      expect([base, frame]).toEqual(copies)
    }),
    { numRuns: 200 },
  )
})

test('no change is one byte', () => {
  fc.assert(
    fc.property(anyLayout, anySeed, (layout, seed) => {
      const frame = randomFrame(layout, 0.5, random(seed))
      // An empty list; a single slot needs none.
      const nothing = [layout.slots > 1 ? 1 : 0]
      expect([...segmentOf(layout, frame, frame, movedTo)]).toEqual(nothing)
      expect([...segmentOf(layout, undefined, frameOf(layout), movedTo)]).toEqual(nothing)
    }),
    { numRuns: 50 },
  )
})

test('a few slots are a list, many are a bitmap, whichever is shorter', () => {
  const layout = LAYOUTS.find(each => nameOf(each) === 'Switch/interested')!
  const base = randomFrame(layout, 1, random(1))
  for (let count = 0; count <= layout.slots; count++) {
    const frame = structuredClone(base)
    for (let slot = 0; slot < count; slot++) frame.rows[slot * layout.width + 2]! ^= 1
    const isList = count * 6 < 64
    // A flag, a count of 6 bits and 6 bits each, or 64 bits; a slot: the same object, no new owner, a word of 2 bits.
    const bits = isList ? 7 + count * (6 + 4) : 65 + count * 4
    const bytes = segmentOf(layout, base, frame, movedTo)
    expect([bytes.length, bytes[0]! & 1], `${count} slots`).toEqual([Math.ceil(bits / 8), isList ? 1 : 0])
  }
})

test('only the slots that a sender names are looked at, and segments lie one behind the other', () => {
  fc.assert(
    fc.property(anyLayout, anySeed, (layout, seed) => {
      const chance = random(seed)
      const history = createHistory(layout)
      const first = frameForWriting(history, 1)
      const start = randomFrame(layout, 0.6, chance)
      first.ids.set(start.ids)
      first.rows.set(start.rows)
      for (let tick = 2; tick < 5; tick++) {
        const frame = frameForWriting(history, tick)
        const next = laterFrame(layout, frame, chance)
        for (let slot = 0; slot < layout.slots; slot++) if (chance() < 0.3) changeSlot(layout, frame, next, slot)
      }
      const newest = history.frames.at(-1)!
      const writer = bitWriter(8)
      const slots = { low: 0, high: 0 }
      for (const base of history.frames) {
        changedSince(history, base, slots)
        const at = writer.at
        const length = encodeSegment(writer, layout, base, newest, slots, movedTo)
        expect(writer.bytes.slice(at, at + length)).toEqual(segmentOf(layout, base, newest, movedTo))
      }
    }),
    { numRuns: 100 },
  )
})
