import type { Game } from './game.ts'
import { measureServer, type MeasureOptions } from './measure.ts'

/** Tables of the range coder for a game, and what they are worth. */
export interface Trained {
  /** For `createServer({ codecTables })`: at most 4,112 bytes. */
  readonly tables: Uint8Array
  /** Payload bytes of one client in a second, from the server, with the built-in tables and with these. */
  readonly before: number
  readonly after: number
}

/** Seconds after which tables were made four times, the last time of most of a minute. */
const TRAINING = 110
/** Seconds that count when it is measured what they are worth. */
const MEASURED = 10
/** What is measured is another run than what the tables were made of. */
const OTHER_SEED = 0x5eed

/**
 * Plays a game with its bots, makes tables for the range coder of it, and measures on another run what they are worth. The
 * `seconds` of the options are those of training; default 110.
 *
 * Rejects with an `Error` when the game writes too little for tables, and as `measure` does.
 */
export const train = async (game: Game<any>, options: MeasureOptions = {}): Promise<Trained> => {
  const { seconds = TRAINING, seed = 1 } = options
  const { codecTables: _, ...own } = game.server ?? {}
  const withServer = (server: Game<any>['server']): Game<any> => ({ ...game, server: { ...own, ...server } })
  const { server } = await measureServer(withServer({ codec: 'range', trainCodec: true }), {
    ...options,
    seconds,
    seed,
  })
  const tables = server.codecTables
  if (!tables)
    throw new Error(`In ${seconds} seconds the game sent too little to make tables of: give more seconds or objects.`)
  const down = async (codecTables?: Uint8Array): Promise<number> => {
    const trial = withServer({ codec: 'range', trainCodec: false, ...(codecTables && { codecTables }) })
    const { costs } = await measureServer(trial, { ...options, seconds: MEASURED, seed: seed ^ OTHER_SEED })
    return costs.bytesDown
  }
  return { tables, before: await down(), after: await down(tables) }
}
