import { addComponent, addEntity, hasComponent, removeEntity } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { turn } from '../../src/testing/worlds.ts'
import { createBreakable } from '../support/breakable.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Door {
  string(0-20) label broadcast ram;
  setOpen(string(0-40) word) broadcast ram;
  setLock(string(0-40) word) broadcast ram clsend;
  setCode(string(0-40) word) ownrecv ram;
  setGust(string(0-40) word) broadcast ram unreliable;
  creak(string(0-40) word) broadcast;
  setBlob(blob bytes) broadcast ram clsend;
};`
const FIELDS = ['setOpen', 'setLock', 'setCode', 'setGust', 'creak']
const BAD = { lag: 0.05, jitter: 0.03, loss: 0.2, reorder: 0.1, duplicate: 0.1 }

/** What a guest hears, with whether the object was alive by then. */
const listen = (guest: Guest): string[] => {
  const heard: string[] = []
  for (const field of FIELDS)
    guest.client.on<{ word: string }>(guest.schema.dclasses.Door[field], (eid, { word }) => {
      heard.push(`${field} ${word}${hasComponent(guest.world, eid, Alive) ? '' : ' too early'}`)
    })
  return heard
}

const come = async (worlds: Worlds, zone = 1) => {
  const guest = await worlds.join()
  const heard = listen(guest)
  await worlds.settle(guest.client.interest.set([zone]))
  worlds.run(2)
  return { guest, heard }
}

const stage = (conditions = {}, seed = 1) => {
  const worlds = createWorlds(DC, { conditions, seed })
  const { Door } = worlds.schema.dclasses
  const say = (eid: number, field: string, word: string, to?: never) =>
    worlds.server.sendUpdate(eid, Door[field], { word }, to)
  return { worlds, Door, say }
}

test.each([1, 2, 3])('the last of each, in the order of sending, over a bad link (seed %i)', async seed => {
  const { worlds, say } = stage(BAD, seed)
  const eid = spawn(worlds, 'Door', { label: 'a' }, 1)
  const early = await come(worlds)
  say(eid, 'setLock', 'shut')
  say(eid, 'setOpen', 'one')
  say(eid, 'creak', 'crack')
  say(eid, 'setOpen', 'two')
  say(eid, 'setGust', 'wind')
  say(eid, 'setCode', 'secret')
  worlds.run(90)
  expect(early.heard.filter(line => !line.includes('wind'))).toEqual([
    'setLock shut',
    'setOpen one',
    'creak crack',
    'setOpen two',
  ])
  const late = await come(worlds)
  expect(late.heard, 'all of it is here when the zone is').toEqual(['setLock shut', 'setOpen two', 'setGust wind'])
  worlds.run(120)
  expect(late.heard, 'and comes once').toHaveLength(3)
  await worlds.end()
})

test('once for each time that a client comes to see the object, the newest only; wherever the object goes', async () => {
  const { worlds, Door, say } = stage({ lag: 0.05 })
  const eid = spawn(worlds, 'Door', { label: 'a' }, 1)
  say(eid, 'setOpen', 'one')
  const { guest, heard } = await come(worlds)
  worlds.run(30)
  expect(heard.splice(0)).toEqual(['setOpen one'])
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.server.place(eid, 2)
  worlds.run(60)
  expect(heard.splice(0), 'it saw it all the way').toEqual([])
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  say(eid, 'setOpen', 'two')
  say(eid, 'setOpen', 'three')
  worlds.run(30)
  expect(heard.splice(0)).toEqual([])
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.run(30)
  expect(heard.splice(0), 'it is back').toEqual(['setOpen three'])
  const rules = worlds.server
  rules.setVisibility(eid, 'never')
  worlds.run(30)
  say(eid, 'setOpen', 'four')
  worlds.run(30)
  expect(heard.splice(0)).toEqual([])
  rules.setVisibility(eid, 'zone')
  worlds.run(60)
  expect(heard.splice(0)).toEqual(['setOpen four'])
  rules.setVisibility(eid, 'always')
  worlds.run(60)
  expect(heard.splice(0), 'by another rule, but it saw it before').toEqual([])
  removeEntity(worlds.world, eid)
  const next = spawn(worlds, 'Door', { label: 'b' }, 2)
  worlds.run(30)
  expect([seenBy(worlds, guest, next) !== 0, heard], 'it goes with its object').toEqual([true, []])
  expect(Door.label[next]).toBe('b')
  await worlds.end()
})

test('what is sent before an object is shown, or in the tick of that, is told once', async () => {
  const { worlds, Door, say } = stage({ lag: 0.02 })
  const { heard, guest } = await come(worlds)
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, Door)
  say(eid, 'setLock', 'before')
  worlds.server.place(eid, 1)
  say(eid, 'setOpen', 'at once')
  say(eid, 'creak', 'heard')
  worlds.run(60)
  expect(heard).toEqual(['setLock before', 'setOpen at once', 'creak heard'])
  expect(seenBy(worlds, guest, eid)).not.toBe(0)
  await worlds.end()
})

test('what is for the owner is told each owner, and nobody else: not a byte of it', async () => {
  const { worlds, say } = stage()
  const packets = new Map<Guest, string>()
  const eid = spawn(worlds, 'Door', { label: 'a' }, 1)
  const join = async () => {
    const arrived: string[] = []
    const connect = worlds.network.client.bind(worlds.network)
    const transport = {
      connect: async () => {
        const connection = await connect().connect()
        return new Proxy(connection, {
          set(target, name, value) {
            if (name !== 'onPacket') return Reflect.set(target, name, value)
            target.onPacket = (packet: Uint8Array) => {
              arrived.push(Buffer.from(packet).toString('latin1'))
              value(packet)
            }
            return true
          },
        })
      },
    }
    const guest = await worlds.join(undefined, { transport })
    const heard = listen(guest)
    await worlds.settle(guest.client.interest.set([1]))
    packets.set(guest, '')
    return { guest, heard, has: (text: string) => arrived.join('').includes(text) }
  }
  const [first, second, other] = [await join(), await join(), await join()]
  say(eid, 'setCode', 'nobody')
  worlds.server.place(eid, 1, clientOf(worlds, first.guest))
  worlds.run(30)
  say(eid, 'setCode', 'swordfish')
  say(eid, 'setOpen', 'forall', { except: clientOf(worlds, other.guest) } as never)
  worlds.run(30)
  worlds.server.place(eid, 1, clientOf(worlds, second.guest))
  worlds.run(30)
  expect(first.heard).toEqual(['setCode nobody', 'setCode swordfish', 'setOpen forall'])
  expect(second.heard).toEqual(['setOpen forall', 'setCode swordfish'])
  await worlds.settle(other.guest.client.interest.set([]))
  worlds.run(60)
  await worlds.settle(other.guest.client.interest.set([1]))
  worlds.run(30)
  expect([other.heard, other.has('swordfish'), other.has('forall')], 'nor who was excepted').toEqual([[], false, false])
  expect(second.has('swordfish')).toBe(true)
  say(eid, 'setOpen', 'again')
  say(eid, 'setLock', 'private', clientOf(worlds, other.guest) as never)
  worlds.run(30)
  expect(other.heard.splice(0)).toEqual(['setOpen again', 'setLock private'])
  const late = await join()
  expect(late.heard, 'what was for one alone is not kept').toEqual(['setOpen again'])
  await worlds.end()
})

test("a client's `ram` message is kept when it is relayed, and a stream that is full is no reason to miss it", async () => {
  const { worlds } = stage({ lag: 0.02 })
  const doors = Array.from({ length: 150 }, (_, at) => spawn(worlds, 'Door', { label: `door ${at}` }, 1))
  const { guest } = await come(worlds)
  const { Door } = guest.schema.dclasses
  guest.client.sendUpdate(seenBy(worlds, guest, doors[0]!), Door.setLock, { word: 'mine' })
  worlds.run(10)
  worlds.server.on(worlds.schema.dclasses.Door.setLock, (_eid, { word }: any) => word !== 'no')
  guest.client.sendUpdate(seenBy(worlds, guest, doors[1]!), Door.setLock, { word: 'no' })
  for (const eid of doors)
    worlds.server.sendUpdate(eid, worlds.schema.dclasses.Door.setBlob, { bytes: new Uint8Array(8000).fill(eid & 255) })
  worlds.run(600)
  const late = await worlds.join(undefined, {})
  const heard = listen(late)
  let blobs = 0
  late.client.on<{ bytes: Uint8Array }>(late.schema.dclasses.Door.setBlob, (_, { bytes }) => {
    blobs += bytes.length === 8000 ? 1 : 0
  })
  // 1.2 MB are more than may wait in a reliable stream.
  await worlds.settle(late.client.interest.set([1]), 60)
  worlds.run(2)
  expect([late.client.state, blobs, heard]).toEqual(['connected', 150, ['setLock mine']])
  await worlds.end()
})

test('a `ram` message has a size that can be kept', async () => {
  const { worlds, Door } = stage()
  const eid = spawn(worlds, 'Door', { label: 'a' }, 1)
  const bytes = new Uint8Array(17_000)
  expect(() => worlds.server.sendUpdate(eid, Door.setBlob, { bytes })).toThrow(
    /Door\.setBlob is `ram`, so that it is kept, and has 17002 bytes: at most 16384 are/,
  )
  const { guest } = await come(worlds)
  guest.client.sendUpdate(seenBy(worlds, guest, eid), guest.schema.dclasses.Door.setBlob, { bytes })
  worlds.run(120)
  expect(clientOf(worlds, guest).violations.outOfRange).toBe(1)
  await worlds.end()
})

test('who has not been told yet is not told by an unreliable one, which may be lost', async () => {
  const { worlds, say } = stage()
  const guest = await worlds.join({}, { updateRate: 10 })
  await worlds.settle(guest.client.interest.set([1]))
  const told = new Set<string>()
  guest.client.on<{ word: string }>(guest.schema.dclasses.Door.setGust, (_, { word }) => told.add(word.split(' ')[0]!))
  worlds.network.conditions.down.loss = 0.5
  const doors = 24
  for (let door = 0; door < doors; door++) {
    const eid = spawn(worlds, 'Door', {}, 1)
    say(eid, 'setGust', `${door} first`)
    worlds.run(3)
    say(eid, 'setGust', `${door} second`)
    worlds.run(2)
  }
  worlds.network.conditions.down.loss = 0
  worlds.run(120)
  expect(told.size).toBe(doors)
  await worlds.end()
})

test('what is told who sees an object again is not undone by what waited since before it went', async () => {
  const { worlds, say } = stage()
  const line = createBreakable(worlds.network)
  const guest = worlds.addGuest({ transport: line.transport })
  await worlds.settle(guest.client.connect())
  const heard = listen(guest)
  await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(worlds, 'Door', { label: 'a' }, 1)
  worlds.until(() => seenBy(worlds, guest, eid) > 0, 'the guest sees it')
  line.isReachable = false
  line.cut()
  worlds.run(20)
  say(eid, 'setOpen', 'one')
  say(eid, 'creak', 'crack')
  worlds.run(6)
  worlds.server.place(eid, 2)
  worlds.run(6)
  say(eid, 'setOpen', 'two')
  worlds.run(6)
  worlds.server.setZones(clientOf(worlds, guest), [1, 2])
  worlds.run(6)
  say(eid, 'creak', 'again')
  line.isReachable = true
  for (let count = 0; guest.client.state !== 'connected' || heard.length < 3; count++, await turn()) {
    if (count > 600) throw new Error(`it is ${guest.client.state} and heard ${heard}`)
    worlds.run(2)
  }
  worlds.run(60)
  expect(heard, 'the newest of what is kept, with the object').toEqual(['setOpen two', 'creak crack', 'creak again'])
  await worlds.end()
})
