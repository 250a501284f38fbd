import type { LinkConditions } from '../net/conditioner.ts'
import { prepareGame, type Game, type PreparedGame } from './game.ts'
import { play, type Outcome, type RunOptions } from './run.ts'
import { createScenario, type Scenario, type ScenarioOptions } from './scenario.ts'
import { shrink, type Shrunk, type ShrinkOptions } from './shrink.ts'

export interface ConvergeOptions extends ScenarioOptions, RunOptions {
  /** How many seeds. Default 100. */
  readonly seeds?: number
  /** The first one. Default 1. */
  readonly first?: number
  /** How hard to try to make a failing scenario small. */
  readonly shrink?: Pick<ShrinkOptions, 'runs' | 'seconds'>
  /** The command that plays a seed again, for the report. Default: the call. */
  readonly command?: (seed: number) => string
  /** Told after each seed. */
  readonly onSeed?: (seed: number, outcome: Outcome) => void
}

/** What all seeds together were. */
export interface ConvergeReport {
  readonly seeds: number
  readonly ticks: number
  readonly clients: number
  readonly objects: number
  /** Sent, both ways. */
  readonly datagrams: number
  readonly bytes: number
  /** Seconds of quiet that the slowest seed took until every client showed what it should, and which seed that was. */
  readonly slowest: number
  readonly slowestSeed: number
}

/** A seed that failed, with the smallest scenario that fails like it. */
export interface Divergence extends Shrunk {
  readonly seed: number
  readonly original: Scenario
  readonly failed: Outcome
  /** All of it in words. */
  readonly text: string
}

/**
 * The convergence oracle: plays seeded scenarios of a game (players who come and go, objects that appear, vanish, move
 * between zones, change their owners and values, over links that lose, delay, reorder, duplicate, fall silent and break), then
 * lets all be quiet, and compares what each client shows with what the server's world says it should, bit for bit.
 *
 * Resolves with figures when every seed converged. Rejects with an `Error` whose message has the failing seed, what
 * differs, and the smallest scenario that was found to fail like it, step by step.
 *
 * @example
 * test('every client converges', async () => {
 *   await converge({ schema: readFileSync('game.dc', 'utf8') }, { seeds: 200 })
 * }, 60_000)
 */
export const converge = async (game: Game<any>, options: ConvergeOptions = {}): Promise<ConvergeReport> => {
  const { seeds = 100, first = 1 } = options
  const prepared = prepareGame(game)
  const report = { seeds: 0, ticks: 0, clients: 0, objects: 0, datagrams: 0, bytes: 0, slowest: 0, slowestSeed: first }
  for (let seed = first; seed < first + seeds; seed++) {
    const { outcome, scenario } = await playSeed(prepared, seed, options)
    options.onSeed?.(seed, outcome)
    if (outcome.failure) throw new Error((await explain(prepared, scenario, outcome, options)).text)
    report.seeds++
    report.ticks += outcome.ticks
    report.clients += outcome.clients
    report.objects += outcome.objects
    report.datagrams += outcome.datagrams
    report.bytes += outcome.bytes
    if (outcome.settled > report.slowest) Object.assign(report, { slowest: outcome.settled, slowestSeed: seed })
    // Timers of sessions that are over are cleared in between.
    if (seed % 16 === 0) await breathe()
  }
  return report
}

const breathe = () => new Promise<void>(resolve => setTimeout(resolve, 0))

/** Plays one seed of a game that was made ready with `prepareGame`. */
export const playSeed = async (
  prepared: PreparedGame,
  seed: number,
  options: ScenarioOptions & RunOptions = {},
): Promise<{ readonly scenario: Scenario; readonly outcome: Outcome }> => {
  const scenario = createScenario(seed, prepared.cast, options)
  return { scenario, outcome: await play(prepared, scenario, options) }
}

/** Makes a failing scenario small and puts it into words. */
export const explain = async (
  prepared: PreparedGame,
  original: Scenario,
  failed: Outcome,
  options: ConvergeOptions = {},
): Promise<Divergence> => {
  const { patience } = options
  const shrunk = await shrink(prepared, original, failed, {
    ...options.shrink,
    ...(patience === undefined ? {} : { patience }),
  })
  const { seed } = original
  const command = options.command?.(seed) ?? `await converge(game, { first: ${seed}, seeds: 1 })`
  const text = [
    `Seed ${seed} fails (${failed.failure!.kind}):`,
    ...failed.failure!.lines.map(line => `  ${line}`),
    `Made small in ${shrunk.runs} runs: ${inWords(original)} became ${inWords(shrunk.scenario)}.`,
    ...describeScenario(shrunk.scenario),
    ...shrunk.outcome.log.map(line => `  ${line}`),
    ...(shrunk.outcome.failure?.lines.map(line => `  then: ${line}`) ?? [
      '  (and did not fail again: something in the game is left to chance)',
    ]),
    `Again: ${command}`,
  ].join('\n')
  return { ...shrunk, seed, original, failed, text }
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

const inWords = ({ clients, events, ticks, idle }: Scenario): string =>
  `${count(clients.length, 'client')}, ${count(events.length, 'event')}, ${count(ticks + idle, 'tick')}`

const describeLink = (link: LinkConditions): string => {
  const parts = Object.entries(link).filter(([, value]) => value !== undefined && value !== 0)
  if (parts.length === 0) return 'perfect'
  return parts.map(([name, value]) => `${name} ${Math.round(value * 1000) / 1000}`).join(', ')
}

const describeOptions = (options: object): string =>
  Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 1000) / 1000 : value}`)
    .join(', ')

/** The terms of a scenario, a line each, without its events. */
export const describeScenario = ({ firstTick, framesPerTick, idle, server, clients }: Scenario): string[] => [
  ...(idle > 0 ? [`  ${idle} packets each way before anything happens`] : []),
  ...(firstTick !== 0 || framesPerTick !== 1
    ? [`  first tick ${firstTick}, ${count(framesPerTick, 'frame')} in each`]
    : []),
  ...(Object.keys(server).length > 0 ? [`  server: ${describeOptions(server)}`] : []),
  ...clients.map(({ join, zones, up, down, ...options }, index) =>
    [
      `  client ${index}: joins in tick ${join}, zones ${zones.join(', ') || 'none'}`,
      ...(Object.keys(options).length > 0 ? [describeOptions(options)] : []),
      `link down: ${describeLink(down)}`,
      `up: ${describeLink(up)}`,
    ].join('; '),
  ),
]
