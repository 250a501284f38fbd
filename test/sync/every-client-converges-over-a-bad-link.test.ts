import { query } from 'bitecs'
import { expect, test } from 'vitest'
import { Owned } from 'bitecs-pipes/client'
import { ARENA, createChaos, projection, sorted, visible } from '../support/arena.ts'
import { random } from '../../src/net/random.ts'
import { createWorlds } from '../support/worlds.ts'

const SEEDS = Number(process.env.SEEDS ?? 100)
const FIRST = Number(process.env.SEED ?? 1)

const live = async (seed: number) => {
  const chance = random(seed * 7919)
  let isPlaying = true
  const worlds = createWorlds(ARENA, {
    seed,
    conditions: { loss: 0.1, lag: 0.1, jitter: 0.05, reorder: 0.1, duplicate: 0.1 },
    // Some seeds live through the wrap of the tick counter.
    server: seed % 4 === 0 ? { firstTick: 0xffffffff - 60 } : {},
  })
  const chaos = createChaos(worlds, seed)
  for (let count = 0; count < 12; count++) chaos.spawn()
  worlds.game = chaos.step
  for (let guest = 0; guest < 3; guest++) {
    const joined = await worlds.join({ name: `g${guest}` })
    const { client } = joined
    joined.play = () => {
      // Each player moves what it owns, while the server's own writes overrule it now and then.
      const { Avatar, Node } = joined.schema.dclasses
      if (!isPlaying || chance() < 0.5) return
      for (const eid of query(joined.world, [Node, Owned])) Node.position.y[eid] = chance() * 600 - 300
      for (const eid of query(joined.world, [Avatar, Owned])) {
        Avatar.heading[eid] = chance() * 720
        if (chance() < 0.05) Avatar.motto[eid] = `owner ${Math.floor(chance() * 1000)}`
        if (chance() < 0.2) Avatar.aim[eid] = Math.floor(chance() * 60000)
      }
    }
    client.interest.set([1, 2, 3].slice(0, 1 + Math.floor(chance() * 3))).catch(() => {})
    worlds.run(Math.floor(chance() * 40))
  }
  for (let phase = 0; phase < 3; phase++) {
    worlds.run(30)
    const { client } = worlds.guests[Math.floor(chance() * worlds.guests.length)]!
    client.interest.set([1 + Math.floor(chance() * 4), 1 + Math.floor(chance() * 4)]).catch(() => {})
  }
  if (chance() < 0.3) worlds.guests.pop()!.client.disconnect()
  worlds.run(20)
  worlds.game = () => {}
  isPlaying = false
  // Quiet: long enough for resends, the playout to come to rest, and an interest change to be followed.
  worlds.run(240)
  return worlds
}

test(
  `after quiet, what each client sees equals the server's world (${SEEDS} seeds)`,
  async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const worlds = await live(seed)
      for (const guest of worlds.guests) {
        const { client } = guest
        expect(sorted(visible(guest)), `seed ${seed}, client ${client.clientId}`).toEqual(
          sorted(projection(worlds, client.interest.zones, client.clientId)),
        )
        expect(client.stats.malformed, `seed ${seed}: malformed packets`).toBe(0)
      }
      expect(worlds.server.violations, `seed ${seed}: violations`).toEqual({
        malformed: 0,
        forbidden: 0,
        outOfRange: 0,
        flooded: 0,
      })
      await worlds.end()
    }
  },
  Math.max(120_000, SEEDS * 1000),
)
