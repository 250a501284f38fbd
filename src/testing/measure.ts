import { PERFECT_LINK, type LinkConditions } from '../net/conditioner.ts'
import type { Server } from '../server.ts'
import { createAccountant, type Accountant } from '../devtools/account.ts'
import { stateOf, tapClient, type Tap } from '../devtools/tap.ts'
import { createDice } from './dice.ts'
import { prepareGame, type Game } from './game.ts'
import { play } from './run.ts'
import type { Cast, Scenario, ScenarioEvent } from './scenario.ts'

/** How much goes on while a game is measured. */
export interface MeasureOptions {
  /** Default 8. */
  readonly clients?: number
  /** Seconds of virtual time that count, after `warmUp`. Default 10. */
  readonly seconds?: number
  /** Seconds for joins and first states. Default 2. */
  readonly warmUp?: number
  /** Objects from the start, of each spawn in turn; default 40. A game that makes its own in `start` can ask for none. */
  readonly objects?: number
  /** Zones, to which the objects go in turn and which every client sees. Default one. */
  readonly zones?: readonly number[]
  /** Values written at random, by the server and by owners, each an object and second. Default 1, or 0 with rules or bots. */
  readonly writes?: number
  /** Of every link. Default: 25 ms each way, 5 ms jitter, 1 % loss. */
  readonly link?: Partial<LinkConditions>
  /** Seed of what is random. Default 1. */
  readonly seed?: number
}

/** What a game costs. */
export interface Costs {
  /** Payload bytes and datagrams of one client in a second, on average, from the server and to it. */
  readonly bytesDown: number
  readonly bytesUp: number
  readonly datagramsDown: number
  readonly datagramsUp: number
  /** Real milliseconds that a tick takes the server: `receive`, the game's own systems, `replicate`. */
  readonly tick: { readonly mean: number; readonly p50: number; readonly p99: number }
  /** Seconds of quiet at the end until every client showed what it should. */
  readonly settled: number
  /** What the bytes down and up of one client in a second are of; whatever takes most comes first. */
  readonly down: readonly ClassCosts[]
  readonly up: readonly ClassCosts[]
}

/** What a class takes of a client's bytes in a second. */
export interface ClassCosts {
  /** A dclass, or `(protocol)` for headers, acknowledgements and the like. */
  readonly dclass: string
  readonly bytes: number
  /** Its fields and messages; `(objects)` is which objects there are and which of them change. */
  readonly fields: readonly { readonly field: string; readonly bytes: number }[]
}

const LINK: LinkConditions = { ...PERFECT_LINK, lag: 0.025, jitter: 0.005, loss: 0.01 }

const loadOf = (cast: Cast, tickRate: number, options: MeasureOptions): Scenario => {
  const { clients = 8, seconds = 10, warmUp = 2, objects = 40, zones = [1], seed = 1 } = options
  const { writes = cast.rules.length + cast.bots.length > 0 ? 0 : 1 } = options
  const dice = createDice(seed)
  const ticks = Math.ceil((seconds + warmUp) * tickRate)
  const first = Math.ceil(tickRate / 2)
  const next = () => dice.below(2 ** 31)
  const events: ScenarioEvent[] = []
  for (let object = 0; object < (cast.spawns.length > 0 ? objects : 0); object++) {
    const name = cast.spawns[object % cast.spawns.length]!
    const zone = zones[object % zones.length]!
    // Owners have signed in by then.
    events.push({ tick: first, kind: 'spawn', object, name, zone, owner: object % (clients + 1), seed: next() })
  }
  for (const name of cast.rules) events.push({ tick: first, kind: 'rule', name, seed: next(), ticks })
  for (const name of cast.bots)
    for (let client = 0; client < clients; client++)
      events.push({ tick: first, kind: 'bot', name, client, seed: next(), ticks })
  for (let tick = first; tick < ticks; tick++)
    for (const kind of ['write', 'play'] as const)
      for (let object = 0; object < objects; object++)
        if (dice.chance(writes / tickRate)) events.push({ tick, kind, object, seed: next(), ticks: 1 })
  const link: LinkConditions = { ...LINK, ...options.link }
  return {
    seed,
    ticks,
    framesPerTick: 1,
    firstTick: 0,
    idle: 0,
    linkSeed: seed,
    server: {},
    clients: Array.from({ length: clients }, () => ({ join: 0, zones, up: { ...link }, down: { ...link } })),
    events: events.sort((a, b) => a.tick - b.tick),
  }
}

/** Watches every client of a game from when it is let in. */
const watchClients = (game: Game<any>) => {
  const watches: { accountant: Accountant; tap: Tap }[] = []
  const watched: Game<any> = {
    ...game,
    joined(side) {
      const state = stateOf(side.client, 'measure')
      const accountant = createAccountant(state)
      const tap = tapClient(state)
      tap.listeners.add(accountant.take)
      watches.push({ accountant, tap })
      game.joined?.(side)
    },
  }
  /** Bits by class and field, of all clients together. */
  const read = (direction: 'down' | 'up'): Map<string, Map<string, number>> => {
    const classes = new Map<string, Map<string, number>>()
    for (const { accountant } of watches) {
      accountant.settle()
      for (const { dclass, field, bits } of accountant.account[direction].values()) {
        const fields = classes.get(dclass) ?? new Map<string, number>()
        fields.set(field, (fields.get(field) ?? 0) + bits)
        classes.set(dclass, fields)
      }
    }
    return classes
  }
  return { watched, read }
}

/** What was spent between two readings, as shares of `bytes`: clients count what arrives, which is less than what is sent. */
const costsBetween = (
  before: Map<string, Map<string, number>>,
  after: Map<string, Map<string, number>>,
  bytes: number,
): ClassCosts[] => {
  const spent = Array.from(after, ([dclass, fields]) => ({
    dclass,
    fields: Array.from(fields, ([field, bits]) => ({ field, bytes: bits - (before.get(dclass)?.get(field) ?? 0) }))
      .filter(each => each.bytes > 0)
      .sort((a, b) => b.bytes - a.bytes),
  }))
  const sum = (fields: readonly { bytes: number }[]): number => fields.reduce((total, each) => total + each.bytes, 0)
  const all = sum(spent.flatMap(({ fields }) => fields)) || 1
  return spent
    .map(({ dclass, fields }) => ({
      dclass,
      bytes: (sum(fields) / all) * bytes,
      fields: fields.map(each => ({ ...each, bytes: (each.bytes / all) * bytes })),
    }))
    .filter(each => each.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
}

/**
 * Measures what a game costs: bytes of a client, milliseconds of a server tick; and sees to it that all clients show the
 * same in the end. Bytes are the same in each run; milliseconds are the machine's.
 *
 * @example
 * const costs = await measure({ schema, bots, rules }, { clients: 16 })
 * expect(costs.bytesDown).toBeLessThan(6_000)
 * expect(costs.tick.p99).toBeLessThan(4)
 *
 * Rejects with an `Error` when a client does not show what it should.
 */
export const measure = async (game: Game<any>, options: MeasureOptions = {}): Promise<Costs> =>
  (await measureServer(game, options)).costs

/** The same, and the server that it was measured on. */
export const measureServer = async (
  game: Game<any>,
  options: MeasureOptions = {},
): Promise<{ readonly costs: Costs; readonly server: Server }> => {
  const { warmUp = 2, clients = 8 } = options
  const tickRate = game.server?.tickRate ?? 30
  const { watched, read } = watchClients(game)
  const prepared = prepareGame(watched)
  const scenario = loadOf(prepared.cast, tickRate, options)
  const firstTick = Math.ceil(warmUp * tickRate)
  const times: number[] = []
  const mark = (sent: { down: { bytes: number; sent: number }; up: { bytes: number; sent: number } }) => ({
    down: { ...sent.down },
    up: { ...sent.up },
    spentDown: read('down'),
    spentUp: read('up'),
  })
  const marks: ReturnType<typeof mark>[] = []
  let server: Server | undefined
  const outcome = await play(prepared, scenario, {
    onServer(given) {
      server = given
    },
    onTick(tick, milliseconds, sent) {
      if (tick < firstTick) return
      if (tick > firstTick) times.push(milliseconds)
      if (tick === firstTick || tick === scenario.ticks - 1) marks.push(mark(sent))
    },
  })
  if (outcome.failure)
    throw new Error(`The measured game fails (${outcome.failure.kind}):\n${outcome.failure.lines.join('\n')}`)
  const share = tickRate / times.length / clients
  const [before, after] = marks as [(typeof marks)[0], (typeof marks)[0]]
  times.sort((a, b) => a - b)
  const quantile = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))]!
  const bytesDown = (after.down.bytes - before.down.bytes) * share
  const bytesUp = (after.up.bytes - before.up.bytes) * share
  const costs: Costs = {
    bytesDown,
    bytesUp,
    down: costsBetween(before.spentDown, after.spentDown, bytesDown),
    up: costsBetween(before.spentUp, after.spentUp, bytesUp),
    datagramsDown: (after.down.sent - before.down.sent) * share,
    datagramsUp: (after.up.sent - before.up.sent) * share,
    tick: { mean: times.reduce((sum, time) => sum + time, 0) / times.length, p50: quantile(0.5), p99: quantile(0.99) },
    settled: outcome.settled,
  }
  return { costs, server: server! }
}
