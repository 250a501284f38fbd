import { expect, test } from 'vitest'
import { readBytes, readU16, readU8, readVarint } from '../../src/net/bytes.ts'
import { buildPacket, confirmTables, createDownlink, subscribe } from '../../src/net/downlink.ts'
import { Chunk, openPacket, readHeader } from '../../src/net/packet.ts'
import { addRow, createStore, startRound, writeRow, zoneOf } from '../../src/net/store.ts'
import { readDC } from '../net/support.ts'
import { createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
keyword interp_linear;
dclass Walker {
  int32/100 x broadcast interp_linear;
  int32/100 y broadcast interp_linear;
  uint8(0-100) health = 100 broadcast;
};
`
const COUNT = 60

const stage = (codecTables?: Uint8Array) => {
  const worlds = createWorlds(DC, {
    conditions: { lag: 0.03, jitter: 0.01, loss: 0.01 },
    server: { tickRate: 30, ...(codecTables && { codecTables }) },
  })
  const { Walker } = worlds.schema.dclasses
  const eids = Array.from({ length: COUNT }, (_, index) => spawn(worlds, 'Walker', { x: index * 10, y: index }, 1))
  const speeds = eids.map((_, index) => ({ x: Math.cos(index) * 3, y: Math.sin(index) * 3 }))
  let tick = 0
  worlds.game = () => {
    tick++
    eids.forEach((eid, index) => {
      // They turn now and then, each in its own time.
      if ((tick + index * 7) % 40 === 0)
        speeds[index] = { x: Math.cos(tick * index) * 3, y: Math.sin(tick * index) * 3 }
      Walker.x[eid] += speeds[index]!.x / 30
      Walker.y[eid] += speeds[index]!.y / 30
    })
  }
  return { worlds, eids, Walker }
}

const isAsServed = ({ worlds, eids, Walker }: ReturnType<typeof stage>, guest: any): boolean => {
  worlds.game = () => {}
  worlds.run(240)
  const { Walker: Theirs } = guest.schema.dclasses
  return eids.every(eid => {
    const mine = seenBy(worlds, guest, eid)
    return (
      Math.round(Theirs.x[mine] * 100) === Math.floor(Walker.x[eid] * 100 + 0.5) &&
      Math.round(Theirs.y[mine] * 100) === Math.floor(Walker.y[eid] * 100 + 0.5)
    )
  })
}

test('they reach clients that are here and clients that come later, and serve the next run from its start', async () => {
  const first = stage()
  const { worlds } = first
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  expect(worlds.server.codecTables).toBeUndefined()
  const bytesOf = (frames: number) => {
    const before = guest.client.stats.bytesIn
    worlds.run(frames)
    return guest.client.stats.bytesIn - before
  }
  const untrained = bytesOf(180)
  worlds.until(() => worlds.server.codecTables !== undefined, 'tables are made', 60)
  const tables = worlds.server.codecTables!
  expect(tables.length).toBeLessThanOrEqual(4096 + 16)
  expect(worlds.server.codecTables, 'the same while there are no newer ones').toBe(tables)
  const { length } = structuredClone(tables, { transfer: [tables.buffer] })
  expect(worlds.server.codecTables!.length, 'whole, though a worker was given the last ones').toBe(length)
  worlds.run(120)
  const trained = bytesOf(180)
  expect(trained, 'bytes of three seconds, of before').toBeLessThan(untrained * 0.95)
  const late = await worlds.join()
  await worlds.settle(late.client.interest.set([1]))
  worlds.run(120)
  expect(isAsServed(first, guest)).toBe(true)
  expect(isAsServed(first, late)).toBe(true)
  for (const { client } of [guest, late]) expect([client.stats.malformed, client.stats.desyncs]).toEqual([0, 0])

  const second = stage(worlds.server.codecTables)
  expect(second.worlds.server.codecTables).toEqual(worlds.server.codecTables)
  const heir = await second.worlds.join()
  await second.worlds.settle(heir.client.interest.set([1]))
  second.worlds.run(60)
  expect(isAsServed(second, heir)).toBe(true)
  await worlds.end()
  await second.worlds.end()
})

test('tables of another schema are refused where they are given', async () => {
  const first = stage()
  const guest = await first.worlds.join()
  await first.worlds.settle(guest.client.interest.set([1]))
  first.worlds.until(() => first.worlds.server.codecTables !== undefined, 'tables are made', 60)
  const { codecTables } = first.worlds.server
  expect(() =>
    createWorlds('dclass Other { uint8 a broadcast; uint16/10 b broadcast; };', {
      server: { codecTables: codecTables! },
    }),
  ).toThrow(/another schema/)
  await first.worlds.end()
})

test('a client whose tables the server has forgotten is written to, and told so, with the built-in ones', () => {
  const store = createStore(readDC(DC))
  const kept = [1, 2, 3]
  const written: number[] = []
  const codec = {
    ...store.codec,
    generation: 3,
    usesBefore: true,
    tablesOf: (generation: number) => (kept.includes(generation) ? Uint8Array.of(generation) : undefined),
    encode: (...args: Parameters<typeof store.codec.encode>) => {
      written.push(args[8])
      return store.codec.encode(...args)
    },
  }
  const tabled = { ...store, codec }
  const downlink = createDownlink()
  subscribe(downlink, tabled, zoneOf(tabled, 1))
  const place = addRow(tabled, zoneOf(tabled, 1), tabled.layouts[0]!.interested, 1, 1)
  confirmTables(downlink, tabled, 1)
  let tick = 1
  const send = () => {
    writeRow(place, Uint32Array.of(0, 0, tick, 0, 0), 0, tick)
    startRound(tabled)
    const packet = buildPacket(downlink, tabled, tick, tick / 30, 1 / 30, tick, 30)!
    tick++
    return packet
  }
  send()
  expect([written, downlink.tables]).toEqual([[1], 1])
  // Three newer ones were made, of which the client has not said yet that it has them.
  kept.splice(0, 3, 2, 3, 4)
  codec.generation = 4
  const packet = send()
  expect([written, downlink.tables]).toEqual([[1, 0], 0])
  const { reader } = openPacket(packet)
  readHeader(reader)
  // Tables, on their way as a fragment, then state: its first byte names them.
  while (readU8(reader) === Chunk.fragment) {
    readU16(reader)
    readU8(reader)
    readBytes(reader, readVarint(reader))
  }
  expect(reader.bytes[reader.position]).toBe(0)
  confirmTables(downlink, tabled, 1)
  expect(downlink.tables, 'an answer to those that are forgotten').toBe(0)
})
