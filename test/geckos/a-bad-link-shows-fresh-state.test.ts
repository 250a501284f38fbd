import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient } from 'bitecs-pipes/client'
import { geckos as clientTransport } from 'bitecs-pipes/geckos/client'
import { geckos as serverTransport } from 'bitecs-pipes/geckos/server'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRelay, type LinkConditions } from './support/relay.ts'
import { until } from './support/until.ts'

// SCTP queues what it is given without a bound: whoever sends on regardless shows, after some seconds of such links, a state that
// is seconds old (bench/link.ts). 60 ticks a second, in which all of the state changes: 1 KB of it in zone 1, 4 KB in zone 4.

const DC = 'dclass Thing { uint32 time broadcast; uint32 a broadcast; uint32 b broadcast; uint32 c broadcast; };'
const RATE = 60
const OBJECTS = 50

const world = createWorld()
const schema = createSchema<any>(DC)
const { Thing } = schema.dclasses
const transport = serverTransport({ port: 0 })
const server = createServer(world, schema, { transport, tickRate: RATE, maxBytesPerSecond: 1e6, packetsPerSend: 4 })
const ends: (() => unknown)[] = []
const milliseconds = () => Math.round(performance.now())

beforeAll(async () => {
  await server.ready
  for (const zone of [1, 4])
    for (let count = 0; count < OBJECTS * zone; count++) {
      const eid = addEntity(world)
      addComponent(world, eid, Thing)
      server.place(eid, zone)
    }
  const loop = tickLoop(RATE, () => {
    server.receive(world)
    for (const eid of query(world, [Thing])) {
      Thing.time[eid] = milliseconds()
      for (const name of ['a', 'b', 'c']) Thing[name][eid] = Math.random() * 2 ** 32
    }
    server.replicate(world)
  })
  ends.push(() => loop.stop())
})

afterAll(async () => {
  for (const end of ends) await end()
  await server.close()
})

/** Shows a zone over a link that goes bad once all is there. Resolves with the ages of what it shows, in order, in ms. */
const agesOver = async (zone: number, link: Partial<LinkConditions>): Promise<number[]> => {
  const relay = await startRelay(transport.port)
  const own = createWorld()
  const mine = createSchema<any>(DC)
  const { receive, send, connect, disconnect, interest } = createClient(own, mine, {
    transport: clientTransport({ port: relay.port }),
    updateRate: RATE,
    commandRate: RATE,
  })
  const seen = () => query(own, [mine.dclasses.Thing])
  const ages: number[] = []
  let isBad = false
  const frame = (): void => {
    receive(own)
    send(own)
    if (isBad) for (const eid of seen()) ages.push(milliseconds() - mine.dclasses.Thing.time[eid])
  }
  await connect()
  void interest.set([zone])
  const timer = setInterval(frame, 1000 / RATE)
  ends.push(relay.close, disconnect, () => clearInterval(timer))
  await until('everything in the zone', () => seen().length === OBJECTS * zone)
  Object.assign(relay.up, link)
  Object.assign(relay.down, link)
  isBad = true
  await until('200 frames', () => ages.length >= 200 * OBJECTS * zone)
  return ages.sort((a, b) => a - b)
}

test('a link that carries half of what is offered, and one that loses a fifth of all packets', async () => {
  const [narrow, lossy] = await Promise.all([
    agesOver(4, { rate: 1e6, queue: 200, delay: 5 }),
    agesOver(1, { loss: 0.2, delay: 25 }),
  ])
  expect(narrow[Math.floor(narrow.length * 0.95)], 'p95 of the narrow one, ms').toBeLessThan(1000)
  // What is lost is lost at random: half of the time is what can be relied on.
  expect(lossy[Math.floor(lossy.length * 0.5)], 'p50 of the lossy one, ms').toBeLessThan(1000)
})
