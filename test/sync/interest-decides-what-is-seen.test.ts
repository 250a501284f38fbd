import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { Alive, createClient } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
import { createWorlds, drain, spawn, type Guest } from '../support/worlds.ts'

const DC = 'dclass Crate { string label required broadcast ram; uint32 weight broadcast ram; };'

const labels = (guest: Guest) =>
  [...query(guest.world, [guest.schema.dclasses.Crate, Alive])]
    .map(eid => guest.schema.dclasses.Crate.label[eid])
    .sort()

const warehouse = () => {
  const worlds = createWorlds(DC)
  for (const zone of [1, 2, 3])
    for (const letter of ['a', 'b']) spawn(worlds, 'Crate', { label: `${letter}${zone}` }, zone)
  return worlds
}

test('set, add and remove make the objects of zones appear and vanish', async () => {
  const worlds = warehouse()
  const guest = await worlds.join()
  const { interest } = guest.client
  worlds.run(30)
  expect(labels(guest), 'nobody sees anything that was not asked for').toEqual([])
  await worlds.settle(interest.set([1]))
  expect(labels(guest), 'set shows a zone').toEqual(['a1', 'b1'])
  await worlds.settle(interest.add([3]))
  expect(labels(guest), 'add shows another one too').toEqual(['a1', 'a3', 'b1', 'b3'])
  await worlds.settle(interest.remove([1]))
  worlds.run(2)
  expect(labels(guest), 'remove hides one').toEqual(['a3', 'b3'])
  await worlds.settle(interest.set([2, 1]))
  worlds.run(2)
  expect(labels(guest), 'set replaces all of them').toEqual(['a1', 'a2', 'b1', 'b2'])
  expect([...interest.zones].sort(), 'interest.zones says what is sent').toEqual([1, 2])
  await worlds.settle(interest.set([]))
  worlds.run(2)
  expect(labels(guest), 'and nothing is left of nothing').toEqual([])
  await worlds.end()
})

test('the promise resolves when everything is there, and not before', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, jitter: 0.02, loss: 0.1 } })
  for (let count = 0; count < 300; count++) spawn(worlds, 'Crate', { label: `a label of some length ${count}` }, 1)
  const guest = await worlds.join()
  let isResolved = false
  const done = guest.client.interest.set([1]).then(() => {
    isResolved = true
  })
  let frames = 0
  for (; frames < 1200 && !isResolved; frames++) {
    // Packets first, promises second, receive last: as when a packet comes between two frames of a page.
    worlds.run(1)
    worlds.network.deliver()
    await drain()
  }
  await done
  expect(frames, 'it takes more than a few packets').toBeGreaterThan(20)
  guest.client.receive(guest.world)
  expect(labels(guest), 'the next receive shows all of it, with its strings').toHaveLength(300)
  await worlds.end()
})

test('allowZone refuses zones, and the answer says which', async () => {
  const worlds = createWorlds(DC, { server: { allowZone: (_client, zone) => zone !== 2 } })
  for (const zone of [1, 2]) spawn(worlds, 'Crate', { label: `c${zone}` }, zone)
  const guest = await worlds.join()
  const result = await worlds.settle(guest.client.interest.set([1, 2]))
  expect(result, 'granted and refused are told apart').toEqual({ granted: [1], refused: [2] })
  worlds.run(30)
  expect(labels(guest), 'nothing of the refused zone is seen').toEqual(['c1'])
  expect([...guest.client.interest.zones], 'nor is it sent').toEqual([1])
  await worlds.end()
})

test('a zone that comes into being after it was asked for shows up by itself', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const result = await worlds.settle(guest.client.interest.set([77]))
  expect(result.granted, 'an empty zone is granted').toEqual([77])
  expect(labels(guest)).toEqual([])
  spawn(worlds, 'Crate', { label: 'late' }, 77)
  worlds.run(10)
  expect(labels(guest), 'its first object appears').toEqual(['late'])
  await worlds.end()
})

test('mistaken zones are errors that say what to do', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const { interest } = guest.client
  const zones = Array.from({ length: 257 }, (_, index) => index + 1)
  expect(() => interest.set(zones), 'more than 256').toThrow(/257 zones are more than 256: ask for fewer/)
  expect(() => interest.add([0]), 'zone 0').toThrow(/zone is 0; zones are whole numbers from 1 to 4294967295/)
  expect(() => interest.add([1.5]), 'half a zone').toThrow(/zone is 1.5/)
  const all = await worlds.settle(interest.set(zones.slice(0, 256)))
  expect(all.granted, '256 are granted').toHaveLength(256)
  const over = await worlds.settle(interest.add([1000]))
  expect(over, 'one more than 256 in all is refused').toEqual({ granted: [], refused: [1000] })
  const stranger = worlds.addGuest()
  expect(() => stranger.client.interest.set([1]), 'before connect').toThrow(/await connect\(\) first/)
  await worlds.end()
})

test('a session that ends rejects what it still owes', async () => {
  const worlds = warehouse()
  const guest = await worlds.join()
  const promise = guest.client.interest.set([1])
  guest.client.disconnect()
  await expect(promise, 'the promise does not stay open for ever').rejects.toMatchObject({ reason: 'lost' })
  await worlds.end()
})

test('connect and interest work while the game has no frames yet', async () => {
  const network = memoryNetwork({ conditions: { lag: 0.005 } })
  const world = createWorld()
  const schema = createSchema<any>(DC)
  const server = createServer(world, schema, { transport: network.server })
  const { Crate } = schema.dclasses
  const eid = addEntity(world)
  addComponent(world, eid, Crate)
  Crate.label[eid] = 'real time'
  server.place(eid, 1)
  const loop = tickLoop(30, () => {
    server.receive(world)
    server.replicate(world)
  })
  const there = { world: createWorld(), schema: createSchema<any>(DC) }
  const client = createClient(there.world, there.schema, { transport: network.client() })
  await client.connect()
  const result = await client.interest.set([1])
  client.receive(there.world)
  const seen = query(there.world, [there.schema.dclasses.Crate, Alive])
  expect(result.granted, 'timers alone carry the request and the answer').toEqual([1])
  expect(
    [...seen].map(eid => there.schema.dclasses.Crate.label[eid]),
    'the first receive shows it',
  ).toEqual(['real time'])
  client.disconnect()
  loop.stop()
  await server.close()
})

test('zones may be added one call at a time, however many calls', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, loss: 0.1 } })
  for (let zone = 1; zone <= 70; zone++) spawn(worlds, 'Crate', { label: `c${zone}` }, zone)
  const guest = await worlds.join()
  const zones = Array.from({ length: 70 }, (_, index) => index + 1)
  const results = await worlds.settle(Promise.all(zones.map(zone => guest.client.interest.add([zone]))))
  expect(results).toEqual(zones.map(zone => ({ granted: [zone], refused: [] })))
  worlds.run(1)
  expect(labels(guest), 'all of them are shown').toHaveLength(70)
  expect(guest.client.state).toBe('connected')
  await worlds.end()
})

test('zones that were granted may be asked for again, with all 256 in use', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const { interest } = guest.client
  const zones = Array.from({ length: 256 }, (_, index) => index + 1)
  await worlds.settle(interest.set(zones))
  expect(await worlds.settle(interest.add([1, 256])), 'add').toEqual({ granted: [1, 256], refused: [] })
  expect(await worlds.settle(interest.add([7, 300])), 'beside one too many').toEqual({ granted: [7], refused: [300] })
  expect(await worlds.settle(interest.set(zones)), 'set').toEqual({ granted: zones, refused: [] })
  const others = zones.map(zone => zone + 256)
  expect(await worlds.settle(interest.set(others)), 'other ones in their place').toEqual({
    granted: others,
    refused: [],
  })
  await worlds.end()
})

test.each([
  ['in another zone', 2],
  ['in the same zone', 1],
])('the promise resolves although long labels change in every tick (%s)', async (_name, zone) => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05 } })
  const busy = [1, 2].map(() => spawn(worlds, 'Crate', { label: 'busy' }, zone))
  for (let count = 0; count < 20; count++) spawn(worlds, 'Crate', { label: `calm ${count}` }, 1)
  const guest = await worlds.join()
  let step = 0
  worlds.game = () => {
    step++
    for (const eid of busy) worlds.schema.dclasses.Crate.label[eid] = `busy ${step} ${'x'.repeat(40_000)}`
  }
  if (zone !== 1) await worlds.settle(guest.client.interest.set([zone]), 60)
  worlds.run(60)
  await worlds.settle(guest.client.interest.add([1]), 60)
  worlds.run(1)
  expect(
    labels(guest).filter(label => label.startsWith('calm')),
    'and all of the zone is here',
  ).toHaveLength(20)
  expect(labels(guest), 'the busy ones too').toHaveLength(22)
  await worlds.end()
})

test.each([0, 0.3])('a zone that is left and entered again between two frames is as it was (loss %f)', async loss => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.03, loss } })
  const still = ['a', 'b'].map(label => spawn(worlds, 'Crate', { label }, 1))
  const guest = await worlds.join()
  const { interest } = guest.client
  await worlds.settle(interest.set([1]))
  worlds.run(2)
  for (let time = 0; time < 5; time++) {
    guest.isHidden = true
    const left = interest.set([])
    worlds.run(20)
    const entered = interest.set([1])
    await worlds.settle(Promise.all([left, entered]))
    worlds.run(time * 20)
    guest.isHidden = false
    worlds.run(1)
    expect(labels(guest), `time ${time}`).toEqual(['a', 'b'])
  }
  worlds.schema.dclasses.Crate.label[still[0]!] = 'c'
  worlds.run(60)
  expect(labels(guest), 'and it goes on').toEqual(['b', 'c'])
  await worlds.end()
})
