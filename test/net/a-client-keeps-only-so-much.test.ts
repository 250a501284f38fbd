import { addComponent, addEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { frameBytes, LEAST_FRAMES, MAX_FRAME_BYTES, MAX_GROUPS } from '../../src/net/capacity.ts'
import { createWorlds } from '../support/worlds.ts'
import { createDuo, isUpToDate } from './duo.ts'

/** A class whose frames are large beside its segments: 26 KB of 200 flags for 33 objects. */
const WIDE = `dclass Wide { ${Array.from({ length: 200 }, (_, index) => `uint8(0-1) flag${index} broadcast;`).join(' ')} };`

test('with many groups it keeps fewer frames of each, and what it knows is right all the same', async () => {
  const zones = Array.from({ length: 90 }, (_, index) => index + 1)
  const duo = await createDuo(WIDE, { rate: 60, zones })
  const places = zones.map(zone => duo.add(zone, zone))
  const size = frameBytes(places[0]!.group.layout)
  const limit = Math.floor(MAX_FRAME_BYTES / size / zones.length)
  expect(limit).toBeLessThan(35)
  duo.change = tick => {
    for (const place of places) duo.put(place, 2 + (place.slot % 100), tick & 1)
  }
  const { replica } = duo.session
  let most = 0
  for (let step = 0; step < limit + 12; step++) {
    duo.step()
    const frames = [...replica.groups.values()].reduce((sum, { history }) => sum + history.frames.length, 0)
    most = Math.max(most, frames * size)
  }
  expect(replica.groups.size).toBe(zones.length)
  expect(most).toBeLessThanOrEqual(MAX_FRAME_BYTES)
  expect(most).toBeGreaterThan(MAX_FRAME_BYTES / 2)
  duo.change = () => {}
  duo.run(30)
  expect([isUpToDate(duo), duo.wrong, replica.undecodable]).toEqual([true, [], 0])
  duo.end()
})

test('more groups than it keeps are not sent, and the game is told so once', async () => {
  // So many bits that a group has one object.
  const fields = Array.from({ length: 67 }, (_, index) => `float64 word${index} broadcast;`)
  const errors: string[] = []
  const worlds = createWorlds(`dclass Huge { ${fields.join(' ')} };`, {
    server: { onError: error => errors.push(String(error)), maxBytesPerSecond: 1e6 },
    capacity: MAX_GROUPS + 10,
  })
  const place = () => {
    const eid = addEntity(worlds.world)
    addComponent(worlds.world, eid, worlds.schema.dclasses.Huge)
    worlds.server.place(eid, 1)
  }
  for (let count = 0; count < MAX_GROUPS; count++) place()
  const guest = await worlds.join()
  guest.client.interest.set([1]).catch(() => {})
  worlds.run(6)
  expect(errors).toEqual([])
  place()
  worlds.run(6)
  expect(errors.length).toBe(1)
  expect(errors[0]).toMatch(/1 are not sent/)
  // It is the number of groups that counted, not their size.
  expect(MAX_GROUPS * LEAST_FRAMES * 137 * 4).toBeLessThan(MAX_FRAME_BYTES)
  await worlds.end()
})
