import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { createZoning, hasZone, zoneAt } from 'bitecs-pipes'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import { geckos } from 'bitecs-pipes/geckos/server'
import schema, { Avatar, Lobby, Node, Npc } from '../../dc/lobby.dc'
import { GRID, keepInGarden, LOBBY_ZONE, PLAZA, type Point } from './garden.ts'
import { chatManners, lookFor, nameFor } from './server/manners.ts'
import { createWander } from './server/wander.ts'

/** How far beyond its plot an object walks before it changes zone, in units: nothing flickers along an edge. */
const ZONE_HYSTERESIS = 8

const port = Number(process.env.GAME_PORT ?? 9208)
const password = process.env.GAME_PASSWORD
const npcs = Number(process.env.NPCS ?? 260)

const world = createWorld()
const server = createServer(world, schema, {
  transport: geckos({ port, host: process.env.GAME_HOST ?? '0.0.0.0' }),
  tickRate: 30,
  maxClients: 24,
  allowZone: (_client, zone) => zone === LOBBY_ZONE || hasZone(GRID, zone),
  ...(password ? { password } : {}),
})
const seconds = (): number => performance.now() / 1000

const lobby = addEntity(world)
addComponent(world, lobby, Lobby)
server.place(lobby, LOBBY_ZONE)

const wander = createWander(eid => server.sendUpdate(eid, Npc.chirp, {}))
wander.spawn(world, npcs, (eid, x, y) => server.place(eid, zoneAt(GRID, x, y)))

const avatars = new Map<number, number>()

server.onJoin(client => {
  const taken = new Set(Array.from(query(world, [Avatar]), eid => Avatar.name[eid]!))
  const angle = Math.random() * Math.PI * 2
  const eid = addEntity(world)
  addComponent(world, eid, Avatar)
  Avatar.name[eid] = nameFor(client.data, taken)
  Avatar.look[eid] = lookFor(client.data)
  Avatar.position.x[eid] = PLAZA.x + Math.cos(angle) * PLAZA.radius * 0.62
  Avatar.position.y[eid] = PLAZA.y + Math.sin(angle) * PLAZA.radius * 0.62
  Avatar.heading[eid] = 90
  avatars.set(client.id, eid)
  server.place(eid, zoneAt(GRID, Avatar.position.x[eid]!, Avatar.position.y[eid]!), client)
  Lobby.population[lobby] = avatars.size
  server.sendUpdate(lobby, Lobby.announce, { kind: 'joined', name: Avatar.name[eid]! })
})

server.onLeave(client => {
  const eid = avatars.get(client.id)
  if (eid === undefined) return
  avatars.delete(client.id)
  Lobby.population[lobby] = avatars.size
  server.sendUpdate(lobby, Lobby.announce, { kind: 'left', name: Avatar.name[eid]! })
})

const manners = chatManners()
server.on(Avatar.say, (eid, { text }) => {
  const said = manners(eid, text, seconds())
  if (said) server.sendUpdate(eid, Avatar.said, { text: said })
})

/** Owners write their own positions; the garden has the last word. Pages walk by the same rules, so it is seldom needed. */
server.validate(Node.position, (_eid, wanted: Point) => {
  const spot = { ...wanted }
  keepInGarden(spot)
  return Math.hypot(spot.x - wanted.x, spot.y - wanted.y) < 1 ? wanted : spot
})

/** Who lost the connection dozes until it is back: then its page writes the mood again. */
server.onSuspend(client => {
  const eid = avatars.get(client.id)
  if (eid !== undefined) Avatar.mood[eid] = 1
})

/** Whoever walked onto another plot is moved to its zone. */
const rezone = createZoning(server, schema, { grid: GRID, position: Node.position, margin: ZONE_HYSTERESIS })

await server.ready.catch((error: Error) => {
  console.error(`The lobby server cannot start: ${error.message}`)
  process.exit(1)
})

const loop = tickLoop(server.tickRate, () => {
  server.receive(world)
  wander.system(world, 1 / server.tickRate)
  rezone(world)
  server.replicate(world)
})

console.log(`lobby server ready on port ${port}: ${npcs} creatures${password ? ', password required' : ''}`)

async function stop(): Promise<void> {
  loop.stop()
  await server.close()
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
