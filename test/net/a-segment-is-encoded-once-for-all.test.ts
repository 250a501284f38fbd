import { expect, test } from 'vitest'
import { buildPacket, createDownlink, subscribe } from '../../src/net/downlink.ts'
import { frameAt } from '../../src/net/frames.ts'
import { receiveAcks } from '../../src/net/peer.ts'
import { random } from '../../src/net/random.ts'
import { addRow, createStore, segmentFor, startRound, writeRow, zoneOf } from '../../src/net/store.ts'
import { readDC } from './support.ts'

const file = readDC('dclass Thing { uint8 a broadcast; uint16 b broadcast; };')

test('clients with the same baseline are given the same bytes; a new round or a new frame begins anew', () => {
  const store = createStore(file)
  const place = addRow(store, zoneOf(store, 1), store.layouts[0]!.interested, 1, 1)
  const { group } = place
  const write = (tick: number, b: number) => writeRow(place, Uint32Array.of(0, 0, 1, b), 0, tick)
  for (let tick = 2; tick <= 5; tick++) write(tick, tick)
  startRound(store)
  for (let client = 0; client < 50; client++) {
    const base = client % 5 === 0 ? undefined : frameAt(group.history, client % 5)!
    expect(segmentFor(store, group, base)).toBe(segmentFor(store, group, base))
  }
  expect(store.stats.segments).toBe(5)
  write(6, 60)
  startRound(store)
  for (let client = 0; client < 50; client++) segmentFor(store, group, frameAt(group.history, 5))
  expect(store.stats.segments).toBe(6)
  expect(write(7, 60), 'nothing changes').toBe(false)
})

test('a segment whose encoding throws is not taken for a whole one by the next client', () => {
  const store = createStore(file)
  const place = addRow(store, zoneOf(store, 1), store.layouts[0]!.interested, 1, 1)
  let isBroken = true
  const { encode } = store.codec
  const broken = {
    ...store,
    codec: {
      ...store.codec,
      encode: (...args: Parameters<typeof encode>) => {
        if (isBroken) throw new Error('broken')
        return encode(...args)
      },
    },
  }
  startRound(broken)
  expect(() => segmentFor(broken, place.group, undefined)).toThrow('broken')
  expect(() => segmentFor(broken, place.group, undefined)).toThrow('broken')
  isBroken = false
  expect(segmentFor(broken, place.group, undefined).length).toBeGreaterThan(4)
})

/** Clients of one zone, with links of their own: what is encoded for them a tick, and what would be without sharing. */
const crowd = (clients: number, lossOf: (client: number) => number, weight?: number) => {
  const chance = random(clients)
  const store = createStore(file)
  const zone = zoneOf(store, 1)
  const places = Array.from({ length: 300 }, (_, index) =>
    addRow(store, zone, store.layouts[0]!.interested, index + 1, 1),
  )
  const ends = Array.from({ length: clients }, (_, index) => {
    const downlink = createDownlink()
    if (weight !== undefined) downlink.weigh = () => weight
    subscribe(downlink, store, zone)
    return {
      downlink,
      loss: lossOf(index),
      flying: [] as { sequence: number; tick: number }[],
      got: [0, 0],
      newest: -1,
      received: 0,
    }
  })
  let sent = 0
  let ticks = 0
  let segments = 0
  for (let tick = 2; tick < 200; tick++) {
    for (const place of places)
      if (chance() < 0.3) writeRow(place, Uint32Array.of(0, 0, 1, Math.floor(chance() * 60_000)), 0, tick)
    startRound(store)
    const before = store.stats.segments
    for (const end of ends) {
      const { downlink } = end
      const now = tick / 30
      // Answers of three ticks ago: everything that came can be decoded here, so the bits are those of what came.
      const { peer } = downlink
      while (end.flying.length > 0 && end.flying[0]!.tick <= tick - 3) {
        const { sequence } = end.flying.shift()!
        const shift = BigInt(sequence - end.newest)
        const bits = ((BigInt(end.got[0]! >>> 0) | (BigInt(end.got[1]! >>> 0) << 32n)) << shift) | 1n
        end.got = [Number(bits & 0xffffffffn), Number((bits >> 32n) & 0xffffffffn)]
        end.newest = sequence
        end.received++
        receiveAcks(
          peer,
          sequence & 0xffff,
          end.got[0]!,
          end.got[1]!,
          0,
          end.received & 0xff,
          now,
          downlink.onAcked,
          downlink.onLost,
        )
      }
      const sentBefore = store.stats.sent
      if (!buildPacket(downlink, store, tick, now, 1 / 30, tick, 30)) continue
      if (chance() >= end.loss) end.flying.push({ sequence: peer.nextSequence - 1, tick })
      if (tick > 100) sent += store.stats.sent - sentBefore
    }
    if (tick <= 100) continue
    ticks++
    segments += store.stats.segments - before
  }
  return { perTick: segments / ticks, without: sent / ticks, groups: zone.groups.length }
}

test('on good links 64 clients cost what one costs', () => {
  const one = crowd(1, () => 0)
  const many = crowd(64, () => 0)
  expect(many.without).toBeGreaterThan(60 * one.perTick)
  expect(many.perTick).toBeLessThanOrEqual(one.perTick * 1.01)
})

test('on links of all sorts the encodings of a tick are few beside the clients', () => {
  const { perTick, without, groups } = crowd(64, client => [0, 0.002, 0.01, 0.05][client % 4]!)
  expect(without).toBeGreaterThan(60 * groups * 0.9)
  expect(perTick / groups, 'baselines in use a group').toBeLessThan(8)
})

test('those who are sent a zone every fourth time are sent it at the same time', () => {
  const { perTick, without, groups } = crowd(32, () => 0, 0.25)
  expect(without / 32).toBeCloseTo(groups / 4, 0)
  expect(perTick).toBeLessThanOrEqual((groups / 4) * 1.1)
})
