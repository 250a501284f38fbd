import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createHistory,
  frameAt,
  frameForWriting,
  HISTORY,
  insertFrame,
  isInReach,
  newestFrame,
  REACH,
  spareFrame,
} from '../../src/net/frames.ts'
import { random } from '../../src/net/random.ts'
import { LAYOUTS } from './support.ts'

const layout = LAYOUTS[0]!
const tick = (first: number, age: number) => (first + age) >>> 0
/** Some start just before ticks wrap at 2^32. */
const firstTick = fc.oneof(fc.nat(1000), fc.integer({ min: 0xffffffff - 60, max: 0xffffffff }))

const shuffled = (count: number, seed: number) => {
  const chance = random(seed)
  const ages = Array.from({ length: count }, (_, index) => index)
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(chance() * (index + 1))
    ;[ages[index], ages[other]] = [ages[other]!, ages[index]!]
  }
  return ages
}

test('received frames lie in the order of their ticks, in whatever order they came, each once', () => {
  fc.assert(
    fc.property(firstTick, fc.integer({ min: 1, max: HISTORY }), fc.nat(), (first, count, seed) => {
      const history = createHistory(layout)
      const ages = shuffled(count, seed)
      for (const age of ages) expect(insertFrame(history, spareFrame(history, tick(first, age)))).toBe(true)
      expect(history.frames.map(frame => frame.tick)).toEqual(ages.map((_, age) => tick(first, age)))
      for (const age of ages) expect(frameAt(history, tick(first, age))?.tick).toBe(tick(first, age))
      expect(frameAt(history, tick(first, count))).toBeUndefined()
      expect(frameAt(history, tick(first, -1))).toBeUndefined()
      const twice = { ...history.frames[0]!, ids: new Uint32Array(layout.slots) }
      expect(insertFrame(history, twice)).toBe(false)
      expect(history.frames).not.toContain(twice)
    }),
  )
})

test('a receiver holds whatever a sender may name, as long as no packet is overtaken by 24 newer frames', () => {
  fc.assert(
    fc.property(firstTick, fc.nat(), (first, seed) => {
      const chance = random(seed)
      const sender = createHistory(layout)
      const receiver = createHistory(layout)
      // Frames on their way, at most HISTORY - REACH behind the newest.
      const late: { tick: number; bases: number[]; overtaken: number }[] = []
      const held = new Set<number>()
      for (let age = 0; age < 300; age++) {
        const now = tick(first, age * (1 + (seed % 3)))
        const frame = frameForWriting(sender, now)
        const bases = sender.frames.filter(base => base !== frame && isInReach(sender, base) && held.has(base.tick))
        late.push({ tick: now, bases: bases.map(base => base.tick), overtaken: 0 })
        for (let index = late.length - 1; index >= 0; index--) {
          const each = late[index]!
          if (each.overtaken++ < HISTORY - REACH - 1 && chance() < 0.6) continue
          late.splice(index, 1)
          if (chance() < 0.2 && each.overtaken < HISTORY - REACH) continue
          // Not `expect`: there are a million of them.
          for (const base of each.bases) if (!frameAt(receiver, base)) throw new Error(`no ${base} for ${each.tick}`)
          insertFrame(receiver, spareFrame(receiver, each.tick))
          held.add(each.tick)
        }
      }
    }),
    { numRuns: 50 },
  )
})

test('only the newest 40 frames are in reach', () => {
  const history = createHistory(layout)
  for (let age = 0; age < 200; age++) {
    const frame = frameForWriting(history, tick(0xffffffff - 100, age))
    expect(frameForWriting(history, frame.tick)).toBe(frame)
    expect(newestFrame(history)).toBe(frame)
    expect(history.frames.length).toBeLessThanOrEqual(HISTORY)
    expect(history.frames.filter(each => isInReach(history, each))).toEqual(history.frames.slice(-REACH))
  }
})

test('the frame of a new tick starts as a copy of the one before, and the one before stays as it was', () => {
  const history = createHistory(layout)
  for (let age = 0; age < 100; age++) {
    const before = newestFrame(history)
    const copy = structuredClone(before)
    const frame = frameForWriting(history, age)
    if (before) expect([frame.ids, frame.rows]).toEqual([before.ids, before.rows])
    frame.ids[0] = age + 1
    frame.rows[0] = age
    expect(before).toEqual(copy)
  }
})
