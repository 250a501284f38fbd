import { addComponent, addEntity, createWorld, hasComponent, query, removeComponent, removeEntity, set } from 'bitecs'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
struct Vec3 { int16/100 x; int16/100 y; };
dclass Node { Vec3 position broadcast ram; };
dclass Avatar : Node {
  string name = "nobody" required broadcast ram;
  uint8(0-100) health = 80 broadcast ram;
  uint8 badges[] broadcast ram;
  string note ownrecv;
  uint16 gold ownrecv;
};
dclass Hero : Avatar { uint8 power broadcast ram; };
dclass Crate : Node { uint32 weight broadcast ram; };
`

test('set() writes fields, structs in part too, and leaves the others at their defaults', async () => {
  const worlds = createWorlds(DC)
  const { Avatar } = worlds.schema.dclasses
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, set(Avatar, { name: 'Ada', position: { x: 1.5 } }))
  worlds.server.place(eid, 1)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const seen = seenBy(worlds, guest, eid)
  const { Avatar: Seen } = guest.schema.dclasses
  expect([Seen.name[seen], Seen.position.x[seen], Seen.position.y[seen], Seen.health[seen], Seen.badges[seen]]).toEqual(
    ['Ada', 1.5, 0, 80, []],
  )
  addComponent(worlds.world, eid, set(Avatar, { health: 3 }))
  worlds.run(10)
  expect([Seen.name[seen], Seen.health[seen]], 'set() on one that is there already').toEqual(['Ada', 3])
  await worlds.end()
})

test('queries for a base class, or for one of its fields, see derived objects, on both sides', async () => {
  const worlds = createWorlds(DC)
  const eids = ['Avatar', 'Hero', 'Crate', 'Node'].map(name => spawn(worlds, name, {}, 1))
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const seen = eids.map(eid => seenBy(worlds, guest, eid))
  for (const [world, { dclasses }, [avatar, hero, crate, node]] of [
    [worlds.world, worlds.schema, eids],
    [guest.world, guest.schema, seen],
  ] as const) {
    const found = (...terms: any[]) => [...query(world, terms)].sort()
    expect(found(dclasses.Node), 'every Node').toEqual([avatar, hero, crate, node].sort())
    expect(found(dclasses.Node.position), 'everything that has a position').toEqual([avatar, hero, crate, node].sort())
    expect(found(dclasses.Avatar), 'every Avatar').toEqual([avatar, hero].sort())
    expect(found(dclasses.Avatar.health), 'everything that has health').toEqual([avatar, hero].sort())
    expect(found(dclasses.Hero), 'every Hero').toEqual([hero])
    expect(found(dclasses.Crate), 'every Crate').toEqual([crate])
    expect(dclasses.Hero.position, 'and the columns are the same').toBe(dclasses.Node.position)
  }
  await worlds.end()
})

test('an entity id that is used again starts from the defaults, on both sides', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const { Avatar } = worlds.schema.dclasses
  const { Avatar: Seen } = guest.schema.dclasses
  const fields = { name: 'old', health: 7, badges: [1, 2], position: { x: 9, y: 9 }, note: 'private', gold: 5 }
  const first = spawn(worlds, 'Avatar', fields, 1, clientOf(worlds, guest))
  worlds.run(20)
  const seenFirst = seenBy(worlds, guest, first)
  expect([Seen.note[seenFirst], Seen.gold[seenFirst]], 'the owner has what is its own').toEqual(['private', 5])
  removeEntity(worlds.world, first)
  worlds.run(20)
  const second = spawn(worlds, 'Avatar', {}, 1)
  worlds.run(20)
  const seenSecond = seenBy(worlds, guest, second)
  expect([second, seenSecond], 'the ids are used again').toEqual([first, seenFirst])
  for (const [at, eid] of [
    [Avatar, second],
    [Seen, seenSecond],
  ])
    expect(
      [
        at.name[eid],
        at.health[eid],
        at.badges[eid],
        at.position.x[eid],
        at.position.y[eid],
        at.note[eid],
        at.gold[eid],
      ],
      'and nothing of the old object is left',
    ).toEqual(['nobody', 80, [], 0, 0, '', 0])
  await worlds.end()
})

test('an id that is used again within one tick is another object', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const first = spawn(worlds, 'Avatar', { name: 'old', health: 7 }, 1)
  worlds.run(20)
  const doId = worlds.schema.DistributedObject.doId[first]!
  removeEntity(worlds.world, first)
  const second = spawn(worlds, 'Crate', { weight: 5 }, 1)
  expect(second, 'the same id').toBe(first)
  worlds.run(20)
  expect(guest.client.entityOf(doId), 'the old object is gone').toBe(0)
  const seen = seenBy(worlds, guest, second)
  expect(hasComponent(guest.world, seen, guest.schema.dclasses.Crate), 'the new one is a Crate').toBe(true)
  expect(hasComponent(guest.world, seen, guest.schema.dclasses.Avatar), 'and no Avatar').toBe(false)
  expect(guest.schema.dclasses.Crate.weight[seen]).toBe(5)
  await worlds.end()
})

test('an object ends when its dclass is removed, the entity lives on', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(worlds, 'Crate', { weight: 5 }, 1)
  worlds.run(20)
  expect(seenBy(worlds, guest, eid)).not.toBe(0)
  const doId = worlds.schema.DistributedObject.doId[eid]!
  removeComponent(worlds.world, eid, worlds.schema.dclasses.Crate)
  worlds.run(20)
  expect(guest.client.entityOf(doId), 'no client sees it').toBe(0)
  expect(() => worlds.server.place(eid, 1), 'it is no distributed object any more').toThrow(/is no distributed object/)
  await worlds.end()
})

test('mistakes are errors that say what to do', async () => {
  const worlds = createWorlds(DC, { capacity: 20 })
  const { world, server } = worlds
  const { Avatar, Crate } = worlds.schema.dclasses
  const eid = addEntity(world)
  expect(() => server.place(eid, 1), 'no dclass yet').toThrow(/addComponent\(world, eid, Avatar\).*first/)
  expect(() => server.place(999, 1), 'no entity').toThrow(/Entity 999 does not exist/)
  addComponent(world, eid, Avatar)
  expect(() => server.place(eid, 0), 'zone 0').toThrow(/zone is 0; zones are whole numbers from 1 to 4294967295/)
  expect(() => server.place(eid, 1, { id: 5 } as never), 'a client that left').toThrow(/client 5 is not connected/)
  expect(() => addComponent(world, eid, Crate), 'two classes').toThrow(
    /is a Avatar already and cannot become a Crate too: add only the most derived dclass/,
  )
  const fill = () => {
    for (let count = 0; count < 30; count++) addComponent(world, addEntity(world), Avatar)
  }
  expect(fill, 'too many entities').toThrow(
    /beyond the schema's capacity of 20 ids: pass a larger `capacity` to createSchema/,
  )
  await server.close()
})

test('a number that does not fit is an error with its class, field, value and range', async () => {
  const worlds = createWorlds(DC)
  const { Avatar, Node } = worlds.schema.dclasses
  const eid = spawn(worlds, 'Avatar', {}, 1)
  worlds.run(2)
  const broken = (write: () => void, mend: () => void) => {
    write()
    let message = ''
    try {
      worlds.server.replicate(worlds.world)
    } catch (error) {
      message = String(error)
    }
    mend()
    return message
  }
  const health = broken(
    () => (Avatar.health[eid] = 101),
    () => (Avatar.health[eid] = 100),
  )
  expect(health, 'a range').toMatch(/RangeError: Avatar\.health: 101 is outside uint8 \(0 to 100\)/)
  const x = broken(
    () => (Node.position.x[eid] = 400),
    () => (Node.position.x[eid] = 0),
  )
  expect(x, 'a struct field').toMatch(
    /RangeError: Node\.position\.x: 400 is outside int16\/100 \(-327\.68 to 327\.67\)/,
  )
  const name = broken(
    () => (Avatar.name[eid] = 7),
    () => (Avatar.name[eid] = 'mended'),
  )
  expect(name, 'a string field').toMatch(/TypeError: Avatar\.name: .*7/)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  expect(guest.schema.dclasses.Avatar.name[seenBy(worlds, guest, eid)], 'once mended, the server goes on').toBe(
    'mended',
  )
  await worlds.end()
})

test('entities that had their dclass before there was a server are distributed objects, as they are', async () => {
  const eids: number[] = []
  const worlds = createWorlds(DC, {
    prepare(world, { dclasses: { Avatar, Hero, Node } }) {
      for (const dclass of [Avatar, Hero]) {
        const eid = addEntity(world)
        addComponent(world, eid, dclass)
        Node.position.x[eid] = 1.5
        Avatar.name[eid] = 'early'
        Avatar.health[eid] = 7
        eids.push(eid)
      }
    },
  })
  const guest = await worlds.join()
  const [avatar, hero] = eids as [number, number]
  worlds.server.place(avatar, 1)
  worlds.server.place(hero, 1, clientOf(worlds, guest))
  await worlds.settle(guest.client.interest.set([1]))
  const { Avatar, Hero, Node } = guest.schema.dclasses
  for (const eid of eids) {
    const seen = seenBy(worlds, guest, eid)
    expect(
      [Node.position.x[seen], Avatar.name[seen], Avatar.health[seen], Avatar.badges[seen], Avatar.note[seen]],
      'with the values they had, and the default where there was none',
    ).toEqual([1.5, 'early', 7, [], ''])
  }
  expect(hasComponent(guest.world, seenBy(worlds, guest, avatar), Hero), 'each as its own class').toBe(false)
  expect(hasComponent(guest.world, seenBy(worlds, guest, hero), Hero)).toBe(true)
  expect(hasComponent(worlds.world, hero, worlds.schema.dclasses.Node), 'with its bases, on the server too').toBe(true)
  worlds.schema.dclasses.Avatar.name[avatar] = 'late'
  removeEntity(worlds.world, hero)
  worlds.run(20)
  expect(Avatar.name[seenBy(worlds, guest, avatar)], 'and they live on like any other').toBe('late')
  expect(guest.client.stats.objects).toBe(1)
  await worlds.end()
})

test('a system that is given another world says so', async () => {
  const worlds = createWorlds(DC)
  const { client } = await worlds.join()
  const other = createWorld()
  const { server } = worlds
  for (const [name, system] of [
    ['server.receive', server.receive],
    ['server.replicate', server.replicate],
    ['client.receive', client.receive],
    ['client.interpolate', client.interpolate],
    ['client.send', client.send],
  ] as const) {
    for (const world of [other, undefined as never]) {
      expect(() => system(world), name).toThrow(TypeError)
      expect(() => system(world)).toThrow(`${name}(world): this is not the world that it was created with`)
    }
  }
  worlds.run(10)
  expect(client.state, 'and nothing else happened').toBe('connected')
  await worlds.end()
})
