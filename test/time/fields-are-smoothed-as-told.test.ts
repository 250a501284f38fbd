import { expect, test } from 'vitest'
import {
  advanceHistory,
  commitRow,
  createHistory,
  insertRow,
  mixField,
  sealSlot,
  smoothOptions,
  writeValue,
} from '../../src/net/history.ts'
import { createWorlds, FRAME, seenBy, spawn } from '../support/worlds.ts'
import { delayObject, derivative, networked, resetObject, smooth } from '../../src/time.ts'
import { curve, historyOf, push, show, type Sample } from './film.ts'

/** 5 units a second, then at rest, sampled each 50 ms. */
const stopping: Sample[] = Array.from({ length: 12 }, (_, index) => ({
  time: index * 0.05,
  values: [Math.min(index, 6) * 0.25],
}))
const moving = stopping.slice(0, 6)

test('none: the newest sample at or before the time', () => {
  const times = [0, 0.049, 0.05, 0.12, 0.4]
  expect(curve(moving, times, 1, { method: 'none' })).toEqual([[0], [0], [0.25], [0.5], [1.25]])
})

test('linear: straight lines between samples; hermite: a smooth curve through them', () => {
  const bend = [0, 1, 0, 1].map((value, index) => ({ time: index, values: [value] }))
  expect(curve(bend, [0.5, 1.25], 1, { method: 'linear' })).toEqual([[0.5], [0.75]])
  const [before, at, after] = curve(bend, [0.999, 1, 1.001], 1).map(([value]) => value!)
  expect(at).toBe(1)
  expect(Math.abs(at! - before! - (after! - at!)), 'no corner').toBeLessThan(1e-4)
})

test('extrapolation goes on at full speed for a tenth of its time, then slows down to a halt', () => {
  const times = [0.25, 0.3, 0.35, 0.6, 0.75, 1, 1.25, 5]
  const shown = curve(moving, times, 1, { extrapolate: 1 }).map(([value]) => value!)
  expect(shown[1]).toBeCloseTo(1.25 + 0.05 * 5, 9)
  expect(shown[2]).toBeCloseTo(1.25 + 0.1 * 5, 9)
  expect(shown[4]! - shown[3]!, 'slower than before').toBeLessThan(0.15 * 5)
  expect(shown[6]).toBeCloseTo(1.25 + 0.55 * 5, 9)
  expect(shown[7]).toBe(shown[6])
  expect(
    [...shown].sort((a, b) => a - b),
    'never back',
  ).toEqual(shown)
  expect(
    curve(moving, times, 1, { extrapolate: 0 }).map(([value]) => value),
    'off',
  ).toEqual(Array(8).fill(1.25))
})

test('whole numbers stay whole, what goes round stays within its period', () => {
  const steps = [3, 8, 9].map((value, index) => ({ time: index, values: [value] }))
  for (const [value] of curve(steps, [0.1, 0.5, 1.3, 1.9], 1, { kind: 'integer' })) expect(value! % 1).toBe(0)
  const cycle = [0.8, 0.95, 0.1, 0.25].map((value, index) => ({ time: index, values: [value] }))
  const shown = curve(cycle, [1.25, 1.5, 1.75], 1, { period: 1 }).map(([value]) => value!)
  expect(shown.map(value => (value + 0.5) % 1)).toEqual(shown.map(value => (value + 0.5) % 1).sort((a, b) => a - b))
  for (const value of shown) expect(value >= 0 && value < 1).toBe(true)
})

test('with transmitted velocities, two samples tell the whole curve', () => {
  const options = smoothOptions()
  const fields = [
    { at: 0, size: 1, kind: 'number', period: 0, velocity: 1, options },
    { at: 1, size: 1, kind: 'number', period: 0, velocity: -1, options },
  ] as const
  const history = createHistory(fields, 1)
  const place = (t: number) => t * t * t - 2 * t
  for (const time of [0, 0.4]) {
    const at = insertRow(history, time, time)
    writeValue(history, at, 0, 0, place(time))
    writeValue(history, at, 0, 1, 3 * time * time - 2)
    sealSlot(history, at, 0)
    commitRow(history, at)
  }
  for (const time of [0.1, 0.2, 0.3, 0.4]) {
    advanceHistory(history, time, 0.1)
    expect(mixField(history, fields[0])[0]).toBeCloseTo(place(time), 9)
  }
  advanceHistory(history, 0.45, 0.05)
  const goesOn = place(0.4) + 0.05 * (3 * 0.16 - 2)
  expect(mixField(history, fields[0])[0], 'and it goes on at the last one').toBeCloseTo(goesOn, 9)
})

test('the end of a rest is not smeared into it', () => {
  const history = historyOf(1)
  push(history, { time: 0, values: [5] })
  const at = insertRow(history, 3, 3, 2.95)
  writeValue(history, at, 0, 0, 6)
  sealSlot(history, at, 0)
  commitRow(history, at)
  for (const time of [0.5, 1.5, 2.9, 2.95]) expect(show(history, time)).toEqual([5])
  expect(show(history, 2.98)[0]).toBeGreaterThan(5)
})

const DC = `
keyword interp_hermite;
keyword interp_linear;
keyword interp_velocity;
keyword interp_none;
struct Vec2 { int32/1000 x; int32/1000 y; };
dclass Runner {
  Vec2 position broadcast interp_hermite;
  Vec2 speed broadcast interp_velocity;
  int16%360 heading broadcast interp_linear;
  uint8 step broadcast interp_linear interp_none;
};
`
const SPEED = 6

const stage = async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05 } })
  const guest = await worlds.join()
  const a = spawn(worlds, 'Runner', {}, 1)
  const b = spawn(worlds, 'Runner', {}, 1)
  await worlds.settle(guest.client.interest.set([1]))
  const { Runner: Ours } = worlds.schema.dclasses
  const { Runner: Theirs } = guest.schema.dclasses
  worlds.game = () => {
    for (const eid of [a, b]) {
      Ours.position.x[eid] += SPEED / 30
      Ours.speed.x[eid] = SPEED
      Ours.heading[eid] += 2
    }
  }
  worlds.run(240)
  return { worlds, guest, Theirs, a: seenBy(worlds, guest, a), b: seenBy(worlds, guest, b), Ours, eid: a }
}

test('one object may be shown later than another, and a field later than others', async () => {
  const { worlds, guest, Theirs, a, b } = await stage()
  expect(Theirs.position.x[a]).toBeCloseTo(Theirs.position.x[b], 6)
  delayObject(guest.client, a, 0.1)
  worlds.run(30)
  expect(Theirs.position.x[b] - Theirs.position.x[a]).toBeCloseTo(0.1 * SPEED, 2)
  delayObject(guest.client, a, 0)
  const ahead = () => Theirs.position.x[b] - (Theirs.heading[b] / 60) * SPEED
  const before = ahead()
  smooth(guest.client, Theirs.position, { delay: 0.1 })
  worlds.run(60)
  expect(ahead() - before).toBeCloseTo(-0.1 * SPEED, 1)
  await worlds.end()
})

test('how a field is smoothed may be changed while it is shown, without a jump', async () => {
  const { worlds, guest, Theirs, a } = await stage()
  let last = Theirs.position.x[a]
  guest.play = () => {
    const step = (Theirs.position.x[a] - last) / (SPEED * FRAME)
    expect(step).toBeGreaterThan(0.7)
    expect(step).toBeLessThan(1.3)
    last = Theirs.position.x[a]
  }
  for (const method of ['linear', 'hermite'] as const) {
    smooth(guest.client, Theirs.position, { method })
    worlds.run(40)
  }
  smooth(guest.client, Theirs.position, { velocity: Theirs.speed })
  worlds.run(40)
  smooth(guest.client, Theirs.position, { velocity: undefined })
  worlds.run(40)
  guest.play = () => {}
  smooth(guest.client, Theirs.position, { method: 'none' })
  worlds.run(60)
  const shown = new Set<number>()
  guest.play = () => shown.add(Theirs.position.x[a])
  worlds.run(60)
  expect(shown.size, 'a step a packet: 20 a second').toBeLessThan(24)
  await worlds.end()
})

test('the last networked value, the derivative, and a fresh start', async () => {
  const { worlds, guest, Theirs, a, Ours, eid } = await stage()
  const { client } = guest
  const known = networked(client, a, Theirs.position)!
  expect(known.values[0]).toBeGreaterThan(Theirs.position.x[a])
  expect(known.values[0]).toBeLessThanOrEqual(Ours.position.x[eid])
  const slope: number[] = []
  expect(derivative(client, a, Theirs.position, slope)).toBe(true)
  expect(slope[0]).toBeCloseTo(SPEED, 4)
  expect(slope[1]).toBe(0)
  expect(derivative(client, a, Theirs.heading, slope)).toBe(true)
  expect(slope[0]).toBeCloseTo(60, 4)
  resetObject(client, a)
  client.interpolate(guest.world)
  expect(Theirs.position.x[a]).toBe(known.values[0])
  await worlds.end()
})

test('mistakes are told', async () => {
  const { worlds, guest, Theirs, a } = await stage()
  const { client } = guest
  expect(() => smooth(client, Theirs.step, { method: 'linear' })).toThrow('no class has this as a smoothed field')
  expect(() => smooth(client, Theirs.position, { velocity: Theirs.heading })).toThrow('interp_velocity')
  expect(() => delayObject(client, 1999, 0.1)).toThrow('no distributed object')
  expect(() => delayObject(client, a, Infinity)).toThrow('-10 to 10')
  expect(networked(client, a, Theirs.step)).toBeUndefined()
  await worlds.end()
})
