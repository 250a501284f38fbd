import { expect, test } from 'vitest'
import { bitReader } from '../../src/net/bits.ts'
import { decodeSegment } from '../../src/net/segment.ts'
import { MOST_BYTES } from '../../src/net/segment-size.ts'
import { random } from '../../src/net/random.ts'
import { frameOf, LAYOUTS, nameOf, randomFrame, segmentOf } from './support.ts'

test.each(LAYOUTS.map(layout => [nameOf(layout), layout] as const))(
  '%s: even when every object is replaced, moved away and all its words are the worst',
  (_, layout) => {
    const chance = random(layout.width)
    // Half the span away from the default is the largest difference, and takes the most bits.
    const worst = frameOf(layout)
    worst.ids.fill(0xffffffff)
    for (let at = 0; at < worst.rows.length; at++) {
      const span = layout.spans[at % layout.width]!
      worst.rows[at] = (layout.defaults[at % layout.width]! + Math.ceil(span / 2)) % (span + 1)
    }
    for (let run = 0; run < 8; run++) {
      const base = randomFrame(layout, 1, chance)
      for (const frame of [worst, randomFrame(layout, 1, chance)]) {
        const replaced = segmentOf(layout, base, frame, () => 0xffffffff)
        expect(replaced.length).toBeLessThanOrEqual(MOST_BYTES)
        const keyframe = segmentOf(layout, undefined, frame, () => undefined)
        expect(keyframe.length).toBeLessThanOrEqual(replaced.length)
        for (const [bytes, from] of [
          [replaced, base],
          [keyframe, undefined],
        ] as const) {
          const decoded = frameOf(layout)
          const left: number[] = []
          expect(decodeSegment(bitReader(bytes), layout, from, decoded, doId => left.push(doId))).toBe(true)
          expect([decoded.ids, decoded.rows]).toEqual([frame.ids, frame.rows])
          if (from) expect(left).toEqual([...from.ids].filter((doId, slot) => doId !== 0 && doId !== frame.ids[slot]))
        }
      }
    }
  },
)

test('groups are as large as that allows', () => {
  expect(LAYOUTS.map(layout => [nameOf(layout), layout.slots])).toEqual([
    ['Switch/interested', 64],
    ['Marker/interested', 64],
    ['Avatar/interested', 63],
    ['Avatar/owner', 64],
    ['Wide/interested', 27],
    ['Narrow/interested', 64],
    ['Huge/interested', 1],
  ])
})
