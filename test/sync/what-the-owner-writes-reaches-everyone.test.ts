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

test.each([
  ['alone', ''],
  ['beside numbers that all see', 'uint8 level broadcast ram;'],
  ['beside numbers of the owner that all see', 'uint8 level broadcast ram ownsend;'],
])('numbers that its owner alone writes and sees reach the server (%s)', async (_name, field) => {
  const worlds = createWorlds(`dclass Avatar { ${field} uint8 slot ownsend ownrecv; float64 aim ownsend ownrecv; };`, {
    conditions: { lag: 0.05, loss: 0.1 },
  })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { slot: 3 }, 1, clientOf(worlds, guest))
  worlds.run(60)
  const [server, own] = [worlds.schema.dclasses.Avatar, guest.schema.dclasses.Avatar]
  const mine = seenBy(worlds, guest, eid)
  expect(own.slot[mine], 'the owner starts from the server').toBe(3)
  own.slot[mine] = 77
  own.aim[mine] = Math.E
  worlds.run(60)
  expect([server.slot[eid], server.aim[eid]], 'the server has it').toEqual([77, Math.E])
  server.slot[eid] = 5
  worlds.run(60)
  expect([own.slot[mine], own.aim[mine]], 'the server overrules').toEqual([5, Math.E])
  own.slot[mine] = 78
  worlds.run(60)
  expect([server.slot[eid], own.slot[mine]], 'and the owner writes on').toEqual([78, 78])
  await worlds.end()
})

test.each([359.97, -0.03, 360, -360, 719.96])(
  'a heading of %f is north, and no reason to overrule its owner',
  async turn => {
    const worlds = createWorlds(
      `struct Vec2 { int16/10 x; int16/10 y; };
    dclass Avatar { Vec2 position broadcast ram ownsend; int16/10%360 heading broadcast ram ownsend; };`,
      { conditions: { lag: 0.1, jitter: 0.02 } },
    )
    const [owner, other] = [await worlds.join(), await worlds.join()]
    await worlds.settle(other.client.interest.set([1]))
    const eid = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, owner))
    worlds.run(60)
    const [own, mine] = [owner.schema.dclasses.Avatar, seenBy(worlds, owner, eid)]
    const pulled: unknown[] = []
    let x = 0
    owner.play = () => {
      if (own.position.x[mine] !== x) pulled.push([own.position.x[mine], x])
      own.position.x[mine] = ++x
      own.heading[mine] = turn
    }
    worlds.run(240)
    owner.play = () => {}
    worlds.run(60)
    expect(pulled, 'its position was never pulled back').toEqual([])
    for (const [{ Avatar }, at] of [
      [worlds.schema.dclasses, eid],
      [other.schema.dclasses, seenBy(worlds, other, eid)],
    ] as const)
      expect([Avatar.heading[at], Avatar.position.x[at]]).toEqual([0, x])
    worlds.schema.dclasses.Avatar.heading[eid] = 90
    worlds.run(60)
    expect(own.heading[mine], 'a heading that the server writes is taken over').toBe(90)
    worlds.schema.dclasses.Avatar.heading[eid] = turn
    worlds.run(60)
    expect(own.heading[mine], 'north too').toBe(0)
    await worlds.end()
  },
)

test('`ownsend` state that nobody owns is for the server to write', async () => {
  const worlds = createWorlds(`dclass Door {
    string sign broadcast ram ownsend;
    string label broadcast ram ownsend;
    uint8 open broadcast ram ownsend;
  };`)
  const eid = spawn(worlds, 'Door', { sign: 'push', label: 'exit', open: 1 }, 1)
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  const client = worlds.server.clients.get(impostor.welcome!.clientId)!
  // Its own object in the zone lets it see the door.
  spawn(worlds, 'Door', {}, 1, client)
  worlds.run(10)
  expect([...client.zones]).toEqual([1])
  const doId = worlds.schema.DistributedObject.doId[eid]!
  for (const name of ['sign', 'label'])
    for (const epoch of [0, 1]) impostor.field(doId, fieldNumber(worlds, name), Uint8Array.of(2, 0, 104, 105), epoch)
  impostor.field(doId, fieldNumber(worlds, 'open'), Uint8Array.of(0))
  for (const epoch of [0, 1]) impostor.upload(doId, epoch, Uint8Array.of(0))
  worlds.run(4)
  expect(worlds.server.violations.forbidden).toBe(7)
  const { Door } = worlds.schema.dclasses
  expect([Door.sign[eid], Door.label[eid], Door.open[eid]]).toEqual(['push', 'exit', 1])
  await worlds.end()
})

test('numbers that are for the server alone go up too: what a player presses', async () => {
  const worlds = createWorlds(`struct Stick { int16/100 x; int16/100 y; };
  dclass Avatar {
    uint8 buttons airecv ownsend;
    Stick stick airecv ownsend;
    quat48 look airecv ownsend;
    DoId target airecv ownsend;
    uint8 level broadcast;
  };`)
  const [owner, other] = [await worlds.join(), await worlds.join()]
  for (const guest of [owner, other]) await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, owner))
  worlds.run(30)
  const mine = seenBy(worlds, owner, eid)
  const { Avatar } = owner.schema.dclasses
  Avatar.buttons[mine] = 5
  Avatar.stick.x[mine] = -1.5
  Avatar.look.x[mine] = 1
  Avatar.look.w[mine] = 0
  Avatar.target[mine] = mine
  worlds.run(30)
  const { buttons, stick, look, target } = worlds.schema.dclasses.Avatar
  expect([buttons[eid], stick.x[eid], stick.y[eid], target[eid]]).toEqual([5, -1.5, 0, eid])
  expect([look.x[eid], look.y[eid], look.w[eid]]).toEqual([1, 0, 0])
  expect(other.schema.dclasses.Avatar.buttons[seenBy(worlds, other, eid)], 'nobody else sees them').toBe(0)
  worlds.server.place(eid, 1, clientOf(worlds, other))
  worlds.run(30)
  Avatar.buttons[mine] = 6
  worlds.run(30)
  expect(buttons[eid], 'and only the owner writes them').toBe(5)
  expect(worlds.server.violations).toEqual({ malformed: 0, forbidden: 0, outOfRange: 0, flooded: 0, refused: 0 })
  await worlds.end()
})
