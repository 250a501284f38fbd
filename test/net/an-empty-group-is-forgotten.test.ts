import { query, removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { removeRow, sweepZones, zoneOf } from '../../src/net/store.ts'
import { clientStates } from '../../src/systems/client-state.ts'
import { createWorlds, spawn } from '../support/worlds.ts'
import { createDuo } from './duo.ts'

const DC = 'dclass Thing { uint16 a broadcast; };'

test('a group that is empty for 1,024 ticks goes, in a zone that is seen too; one that is refilled before does not', async () => {
  const duo = await createDuo(DC, { rate: 60 })
  const crowd = Array.from({ length: 200 }, (_, index) => duo.add(1, index + 1))
  duo.run(60)
  const zone = zoneOf(duo.store, 1)
  expect(zone.groups.length).toBe(4)
  expect(duo.session.replica.groups.size).toBe(4)
  // Those of the first group stay; one of the third comes back, into the slots that are free again.
  const [first, , third] = zone.groups
  for (const place of crowd) if (place.group !== first) removeRow(place, duo.tick + 1, undefined)
  duo.run(1000)
  sweepZones(duo.store, duo.tick, () => false)
  expect(zone.groups.length, 'before the time is over').toBe(4)
  duo.add(1, 1000)
  expect(zone.groups.findIndex(group => group.used > 0 && group !== first)).toBeGreaterThan(0)
  duo.run(100)
  sweepZones(duo.store, duo.tick, () => false)
  expect(zone.groups.filter(group => group.used === 0)).toEqual([])
  expect(zone.groups.length).toBe(2)
  expect(zone.groups).not.toContain(third)
  duo.run(10)
  expect(duo.downlink.subscriptions.order.length, 'the sender has them no more').toBe(2)
  // The client, whom nobody tells, keeps what is empty a while longer.
  for (let count = 0; count < 4200 && duo.session.replica.groups.size > 2; count++) duo.step()
  expect([...duo.session.replica.groups.keys()].sort()).toEqual(zone.groups.map(group => group.id).sort())
  expect(duo.wrong).toEqual([])
  duo.end()
})

test('not before each client has heard of the last departure, however long its link was dead', async () => {
  const worlds = createWorlds(DC, { server: { tickRate: 60, timeout: 60 }, client: { timeout: 60 } })
  const eids = [1, 2, 3].map(a => spawn(worlds, 'Thing', { a }, 1))
  // Another zone, so that the session has something to say.
  spawn(worlds, 'Thing', { a: 9 }, 2)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1, 2]))
  const there = () => [...query(guest.world, [guest.schema.dclasses.Thing])].length
  expect(there()).toBe(4)
  for (const way of [worlds.network.conditions.up, worlds.network.conditions.down]) way.loss = 1
  worlds.run(30)
  for (const eid of eids) removeEntity(worlds.world, eid)
  worlds.run(25 * 60)
  for (const way of [worlds.network.conditions.up, worlds.network.conditions.down]) way.loss = 0
  worlds.run(120)
  expect(guest.client.state).toBe('connected')
  expect(there(), 'the client sees nothing that is gone').toBe(1)
  await worlds.end()
})

test('a crowd that comes and goes leaves no memory behind, neither at the server nor at a client', async () => {
  const worlds = createWorlds(DC, { server: { tickRate: 60 } })
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1, 2, 3]))
  const { replica } = clientStates.get(guest.client)!.session!
  const sizes: number[] = []
  for (let wave = 0; wave < 6; wave++) {
    const eids = Array.from({ length: 300 }, (_, index) =>
      spawn(worlds, 'Thing', { a: index }, 1 + ((wave + index) % 3)),
    )
    worlds.run(60)
    for (const eid of eids) removeEntity(worlds.world, eid)
    worlds.run(400)
    sizes.push(replica.groups.size)
  }
  expect(Math.max(...sizes), 'groups of a client').toBeLessThan(50)
  worlds.run(80 * 60)
  expect([replica.groups.size, query(guest.world, [guest.schema.dclasses.Thing]).length]).toEqual([0, 0])
  await worlds.end()
})
