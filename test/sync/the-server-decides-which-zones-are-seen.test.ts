import { observe, onRemove } from 'bitecs'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Crate { string label required broadcast ram; uint32 weight broadcast ram; };'

const stage = async (server = {}, conditions = {}, seed = 1) => {
  const worlds = createWorlds(DC, { server, conditions, seed })
  const crates = [1, 2, 3].map(zone => spawn(worlds, 'Crate', { label: `c${zone}` }, zone))
  const guest = await worlds.join()
  let sent = ''
  worlds.network.tap = (direction, packet) => {
    if (direction === 'down') sent += Buffer.from(packet).toString('latin1')
  }
  return {
    worlds,
    crates,
    guest,
    client: clientOf(worlds, guest),
    sent: () => sent,
    seen: () => crates.map(eid => seenBy(worlds, guest, eid) !== 0),
  }
}

test('setZones shows zones that nobody asked for, besides those that were asked for', async () => {
  const { worlds, guest, client, seen } = await stage()
  worlds.server.setZones(client, [1, 2])
  worlds.run(10)
  expect(seen()).toEqual([true, true, false])
  await worlds.settle(guest.client.interest.set([2, 3]))
  worlds.run(2)
  expect(seen(), 'both count').toEqual([true, true, true])
  worlds.server.setZones(client, [])
  worlds.run(10)
  expect(seen(), 'a new call replaces the last one, not what was asked for').toEqual([false, true, true])
  expect([...guest.client.interest.zones].sort()).toEqual([2, 3])
  await worlds.end()
})

test('who is given zones cannot take them off, nor ask for others where it may not', async () => {
  const { worlds, guest, client, seen } = await stage({ allowZone: () => false })
  worlds.server.setZones(client, [1])
  const answer = await worlds.settle(guest.client.interest.set([1, 2]))
  expect(answer).toEqual({ granted: [], refused: [1, 2] })
  await worlds.settle(guest.client.interest.remove([1]))
  worlds.run(10)
  expect(seen()).toEqual([true, false, false])
  await worlds.end()
})

test.each([1, 2, 3])('nothing of a zone is sent from the tick on in which it was revoked (seed %i)', async seed => {
  const conditions = { lag: 0.05, jitter: 0.05, loss: 0.2, reorder: 0.2 }
  const { worlds, crates, guest, client, sent, seen } = await stage({}, conditions, seed)
  const { Crate } = worlds.schema.dclasses
  await worlds.settle(guest.client.interest.set([1, 2]))
  let step = 0
  let isRevoked = false
  worlds.game = () => {
    step++
    if (step === 20) {
      worlds.server.revokeZone(client, 2)
      isRevoked = true
    }
    Crate.label[crates[1]!] = isRevoked ? `Secret${step}` : `Open${step}`
  }
  worlds.run(200)
  worlds.run(100)
  expect(sent()).toContain('Open')
  expect(sent()).not.toContain('Secret')
  expect(seen()).toEqual([true, false, false])
  expect([...guest.client.interest.zones], 'the client hears of it').toEqual([1])
  await worlds.end()
})

test('a zone that was revoked may be asked for again, if the game lets it', async () => {
  let isOpen = true
  const { worlds, guest, client, seen } = await stage({ allowZone: () => isOpen })
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.server.revokeZone(client, 2)
  isOpen = false
  expect(await worlds.settle(guest.client.interest.add([1, 2])), 'what one has is not asked about').toEqual({
    granted: [1],
    refused: [2],
  })
  worlds.run(4)
  expect(seen()).toEqual([true, false, false])
  isOpen = true
  expect(await worlds.settle(guest.client.interest.add([2]))).toEqual({ granted: [2], refused: [] })
  worlds.run(2)
  expect(seen()).toEqual([true, true, false])
  isOpen = false
  expect(await worlds.settle(guest.client.interest.set([1, 2])), '`set` asks for all of them anew').toEqual({
    granted: [],
    refused: [1, 2],
  })
  await worlds.end()
})

test('an object in a zone that is revoked stays when there is another reason to see it', async () => {
  const { worlds, crates, guest, client } = await stage({}, { lag: 0.05, loss: 0.1 })
  await worlds.settle(guest.client.interest.set([1, 2, 3]))
  worlds.server.place(crates[0]!, 1, client)
  worlds.server.setVisibility(crates[1]!, 'always')
  worlds.server.setZones(client, [3])
  worlds.run(30)
  const before = crates.map(eid => seenBy(worlds, guest, eid))
  let removed = 0
  observe(guest.world, onRemove(guest.schema.dclasses.Crate), () => removed++)
  for (const zone of [1, 2, 3]) worlds.server.revokeZone(client, zone)
  worlds.run(100)
  expect(removed, 'it owns the first, a rule shows the second, it was given the zone of the third').toBe(0)
  expect(crates.map(eid => seenBy(worlds, guest, eid))).toEqual(before)
  await worlds.end()
})

test('maxZones is the most that a client can ask for at once', async () => {
  const { worlds, guest, client } = await stage({ maxZones: 3 })
  const { interest } = guest.client
  expect(await worlds.settle(interest.set([1, 2, 3, 4, 5]))).toEqual({ granted: [1, 2, 3], refused: [4, 5] })
  expect(await worlds.settle(interest.add([2, 6])), 'full is full').toEqual({ granted: [2], refused: [6] })
  await worlds.settle(interest.remove([1]))
  expect(await worlds.settle(interest.add([6, 7]))).toEqual({ granted: [6], refused: [7] })
  worlds.server.setZones(client, [10, 11, 12, 13])
  worlds.run(4)
  expect(client.zones.size, 'what the game gives comes on top').toBe(7)
  await worlds.end()
})

test('mistakes are errors that say what to do', async () => {
  const { worlds, guest, client } = await stage()
  const { server } = worlds
  server.setZones(client, [2])
  expect(() => server.setZones(client, [1, 0])).toThrow(/setZones\(client 1\): zone is 0; zones are whole numbers/)
  worlds.run(4)
  expect([...client.zones], 'and nothing changed').toEqual([2])
  guest.client.disconnect()
  worlds.run(5)
  expect(() => server.setZones(client, [1])).toThrow(/setZones: client 1 is not connected/)
  expect(() => server.revokeZone(client, 1)).toThrow(/revokeZone: client 1 is not connected/)
  for (const [name, value] of [
    ['maxZones', 257],
    ['maxZones', 0],
    ['linger', -1],
    ['linger', 61],
    ['packetsPerSend', 0],
    ['snapshotHistory', 7],
    ['maxBytesPerSecond', 10],
  ] as const)
    expect(() => createWorlds(DC, { server: { [name]: value } }), name).toThrow(new RegExp(`${name} is ${value}: give`))
  await worlds.end()
})
