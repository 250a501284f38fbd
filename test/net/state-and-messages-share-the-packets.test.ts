import { expect, test } from 'vitest'
import { newestFrame } from '../../src/net/frames.ts'
import { buildPacket, createDownlink, isSettled, subscribe } from '../../src/net/downlink.ts'
import { needValues, queueReliable, queueUnreliable } from '../../src/net/outgoing.ts'
import { HEADER } from '../../src/net/packet.ts'
import { receiveAcks } from '../../src/net/peer.ts'
import { random } from '../../src/net/random.ts'
import { addRow, createStore, startRound, writeRow, zoneOf, type Place } from '../../src/net/store.ts'
import { MAX_PACKET } from '../../src/net/transport.ts'
import type { ValueSet } from '../../src/net/values.ts'
import { subscriptionsOf } from '../../src/net/subscriptions.ts'
import { readDC } from './support.ts'

const FAT = readDC(
  `dclass Fat { ${Array.from({ length: 200 }, (_, index) => `uint32 f${index} broadcast;`).join(' ')} };`,
)
const NAMED = readDC(`dclass Named { uint8 size broadcast; string name broadcast; };`)
const INTERVAL = 1 / 30

/** A client whose link is perfect: each packet is acknowledged before the next one. */
const createClient = (store: ReturnType<typeof createStore>) => {
  const downlink = createDownlink()
  let now = 0
  const send = (tick: number) => {
    now += INTERVAL
    startRound(store)
    const packet = buildPacket(downlink, store, tick, now, INTERVAL, tick, 1 / INTERVAL)
    if (!packet) throw new Error('a perfect link need not wait')
    expect(packet.length).toBeLessThanOrEqual(MAX_PACKET)
    const { peer } = downlink
    receiveAcks(
      peer,
      (peer.nextSequence - 1) & 0xffff,
      1,
      0,
      0,
      peer.nextSequence & 0xff,
      now + 0.01,
      downlink.onAcked,
      downlink.onLost,
    )
    return packet
  }
  return { downlink, send }
}

/** Objects of which one fills most of a packet, with new values in every tick. */
const createCrowd = (objects: number) => {
  const store = createStore(FAT)
  const { interested } = store.layouts[0]!
  const chance = random(objects)
  const row = new Uint32Array(interested.width)
  const zone = zoneOf(store, 1)
  const places: Place[] = Array.from({ length: objects }, (_, index) => addRow(store, zone, interested, index + 1, 0))
  const change = (tick: number) => {
    for (const place of places) {
      for (let word = 2; word < row.length; word++) row[word] = Math.floor(chance() * 2 ** 32)
      writeRow(place, row, 0, tick)
    }
  }
  return { store, zone, change }
}

test('a flood of messages, reliable and not, cannot keep state back, nor state the messages', () => {
  const { store, zone, change } = createCrowd(12)
  const { downlink, send } = createClient(store)
  subscribe(downlink, store, zone)
  let unreliable = 0
  const served = new Map<number, number>()
  for (let tick = 1; tick <= 300; tick++) {
    change(tick)
    if (downlink.sender.queue.length < 4) queueReliable(downlink, new Uint8Array(20_000))
    while (downlink.messages.length < 3) {
      queueUnreliable(downlink, new Uint8Array(100))
      unreliable++
    }
    send(tick)
    for (const { group, acked } of subscriptionsOf(downlink.subscriptions))
      if (acked === tick) served.set(group.id, (served.get(group.id) ?? 0) + 1)
  }
  const acknowledged = downlink.sender.nextSequence - downlink.sender.queue.length
  expect(Math.min(...served.values()), 'sends of the least served group').toBeGreaterThan(300 / 2 / 12 - 3)
  expect(served.size).toBe(12)
  expect(acknowledged, 'reliable fragments').toBeGreaterThan(100)
  expect(unreliable, 'unreliable messages').toBeGreaterThan(100)
})

test('small messages in every packet do not keep a large group back', () => {
  const { store, zone, change } = createCrowd(1)
  const { downlink, send } = createClient(store)
  subscribe(downlink, store, zone)
  change(1)
  for (let tick = 1; tick < 10; tick++) {
    while (downlink.messages.length < 4) queueUnreliable(downlink, new Uint8Array(100))
    send(tick)
  }
  expect(isSettled(downlink, store, zone)).toBe(true)
})

test('there is always room to say that groups are deferred', () => {
  const { store, zone, change } = createCrowd(40)
  const { downlink, send } = createClient(store)
  subscribe(downlink, store, zone)
  for (let tick = 1; tick <= 40; tick++) {
    change(tick)
    // Two that leave 3, 2, 1 or 0 bytes of an empty packet.
    queueUnreliable(downlink, new Uint8Array(500))
    queueUnreliable(downlink, new Uint8Array(MAX_PACKET - HEADER - 502 - (tick % 4)))
    send(tick)
  }
  expect(downlink.messages.length).toBeLessThan(65)
})

test('a value that changes in every tick does not keep a zone from being complete', () => {
  const store = createStore(NAMED)
  const { interested } = store.layouts[0]!
  const zone = zoneOf(store, 1)
  const { group } = addRow(store, zone, interested, 1, 1)
  const set: ValueSet = {
    doId: 1,
    layout: interested,
    packed: [new Uint8Array(2)],
    fromOwner: [],
    epochs: [],
    zone,
    isAlive: true,
  }
  store.values.set(1, set)
  const { downlink, send } = createClient(store)
  subscribe(downlink, store, zone)
  expect(newestFrame(group.history)?.ids[0]).toBe(1)
  for (let tick = 1; tick < 5; tick++) {
    set.packed[0] = Uint8Array.of(1, 0, tick)
    needValues(downlink, set, 0)
    expect(isSettled(downlink, store, zone)).toBe(tick > 1)
    send(tick)
  }
})
