import { hasComponent, query } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { random } from '../../src/net/random.ts'
import { turn } from '../../src/testing/worlds.ts'
import { ARENA, createChaos, projection, sorted, visible } from '../support/arena.ts'
import { createBreakable } from '../support/breakable.ts'
import { createWorlds } from '../support/worlds.ts'

test.each([1, 2, 3, 4])('after outages in a world where everything happens (seed %i)', async seed => {
  const chance = random(seed)
  // Odd seeds: outages so long that no baseline is left.
  const longest = seed % 2 === 1 ? 9 : 2
  const worlds = createWorlds(ARENA, {
    seed,
    server: { codec: seed < 3 ? 'range' : 'plain', whenOwnerLeaves: 'keep' },
  })
  const line = createBreakable(worlds.network, { loss: 0.05, jitter: 0.02 })
  const guest = worlds.addGuest({ transport: line.transport })
  await worlds.settle(guest.client.connect())
  const chaos = createChaos(worlds, seed)
  await worlds.settle(guest.client.interest.set([1, 2]))
  const id = guest.client.clientId
  worlds.game = chaos.step
  const pass = async (seconds: number) => {
    for (const end = worlds.now() + seconds; worlds.now() < end; await turn()) worlds.run(6)
  }
  let outages = 0
  guest.client.onSuspend(() => outages++)
  for (let round = 0; round < 3; round++) {
    await pass(1 + chance())
    line.isReachable = false
    if (round === 1) line.silence()
    else line.cut()
    await pass(0.3 + chance() * longest)
    // Zones that are asked for meanwhile, and left.
    guest.client.interest.set([1 + round, 2]).catch(() => {})
    line.isReachable = true
    for (let count = 0; guest.client.state !== 'connected'; count++, await turn()) {
      if (count > 600) throw new Error(`it is ${guest.client.state}`)
      worlds.run(2)
    }
  }
  await pass(1)
  worlds.game = () => {}
  await pass(4)
  expect([outages >= 2, guest.client.clientId]).toEqual([true, id])
  expect(sorted(visible(guest))).toEqual(sorted(projection(worlds, guest.client.interest.zones, id)))
  for (const eid of query(guest.world, [guest.schema.DistributedObject]))
    expect(hasComponent(guest.world, eid, Alive)).toBe(true)
  expect([guest.client.stats.desyncs, guest.client.stats.malformed, worlds.server.violations.malformed]).toEqual([
    0, 0, 0,
  ])
  await worlds.end()
})
