import { addComponent, addEntity, query, removeEntity, set } from 'bitecs'
import { expect, test } from 'vitest'
import { createSchema } from 'bitecs-pipes'
import { Owned } from 'bitecs-pipes/client'
import { converge, measure, type Game } from 'bitecs-pipes/testing'
import { MENAGERIE } from '../support/menagerie.ts'

const DC = `
keyword interp_linear;
dclass Ship {
  string(1-16) pilot broadcast ram;
  int16/10 x broadcast ram ownsend interp_linear;
  uint8(0-100) hull = 100 broadcast ram;
  uint16 cargo ownrecv;
  hail(string(1-40) text) ownsend;
  hailed(string(1-40) text) broadcast;
};
dclass Rock { int16 x broadcast; uint8(1-9) size = 3 broadcast; };
`

test('all that a game has to give is its schema', async () => {
  const report = await converge({ schema: DC }, { seeds: 10 })
  expect(report).toMatchObject({ seeds: 10 })
  expect(report.objects).toBeGreaterThan(10)
  expect(report.datagrams).toBeGreaterThan(1000)
})

test('a game brings its own systems, spawns, rules and bots', async () => {
  const [SPACE, DOCK, SECRET] = [1, 2, 3]
  // The game's systems import these components: every world of the test uses them.
  const schema = createSchema<any>(DC, { capacity: 400 })
  const { Ship, Rock } = schema.dclasses
  const counts = { joined: 0, spawned: 0, shots: 0, flights: 0, hails: 0, ticks: 0, refused: 0 }
  const game: Game = {
    schema,
    server: {
      tickRate: 20,
      allowZone(_client, zone) {
        if (zone === SECRET) counts.refused++
        return zone !== SECRET
      },
    },
    hello: index => ({ name: `pilot ${index}` }),
    start({ world, server }) {
      server.onJoin(client => {
        const ship = addEntity(world)
        addComponent(world, ship, set(Ship, { pilot: (client.data as { name: string }).name, x: 5 }))
        server.place(ship, DOCK, client)
      })
      server.on(Ship.hail, (eid, { text }: { text: string }) => {
        counts.hails++
        server.sendUpdate(eid, Ship.hailed, { text })
      })
    },
    joined({ client }) {
      counts.joined++
      void client.interest.add([SPACE, SECRET])
    },
    tick({ world }) {
      counts.ticks++
      for (const eid of query(world, [Rock])) if (Rock.x[eid] > -100) Rock.x[eid]--
    },
    spawn: {
      rock({ world, server }, dice) {
        counts.spawned++
        const rock = addEntity(world)
        addComponent(world, rock, set(Rock, { x: dice.whole(0, 500), size: dice.whole(1, 9) }))
        server.place(rock, SPACE)
        return rock
      },
    },
    rules: {
      shoot({ world, server }, dice) {
        for (const eid of query(world, [Ship])) {
          if (!dice.chance(0.3)) continue
          counts.shots++
          Ship.hull[eid] = Math.max(0, Ship.hull[eid] - dice.below(40))
          Ship.cargo[eid] = dice.below(1000)
          if (Ship.hull[eid] === 0) removeEntity(world, eid)
          else server.place(eid, dice.pick([SPACE, DOCK, SECRET]))
        }
      },
    },
    bots: {
      fly({ world, client }, dice) {
        for (const eid of query(world, [Ship, Owned])) {
          counts.flights++
          Ship.x[eid] = Math.min(3000, Math.max(-3000, Ship.x[eid] + dice.between(-3, 3)))
          if (dice.chance(0.1)) client.sendUpdate(eid, Ship.hail, { text: 'ahoy' })
        }
      },
    },
    // The game decides by itself what these hold.
    isWritten: field => field !== 'Ship.pilot' && field !== 'Ship.hull',
    isSent: message => message !== 'Ship.hail',
  }
  await converge(game, { seeds: 40, zones: [SPACE, DOCK], weights: { bot: 30, rule: 20 }, clients: 3 })
  expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([])
})

test('what does not happen in a game is left out', async () => {
  const kinds = new Set<string>()
  await converge(
    { schema: DC, tap: transport => (kinds.add('joined'), transport) },
    {
      seeds: 5,
      weights: { leave: 0, rejoin: 0, stall: 0, own: 0 },
      onSeed: (seed, { ticks }) => kinds.add(`${seed}: ${ticks > 0}`),
    },
  )
  expect(kinds.size).toBe(6)
})

test('a game has a budget', async () => {
  const game = { schema: DC }
  const options = { clients: 3, seconds: 3, objects: 12 }
  const costs = await measure(game, options)
  expect(costs.bytesDown).toBeGreaterThan(200)
  expect(costs.bytesDown).toBeLessThan(20_000)
  expect(costs.datagramsDown).toBeGreaterThan(15)
  expect(costs.datagramsUp).toBeGreaterThan(15)
  expect(costs.tick.mean).toBeGreaterThan(0)
  expect(costs.tick.p99).toBeGreaterThanOrEqual(costs.tick.p50)
  const { bytesDown, bytesUp } = await measure(game, options)
  expect([bytesDown, bytesUp], 'bytes are the same each time').toEqual([costs.bytesDown, costs.bytesUp])
  const busier = await measure(game, { ...options, writes: 10 })
  expect(busier.bytesDown).toBeGreaterThan(costs.bytesDown * 2)
})

test('a game that does not converge has no costs', async () => {
  const bots: Game['bots'] = {
    cheat({ world, schema }) {
      for (const eid of query(world, [schema.dclasses.Rock])) schema.dclasses.Rock.size[eid] = 9
    },
  }
  await expect(measure({ schema: DC, bots }, { clients: 1, seconds: 1 })).rejects.toThrow(/Rock\.size is 9/)
})

test('worlds may share a schema, as in a listen server', async () => {
  await converge({ schema: createSchema(MENAGERIE, { capacity: 2000 }) }, { seeds: 40 })
})
