import { addComponent, addEntity, removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  string name required broadcast ram;
  uint32 steps broadcast ram;
  uint8 tags[] broadcast ram;
  uint16 aim broadcast ram ownsend;
  string motto broadcast ram ownsend;
  uint16 purse ownrecv ram;
};
`

const stage = async (conditions = {}) => {
  const worlds = createWorlds(DC, { server: { detect: 'mark' }, conditions })
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(worlds, 'Avatar', { name: 'a', steps: 1, tags: [1] }, 1)
  worlds.run(20)
  const its = guest.schema.dclasses.Avatar
  const seen = () => {
    const there = seenBy(worlds, guest, eid)
    return there === 0 ? undefined : [its.name[there], its.steps[there], [...its.tags[there]]]
  }
  return { worlds, guest, eid, seen, Avatar: worlds.schema.dclasses.Avatar, its }
}

test('a new object is sent as it was when it was placed', async () => {
  const { worlds, seen } = await stage()
  expect(seen()).toEqual(['a', 1, [1]])
  await worlds.end()
})

test('what is not marked is not sent; what is, is, with all of its fields', async () => {
  const { worlds, guest, eid, seen, Avatar } = await stage({ lag: 0.03, loss: 0.1 })
  let sent = ''
  worlds.network.tap = (direction, packet) => {
    if (direction === 'down') sent += Buffer.from(packet).toString('latin1')
  }
  Avatar.steps[eid] = 2
  Avatar.name[eid] = 'unmarked'
  Avatar.tags[eid].push(2)
  worlds.run(60)
  expect(seen()).toEqual(['a', 1, [1]])
  expect(sent).not.toContain('unmarked')
  worlds.server.markDirty(eid)
  worlds.run(60)
  expect(seen()).toEqual(['unmarked', 2, [1, 2]])
  Avatar.steps[eid] = 3
  worlds.run(60)
  expect(seen(), 'a mark holds for one tick').toEqual(['unmarked', 2, [1, 2]])
  expect(guest.client.stats.desyncs).toBe(0)
  await worlds.end()
})

test('place marks: zone and owner, and what was written with it', async () => {
  const { worlds, guest, eid, seen, Avatar, its } = await stage()
  await worlds.settle(guest.client.interest.set([1, 2]))
  Avatar.steps[eid] = 5
  Avatar.purse[eid] = 7
  worlds.server.place(eid, 2, clientOf(worlds, guest))
  worlds.run(20)
  const there = seenBy(worlds, guest, eid)
  expect(seen()).toEqual(['a', 5, [1]])
  expect([guest.schema.DistributedObject.zone[there], guest.schema.DistributedObject.owner[there]]).toEqual([
    2,
    guest.client.clientId,
  ])
  expect(its.purse[there], 'the owner’s row too').toBe(7)
  await worlds.end()
})

test('a column of zone or owner that is written by hand waits for a mark', async () => {
  const { worlds, eid, seen } = await stage()
  worlds.schema.DistributedObject.zone[eid] = 3
  worlds.run(20)
  expect(seen()).toBeDefined()
  worlds.server.markDirty(eid)
  worlds.run(20)
  expect(seen(), 'then it is out of sight').toBeUndefined()
  await worlds.end()
})

test('visibility, removal and new objects need no mark', async () => {
  const { worlds, guest, eid, seen } = await stage()
  worlds.server.setVisibility(eid, 'never')
  worlds.run(20)
  expect(seen()).toBeUndefined()
  worlds.server.setVisibility(eid, 'zone')
  worlds.run(20)
  expect(seen()).toBeDefined()
  removeEntity(worlds.world, eid)
  worlds.run(20)
  expect(guest.client.stats.objects).toBe(0)
  const bare = addEntity(worlds.world)
  addComponent(worlds.world, bare, worlds.schema.dclasses.Avatar)
  worlds.server.place(bare, 1)
  worlds.run(20)
  expect(guest.client.stats.objects).toBe(1)
  await worlds.end()
})

test('what an owner writes needs no mark, and what the game writes over it is seen with one', async () => {
  const { worlds, guest, eid, Avatar, its } = await stage({ lag: 0.03, loss: 0.1 })
  const other = await worlds.join()
  await worlds.settle(other.client.interest.set([1]))
  worlds.server.place(eid, 1, clientOf(worlds, guest))
  worlds.run(20)
  const own = seenBy(worlds, guest, eid)
  its.aim[own] = 11
  its.motto[own] = 'mine'
  worlds.run(60)
  const theirs = seenBy(worlds, other, eid)
  const { aim, motto } = other.schema.dclasses.Avatar
  expect([Avatar.aim[eid], Avatar.motto[eid], aim[theirs], motto[theirs]]).toEqual([11, 'mine', 11, 'mine'])
  Avatar.aim[eid] = 99
  Avatar.motto[eid] = 'the server’s'
  worlds.server.markDirty(eid)
  worlds.run(60)
  expect([its.aim[own], its.motto[own], aim[theirs]]).toEqual([99, 'the server’s', 99])
  its.aim[own] = 12
  worlds.run(60)
  expect([Avatar.aim[eid], aim[theirs]], 'and the owner goes on').toEqual([12, 12])
  await worlds.end()
})

test('a game that forgets the mark does not shut its owner out', async () => {
  const { worlds, guest, eid, Avatar, its } = await stage()
  worlds.server.place(eid, 1, clientOf(worlds, guest))
  worlds.run(20)
  const own = seenBy(worlds, guest, eid)
  Avatar.aim[eid] = 50
  Avatar.motto[eid] = 'forgotten'
  worlds.run(10)
  its.aim[own] = 13
  its.motto[own] = 'again'
  worlds.run(60)
  expect(its.aim[own], 'the server has the last word').toBe(50)
  its.aim[own] = 14
  its.motto[own] = 'mine'
  worlds.run(60)
  expect([Avatar.aim[eid], Avatar.motto[eid]]).toEqual([14, 'mine'])
  await worlds.end()
})

test('markDirty of what is no object is an error that says so', async () => {
  const { worlds } = await stage()
  expect(() => worlds.server.markDirty(addEntity(worlds.world))).toThrow(/is no distributed object: addComponent/)
  await worlds.end()
})
