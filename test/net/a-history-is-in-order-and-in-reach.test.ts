import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  baselineAt,
  changedSince,
  createHistory,
  frameAt,
  frameForWriting,
  HISTORY,
  insertFrame,
  markSlot,
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
        const bases = sender.frames.filter(
          base => base !== frame && baselineAt(sender, base.tick) && held.has(base.tick),
        )
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
    expect(history.frames.filter(each => baselineAt(history, each.tick) === each)).toEqual(history.frames.slice(-REACH))
  }
  expect(baselineAt(history, tick(0xffffffff - 100, 200))).toBeUndefined()
})

test('a sender that keeps fewer frames reaches back less far, and has slack still', () => {
  for (const length of [8, 16, 63]) {
    const history = createHistory(layout, length)
    for (let age = 0; age < 200; age++) frameForWriting(history, age)
    const reached = history.frames.filter(each => baselineAt(history, each.tick))
    expect(history.frames.length).toBe(length)
    expect(reached.length).toBeGreaterThanOrEqual(Math.floor((length * REACH) / HISTORY))
    expect(reached.length).toBeLessThanOrEqual(Math.ceil((length * REACH) / HISTORY))
  }
})

test('what changed since a baseline is what any frame after it changed; of a forgotten one nothing is known', () => {
  const history = createHistory(layout, 8)
  const slots = { low: 0, high: 0 }
  for (let age = 1; age <= 20; age++) markSlot(frameForWriting(history, age), (age * 5) % 64)
  for (const [index, base] of history.frames.entries()) {
    changedSince(history, base, slots)
    const expected = history.frames.slice(index + 1).map(frame => (frame.tick * 5) % 64)
    const found = Array.from({ length: 64 }, (_, slot) => slot).filter(
      slot => ((slot < 32 ? slots.low >>> slot : slots.high >>> (slot - 32)) & 1) === 1,
    )
    expect(found).toEqual(expected.sort((a, b) => a - b))
  }
  changedSince(history, undefined, slots)
  expect([slots.low, slots.high]).toEqual([-1, -1])
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
