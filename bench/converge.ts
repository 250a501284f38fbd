// Plays the convergence oracle on many seeds, in several processes:
// `npm run converge -- --seeds 100000 [--first 1] [--processes 2] [--failures 5]`
// `npm run converge -- --seed 4711` plays one seed and says what happens in it.
// `--without show,rates` leaves kinds of events out (other seeds then: chance falls otherwise).
// `--save folder` writes the smallest scenarios there, `--scenario folder/4711.json` plays one again, whatever seeds mean by then.
// `--disabled 2` has clients keep objects that they do not see any more for 2 seconds.
// `--shared` has all worlds share one schema, as in a listen server.
// Exits with 1 when a seed failed; each is printed with the smallest scenario that fails like it.
import { fork } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createSchema } from 'bitecs-pipes'
import {
  createScenario,
  describeScenario,
  explain,
  play,
  playSeed,
  prepareGame,
  WEIGHTS,
  type Outcome,
  type Scenario,
} from 'bitecs-pipes/testing'
import { MENAGERIE } from '../test/support/menagerie.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    processes: { type: 'string', default: String(Math.min(2, cpus().length)) },
    failures: { type: 'string', default: '5' },
    save: { type: 'string', default: '' },
    scenario: { type: 'string' },
    without: { type: 'string', default: '' },
    shared: { type: 'boolean', default: false },
    disabled: { type: 'string', default: '0' },
    part: { type: 'string' },
  },
})

const whole = (name: 'seeds' | 'first' | 'seed' | 'processes' | 'failures' | 'part'): number => {
  const number = Number(values[name])
  if (Number.isInteger(number) && number >= 0) return number
  console.error(`--${name} is ${values[name]}: give a whole number.`)
  process.exit(2)
}

/** What a process tells about seeds that went well, and about one that did not. */
type Report =
  | {
      readonly kind: 'progress'
      readonly seeds: number
      readonly ticks: number
      readonly bytes: number
      readonly slowest: number
      readonly slowestSeed: number
    }
  | { readonly kind: 'failure'; readonly seed: number; readonly text: string }

const prepared = prepareGame({
  schema: values.shared ? createSchema(MENAGERIE) : MENAGERIE,
  client: { disabledTime: Number(values.disabled) },
})
const left = values.without.split(',').filter(Boolean)
const unknown = left.filter(kind => !(kind in WEIGHTS))
if (unknown.length > 0) {
  console.error(`--without ${unknown.join()}: there are ${Object.keys(WEIGHTS).join(', ')}.`)
  process.exit(2)
}
const weights = Object.fromEntries(left.map(kind => [kind, 0]))
const command = (seed: number) =>
  `npm run converge -- --seed ${seed}${values.shared ? ' --shared' : ''}${values.disabled === '0' ? '' : ` --disabled ${values.disabled}`}${left.length > 0 ? ` --without ${left.join()}` : ''}`
/** Seeds that a process plays between two reports. */
const BATCH = 50

/** One of several processes: every so many'th seed is its own. */
const playPart = async (part: number, processes: number, first: number, seeds: number) => {
  const tell = (report: Report) => process.send!(report)
  let sum = { seeds: 0, ticks: 0, bytes: 0, slowest: 0, slowestSeed: first }
  const add = (seed: number, outcome: Outcome) => {
    sum.seeds++
    sum.ticks += outcome.ticks
    sum.bytes += outcome.bytes
    if (outcome.settled > sum.slowest) Object.assign(sum, { slowest: outcome.settled, slowestSeed: seed })
  }
  for (let seed = first + part; seed < first + seeds; seed += processes) {
    const { scenario, outcome } = await playSeed(prepared, seed, { weights })
    add(seed, outcome)
    if (outcome.failure) tell({ kind: 'failure', seed, text: await tellOf(seed, scenario, outcome) })
    if (sum.seeds < BATCH) continue
    tell({ kind: 'progress', ...sum })
    sum = { seeds: 0, ticks: 0, bytes: 0, slowest: 0, slowestSeed: seed }
    // Lets timers of sessions that are over end, and the parent's wish to stop come through.
    await new Promise(resolve => setTimeout(resolve, 0))
  }
  tell({ kind: 'progress', ...sum })
  process.disconnect()
}

const playAll = async (first: number, seeds: number, processes: number, mostFailures: number) => {
  const start = performance.now()
  const total = { seeds: 0, ticks: 0, bytes: 0, slowest: 0, slowestSeed: first }
  const failed: number[] = []
  const seconds = () => (performance.now() - start) / 1000
  const progress = () =>
    `${total.seeds} of ${seeds} seeds, ${failed.length} failed, ${Math.round(seconds())} s, ` +
    `${(total.seeds / seconds()).toFixed(1)} a second`
  const ends = Array.from({ length: processes }, (_, part) => {
    const given = { part, seeds, first, processes, without: values.without, save: values.save }
    const args = ['bench/converge.ts', ...Object.entries(given).map(([name, value]) => `--${name}=${value}`)]
    if (values.shared) args.push('--shared')
    args.push('--disabled', values.disabled)
    const child = fork('scripts/run.mjs', args)
    child.on('message', (report: Report) => {
      if (report.kind === 'failure') {
        failed.push(report.seed)
        console.log(`\n${report.text}\n`)
        return
      }
      total.seeds += report.seeds
      total.ticks += report.ticks
      total.bytes += report.bytes
      if (report.slowest > total.slowest)
        Object.assign(total, { slowest: report.slowest, slowestSeed: report.slowestSeed })
    })
    const stop = () => child.kill()
    return { child, stop, end: new Promise<number | null>(resolve => child.on('exit', resolve)) }
  })
  const timer = setInterval(() => {
    console.log(progress())
    if (failed.length < mostFailures) return
    console.log(`${mostFailures} failures are enough.`)
    for (const { stop } of ends) stop()
  }, 5000)
  const codes = await Promise.all(ends.map(({ end }) => end))
  clearInterval(timer)
  console.log(progress())
  console.table({
    seeds: total.seeds,
    'virtual hours': Math.round((total.ticks / 30 / 3600) * 10) / 10,
    'megabytes sent': Math.round(total.bytes / 1e6),
    'slowest to settle, seconds': Math.round(total.slowest * 100) / 100,
    'which was seed': total.slowestSeed,
    failed: failed.sort((a, b) => a - b).join(' ') || 'none',
  })
  process.exit(failed.length > 0 || codes.some(code => code !== 0) ? 1 : 0)
}

/** Makes a failing scenario small, keeps it if asked to, and puts it into words. */
const tellOf = async (seed: number, scenario: Scenario, outcome: Outcome): Promise<string> => {
  const small = await explain(prepared, scenario, outcome, { command, shrink: { runs: 2000, seconds: 60 } })
  if (values.save === '') return small.text
  mkdirSync(values.save, { recursive: true })
  const file = join(values.save, `${seed}.json`)
  writeFileSync(file, JSON.stringify(small.scenario))
  return `${small.text}\nor: npm run converge -- --scenario ${file}`
}

/** Plays one scenario and says what happens in it. */
const playOne = async (scenario: Scenario) => {
  const outcome = await play(prepared, scenario, { isLogged: true })
  const { log, ...rest } = outcome
  console.log([...describeScenario(scenario), ...log.map(line => `  ${line}`)].join('\n'))
  console.log(rest)
  if (outcome.failure && values.scenario === undefined)
    console.log(`\n${await tellOf(scenario.seed, scenario, outcome)}`)
  process.exit(outcome.failure ? 1 : 0)
}

if (values.part !== undefined) await playPart(whole('part'), whole('processes'), whole('first'), whole('seeds'))
else if (values.scenario !== undefined) await playOne(JSON.parse(readFileSync(values.scenario, 'utf8')))
else if (values.seed !== undefined) await playOne(createScenario(whole('seed'), prepared.cast, { weights }))
else await playAll(whole('first'), whole('seeds'), whole('processes'), whole('failures'))
