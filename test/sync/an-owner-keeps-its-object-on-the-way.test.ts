import { observe, onRemove, removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { random } from '../../src/net/random.ts'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
dclass Avatar { string name required broadcast ram; uint32 steps broadcast ram; uint32 noise broadcast ram; uint32 more broadcast ram; };
`

/** Two zones so full of what nobody can foretell that they take many packets, on a small budget. */
const stage = async (seed: number, conditions: object, server: object = {}) => {
  const worlds = createWorlds(DC, { seed, conditions, server: { maxBytesPerSecond: 20_000, ...server } })
  const chance = random(seed)
  const { Avatar } = worlds.schema.dclasses
  const crowd = [1, 2].flatMap(zone => Array.from({ length: 150 }, () => spawn(worlds, 'Avatar', { name: 'c' }, zone)))
  worlds.game = () => {
    for (const eid of crowd) {
      Avatar.noise[eid] = chance() * 2 ** 32
      Avatar.more[eid] = chance() * 2 ** 32
    }
  }
  const guest = await worlds.join()
  const mine = spawn(worlds, 'Avatar', { name: 'mine' }, 1, clientOf(worlds, guest))
  worlds.until(() => seenBy(worlds, guest, mine) !== 0, 'the own avatar is here')
  worlds.run(120)
  const before = seenBy(worlds, guest, mine)
  const removed: number[] = []
  observe(guest.world, onRemove(guest.schema.dclasses.Avatar), eid => removed.push(eid))
  return { worlds, guest, mine, before, removed }
}

test.each([1, 2, 3])(
  'one’s own avatar is the same entity in the next zone, however full that is (seed %i)',
  async seed => {
    const { worlds, guest, mine, before, removed } = await stage(seed, { lag: 0.05, jitter: 0.02, loss: 0.1 })
    for (const zone of [2, 1, 2]) {
      // Who owns nothing else there sees each zone only as long as it is in it.
      worlds.server.place(mine, zone)
      worlds.schema.dclasses.Avatar.steps[mine]++
      worlds.until(() => guest.schema.DistributedObject.zone[before] === zone, `it is in zone ${zone}`, 10)
      worlds.until(
        () => guest.schema.dclasses.Avatar.steps[before] === worlds.schema.dclasses.Avatar.steps[mine],
        'all of it',
        10,
      )
    }
    expect(removed).not.toContain(before)
    expect(seenBy(worlds, guest, mine)).toBe(before)
    expect(removed.length, 'the others of the zones that it left went').toBeGreaterThan(100)
    await worlds.end()
  },
)

test('an own avatar that is removed goes at once', async () => {
  const { worlds, guest, mine, before, removed } = await stage(1, { lag: 0.05 })
  worlds.server.place(mine, 2)
  worlds.until(() => guest.schema.DistributedObject.zone[before] === 2, 'it is in zone 2', 10)
  worlds.game = () => {}
  worlds.run(120)
  removeEntity(worlds.world, mine)
  worlds.run(20)
  expect(removed, 'no ghost waits for a zone that it might be in').toContain(before)
  expect(seenBy(worlds, guest, mine)).toBe(0)
  await worlds.end()
})
