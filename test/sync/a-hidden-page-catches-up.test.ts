import { hasComponent, query, removeEntity } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientStates } from '../../src/systems/client-state.ts'
import { ARENA, createChaos, projection, sorted, visible } from '../support/arena.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Crate {
  string label required broadcast ram;
  uint32 weight broadcast ram;
  flash(uint32 number) broadcast unreliable;
  news(uint32 number) broadcast;
};
`

const shown = (guest: Guest) =>
  [...query(guest.world, [guest.schema.dclasses.Crate])]
    .map(eid => {
      const { Crate } = guest.schema.dclasses
      return `${Crate.label[eid]} ${Crate.weight[eid]} ${hasComponent(guest.world, eid, Alive)}`
    })
    .sort()

const expected = ({ world, schema: { dclasses, DistributedObject } }: Worlds) =>
  [...query(world, [dclasses.Crate])]
    .filter(eid => DistributedObject.zone[eid] === 1)
    .map(eid => `${dclasses.Crate.label[eid]} ${dclasses.Crate.weight[eid]} true`)
    .sort()

test('unreliable messages that nobody takes are dropped, the session goes on', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Crate', { label: 'still' }, 1)
  await worlds.settle(guest.client.interest.set([1]))
  const { Crate } = worlds.schema.dclasses
  const heard: number[] = []
  guest.client.on(guest.schema.dclasses.Crate.news, () => heard.push(-1))
  guest.client.on<{ number: number }>(guest.schema.dclasses.Crate.flash, (_eid, { number }) => heard.push(number))
  let step = 0
  worlds.game = () => {
    worlds.server.sendUpdate(eid, Crate.flash, { number: ++step })
  }
  guest.isHidden = true
  worlds.run(400 * 60)
  worlds.server.sendUpdate(eid, Crate.news, { number: 0 })
  worlds.run(10)
  expect([guest.client.state, worlds.server.clients.size, step > 10_000]).toEqual(['connected', 1, true])
  expect(heard, 'nobody heard anything meanwhile').toEqual([])
  guest.isHidden = false
  worlds.run(1)
  expect(heard.length, 'most are dropped').toBeLessThan(300)
  expect(heard.includes(-1), 'a reliable one is not').toBe(true)
  const before = heard.length
  worlds.run(120)
  expect(heard.length - before, 'from then on all are heard').toBeGreaterThanOrEqual(58)
  expect(heard.at(-1)).toBeGreaterThan(step - 3)
  await worlds.end()
})

test.each([0, 0.1])('after minutes of spawns, moves and removals it shows what is there now (loss %f)', async loss => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, loss } })
  const guest = await worlds.join()
  const { Crate } = worlds.schema.dclasses
  const crates = Array.from({ length: 30 }, (_, count) => spawn(worlds, 'Crate', { label: `first ${count}` }, 1))
  await worlds.settle(guest.client.interest.set([1]))
  let step = 0
  worlds.game = () => {
    step++
    if (step % 10 === 0) {
      // The first five stay: their labels are never sent again.
      removeEntity(worlds.world, crates.splice(5 + (step % 25), 1)[0]!)
      crates.push(spawn(worlds, 'Crate', { label: `born ${step}` }, 1))
    }
    if (step % 15 === 0) worlds.server.place(crates[5 + (step % 20)]!, 1 + (step % 2))
    Crate.weight[crates[step % 30]!] = step
    if (step % 7 === 0) Crate.label[crates[10 + (step % 20)]!] = `renamed ${step}`
  }
  guest.isHidden = true
  worlds.run(180 * 60)
  guest.isHidden = false
  worlds.run(1)
  const first = shown(guest)
  expect(first.filter(line => !line.endsWith('true')).length, 'not whole in the first frame').toBeLessThanOrEqual(2)
  worlds.game = () => {}
  worlds.run(120)
  expect(shown(guest), 'exactly what is there').toEqual(expected(worlds))
  expect(guest.client.stats.malformed).toBe(0)
  await worlds.end()
})

test.each([1, 2, 3])('so it does in a world where everything happens (seed %i)', async seed => {
  const worlds = createWorlds(ARENA, { seed, conditions: { lag: 0.05, loss: 0.1, jitter: 0.03 } })
  const guest = await worlds.join()
  const chaos = createChaos(worlds, seed)
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.game = chaos.step
  for (let time = 0; time < 3; time++) {
    worlds.run(60)
    guest.isHidden = true
    worlds.run(60 * 60)
    guest.isHidden = false
  }
  worlds.game = () => {}
  worlds.run(240)
  expect(sorted(visible(guest))).toEqual(sorted(projection(worlds, guest.client.interest.zones, guest.client.clientId)))
  for (const eid of query(guest.world, [guest.schema.DistributedObject]))
    expect(hasComponent(guest.world, eid, Alive)).toBe(true)
  await worlds.end()
})

test('an object that came and went unseen is not mentioned', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  guest.isHidden = true
  const eid = spawn(worlds, 'Crate', { label: 'brief' }, 1, clientOf(worlds, guest))
  worlds.run(20)
  removeEntity(worlds.world, eid)
  worlds.run(20)
  guest.isHidden = false
  worlds.run(20)
  expect([shown(guest), seenBy(worlds, guest, eid)]).toEqual([[], 0])
  await worlds.end()
})

test('zones that come and go while it is hidden leave nothing behind', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const client = clientOf(worlds, guest)
  for (let zone = 1; zone <= 200; zone++) spawn(worlds, 'Crate', { label: `zone ${zone}`, weight: zone }, zone)
  worlds.server.setZones(client, [1])
  worlds.run(30)
  expect(shown(guest)).toEqual(['zone 1 1 true'])
  guest.isHidden = true
  for (let zone = 2; zone <= 200; zone++) {
    worlds.server.setZones(client, [zone])
    worlds.run(20)
  }
  const { replica } = clientStates.get(guest.client)!.session!
  expect(replica.leftZones.size, 'zones that it saw').toBeGreaterThan(100)
  expect(replica.droppedGroups.length, 'groups to be cleared').toBe(1)
  guest.isHidden = false
  worlds.run(10)
  expect(shown(guest)).toEqual(['zone 200 200 true'])
  await worlds.end()
})
