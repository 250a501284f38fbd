import {
  createPlayout,
  playoutAdvance,
  playoutPacket,
  type Playout,
  type PlayoutOptions,
} from '../../src/net/playout.ts'
import { clockSample, createServerClock, serverTime, type ServerClock } from '../../src/net/clock.ts'
import { memoryNetwork, type MemoryNetwork } from '../../src/net/memory.ts'
import type { LinkConditions } from '../../src/net/conditioner.ts'

export interface Simulation {
  /** Seconds of true time. */
  duration: number
  conditions?: Partial<LinkConditions>
  playout?: PlayoutOptions
  seed?: number
  /** Server seconds per true second at a true time; default 1. */
  speed?: (time: number) => number
  /** Whether the server sends at a true time; default always. */
  sends?: (time: number) => boolean
  /** Whether the client draws a frame and reads its datagrams at a true time; default always. */
  awake?: (time: number) => boolean
  /** Called each millisecond, to change the network. */
  each?: (time: number, network: MemoryNetwork) => void
}

export interface Frame {
  /** True time, true server time, displayed server time, newest received, the clock's estimate; seconds. */
  time: number
  server: number
  shown: number
  newest: number
  clock: number
  offset: number
  rate: number
}

// Neither clock starts at zero, and they have nothing to do with each other.
const SERVER_EPOCH = 5000
const LOCAL_EPOCH = 123456

/**
 * A server at 66 ticks and 20 snapshots a second, one client at 60 frames a second, in 1 ms steps of a virtual clock.
 */
export async function simulate(
  options: Simulation,
): Promise<{ frames: Frame[]; playout: Playout; clock: ServerClock; network: MemoryNetwork }> {
  let time = 0
  const network = memoryNetwork({ seed: options.seed ?? 1, now: () => time, conditions: options.conditions ?? {} })
  const playout = createPlayout(options.playout)
  const clock = createServerClock()
  const frames: Frame[] = []
  const local = () => time + LOCAL_EPOCH
  let server = SERVER_EPOCH
  let echo = NaN
  let echoTime = 0
  let reply: (packet: Uint8Array) => void = () => {}
  await network.server.listen(connection => {
    reply = packet => connection.send(packet)
    connection.onPacket = packet => {
      echo = readDoubles(packet)[0]!
      echoTime = server
    }
  })
  const connection = await network.client().connect()
  const inbox: Uint8Array[] = []
  connection.onPacket = packet => inbox.push(packet)

  let tick = 0
  let snapshot = 0
  for (let step = 0; step <= options.duration * 1000; step++) {
    time = step / 1000
    options.each?.(time, network)
    server += (options.speed?.(time) ?? 1) / 1000
    const ticksNow = Math.floor((server - SERVER_EPOCH) * 66)
    if (ticksNow > tick) {
      tick = ticksNow
      const snapshotNow = Math.floor((tick / 66) * 20)
      if (snapshotNow > snapshot) {
        snapshot = snapshotNow
        if (options.sends?.(time) ?? true) reply(doubles(SERVER_EPOCH + tick / 66, echo, server - echoTime, server))
      }
    }
    network.deliver()
    if (!(options.awake?.(time) ?? true)) continue
    for (const packet of inbox.splice(0)) {
      const [stamp, sent, hold, at] = readDoubles(packet)
      playoutPacket(playout, local(), stamp!)
      if (!Number.isNaN(sent)) clockSample(clock, sent!, local(), at!, hold!)
    }
    if (step % 50 === 25) connection.send(doubles(local()))
    if (Math.floor((step * 60) / 1000) === Math.floor(((step - 1) * 60) / 1000)) continue
    const shown = playoutAdvance(playout, local())
    const { newest, offset, rate } = playout
    frames.push({ time, server, shown, newest, offset, rate, clock: serverTime(clock, local()) })
  }
  return { frames, playout, clock, network }
}

/** Frames from one true time to another. */
export function between(frames: Frame[], from: number, to: number): Frame[] {
  return frames.filter(frame => frame.time >= from && frame.time < to)
}

/** Root mean square of d(displayed)/d(server time) - 1 per frame. */
export function judder(frames: Frame[]): number {
  return Math.sqrt(mean(pairs(frames).map(([a, b]) => ((b.shown - a.shown) / (b.server - a.server) - 1) ** 2)))
}

/** Share of frames that show a time beyond the newest data. */
export function starved(frames: Frame[]): number {
  return mean(frames.map(frame => (frame.shown > frame.newest ? 1 : 0)))
}

/** Mean of server time minus displayed time, seconds. */
export function delay(frames: Frame[]): number {
  return mean(frames.map(frame => frame.server - frame.shown))
}

export function backwards(frames: Frame[], of: 'shown' | 'clock' = 'shown'): number {
  return pairs(frames).filter(([a, b]) => b[of] < a[of]).length
}

export function pairs<T>(items: T[]): [T, T][] {
  return items.slice(1).map((item, i) => [items[i]!, item])
}

export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function doubles(...values: number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(values).buffer)
}

function readDoubles(packet: Uint8Array): Float64Array {
  return new Float64Array(packet.slice().buffer)
}
