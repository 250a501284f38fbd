import { addComponent, addEntity, hasComponent, query, removeEntity } from 'bitecs'
import { Alive, Owned } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { memoryNetwork } from 'bitecs-pipes/memory'
import type { ServerTransport } from 'bitecs-pipes/server'
import { clientOf, createWorlds, drain, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
keyword interp_linear;
dclass Avatar {
  string name required broadcast ram;
  uint16 x broadcast ram interp_linear;
  tell(uint8 n) ownsend;
  told(uint8 n) broadcast;
};
`
const fail = () => {
  throw new Error('careless')
}

test('what handlers throw is reported with their name, and everything goes on', async () => {
  const errors: string[] = []
  const worlds = createWorlds(DC, { server: { onError: (_error, where) => errors.push(`server: ${where}`) } })
  const guest = await worlds.join({}, { onError: (_error, where) => errors.push(`client: ${where}`) })
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
  worlds.run(20)
  const { Avatar } = worlds.schema.dclasses
  const { Avatar: Theirs } = guest.schema.dclasses
  const heard = { server: 0, client: 0, left: 0, ended: 0 }
  worlds.server.on(Avatar.tell, fail)
  worlds.server.on(Avatar.tell, () => heard.server++)
  worlds.server.onLeave(fail)
  worlds.server.onLeave(() => heard.left++)
  guest.client.on(Theirs.told, fail)
  guest.client.on(Theirs.told, () => heard.client++)
  guest.client.onDisconnect(fail)
  guest.client.onDisconnect(() => heard.ended++)
  guest.client.sendUpdate(seenBy(worlds, guest, eid), Theirs.tell, { n: 1 })
  worlds.server.sendUpdate(eid, Avatar.told, { n: 1 })
  worlds.run(20)
  guest.client.disconnect()
  worlds.run(20)
  expect(heard, 'the handlers behind the careless ones ran').toEqual({ server: 1, client: 1, left: 1, ended: 1 })
  expect(errors.sort(), 'each was reported').toEqual([
    'client: Avatar.told',
    'client: onDisconnect',
    'server: Avatar.tell',
    'server: onLeave',
  ])
  await worlds.end()
})

test('a handler may remove the object that its message is for', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
  worlds.run(20)
  let calls = 0
  worlds.server.on(worlds.schema.dclasses.Avatar.tell, at => {
    calls++
    removeEntity(worlds.world, at)
  })
  const mine = seenBy(worlds, guest, eid)
  for (const n of [1, 2]) guest.client.sendUpdate(mine, guest.schema.dclasses.Avatar.tell, { n })
  worlds.run(20)
  expect(calls, 'the second message has no object any more').toBe(1)
  expect(guest.client.stats.objects, 'nor has the client').toBe(0)
  expect(() => guest.client.sendUpdate(mine, guest.schema.dclasses.Avatar.tell, { n: 3 })).toThrow(
    /is no distributed object of an open session/,
  )
  await worlds.end()
})

test('a game that removes a replicated entity on its own side harms only itself', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1)
  const other = spawn(worlds, 'Avatar', { name: 'Bob' }, 1)
  await worlds.settle(guest.client.interest.set([1]))
  removeEntity(guest.world, seenBy(worlds, guest, eid))
  worlds.schema.dclasses.Avatar.name[eid] = 'Eve'
  worlds.schema.dclasses.Avatar.x[eid] = 4
  worlds.run(30)
  removeEntity(worlds.world, eid)
  worlds.schema.dclasses.Avatar.name[other] = 'Rob'
  worlds.run(30)
  expect(guest.client.stats.objects, 'the rest goes on').toBe(1)
  expect(guest.schema.dclasses.Avatar.name[seenBy(worlds, guest, other)]).toBe('Rob')
  await worlds.end()
})

test('what async handlers reject with is reported as well', async () => {
  const errors: string[] = []
  const worlds = createWorlds(DC, { server: { onError: (error, where) => errors.push(`server: ${where}: ${error}`) } })
  const failLater = async () => {
    await drain()
    fail()
  }
  worlds.server.onLeave(failLater)
  worlds.server.on(worlds.schema.dclasses.Avatar.tell, failLater)
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
  worlds.run(20)
  guest.client.sendUpdate(seenBy(worlds, guest, eid), guest.schema.dclasses.Avatar.tell, { n: 1 })
  worlds.run(20)
  guest.client.disconnect()
  worlds.run(20)
  await drain()
  await drain()
  expect(errors.sort()).toEqual(['server: Avatar.tell: Error: careless', 'server: onLeave: Error: careless'])
  await worlds.end()
})

test('an entity that the game removed is let go, whatever its id becomes', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const { Avatar } = worlds.schema.dclasses
  const { Avatar: Theirs } = guest.schema.dclasses
  const eid = spawn(worlds, 'Avatar', { name: 'Ada', x: 1 }, 1)
  const own = spawn(worlds, 'Avatar', { name: 'Own', x: 2 }, 1, clientOf(worlds, guest))
  worlds.run(20)
  const Mine = {}
  const ids = [eid, own].map(each => seenBy(worlds, guest, each))
  for (const id of ids) removeEntity(guest.world, id)
  expect(
    [eid, own].map(each => seenBy(worlds, guest, each)),
    'entityOf does not name them any more',
  ).toEqual([0, 0])
  const taken = ids.map(() => {
    const id = addEntity(guest.world)
    addComponent(guest.world, id, Mine)
    Theirs.x[id] = 999
    return id
  })
  expect(taken.sort(), 'bitECS gives the ids away again').toEqual([...ids].sort())
  worlds.run(60)
  Avatar.x[eid] = 5
  Avatar.name[own] = 'Owner'
  Avatar.x[own] = 6
  worlds.run(60)
  for (const id of taken)
    expect([Theirs.x[id], hasComponent(guest.world, id, Theirs), hasComponent(guest.world, id, Owned)]).toEqual([
      999,
      false,
      false,
    ])
  const back = [eid, own].map(each => seenBy(worlds, guest, each))
  expect(
    back.map(id => [Theirs.name[id], Theirs.x[id]]),
    'the objects are back as other entities',
  ).toEqual([
    ['Ada', 5],
    ['Owner', 6],
  ])
  expect(back.map(id => hasComponent(guest.world, id, Alive))).toEqual([true, true])
  removeEntity(worlds.world, eid)
  worlds.run(20)
  expect([...query(guest.world, [Mine])].sort(), 'a removal on the server takes its own entity only').toEqual(taken)
  expect(seenBy(worlds, guest, own)).toBe(back[1])
  guest.client.disconnect()
  worlds.run(20)
  expect([...query(guest.world, [Mine])].sort(), 'so does the end of the session').toEqual(taken)
  expect(query(guest.world, [Theirs])).toHaveLength(0)
  await worlds.end()
})

test('what goes wrong for one client in a tick is reported, and the others are served all the same', async () => {
  const errors: string[] = []
  const network = memoryNetwork({ now: () => worlds.now() })
  let failing = 0
  const transport: ServerTransport = {
    ...network.server,
    listen: onConnection =>
      network.server.listen(connection => {
        const isFirst = connection.address === 'memory:1'
        onConnection({
          ...connection,
          get onPacket() {
            return connection.onPacket
          },
          set onPacket(handler) {
            connection.onPacket = handler
          },
          send(packet) {
            if (isFirst && failing > 0 && failing--) fail()
            connection.send(packet)
          },
        })
      }),
  }
  const worlds: Worlds = createWorlds(DC, {
    server: { transport, onError: (_error, where) => errors.push(where) },
  })
  worlds.game = () => network.deliver()
  const join = () => worlds.join({}, { transport: network.client() })
  const guests = [await join(), await join(), await join()]
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1)
  for (const guest of guests) await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  failing = 20
  worlds.game = () => {
    network.deliver()
    worlds.schema.dclasses.Avatar.x[eid]++
  }
  const xOf = (guest: Guest) => guest.schema.dclasses.Avatar.x[seenBy(worlds, guest, eid)]
  worlds.run(30)
  expect(new Set(errors)).toEqual(new Set([`replicate, client ${guests[0]!.client.clientId}`]))
  for (const guest of guests.slice(1)) expect(xOf(guest)).toBeGreaterThan(5)
  worlds.run(120)
  expect(errors.length).toBe(20)
  worlds.game = () => network.deliver()
  worlds.run(120)
  expect(guests.map(xOf)).toEqual(guests.map(() => worlds.schema.dclasses.Avatar.x[eid]))
  await worlds.end()
})
