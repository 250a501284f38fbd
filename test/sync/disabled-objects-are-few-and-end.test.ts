import { addComponent, addEntity, hasComponent, observe, onAdd, onRemove, query, removeEntity } from 'bitecs'
import { Alive, Deleted, Disabled } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Bird { uint16 height broadcast; chirp(uint8 tone) broadcast; };'

const stage = async (client: object, capacity = 2000) => {
  const worlds = createWorlds(DC, { client, capacity })
  const guest = await worlds.join()
  const { Bird } = guest.schema.dclasses
  const count = (...terms: object[]) => query(guest.world, [Bird, ...terms]).length
  return { worlds, guest, Bird, count, client: guest.client }
}

test('by default none are kept: a loop over a class has what is seen, and its observers still see the last state', async () => {
  const { worlds, guest, Bird, count, client } = await stage({})
  const bird = spawn(worlds, 'Bird', { height: 7 }, 1)
  await worlds.settle(client.interest.set([1]))
  worlds.run(2)
  const told: string[] = []
  const height = (eid: number) => Bird.height[eid]
  observe(guest.world, onRemove(Bird, Alive), eid => told.push(`not alive ${height(eid)}`))
  observe(guest.world, onAdd(Bird, Disabled), eid => told.push(`disabled ${height(eid)}`))
  observe(guest.world, onAdd(Bird, Deleted), eid => told.push(`deleted ${height(eid)}`))
  observe(guest.world, onRemove(Bird), eid => told.push(`removed ${height(eid)}`))
  guest.play = () => expect(count(Disabled)).toBe(0)
  worlds.server.place(bird, 2)
  worlds.until(() => told.length > 0, 'gone')
  expect(told).toEqual(['not alive 7', 'disabled 7', 'deleted 7', 'removed 7'])
  expect([count(), client.stats.objects, client.stats.disabled]).toEqual([0, 0, 0])
  await worlds.end()
})

test('who walks through many zones keeps only so many, those that it saw last', async () => {
  const { worlds, count, client } = await stage({ disabledTime: 3600, maxDisabled: 20 })
  const birds = Array.from({ length: 300 }, (_, index) => spawn(worlds, 'Bird', { height: index }, 1 + (index % 30)))
  for (let zone = 1; zone <= 30; zone++) {
    await worlds.settle(client.interest.set([zone]))
    worlds.run(2)
    expect(client.stats.objects).toBe(10)
    expect(count(Disabled), 'at most so many').toBe(Math.min(20, (zone - 1) * 10))
  }
  expect(birds).toHaveLength(300)
  await worlds.settle(client.interest.set([28, 30]))
  worlds.run(2)
  expect([count(Alive), count(Disabled)]).toEqual([20, 10])
  client.configure({ maxDisabled: 4 })
  worlds.run(2)
  expect(count(Disabled), 'fewer from now on').toBe(4)
  expect(client.stats.disabled).toBe(4)
  await worlds.end()
})

test('they make room for new objects where the schema has no more', async () => {
  const { worlds, guest, count, client } = await stage({ disabledTime: 3600 }, 16)
  for (let own = 0; own < 5; own++) addEntity(guest.world)
  const birds = Array.from({ length: 10 }, () => spawn(worlds, 'Bird', {}, 1))
  await worlds.settle(client.interest.set([1]))
  worlds.run(2)
  expect(count(Alive), 'ids up to 15 are all taken').toBe(10)
  for (const bird of birds) worlds.server.place(bird, 2)
  worlds.run(20)
  expect(count(Disabled)).toBe(10)
  for (let index = 0; index < 4; index++) spawn(worlds, 'Bird', {}, 1)
  worlds.run(20)
  expect([count(Alive), count(Disabled)]).toEqual([4, 6])
  await worlds.end()
})

test('what found no room comes when there is some, though nothing of it changed', async () => {
  const worlds = createWorlds('dclass Bird { uint8 x broadcast; }; dclass Nest { uint8 y broadcast; };', {
    capacity: 16,
    client: { onError: () => {} },
  })
  const guest = await worlds.join()
  const { Bird, Nest } = guest.schema.dclasses
  const count = () => [Bird, Nest].map(dclass => query(guest.world, [dclass]).length)
  for (let own = 0; own < 6; own++) addEntity(guest.world)
  await worlds.settle(guest.client.interest.set([1]))
  const birds = Array.from({ length: 9 }, () => spawn(worlds, 'Bird', {}, 1))
  worlds.run(20)
  for (let nest = 0; nest < 4; nest++) spawn(worlds, 'Nest', {}, 1)
  worlds.run(20)
  expect(count()).toEqual([9, 0])
  removeEntity(worlds.world, birds.pop()!)
  worlds.until(() => count()[1] === 1, 'one of them', 2)
  for (const bird of birds) removeEntity(worlds.world, bird)
  worlds.until(() => count()[1] === 4, 'all of them', 2)
  expect(count()).toEqual([0, 4])
  await worlds.end()
})

test('their time can change while they are gone', async () => {
  const { worlds, count, client } = await stage({ disabledTime: 3600 })
  const bird = spawn(worlds, 'Bird', {}, 1)
  await worlds.settle(client.interest.set([1]))
  worlds.server.place(bird, 2)
  worlds.run(60 * 5)
  expect(count(Disabled)).toBe(1)
  client.configure({ disabledTime: 2 })
  worlds.run(1)
  expect(count()).toBe(0)
  expect(() => client.configure({ disabledTime: -1 })).toThrow(/disabledTime is -1/)
  expect(() => client.configure({ maxDisabled: 0 })).toThrow(/maxDisabled is 0/)
  await worlds.end()
})

test('of a session that ended nothing is left, and the next one begins with other entities', async () => {
  const { worlds, guest, Bird, count, client } = await stage({ disabledTime: 3600 })
  const [gone, here] = [spawn(worlds, 'Bird', {}, 1), spawn(worlds, 'Bird', {}, 1)]
  await worlds.settle(client.interest.set([1]))
  worlds.run(2)
  worlds.server.place(gone, 2)
  worlds.run(20)
  expect([count(Disabled), count(Alive)]).toEqual([1, 1])
  const ended: number[] = []
  observe(guest.world, onAdd(Bird, Deleted), eid => ended.push(eid))
  client.disconnect()
  worlds.run(1)
  expect(ended, 'both').toHaveLength(2)
  expect(count()).toBe(0)
  await worlds.settle(client.connect())
  await worlds.settle(client.interest.set([1, 2]))
  worlds.run(2)
  expect([seenBy(worlds, guest, gone), seenBy(worlds, guest, here)].every(eid => eid > 0)).toBe(true)
  expect(count(Alive)).toBe(2)
  await worlds.end()
})

test('one that the game removes itself comes back as another entity; its id may be used for anything', async () => {
  const { worlds, guest, Bird, client } = await stage({ disabledTime: 5 })
  const bird = spawn(worlds, 'Bird', { height: 3 }, 1)
  await worlds.settle(client.interest.set([1]))
  worlds.run(2)
  const own = seenBy(worlds, guest, bird)
  worlds.server.place(bird, 2)
  worlds.until(() => hasComponent(guest.world, own, Disabled), 'disabled')
  removeEntity(guest.world, own)
  const Tree = {}
  const tree = addEntity(guest.world)
  addComponent(guest.world, tree, Tree)
  expect(tree).toBe(own)
  worlds.run(60 * 6)
  expect(hasComponent(guest.world, tree, Tree), 'no business of the one before').toBe(true)
  worlds.server.place(bird, 1)
  worlds.until(() => seenBy(worlds, guest, bird) !== 0, 'back')
  expect(seenBy(worlds, guest, bird)).not.toBe(tree)
  expect(Bird.height[seenBy(worlds, guest, bird)]).toBe(3)
  expect(client.stats.faults).toBe(0)
  await worlds.end()
})

test('a message for one that does not return in time is dropped, and counted', async () => {
  const { worlds, guest, Bird, client } = await stage({ disabledTime: 3600 })
  const bird = spawn(worlds, 'Bird', {}, 1)
  await worlds.settle(client.interest.set([1]))
  worlds.run(2)
  const own = seenBy(worlds, guest, bird)
  let heard = 0
  client.on(Bird.chirp, () => heard++)
  worlds.network.conditions.down.lag = 0.2
  worlds.server.sendUpdate(bird, worlds.schema.dclasses.Bird.chirp, { tone: 1 })
  worlds.run(1)
  removeEntity(guest.world, own)
  worlds.run(60 * 5)
  expect([heard, client.stats.orphanedMessages]).toEqual([0, 1])
  await worlds.end()
})
