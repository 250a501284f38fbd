import { query } from 'bitecs'
import type { DClass } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { infoOf } from '../../src/components/index.ts'
import { random } from '../../src/net/random.ts'
import { createWorlds, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
dclass Crate { uint32 tick broadcast ram; uint32 noise broadcast ram; uint32 more broadcast ram; };
dclass Bullet { uint32 tick broadcast ram; uint32 noise broadcast ram; uint32 more broadcast ram; };
`

/** Zones full of objects that change in every tick, into what nobody can foretell. */
const crowd = async (zones: readonly number[], each: number, server: object, options = {}) => {
  const worlds = createWorlds(DC, { server, client: { updateRate: 30 }, conditions: { lag: 0.03 }, ...options })
  const { Crate } = worlds.schema.dclasses
  const chance = random(7)
  for (const zone of zones) for (let count = 0; count < each; count++) spawn(worlds, 'Crate', {}, zone)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set(zones), 60)
  worlds.game = () => {
    for (const eid of query(worlds.world, [Crate])) {
      Crate.tick[eid] = worlds.server.tick + 1
      Crate.noise[eid] = chance() * 2 ** 32
      Crate.more[eid] = chance() * 2 ** 32
    }
  }
  return { worlds, guest }
}

/** Seconds by which what is shown of each zone is behind the server, in each frame of so many seconds. */
const ages = (worlds: Worlds, guest: Guest, zones: readonly number[], seconds: number) => {
  const { Crate } = guest.schema.dclasses
  const { zone } = guest.schema.DistributedObject
  const all = new Map(zones.map(each => [each, [] as number[]]))
  for (let frame = 0; frame < seconds * 60; frame++) {
    worlds.run(1)
    const oldest = new Map<number, number>()
    for (const eid of query(guest.world, [Crate]))
      oldest.set(zone[eid]!, Math.min(oldest.get(zone[eid]!) ?? Infinity, Crate.tick[eid]))
    for (const [each, tick] of oldest) all.get(each)!.push((worlds.server.tick - tick) / worlds.server.tickRate)
  }
  return all
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length
const most = (numbers: readonly number[]) => Math.max(...numbers)

const NEAR = 1
const FAR = [2, 3, 4, 5, 6, 7, 8]
const ALL = [NEAR, ...FAR]

test('with a tight budget what is near is fresher than what is far, and nothing starves', async () => {
  const budget = { maxBytesPerSecond: 6_000 }
  const alike = await crowd(ALL, 40, budget)
  alike.worlds.run(120)
  const before = ages(alike.worlds, alike.guest, ALL, 6)
  await alike.worlds.end()
  const weighed = await crowd(ALL, 40, {
    ...budget,
    priority: (_: unknown, zone: number) => (zone === NEAR ? 1 : 0.15),
  })
  weighed.worlds.run(120)
  const after = ages(weighed.worlds, weighed.guest, ALL, 8)
  const far = FAR.map(zone => mean(after.get(zone)!))
  expect(mean(before.get(NEAR)!), 'the budget is tight').toBeGreaterThan(0.25)
  expect(mean(after.get(NEAR)!), 'near, against how it was').toBeLessThan(mean(before.get(NEAR)!) / 2)
  expect(mean(after.get(NEAR)!), 'near, against far').toBeLessThan(mean(far) / 3)
  for (const zone of FAR) expect(most(after.get(zone)!), `zone ${zone} is seen to move`).toBeLessThan(2)
  expect(most(far) / Math.min(...far), 'those that are worth the same fare alike').toBeLessThan(1.5)
  await weighed.worlds.end()
})

test.each([1e-9, -5, NaN, Infinity])('what is worth %d is sent all the same', async worth => {
  const { worlds, guest } = await crowd([1, 2, 3, 4], 40, {
    maxBytesPerSecond: 10_000,
    priority: (_: unknown, zone: number) => (zone === 4 ? worth : 1),
  })
  worlds.run(60)
  const shown = ages(worlds, guest, [1, 2, 3, 4], 6)
  expect(most(shown.get(4)!)).toBeLessThan(4)
  worlds.game = () => {}
  worlds.until(() => isSame(worlds, guest), 'at rest all is there', 30)
  await worlds.end()
})

const isSame = (worlds: Worlds, guest: Guest) => {
  const { Crate } = worlds.schema.dclasses
  const theirs = guest.schema.dclasses.Crate
  return [...query(worlds.world, [Crate])].every(eid => theirs.noise[worlds.seenBy(guest, eid)] === Crate.noise[eid])
}

test('with room enough, what is worth less is sent less often', async () => {
  const worths = [1, 0.5, 0.25, 0.125]
  const zones = [1, 2, 3, 4]
  const { worlds, guest } = await crowd(zones, 1, {
    priority: (_: unknown, zone: number) => worths[zone - 1]!,
  })
  const { Crate } = guest.schema.dclasses
  const { zone } = guest.schema.DistributedObject
  const shown = zones.map(() => new Set<number>())
  worlds.run(60)
  for (let frame = 0; frame < 480; frame++) {
    worlds.run(1)
    for (const eid of query(guest.world, [Crate])) shown[zone[eid]! - 1]!.add(Crate.tick[eid])
  }
  const ticks = 240
  for (const [index, worth] of worths.entries())
    expect(shown[index]!.size / ticks, `worth ${worth}`).toBeCloseTo(worth, 1)
  worlds.game = () => {}
  worlds.until(() => isSame(worlds, guest), 'at rest all is there', 5)
  await worlds.end()
})

test('a new zone arrives as fast whatever it is worth', async () => {
  const worlds = createWorlds(DC, { server: { priority: () => 0.01 }, conditions: { lag: 0.03 } })
  for (let count = 0; count < 30; count++) spawn(worlds, 'Crate', { noise: count }, 1)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]), 1)
  await worlds.end()
})

test('it is asked for each client, zone and class, a few times a second', async () => {
  const asked = new Map<string, number>()
  const { worlds } = await crowd([1, 2], 3, {
    priority: (client: { id: number }, zone: number, dclass: DClass) => {
      const key = `${client.id} ${zone} ${infoOf(dclass).dclass.name}`
      asked.set(key, (asked.get(key) ?? 0) + 1)
      return 1
    },
  })
  spawn(worlds, 'Bullet', {}, 2)
  const second = await worlds.join()
  await worlds.settle(second.client.interest.set([2]))
  asked.clear()
  worlds.run(600)
  expect([...asked.keys()].sort(), 'nothing is asked of what does not change').toEqual([
    '1 1 Crate',
    '1 2 Crate',
    '2 2 Crate',
  ])
  for (const count of asked.values()) expect(count / 10).toBeLessThanOrEqual(4.1)
  await worlds.end()
})

test('one that throws is reported, and counts as 1', async () => {
  const told: string[] = []
  const { worlds, guest } = await crowd([1], 3, {
    priority: () => {
      throw new Error('no idea')
    },
    onError: (error: Error, where: string) => told.push(`${where}: ${error.message}`),
  })
  worlds.run(60)
  expect(new Set(told)).toEqual(new Set(['priority: no idea']))
  expect(most(ages(worlds, guest, [1], 1).get(1)!)).toBeLessThan(0.2)
  await worlds.end()
})

test('objects with a rule of their own are weighed by the zone that they are in; what only an owner gets is not', async () => {
  const zones = new Set<number>()
  const worlds = createWorlds(DC, {
    server: { priority: (_, zone) => (zones.add(zone), 1) },
  })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Crate', {}, 42, worlds.clientOf(guest))
  worlds.server.setVisibility(eid, 'never')
  worlds.run(30)
  expect(worlds.seenBy(guest, eid)).not.toBe(0)
  expect([...zones]).toEqual([42])
  await worlds.end()
})
