import { createEntityIndex, createWorld } from 'bitecs'
import { tickLoop } from 'bitecs-pipes/server'
import { Cube } from '../../dc/cubes.dc'
import { createAutopilot } from './client/controls.ts'
import { createReader, type Reading } from './client/reading.ts'
import { createSession } from './client/session.ts'
import { CODECS, TICK_RATE } from './scene.ts'

// A client of each codec looks at the same cubes at the same time, while one of them drives: `npm run cubes`, then
// `node scripts/run.mjs examples/cubes/measure.ts 30` for 30 seconds.

const seconds = Number(process.argv[2] ?? 30)
const port = Number(process.env.GAME_PORT ?? 9208)
/** Two worlds may share the columns of one schema when they share their entities too. */
const index = createEntityIndex()
const watchers = CODECS.map(() => {
  const session = createSession(port, { onAway: () => {}, onLost: () => process.exit(1) }, createWorld(index))
  return { session, read: createReader(session), readings: [] as Reading[] }
})
const driver = watchers[0]!.session
const drive = createAutopilot()

const loop = tickLoop(TICK_RATE, () => {
  for (const { session, read, readings } of watchers) {
    session.client.receive(session.world)
    session.client.interpolate(session.world)
    const me = driver.me()
    if (session === driver && me !== undefined) {
      const wanted = drive({ x: Cube.position.x[me]!, y: Cube.position.y[me]! }, performance.now() / 1000)
      session.steer(wanted.x, wanted.y, wanted.force)
    }
    session.client.send(session.world)
    const reading = read()
    if (reading) readings.push(reading)
  }
})
await Promise.all(watchers.map(({ session }, at) => session.enter(CODECS[at]!)))
const wait = (time: number): Promise<void> => new Promise(resolve => setTimeout(resolve, time * 1000))
await wait(3)
for (const { readings } of watchers) readings.length = 0
await wait(seconds)
loop.stop()

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
for (const [at, { readings, session }] of watchers.entries()) {
  const of = (pick: (reading: Reading) => number): number => mean(readings.map(pick))
  const kbps = of(reading => reading.kbps)
  const moving = of(reading => reading.moving)
  const packets = of(reading => reading.packets)
  const raw = of(reading => reading.rawKbps)
  console.log(
    `${CODECS[at]!.padEnd(6)} ${kbps.toFixed(0)} kbps, ${((kbps * 1000) / packets / moving).toFixed(1)} bits a moving cube, ` +
      `${moving.toFixed(0)} cubes moving, ${packets.toFixed(1)} packets/s; raw ${raw.toFixed(0)} kbps: 1/${(raw / kbps).toFixed(0)}; ` +
      `desyncs ${session.client.stats.desyncs}, undecodable ${session.client.stats.undecodable}`,
  )
  session.leave()
}
process.exit(0)
