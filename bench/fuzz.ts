// Mutation fuzzing of everything that reads what others wrote: datagrams against servers and clients with a game running, segments of both
// codecs, messages, handshakes, tables, signalling, DC texts and values.
//   npm run fuzz -- --cases 1000000 [--seed 1] [--jobs 1] [--only 'messages,dc'] [--out fuzz.jsonl]
// Cases come in rounds of 50,000, each with a seed of its own. With `--out` the rounds are kept, and the next call goes on after the last
// seed in there, so that ten million can be run in pieces; the summary is of all of them. Exits with 1 when something threw, hung, held on to
// memory, was taken for what it is not, or when an honest client suffered.
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { bundle } from './bundled.ts'
import type { Round } from './fuzz-rounds.ts'

const ROUND = 50_000
/** Milliseconds that one case may take. */
const TOO_LONG = 3000
/** MB that a process may hold after any round. */
const TOO_LARGE = 400

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
})
const { out, only } = values
const kept: Round[] =
  out && existsSync(out)
    ? readFileSync(out, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    : []
const first = Number(values.seed ?? Math.max(0, ...kept.map(({ seed }) => seed)) + 1)
const rounds = Math.ceil(Number(values.cases) / ROUND)
const jobs = Math.min(Number(values.jobs), rounds)
const results = [...kept]
const file = await bundle('bench/fuzz-rounds.ts')

/** Runs every `jobs`-th round from `job` on; rejects when the process dies. */
const run = async (job: number): Promise<void> => {
  const share = Math.ceil((rounds - job) / jobs)
  const child = spawn(process.execPath, [file, ...[first + job, share, jobs, ROUND].map(String), only], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | string | null>(resolve =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  )
  for await (const line of createInterface(child.stdout)) {
    const round = JSON.parse(line) as Round
    results.push(round)
    if (out) appendFileSync(out, `${line}\n`)
    if (round.failure) console.error(`seed ${round.seed}, ${round.fuzzer}: ${round.failure}`)
    console.error(`seed ${round.seed}, ${round.fuzzer}: ${round.cases} in ${round.seconds.toFixed(1)} s`)
  }
  const code = await ended
  if (code !== 0) {
    console.error(`a process of the fuzzer ended: ${code}`)
    process.exitCode = 1
  }
}

await Promise.all(Array.from({ length: jobs }, (_, job) => run(job)))

const sum = (of: readonly Round[], key: 'cases' | 'accepted' | 'seconds') =>
  of.reduce((all, each) => all + each[key], 0)
const most = (of: readonly Round[], key: 'slowest' | 'heap' | 'rss') => Math.max(0, ...of.map(each => each[key]))
const summarise = (of: readonly Round[]) => ({
  cases: sum(of, 'cases'),
  'taken for sound': sum(of, 'accepted'),
  failures: of.filter(({ failure }) => failure).length,
  'slowest case, ms': Number(most(of, 'slowest').toFixed(2)),
  'cases/s': Math.round(sum(of, 'cases') / sum(of, 'seconds')),
  'heap at most, MB': Math.round(most(of, 'heap')),
  'resident at most, MB': Math.round(most(of, 'rss')),
})
const names = [...new Set(results.map(({ fuzzer }) => fuzzer))]
console.table(
  Object.fromEntries([
    ...names.map(name => [name, summarise(results.filter(({ fuzzer }) => fuzzer === name))]),
    ['all', summarise(results)],
  ]),
)
console.log(`seeds ${Math.min(...results.map(({ seed }) => seed))} to ${Math.max(...results.map(({ seed }) => seed))}`)
const isFine =
  !results.some(({ failure }) => failure) && most(results, 'slowest') < TOO_LONG && most(results, 'heap') < TOO_LARGE
if (!isFine) process.exitCode = 1
