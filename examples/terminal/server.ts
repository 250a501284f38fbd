import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { createServer, fitText, tickLoop } from 'bitecs-pipes/server'
import { geckos } from 'bitecs-pipes/geckos/server'
import schema, { Avatar, Satellite } from '../../dc/terminal.dc'

const ZONE = 1
/** Metres and seconds. */
const ORBIT_RADIUS = 10
const ORBIT_SECONDS = 8

const port = Number(process.env.GAME_PORT ?? 27015)
const password = process.env.GAME_PASSWORD

const world = createWorld()
const server = createServer(world, schema, {
  transport: geckos({ port, host: process.env.GAME_HOST ?? '0.0.0.0' }),
  tickRate: 30,
  ...(password ? { password } : {}),
})

const satellite = addEntity(world)
addComponent(world, satellite, Satellite)
server.place(satellite, ZONE)

function orbit(): void {
  const turn = (server.tick / server.tickRate / ORBIT_SECONDS) % 1
  Satellite.position.x[satellite] = Math.cos(turn * Math.PI * 2) * ORBIT_RADIUS
  Satellite.position.y[satellite] = Math.sin(turn * Math.PI * 2) * ORBIT_RADIUS
  // It looks where it flies: a quarter turn ahead of where it is.
  Satellite.heading[satellite] = (turn * 360 + 90) % 360
}

const printable = (text: string): string => text.replace(/\p{C}/gu, '').trim()

/** The name of a client's avatar: what a client owns has its id. */
const nameOf = (client: number): string => {
  const { owner } = schema.DistributedObject
  const eid = query(world, [Avatar]).find(each => owner[each] === client)
  return eid === undefined ? `client ${client}` : Avatar.name[eid]!
}

server.onJoin(client => {
  const eid = addEntity(world)
  addComponent(world, eid, Avatar)
  // Untrusted, and printed on terminals: no control characters.
  Avatar.name[eid] = printable(fitText(client.data?.name, 24)) || 'Guest'
  server.place(eid, ZONE, client)
  console.log(`+ ${Avatar.name[eid]} joined (${query(world, [Avatar]).length} here)`)
})

server.onSuspend((client, reason) => console.log(`~ ${nameOf(client.id)} is away (${reason})`))
server.onResume((client, seconds) => console.log(`~ ${nameOf(client.id)} is back after ${seconds.toFixed(1)} s`))
server.onLeave((client, reason) => console.log(`- ${nameOf(client.id)} left (${reason})`))

server.on(Avatar.say, (eid, { text }) => {
  const said = printable(text)
  if (!said) return
  console.log(`  ${Avatar.name[eid]}: ${said}`)
  server.sendUpdate(eid, Avatar.said, { text: said })
})

await server.ready.catch((error: Error) => {
  console.error(`The terminal server cannot start: ${error.message}`)
  process.exit(1)
})

const loop = tickLoop(server.tickRate, () => {
  server.receive(world)
  orbit()
  server.replicate(world)
})

console.log(`terminal server ready on port ${port}${password ? ', password required' : ''} (Ctrl-C stops it)`)

async function stop(): Promise<void> {
  loop.stop()
  await server.close()
  console.log('terminal server stopped')
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
