import { addComponent, addEntity, createWorld, query, removeEntity } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient, Owned, type ClientOptions } from 'bitecs-pipes/client'
import { geckos as clientTransport } from 'bitecs-pipes/geckos/client'
import { geckos as serverTransport } from 'bitecs-pipes/geckos/server'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './support/until.ts'

// Server and clients as a game has them, over real geckos.io and WebRTC, in real time.

const DC = `
keyword interp_linear unreliable;
struct Vec2 { int16/10 x; int16/10 y; };
dclass Node { Vec2 position broadcast ram ownsend interp_linear; };
dclass Avatar : Node {
  string(0-24) name required broadcast ram;
  say(string(1-200) text) ownsend;
  said(string(1-200) text) broadcast;
};
dclass Rock : Node { uint8 size broadcast ram; };
`

const world = createWorld()
const schema = createSchema<any>(DC)
const { Avatar, Rock } = schema.dclasses
const transport = serverTransport({ port: 0 })
const server = createServer(world, schema, { transport, password: 'open', allowZone: (_client, zone) => zone !== 9 })
const ends: (() => void)[] = []

server.onJoin(client => {
  const eid = addEntity(world)
  addComponent(world, eid, Avatar)
  Avatar.name[eid] = client.data.name
  server.place(eid, 1, client)
})
server.on(Avatar.say as never, (eid: number, { text }: { text: string }) =>
  server.sendUpdate(eid, Avatar.said, { text }),
)

beforeAll(async () => {
  await server.ready
  const loop = tickLoop(server.tickRate, () => {
    server.receive(world)
    server.replicate(world)
  })
  ends.push(() => loop.stop())
})

afterAll(async () => {
  for (const end of ends) end()
  await server.close()
})

const visit = async (name: string, options: Partial<ClientOptions> = {}, dc = DC) => {
  const own = createWorld()
  const mine = createSchema<any>(dc)
  const client = createClient(own, mine, {
    transport: clientTransport({ port: transport.port }),
    password: 'open',
    ...options,
  })
  await client.connect({ name })
  const timer = setInterval(() => {
    client.receive(own)
    client.interpolate(own)
    client.send(own)
  }, 16)
  ends.push(() => {
    clearInterval(timer)
    client.disconnect()
  })
  const { dclasses } = mine
  return {
    client,
    dclasses,
    find: (wanted: string) => query(own, [dclasses.Avatar]).find(eid => dclasses.Avatar.name[eid] === wanted),
    me: () => query(own, [dclasses.Avatar, Owned])[0],
    rocks: () => query(own, [dclasses.Rock]).length,
    leave: () => {
      clearInterval(timer)
      client.disconnect()
    },
  }
}

test('two Node clients see each other move, talk, change interest, and leave', async () => {
  const ada = await visit('Ada')
  const bob = await visit('Bob')
  await Promise.all([ada.client.interest.set([1]), bob.client.interest.set([1])])
  await until('each sees the other', () => ada.find('Bob') && bob.find('Ada') && ada.me() && bob.me())

  const { position } = ada.dclasses.Avatar
  position.x[ada.me()!] = 123.4
  position.y[ada.me()!] = -56.7
  const shown = bob.dclasses.Avatar.position
  await until('Bob sees Ada where she went', () => {
    const eid = bob.find('Ada')!
    return Math.abs(shown.x[eid] - 123.4) < 0.01 && Math.abs(shown.y[eid] + 56.7) < 0.01
  })

  const heard: string[] = []
  bob.client.on(bob.dclasses.Avatar.said as never, (_eid: number, { text }: { text: string }) => heard.push(text))
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`)
  for (const text of lines) ada.client.sendUpdate(ada.me()!, ada.dclasses.Avatar.say, { text })
  await until('every line is heard', () => heard.length >= lines.length)
  // A last line comes behind whatever might come twice.
  ada.client.sendUpdate(ada.me()!, ada.dclasses.Avatar.say, { text: 'end' })
  await until('the last line is heard', () => heard.includes('end'))
  expect(heard, 'once and in order').toEqual([...lines, 'end'])

  const rocks = Array.from({ length: 30 }, (_, index) => {
    const eid = addEntity(world)
    addComponent(world, eid, Rock)
    Rock.size[eid] = index
    server.place(eid, 2)
    return eid
  })
  expect(bob.rocks(), 'zone 2 is not seen yet').toBe(0)
  const result = await bob.client.interest.add([2, 9])
  expect(result, 'what the server refuses is told').toEqual({ granted: [2], refused: [9] })
  await until('the rocks are there', () => bob.rocks() === rocks.length)
  await bob.client.interest.remove([2])
  await until('the rocks are gone', () => bob.rocks() === 0)
  expect(ada.rocks(), 'Ada never saw them').toBe(0)
  for (const eid of rocks) removeEntity(world, eid)

  expect(bob.client.stats.rtt, 'the round trip was measured').toBeGreaterThan(0)
  for (const client of server.clients.values()) expect(client.stats.rtt, 'on the server too').toBeGreaterThan(0)

  ada.leave()
  await until('Ada is gone', () => bob.find('Ada') === undefined)
  bob.leave()
})

test('a wrong password and a wrong schema are told with their reason', async () => {
  await expect(visit('Eve', { password: 'guess' })).rejects.toMatchObject({ reason: 'password' })
  await expect(visit('Eve', {}, DC.replace('uint8 size', 'uint16 size'))).rejects.toMatchObject({ reason: 'schema' })
})
