import { hasComponent } from 'bitecs'
import { Owned } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { createImpostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  int16/100 x broadcast ram ownsend;
  float64 exact broadcast ram ownsend;
  string(0-20) mood broadcast ram ownsend;
  uint8 health = 100 broadcast ram;
  uint8(0-9) gear ownrecv ownsend;
  home() ownsend;
};
`

const stage = async (conditions = {}) => {
  const worlds = createWorlds(DC, { conditions })
  const [owner, other] = [await worlds.join(), await worlds.join()]
  await worlds.settle(owner.client.interest.set([1]))
  await worlds.settle(other.client.interest.set([1]))
  const eid = spawn(worlds, 'Avatar', { x: 1 }, 1, clientOf(worlds, owner))
  worlds.run(40)
  return {
    worlds,
    owner,
    other,
    eid,
    mine: seenBy(worlds, owner, eid),
    theirs: seenBy(worlds, other, eid),
    server: worlds.schema.dclasses.Avatar,
    own: owner.schema.dclasses.Avatar,
    others: other.schema.dclasses.Avatar,
  }
}

test('what the owner writes is applied by the server and shown to the others', async () => {
  const { worlds, own, mine, server, eid, others, theirs } = await stage({ lag: 0.05, jitter: 0.02, loss: 0.2 })
  own.x[mine] = 12.34
  own.exact[mine] = Math.PI
  own.mood[mine] = 'cheerful'
  own.gear[mine] = 4
  worlds.run(120)
  expect([server.x[eid], server.exact[eid], server.mood[eid], server.gear[eid]], 'the server has it').toEqual([
    Math.fround(12.34),
    Math.PI,
    'cheerful',
    4,
  ])
  expect([others.x[theirs], others.exact[theirs], others.mood[theirs]], 'the others have it').toEqual([
    Math.fround(12.34),
    Math.PI,
    'cheerful',
  ])
  expect(others.gear[theirs], 'but for what the owner alone may know').toBe(0)
  await worlds.end()
})

test('the echo never pulls the owner back', async () => {
  const { worlds, owner, own, mine, server, eid } = await stage({ lag: 0.1, jitter: 0.05, loss: 0.1, reorder: 0.1 })
  let written = 1
  let mood = ''
  const pulled: unknown[] = []
  owner.play = () => {
    if (own.x[mine] !== Math.fround(written) || own.mood[mine] !== mood)
      pulled.push([own.x[mine], written, own.mood[mine]])
    own.x[mine] = written = Math.round(written * 100 + 3) / 100
    own.mood[mine] = mood = `m${Math.round(written * 10)}`
  }
  worlds.run(400)
  owner.play = () => {}
  expect(pulled, 'each frame the columns are as the owner left them').toEqual([])
  worlds.run(90)
  expect([server.x[eid], server.mood[eid]], 'and the server ends up with the last of them').toEqual([
    Math.fround(written),
    mood,
  ])
  await worlds.end()
})

test('when the server writes the column itself, the owner takes it over and goes on from there', async () => {
  const { worlds, owner, own, mine, server, eid, others, theirs } = await stage({ lag: 0.1, jitter: 0.02 })
  owner.play = () => {
    own.x[mine] += 0.01
  }
  worlds.run(120)
  worlds.game = () => {
    server.x[eid] = -200
    worlds.game = () => {}
  }
  worlds.run(60)
  expect(own.x[mine], 'the owner was put somewhere else').toBeLessThan(-190)
  expect(own.x[mine], 'and moves on from there').toBeGreaterThan(-200)
  owner.play = () => {}
  worlds.run(60)
  expect(server.x[eid], 'the server agrees with the owner').toBeCloseTo(own.x[mine], 2)
  expect(others.x[theirs], 'and so do the others').toBeCloseTo(own.x[mine], 2)
  await worlds.end()
})

test('a handler may overrule the owner too, however much the owner sent in the same tick', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, jitter: 0.05 } })
  const owner = await worlds.join({}, { commandRate: 60 })
  const eid = spawn(worlds, 'Avatar', { x: 1 }, 1, clientOf(worlds, owner))
  worlds.run(40)
  const mine = seenBy(worlds, owner, eid)
  const [server, own] = [worlds.schema.dclasses.Avatar, owner.schema.dclasses.Avatar]
  let calls = 0
  worlds.server.on(server.home, at => {
    calls++
    server.x[at] = -200
  })
  owner.play = () => {
    own.x[mine] += 0.01
  }
  for (let time = 0; time < 8; time++) {
    own.x[mine] = 100
    worlds.run(31)
    owner.client.sendUpdate(mine, own.home, {})
    worlds.run(31)
    expect(own.x[mine], `call ${time}: sent home`).toBeLessThan(-190)
  }
  expect(calls).toBe(8)
  await worlds.end()
})

test('ownership goes from one client to another and back', async () => {
  const { worlds, owner, other, own, mine, others, theirs, server, eid } = await stage({ lag: 0.1 })
  const isOwned = (guest: Guest, at: number) => hasComponent(guest.world, at, Owned)
  const owned = () => [isOwned(owner, mine), isOwned(other, theirs)]
  const give = (guest: Guest) => {
    worlds.server.place(eid, 1, clientOf(worlds, guest))
  }
  expect(owned(), 'at first').toEqual([true, false])
  let step = 0
  owner.play = () => {
    own.x[mine] = 100 + (step++ % 10)
    own.mood[mine] = `mood ${step}`
  }
  worlds.run(30)
  expect(server.x[eid]).toBeGreaterThanOrEqual(100)

  give(other)
  worlds.run(2)
  server.x[eid] = 5
  server.mood[eid] = 'given'
  // The old owner does not know yet, and its writes are on their way.
  worlds.run(40)
  expect(owned(), 'Owned follows').toEqual([false, true])
  expect(worlds.schema.DistributedObject.owner[eid], 'the owner column as well').toBe(other.client.clientId)
  expect([server.x[eid], server.mood[eid]], 'late writes of the old owner do nothing').toEqual([5, 'given'])
  expect(others.x[theirs], 'the new owner starts from where the server put it').toBe(5)
  expect(worlds.server.violations.forbidden, 'and to be late is not forbidden').toBe(0)
  owner.play = () => {}
  others.x[theirs] = 7
  worlds.run(40)
  expect(server.x[eid], 'the new owner writes').toBe(7)
  expect(own.x[mine], 'and the old one sees it').toBe(7)

  give(owner)
  worlds.run(40)
  expect(owned(), 'and back').toEqual([true, false])
  own.x[mine] = 9
  worlds.run(40)
  expect([server.x[eid], others.x[theirs]], 'the first owner writes again').toEqual([9, 9])

  worlds.server.place(eid, 1, 0)
  worlds.run(40)
  expect(owned(), 'the server can take it').toEqual([false, false])
  await worlds.end()
})

test('a client that writes what it does not own, or cannot be, changes nothing', async () => {
  const { worlds, server, eid } = await stage()
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  const doId = worlds.schema.DistributedObject.doId[eid]!
  impostor.upload(doId, 0, new Uint8Array(11).fill(1))
  impostor.field(doId, fieldNumber(worlds, 'mood'), Uint8Array.of(2, 0, 104, 105))
  worlds.run(4)
  expect(worlds.server.violations.forbidden, 'numbers and strings of another client').toBe(2)
  expect([server.x[eid], server.mood[eid]], 'stay as they are').toEqual([1, ''])

  worlds.server.place(eid, 1, worlds.server.clients.get(impostor.welcome!.clientId)!)
  worlds.run(4)
  for (let epoch = 0; epoch < 256; epoch++) impostor.upload(doId, epoch, new Uint8Array(11).fill(0xff))
  worlds.run(4)
  expect(worlds.server.violations.outOfRange, 'a gear of 15 is refused').toBe(1)
  impostor.field(doId, fieldNumber(worlds, 'mood'), Uint8Array.of(40, 0, ...new Uint8Array(40).fill(97)))
  impostor.field(doId, fieldNumber(worlds, 'health'), Uint8Array.of(255))
  worlds.run(4)
  expect(worlds.server.violations.outOfRange, 'a mood of 40 letters too').toBe(2)
  expect(worlds.server.violations.forbidden, 'and health is for the server to write').toBe(3)
  expect([server.x[eid], server.gear[eid], server.mood[eid], server.health[eid]]).toEqual([1, 0, '', 100])
  await worlds.end()
})

const fieldNumber = (worlds: { schema: any }, name: string): number =>
  worlds.schema.file.classes[0].inherited.find((field: { name: string }) => field.name === name).number
