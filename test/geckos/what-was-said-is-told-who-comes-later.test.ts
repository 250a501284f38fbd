import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient, Owned } from 'bitecs-pipes/client'
import { geckos as clientTransport } from 'bitecs-pipes/geckos/client'
import { geckos as serverTransport } from 'bitecs-pipes/geckos/server'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import { afterAll, expect, test } from 'vitest'
import { startRelay } from './support/relay.ts'
import { until } from './support/until.ts'

// Messages that are state, and checks of what an owner writes: over real geckos.io, through a link that loses a tenth of all datagrams.

const DC = `
dclass Door {
  int16 angle broadcast ram ownsend;
  setName(string(0-24) name) required broadcast;
  setSign(string(0-24) sign) broadcast ram;
  secret(string(0-24) word) broadcast;
};`

const world = createWorld()
const schema = createSchema<any>(DC)
const { Door } = schema.dclasses
const transport = serverTransport({ port: 0 })
const server = createServer(world, schema, { transport })
const ends: (() => unknown)[] = []

afterAll(async () => {
  for (const end of ends) await end()
  await server.close()
})

const visit = async (port: number) => {
  const own = createWorld()
  const mine = createSchema<any>(DC)
  const client = createClient(own, mine, { transport: clientTransport({ port }) })
  const heard: string[] = []
  client.on<{ name: string }>(mine.dclasses.Door.setName, (_, { name }) => heard.push(`name ${name}`))
  client.on<{ sign: string }>(mine.dclasses.Door.setSign, (_, { sign }) => heard.push(`sign ${sign}`))
  client.on<{ word: string }>(mine.dclasses.Door.secret, (_, { word }) => heard.push(`secret ${word}`))
  await client.connect()
  const { receive, send, disconnect } = client
  const timer = setInterval(() => {
    receive(own)
    send(own)
  }, 16)
  ends.push(disconnect, () => clearInterval(timer))
  return { client, heard, Door: mine.dclasses.Door, owned: () => query(own, [mine.dclasses.Door, Owned]) }
}

test('names and signs reach who comes later; what a check refuses reaches nobody', async () => {
  await server.ready
  const relay = await startRelay(transport.port)
  ends.push(relay.close)
  server.provide(Door.setName, () => ({ name: 'gate' }))
  server.validate(Door.angle, (_, angle) => ((angle as number) > 90 ? undefined : angle))
  const loop = tickLoop(server.tickRate, () => {
    server.receive(world)
    server.replicate(world)
  })
  ends.push(() => loop.stop())
  const owner = await visit(relay.port)
  const [early] = server.clients.values()
  const eid = addEntity(world)
  addComponent(world, eid, Door)
  server.place(eid, 1, early!)
  await until('the door is there', () => owner.owned().length === 1)
  Object.assign(relay.up, { loss: 0.1, delay: 10 })
  Object.assign(relay.down, { loss: 0.1, delay: 10 })
  const door = owner.owned()[0]!
  owner.Door.angle[door] = 45
  await until('it opens', () => Door.angle[eid] === 45)
  owner.Door.angle[door] = 180
  await until('the owner is overruled', () => owner.Door.angle[door] === 45)
  server.sendUpdate(eid, Door.setSign, { sign: 'closed' })
  server.sendUpdate(eid, Door.setSign, { sign: 'open' })
  server.sendUpdate(eid, Door.secret, { word: 'sesame' }, early!)
  await until('the owner hears all', () => owner.heard.length === 4)
  Object.assign(relay.up, { loss: 0 })
  Object.assign(relay.down, { loss: 0 })
  const late = await visit(relay.port)
  Object.assign(relay.up, { loss: 0.1 })
  Object.assign(relay.down, { loss: 0.1 })
  await late.client.interest.set([1])
  await until('the late one hears', () => late.heard.length >= 2)
  expect(owner.heard).toEqual(['name gate', 'sign closed', 'sign open', 'secret sesame'])
  expect(late.heard).toEqual(['name gate', 'sign open'])
  expect([Door.angle[eid], server.violations.refused > 0]).toEqual([45, true])
})
