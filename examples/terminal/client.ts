import { parseArgs } from 'node:util'
import { createWorld, observe, onAdd, onRemove, query } from 'bitecs'
import { Alive, createClient, Owned } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import schema, { Avatar, Satellite } from '../../dc/terminal.dc'

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'Ada' },
    password: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: process.env.GAME_PORT ?? '27015' },
    seconds: { type: 'string' },
  },
})

const ZONE = 1
const FRAMES_PER_SECOND = 60

const world = createWorld()
const client = createClient(world, schema, {
  transport: geckos({ port: Number(options.port), url: `http://${options.host}` }),
  ...(options.password ? { password: options.password } : {}),
})

observe(world, onAdd(Avatar, Alive), eid => console.log(`+ ${Avatar.name[eid]} is here`))
observe(world, onRemove(Avatar), eid => console.log(`- ${Avatar.name[eid]} is gone`))
client.on(Avatar.said, (eid, { text }) => console.log(`  ${Avatar.name[eid]}: ${text}`))

try {
  await client.connect({ name: options.name })
} catch (error) {
  console.error(`Cannot join: ${(error as Error).message}`)
  process.exit(1)
}
console.log(`connected as client ${client.clientId} (Ctrl-C leaves)`)

const started = performance.now()
const elapsed = (): number => (performance.now() - started) / 1000
let greeted = false

/** Walks the own avatar along a figure of eight, 4 m wide. */
function walk(): void {
  for (const eid of query(world, [Avatar, Owned])) {
    Avatar.position.x[eid] = Math.sin(elapsed()) * 4
    Avatar.position.y[eid] = Math.sin(elapsed() * 2) * 2
    if (!greeted) client.sendUpdate(eid, Avatar.say, { text: `Hello from ${options.name}!` })
    greeted = true
  }
}

const metres = (value: number): string => value.toFixed(2).padStart(7)

/** One line a second: the satellite as interpolated, and how the connection is. */
function report(): void {
  for (const eid of query(world, [Satellite, Alive])) {
    const at = `${metres(Satellite.position.x[eid]!)} ${metres(Satellite.position.y[eid]!)} m`
    const facing = `${Satellite.heading[eid]!.toFixed(0).padStart(3)} deg`
    const { rtt, playoutDelay, bytesInPerSecond } = client.stats
    const wire = `rtt ${(rtt * 1000).toFixed(0)} ms, playout ${(playoutDelay * 1000).toFixed(0)} ms, in ${(bytesInPerSecond / 1000).toFixed(1)} kB/s`
    console.log(`  satellite ${at}, ${facing}   [${wire}]`)
  }
}

const frames = setInterval(() => {
  client.receive(world)
  client.interpolate(world)
  walk()
  client.send(world)
  if (options.seconds && elapsed() >= Number(options.seconds)) leave()
}, 1000 / FRAMES_PER_SECOND)
const reports = setInterval(report, 1000)

const stopListening = client.onDisconnect(reason => {
  console.error(`disconnected: ${reason}`)
  process.exit(1)
})
void client.interest.set([ZONE])

function leave(): void {
  clearInterval(frames)
  clearInterval(reports)
  stopListening()
  client.disconnect()
  console.log('left')
  // Time for the goodbye to leave the socket.
  setTimeout(() => process.exit(0), 100)
}
process.once('SIGINT', leave)
process.once('SIGTERM', leave)
