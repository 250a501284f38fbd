import { query } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, spawn, type Worlds } from '../support/worlds.ts'

const DC = `
keyword unreliable;
struct Vec3 { int16/100 x; int16/100 y; int16/100 z; };
dclass Node { Vec3 position broadcast ram ownsend; };
dclass Avatar : Node {
  string name required broadcast ram;
  uint8(0-100) health = 100 broadcast ram;
  effect(blob bytes) broadcast unreliable;
  news(string text) broadcast;
};
`
/** What one datagram of a browser carries unfragmented. */
const MAX_DATAGRAM = 1150

const watch = (worlds: Worlds) => {
  const seen = { largest: 0, packets: 0, bytes: 0 }
  worlds.network.tap = (direction, packet) => {
    seen.largest = Math.max(seen.largest, packet.length)
    if (direction === 'up') return
    seen.packets++
    seen.bytes += packet.length
  }
  return seen
}

test('a newcomer joins 300 objects with long names in a few seconds, datagram by datagram', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, jitter: 0.01, loss: 0.02 } })
  const seen = watch(worlds)
  for (let count = 0; count < 300; count++)
    spawn(worlds, 'Avatar', { name: `${count} ${'long name '.repeat(12)}`, position: { x: count % 90, y: 1, z: 2 } }, 1)
  worlds.run(60)
  const guest = await worlds.join()
  const start = worlds.now()
  await worlds.settle(guest.client.interest.set([1]), 30)
  const { Avatar } = guest.schema.dclasses
  const here = query(guest.world, [Avatar, Alive])
  expect(here.length, 'all of them are there').toBe(300)
  expect(
    [...here].every(eid => Avatar.name[eid].length > 120),
    'with their names',
  ).toBe(true)
  expect(seen.largest, 'no datagram is too large').toBeLessThanOrEqual(MAX_DATAGRAM)
  expect(seen.largest, 'but they are well filled').toBeGreaterThan(900)
  // 300 names of 125 bytes are 40 KB: 2 s at 20 datagrams a second of 1 KB.
  expect(worlds.now() - start, 'seconds to join').toBeLessThan(5)
  expect(seen.bytes, 'bytes to join, without much sent twice').toBeLessThan(80_000)
  await worlds.end()
})

test('no mix of messages and state makes a datagram too large', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, loss: 0.1 } })
  const seen = watch(worlds)
  const guest = await worlds.join()
  const eids = Array.from({ length: 400 }, (_, count) =>
    spawn(worlds, 'Avatar', { name: `${count}` }, 1 + (count % 40)),
  )
  await worlds.settle(guest.client.interest.set(Array.from({ length: 40 }, (_, index) => index + 1)))
  const { Avatar, Node } = worlds.schema.dclasses
  let step = 0
  worlds.game = () => {
    step++
    for (const eid of eids) Node.position.x[eid] = ((eid * 31 + step * 17) % 600) / 2 - 150
    // Every size goes by, so that every amount of room is left over once.
    worlds.server.sendUpdate(eids[0]!, Avatar.effect, { bytes: new Uint8Array((step * 7) % 1117) })
    worlds.server.sendUpdate(eids[1]!, Avatar.effect, { bytes: new Uint8Array(step % 100) })
    if (step % 3 === 0) worlds.server.sendUpdate(eids[2]!, Avatar.news, { text: 'n'.repeat((step * 13) % 1000) })
  }
  worlds.run(1200)
  expect(seen.largest, 'the largest datagram').toBeLessThanOrEqual(MAX_DATAGRAM)
  expect(guest.client.stats.malformed, 'and all of them were understood').toBe(0)
  worlds.game = () => {}
  worlds.run(180)
  const { position } = guest.schema.dclasses.Node
  const wrong = eids.filter(eid => {
    const at = guest.client.entityOf(worlds.schema.DistributedObject.doId[eid]!)
    return position.x[at] !== Node.position.x[eid]
  })
  expect(wrong, 'and every object is where it should be').toEqual([])
  await worlds.end()
})

test('a world at rest costs next to nothing', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, jitter: 0.01, loss: 0.02 } })
  for (let count = 0; count < 200; count++) spawn(worlds, 'Avatar', { name: `resting ${count}` }, 1)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(60)
  const seen = watch(worlds)
  worlds.run(600)
  expect(seen.packets / 10, 'datagrams a second').toBeCloseTo(20, 0)
  expect(seen.bytes / 10, 'bytes a second: headers and nothing else').toBeLessThan(450)
  await worlds.end()
})

test('nor does an owner send what it does not change', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, jitter: 0.01, loss: 0.02 } })
  const guest = await worlds.join()
  for (let count = 0; count < 50; count++) spawn(worlds, 'Avatar', { name: 'mine' }, 1, clientOf(worlds, guest))
  worlds.run(60)
  const { position } = guest.schema.dclasses.Node
  const perSecond = (seconds: number) => {
    const before = worlds.network.stats.up.bytes
    worlds.run(seconds * 60)
    return (worlds.network.stats.up.bytes - before) / seconds
  }
  expect(perSecond(10), 'bytes a second at rest: 30 headers').toBeLessThan(650)
  guest.play = () => {
    position.x[guest.client.entityOf(1)] += 0.02
  }
  expect(perSecond(10), 'bytes a second while one of fifty moves').toBeLessThan(1300)
  await worlds.end()
})

test('one object that moves costs one object, not its whole zone', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05 } })
  const eids = Array.from({ length: 200 }, (_, count) => spawn(worlds, 'Avatar', { name: `resting ${count}` }, 1))
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const { position } = worlds.schema.dclasses.Node
  worlds.game = () => {
    position.x[eids[0]!] += 0.05
  }
  worlds.run(60)
  const seen = watch(worlds)
  worlds.run(600)
  expect(seen.bytes / 10, 'bytes a second').toBeLessThan(1200)
  expect(clientOf(worlds, guest).stats.bytesOutPerSecond, 'as the statistics say').toBeCloseTo(seen.bytes / 10, -2)
  await worlds.end()
})

test('a string that changes again and again is sent as the link allows, the newest at last', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05, loss: 0.1 } })
  const eid = spawn(worlds, 'Avatar', { name: 'first' }, 1)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const { Avatar } = worlds.schema.dclasses
  let step = 0
  worlds.game = () => {
    Avatar.name[eid] = `${step++} ${'x'.repeat(3000)}`
  }
  // Ten times what the link carries.
  worlds.run(300)
  worlds.game = () => {
    Avatar.name[eid] = 'last'
  }
  worlds.until(
    () =>
      guest.schema.dclasses.Avatar.name[guest.client.entityOf(worlds.schema.DistributedObject.doId[eid]!)] === 'last',
    'the newest name',
    5,
  )
  await worlds.end()
})
