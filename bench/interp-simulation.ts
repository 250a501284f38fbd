import { quat } from 'gl-matrix'
import { random } from '../src/net/random.ts'

/** How long a datagram takes, and whether it arrives. Seconds. */
export interface Network {
  /** Mean of a skewed delay whose least is `lag - jitter`. */
  readonly lag: number
  readonly jitter: number
  readonly loss: number
  /** Packets that are lost together, on average. */
  readonly burst: number
  /** [when, for how long] everything is held up. */
  readonly stalls?: readonly (readonly [number, number])[]
}

export interface Scenario {
  readonly network: Network
  readonly tickRate: number
  readonly snapRate: number
  readonly frameRate: number
  /** Seconds. */
  readonly duration: number
  /** Millionths by which the client's clock runs fast. */
  readonly ppm: number
}

export interface Channel {
  readonly name: string
  readonly type: 'f32' | 'vec3' | 'quat'
  readonly dim: number
  readonly off: number
  /** Where it is at a server time. */
  readonly at: (time: number, out: Float64Array) => void
  /** How often it was moved elsewhere by then. */
  readonly epoch?: (time: number) => number
}

/** What an adapter does: see `bench/adapters/interp.mjs`. */
export interface Adapter {
  onSnapshot(localNow: number, snapshot: Snapshot): void
  frame(localNow: number, elapsed: number): void
  read(out: Float64Array): void
  serverTimeEstimate(): number
}

export interface Snapshot {
  readonly tick: number
  readonly tickTime: number
  readonly serverStamp: number
  readonly vals: Float64Array
  readonly epoch: number[]
  readonly echo: { readonly t0: number; readonly hold: number; readonly t1: number } | null
}

/** What was on screen. */
export interface Trace {
  readonly channels: readonly Channel[]
  readonly size: number
  readonly times: Float64Array
  /** `[frames x size]`. */
  readonly shown: Float64Array
  /** The estimate of the server's clock. */
  readonly clock: Float64Array
  readonly frames: number
}

const LOCAL_EPOCH = 4321.1

const normalOf = (next: () => number) => (): number =>
  Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())

/** A link: when a datagram sent at `time` arrives; NaN when it is lost. Delays next to each other are alike. */
const linkOf = (network: Network, seed: number) => {
  const next = random(seed)
  const normal = normalOf(next)
  let state = 0
  let last = 0
  let isLosing = false
  return (time: number): number => {
    const kept = Math.exp(-(time - last) / 0.08)
    last = time
    state = kept * state + Math.sqrt(1 - kept * kept) * normal()
    const end = 1 / network.burst
    isLosing = isLosing ? next() >= end : next() < (network.loss * end) / (1 - network.loss)
    let delay = network.lag - network.jitter + network.jitter * Math.min(5, Math.exp(0.6 * state - 0.18))
    for (const [from, length] of network.stalls ?? [])
      if (time >= from && time < from + length) delay = Math.max(delay, from + length - time)
    return isLosing ? NaN : time + delay
  }
}

/** Someone who runs about: up to 6 m/s, 40 m/s^2, another direction each 0.25 to 0.9 s. */
const runner = (seed: number, duration: number) => {
  const next = random(seed)
  const step = 0.001
  const count = Math.ceil(duration / step) + 2
  const places = new Float64Array(2 * count)
  const speed = [0, 0]
  const goal = [0, 0]
  let change = 0
  for (let index = 1; index < count; index++) {
    if (index * step >= change) {
      change = index * step + 0.25 + 0.65 * next()
      const angle = 2 * Math.PI * next()
      const fast = next() < 0.15 ? 0 : 6
      goal[0] = Math.cos(angle) * fast
      goal[1] = Math.sin(angle) * fast
    }
    const off = Math.hypot(goal[0]! - speed[0]!, goal[1]! - speed[1]!)
    const share = off > 40 * step ? (40 * step) / off : 1
    for (const axis of [0, 1]) {
      speed[axis]! += (goal[axis]! - speed[axis]!) * share
      places[2 * index + axis] = places[2 * index - 2 + axis]! + speed[axis]! * step
    }
  }
  return (time: number, axis: number): number => {
    const at = Math.min(Math.max(time / step, 0), count - 2)
    const index = Math.floor(at)
    const from = places[2 * index + axis]!
    return from + (places[2 * index + 2 + axis]! - from) * (at - index)
  }
}

/** The truth: pure functions of server time. `probe` is 5 t, so that what is shown tells the time shown. */
const motionsOf = (seed: number, duration: number): Channel[] => {
  const run = runner(seed, duration)
  const q = quat.create()
  const spin = quat.create()
  const channels: Channel[] = []
  const add = (name: string, type: Channel['type'], at: (t: number) => ArrayLike<number>, epoch?: Channel['epoch']) => {
    const off = channels.reduce((sum, { dim }) => sum + dim, 0)
    const dim = { f32: 1, vec3: 3, quat: 4 }[type]
    channels.push({
      name,
      type,
      dim,
      off,
      at: (time, out) => {
        const values = at(time)
        for (let part = 0; part < dim; part++) out[off + part] = values[part]!
      },
      ...(epoch && { epoch }),
    })
  }
  add('probe', 'f32', t => [5 * t])
  add('circle', 'vec3', t => [3 * Math.cos(2 * t), 0, 3 * Math.sin(2 * t)])
  add('sway', 'vec3', t => [4 * Math.sin(Math.PI * t) + Math.sin(8 * t), 0.3 * Math.sin(12 * t), 0])
  add('runner', 'vec3', t => [run(t, 0), 0, run(t, 1)])
  add('spin', 'quat', t => quat.setAxisAngle(q, [0.6, 0, 0.8], 4 * t))
  add('tumble', 'quat', t => {
    quat.setAxisAngle(q, [0, 0, 1], 2.2 * t)
    return quat.multiply(q, q, quat.setAxisAngle(spin, [1, 0, 0], 1.1 * Math.sin(1.7 * t)))
  })
  const hops = (t: number) => Math.floor(t / 3)
  add('hopper', 'vec3', t => [5 * t + 50 * hops(t), 20 * (hops(t) % 3), 0], hops)
  return channels
}

/** Plays a scenario to an adapter. */
export const simulate = (scenario: Scenario, seed: number, makeAdapter: (options: object) => Adapter): Trace => {
  const { network, tickRate, snapRate, frameRate, duration, ppm } = scenario
  const channels = motionsOf(seed, duration)
  const size = channels.reduce((sum, { dim }) => sum + dim, 0)
  const adapter = makeAdapter({ tickRate, snapRate, frameRate, channels, size, interp: 0.1, interpRatio: 2 })
  const local = (time: number) => LOCAL_EPOCH + time * (1 + ppm * 1e-6)
  const next = random(seed + 1)
  const events: { readonly time: number; readonly run: () => void }[] = []
  const up = linkOf(network, seed + 2)
  const arrivals: { readonly t0: number; readonly t1: number }[] = []
  for (let time = 0.02; time < duration; time += 1 / 30) {
    const t1 = up(time)
    if (!Number.isNaN(t1)) arrivals.push({ t0: local(time), t1 })
  }
  const down = linkOf(network, seed + 3)
  let due = 0
  for (let tick = 1; tick / tickRate < duration; tick++) {
    const time = tick / tickRate
    if (time < due - 1e-9) continue
    due = Math.max(due + 1 / snapRate, time)
    const arrival = down(time)
    if (Number.isNaN(arrival)) continue
    const vals = new Float64Array(size)
    for (const channel of channels) channel.at(time, vals)
    const heard = arrivals.filter(({ t1 }) => t1 <= time).reduce((a, b) => (a.t0 > b.t0 ? a : b), { t0: -1, t1: 0 })
    const snapshot: Snapshot = {
      tick,
      tickTime: time,
      serverStamp: time,
      vals,
      epoch: channels.map(({ epoch }) => epoch?.(time + 1e-9) ?? 0),
      echo: heard.t0 < 0 ? null : { t0: heard.t0, hold: time - heard.t1, t1: heard.t1 },
    }
    events.push({ time: arrival, run: () => adapter.onSnapshot(local(arrival), snapshot) })
  }
  const times: number[] = []
  const shown: number[] = []
  const clock: number[] = []
  const out = new Float64Array(size)
  for (let time = 0.01, elapsed = 1 / frameRate; time < duration; time += elapsed) {
    // Now and then a frame is left out.
    elapsed = (1 / frameRate) * (next() < 0.004 ? 2 : 1) + 0.0008 * (next() - 0.5)
    const since = elapsed
    events.push({
      time,
      run: () => {
        adapter.frame(local(time), since)
        adapter.read(out)
        times.push(time)
        shown.push(...out)
        clock.push(adapter.serverTimeEstimate())
      },
    })
  }
  events.sort((a, b) => a.time - b.time)
  for (const { run } of events) run()
  return {
    channels,
    size,
    times: Float64Array.from(times),
    shown: Float64Array.from(shown),
    clock: Float64Array.from(clock),
    frames: times.length,
  }
}

export interface Figures {
  /** Milliseconds between the server's now and what is shown, and how much that wanders. */
  delay: number
  delayDeviation: number
  /** Root mean square of d(shown time)/d(time) - 1, percent; frames that ran backwards. */
  judder: number
  backwards: number
  /** Distance to the truth, shown with the slowly varying delay: millimetres of the smooth motions, milliradians of turns. */
  smooth: number
  turn: number
  /** 99th percentile of the change of velocity between frames in excess of the truth's, m/s. */
  velocityStep: number
  /** Frames a teleport that show a place where it never was. */
  ghosts: number
  /** Of the server's clock: milliseconds of median error and of wander around it; seconds until within 10 ms for good. */
  bias: number
  wander: number
  convergence: number
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const rmsOf = (values: readonly number[]) => Math.sqrt(meanOf(values.map(value => value * value)))
const quantile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]!

const distance = ({ type, dim, off }: Channel, a: Float64Array, b: Float64Array): number => {
  if (type === 'quat') {
    let dot = 0
    for (let part = off; part < off + 4; part++) dot += a[part]! * b[part]!
    // By the sine: the cosine of a small angle says nothing.
    let square = 0
    for (let part = off; part < off + 4; part++) square += (a[part]! * Math.sign(dot) - b[part]!) ** 2
    return 4 * Math.asin(Math.min(1, Math.sqrt(square) / 2))
  }
  let square = 0
  for (let part = off; part < off + dim; part++) square += (a[part]! - b[part]!) ** 2
  return Math.sqrt(square)
}

/** Turns a trace into figures, from `from` seconds on. All of it is computed from what was on screen, and the clock. */
export const measure = (trace: Trace, from = 10): Figures => {
  const { channels, size, times, shown, clock, frames } = trace
  const row = (frame: number) => shown.subarray(frame * size, (frame + 1) * size)
  const first = times.findIndex(time => time >= from)
  const indexes = Array.from({ length: frames - first }, (_, index) => first + index)
  const shownTime = (frame: number) => shown[frame * size]! / 5
  const delays = indexes.map(frame => times[frame]! - shownTime(frame))
  const delay = meanOf(delays)
  const rates = indexes
    .slice(1)
    .map(frame => (shownTime(frame) - shownTime(frame - 1)) / (times[frame]! - times[frame - 1]!) - 1)
  // To be shown a little later for a while is no error but a delay: what counts is what differs from its slow course.
  const half = Math.round((indexes.length / (times.at(-1)! - from)) * 0.5)
  const smoothed = smoothOver(smoothOver(delays, half), half)
  const truth = new Float64Array(size)
  const named = (name: string) => channels.find(channel => channel.name === name)!
  const errors = (name: string) =>
    indexes.map((frame, index) => {
      const channel = named(name)
      channel.at(Math.max(0, times[frame]! - smoothed[index]!), truth)
      return distance(channel, row(frame), truth)
    })
  const ofAll = (names: readonly string[]) => 1000 * rmsOf(names.flatMap(errors))
  const errorsOfClock = indexes.map(frame => clock[frame]! - times[frame]!)
  const bias = quantile(errorsOfClock, 0.5)
  let convergence = times.at(-1)!
  for (let frame = frames - 1; frame >= 0 && Math.abs(clock[frame]! - times[frame]! - bias) < 0.01; frame--)
    convergence = times[frame]!
  return {
    delay: 1000 * delay,
    delayDeviation: 1000 * rmsOf(delays.map(each => each - delay)),
    judder: 100 * rmsOf(rates),
    backwards: rates.filter(rate => rate < -1 - 1e-4).length,
    smooth: ofAll(['circle', 'sway', 'runner']),
    turn: ofAll(['spin', 'tumble']),
    velocityStep: quantile(velocitySteps(trace, named('runner'), indexes, smoothed), 0.99),
    ghosts: ghostsOf(trace, named('hopper'), indexes, smoothed),
    bias: 1000 * bias,
    wander: 1000 * rmsOf(errorsOfClock.map(error => error - bias)),
    convergence,
  }
}

const smoothOver = (values: readonly number[], half: number): number[] => {
  const sums = [0]
  for (const value of values) sums.push(sums.at(-1)! + value)
  return values.map((_, index) => {
    const to = Math.min(values.length, index + half + 1)
    const at = Math.max(0, index - half)
    return (sums[to]! - sums[at]!) / (to - at)
  })
}

const velocitySteps = (
  { size, times, shown }: Trace,
  channel: Channel,
  indexes: readonly number[],
  delays: readonly number[],
): number[] => {
  const truth = new Float64Array(size)
  const before = new Float64Array(size)
  const excess = indexes.slice(1).map((frame, index) => {
    const elapsed = times[frame]! - times[frame - 1]!
    channel.at(times[frame - 1]! - delays[index]!, before)
    channel.at(times[frame]! - delays[index + 1]!, truth)
    return [0, 2].map(axis => {
      const at = channel.off + axis
      return (shown[frame * size + at]! - shown[(frame - 1) * size + at]! - truth[at]! + before[at]!) / elapsed
    })
  })
  return excess.slice(1).map((each, index) => Math.hypot(each[0]! - excess[index]![0]!, each[1]! - excess[index]![1]!))
}

const ghostsOf = (
  { size, times, shown }: Trace,
  channel: Channel,
  indexes: readonly number[],
  delays: readonly number[],
): number => {
  const truth = new Float64Array(size)
  let ghosts = 0
  indexes.forEach((frame, index) => {
    const row = shown.subarray(frame * size, (frame + 1) * size)
    for (let off = -0.4; off <= 0.4; off += 0.01) {
      channel.at(Math.max(0, times[frame]! - delays[index]! + off), truth)
      if (distance(channel, row, truth) < 0.5) return
    }
    ghosts++
  })
  const last = indexes.length - 1
  return ghosts / (channel.epoch!(times[indexes[last]!]!) - channel.epoch!(times[indexes[0]!]!))
}
