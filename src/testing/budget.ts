import { infosOf } from '../components/index.ts'
import { prepareGame, type Game } from './game.ts'
import { measure, type ClassCosts, type Costs, type MeasureOptions } from './measure.ts'

/** What a game may cost at most; what is not said is not looked at. Bytes and datagrams are those of one client in a second. */
export interface Budget {
  readonly bytesDown?: number
  readonly bytesUp?: number
  readonly datagramsDown?: number
  readonly datagramsUp?: number
  /**
   * Milliseconds that half of the server's ticks take at most, all but one in a hundred, and on average. They are the machine's, and several times
   * as many while it does something else: only for a machine, or a job, that does nothing besides; in a suite, bytes.
   */
  readonly tickP50?: number
  readonly tickP99?: number
  readonly tickMean?: number
  /** Seconds of quiet until every client shows what it should. */
  readonly settled?: number
  /** Bytes down of a class (`Avatar`) or of a field or message of it (`Avatar.position`). */
  readonly down?: Readonly<Record<string, number>>
  /** The same up. */
  readonly up?: Readonly<Record<string, number>>
}

const LIMITS = {
  bytesDown: [(costs: Costs) => costs.bytesDown, 'B/s'],
  bytesUp: [(costs: Costs) => costs.bytesUp, 'B/s'],
  datagramsDown: [(costs: Costs) => costs.datagramsDown, '/s'],
  datagramsUp: [(costs: Costs) => costs.datagramsUp, '/s'],
  tickP50: [(costs: Costs) => costs.tick.p50, 'ms'],
  tickP99: [(costs: Costs) => costs.tick.p99, 'ms'],
  tickMean: [(costs: Costs) => costs.tick.mean, 'ms'],
  settled: [(costs: Costs) => costs.settled, 's'],
} as const

type Limit = keyof typeof LIMITS

const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)

const excess = (name: string, value: number, most: number, unit: string): string =>
  `  ${name.padEnd(28)} ${number(value)} ${unit}, ${most > 0 ? `${Math.round((value / most - 1) * 100)} % over` : 'over'} ${number(most)}`

/** What a class or a field takes. */
const bytesOf = (costs: readonly ClassCosts[], name: string): number => {
  const [dclass, field] = name.split('.')
  const of = costs.find(each => each.dclass === dclass)
  return (field === undefined ? of?.bytes : of?.fields.find(each => each.field === field)?.bytes) ?? 0
}

/** Throws for a class or field that the schema has not: a budget for it would never be exceeded. */
const checkNames = (game: Game<any>, { down = {}, up = {} }: Budget): void => {
  const prepared = prepareGame(game)
  const known = new Set(['(protocol)'])
  for (const { dclass } of infosOf(prepared.takeSchema())) {
    known.add(dclass.name)
    for (const field of dclass.inherited)
      known.add(`${dclass.name}.${field.name}`).add(`${field.owner.name}.${field.name}`)
  }
  prepared.release()
  for (const name of [...Object.keys(down), ...Object.keys(up)])
    if (!known.has(name))
      throw new TypeError(
        `expectBudget: the schema has no "${name}": name a class as 'Avatar', or a field as 'Avatar.position'.`,
      )
}

/** Where the bytes of one client in a second go, as text: a line for each class and field. */
export const describeCosts = ({ bytesDown, bytesUp, down, up }: Costs): string =>
  [...linesOf('down', bytesDown, down), ...linesOf('up', bytesUp, up)].join('\n')

const linesOf = (name: string, all: number, classes: readonly ClassCosts[]): string[] => {
  const line = (indent: number, what: string, bytes: number): string =>
    `${' '.repeat(indent)}${what}`.padEnd(32) +
    `${number(bytes)} B`.padStart(10) +
    `${((bytes / (all || 1)) * 100).toFixed(0)} %`.padStart(7)
  return [
    line(2, name, all),
    ...classes.flatMap(({ dclass, bytes, fields }) => [
      line(4, dclass, bytes),
      ...fields.map(each => line(6, each.field, each.bytes)),
    ]),
  ]
}

/**
 * Measures a game as {@link measure} does, and rejects when it costs more than a budget, with what is over and by how much, and where
 * the bytes go, class by class and field by field. Bytes, datagrams and `settled` are the same in each run; leave room for milliseconds,
 * which are the machine's.
 *
 * @example
 * await expectBudget({ schema, bots, rules }, { bytesDown: 6_000, tickP50: 2, down: { 'Avatar.position': 3_000 } }, { clients: 8 })
 *
 * Rejects with an `Error` when something is over, or when a client does not show what it should; with a `TypeError` for a class or
 * field that the schema has not.
 *
 * @returns what was measured
 */
export const expectBudget = async (game: Game<any>, budget: Budget, options: MeasureOptions = {}): Promise<Costs> => {
  checkNames(game, budget)
  const costs = await measure(game, options)
  const over: string[] = []
  for (const name of Object.keys(LIMITS) as Limit[]) {
    const most = budget[name]
    const [read, unit] = LIMITS[name]
    if (most !== undefined && !(read(costs) <= most)) over.push(excess(name, read(costs), most, unit))
  }
  for (const direction of ['down', 'up'] as const)
    for (const [name, most] of Object.entries(budget[direction] ?? {})) {
      const bytes = bytesOf(costs[direction], name)
      if (!(bytes <= most)) over.push(excess(`${name} (${direction})`, bytes, most, 'B/s'))
    }
  if (over.length === 0) return costs
  const { clients = 8, seconds = 10, seed = 1 } = options
  throw new Error(
    `The game is over its budget (${clients} clients, ${seconds} s, seed ${seed}):\n${over.join('\n')}\n` +
      `Where the bytes of one client go in a second:\n${describeCosts(costs)}`,
  )
}
