// The server of `bench/soak.ts`, in a process of its own.
import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { geckos } from '../src/geckos-server.ts'
import { createSchema } from '../src/index.ts'
import { createServer, tickLoop } from '../src/server.ts'
import { resources } from './resources.ts'

export const DC = `
keyword interp_linear unreliable;
struct Vec2 { int16/10 x; int16/10 y; };
dclass Node { Vec2 position broadcast ram ownsend interp_linear; };
dclass Avatar : Node {
  string(0-24) name broadcast ram;
  say(string(1-200) text) ownsend;
  said(string(1-200) text) broadcast;
};
dclass Creature : Node { uint8(0-100) health = 100 broadcast ram; };
`
const CREATURES = 100
const ZONES = 4

const world = createWorld()
const schema = createSchema<any>(DC)
const { Avatar, Creature, Node } = schema.dclasses
const transport = geckos({ port: 0, maxPerAddress: 256 })
let errors = 0
const server = createServer(world, schema, {
  transport,
  onError: error => {
    errors++
    console.error(error)
  },
})
const totals = { joined: 0, left: 0 }
server.onJoin(client => {
  totals.joined++
  const eid = addEntity(world)
  addComponent(world, eid, Avatar)
  Avatar.name[eid] = (client.data as { name: string }).name
  server.place(eid, 1 + (client.id % ZONES), client)
})
server.onLeave(() => void totals.left++)
server.on(Avatar.say as never, (eid: number, args: { text: string }) => server.sendUpdate(eid, Avatar.said, args))
await server.ready

for (let count = 0; count < CREATURES; count++) {
  const eid = addEntity(world)
  addComponent(world, eid, Creature)
  server.place(eid, 1 + (count % ZONES))
}
let tick = 0
const loop = tickLoop(server.tickRate, () => {
  server.receive(world)
  tick++
  for (const eid of query(world, [Creature])) {
    if ((eid + tick) % 4 !== 0) continue
    Node.position.x[eid] = 100 * Math.sin(tick / 50 + eid)
    Node.position.y[eid] = 100 * Math.cos(tick / 50 + eid)
    if (tick % 600 === 0) server.place(eid, 1 + ((eid + tick / 600) % ZONES))
  }
  server.replicate(world)
})
process.on('message', () => {
  const { opened, closed } = transport.stats
  process.send!({
    ...resources(),
    clients: server.clients.size,
    connections: opened - closed,
    objects: query(world, [Node]).length,
    ...totals,
    errors,
    lateTicks: loop.stats.skipped,
  })
})
process.on('disconnect', () => process.exit())
process.send!({ port: transport.port })
