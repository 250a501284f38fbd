import { expect, test } from 'vitest'
import { packField } from '../../src/dc/index.ts'
import { createImpostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Avatar {
  string name required broadcast ram;
  hail(string text) broadcast;
  whisper(string text) ownrecv;
  steer(uint8(0-9) way) ownsend;
  knock(uint8(0-9) times) clsend;
  wave(uint8(0-9) hand) ownsend broadcast;
  blink(uint8(0-9) eye) ownsend unreliable;
  secret(string text) airecv;
};
`

/** An owner, one who is interested, and one who sees another zone. */
const stage = async () => {
  const worlds = createWorlds(DC)
  const [owner, neighbour, stranger] = [await worlds.join(), await worlds.join(), await worlds.join()]
  await worlds.settle(owner.client.interest.set([1]))
  await worlds.settle(neighbour.client.interest.set([1]))
  await worlds.settle(stranger.client.interest.set([2]))
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, owner))
  worlds.run(20)
  return { worlds, owner, neighbour, stranger, eid, field: (name: string) => worlds.schema.dclasses.Avatar[name].field }
}

const listen = (guest: Guest, name: string): unknown[] => {
  const heard: unknown[] = []
  guest.client.on(guest.schema.dclasses.Avatar[name], (_eid, args) => heard.push(Object.values(args as object)[0]))
  return heard
}

const listenServer = (worlds: Worlds, name: string): unknown[] => {
  const heard: unknown[] = []
  worlds.server.on(worlds.schema.dclasses.Avatar[name], (eid, args, client) => {
    heard.push([eid, Object.values(args as object)[0], client.id])
  })
  return heard
}

test('the server: `broadcast` to all who see the object, `ownrecv` to its owner', async () => {
  const { worlds, owner, neighbour, stranger, eid } = await stage()
  const { Avatar } = worlds.schema.dclasses
  const everyone = [owner, neighbour, stranger]
  const hails = everyone.map(guest => listen(guest, 'hail'))
  const whispers = everyone.map(guest => listen(guest, 'whisper'))
  worlds.server.sendUpdate(eid, Avatar.hail, { text: 'hello' })
  worlds.server.sendUpdate(eid, Avatar.whisper, { text: 'psst' })
  worlds.run(20)
  expect(hails, 'broadcast: owner and neighbour, not who sees another zone').toEqual([['hello'], ['hello'], []])
  expect(whispers, 'ownrecv: the owner alone').toEqual([['psst'], [], []])

  worlds.server.sendUpdate(eid, Avatar.hail, { text: 'you' }, clientOf(worlds, neighbour))
  worlds.server.sendUpdate(eid, Avatar.whisper, { text: 'not you' }, clientOf(worlds, neighbour))
  worlds.run(20)
  expect(hails, 'a message to one client reaches that one').toEqual([['hello'], ['hello', 'you'], []])
  expect(whispers, 'but never one whom the keywords exclude').toEqual([['psst'], [], []])
  expect(() => worlds.server.sendUpdate(eid, Avatar.steer, { way: 1 }), 'no client may receive it').toThrow(
    /Avatar\.steer has neither `broadcast` nor `ownrecv`/,
  )
  expect(() => worlds.server.sendUpdate(eid, Avatar.hail, { text: 7 }), 'arguments that do not fit').toThrow(/text/)
  await worlds.end()
})

test('a client: `ownsend` from the owner, `clsend` from all who see the object', async () => {
  const { worlds, owner, neighbour, eid } = await stage()
  const steers = listenServer(worlds, 'steer')
  const knocks = listenServer(worlds, 'knock')
  const at = (guest: Guest) => [guest.client, guest.schema.dclasses.Avatar, seenBy(worlds, guest, eid)] as const
  const [client, Avatar, mine] = at(owner)
  client.sendUpdate(mine, Avatar.steer, { way: 3 })
  client.sendUpdate(mine, Avatar.knock, { times: 1 })
  const [other, Theirs, its] = at(neighbour)
  other.sendUpdate(its, Theirs.knock, { times: 2 })
  worlds.run(10)
  expect(steers, 'with the entity, the arguments and the sender').toEqual([[eid, 3, owner.client.clientId]])
  expect(knocks, 'the owner may send `clsend` too').toEqual([
    [eid, 1, owner.client.clientId],
    [eid, 2, neighbour.client.clientId],
  ])
  expect(() => other.sendUpdate(its, Theirs.steer, { way: 1 }), 'a mistake is told at once').toThrow(/only the owner/)
  expect(() => client.sendUpdate(mine, Avatar.hail, { text: '' })).toThrow(/neither `clsend` nor `ownsend`/)
  expect(() => client.sendUpdate(mine, Avatar.steer, { way: 10 }), 'out of range').toThrow(/way.*10.*0 to 9/)
  expect(worlds.server.violations.forbidden, 'nothing forbidden went out').toBe(0)
  await worlds.end()
})

test('what a hostile client sends without being allowed to is counted and handled by nobody', async () => {
  const { worlds, neighbour, eid, field } = await stage()
  const handled = ['steer', 'knock', 'wave', 'hail', 'blink', 'secret'].map(name => listenServer(worlds, name))
  const relayed = listen(neighbour, 'wave')
  const doId = worlds.schema.DistributedObject.doId[eid]!
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  expect(impostor.welcome, 'it is let in like anybody').toBeDefined()
  const pack = (name: string, args: object) => packField(field(name), args).slice()
  const forbidden = () => worlds.server.violations.forbidden

  impostor.message(doId, field('steer').number, pack('steer', { way: 1 }))
  impostor.message(doId, field('wave').number, pack('wave', { hand: 1 }))
  impostor.message(doId, field('blink').number, pack('blink', { eye: 1 }), 'unreliable')
  worlds.run(4)
  expect(forbidden(), 'ownsend from one who does not own it').toBe(3)
  impostor.message(doId, field('knock').number, pack('knock', { times: 1 }))
  worlds.run(4)
  expect(forbidden(), 'clsend from one who does not see it').toBe(4)
  impostor.message(doId, field('hail').number, pack('hail', { text: 'I am the server' }))
  impostor.message(doId, field('secret').number, pack('secret', { text: 'I am the server' }))
  worlds.run(4)
  expect(forbidden(), 'what no client may send').toBe(6)
  expect(handled, 'no handler ran').toEqual([[], [], [], [], [], []])
  expect(relayed, 'nor was anything relayed').toEqual([])

  worlds.server.place(eid, 1, worlds.server.clients.get(impostor.welcome!.clientId)!)
  worlds.run(4)
  impostor.message(doId, field('steer').number, pack('steer', { way: 2 }))
  worlds.run(4)
  expect(handled[0], 'the same bytes from the owner are fine').toEqual([[eid, 2, impostor.welcome!.clientId]])
  expect(forbidden()).toBe(6)
  await worlds.end()
})

test('arguments out of range, or bytes that are none, are counted and handled by nobody', async () => {
  const { worlds, eid, field } = await stage()
  const steers = listenServer(worlds, 'steer')
  const doId = worlds.schema.DistributedObject.doId[eid]!
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  worlds.server.place(eid, 1, worlds.server.clients.get(impostor.welcome!.clientId)!)
  worlds.run(4)
  impostor.message(doId, field('steer').number, Uint8Array.of(10))
  impostor.message(doId, field('steer').number, new Uint8Array(0))
  impostor.message(doId, field('steer').number, Uint8Array.of(1, 2))
  worlds.run(4)
  expect(worlds.server.violations.outOfRange, 'too large, too short, too long').toBe(3)
  impostor.message(doId, 9999, Uint8Array.of(1))
  impostor.message(doId, field('steer').number, Uint8Array.of(1), 'unreliable')
  impostor.message(123456, field('steer').number, Uint8Array.of(1))
  worlds.run(4)
  expect(worlds.server.violations.malformed, 'no such field, or sent in the wrong way').toBe(2)
  expect(steers).toEqual([])
  impostor.message(doId, field('steer').number, Uint8Array.of(9))
  worlds.run(4)
  expect(steers, 'the session goes on').toHaveLength(1)
  await worlds.end()
})

test('a `broadcast` message of a client is relayed to the others, unless a handler says no', async () => {
  const { worlds, owner, neighbour, stranger, eid } = await stage()
  const waves = [owner, neighbour, stranger].map(guest => listen(guest, 'wave'))
  const { Avatar } = owner.schema.dclasses
  const wave = (hand: number) => {
    owner.client.sendUpdate(seenBy(worlds, owner, eid), Avatar.wave, { hand })
    worlds.run(10)
  }
  wave(1)
  expect(waves, 'to who sees the object, not back to its sender').toEqual([[], [1], []])
  const stop = worlds.server.on<{ hand: number }>(worlds.schema.dclasses.Avatar.wave, (_eid, { hand }) => hand !== 2)
  wave(2)
  expect(waves[1], 'a handler that returns false stops it').toEqual([1])
  wave(3)
  expect(waves[1], 'one that returns anything else does not').toEqual([1, 3])
  stop()
  wave(2)
  expect(waves[1], 'and one that was taken off has no say').toEqual([1, 3, 2])
  await worlds.end()
})
