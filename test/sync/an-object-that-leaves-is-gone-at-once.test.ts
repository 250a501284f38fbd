import { removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { createWorlds, spawn } from '../support/worlds.ts'

const DC = 'dclass Bird { uint16 height broadcast; };'

/** A client that sees zones 1 and 2 with a lag of 0.1 s, and birds in zone 1; all have changed their zone before. */
const stage = async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.1 } })
  const guest = await worlds.join()
  const birds = Array.from({ length: 8 }, (_, index) => spawn(worlds, 'Bird', { height: index }, 2))
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.run(60)
  const doIds = birds.map(eid => worlds.schema.DistributedObject.doId[eid]!)
  const seen = () => doIds.map(doId => guest.client.entityOf(doId) !== 0)
  expect(seen().every(Boolean)).toBe(true)
  return { worlds, guest, birds, seen }
}

/** Frames of 1/60 s: the lag, and the two or three that a packet waits for its tick and its frame. */
const SOON = 6 + 10

test('also when it came to the zone that it leaves a moment ago, whatever the tick', async () => {
  const { worlds, birds, seen } = await stage()
  for (const [index, eid] of birds.entries()) {
    worlds.server.place(eid, 1)
    worlds.run(1 + index)
    worlds.server.place(eid, 3)
    worlds.run(SOON)
    expect(seen()[index], `bird ${index} is out of sight`).toBe(false)
  }
  await worlds.end()
})

test('also when it is deleted a moment after it moved', async () => {
  const { worlds, birds, seen } = await stage()
  for (const [index, eid] of birds.entries()) {
    worlds.server.place(eid, 1)
    worlds.run(1 + index)
    removeEntity(worlds.world, eid)
    worlds.run(SOON)
    expect(seen()[index], `bird ${index} is deleted`).toBe(false)
  }
  await worlds.end()
})
