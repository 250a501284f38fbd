import { query } from 'bitecs'
import { Alive, Owned } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Avatar { string name required broadcast ram; };'

test('an owner sees the zone of its object, its neighbours too, without asking', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const other = await worlds.join()
  const mine = spawn(worlds, 'Avatar', { name: 'mine' }, 5, clientOf(worlds, guest))
  const neighbour = spawn(worlds, 'Avatar', { name: 'neighbour' }, 5)
  worlds.run(10)
  const { Avatar } = guest.schema.dclasses
  expect([...query(guest.world, [Avatar, Alive, Owned])], 'its own is tagged Owned').toEqual([
    seenBy(worlds, guest, mine),
  ])
  expect(seenBy(worlds, guest, neighbour), 'who else is there is seen').not.toBe(0)
  expect([...guest.client.interest.zones], 'interest.zones says so').toEqual([5])
  expect(query(other.world, [other.schema.dclasses.Avatar]), 'somebody else sees nothing of it').toHaveLength(0)

  worlds.server.place(mine, 6)
  worlds.run(10)
  expect(seenBy(worlds, guest, mine), 'the owner follows its object').not.toBe(0)
  expect(seenBy(worlds, guest, neighbour), 'and leaves the old zone').toBe(0)
  expect([...guest.client.interest.zones], 'interest.zones follows').toEqual([6])

  worlds.server.place(mine, 6, 0)
  worlds.run(10)
  expect(seenBy(worlds, guest, mine), 'what is taken away from it is out of sight').toBe(0)
  expect([...guest.client.interest.zones], 'with its zone').toEqual([])
  await worlds.end()
})

test('its objects may be in more zones than it could ask for', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  for (let zone = 1; zone <= 600; zone++) spawn(worlds, 'Avatar', { name: `${zone}` }, zone, clientOf(worlds, guest))
  worlds.run(400)
  expect(guest.client.interest.zones.size, 'it sees all of them').toBe(600)
  expect(query(guest.world, [guest.schema.dclasses.Avatar, Owned, Alive]), 'with its objects').toHaveLength(600)
  expect(guest.client.stats.malformed, 'and takes no message for nonsense').toBe(0)
  await worlds.end()
})

test('an owner cannot look away from its own object', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const mine = spawn(worlds, 'Avatar', { name: 'mine' }, 5, clientOf(worlds, guest))
  worlds.run(10)
  await worlds.settle(guest.client.interest.set([9]))
  await worlds.settle(guest.client.interest.remove([5]))
  worlds.run(10)
  expect(seenBy(worlds, guest, mine), 'it is still there').not.toBe(0)
  await worlds.end()
})
