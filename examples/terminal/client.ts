import { clearLine, createInterface, cursorTo } from 'node:readline'
import { parseArgs } from 'node:util'
import { createWorld, observe, onAdd, onRemove, query } from 'bitecs'
import { fitText } from 'bitecs-pipes'
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
const isTerminal = process.stdin.isTTY && process.stdout.isTTY
/** Seconds between reports: fewer of them where somebody writes. */
const REPORT_EVERY = isTerminal ? 5 : 1

const lines = createInterface({ input: process.stdin, output: isTerminal ? process.stdout : undefined })

/** Prints above what is being written. */
function print(text: string): void {
  if (!isTerminal) return console.log(text)
  clearLine(process.stdout, 0)
  cursorTo(process.stdout, 0)
  console.log(text)
  lines.prompt(true)
}

const world = createWorld()
const client = createClient(world, schema, {
  transport: geckos({ port: Number(options.port), url: `http://${options.host}` }),
  ...(options.password ? { password: options.password } : {}),
})

observe(world, onAdd(Avatar, Alive), eid => print(`+ ${Avatar.name[eid]} is here`))
observe(world, onRemove(Avatar), eid => print(`- ${Avatar.name[eid]} is gone`))
client.on(Avatar.said, (eid, { text }) => print(`  ${Avatar.name[eid]}: ${text}`))
client.onSuspend(reason => print(`connection lost (${reason}), trying to come back`))
client.onResume(() => print('back again'))

try {
  await client.connect({ name: options.name })
} catch (error) {
  console.error(`Cannot join: ${(error as Error).message}`)
  process.exit(1)
}
print(`connected as client ${client.clientId}. Write a line to say it; Ctrl-C leaves.`)

const started = performance.now()
const elapsed = (): number => (performance.now() - started) / 1000

function say(text: string): void {
  for (const eid of query(world, [Avatar, Owned])) client.sendUpdate(eid, Avatar.say, { text: fitText(text, 200) })
}
observe(world, onAdd(Avatar, Alive, Owned), () => say(`Hello from ${options.name}!`))
lines.on('line', text => text.trim() && say(text.trim()))

/** Walks the own avatar along a figure of eight, 4 m wide. */
function walk(): void {
  for (const eid of query(world, [Avatar, Owned])) {
    Avatar.position.x[eid] = Math.sin(elapsed()) * 4
    Avatar.position.y[eid] = Math.sin(elapsed() * 2) * 2
  }
}

const metres = (value: number): string => value.toFixed(2).padStart(7)

/** One line: the satellite as interpolated, and how the connection is. */
function report(): void {
  for (const eid of query(world, [Satellite, Alive])) {
    const at = `${metres(Satellite.position.x[eid]!)} ${metres(Satellite.position.y[eid]!)} m`
    const facing = `${Satellite.heading[eid]!.toFixed(0).padStart(3)} deg`
    const { rtt, playoutDelay, bytesInPerSecond } = client.stats
    const wire = `rtt ${(rtt * 1000).toFixed(0)} ms, playout ${(playoutDelay * 1000).toFixed(0)} ms, in ${(bytesInPerSecond / 1000).toFixed(1)} kB/s`
    print(`  satellite ${at}, ${facing}   [${wire}]`)
  }
}

const frames = setInterval(() => {
  client.receive(world)
  client.interpolate(world)
  walk()
  client.send(world)
  if (options.seconds && elapsed() >= Number(options.seconds)) leave()
}, 1000 / FRAMES_PER_SECOND)
const reports = setInterval(report, REPORT_EVERY * 1000)

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
lines.once('SIGINT', leave)
process.once('SIGINT', leave)
process.once('SIGTERM', leave)
