import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitReader } from '../../src/net/bits.ts'
import { baselineAt, newestFrame } from '../../src/net/frames.ts'
import { random } from '../../src/net/random.ts'
import { decodeSegment } from '../../src/net/segment.ts'
import { createDownlink, endDownlink, subscribe } from '../../src/net/downlink.ts'
import {
  addRow,
  createStore,
  removeRow,
  segmentFor,
  startRound,
  sweepZones,
  writeRow,
  zoneOf,
  type Place,
  type Segment,
  type Store,
} from '../../src/net/store.ts'
import { frameOf, readDC } from './support.ts'

const file = readDC(`
dclass Thing { uint8 a broadcast; uint16 b broadcast; };
dclass Fat { ${Array.from({ length: 120 }, (_, index) => `uint32 f${index} broadcast;`).join(' ')} };
`)

/** A store in which objects come, change, move and go at random, and what must be in it. */
const createChaos = (seed: number, firstTick: number) => {
  const chance = random(seed)
  const store = createStore(file)
  const objects = new Map<number, { place: Place; row: Uint32Array; zone: number }>()
  /** Where each object that left a slot went. */
  const departures = new Map<string, number | undefined>()
  let nextId = 1
  let tick = firstTick >>> 0
  const randomRow = (width: number) =>
    Uint32Array.from({ length: width }, (_, word) => (word === 1 ? 0 : Math.floor(chance() * 256)))
  const step = () => {
    tick = (tick + 1 + (chance() < 0.1 ? Math.floor(chance() * 100) : 0)) >>> 0
    for (const [doId, object] of objects) {
      const { group } = object.place
      const luck = chance()
      if (luck < 0.05) {
        removeRow(object.place, tick, undefined)
        departures.set(`${group.id}/${object.place.slot}/${doId}`, undefined)
        objects.delete(doId)
      } else if (luck < 0.1) {
        const zone = 1 + Math.floor(chance() * 3)
        removeRow(object.place, tick, zone)
        departures.set(`${group.id}/${object.place.slot}/${doId}`, zone)
        object.place = addRow(store, zoneOf(store, zone), group.layout, doId, tick)
        writeRow(object.place, object.row, 0, tick)
      } else if (luck < 0.3) writeRow(object.place, (object.row = randomRow(group.layout.width)), 0, tick)
    }
    while (chance() < 0.7 && objects.size < 150) {
      const layout = store.layouts[chance() < 0.8 ? 0 : 1]!.interested
      const zone = 1 + Math.floor(chance() * 3)
      const doId = nextId++
      const place = addRow(store, zoneOf(store, zone), layout, doId, tick)
      const row = randomRow(layout.width)
      writeRow(place, row, 0, tick)
      objects.set(doId, { place, row, zone })
    }
    return tick
  }
  return { store, objects, departures, step }
}

const bytesOf = (store: Store, { start, length }: Segment) => store.writer.bytes.slice(start, start + length)

const isEqual = (a: Uint32Array, b: Uint32Array): boolean => a.every((word, at) => word === b[at])

const groupsOf = (store: ReturnType<typeof createStore>) => [...store.zones.values()].flatMap(zone => zone.groups)

test('each object has the slot and the row that it was given, and no group holds more than its slots', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(0, 0xffffffff - 100), (seed, firstTick) => {
      const { store, objects, step } = createChaos(seed, firstTick)
      for (let count = 0; count < 80; count++) step()
      for (const [doId, { place, row }] of objects) {
        const { group, slot } = place
        const frame = newestFrame(group.history)!
        expect(frame.ids[slot]).toBe(doId)
        expect(frame.rows.slice(slot * group.layout.width, (slot + 1) * group.layout.width)).toEqual(row)
      }
      let held = 0
      for (const group of groupsOf(store)) {
        const alive = newestFrame(group.history)!.ids.filter(id => id !== 0).length
        expect(group.used).toBe(alive)
        expect(group.used).toBeLessThanOrEqual(group.layout.slots)
        held += alive
      }
      expect(held).toBe(objects.size)
    }),
    { numRuns: 20 },
  )
})

test('a freed slot rests for 64 ticks', () => {
  const freedAt = new Map<string, number>()
  const { store, step } = createChaos(11, 0xffffffff - 200)
  const before = new Map<number, Uint32Array>()
  let reused = 0
  for (let count = 0; count < 400; count++) {
    const tick = step()
    for (const group of groupsOf(store)) {
      const { ids } = newestFrame(group.history)!
      const old = before.get(group.id) ?? new Uint32Array(ids.length)
      ids.forEach((id, slot) => {
        const key = `${group.id}/${slot}`
        if (old[slot] !== 0 && id !== old[slot]) freedAt.set(key, tick)
        if (id === 0 || id === old[slot]) return
        if (!freedAt.has(key)) return
        expect((tick - freedAt.get(key)!) >>> 0).toBeGreaterThanOrEqual(64)
        reused++
      })
      before.set(group.id, ids.slice())
    }
  }
  expect(reused).toBeGreaterThan(20)
})

test('from every frame in reach a client gets to the newest, and is never told a wrong place of what left', () => {
  fc.assert(
    fc.property(fc.nat(), seed => {
      const { store, departures, step } = createChaos(seed, 0xffffffff - 200)
      const wrong: unknown[] = []
      for (let count = 0; count < 150; count++) {
        step()
        if (count % 15 !== 0) continue
        startRound(store)
        for (const group of groupsOf(store)) {
          const newest = newestFrame(group.history)!
          for (const base of [
            undefined,
            ...group.history.frames.filter(frame => baselineAt(group.history, frame.tick)),
          ]) {
            const decoded = frameOf(group.layout)
            const isDecoded = decodeSegment(
              bitReader(bytesOf(store, segmentFor(store, group, base))),
              group.layout,
              base,
              decoded,
              (doId, zone) => {
                // Those that are gone for long count as deleted, which a client mends when it sees them elsewhere.
                const departure = departures.get(`${group.id}/${base!.ids.indexOf(doId)}/${doId}`)
                if (zone !== undefined && zone !== departure) wrong.push([doId, zone, departure])
              },
            )
            if (!isDecoded || !isEqual(decoded.ids, newest.ids) || !isEqual(decoded.rows, newest.rows))
              wrong.push(['group', group.id, base?.tick])
          }
        }
      }
      expect(wrong).toEqual([])
    }),
    { numRuns: 6 },
  )
})

test('an empty zone that nobody sees is forgotten, one with an object or a viewer is not', () => {
  const store = createStore(file)
  const layout = store.layouts[0]!.interested
  const places = [1, 2, 3].map(id => addRow(store, zoneOf(store, id), layout, id, 1))
  removeRow(places[0]!, 2, undefined)
  removeRow(places[1]!, 2, undefined)
  const downlink = createDownlink()
  subscribe(downlink, store, zoneOf(store, 2))
  sweepZones(store, 3, () => false)
  expect([...store.zones.keys()], 'zone 1 goes, zone 2 is seen, zone 3 is lived in').toEqual([2, 3])
  endDownlink(downlink)
  sweepZones(store, 4, () => false)
  expect([...store.zones.keys()], 'who saw zone 2 has left').toEqual([3])
})
