import { addComponent, addEntity, observe, onAdd } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn, type Guest } from '../support/worlds.ts'

const DC = `
dclass Pet {
  string(0-20) label broadcast ram;
  setName(string(0-20) name) required broadcast ram;
  setAge(uint8 years = 3) required broadcast;
  setPin(uint16 pin) required ownrecv;
  setFriend(uint32 friend) required db;
  bark(uint8 times) broadcast;
  setBoth : setAge;
};
dclass Rock {
  uint8 size broadcast;
  setVein(uint8 ore) required broadcast;
};`
const BAD = { lag: 0.05, jitter: 0.03, loss: 0.2, reorder: 0.1 }

const listen = (guest: Guest): string[] => {
  const { Pet } = guest.schema.dclasses
  const told: string[] = []
  observe(guest.world, onAdd(Pet, Alive), eid => told.push(`alive ${Pet.label[eid]}`))
  guest.client.on<{ name: string }>(Pet.setName, (_, { name }) => told.push(`name ${name}`))
  guest.client.on<{ years: number }>(Pet.setAge, (_, { years }) => told.push(`age ${years}`))
  guest.client.on<{ pin: number }>(Pet.setPin, (_, { pin }) => told.push(`pin ${pin}`))
  guest.client.on<{ times: number }>(Pet.bark, (_, { times }) => told.push(`bark ${times}`))
  return told
}

const stage = (conditions = {}, seed = 1) => {
  const errors: string[] = []
  const worlds = createWorlds(DC, {
    conditions,
    seed,
    server: { onError: (error, where) => errors.push(`${where}: ${(error as Error).message}`) },
  })
  const { Pet } = worlds.schema.dclasses
  const names = new Map<number, string>()
  worlds.server.provide(Pet.setPin, () => ({ pin: 1234 }))
  const stop = worlds.server.provide(Pet.setName, (eid: number) => ({ name: names.get(eid)! }))
  return { worlds, Pet, names, errors, stop }
}

test.each([1, 2, 3])('its value of then, by its getter or its defaults, over a bad link (seed %i)', async seed => {
  const { worlds, Pet, names } = stage(BAD, seed)
  const [owner, other] = [await worlds.join(), await worlds.join()]
  const told = { owner: listen(owner), other: listen(other) }
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, Pet)
  names.set(eid, 'Rex')
  Pet.label[eid] = 'dog'
  worlds.server.place(eid, 1, clientOf(worlds, owner))
  worlds.server.sendUpdate(eid, Pet.bark, { times: 2 })
  worlds.run(90)
  expect(told.owner.slice().sort(), 'to the owner also what only it may know').toEqual(
    ['name Rex', 'age 3', 'pin 1234', 'alive dog', 'bark 2'].sort(),
  )
  expect(told.owner.slice(0, told.owner.indexOf('alive dog'))).toEqual(expect.arrayContaining(['name Rex', 'age 3']))
  names.set(eid, 'Max')
  worlds.server.sendUpdate(eid, Pet.setName, { name: 'Max' })
  worlds.run(60)
  expect(told.owner.at(-1)).toBe('name Max')
  expect(told.other).toEqual([])
  await worlds.settle(other.client.interest.set([1]))
  worlds.run(2)
  expect(told.other).toEqual(['name Max', 'age 3', 'alive dog'])
  await worlds.end()
})

test('each of many objects that have nothing else to wait for', async () => {
  const { worlds } = stage(BAD, 4)
  const { Rock } = worlds.schema.dclasses
  worlds.server.provide(Rock.setVein, (eid: number) => ({ ore: Rock.size[eid] }))
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const theirs = guest.schema.dclasses.Rock
  const told = new Map<number, number>()
  const early: number[] = []
  let alive = 0
  guest.client.on<{ ore: number }>(theirs.setVein, (eid, { ore }) => void told.set(eid, ore))
  observe(guest.world, onAdd(theirs, Alive), eid => {
    alive++
    if (told.get(eid) !== theirs.size[eid]) early.push(eid)
  })
  for (let size = 1; size <= 60; size++) {
    spawn(worlds, 'Rock', { size }, 1)
    worlds.run(4)
  }
  worlds.until(() => alive === 60, 'all are alive')
  expect(early).toEqual([])
  await worlds.end()
})

test('anew each time that a client comes to see the object', async () => {
  const { worlds, names } = stage({ lag: 0.03 })
  const guest = await worlds.join()
  const told = listen(guest)
  names.set(1, 'one')
  const eid = spawn(worlds, 'Pet', { label: 'cat' }, 1)
  names.set(eid, 'Tom')
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  expect(told.splice(0)).toEqual(['name Tom', 'age 3', 'alive cat'])
  await worlds.settle(guest.client.interest.set([]))
  worlds.run(60)
  names.set(eid, 'Kit')
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  expect(told.splice(0)).toEqual(['name Kit', 'age 3', 'alive cat'])
  expect(seenBy(worlds, guest, eid)).not.toBe(0)
  await worlds.end()
})

test('anew, too, when a zone is opened in the tick in which the object leaves it for a group of its own', async () => {
  const { worlds, names } = stage()
  const guest = await worlds.join()
  const told = listen(guest)
  const eid = spawn(worlds, 'Pet', { label: 'cat' }, 1)
  names.set(eid, 'Tom')
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  await worlds.settle(guest.client.interest.set([]))
  worlds.run(30)
  told.length = 0
  const client = clientOf(worlds, guest)
  worlds.server.setZones(client, [1])
  worlds.server.setVisibility(eid, 'always')
  worlds.until(() => told.includes('alive cat'), 'it is alive', 1)
  expect(told).toEqual(['name Tom', 'age 3', 'alive cat'])
  await worlds.end()
})

test('to who was excepted when it was sent last, as well: without it the object could not be alive', async () => {
  const { worlds, Pet, names } = stage()
  const guest = await worlds.join()
  const told = listen(guest)
  const eid = spawn(worlds, 'Pet', { label: 'cat' }, 1)
  names.set(eid, 'Tom')
  worlds.server.sendUpdate(eid, Pet.setName, { name: 'Tom' }, { except: clientOf(worlds, guest) })
  void guest.client.interest.set([1])
  worlds.until(() => told.includes('alive cat'), 'it is alive', 1)
  expect(told).toEqual(['name Tom', 'age 3', 'alive cat'])
  await worlds.end()
})

test('an object whose required message has no value cannot be placed, and the error says what to do', async () => {
  const { worlds, Pet, stop, names, errors } = stage()
  stop()
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, Pet)
  expect(() => worlds.server.place(eid, 1)).toThrow(
    'Pet.setName is `required`: say what whoever comes to see the object is told, ' +
      'server.provide(Pet.setName, eid => ({ name: ... })), or send it before, or declare defaults for all of its parameters.',
  )
  worlds.server.sendUpdate(eid, Pet.setName, { name: 'sent' })
  worlds.server.place(eid, 1)
  const guest = await worlds.join()
  const told = listen(guest)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  expect(told, 'the last one that was sent, as it is `ram` too').toEqual(['name sent', 'age 3', 'alive '])
  expect([names.size, errors]).toEqual([0, []])
  await worlds.end()
})

test('a getter that throws, or gives what does not fit, is reported; the object is shown all the same', async () => {
  const { worlds, names, errors } = stage()
  const eid = spawn(worlds, 'Pet', { label: 'cat' }, 1)
  names.set(eid, 'a name that is longer than twenty bytes')
  const guest = await worlds.join()
  const told = listen(guest)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  expect(told).toEqual(['name ', 'age 3', 'alive cat'])
  expect(errors).toEqual([expect.stringMatching(/^provide Pet\.setName, entity \d+: Pet\.setName\.name: 39 bytes/)])
  await worlds.end()
})

test('only what is required, atomic, and for clients can be provided', async () => {
  const { worlds, Pet } = stage()
  const provide = (field: string) => () => worlds.server.provide(Pet[field], () => ({}))
  expect(provide('bark')).toThrow('provide: Pet.bark is not `required`.')
  expect(provide('setBoth')).toThrow('provide: Pet.setBoth is molecular: provide its atomic fields.')
  expect(provide('setFriend')).toThrow('provide: Pet.setFriend has neither `broadcast` nor `ownrecv`')
  await worlds.end()
})
