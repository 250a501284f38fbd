import { observe, onRemove, query, removeEntity } from 'bitecs'
import { Owned } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientStates } from '../../src/systems/client-state.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  string name required broadcast ram;
  uint32 steps broadcast ram;
  string note ownrecv ram;
  said(string text) broadcast;
  poke() clsend;
};
`

/** Ada sees zone 1, Bob zone 2, over a link that loses some. */
const stage = async (conditions: object = { lag: 0.04, jitter: 0.02, loss: 0.1 }, server = {}) => {
  const worlds = createWorlds(DC, { conditions, server })
  const [ada, bob] = [await worlds.join(), await worlds.join()]
  await worlds.settle(ada.client.interest.set([1]))
  await worlds.settle(bob.client.interest.set([2]))
  const put = (zone: number, owner?: Guest) =>
    spawn(worlds, 'Avatar', { name: 'a', note: 'n' }, zone, owner && clientOf(worlds, owner))
  return { worlds, ada, bob, put, server: worlds.server, a: clientOf(worlds, ada), b: clientOf(worlds, bob) }
}

const seen = (worlds: Worlds, guests: Guest[], eid: number) => guests.map(guest => seenBy(worlds, guest, eid) !== 0)
const removals = (guest: Guest) => {
  const count = { removed: 0 }
  observe(guest.world, onRemove(guest.schema.dclasses.Avatar), () => count.removed++)
  return count
}

test('`always` shows an object wherever it is, `never` hides it, `zone` is as usual', async () => {
  const { worlds, ada, bob, put, server } = await stage()
  const eid = put(1)
  const look = () => (worlds.run(60), seen(worlds, [ada, bob], eid))
  expect(look()).toEqual([true, false])
  server.setVisibility(eid, 'always')
  expect(look()).toEqual([true, true])
  expect(bob.schema.dclasses.Avatar.name[seenBy(worlds, bob, eid)], 'with its strings').toBe('a')
  server.setVisibility(eid, 'never')
  expect(look()).toEqual([false, false])
  server.setVisibility(eid, 'zone')
  expect(look()).toEqual([true, false])
  await worlds.end()
})

test('what is said of one client goes before what is said of all', async () => {
  const { worlds, ada, bob, put, server, a, b } = await stage()
  const eid = put(1)
  const look = () => (worlds.run(60), seen(worlds, [ada, bob], eid))
  server.setVisibility(eid, 'always', b)
  expect(look(), 'shown to one').toEqual([true, true])
  server.setVisibility(eid, 'never')
  expect(look()).toEqual([false, true])
  server.setVisibility(eid, 'zone', a)
  expect(look()).toEqual([true, true])
  server.setVisibility(eid, 'never', b)
  server.setVisibility(eid, 'always')
  expect(look()).toEqual([true, false])
  await worlds.end()
})

test('whoever sees it before and after a change keeps the same entity', async () => {
  const { worlds, ada, put, server, a } = await stage()
  const eid = put(1)
  worlds.run(30)
  const before = seenBy(worlds, ada, eid)
  const count = removals(ada)
  for (const [visibility, client] of [['always'], ['zone'], ['always', a], ['never'], ['zone', a], ['zone']] as const) {
    server.setVisibility(eid, visibility, client)
    worlds.schema.dclasses.Avatar.steps[eid]++
    worlds.run(20)
  }
  // Also when it is there and back within one tick.
  server.setVisibility(eid, 'never')
  server.setVisibility(eid, 'always')
  worlds.run(20)
  server.setVisibility(eid, 'zone')
  server.setVisibility(eid, 'always')
  worlds.run(60)
  expect(count.removed).toBe(0)
  expect(seenBy(worlds, ada, eid)).toBe(before)
  expect(ada.schema.dclasses.Avatar.steps[before]).toBe(6)
  await worlds.end()
})

test('an object that is always seen tells where it is, on its way through zones that nobody sees', async () => {
  const { worlds, ada, bob, put, server } = await stage()
  const eid = put(1)
  server.setVisibility(eid, 'always')
  worlds.run(30)
  const counts = [removals(ada), removals(bob)]
  for (const zone of [5, 2, 70_000, 1, 6]) {
    server.place(eid, zone)
    worlds.run(40)
    // A change afterwards must not bring the old zone back.
    worlds.schema.dclasses.Avatar.steps[eid]++
    worlds.run(40)
    for (const guest of [ada, bob])
      expect(guest.schema.DistributedObject.zone[seenBy(worlds, guest, eid)], `zone ${zone}`).toBe(zone)
  }
  expect(counts).toEqual([{ removed: 0 }, { removed: 0 }])
  const late = await worlds.join()
  worlds.run(30)
  expect(late.schema.DistributedObject.zone[seenBy(worlds, late, eid)], 'a late joiner finds it').toBe(6)
  server.setVisibility(eid, 'zone')
  worlds.run(60)
  expect(seen(worlds, [ada, bob, late], eid)).toEqual([false, false, false])
  server.place(eid, 1)
  worlds.run(60)
  expect(seen(worlds, [ada, bob, late], eid)).toEqual([true, false, false])
  await worlds.end()
})

test('shown, moved, hidden and shown again in a hurry, it is where it is at last', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const conditions = { lag: 0.05, jitter: 0.05, loss: 0.25, reorder: 0.3 }
    const worlds = createWorlds(DC, { seed, conditions, client: { updateRate: 30 } })
    const { server } = worlds
    const guest = await worlds.join()
    const client = clientOf(worlds, guest)
    const eid = spawn(worlds, 'Avatar', { name: 'a' }, 1)
    for (let zone = 2; zone < 30; zone++) {
      server.setVisibility(eid, 'always', client)
      worlds.run(seed % 3 === 0 ? 2 : 6)
      server.place(eid, zone)
      worlds.run(2)
      server.setVisibility(eid, 'never', client)
      worlds.run(2)
      server.place(eid, zone + 100)
    }
    server.setVisibility(eid, 'always', client)
    worlds.run(90)
    const there = seenBy(worlds, guest, eid)
    expect([there !== 0, guest.schema.DistributedObject.zone[there]], `seed ${seed}`).toEqual([true, 129])
    await worlds.end()
  }
})

test('the owner sees its object whatever is said, and a new owner from then on', async () => {
  const { worlds, ada, bob, put, server, a, b } = await stage()
  const eid = put(1, ada)
  server.setVisibility(eid, 'never')
  server.setVisibility(eid, 'never', a)
  worlds.run(60)
  expect(seen(worlds, [ada, bob], eid)).toEqual([true, false])
  expect([...query(ada.world, [ada.schema.dclasses.Avatar, Owned])]).toEqual([seenBy(worlds, ada, eid)])
  const own = ada.schema.dclasses.Avatar.note
  expect(own[seenBy(worlds, ada, eid)]).toBe('n')
  server.place(eid, 3, b)
  worlds.schema.dclasses.Avatar.note[eid] = 'for b'
  worlds.run(60)
  expect(seen(worlds, [ada, bob], eid), 'hidden from the old one by the rule').toEqual([false, true])
  expect(bob.schema.dclasses.Avatar.note[seenBy(worlds, bob, eid)]).toBe('for b')
  server.place(eid, 3, 0)
  worlds.run(60)
  expect(seen(worlds, [ada, bob], eid)).toEqual([false, false])
  await worlds.end()
})

test('hidden and handed over in one tick, it stays the same entity for its new owner', async () => {
  const { worlds, ada, bob, put, server, a } = await stage()
  const eid = put(1)
  worlds.run(30)
  const before = seenBy(worlds, ada, eid)
  const count = removals(ada)
  server.setVisibility(eid, 'never')
  server.place(eid, 1, a)
  worlds.run(60)
  expect([count.removed, seenBy(worlds, ada, eid)]).toEqual([0, before])
  expect(seen(worlds, [ada, bob], eid)).toEqual([true, false])
  await worlds.end()
})

test('messages go to those who see it, and come from those who do', async () => {
  const { worlds, ada, bob, put, server, b } = await stage({ lag: 0.02 })
  const eid = put(1)
  const heard: string[] = []
  for (const [name, guest] of Object.entries({ ada, bob }))
    guest.client.on(guest.schema.dclasses.Avatar.said, (_: number, { text }: { text: string }) =>
      heard.push(`${name}: ${text}`),
    )
  const { Avatar } = worlds.schema.dclasses
  const say = (text: string) => (worlds.run(20), server.sendUpdate(eid, Avatar.said, { text }), worlds.run(20))
  say('one')
  server.setVisibility(eid, 'never')
  server.setVisibility(eid, 'always', b)
  say('two')
  server.setVisibility(eid, 'zone')
  server.setVisibility(eid, 'zone', b)
  say('three')
  expect(heard).toEqual(['ada: one', 'bob: two', 'ada: three'])

  let poked = 0
  server.on(Avatar.poke, () => void poked++)
  ada.client.sendUpdate(seenBy(worlds, ada, eid), ada.schema.dclasses.Avatar.poke, {})
  worlds.run(20)
  expect(poked).toBe(1)
  // Sent while it was still there for her, and too late.
  server.setVisibility(eid, 'never')
  ada.client.sendUpdate(seenBy(worlds, ada, eid), ada.schema.dclasses.Avatar.poke, {})
  worlds.run(20)
  expect(poked, 'of what one does not see one cannot ask').toBe(1)
  await worlds.end()
})

test('who leaves and comes back is somebody new', async () => {
  const { worlds, ada, bob, put, server, b } = await stage()
  const [shown, hidden] = [put(1), put(2)]
  server.setVisibility(shown, 'always', b)
  server.setVisibility(hidden, 'never', b)
  worlds.run(60)
  expect([shown, hidden].map(eid => seenBy(worlds, bob, eid) !== 0)).toEqual([true, false])
  bob.client.disconnect()
  worlds.run(30)
  await worlds.settle(bob.client.connect())
  await worlds.settle(bob.client.interest.set([2]))
  worlds.run(10)
  expect([shown, hidden].map(eid => seenBy(worlds, bob, eid) !== 0)).toEqual([false, true])
  expect(seen(worlds, [ada], shown), 'others go on as they did').toEqual([true])
  expect(() => server.setVisibility(shown, 'always', b), 'the old client is nobody').toThrow(
    /setVisibility\(\d+\): client 2 is not connected/,
  )
  await worlds.end()
})

test('a hidden object that is removed, and another one in its place, are told apart', async () => {
  const { worlds, ada, bob, put, server } = await stage()
  for (let time = 0; time < 4; time++) {
    const first = put(1)
    server.setVisibility(first, time % 2 === 0 ? 'always' : 'never')
    worlds.run(30)
    expect(seen(worlds, [ada, bob], first)).toEqual(time % 2 === 0 ? [true, true] : [false, false])
    removeEntity(worlds.world, first)
    const next = put(2)
    worlds.run(60)
    expect(seen(worlds, [ada, bob], next), 'the rule went with the object').toEqual([false, true])
    expect(query(ada.world, [ada.schema.dclasses.Avatar])).toHaveLength(0)
    removeEntity(worlds.world, next)
    worlds.run(30)
  }
  expect([ada, bob].map(guest => guest.client.stats.objects)).toEqual([0, 0])
  await worlds.end()
})

test('objects that are removed in the tick in which their rule ends leave no group behind', async () => {
  const { worlds, ada, put, server } = await stage()
  const groups = () => clientStates.get(ada.client)!.session!.replica.groups.size
  put(1)
  worlds.run(60)
  const before = groups()
  for (let round = 0; round < 10; round++) {
    const eid = put(1)
    server.setVisibility(eid, 'always')
    worlds.run(30)
    expect([groups(), seenBy(worlds, ada, eid) !== 0]).toEqual([before + 1, true])
    server.setVisibility(eid, 'zone')
    removeEntity(worlds.world, eid)
    worlds.run(30)
    expect(groups()).toBe(before)
  }
  expect(ada.client.stats.objects).toBe(1)
  await worlds.end()
})

test('before it is in a zone nobody sees it, whatever is said', async () => {
  const { worlds, ada, bob, put, server } = await stage()
  const eid = put(1)
  worlds.schema.DistributedObject.zone[eid] = 0
  server.setVisibility(eid, 'always')
  worlds.run(30)
  expect(seen(worlds, [ada, bob], eid)).toEqual([false, false])
  server.place(eid, 9)
  worlds.run(60)
  expect(seen(worlds, [ada, bob], eid)).toEqual([true, true])
  await worlds.end()
})

test('interest is complete without objects that are hidden', async () => {
  const { worlds, ada, put, server, a } = await stage()
  const hidden = Array.from({ length: 5 }, () => put(4))
  for (const eid of hidden) server.setVisibility(eid, 'never', a)
  const shown = put(4)
  await worlds.settle(ada.client.interest.set([4]))
  worlds.run(1)
  expect(seen(worlds, [ada], shown)).toEqual([true])
  expect(ada.client.stats.objects).toBe(1)
  await worlds.end()
})

test('mistakes are errors that say what to do', async () => {
  const { worlds, put, server } = await stage()
  expect(() => server.setVisibility(put(1), 'hidden' as never)).toThrow(
    /give 'zone', 'always' or 'never', or a function, not hidden/,
  )
  expect(() => server.setVisibility(999, 'never')).toThrow(/Entity 999 does not exist/)
  await worlds.end()
})
