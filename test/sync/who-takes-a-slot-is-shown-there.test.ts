import { expect, test } from 'vitest'
import { PERFECT_LINK } from '../../src/net/conditioner.ts'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'keyword interp_linear; dclass Avatar { int32/100 x broadcast ownsend interp_linear; };'

test('an object goes elsewhere and is handed over, and its owner hears first of the one in its place', async () => {
  const link = { up: { ...PERFECT_LINK }, down: { ...PERFECT_LINK } }
  const worlds = createWorlds(DC, { server: { packetsPerSend: 1 } })
  const { Avatar } = worlds.schema.dclasses
  const guest = worlds.addGuest({}, link)
  await worlds.settle(guest.client.connect())
  await worlds.settle(guest.client.interest.set([1, 2]))
  const mover = spawn(worlds, 'Avatar', { x: 3 }, 1, clientOf(worlds, guest))
  spawn(worlds, 'Avatar', { x: 4 }, 1)
  // So many that news of all of them takes several packets.
  const crowd = Array.from({ length: 700 }, () => spawn(worlds, 'Avatar', { x: 5 }, 2))
  worlds.run(240)
  link.down.loss = 1
  worlds.run(2)
  worlds.server.place(mover, 2, 0)
  // The slot of who left rests for a while.
  worlds.run(150)
  const other = spawn(worlds, 'Avatar', { x: 6 }, 1)
  for (const eid of crowd) Avatar.x[eid] = 1e6 * Math.sin(eid)
  link.down.loss = 0
  const { doId, zone } = guest.schema.DistributedObject
  const placeOf = (eid: number) => zone[seenBy(worlds, guest, eid)]
  worlds.until(() => placeOf(other) === 1, 'the other one comes')
  expect(placeOf(mover), 'of the mover it has not heard yet').toBe(1)
  worlds.until(() => placeOf(mover) === 2, 'the mover is where it went')
  Avatar.x[mover] = 30
  Avatar.x[other] = 60
  worlds.run(120)
  const { x } = guest.schema.dclasses.Avatar
  expect([mover, other].map(eid => x[seenBy(worlds, guest, eid)])).toEqual([30, 60])
  expect(doId[seenBy(worlds, guest, other)]).toBe(worlds.schema.DistributedObject.doId[other])
  await worlds.end()
})
