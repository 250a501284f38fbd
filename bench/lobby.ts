import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createWorld, query } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient, Owned, type Client } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import { createInterest } from '../examples/lobby/client/interest.ts'
import { report } from './report.mjs'
import { keepInGarden, PLAZA, WALK_SPEED } from '../examples/lobby/garden.ts'

// What the demo costs: Node clients that walk about in it as a 1280 x 800 page would, over real geckos.io.
//   node scripts/run.mjs bench/lobby.ts --clients 8 --seconds 20
const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '20' },
    port: { type: 'string', default: '9311' },
  },
})
const [count, seconds, port] = [Number(values.clients), Number(values.seconds), Number(values.port)]

const server = spawn(process.execPath, ['scripts/run.mjs', 'examples/lobby/server.ts'], {
  env: { ...process.env, GAME_PORT: String(port) },
  stdio: ['ignore', 'pipe', 'inherit'],
})
await new Promise<void>(resolve => server.stdout.on('data', chunk => String(chunk).includes('ready') && resolve()))

/** CPU seconds of the server process so far (Linux: fields 14 and 15 of its stat, in hundredths). */
const serverCpu = (): number => {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const text = readFileSync('dc/lobby.dc', 'utf8')
const connectTimes: number[] = []

const visit = async (index: number): Promise<{ client: Client; step: (dt: number) => void }> => {
  const schema = createSchema<any>(text)
  const { Avatar } = schema.dclasses
  const world = createWorld()
  const client = createClient(world, schema, { transport: geckos({ port }) })
  const start = performance.now()
  await client.connect({ name: `bot ${index}` })
  connectTimes.push(performance.now() - start)
  const look = createInterest(client)
  let angle = index
  return {
    client,
    step(dt) {
      client.receive(world)
      client.interpolate(world)
      const eid = query(world, [Avatar, Owned])[0]
      if (eid !== undefined) {
        angle += dt * 0.3 * Math.sin(index + performance.now() / 2000)
        const next = {
          x: Avatar.position.x[eid] + Math.cos(angle) * WALK_SPEED * dt,
          y: Avatar.position.y[eid] + Math.sin(angle) * WALK_SPEED * dt,
        }
        keepInGarden(next)
        Avatar.position.x[eid] = next.x
        Avatar.position.y[eid] = next.y
        Avatar.heading[eid] = (angle * 180) / Math.PI
        look(next.x, next.y, 853, 533)
      } else look(PLAZA.x, PLAZA.y, 853, 533)
      client.send(world)
    },
  }
}

const visits: Awaited<ReturnType<typeof visit>>[] = []
for (let index = 0; index < count; index++) visits.push(await visit(index))
let last = performance.now()
const timer = setInterval(() => {
  const now = performance.now()
  for (const { step } of visits) step((now - last) / 1000)
  last = now
}, 1000 / 60)

const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
await wait(3000)
const before = visits.map(({ client }) => ({ ...client.stats }))
const cpu = serverCpu()
await wait(seconds * 1000)
const after = visits.map(({ client }) => client.stats)
const serverShare = (serverCpu() - cpu) / seconds
clearInterval(timer)

const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length
const rate = (key: 'bytesIn' | 'bytesOut' | 'packetsIn') =>
  mean(after.map((stats, index) => stats[key] - before[index]![key])) / seconds
report('The lobby demo, over geckos.io on one machine', [
  {
    clients: count,
    'connect, ms (mean)': Math.round(mean(connectTimes)),
    'objects known (mean)': Math.round(mean(after.map(stats => stats.objects))),
    'kB/s in per client': Number((rate('bytesIn') / 1000).toFixed(2)),
    'kB/s out per client': Number((rate('bytesOut') / 1000).toFixed(2)),
    'snapshots/s': Number(rate('packetsIn').toFixed(1)),
    'round trip, ms': Number((mean(after.map(stats => stats.rtt)) * 1000).toFixed(1)),
    'playout delay, ms': Math.round(mean(after.map(stats => stats.playoutDelay)) * 1000),
    'server CPU, % of a core': Math.round(serverShare * 100),
  },
])
for (const { client } of visits) client.disconnect()
await wait(200)
server.kill('SIGINT')
process.exit(0)
