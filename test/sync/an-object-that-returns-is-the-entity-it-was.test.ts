import { addComponent, hasComponent, observe, onAdd, query, removeEntity } from 'bitecs'
import { Alive, Disabled, Generated, Owned } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
keyword interp_linear;
typedef uint32 DoId;
struct Vec2 { int16/10 x; int16/10 y; };
dclass Poster { blob picture broadcast; };
dclass Bird {
  Vec2 position broadcast ownsend interp_linear;
  string(0-20) name broadcast;
  string(0-20) motto broadcast ownsend;
  uint8 mood broadcast ownsend;
  DoId nest broadcast;
  DoId friends[] broadcast;
  chirp(uint8 tone) broadcast;
};
dclass Nest { uint8 eggs broadcast; };
`

/** A client that sees zone 1 and keeps what it saw for 30 s, and a bird that it sees. */
const stage = async (fields: object = {}, options = {}) => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05 }, client: { disabledTime: 30, ...options } })
  const guest = await worlds.join()
  const bird = spawn(worlds, 'Bird', { name: 'old', ...fields }, 1)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(2)
  const own = seenBy(worlds, guest, bird)
  expect(hasComponent(guest.world, own, Alive)).toBe(true)
  return { worlds, guest, bird, own, Bird: guest.schema.dclasses.Bird, there: worlds.schema.dclasses.Bird }
}

const isDisabled = (guest: Guest, eid: number) => hasComponent(guest.world, eid, Disabled)

const leave = (worlds: Worlds, guest: Guest, own: number, bird: number) => {
  worlds.server.place(bird, 2)
  worlds.until(() => isDisabled(guest, own), 'disabled')
}

const comeBack = (worlds: Worlds, guest: Guest, own: number, bird: number) => {
  worlds.server.place(bird, 1)
  worlds.until(() => hasComponent(guest.world, own, Generated), 'back')
  expect(seenBy(worlds, guest, bird)).toBe(own)
}

test('it keeps the entity with all that the game has put on it, and its last state while it is gone', async () => {
  const { worlds, guest, bird, own, Bird, there } = await stage({ mood: 7 })
  const Mesh = {}
  addComponent(guest.world, own, Mesh)
  leave(worlds, guest, own, bird)
  there.mood[bird] = 9
  there.name[bird] = 'new'
  worlds.run(30)
  expect([Bird.mood[own], Bird.name[own]]).toEqual([7, 'old'])
  expect([...query(guest.world, [Bird, Disabled])]).toEqual([own])
  expect([...query(guest.world, [Bird, Alive])]).toEqual([])
  comeBack(worlds, guest, own, bird)
  worlds.run(10)
  expect([Bird.mood[own], Bird.name[own]]).toEqual([9, 'new'])
  expect(hasComponent(guest.world, own, Mesh)).toBe(true)
  expect(isDisabled(guest, own)).toBe(false)
  await worlds.end()
})

for (const [what, loss] of [
  ['a good link', 0],
  ['a bad one', 0.25],
] as const)
  test(`it is alive with what it is now, never with what it was, over ${what}`, async () => {
    const worlds = createWorlds(DC, { conditions: { lag: 0.05 }, client: { disabledTime: 30 } })
    const guest = await worlds.join()
    // Its picture holds up what stands behind it in the stream, such as names.
    const poster = spawn(worlds, 'Poster', { picture: new Uint8Array(6_000) }, 1)
    const bird = spawn(worlds, 'Bird', { name: 'old' }, 1)
    await worlds.settle(guest.client.interest.set([1]))
    worlds.run(2)
    const own = seenBy(worlds, guest, bird)
    const { Bird } = guest.schema.dclasses
    const there = worlds.schema.dclasses
    const names: string[] = []
    observe(guest.world, onAdd(Bird, Alive), eid => names.push(Bird.name[eid]))
    worlds.network.conditions.down.loss = loss
    let waited = 0
    guest.play = () =>
      void (waited += hasComponent(guest.world, own, Generated) && !hasComponent(guest.world, own, Alive) ? 1 : 0)
    for (let round = 0; round < 8; round++) {
      const before = waited
      if (round % 2 === 0) leave(worlds, guest, own, bird)
      else {
        void guest.client.interest.set([])
        worlds.until(() => isDisabled(guest, own), 'disabled')
      }
      there.Bird.name[bird] = `round ${round}`
      worlds.run(round * 3)
      there.Poster.picture[poster] = new Uint8Array(6_000).fill(1 + round)
      if (round % 2 === 0) worlds.server.place(bird, 1)
      else void guest.client.interest.set([1])
      worlds.until(() => hasComponent(guest.world, own, Alive), 'alive')
      if (loss === 0) expect(waited, `round ${round}: it was here before it was whole`).toBeGreaterThan(before)
    }
    expect(names).toEqual(Array.from({ length: 8 }, (_, round) => `round ${round}`))
    await worlds.end()
  })

test('so it is when nothing else there has changed for long', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05 }, client: { disabledTime: 30 } })
  const guest = await worlds.join()
  const poster = spawn(worlds, 'Poster', { picture: new Uint8Array(20_000) }, 1)
  const bird = spawn(worlds, 'Bird', { name: 'old' }, 1)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(300)
  const own = seenBy(worlds, guest, bird)
  const { Bird } = guest.schema.dclasses
  void guest.client.interest.set([])
  worlds.until(() => isDisabled(guest, own), 'disabled')
  worlds.schema.dclasses.Bird.name[bird] = 'new'
  worlds.schema.dclasses.Poster.picture[poster] = new Uint8Array(20_000).fill(1)
  const names: string[] = []
  observe(guest.world, onAdd(Bird, Alive), eid => names.push(Bird.name[eid]))
  void guest.client.interest.set([1])
  worlds.until(() => hasComponent(guest.world, own, Alive), 'alive')
  expect(names).toEqual(['new'])
  await worlds.end()
})

test('nothing is shown of the way from where it was', async () => {
  const { worlds, guest, bird, own, Bird, there } = await stage({ position: { x: 0, y: 0 } })
  for (let frame = 0; frame < 60; frame++) {
    there.position.x[bird] = frame / 10
    worlds.run(1)
  }
  for (const zoned of [true, false]) {
    if (zoned) leave(worlds, guest, own, bird)
    else {
      worlds.server.withdraw(bird)
      worlds.until(() => isDisabled(guest, own), 'disabled')
    }
    const before = Bird.position.x[own]
    there.position.x[bird] = 2000
    // Short enough for the history to hold what was before.
    worlds.run(4)
    expect(Bird.position.x[own], 'where it was seen last').toBe(before)
    const shown: number[] = []
    guest.play = () => void (hasComponent(guest.world, own, Generated) && shown.push(Bird.position.x[own]))
    comeBack(worlds, guest, own, bird)
    worlds.run(30)
    expect(new Set(shown), 'at once where it is').toEqual(new Set([2000]))
    there.position.x[bird] = 2010
    worlds.run(30)
    expect(
      shown.some(x => x > 2000 && x < 2010),
      'and it moves on from there',
    ).toBe(true)
    expect(Bird.position.x[own]).toBeCloseTo(2010, 1)
    guest.play = () => {}
    there.position.x[bird] = 5
    worlds.run(60)
  }
  await worlds.end()
})

test("its owner's columns start from the server's values, and what the owner writes then goes up", async () => {
  const { worlds, guest, bird, own, Bird, there } = await stage()
  worlds.server.place(bird, 1, clientOf(worlds, guest))
  worlds.until(() => hasComponent(guest.world, own, Owned), 'owned')
  Bird.mood[own] = 5
  Bird.motto[own] = 'mine'
  worlds.until(() => there.mood[bird] === 5 && there.motto[bird] === 'mine', 'both came up')
  worlds.server.withdraw(bird)
  worlds.until(() => isDisabled(guest, own), 'disabled')
  expect(hasComponent(guest.world, own, Owned), 'nobody owns what is not seen').toBe(false)
  Bird.mood[own] = 99
  Bird.motto[own] = 'written in vain'
  there.mood[bird] = 6
  there.motto[bird] = 'the server says'
  worlds.run(30)
  expect([there.mood[bird], there.motto[bird]]).toEqual([6, 'the server says'])
  comeBack(worlds, guest, own, bird)
  worlds.until(() => hasComponent(guest.world, own, Alive), 'alive')
  expect(hasComponent(guest.world, own, Owned)).toBe(true)
  expect([Bird.mood[own], Bird.motto[own]]).toEqual([6, 'the server says'])
  worlds.run(30)
  expect([there.mood[bird], there.motto[bird]], 'no echo of what was written in vain').toEqual([6, 'the server says'])
  Bird.mood[own] = 7
  Bird.motto[own] = 'mine again'
  worlds.until(() => there.mood[bird] === 7 && there.motto[bird] === 'mine again', 'it writes again')
  await worlds.end()
})

test('fields that name it, and those in which it names others, follow who is here', async () => {
  const { worlds, guest, bird, own, Bird, there } = await stage()
  const nest = spawn(worlds, 'Nest', { eggs: 3 }, 1)
  const friend = spawn(worlds, 'Bird', { name: 'friend' }, 1)
  there.nest[friend] = bird
  there.friends[friend] = [bird, nest]
  there.nest[bird] = nest
  there.friends[bird] = [friend, nest]
  worlds.run(30)
  const [ownNest, ownFriend] = [seenBy(worlds, guest, nest), seenBy(worlds, guest, friend)]
  expect([Bird.nest[ownFriend], Bird.friends[ownFriend]]).toEqual([own, [own, ownNest]])
  leave(worlds, guest, own, bird)
  expect([Bird.nest[ownFriend], Bird.friends[ownFriend]], 'who is not seen is nobody').toEqual([0, [0, ownNest]])
  expect([Bird.nest[own], Bird.friends[own]], 'its own are kept').toEqual([ownNest, [ownFriend, ownNest]])
  removeEntity(worlds.world, nest)
  worlds.run(20)
  expect([Bird.nest[own], Bird.friends[own]], 'but for what is gone').toEqual([0, [ownFriend, 0]])
  comeBack(worlds, guest, own, bird)
  worlds.run(10)
  expect([Bird.nest[ownFriend], Bird.friends[ownFriend]]).toEqual([own, [own, 0]])
  expect([Bird.nest[own], Bird.friends[own]]).toEqual([0, [ownFriend, 0]])
  await worlds.end()
})

test('a message to a disabled object waits as for one that is not here; sending throws', async () => {
  const { worlds, guest, bird, own, Bird, there } = await stage()
  const heard: number[] = []
  guest.client.on(Bird.chirp, (eid, { tone }: { tone: number }) => heard.push(eid, tone))
  leave(worlds, guest, own, bird)
  expect(guest.client.entityOf(guest.schema.DistributedObject.doId[own]!)).toBe(0)
  expect(() => guest.client.sendUpdate(own, Bird.chirp, { tone: 1 })).toThrow(/no distributed object/)
  worlds.server.place(bird, 1)
  worlds.run(1)
  worlds.server.sendUpdate(bird, there.chirp, { tone: 4 })
  worlds.until(() => heard.length > 0, 'heard')
  expect(heard).toEqual([own, 4])
  await worlds.end()
})
