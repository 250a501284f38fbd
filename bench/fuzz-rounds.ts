// Rounds of `bench/fuzz.ts`, bundled, in a process of their own: each is told on a line.
import { isDeepStrictEqual } from 'node:util'
import { fuzzCase } from '../test/codec/support.ts'
import { fuzz as fuzzDC } from '../test/dc/fuzz.ts'
import { fuzz as fuzzSessions } from '../test/net/fuzz.ts'
import { fuzzAnswers, fuzzMessages, fuzzPlainSegments, fuzzTables, type FuzzReport } from '../test/net/fuzz-decoders.ts'
import { createThreadClock } from '../test/geckos/support/thread-clock.ts'
import { resources } from './resources.ts'

const cpu = createThreadClock()

type Fuzzer = (cases: number, seed: number) => FuzzReport | Promise<FuzzReport>

/** Mutations of one segment. */
const MUTATIONS = 500

/** Datagrams to a server with a game running, and to its clients: packets, segments, messages and handshakes as they come. */
const datagrams: Fuzzer = async (cases, seed) => {
  const start = cpu()
  const { differences, states, violations, undecodable, malformedAtClients, toServer, toClients } = await fuzzSessions(
    cases,
    seed,
  )
  const report: FuzzReport = {
    accepted: toServer + toClients - (violations['malformed'] ?? 0) - malformedAtClients - undecodable,
    slowest: (cpu() - start) / cases,
  }
  if (states.some(state => state !== 'connected') || differences.some(([seen, real]) => !isDeepStrictEqual(seen, real)))
    report.failure = `an honest client suffered: ${states.join(', ')}`
  return report
}

/** Segments of the range coder. */
const segments: Fuzzer = (cases, seed) => {
  const report: FuzzReport = { accepted: 0, slowest: 0 }
  for (let done = 0; done < cases && !report.failure; done += MUTATIONS) {
    const count = Math.min(MUTATIONS, cases - done)
    const start = cpu()
    const { accepted, wrong } = fuzzCase(seed * 1000 + done / MUTATIONS, count)
    report.slowest = Math.max(report.slowest, (cpu() - start) / count)
    report.accepted += accepted
    if (wrong) report.failure = wrong
  }
  return report
}

/** DC texts, value texts, packed bytes and values. */
const dc: Fuzzer = (cases, seed) => {
  const { counts, slowest, failure } = fuzzDC(cases, seed)
  const sum = (ending: string) =>
    Object.entries(counts).reduce((all, [name, count]) => (name.endsWith(ending) ? all + count : all), 0)
  return { accepted: sum('accepted'), slowest, ...(failure && { failure }) }
}

/** The fuzzers, and of each thousand cases how many are theirs. */
const SHARES: Record<string, [number, Fuzzer]> = {
  datagrams: [150, datagrams],
  'range segments': [300, segments],
  'plain segments': [100, fuzzPlainSegments],
  messages: [370, fuzzMessages],
  tables: [10, fuzzTables],
  signalling: [40, fuzzAnswers],
  dc: [30, dc],
}

/** One round of one fuzzer. */
export interface Round {
  seed: number
  fuzzer: string
  cases: number
  accepted: number
  /** Milliseconds of CPU time; of fuzzers that run many at once, the mean of the slowest of those. */
  slowest: number
  seconds: number
  /** MB after a garbage collection. */
  heap: number
  rss: number
  failure?: string
}

const [first, rounds, step, cases, only] = process.argv.slice(2)
for (let round = 0; round < Number(rounds); round++) {
  const seed = Number(first) + round * Number(step)
  for (const [fuzzer, [share, fuzz]] of Object.entries(SHARES)) {
    if (only && !only.split(',').includes(fuzzer)) continue
    const count = Math.round((Number(cases) * share) / 1000)
    const start = performance.now()
    let report: FuzzReport
    try {
      report = await fuzz(count, seed)
    } catch (error) {
      report = { accepted: 0, slowest: 0, failure: `threw ${(error as Error).stack}` }
    }
    const seconds = (performance.now() - start) / 1000
    // Timers of clients see that their sessions are over.
    await new Promise(resolve => setTimeout(resolve, 200))
    const { heap, rss } = resources()
    const { accepted, slowest, failure } = report
    const told: Round = { seed, fuzzer, cases: count, accepted, slowest, seconds, heap, rss }
    console.log(JSON.stringify(failure ? { ...told, failure } : told))
  }
}
