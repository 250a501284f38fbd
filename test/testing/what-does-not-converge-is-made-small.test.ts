import { expect, test } from 'vitest'
import type { ClientTransport } from 'bitecs-pipes/client'
import {
  converge,
  createDice,
  createScenario,
  explain,
  play,
  prepareGame,
  shrink,
  type ClientSide,
  type Game,
  type Outcome,
} from 'bitecs-pipes/testing'

const DC = `
keyword interp_linear;
dclass Crate { int16/100 x broadcast ownsend interp_linear; uint8 open broadcast; string(0-9) label broadcast; };
`

/** The message of a promise that rejects. */
const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => '',
    (error: Error) => error.message,
  )

/** A client that loses what it knew of a crate: as if the effect of the last segment had been dropped. */
const forget = ({ client, schema }: ClientSide): void => {
  for (let doId = 1; doId < 40; doId++) {
    const eid = client.entityOf(doId)
    if (eid !== 0 && schema.dclasses.Crate.open[eid] > 0) schema.dclasses.Crate.open[eid]--
  }
}

const forgetful: Game = { schema: DC, bots: { forget } }

test('a client that loses an update is found, and what led to it made small', async () => {
  const text = await messageOf(
    converge(forgetful, { seeds: 50, weights: { bot: 3 }, command: seed => `npm test -- --seed ${seed}` }),
  )
  expect(text).toMatch(/^Seed \d+ fails \(difference\):/)
  expect(text).toMatch(/Crate\.open is \d+, the server has \d+/)
  expect(text).toMatch(/became 1 client, [2-4] events, \d+ ticks?\./)
  expect(text).toMatch(/link down: perfect; up: perfect/)
  expect(text).toMatch(/spawns #\d+, Crate/)
  expect(text).toMatch(/bot forget/)
  expect(text).toMatch(/Again: npm test -- --seed \d+$/)
})

/** Flips one bit in some of the datagrams that carry more than a header. */
const corrupting = (transport: ClientTransport, index: number): ClientTransport => ({
  async connect() {
    const connection = await transport.connect()
    const dice = createDice(index + 1)
    return {
      address: connection.address,
      authorization: connection.authorization,
      send: packet => connection.send(packet),
      close: () => connection.close(),
      set onPacket(handler: (packet: Uint8Array) => void) {
        connection.onPacket = packet => {
          const at = packet.length - 1 - dice.below(8)
          if (packet.length > 40 && dice.chance(0.2)) packet[at]! ^= 1 << dice.below(8)
          handler(packet)
        }
      },
      set onClose(handler: () => void) {
        connection.onClose = handler
      },
    }
  },
})

test('datagrams that were changed on the way are noticed', async () => {
  const text = await messageOf(converge({ schema: DC, tap: corrupting }, { seeds: 40, shrink: { runs: 5 } }))
  expect(text).toMatch(/^Seed \d+ fails \((difference|protocol|session|error)\):/)
})

test('what game code throws fails the seed, with its place', async () => {
  const rules = {
    stumble() {
      throw new Error('over a stone')
    },
  }
  const text = await messageOf(converge({ schema: DC, rules }, { seeds: 20 }))
  expect(text).toMatch(/fails \(error\):\n {2}Error: over a stone\n.*stumble/)
  expect(text).toMatch(/became 0 clients, 1 event, 1 tick\./)
})

test('a session that ends by itself fails the seed', async () => {
  const rules = {
    kick({ server }: { server: { clients: ReadonlyMap<number, any>; kick(client: any): void } }) {
      for (const client of server.clients.values()) server.kick(client)
    },
  }
  const text = await messageOf(converge({ schema: DC, rules }, { seeds: 20, shrink: { runs: 30 } }))
  expect(text).toMatch(/fails \(session\):\n {2}client \d is closed: kicked/)
})

test('an object that is hidden from a client and seen all the same fails the seed', async () => {
  const game: Game = {
    schema: DC,
    isVisible: (side, eid, _, byZone) => byZone && side.schema.dclasses.Crate.open[eid] < 200,
  }
  expect(await messageOf(converge(game, { seeds: 50, patience: 5 }))).toMatch(/should not be here/)
})

test('a shrunk scenario fails by itself, in the same way', async () => {
  const prepared = prepareGame(forgetful)
  let scenario = createScenario(1, prepared.cast)
  let failed: Outcome | undefined
  for (let seed = 1; !failed?.failure; seed++) {
    scenario = createScenario(seed, prepared.cast)
    failed = await play(prepared, scenario)
  }
  const small = await shrink(prepared, scenario, failed, { runs: 150 })
  expect(small.scenario.events.length).toBeLessThan(scenario.events.length / 4)
  const again = await play(prepared, JSON.parse(JSON.stringify(small.scenario)))
  expect(again.failure).toEqual(small.outcome.failure)
  expect(again.failure?.kind).toBe('difference')
  // One run is all that it takes to say so when there is no more time.
  const { runs, text } = await explain(prepared, scenario, failed, { shrink: { runs: 0 } })
  expect(runs).toBe(1)
  expect(text).toMatch(/Again: await converge\(game, \{ first: \d+, seeds: 1 \}\)/)
})
