import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { report } from './report.mjs'
import {
  measure,
  simulate,
  type Adapter,
  type Channel,
  type Figures,
  type Network,
  type Snapshot,
} from './interp-simulation.ts'

// How remote motion looks and how well the server's clock is known, on four networks, by the code in dist/:
//   npm run build && node scripts/run.mjs bench/interp.ts --seeds 5 --from 1
// With @geckos.io/snapshot-interpolation installed (npm install --no-save), that is measured beside it, in the same run.
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    from: { type: 'string', default: '1' },
    duration: { type: 'string', default: '60' },
    tickRate: { type: 'string', default: '66' },
    snapRate: { type: 'string', default: '20' },
    frameRate: { type: 'string', default: '60' },
  },
})

const NETWORKS: Record<string, Network> = {
  LAN: { lag: 0.001, jitter: 0.0005, loss: 0, burst: 1 },
  '50+-5 ms': { lag: 0.05, jitter: 0.005, loss: 0, burst: 1 },
  '100+-30 ms, 2 % loss': { lag: 0.1, jitter: 0.03, loss: 0.02, burst: 1.2 },
  '150+-60 ms, 10 % bursts': { lag: 0.15, jitter: 0.06, loss: 0.1, burst: 3 },
  '50+-5 ms, stalls': {
    lag: 0.05,
    jitter: 0.005,
    loss: 0,
    burst: 1,
    stalls: [
      [15, 0.25],
      [25, 0.4],
      [40, 0.3],
    ],
  },
}

type Factory = (options: any) => Adapter

/** geckos.io's own, as its README shows it; its clock is replaced by ours. */
const geckosAdapter = (): Factory | undefined => {
  let SnapshotInterpolation: any
  try {
    ;({ SnapshotInterpolation } = createRequire(import.meta.url)('@geckos.io/snapshot-interpolation'))
  } catch {
    return undefined
  }
  return ({ snapRate, channels, size }: { snapRate: number; channels: Channel[]; size: number }) => {
    let now = 0
    const interpolation = new SnapshotInterpolation(snapRate)
    const set = (local: number) => {
      now = Math.floor(1.7e12 + local * 1000)
      SnapshotInterpolation.Now = () => now
    }
    const shown = new Float64Array(size)
    const plain = channels.filter(({ type }) => type !== 'quat')
    const turning = channels.filter(({ type }) => type === 'quat')
    const xyz = (vals: ArrayLike<number>, { off, dim }: Channel) => ({
      x: vals[off],
      y: dim > 1 ? vals[off + 1] : 0,
      z: dim > 1 ? vals[off + 2] : 0,
    })
    return {
      onSnapshot(local, { tick, serverStamp, vals }: Snapshot) {
        set(local)
        const state = {
          plain: plain.map(channel => ({ id: channel.name, ...xyz(vals, channel) })),
          turning: turning.map(channel => ({
            id: channel.name,
            q: { ...xyz(vals, channel), w: vals[channel.off + 3] },
          })),
        }
        interpolation.snapshot.add({ id: String(tick), time: Math.floor(1.7e12 + serverStamp * 1000), state })
      },
      frame(local) {
        set(local)
        const places = interpolation.calcInterpolation('x y z', 'plain')?.state
        // Its first key is not looked at as a quaternion, whatever it is.
        const turns = interpolation.calcInterpolation('_ q(quat)', 'turning')?.state
        if (!places || !turns) return
        plain.forEach(({ off, dim }, index) => {
          const { x, y, z } = places[index]
          shown.set([x, y, z].slice(0, dim), off)
        })
        turning.forEach(({ off }, index) => {
          const { x, y, z, w } = turns[index].q
          shown.set([x, y, z, w], off)
        })
      },
      read: out => out.set(shown),
      serverTimeEstimate: () =>
        interpolation.timeOffset === -1 ? NaN : (now - interpolation.timeOffset - 1.7e12) / 1000,
    }
  }
}

if (!existsSync(new URL('../dist/time.js', import.meta.url))) {
  console.error('dist/time.js is not there: npm run build first.')
  process.exit(1)
}
const { default: ours } = (await import('./adapters/interp.mjs')) as unknown as { default: Factory }
const geckos = geckosAdapter()
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => Number(values.from) + index)
const COLUMNS: [keyof Figures, string, number][] = [
  ['delay', 'delay ms', 0],
  ['delayDeviation', 'sd', 1],
  ['judder', 'judder %', 2],
  ['backwards', 'back', 0],
  ['smooth', 'error mm', 1],
  ['turn', 'turn mrad', 2],
  ['velocityStep', 'v step m/s', 2],
  ['ghosts', 'ghosts', 2],
  ['bias', 'clock bias ms', 1],
  ['wander', 'wander ms', 2],
  ['convergence', 'found s', 2],
]
const rows: object[] = []
for (const [name, network] of Object.entries(NETWORKS))
  for (const [who, make] of [['bitecs-pipes', ours] as const, ...(geckos ? [['geckos-si', geckos] as const] : [])]) {
    const figures = seeds.map(seed => {
      const rates = {
        tickRate: Number(values.tickRate),
        snapRate: Number(values.snapRate),
        frameRate: Number(values.frameRate),
      }
      const scenario = { network, ...rates, duration: Number(values.duration), ppm: seed % 2 === 0 ? 200 : -200 }
      return measure(simulate(scenario, seed * 1000, make))
    })
    const mean = (key: keyof Figures) => figures.reduce((sum, each) => sum + each[key], 0) / figures.length
    const cells = COLUMNS.map(([key, title, digits]) => [title, Number(mean(key).toFixed(digits))])
    rows.push({ network: name, by: who, ...Object.fromEntries(cells) })
  }
report(
  `Remote motion: ${seeds.length} seeds of ${values.duration} s from ${values.from} on; ${values.tickRate} ticks, ${values.snapRate} snapshots, ${values.frameRate} frames a second`,
  rows,
)
