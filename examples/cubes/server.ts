import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { tickLoop } from 'bitecs-pipes/server'
import { CODECS, SEATS, SMALL_CUBES, TICK_RATE } from './scene.ts'
import { POSE, type Frame, type Notice, type Seat } from './server/bus.ts'
import { createSimulation } from './server/simulation.ts'

// The simulation, in a process of its own: two servers, one for each codec, hear from it what moved, once a tick.

/** Seconds that a cube waits for a player who left: switching the codec takes less. */
const KEPT = 5
/** Ticks that the small cubes get to lie still before anybody comes. */
const SETTLING = 240

interface Taken extends Seat {
  readonly ticket: string
  /** Seconds of our clock; Infinity while the player is there. */
  readonly until: number
}

const port = Number(process.env.GAME_PORT ?? 9208)
const now = (): number => performance.now() / 1000
const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

const seats: (Taken | undefined)[] = Array.from({ length: SEATS })
let isSeatingNew = true
let isStopping = false

const servers = CODECS.map((codec, index) => {
  const child = fork(path('../../scripts/run.mjs'), [path('./server/gateway.ts')], {
    serialization: 'advanced',
    env: { ...process.env, CODEC: codec, GAME_PORT: String(port + index) },
  })
  const ready = new Promise<void>(resolve => {
    child.on('message', (notice: Notice) => (notice.kind === 'ready' ? resolve() : hear(notice)))
  })
  const ended = new Promise(resolve => child.once('exit', resolve))
  void ended.then(code => {
    if (isStopping) return
    console.error(`The server with codec ${codec} ended (code ${code}).`)
    process.exit(1)
  })
  const seatOf = (client: number): number => seats.findIndex(each => each?.codec === codec && each.client === client)
  const hear = (notice: Exclude<Notice, { kind: 'ready' }>): void => {
    if (notice.kind === 'join') sit(notice.ticket, { codec, client: notice.client })
    const seat = seatOf(notice.client)
    if (seat < 0) return
    if (notice.kind === 'steer') simulation.steer(seat, notice.x, notice.y, notice.force)
    if (notice.kind === 'leave') {
      simulation.steer(seat, 0, 0, 0)
      seats[seat] = { ...seats[seat]!, codec: undefined, client: 0, until: now() + KEPT }
      isSeatingNew = true
    }
  }
  return {
    ready,
    ended,
    send: (frame: Frame) => child.connected && child.send(frame),
    stop: () => child.kill('SIGTERM'),
  }
})

/** Gives a player its cube back if it waits, else one at a free seat. */
function sit(ticket: string, who: Pick<Seat, 'codec' | 'client'>): void {
  const waiting = seats.findIndex(each => each?.codec === undefined && each?.ticket === ticket)
  const free = seats.findIndex(each => !each)
  // All are taken only while some wait for players who left: the first of them waited long enough.
  const seat = [waiting, free, seats.findIndex(each => each?.codec === undefined)].find(each => each >= 0)
  if (seat === undefined) return
  if (seat !== waiting) {
    simulation.removePlayer(seat)
    simulation.addPlayer(seat)
  }
  seats[seat] = { ...who, seat, ticket, until: Infinity }
  isSeatingNew = true
}

function clearSeats(): void {
  for (const each of seats) {
    if (!each || each.until > now()) continue
    simulation.removePlayer(each.seat)
    seats[each.seat] = undefined
    isSeatingNew = true
  }
}

const simulation = await createSimulation()
for (let tick = 0; tick < SETTLING && simulation.step() > 0; tick++);
await Promise.all(servers.map(({ ready }) => ready))
// What everything was like before the first tick.
simulation.isChanged.fill(1, 0, SMALL_CUBES)
let ticks = 0
let changes = 0

const publish = (): void => {
  const indices = Uint16Array.from(Array.from(simulation.isChanged.keys()).filter(at => simulation.isChanged[at] === 1))
  const poses = new Float32Array(indices.length * POSE)
  indices.forEach((at, n) => poses.set(simulation.poses.subarray(at * POSE, (at + 1) * POSE), n * POSE))
  const taken = seats.flatMap(each => (each ? [{ seat: each.seat, codec: each.codec, client: each.client }] : []))
  for (const { send } of servers) send({ indices, poses, ticks, changes, seats: isSeatingNew ? taken : undefined })
  isSeatingNew = false
}
publish()

const loop = tickLoop(TICK_RATE, () => {
  clearSeats()
  changes += simulation.step()
  ticks++
  publish()
})

console.log(`cubes ready on ports ${CODECS.map((codec, index) => `${port + index} (${codec})`).join(' and ')}`)

async function stop(): Promise<void> {
  isStopping = true
  loop.stop()
  for (const each of servers) each.stop()
  await Promise.all(servers.map(({ ended }) => ended))
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
