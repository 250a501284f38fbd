import { expect, test } from 'vitest'
import { subscribe } from '../../src/net/downlink.ts'
import { addRow, removeRow, zoneOf } from '../../src/net/store.ts'
import { ACKED } from '../../src/net/subscriptions.ts'
import { createDuo } from './duo.ts'

const DC = 'dclass Thing { uint16 a broadcast ownsend; };'

/**
 * An object that came after the frame that the server builds on and has left again before the next: segments say nothing
 * of where it went, and the message that does has not come yet.
 */
const stage = async (owner: number) => {
  const duo = await createDuo(DC)
  const { interested } = duo.store.layouts[0]!
  const stays = duo.add(1, 1)
  duo.run(5)
  // No answer comes through, and much is lost: from here on the server sends keyframes.
  duo.upFate = () => 'lost'
  duo.downlink.subscriptions.numbers[ACKED] = -1
  duo.downlink.peer.loss = 0.5
  const place = duo.add(1, 7)
  duo.put(place, 0, owner)
  duo.put(place, 1, 1)
  duo.run(8)
  const eid = duo.client.entityOf(7)
  expect(eid).toBeGreaterThan(0)
  removeRow(place, duo.tick + 1, 2)
  duo.put(stays, 2, 9)
  duo.run(8)
  const [group] = duo.session.replica.groups.values()
  expect([...group!.history.frames.at(-1)!.ids], 'the client knows that it left').not.toContain(7)
  return { duo, eid, arrive: () => addRow(duo.store, zoneOf(duo.store, 2), interested, 7, duo.tick + 1) }
}

test('its owner keeps the entity until it shows up in its new zone', async () => {
  const { duo, eid, arrive } = await stage(1)
  expect(duo.client.entityOf(7)).toBe(eid)
  duo.put(arrive(), 0, 1)
  subscribe(duo.downlink, duo.store, zoneOf(duo.store, 2))
  duo.run(8)
  expect(duo.client.entityOf(7)).toBe(eid)
  expect(duo.schema.DistributedObject.zone[eid]).toBe(2)
  duo.end()
})

test('but not for ever', async () => {
  const { duo } = await stage(1)
  duo.run(80)
  expect(duo.client.entityOf(7)).toBe(0)
  duo.end()
})

test('others let it go at once', async () => {
  const { duo } = await stage(2)
  expect(duo.client.entityOf(7)).toBe(0)
  duo.end()
})
