import { expect, test } from 'vitest'
import { createDownlink, isSettled, subscribe } from '../../src/net/downlink.ts'
import { needValues, oweValues, queueReliable } from '../../src/net/outgoing.ts'
import { createStore, zoneOf, type Zone } from '../../src/net/store.ts'
import type { ValueSet } from '../../src/net/values.ts'
import { readDC } from './support.ts'

const store = createStore(readDC('dclass Avatar { string name broadcast; };'))
const { interested } = store.layouts[0]!

const named = (doId: number, zone: Zone): ValueSet => ({
  doId,
  layout: interested,
  packed: [Uint8Array.of(1, 0, 65)],
  fromOwner: [],
  epochs: [],
  zone,
  isAlive: true,
})

/** A client that takes nothing more of the reliable stream. */
const deaf = () => {
  const downlink = createDownlink()
  for (let count = 0; count < 64; count++) queueReliable(downlink, new Uint8Array(512))
  return downlink
}

test('a client that never takes its stream does not make the server remember every object that it saw', () => {
  const downlink = deaf()
  const zones = [zoneOf(store, 1), zoneOf(store, 2)]
  for (const zone of zones) subscribe(downlink, store, zone)
  const alive: ValueSet[] = []
  let most = 0
  for (let doId = 1; doId <= 50_000; doId++) {
    const set = named(doId, zones[0]!)
    oweValues(downlink, zones[0]!, set)
    alive.push(set)
    // It goes on to the other zone, changes its name, and dies.
    set.zone = zones[1]
    needValues(downlink, set)
    if (alive.length > 100) alive.shift()!.isAlive = false
    const owed = [...downlink.zones.values()].reduce((sum, view) => sum + view.owed.size, 0)
    most = Math.max(most, downlink.values.size, owed)
  }
  expect(most).toBeLessThan(2500)
  // Whoever is there still waits.
  for (const set of alive) expect(downlink.values.has(set)).toBe(true)
})

test('zones are complete also when an object went to and fro before its values were sent', () => {
  const downlink = deaf()
  const [first, second] = [zoneOf(store, 1), zoneOf(store, 2)]
  subscribe(downlink, store, first)
  subscribe(downlink, store, second)
  const set = named(1, first)
  oweValues(downlink, first, set)
  expect(isSettled(downlink, store, first)).toBe(false)
  set.zone = second
  // The stream flows again: the name goes out while the object is in the other zone.
  downlink.sender.queue.length = 0
  downlink.sender.queuedBytes = 0
  expect(isSettled(downlink, store, second)).toBe(true)
  expect(downlink.sender.queue.length).toBe(1)
  set.zone = first
  expect(isSettled(downlink, store, first)).toBe(true)
})
