import { writeFileSync } from 'node:fs'
import { loadFile, openModules } from './modules.ts'
import { UsageError, type Terminal } from './terminal.ts'

export interface TrainOptions {
  readonly out: string
  readonly clients?: string
  readonly objects?: string
  readonly seconds?: string
  readonly zones?: string
  readonly seed?: string
}

/** What `train` of `bitecs-pipes/testing` gives. */
interface Trained {
  readonly tables: Uint8Array
  readonly before: number
  readonly after: number
}

const numberOf = (name: string, text: string, least: number): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= least)) throw new UsageError(`--${name} ${text}: give a number from ${least} up`)
  return value
}

const measureOptions = ({ clients, objects, seconds, zones, seed }: TrainOptions) => ({
  ...(clients !== undefined && { clients: numberOf('clients', clients, 1) }),
  ...(objects !== undefined && { objects: numberOf('objects', objects, 0) }),
  ...(seconds !== undefined && { seconds: numberOf('seconds', seconds, 6) }),
  ...(zones !== undefined && { zones: zones.split(',').map(zone => numberOf('zones', zone, 1)) }),
  ...(seed !== undefined && { seed: numberOf('seed', seed, 0) }),
})

const rate = (bytes: number): string => `${(bytes / 1000).toFixed(2)} kB/s`

/** Lines of an error: a game that fails does so in each tick. */
const MOST_LINES = 20

/** Plays a game with its bots and writes tables for its range coder. True when they save bytes. */
export const train = async (path: string, options: TrainOptions, terminal: Terminal): Promise<boolean> => {
  const measured = measureOptions(options)
  const modules = await (terminal.modules ?? openModules)()
  try {
    const module = await loadFile(modules, path)
    const game = module.default?.schema === undefined ? module : module.default
    if (game.schema === undefined)
      throw new UsageError(
        `${path}: exports no game: export \`schema\`, and \`bots\`, \`rules\`, ... or all as default`,
      )
    // Of the same instance of this package as the game's own imports.
    const testing = await modules.load('bitecs-pipes/testing')
    const trained: Trained | undefined = await testing.train({ ...game }, measured).catch((error: Error) => {
      terminal.error(`${path}: ${error.message.split('\n').slice(0, MOST_LINES).join('\n')}\n`)
    })
    if (!trained) return false
    const { tables, before, after } = trained
    const change = (after / before - 1) * 100
    const told = `${rate(before)} to a client without, ${rate(after)} with tables (${change.toFixed(1)} %), on another run`
    if (after >= before) {
      terminal.error(`${told}: nothing is written. Let the bots do what players do, or for longer (--seconds).\n`)
      return false
    }
    writeFileSync(options.out, tables)
    terminal.out(`${options.out}: ${tables.length} bytes\n${told}\n`)
    return true
  } finally {
    await modules.close()
  }
}
