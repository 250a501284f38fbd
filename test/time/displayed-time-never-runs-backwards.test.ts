import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPlayout, playoutAdvance, playoutPacket } from '../../src/net/playout.ts'

const seconds = (max: number) => fc.double({ min: 0, max, noNaN: true })

/** A playout that has settled on datagrams each 50 ms with 20 ms of lag, at local time 10. */
function settled() {
  const playout = createPlayout()
  for (let i = 0; i < 200; i++) {
    playoutPacket(playout, i * 0.05 + 0.02, i * 0.05)
    for (let frame = 0; frame < 3; frame++) playoutAdvance(playout, i * 0.05 + 0.02 + frame / 60)
  }
  return playout
}

test('whatever arrives whenever, in whatever mode', () => {
  const event = fc.record({ after: seconds(2), server: seconds(20), packets: fc.integer({ min: 0, max: 8 }) })
  fc.assert(
    fc.property(
      fc.constantFrom('adaptive' as const, 'fixed' as const),
      fc.array(event, { maxLength: 60 }),
      (mode, events) => {
        const playout = createPlayout({ mode })
        let local = 100
        let shown = -Infinity
        for (const { after, server, packets } of events) {
          local += after
          for (let i = 0; i < packets; i++) playoutPacket(playout, local, server + i * 0.05)
          const next = playoutAdvance(playout, local)
          if (Number.isNaN(next)) expect(playout.newest).toBeNaN()
          else expect(next).toBeGreaterThanOrEqual(shown)
          if (!Number.isNaN(next)) shown = next
        }
      },
    ),
  )
})

test('before the first datagram there is no time to show', () => {
  const playout = createPlayout()
  expect(playoutAdvance(playout, 1)).toBeNaN()
  playoutPacket(playout, 2, 500)
  expect(playoutAdvance(playout, 2)).toBeLessThan(500)
  expect(playoutAdvance(playout, 2)).toBeGreaterThan(499.9)
})

test('a local clock that stands still or goes back changes nothing', () => {
  const playout = settled()
  const shown = playoutAdvance(playout, 10)
  expect(playoutAdvance(playout, 10)).toBe(shown)
  expect(playoutAdvance(playout, 9)).toBe(shown)
})

test('a long frame does not push it past the newest data, ordinary frames may', () => {
  const hitch = settled()
  expect(playoutAdvance(hitch, 11)).toBeLessThanOrEqual(hitch.newest)

  const starving = settled()
  for (let local = 10; local < 10.3; local += 1 / 60) playoutAdvance(starving, local)
  expect(starving.time).toBeGreaterThan(starving.newest)
})

test('after a hitch, with the data at hand, it jumps to where it should be', () => {
  const playout = settled()
  playoutAdvance(playout, 11)
  for (let i = 200; i < 220; i++) playoutPacket(playout, 11, i * 0.05)
  playoutAdvance(playout, 11 + 1 / 60)
  expect(playout.resyncs).toBe(1)
  expect(playout.newest - playout.time).toBeLessThan(0.1)
})

test('duplicated, older and senseless datagrams are counted and change nothing', () => {
  const playout = settled()
  const before = structuredClone(playout)
  for (const server of [playout.newest, 3, NaN, -Infinity, Infinity]) {
    expect(playoutPacket(playout, 10, server)).toBe(false)
  }
  expect(playout).toEqual({ ...before, ignored: before.ignored + 5 })
})

test('the rate stays within 12 % and changes gradually', () => {
  const playout = settled()
  let rate = playout.rate
  for (let i = 200; i < 400; i++) {
    // From here on 100 ms later.
    playoutPacket(playout, i * 0.05 + 0.12, i * 0.05)
    for (let frame = 0; frame < 3; frame++) {
      playoutAdvance(playout, i * 0.05 + 0.12 + frame / 60)
      expect(Math.abs(playout.rate - 1)).toBeLessThanOrEqual(0.12 + 1e-9)
      expect(Math.abs(playout.rate - rate)).toBeLessThanOrEqual(playout.rateSlew / 60 + 1e-9)
      rate = playout.rate
    }
  }
})

test('options that make no sense are refused by name', () => {
  expect(() => createPlayout({ quantile: 98 })).toThrow('quantile is 98: give 0 to 1')
  expect(() => createPlayout({ updateRate: 0 })).toThrow('updateRate')
  expect(() => createPlayout({ margin: NaN })).toThrow('margin')
})
