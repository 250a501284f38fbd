import { addComponent, addEntity, removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Avatar {
  string name required broadcast ram;
  uint32 count broadcast ram;
  told(uint32 number) broadcast;
  flash(uint32 number) broadcast unreliable;
  tell(uint32 number) ownsend;
  blink(uint32 number) ownsend unreliable;
  book(string first, string second) broadcast;
  letter(string first, string second) ownsend;
  photo(blob32 bytes) broadcast;
  scan(blob32 bytes) ownsend;
};
`
const BAD = { lag: 0.05, jitter: 0.03, loss: 0.2, reorder: 0.2, duplicate: 0.2 }
const numbers = Array.from({ length: 300 }, (_, index) => index)

const pair = async (conditions = {}, seed = 1) => {
  const worlds = createWorlds(DC, { conditions, seed })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
  worlds.until(() => seenBy(worlds, guest, eid) !== 0, 'the object appears')
  worlds.run(60)
  return {
    worlds,
    guest,
    eid,
    mine: seenBy(worlds, guest, eid),
    Ours: worlds.schema.dclasses.Avatar,
    Theirs: guest.schema.dclasses.Avatar,
  }
}

test.each([1, 2, 3])('each exactly once and in order over a bad link, both ways (seed %i)', async seed => {
  const { worlds, guest, eid, mine, Ours, Theirs } = await pair(BAD, seed)
  const down: number[] = []
  const up: number[] = []
  guest.client.on<{ number: number }>(Theirs.told, (_eid, { number }) => down.push(number))
  worlds.server.on<{ number: number }>(Ours.tell, (_eid, { number }) => up.push(number))
  let next = 0
  worlds.game = () => {
    for (let count = 0; count < 3 && next < numbers.length; count++, next++) {
      worlds.server.sendUpdate(eid, Ours.told, { number: next })
      guest.client.sendUpdate(mine, Theirs.tell, { number: next })
    }
  }
  worlds.run(900)
  expect(down, 'server to client').toEqual(numbers)
  expect(up, 'client to server').toEqual(numbers)
  expect(worlds.network.stats.down.lost, 'although a good part of the datagrams was lost').toBeGreaterThan(20)
  await worlds.end()
})

test('an unreliable message arrives at most once, and some do not', async () => {
  const { worlds, guest, eid, mine, Ours, Theirs } = await pair(BAD)
  const down: number[] = []
  const up: number[] = []
  guest.client.on<{ number: number }>(Theirs.flash, (_eid, { number }) => down.push(number))
  worlds.server.on<{ number: number }>(Ours.blink, (_eid, { number }) => up.push(number))
  let next = 0
  worlds.game = () => {
    if (next >= numbers.length) return
    worlds.server.sendUpdate(eid, Ours.flash, { number: next })
    guest.client.sendUpdate(mine, Theirs.blink, { number: next++ })
  }
  worlds.run(900)
  for (const [way, heard] of [
    ['down', down],
    ['up', up],
  ] as const) {
    expect(new Set(heard).size, `${way}: none came twice`).toBe(heard.length)
    expect(heard.length, `${way}: most came`).toBeGreaterThan(numbers.length * 0.6)
    expect(heard.length, `${way}: what is lost stays lost`).toBeLessThan(numbers.length)
  }
  await worlds.end()
})

test('100 KB of arguments arrive whole, both ways', async () => {
  const { worlds, guest, eid, mine, Ours, Theirs } = await pair({ lag: 0.03, loss: 0.05, reorder: 0.05 })
  const text = (seed: number) =>
    Array.from({ length: 50_000 }, (_, at) => String.fromCharCode(97 + ((at * seed) % 26))).join('')
  const [first, second] = [text(7), text(11)]
  let book: unknown
  let letter: unknown
  let photo: Uint8Array | undefined
  guest.client.on(Theirs.book, (_eid, args) => (book = args))
  guest.client.on<{ bytes: Uint8Array }>(Theirs.photo, (_eid, { bytes }) => (photo = bytes))
  worlds.server.on(Ours.letter, (_eid, args) => {
    letter = args
  })
  worlds.server.sendUpdate(eid, Ours.book, { first, second })
  worlds.server.sendUpdate(eid, Ours.photo, { bytes: Uint8Array.from({ length: 100_000 }, (_, at) => at % 251) })
  guest.client.sendUpdate(mine, Theirs.letter, { first, second })
  worlds.until(() => Boolean(book && letter && photo), 'all of it arrives', 60)
  expect(book, 'server to client').toEqual({ first, second })
  expect(letter, 'client to server').toEqual({ first, second })
  expect(photo!.length, 'a blob too').toBe(100_000)
  expect(photo!.every((byte, at) => byte === at % 251)).toBe(true)
  await worlds.end()
})

test('a message to an object that is not known yet waits for it', async () => {
  const { worlds, guest, Ours, Theirs } = await pair({ lag: 0.05, jitter: 0.04, loss: 0.3, reorder: 0.3 })
  await worlds.settle(guest.client.interest.set([1]))
  const heard: unknown[] = []
  guest.client.on<{ number: number }>(Theirs.told, (eid, { number }) =>
    heard.push([Theirs.name[eid].replace(/\.+$/, ''), number]),
  )
  for (let count = 0; count < 20; count++) {
    const eid = addEntity(worlds.world)
    addComponent(worlds.world, eid, Ours)
    // A name of several datagrams, which follows the message.
    Ours.name[eid] = `born ${count}`.padEnd(2000, '.')
    worlds.server.place(eid, 1)
    // Before the first replicate: no client knows the object.
    worlds.server.sendUpdate(eid, Ours.told, { number: count })
    worlds.run(20)
  }
  worlds.until(() => heard.length >= 20, 'all are told', 30)
  worlds.run(60)
  expect(heard.sort(), 'each handler finds its object complete, the name too').toEqual(
    Array.from({ length: 20 }, (_, count) => [`born ${count}`, count]).sort(),
  )
  expect(guest.client.stats.orphanedMessages, 'none was given up').toBe(0)
  await worlds.end()
})

test.each([
  ['a perfect link', {}, 1],
  ['a link with lag', { lag: 0.05, jitter: 0.02 }, 1],
  ['a link that loses', { lag: 0.05, jitter: 0.02, loss: 0.15, reorder: 0.1 }, 2],
  ['the same with other luck', { lag: 0.05, jitter: 0.02, loss: 0.15, reorder: 0.1 }, 4],
  ['and with yet other', { lag: 0.05, jitter: 0.02, loss: 0.15, reorder: 0.1 }, 6],
])('a handler finds the state of the tick in which the message was sent, or newer (%s)', async (_name, link, seed) => {
  const { worlds, guest, eid, Ours, Theirs } = await pair(link, seed)
  const early: unknown[] = []
  let heard = 0
  guest.client.on<{ number: number }>(Theirs.told, (at, { number }) => {
    heard++
    if (Theirs.count[at] < number) early.push([Theirs.count[at], number])
  })
  let tick = 0
  worlds.game = () => {
    // Now in every tick, now after a pause in which everything was acknowledged.
    if (tick++ % 300 > 60 && tick % 10 !== 0) return
    Ours.count[eid]++
    worlds.server.sendUpdate(eid, Ours.told, { number: Ours.count[eid] })
  }
  worlds.run(1200)
  expect(heard, 'messages came').toBeGreaterThan(100)
  expect(early, 'none ran ahead of its state').toEqual([])
  await worlds.end()
})

test('messages for a big zone that is still loading wait for their objects', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05 } })
  const { Avatar } = worlds.schema.dclasses
  const eids = Array.from({ length: 1000 }, (_, count) => spawn(worlds, 'Avatar', { name: 'x'.repeat(150) + count }, 1))
  const guest = await worlds.join()
  const { Avatar: Theirs } = guest.schema.dclasses
  const heard: unknown[] = []
  guest.client.on<{ number: number }>(Theirs.told, (at, { number }) => heard.push([Theirs.name[at].slice(150), number]))
  const start = worlds.now()
  const done = guest.client.interest.set([1])
  worlds.run(20)
  for (const [number, eid] of eids.entries()) worlds.server.sendUpdate(eid, Avatar.told, { number })
  await worlds.settle(done, 60)
  worlds.run(60)
  expect(worlds.now() - start, 'it takes longer than a message waits for an object').toBeGreaterThan(4)
  expect(heard.length).toBe(1000)
  expect(heard, 'each with its object whole').toEqual(eids.map((_, count) => [`${count}`, count]))
  expect(guest.client.stats.orphanedMessages, 'none was given up').toBe(0)
  await worlds.end()
})

test.each([
  ['in a zone that stays', [1]],
  ['the last one in its zone', []],
])('what is sent in the tick of a removal is delivered before the object goes (%s)', async (_name, zones) => {
  const { worlds, guest, eid, Ours, Theirs } = await pair()
  await worlds.settle(guest.client.interest.set(zones))
  const heard: unknown[] = []
  guest.client.on<{ number: number }>(Theirs.told, (at, { number }) => heard.push([Theirs.name[at], number]))
  worlds.game = () => {
    worlds.server.sendUpdate(eid, Ours.told, { number: 1 })
    removeEntity(worlds.world, eid)
    worlds.game = () => {}
  }
  worlds.run(10)
  expect(heard).toEqual([['Ada', 1]])
  expect([guest.client.stats.objects, guest.client.stats.orphanedMessages]).toEqual([0, 0])
  await worlds.end()
})

test('arguments of 300 KB are an error of whoever sends them, and disconnect nobody', async () => {
  const { worlds, guest, eid, mine, Ours, Theirs } = await pair()
  const bytes = new Uint8Array(300_000)
  const complaint = /300004 bytes are more than the \d+ of a message: send them in parts/
  for (const send of [
    () => worlds.server.sendUpdate(eid, Ours.photo, { bytes }),
    () => guest.client.sendUpdate(mine, Theirs.scan, { bytes }),
  ]) {
    expect(send).toThrow(RangeError)
    expect(send).toThrow(complaint)
  }
  const heard: number[] = []
  guest.client.on<{ number: number }>(Theirs.told, (_eid, { number }) => heard.push(number))
  worlds.server.sendUpdate(eid, Ours.told, { number: 1 })
  worlds.run(60)
  expect([guest.client.state, worlds.server.clients.size, heard], 'all goes on').toEqual(['connected', 1, [1]])
  await worlds.end()
})
