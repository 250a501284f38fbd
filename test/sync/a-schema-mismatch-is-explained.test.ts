import { createWorld } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient, type ConnectError } from 'bitecs-pipes/client'
import type { Refused } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
// Loaded before it is needed, so that no time of the virtual network is lost in waiting for it.
import '../../src/systems/client-inquiry.ts'
import { Kind } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import { createImpostor } from '../support/impostor.ts'
import { createWorlds, type Worlds, type WorldsOptions } from '../support/worlds.ts'

const BASE = `
struct Vec2 { int16/10 x; int16/10 y; };
dclass Avatar { Vec2 position broadcast; uint8 health = 100 broadcast; };
dclass Chest { uint16 gold broadcast; };
`
const versioned = (version: number, text = BASE) => `typedef uint16 SchemaVersion = ${version};${text}`

/** A guest with a schema of its own, which the frames drive as any other. */
const addStranger = (worlds: Worlds, dc: string) => {
  const world = createWorld()
  const schema = createSchema<any>(dc)
  const client = createClient(world, schema, { transport: worlds.network.client(), now: worlds.now })
  worlds.guests.push({ world, schema, client, play: () => {}, isHidden: false })
  return client
}

const meet = async (server: string, client: string, options: WorldsOptions = {}) => {
  const worlds = createWorlds(server, options)
  const refused: Refused[] = []
  worlds.server.onRefused(each => refused.push(each))
  const stranger = addStranger(worlds, client)
  const error = (await worlds.settle(stranger.connect().catch((error: ConnectError) => error))) as ConnectError
  const seconds = worlds.now()
  worlds.until(() => refused.length > 0, 'the server was told')
  return { worlds, stranger, error, refused, seconds }
}

test('client and server learn what differs and who is older', async () => {
  const { worlds, stranger, error, refused, seconds } = await meet(
    versioned(4, `${BASE.replace('uint8 health', 'uint16 health')} dclass Bag { };`),
    versioned(3),
  )
  expect([error.name, error.reason, stranger.state]).toEqual(['ConnectError', 'schema', 'closed'])
  expect(error.message).toBe(
    'The schema differs from the server\'s: class Bag missing here; Avatar.health is "uint8 health = 100 broadcast" here, ' +
      '"uint16 health = 100 broadcast" at the server; this client is older (3 < 4): both must be built from the same .dc file.',
  )
  expect(error.schema).toMatchObject({
    here: { version: 3 },
    there: { version: 4, hash: worlds.schema.hash, structureHash: worlds.schema.file.structureHash },
    older: 'here',
    isComplete: true,
    differences: [
      { class: 'Bag', there: 'dclass Bag' },
      {
        class: 'Avatar',
        field: 'health',
        here: 'uint8 health = 100 broadcast',
        there: 'uint16 health = 100 broadcast',
      },
    ],
  })
  expect(seconds, 'at once').toBeLessThan(0.5)
  expect(refused).toMatchObject([
    {
      reason: 'schema',
      message: expect.stringMatching(
        /^A client has another schema: .*Avatar.health.*; the client is older \(3 < 4\)\.$/,
      ),
      schema: { older: 'there', isComplete: true },
    },
  ])
  expect(refused[0]!.schema!.differences.length).toBe(2)
  await worlds.end()
})

test("what Panda3D's hash does not see keeps a client out, too", async () => {
  const { worlds, error } = await meet(BASE, BASE.replace('int16/10 x; int16/10 y;', 'int16/10 y; int16/10 x;'))
  expect(error.schema!.here.hash).toBe(error.schema!.there.hash)
  expect(error.schema!.differences).toEqual([{ class: 'Vec2', isReordered: true }])
  expect(error.schema!.older).toBeUndefined()
  await worlds.end()
})

test('another version of the same schema is let in', async () => {
  const worlds = createWorlds(versioned(4))
  const stranger = addStranger(worlds, `/* older, and written otherwise */ ${versioned(3)}`)
  await worlds.settle(stranger.connect())
  expect(stranger.state).toBe('connected')
  await worlds.end()
})

test('over a bad link as well', async () => {
  for (const seed of [1, 2, 3]) {
    const { worlds, error, seconds } = await meet(BASE.replace('gold', 'silver'), BASE, {
      seed,
      conditions: { loss: 0.3, lag: 0.05, jitter: 0.05 },
    })
    expect(new Set(error.schema!.differences)).toEqual(
      new Set([
        { class: 'Chest', field: 'gold', here: 'uint16 gold broadcast' },
        { class: 'Chest', field: 'silver', there: 'uint16 silver broadcast' },
      ]),
    )
    expect(seconds).toBeLessThan(5)
    await worlds.end()
  }
})

test('a server that answers no question costs two seconds, and what is known is told', async () => {
  const worlds = createWorlds(versioned(4, BASE.replace('gold', 'silver')))
  const stranger = addStranger(worlds, versioned(3))
  // The server never hears a question.
  const isQuestion = (packet: Uint8Array) => packet[0] === Kind.inquiry
  let asked = 0
  worlds.network.tap = (_, packet) => {
    if (isQuestion(packet)) {
      asked++
      packet[0] = 0
    }
  }
  const error = (await worlds.settle(stranger.connect().catch((error: ConnectError) => error))) as ConnectError
  expect(worlds.now()).toBeGreaterThan(2)
  expect(worlds.now()).toBeLessThan(3)
  expect(asked, 'ten times a second').toBeLessThan(25)
  expect(error).toMatchObject({ reason: 'schema', schema: { older: 'here', isComplete: false, differences: [] } })
  expect(error.message).toContain('this client is older (3 < 4)')
  await worlds.end()
})

test('a connection without a client is sent at most three times what it sent', async () => {
  const worlds = createWorlds(versioned(4))
  let [up, down] = [0, 0]
  worlds.network.tap = (direction, packet) => {
    if (direction === 'up') up += packet.length
    else down += packet.length
    expect(down).toBeLessThanOrEqual(3 * up)
  }
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  const chance = random(1)
  const other = { hash: 1, structureHash: 2n, version: 3 }
  impostor.connection.send(Uint8Array.of(Kind.hello, 99, 1, 2, 3, 4))
  worlds.run(2)
  impostor.hello({ schema: other })
  worlds.run(2)
  expect(impostor.refusals.at(-1)).toMatchObject({ nonce: 7 })
  for (let count = 0; count < 300; count++) {
    const size = 1 + Math.floor(chance() * 40)
    const question = Uint8Array.from({ length: size }, () => Math.floor(chance() * 256))
    question[0] = Kind.inquiry
    if (size > 5 && count % 2) question.set([7, 0, 0, 0, 1 + (count % 3)], 1)
    impostor.connection.send(question)
    if (count % 5 === 0) impostor.hello({ schema: other, nonce: count })
    worlds.run(1)
  }
  expect(down).toBeGreaterThan(100)
  expect(worlds.server.violations.malformed).toBeGreaterThan(0)
  worlds.run(240)
  const guest = await worlds.join()
  expect(guest.client.state, 'others get in').toBe('connected')
  await worlds.end()
}, 20_000)

test('the server tells of other refusals at once', async () => {
  const worlds = createWorlds(BASE, { server: { password: 'sesame' } })
  const refused: Refused[] = []
  const stop = worlds.server.onRefused(each => refused.push(each))
  const guest = worlds.addGuest({ password: 'open' })
  await worlds.settle(guest.client.connect().catch(() => {}))
  expect(refused).toEqual([{ reason: 'password', address: expect.any(String), message: 'Wrong password.' }])
  stop()
  await worlds.end()
})
