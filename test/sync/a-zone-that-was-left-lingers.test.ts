import { query } from 'bitecs'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = 'dclass Crate { string label required broadcast ram; uint32 weight broadcast ram; };'

const stage = async (server: object, conditions = {}) => {
  const worlds = createWorlds(DC, { server, conditions })
  const crates = [1, 2, 3].map(zone => spawn(worlds, 'Crate', { label: `c${zone}` }, zone))
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1, 2]))
  return { worlds, crates, guest }
}

const seen = (worlds: Worlds, guest: Guest, crates: number[]) => crates.map(eid => seenBy(worlds, guest, eid) !== 0)
/** Seconds of virtual time. */
const wait = (worlds: Worlds, seconds: number) => worlds.run(Math.round(seconds * 60))

test.each([1, 2, 3])('coming back in time, one finds the same entities, up to date (seed %i)', async seed => {
  const conditions = { lag: 0.04, jitter: 0.03, loss: 0.15, reorder: 0.1 }
  const worlds = createWorlds(DC, { seed, server: { linger: 2 }, conditions })
  const crate = spawn(worlds, 'Crate', { label: 'here' }, 1)
  const guest = await worlds.join()
  const { interest } = guest.client
  await worlds.settle(interest.set([1]))
  const before = seenBy(worlds, guest, crate)
  for (let time = 0; time < 5; time++) {
    await worlds.settle(interest.set([2]))
    worlds.schema.dclasses.Crate.weight[crate] = time + 1
    wait(worlds, 1)
    expect(guest.schema.dclasses.Crate.weight[before], 'it is sent all the while').toBe(time + 1)
    await worlds.settle(interest.set([1]))
  }
  expect(seenBy(worlds, guest, crate)).toBe(before)
  await worlds.end()
})

test('after that time it is gone, and what happens there is not sent', async () => {
  const { worlds, crates, guest } = await stage({ linger: 1 })
  let sent = ''
  worlds.network.tap = (direction, packet) => {
    if (direction === 'down') sent += Buffer.from(packet).toString('latin1')
  }
  await worlds.settle(guest.client.interest.set([1]))
  wait(worlds, 0.7)
  expect(seen(worlds, guest, crates)).toEqual([true, true, false])
  expect([...clientOf(worlds, guest).zones].sort(), 'the server counts it as seen').toEqual([1, 2])
  wait(worlds, 0.5)
  expect(seen(worlds, guest, crates)).toEqual([true, false, false])
  worlds.schema.dclasses.Crate.label[crates[1]!] = 'Secret'
  wait(worlds, 0.5)
  expect(sent).not.toContain('Secret')
  await worlds.end()
})

test('without linger it is gone at once', async () => {
  const { worlds, crates, guest } = await stage({})
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(4)
  expect(seen(worlds, guest, crates)).toEqual([true, false, false])
  await worlds.end()
})

test('what the server takes away does not linger', async () => {
  let isOpen = true
  const { worlds, crates, guest } = await stage({
    linger: 30,
    allowZone: (_: unknown, zone: number) => zone !== 2 || isOpen,
  })
  worlds.server.revokeZone(clientOf(worlds, guest), 1)
  worlds.run(4)
  expect(seen(worlds, guest, crates), 'revoked').toEqual([false, true, false])
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.run(2)
  await worlds.settle(guest.client.interest.set([2]))
  worlds.server.revokeZone(clientOf(worlds, guest), 1)
  worlds.run(4)
  expect(seen(worlds, guest, crates), 'revoked while it lingered').toEqual([false, true, false])
  isOpen = false
  await worlds.settle(guest.client.interest.set([3]))
  worlds.run(4)
  expect(seen(worlds, guest, crates), 'not allowed any more when it is left').toEqual([false, false, true])
  await worlds.end()
})

test('no more zones linger than a client could ask for', async () => {
  const { worlds, guest } = await stage({ linger: 60, maxZones: 8 })
  const client = clientOf(worlds, guest)
  let most = 0
  for (let zone = 10; zone < 60; zone += 2) {
    await worlds.settle(guest.client.interest.set([zone, zone + 1]))
    most = Math.max(most, client.zones.size)
  }
  expect(most).toBe(8)
  expect([...client.zones].sort(), 'the newest ones').toEqual([52, 53, 54, 55, 56, 57, 58, 59])
  await worlds.end()
})

test('an owner who walks out of a zone goes on seeing it for a while, unless it could not ask for it', async () => {
  for (const isOpen of [true, false]) {
    const { worlds, crates, guest } = await stage({
      linger: 1,
      allowZone: (_: unknown, zone: number) => zone < 3 || isOpen,
    })
    const mine = spawn(worlds, 'Crate', { label: 'mine' }, 3, clientOf(worlds, guest))
    worlds.run(4)
    expect(seen(worlds, guest, crates)[2]).toBe(true)
    worlds.server.place(mine, 2)
    wait(worlds, 0.5)
    expect(seen(worlds, guest, crates)[2], `open: ${isOpen}`).toBe(isOpen)
    wait(worlds, 1)
    expect(seen(worlds, guest, crates)[2]).toBe(false)
    await worlds.end()
  }
})

test('what comes into a lingering zone is seen too, though there was nothing there before', async () => {
  const { worlds, guest } = await stage({ linger: 5 })
  await worlds.settle(guest.client.interest.set([1, 77]))
  await worlds.settle(guest.client.interest.set([1]))
  spawn(worlds, 'Crate', { label: 'late' }, 77)
  worlds.run(4)
  expect(query(guest.world, [guest.schema.dclasses.Crate])).toHaveLength(3)
  await worlds.end()
})
