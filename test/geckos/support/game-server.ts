// A game that the attacks run against, in a process of its own: sessions, objects, interest and messages over real geckos.io.
import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { geckos } from '../../../src/geckos-server.ts'
import { createSchema } from '../../../src/index.ts'
import { createServer, tickLoop } from '../../../src/server.ts'
import { DC, HIDDEN, PASSWORD, type GameOptions, type GameStatus } from './game.ts'
import { createThreadClock } from './thread-clock.ts'

const options = JSON.parse(process.env.GECKOS_OPTIONS ?? '{}') as GameOptions
const world = createWorld()
const schema = createSchema<any>(DC)
const { Avatar, Rock } = schema.dclasses
const { doId, owner, zone } = schema.DistributedObject
const transport = geckos({ port: 0, ...options.transport, onError: () => {} })
const errors: string[] = []
const server = createServer(world, schema, {
  transport,
  password: PASSWORD,
  allowZone: (_client, each) => each !== HIDDEN,
  onError: (error, where) => errors.push(`${where}: ${String(error)}`),
  ...options.server,
})
const heard = { say: 0, wave: 0, knock: 0 }
const left: [number, string][] = []
server.on(Avatar.say as never, () => void heard.say++)
server.on(Avatar.wave as never, () => void heard.wave++)
server.on(Rock.knock as never, () => void heard.knock++)
server.onLeave((client, reason) => void left.push([client.id, reason]))
server.onJoin(client => {
  const eid = addEntity(world)
  addComponent(world, eid, Avatar)
  server.place(eid, 1, client)
})
await server.ready

const rock = (where: number): void => {
  const eid = addEntity(world)
  addComponent(world, eid, Rock)
  server.place(eid, where)
}
rock(HIDDEN)
for (let count = 0; count < (options.rocks ?? 50); count++) rock(1 + (count % 4))

const durations: number[] = []
const costs: number[] = []
const cpu = createThreadClock()
let tick = 0
const loop = tickLoop(server.tickRate, () => {
  const start = performance.now()
  const begun = cpu()
  server.receive(world)
  tick++
  for (const eid of query(world, [Rock])) if ((eid + tick) % 4 === 0) Rock.angle[eid] = (tick * 7 + eid) % 360
  server.replicate(world)
  costs.push(cpu() - begun)
  durations.push(performance.now() - start)
})

const memory = (): NodeJS.MemoryUsage => {
  globalThis.gc?.()
  return process.memoryUsage()
}

const look = (): GameStatus => ({
  stats: transport.stats,
  violations: { ...server.violations },
  clients: [...server.clients.values()].map(({ id, violations, stats, updateRate, commandRate, interp }) => ({
    id,
    violations: { ...violations },
    stats: { ...stats },
    updateRate,
    commandRate,
    interp,
  })),
  objects: [...query(world, [schema.DistributedObject])].map(eid => ({
    doId: doId[eid]!,
    zone: zone[eid]!,
    owner: owner[eid]!,
    x: Avatar.x[eid] as number,
    health: Avatar.health[eid] as number,
    lock: Rock.lock[eid] as number,
  })),
  heard,
  left,
  errors,
  ticks: durations.splice(0),
  costs: costs.splice(0),
  skipped: loop.stats.skipped,
  memory: memory(),
})

process.on('message', message => {
  if (message === 'stats') process.send!(look())
  // Nothing but the server may keep the process alive.
  if (message === 'close') {
    loop.stop()
    void server.close().then(() => process.disconnect())
  }
})
process.send!({ port: transport.port })
