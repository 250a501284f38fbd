import { addComponent, addEntity, createWorld, removeEntity } from 'bitecs'
import { createServer } from 'bitecs-pipes/server'
import { geckos } from 'bitecs-pipes/geckos/server'
import schema, { Cube, Player, Scene } from '../../../dc/cubes.dc'
import { CODECS, SEATS, SMALL_CUBES, TICK_RATE, ZONE } from '../scene.ts'
import { POSE, type Frame, type Notice, type Seat } from './bus.ts'

// One of the two servers: what the simulation tells goes into columns, and from there to the players.

const codec = CODECS.find(each => each === process.env.CODEC)
if (!codec || !process.send) throw new Error('gateway.ts is started by examples/cubes/server.ts.')
const tell = (notice: Notice): void => void process.send!(notice)

const world = createWorld()
const server = createServer(world, schema, {
  transport: geckos({ port: Number(process.env.GAME_PORT), host: process.env.GAME_HOST ?? '0.0.0.0' }),
  tickRate: TICK_RATE,
  codec,
  // The simulation says what moved: nobody has to look at the other cubes.
  detect: 'mark',
  maxClients: SEATS / CODECS.length,
  // So that neither codec is held back: the meter compares what each needs.
  maxBytesPerSecond: 1024 * 1024,
  packetsPerSend: 8,
  allowZone: (_client, zone) => zone === ZONE,
})

const scene = addEntity(world)
addComponent(world, scene, Scene)
server.place(scene, ZONE)

/** Ticks from which to which players hear how many cubes moved. */
const COUNTED = TICK_RATE / 4

/** Entities of the small cubes, then of the players by seat; 0 is none. */
const entities = Array.from({ length: SMALL_CUBES + SEATS }, () => 0)
for (let index = 0; index < SMALL_CUBES; index++) {
  const eid = addEntity(world)
  addComponent(world, eid, Cube)
  server.place(eid, ZONE)
  entities[index] = eid
}

/** What each of our players wants, as the simulation heard it last. */
const steered = new Map<number, string>()

server.onJoin(client => {
  const { ticket } = (client.data ?? {}) as { ticket?: unknown }
  tell({ kind: 'join', client: client.id, ticket: typeof ticket === 'string' ? ticket.slice(0, 40) : '' })
})

server.onLeave(client => {
  tell({ kind: 'leave', client: client.id })
  // The cube stays for a while: the player may be back in a moment, with the other codec.
  for (const eid of entities.slice(SMALL_CUBES))
    if (eid && schema.DistributedObject.owner[eid] === client.id) server.place(eid, ZONE, 0)
})

function seat(taken: readonly Seat[]): void {
  for (let index = 0; index < SEATS; index++) {
    const at = SMALL_CUBES + index
    const who = taken.find(each => each.seat === index)
    if (!who) {
      if (entities[at]) removeEntity(world, entities[at])
      entities[at] = 0
      continue
    }
    if (!entities[at]) {
      entities[at] = addEntity(world)
      addComponent(world, entities[at], Player)
      Player.seat[entities[at]] = index
    }
    const owner = who.codec === codec ? server.clients.get(who.client) : undefined
    server.place(entities[at], ZONE, owner ?? 0)
  }
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))

function show({ indices, poses }: Frame): void {
  const { position, rotation, interacting } = Cube
  indices.forEach((index, n) => {
    const eid = entities[index]!
    if (!eid) return
    const [x, y, z, a, b, c, d, isAwake] = poses.subarray(n * POSE, (n + 1) * POSE)
    position.x[eid] = clamp(x!, -24, 24)
    position.y[eid] = clamp(y!, -24, 24)
    position.z[eid] = clamp(z!, 0, 48)
    rotation.x[eid] = a!
    rotation.y[eid] = b!
    rotation.z[eid] = c!
    rotation.w[eid] = d!
    interacting[eid] = isAwake!
    server.markDirty(eid)
  })
}

function passSteeringOn(): void {
  for (const eid of entities.slice(SMALL_CUBES)) {
    const client = eid ? schema.DistributedObject.owner[eid]! : 0
    if (client === 0) continue
    const { steering } = Player
    const notice: Notice = {
      kind: 'steer',
      client,
      x: steering.x[eid]!,
      y: steering.y[eid]!,
      force: steering.force[eid]!,
    }
    const text = JSON.stringify(notice)
    if (steered.get(eid) === text) continue
    steered.set(eid, text)
    tell(notice)
  }
}

await server.ready.catch((error: Error) => {
  console.error(`The server with codec ${codec} cannot start: ${error.message}`)
  process.exit(1)
})

process.on('message', (frame: Frame) => {
  server.receive(world)
  if (frame.seats) seat(frame.seats)
  show(frame)
  if (frame.ticks % COUNTED === 0) {
    Scene.ticks[scene] = frame.ticks
    Scene.changes[scene] = frame.changes
    server.markDirty(scene)
  }
  passSteeringOn()
  server.replicate(world)
})

async function stop(): Promise<void> {
  await server.close()
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
tell({ kind: 'ready' })
