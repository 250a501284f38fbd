import { expect, test } from 'vitest'
import { queueReliable, queueUnreliable } from '../../src/net/outgoing.ts'
import { encodeZones } from '../../src/net/interest.ts'
import { encodeUnreliableMessage } from '../../src/net/message.ts'
import { writeRow } from '../../src/net/store.ts'
import { createDuo, type Duo } from './duo.ts'

/** One object fills a third of a datagram, and a group of its own. */
const FAT = `
keyword unreliable;
dclass Fat { ${Array.from({ length: 130 }, (_, index) => `uint32 f${index} broadcast;`).join(' ')} };
`

/** Groups in zones 1, 2, ... that change in every tick, over a budget that lets a fraction of them through. */
const stage = async (groups: number, most: number, weights: (zone: number) => number, dc = FAT) => {
  const zones = Array.from({ length: groups }, (_, index) => index + 1)
  const duo = await createDuo(dc, { rate: 20, most, zones })
  const places = zones.map(zone => duo.add(zone, zone))
  const ids = new Map(places.map(({ group }) => [group.id, group.zone.id]))
  duo.downlink.weigh = group => weights(group.zone.id)
  const row = new Uint32Array(places[0]!.group.layout.width)
  duo.change = tick => {
    for (let word = 2; word < row.length; word++) row[word] = Math.imul(tick * 131 + word, 0x9e3779b1) >>> 0
    for (const place of places) writeRow(place, row, 0, tick)
  }
  return { duo, ids }
}

/** How often each zone was served, and the most ticks between two times. */
const measure = (duo: Duo, ids: Map<number, number>, from: number) => {
  const served = new Map<number, { count: number; gap: number; last: number }>()
  for (const zone of ids.values()) served.set(zone, { count: 0, gap: 0, last: from })
  for (const { entries, tick } of duo.sent)
    for (const { group } of tick > from ? entries : []) {
      const each = served.get(ids.get(group)!)!
      each.gap = Math.max(each.gap, tick - each.last)
      each.last = tick
      each.count++
    }
  for (const each of served.values()) each.gap = Math.max(each.gap, duo.tick - each.last)
  return served
}

test('of equals each is served as often as any other', async () => {
  const { duo, ids } = await stage(12, 6000, () => 1)
  duo.run(100)
  const from = duo.tick
  duo.run(600)
  const served = [...measure(duo, ids, from).values()]
  const counts = served.map(({ count }) => count)
  expect(Math.min(...counts)).toBeGreaterThan(20)
  expect(Math.max(...counts) - Math.min(...counts), `served ${counts}`).toBeLessThanOrEqual(3)
  duo.end()
})

test('what is worth more is served more often, in proportion', async () => {
  const { duo, ids } = await stage(12, 6000, zone => (zone <= 3 ? 3 : 1))
  duo.run(100)
  const from = duo.tick
  duo.run(900)
  const served = measure(duo, ids, from)
  const sum = (zones: number[]) => zones.reduce((all, zone) => all + served.get(zone)!.count, 0) / zones.length
  const ratio = sum([1, 2, 3]) / sum([4, 5, 6, 7, 8, 9, 10, 11, 12])
  expect(ratio).toBeGreaterThan(2)
  expect(ratio).toBeLessThan(4)
  duo.end()
})

test.each([0, 5, 29, 60])('%i groups at rest take no room from the two that move', async resting => {
  const { duo, ids } = await stage(2 + resting, Infinity, () => 1)
  duo.downlink.weigh = undefined
  const places = [...duo.store.zones.values()].flatMap(({ groups }) => groups.map(group => ({ group, slot: 0 })))
  const row = new Uint32Array(places[0]!.group.layout.width)
  duo.change = tick => {
    for (let word = 2; word < 122; word++) row[word] = Math.imul(tick * 131 + word, 0x9e3779b1) >>> 0
    for (const place of places.slice(0, 2)) writeRow(place, row, 0, tick)
  }
  duo.run(100)
  const from = duo.tick
  const before = duo.sent.length
  duo.run(100)
  const served = measure(duo, ids, from)
  expect(Math.max(...duo.sent.slice(before).map(({ bytes }) => bytes)), 'a packet is all but full').toBeGreaterThan(
    1090,
  )
  expect([served.get(1)!.count, served.get(2)!.count, duo.sent.length - before]).toEqual([100, 100, 100])
  duo.end()
})

test.each([
  ['a billionth', 1e-9],
  ['a hundredth', 0.01],
  ['an eighth', 0.125],
  ['a half', 0.5],
])('even what is worth %s of the rest is served now and then', async (_, weight) => {
  const { duo, ids } = await stage(12, 6000, zone => (zone <= 2 ? weight : zone <= 4 ? weight * 3 : 1))
  duo.run(100)
  const from = duo.tick
  duo.run(1300)
  const served = measure(duo, ids, from)
  for (const [zone, { gap }] of served) expect(gap, `ticks without zone ${zone}`).toBeLessThan(600)
  duo.end()
})

test('nor does a weight that makes no sense shut anything out', async () => {
  const strange = [NaN, 0, -1, Infinity, 1e300, -Infinity, 1]
  const { duo, ids } = await stage(strange.length * 2, 6000, zone => strange[zone % strange.length]!)
  duo.run(2000)
  for (const [zone, { gap }] of measure(duo, ids, 1000)) expect(gap, `ticks without zone ${zone}`).toBeLessThan(1200)
  duo.end()
})

test('what only takes part in every eighth send gets its turn, whichever sends the budget lets through', async () => {
  // A budget whose packets fall on every 2nd or 8th send exactly, or on every 5th.
  for (const every of [2, 8, 5]) {
    const { duo, ids } = await stage(9, 1000, () => 0.1)
    Object.assign(duo.downlink.budget, { rate: Infinity, most: Infinity, least: Infinity })
    let turn = 0
    const { step } = duo
    duo.step = () => {
      turn++
      // A datagram's worth on some sends, nothing on the others.
      Object.assign(duo.downlink.budget, { tokens: turn % every === 0 ? 1150 : 0, time: -Infinity })
      step()
    }
    duo.run(1200)
    for (const [zone, { gap }] of measure(duo, ids, duo.tick - 800))
      expect(gap, `ticks without zone ${zone}, a packet every ${every} sends`).toBeLessThan(400)
    duo.end()
  }
})

test('a large group gets through among many small ones, and with messages in every packet', async () => {
  const duo = await createDuo(`dclass Small { uint8 a broadcast; }; ${FAT}`, { rate: 20, most: 4000, zones: [1, 2] })
  const large = duo.add(1, 1, 1)
  const small = Array.from({ length: 1500 }, (_, index) => duo.add(2, index + 2))
  const row = new Uint32Array(large.group.layout.width)
  duo.change = tick => {
    for (let word = 2; word < row.length; word++) row[word] = Math.imul(tick * 131 + word, 0x9e3779b1) >>> 0
    writeRow(large, row, 0, tick)
    for (const place of small) writeRow(place, Uint32Array.of(0, 0, tick & 255), 0, tick)
    if (duo.downlink.sender.queue.length < 4)
      queueReliable(
        duo.downlink,
        encodeZones(
          1000,
          Array.from({ length: 250 }, (_, zone) => (zone % 2) + 1),
        ),
      )
    queueUnreliable(duo.downlink, encodeUnreliableMessage({ doId: 5000, field: 0, packed: new Uint8Array(5) }))
  }
  duo.run(100)
  const from = duo.tick
  duo.run(600)
  const ids = new Map([large, ...small].map(({ group }) => [group.id, group.id]))
  for (const [id, { gap }] of measure(duo, ids, from)) expect(gap, `ticks without group ${id}`).toBeLessThan(200)
  duo.end()
})

test('what is worth a half, a quarter, an eighth goes out every 2nd, 4th, 8th time when there is room for all', async () => {
  const { duo, ids } = await stage(4, Infinity, zone => 2 ** (1 - zone), 'dclass Thin { uint32 a broadcast; };')
  duo.run(40)
  const from = duo.tick
  duo.run(160)
  const served = measure(duo, ids, from)
  expect([...served].map(([zone, { count, gap }]) => [zone, count, gap])).toEqual([
    [1, 160, 1],
    [2, 80, 2],
    [3, 40, 4],
    [4, 20, 8],
  ])
  duo.end()
})
