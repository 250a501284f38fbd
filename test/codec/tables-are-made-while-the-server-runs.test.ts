import { expect, test } from 'vitest'
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
  expect(worlds.server.codecTables!.length).toBeLessThanOrEqual(4096)
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
