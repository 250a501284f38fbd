import { expect, test } from 'vitest'
import { createDriftClock, driftFrame, driftServerTick } from '../../src/net/drift.ts'
import { advanceTicks, createTickClock, type TickClockOptions } from '../../src/time.ts'
import { createWorlds, FRAME } from '../support/worlds.ts'

const DC = 'dclass Thing { uint8 value broadcast; };'

const stage = async (
  options: TickClockOptions = {},
  firstTick = 1000,
  conditions: object = { lag: 0.05, jitter: 0.01 },
) => {
  const worlds = createWorlds(DC, { conditions, server: { firstTick } })
  const guest = await worlds.join()
  const clock = createTickClock(guest.client, options)
  let steps = 0
  guest.play = () => {
    steps += advanceTicks(clock)
  }
  worlds.run(240)
  return { worlds, guest, clock, takeSteps: () => [steps, (steps = 0)][0]! }
}

test.each([
  ['echo', 'the tick is the server’s', 0],
  ['window', 'the tick is that which arrived, as the seed has it', 1.5],
] as const)('in mode %s, %s', async (mode, _what, behind) => {
  const { worlds, clock, takeSteps } = await stage({ mode })
  takeSteps()
  const first = clock.tick
  let worst = 0
  for (let frame = 0; frame < 600; frame++) {
    worlds.run(1)
    worst = Math.max(worst, Math.abs(worlds.server.tick - clock.tick - behind))
    expect(clock.remainder).toBeGreaterThanOrEqual(0)
    expect(clock.remainder).toBeLessThan(1 / 30 + 1e-9)
  }
  expect(worst).toBeLessThanOrEqual(2)
  expect(takeSteps(), 'a step a tick, none left out').toBe(clock.tick - first)
  expect(clock.skipped).toBe(0)
  await worlds.end()
})

test('with a lead it runs ahead, so that what is done in a tick reaches the server in time', async () => {
  const { worlds, clock } = await stage({ lead: 0.2 })
  expect(clock.tick - worlds.server.tick).toBeGreaterThanOrEqual(5)
  expect(clock.tick - worlds.server.tick).toBeLessThanOrEqual(8)
  await worlds.end()
})

test.each(['echo', 'window'] as const)('ticks wrap at 2^32 (%s)', async mode => {
  const { worlds, clock, takeSteps } = await stage({ mode }, 0xffffffff - 150)
  takeSteps()
  const first = clock.tick
  worlds.run(240)
  expect(worlds.server.tick).toBeLessThan(1000)
  expect(clock.tick).toBeLessThan(1000)
  expect(takeSteps()).toBe((clock.tick - first) >>> 0)
  await worlds.end()
})

test('a frame makes so many steps at most, the others are skipped', async () => {
  const { worlds, guest, clock, takeSteps } = await stage({ maxTicksPerFrame: 4 })
  takeSteps()
  const { play } = guest
  guest.play = () => {}
  worlds.run(60)
  guest.play = play
  worlds.run(1)
  expect(clock.ticksThisFrame).toBe(4)
  expect(clock.skipped).toBeGreaterThan(20)
  await worlds.end()
})

test('there are no ticks without a session, and a new session starts anew', async () => {
  const { worlds, guest, clock } = await stage()
  guest.client.disconnect()
  worlds.run(2)
  expect(advanceTicks(clock)).toBe(0)
  await worlds.settle(guest.client.connect())
  worlds.run(120)
  expect(Math.abs(clock.tick - worlds.server.tick)).toBeLessThanOrEqual(2)
  await worlds.end()
})

/** The seed's manager at 50 ticks a second, `off` milliseconds ahead of the ticks that arrive. */
const manager = (off: number, options = {}) => {
  const clock = createDriftClock(50, options)
  driftServerTick(clock, 1000)
  clock.offsets.fill((off / 1000) * 50)
  return clock
}

/** Seconds that a frame of 0.1 s counts for. */
const frameOf = (clock: ReturnType<typeof manager>) => {
  const before = clock.tick / 50 + clock.remainder
  driftFrame(clock, 0.1)
  return clock.tick / 50 + clock.remainder - before
}

test('the manager does nothing within 10 ms, at most 200 ms a second from 90 ms on, in proportion between', () => {
  expect(frameOf(manager(9))).toBeCloseTo(0.1, 9)
  expect(frameOf(manager(50))).toBeCloseTo(0.1 - 0.01, 9)
  expect(frameOf(manager(-50))).toBeCloseTo(0.1 + 0.01, 9)
  expect(frameOf(manager(90))).toBeCloseTo(0.1 - 0.02, 9)
  expect(frameOf(manager(140))).toBeCloseTo(0.1 - 0.02, 9)
})

test('its options have the names and the meaning of the seed’s', () => {
  expect(frameOf(manager(50, { clockCorrection: false }))).toBeCloseTo(0.1, 9)
  expect(frameOf(manager(50, { clockCorrectionAdjustmentMaxAmount: 400 }))).toBeCloseTo(0.1 - 0.02, 9)
  expect(frameOf(manager(50, { clockCorrectionAdjustmentMinOffset: 60 }))).toBeCloseTo(0.1, 9)
  expect(frameOf(manager(50, { clockCorrectionAdjustmentMaxOffset: 50 }))).toBeCloseTo(0.1 - 0.02, 9)
  const forced = createDriftClock(50, { clockCorrectionForceServerTick: 3 })
  for (const tick of [100, 90, 500]) {
    driftServerTick(forced, tick)
    expect(forced.tick).toBe(tick + 3)
  }
})

test('more than 150 ms off, it snaps; and forgets what it knew', () => {
  const clock = manager(0)
  driftServerTick(clock, 1007)
  expect([clock.tick, clock.snaps]).toEqual([1000, 0])
  driftServerTick(clock, 1008)
  expect([clock.tick, clock.snaps]).toEqual([1008, 1])
  expect([...clock.offsets]).toEqual(Array(16).fill(0))
})

test('the frame’s ticks and the rest of it add up to the time that passed', () => {
  const clock = manager(0)
  let ticks = 0
  for (let frame = 0; frame < 100; frame++) ticks += driftFrame(clock, FRAME)
  expect(ticks).toBe(clock.tick - 1000)
  expect((clock.tick - 1000) / 50 + clock.remainder).toBeCloseTo(100 * FRAME, 9)
})

test('a clock of something else is refused', () => {
  expect(() => createTickClock({} as never, { maxTicksPerFrame: 0 })).toThrow('maxTicksPerFrame')
  expect(() => advanceTicks(createTickClock({} as never))).toThrow('createClient')
})
