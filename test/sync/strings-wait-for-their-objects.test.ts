import { hasComponent, removeEntity } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { random } from '../../src/net/random.ts'
import { clientStates } from '../../src/systems/client-state.ts'
import { createWorlds, seenBy, spawn, type Guest } from '../support/worlds.ts'

const DC = `
dclass Rock { uint32 a broadcast; uint32 b broadcast; };
dclass Avatar { string name broadcast; uint32 a broadcast; uint32 b broadcast; };
`

/** Objects whose strings a client keeps. */
const kept = ({ client }: Guest) => clientStates.get(client)!.session!.replica.values.interested.size

test('an object that is long on its way between two zones arrives whole', async () => {
  const worlds = createWorlds(DC, {
    conditions: { lag: 0.03 },
    server: { maxBytesPerSecond: 4096, priority: (_client, zone) => (zone === 2 ? 0.01 : 100) },
  })
  const { Rock, Avatar } = worlds.schema.dclasses
  const chance = random(1)
  const any = () => Math.floor(chance() * 0x1_0000_0000)
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1)
  const others = Array.from({ length: 45 }, () => spawn(worlds, 'Avatar', { name: 'Bob' }, 2))
  await worlds.settle(guest.client.interest.set([1, 2]))
  // More groups than a packet tries: however small they are made, those of zone 2 are no filler beside them, and wait.
  const rocks = Array.from({ length: 1600 }, () => spawn(worlds, 'Rock', {}, 1))
  worlds.run(600)
  worlds.game = () => {
    for (const other of others) Avatar.a[other] = any()
    for (const rock of rocks) {
      Rock.a[rock] = any()
      Rock.b[rock] = any()
    }
  }
  worlds.run(120)
  worlds.server.place(eid, 2)
  const isSeen = () => seenBy(worlds, guest, eid) !== 0
  worlds.until(() => !isSeen(), 'it has left zone 1')
  for (let second = 0; second < 15; second++) {
    worlds.run(60)
    expect(isSeen(), 'it has not come to zone 2').toBe(false)
  }
  worlds.game = () => {}
  worlds.run(600)
  const mine = seenBy(worlds, guest, eid)
  expect(guest.schema.dclasses['Avatar'].name[mine]).toBe('Ada')
  expect(hasComponent(guest.world, mine, Alive)).toBe(true)
  await worlds.end()
})

test('those of objects that are deleted, hidden, or in a zone that was left are forgotten soon', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.03, loss: 0.05 } })
  const guest = await worlds.join()
  const eids = Array.from({ length: 60 }, (_, index) =>
    spawn(worlds, 'Avatar', { name: `${index}` }, index % 3 === 2 ? 2 : 1),
  )
  for (const eid of eids.filter((_, index) => index % 3 === 1)) worlds.server.setVisibility(eid, 'always')
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.run(60)
  expect([kept(guest), guest.client.stats.objects]).toEqual([60, 60])
  eids.forEach((eid, index) => {
    if (index % 3 === 0) removeEntity(worlds.world, eid)
    else if (index % 3 === 1) worlds.server.setVisibility(eid, 'never')
  })
  worlds.run(60)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(15 * 60)
  expect([kept(guest), guest.client.stats.objects]).toEqual([0, 0])
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.run(30)
  expect([kept(guest), guest.client.stats.objects]).toEqual([20, 20])
  await worlds.end()
})
