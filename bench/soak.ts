// Does a server that people come to and go from all day stay as it is? A real server over geckos.io and its players, a process each; a
// player leaves and another comes every 2 s. Memory and handles of both are sampled, and the slope of each is fitted.
//   npm run soak -- --minutes 60 [--players 8] [--period 2] [--every 10] [--out samples.csv]
// Exits with 1 when something grew by more than its bound, a player was lost, or an error was reported.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { bundle } from './bundled.ts'
import type { Resources } from './resources.ts'

/** What each may grow by over the measured time, whatever that is. */
const BOUNDS: Readonly<Record<'server' | 'players', Readonly<Record<keyof Resources, number>>>> = {
  server: { rss: 16, heap: 4, external: 4, descriptors: 4, threads: 2, handles: 4 },
  // Eight whole clients, and those that geckos' timers hold for ten seconds more.
  players: { rss: 48, heap: 8, external: 8, descriptors: 8, threads: 2, handles: 16 },
}
/** Share of the samples that is left out: the time of the first players, and of compilers. */
const WARM_UP = 0.2

type Sample = Resources & Record<string, number>

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    players: { type: 'string', default: '8' },
    period: { type: 'string', default: '2' },
    every: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
})
const [minutes, every] = [Number(values.minutes), Number(values.every)]

const wait = (seconds: number) => new Promise(resolve => setTimeout(resolve, seconds * 1000))

const start = async (file: string, args: string[] = []): Promise<ChildProcess> => {
  const child = fork(await bundle(file), args, { execArgv: [] })
  child.once('exit', (code, signal) => {
    console.error(`${file} ended: ${code ?? signal}`)
    process.exit(1)
  })
  return child
}
const ask = async <T>(child: ChildProcess): Promise<T> => {
  const answer = once(child, 'message')
  child.send('sample')
  return (await answer)[0] as T
}

/** The median of the slopes between all pairs of samples (Theil and Sen), a minute: single outliers do not count. */
const slopeOf = (times: readonly number[], samples: readonly number[]): number => {
  const slopes: number[] = []
  for (let a = 0; a < times.length; a++)
    for (let b = a + 1; b < times.length; b++) slopes.push((samples[b]! - samples[a]!) / (times[b]! - times[a]!))
  return slopes.sort((a, b) => a - b)[slopes.length >> 1] ?? 0
}

const schema = /const DC = `([^`]*)`/.exec(readFileSync('bench/soak-server.ts', 'utf8'))![1]!
const server = await start('bench/soak-server.ts')
const [{ port }] = (await once(server, 'message')) as [{ port: number }]
const players = await start('bench/soak-players.ts', [
  String(port),
  values.players,
  String(Number(values.period) * 1000),
  schema,
])
await once(players, 'message')

const begin = performance.now()
const times: number[] = []
const samples: Record<'server' | 'players', Sample[]> = { server: [], players: [] }
const write = (who: string, minute: number, sample: Sample) => {
  if (!values.out) return
  if (times.length === 1 && who === 'server') writeFileSync(values.out, '')
  appendFileSync(values.out, `${JSON.stringify({ who, minute: +minute.toFixed(2), ...sample })}\n`)
}

/** Prints what came of it so far; true when all is within its bounds. */
const report = (): boolean => {
  const first = Math.floor(times.length * WARM_UP)
  const kept = times.slice(first)
  const span = kept.at(-1)! - kept[0]!
  let isFine = true
  for (const who of ['server', 'players'] as const) {
    const rows = (Object.keys(BOUNDS[who]) as (keyof Resources)[]).map(name => {
      const series = samples[who].slice(first).map(sample => sample[name])
      const growth = slopeOf(kept, series) * span
      if (growth > BOUNDS[who][name]) isFine = false
      const round = (value: number) => Number(value.toFixed(2))
      return {
        what: name,
        first: round(series[0]!),
        last: round(series.at(-1)!),
        'per hour': round((growth / span) * 60),
        growth: round(growth),
        'at most': BOUNDS[who][name],
      }
    })
    console.log(
      `${who}, ${span.toFixed(1)} minutes after ${kept[0]!.toFixed(1)} of warm-up, fitted (Theil-Sen); MB or number`,
    )
    console.table(rows)
  }
  const [last, lastPlayers] = [samples.server.at(-1)!, samples.players.at(-1)!]
  const { joined, left, clients, connections, objects, errors, lateTicks } = last
  const { lost, failures, slowest } = lastPlayers
  console.table({
    joined,
    left,
    clients,
    connections,
    objects,
    errors,
    lateTicks,
    lost,
    failures,
    slowest: Math.round(slowest!),
  })
  return isFine && errors === 0 && lost === 0 && failures! <= joined! / 100
}

while (performance.now() - begin < minutes * 60_000) {
  await wait(every)
  const minute = (performance.now() - begin) / 60_000
  const both = await Promise.all([ask<Sample>(server), ask<Sample>(players)])
  times.push(minute)
  for (const [index, who] of (['server', 'players'] as const).entries()) {
    samples[who].push(both[index]!)
    write(who, minute, both[index]!)
  }
  // Who stops it early reads the last of these.
  if (times.length % Math.ceil(300 / every) === 0) report()
}
const isFine = report()
console.log(isFine ? 'passed' : 'FAILED')
process.exit(isFine ? 0 : 1)
