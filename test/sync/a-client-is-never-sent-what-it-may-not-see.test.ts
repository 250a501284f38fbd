import { expect, test } from 'vitest'
import { clientOf, createWorlds, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  string name required broadcast ram;
  string note ownrecv ram;
  uint32 purse ownrecv;
  string diary airecv;
  said(string text) broadcast;
  whispered(string text) ownrecv;
};
`

/** Everything that the server ever sent to each client, as text in which any string can be found. */
const record = (worlds: Worlds) => {
  const sent = new Map<string, string>()
  worlds.network.tap = (direction, packet, client) => {
    if (direction === 'down') sent.set(client, (sent.get(client) ?? '') + Buffer.from(packet).toString('latin1'))
  }
  return (guest: Guest) => sent.get(clientOf(worlds, guest).address) ?? ''
}

const stage = async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.03, loss: 0.1 } })
  const sentTo = record(worlds)
  const [ada, bob] = [await worlds.join(), await worlds.join()]
  await worlds.settle(ada.client.interest.set([1]))
  await worlds.settle(bob.client.interest.set([1]))
  return { worlds, sentTo, ada, bob, Avatar: worlds.schema.dclasses.Avatar }
}

test('`ownrecv` fields go to the owner, server fields to nobody, whoever else sees the object', async () => {
  const { worlds, sentTo, ada, bob, Avatar } = await stage()
  const eid = spawn(worlds, 'Avatar', { name: 'Public', note: 'NoteOne', diary: 'Diary' }, 1, clientOf(worlds, ada))
  worlds.run(60)
  Avatar.note[eid] = 'NoteTwo'
  Avatar.purse[eid] = 0x41424344
  Avatar.diary[eid] = 'Diary2'
  worlds.run(60)
  expect(sentTo(ada), 'the owner is sent its notes').toContain('NoteOne')
  expect(sentTo(ada), 'and the new one').toContain('NoteTwo')
  expect(sentTo(bob), 'the other is sent the name').toContain('Public')
  expect(sentTo(bob), 'but no note').not.toContain('Note')
  expect(sentTo(ada) + sentTo(bob), 'a server field goes to nobody').not.toContain('Diary')
  expect(ada.schema.dclasses.Avatar.purse[ada.client.entityOf(1)], 'the owner has the number').toBe(0x41424344)
  expect(bob.schema.dclasses.Avatar.purse[bob.client.entityOf(1)], 'the other has the default').toBe(0)
  await worlds.end()
})

test('what is written for a new owner never goes to the old one', async () => {
  const { worlds, sentTo, ada, bob, Avatar } = await stage()
  const eid = spawn(worlds, 'Avatar', { name: 'Public', note: 'ForAda' }, 1, clientOf(worlds, ada))
  worlds.run(60)
  // In one tick: the hand-over, and a note for the new owner.
  worlds.server.place(eid, 1, clientOf(worlds, bob))
  Avatar.note[eid] = 'ForBob'
  worlds.run(60)
  expect(sentTo(bob), 'the new owner has its note').toContain('ForBob')
  expect(sentTo(ada), 'the old one does not').not.toContain('ForBob')
  expect(bob.schema.dclasses.Avatar.note[bob.client.entityOf(1)]).toBe('ForBob')
  await worlds.end()
})

test('objects of zones that a client does not see never leave the server for it', async () => {
  const { worlds, sentTo, ada, bob, Avatar } = await stage()
  await worlds.settle(bob.client.interest.set([2]))
  const hidden = spawn(worlds, 'Avatar', { name: 'InZoneTwo' }, 2)
  const mover = spawn(worlds, 'Avatar', { name: 'Mover' }, 1)
  worlds.run(60)
  expect(sentTo(bob), 'who sees the zone is sent it').toContain('InZoneTwo')
  expect(sentTo(ada), 'who does not is not').not.toContain('InZoneTwo')
  // In one tick: out of sight, and a new name.
  worlds.server.place(mover, 2)
  Avatar.name[mover] = 'Renamed'
  Avatar.name[hidden] = 'StillInTwo'
  worlds.run(60)
  expect(sentTo(bob), 'the new zone gets the new name').toContain('Renamed')
  expect(sentTo(ada), 'the old zone only learns that it left').not.toContain('Renamed')
  await worlds.settle(bob.client.interest.set([1]))
  Avatar.name[hidden] = 'AfterBobLeft'
  worlds.run(60)
  expect(sentTo(bob) + sentTo(ada), 'a zone that was left is not sent any more').not.toContain('AfterBobLeft')
  await worlds.end()
})

test('messages leave the server only for those whom their keywords name', async () => {
  const { worlds, sentTo, ada, bob, Avatar } = await stage()
  const near = spawn(worlds, 'Avatar', { name: 'near' }, 1, clientOf(worlds, ada))
  const far = spawn(worlds, 'Avatar', { name: 'far' }, 2)
  worlds.run(30)
  worlds.server.sendUpdate(near, Avatar.said, { text: 'SaidNear' })
  worlds.server.sendUpdate(near, Avatar.whispered, { text: 'Whispered' })
  worlds.server.sendUpdate(far, Avatar.said, { text: 'SaidFar' })
  worlds.run(60)
  expect(sentTo(bob), 'who sees the object is sent what it said').toContain('SaidNear')
  expect(sentTo(ada), 'its owner also what it was whispered').toContain('Whispered')
  expect(sentTo(bob), 'but nobody else').not.toContain('Whispered')
  expect(sentTo(ada) + sentTo(bob), 'what nobody may hear goes nowhere').not.toContain('SaidFar')
  await worlds.end()
})

test('what is still to be sent of a zone is dropped when the client leaves it', async () => {
  const { worlds, sentTo, ada } = await stage()
  const names = Array.from({ length: 150 }, (_, index) => `Long${index}-${'x'.repeat(400)}`)
  for (const name of names) spawn(worlds, 'Avatar', { name }, 3)
  worlds.run(4)
  const seeing = ada.client.interest.set([3])
  worlds.run(12)
  ada.client.interest.set([1]).catch(() => {})
  await worlds.settle(seeing)
  worlds.run(400)
  const sent = names.filter(name => sentTo(ada).includes(name.slice(0, 8)))
  expect(sent.length, 'some of it was under way').toBeGreaterThan(0)
  expect(sent.length, 'most of it never was').toBeLessThan(100)
  await worlds.end()
})
