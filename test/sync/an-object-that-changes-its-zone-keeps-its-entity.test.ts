import { observe, onRemove } from 'bitecs'
import { expect, test } from 'vitest'
import { random } from '../../src/net/random.ts'
import { createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Avatar { string name required broadcast ram; uint16 steps broadcast ram; };'

test.each([1, 2, 3, 4, 5, 6])('for a client that sees both zones it stays the same entity (seed %i)', async seed => {
  const conditions = { lag: 0.06, jitter: 0.05, loss: 0.2, reorder: 0.2, duplicate: 0.2 }
  const worlds = createWorlds(DC, { seed, conditions })
  const chance = random(seed)
  const { Avatar } = worlds.schema.dclasses
  const movers = Array.from({ length: 8 }, (_, index) =>
    spawn(worlds, 'Avatar', { name: `m${index}` }, 1 + (index % 3)),
  )
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1, 2, 3]))
  const before = movers.map(eid => seenBy(worlds, guest, eid))
  let removed = 0
  observe(guest.world, onRemove(guest.schema.dclasses.Avatar), () => removed++)
  worlds.game = () => {
    for (const eid of movers) {
      if (chance() < 0.2) worlds.server.place(eid, 1 + Math.floor(chance() * 3))
      Avatar.steps[eid]++
    }
  }
  worlds.run(400)
  worlds.game = () => {}
  worlds.run(120)
  expect(removed, 'no entity was ever removed').toBe(0)
  expect(
    movers.map(eid => seenBy(worlds, guest, eid)),
    'each kept its entity id',
  ).toEqual(before)
  for (const [index, eid] of movers.entries()) {
    const zones = guest.schema.DistributedObject.zone
    expect(zones[before[index]!], 'its zone column is the new one').toBe(worlds.schema.DistributedObject.zone[eid])
    expect(guest.schema.dclasses.Avatar.steps[before[index]!], 'and its numbers are up to date').toBe(Avatar.steps[eid])
  }
  await worlds.end()
})

test('also when old and new zone do not fit into one datagram', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, loss: 0.1 } })
  const { Avatar } = worlds.schema.dclasses
  const zones = Array.from({ length: 30 }, (_, index) => index + 1)
  const crowd = zones.flatMap(zone => Array.from({ length: 40 }, () => spawn(worlds, 'Avatar', { name: 'c' }, zone)))
  const movers = crowd.filter((_, index) => index % 40 === 0)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set(zones), 60)
  const before = movers.map(eid => seenBy(worlds, guest, eid))
  let removed = 0
  observe(guest.world, onRemove(guest.schema.dclasses.Avatar), () => removed++)
  let tick = 0
  worlds.game = () => {
    tick++
    for (const [index, eid] of crowd.entries()) Avatar.steps[eid] = (tick * 7919 + index * 104729) % 65536
    const eid = movers[tick % movers.length]!
    worlds.server.place(eid, ((tick * 7) % zones.length) + 1)
  }
  worlds.run(300)
  worlds.game = () => {}
  worlds.run(180)
  expect(removed, 'no entity was ever removed').toBe(0)
  expect(
    movers.map(eid => seenBy(worlds, guest, eid)),
    'each kept its entity id',
  ).toEqual(before)
  const zoneOf = (schema: { DistributedObject: { zone: Uint32Array } }, eids: number[]) =>
    eids.map(eid => schema.DistributedObject.zone[eid])
  expect(zoneOf(guest.schema, before), 'and is where it should be').toEqual(zoneOf(worlds.schema, movers))
  await worlds.end()
})

test('for a client that sees the old zone only it vanishes, for one of the new zone only it appears', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, jitter: 0.02, loss: 0.1 } })
  const eid = spawn(worlds, 'Avatar', { name: 'mover' }, 1)
  const old = await worlds.join()
  const next = await worlds.join()
  await worlds.settle(old.client.interest.set([1]))
  await worlds.settle(next.client.interest.set([2]))
  expect([seenBy(worlds, old, eid) > 0, seenBy(worlds, next, eid) > 0], 'at first').toEqual([true, false])
  worlds.server.place(eid, 2)
  worlds.run(60)
  expect([seenBy(worlds, old, eid) > 0, seenBy(worlds, next, eid) > 0], 'then').toEqual([false, true])
  expect(next.schema.dclasses.Avatar.name[seenBy(worlds, next, eid)], 'with its strings').toBe('mover')
  await worlds.end()
})
