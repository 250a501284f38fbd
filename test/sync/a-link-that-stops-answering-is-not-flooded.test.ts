import { expect, test } from 'vitest'
import { createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = 'dclass Avatar { string name required broadcast ram; uint32 count broadcast ram; };'

const stage = async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.05 } })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1)
  await worlds.settle(guest.client.interest.set([1]))
  const { Avatar } = worlds.schema.dclasses
  worlds.game = () => {
    Avatar.count[eid]++
  }
  worlds.run(60)
  const behind = () => Avatar.count[eid] - guest.schema.dclasses.Avatar.count[seenBy(worlds, guest, eid)]
  const sent = (seconds: number) => {
    const before = { ...worlds.network.stats.down }
    const up = worlds.network.stats.up.sent
    worlds.run(seconds * 60)
    return {
      down: (worlds.network.stats.down.sent - before.sent) / seconds,
      up: (worlds.network.stats.up.sent - up) / seconds,
    }
  }
  return { worlds, behind, sent }
}

test('the server probes instead of sending on, and is back within a second', async () => {
  const { worlds, behind, sent } = await stage()
  expect(sent(2).down, 'datagrams a second while all is well').toBeCloseTo(20, 0)
  worlds.network.conditions.up.loss = 1
  worlds.run(30)
  expect(sent(4).down, 'datagrams a second without acknowledgements').toBeLessThanOrEqual(6)
  worlds.network.conditions.up.loss = 0
  worlds.run(60)
  expect(behind(), 'ticks behind, a second after the link healed').toBeLessThan(8)
  expect(sent(2).down, 'and at full rate again').toBeCloseTo(20, 0)
  await worlds.end()
})

test('so does the client', async () => {
  const { worlds, sent } = await stage()
  expect(sent(2).up, 'datagrams a second while all is well').toBeCloseTo(30, 0)
  worlds.network.conditions.down.loss = 1
  worlds.run(30)
  expect(sent(4).up, 'datagrams a second without acknowledgements').toBeLessThanOrEqual(6)
  worlds.network.conditions.down.loss = 0
  worlds.run(60)
  expect(sent(2).up, 'and at full rate again').toBeCloseTo(30, 0)
  await worlds.end()
})

test('a narrow link is not filled up to the brim', async () => {
  const { worlds, behind } = await stage()
  Object.assign(worlds.network.conditions.down, { bandwidth: 300, queue: 100_000 })
  worlds.run(600)
  // At 300 bytes a second, 10 s of 20 datagrams of 25 bytes would leave 2,000 bytes in the queue: 200 ticks.
  expect(behind(), 'ticks behind').toBeLessThan(30)
  await worlds.end()
})
