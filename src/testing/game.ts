import { createWorld, type EntityId, type World } from 'bitecs'
import type { Client, ClientOptions } from '../client.ts'
import { createSchema, schemaOf, type AnyClasses, type Schema } from '../components/index.ts'
import type { Server, ServerClient, ServerOptions } from '../server.ts'
import type { ClientTransport } from '../net/transport.ts'
import type { Dice } from './dice.ts'
import { plansOf } from './plan.ts'
import type { Cast } from './scenario.ts'
import { createSharedWorlds } from './worlds.ts'

/** What a game's code is handed on the server's side. */
export interface ServerSide<Classes = any> {
  readonly world: World
  readonly schema: Schema<Classes>
  readonly server: Server
  /** Virtual seconds. */
  now(): number
}

/** What a bot is handed: one client's side. */
export interface ClientSide<Classes = any> {
  readonly world: World
  readonly schema: Schema<Classes>
  readonly client: Client
  /** Which of the scenario's clients it is, from 0. */
  readonly index: number
  /** Virtual seconds. */
  now(): number
}

/**
 * A game as tests see it: its schema, what its server does, and what its players do. Only the schema is needed: then
 * objects of every class come and go, and whatever may write a field writes any legal values to it.
 *
 * Chance comes from the dice that are handed over, and time from `now`: a game that asks `Math.random` or a clock
 * itself cannot be replayed.
 */
export interface Game<Classes = any> {
  /**
   * DC text: the server and each client get columns of their own. Or the schema that the game's systems import: then all
   * share it, and an entity index.
   */
  readonly schema: string | Schema<Classes>
  /** Of each schema made from text; default 512. */
  readonly capacity?: number
  /** Without transport and clock: these are the test's. */
  readonly server?: Omit<Partial<ServerOptions>, 'transport' | 'now' | 'onError'>
  readonly client?: Omit<Partial<ClientOptions>, 'transport' | 'now' | 'onError'>
  /** What a client says of itself when it signs in: what `onJoin` finds as `client.data`. */
  readonly hello?: (index: number, dice: Dice) => unknown
  /** Once, before anybody joins: handlers, first objects. */
  readonly start?: (side: ServerSide<Classes>) => void
  /** In each tick of the action: the game's own systems. Not in the quiet that follows. */
  readonly tick?: (side: ServerSide<Classes>) => void
  /** When a client was let in, before its first interest. */
  readonly joined?: (side: ClientSide<Classes>) => void
  /**
   * How objects are made, by name. Returns an entity with a dclass; the scenario puts it into a zone and gives it an owner
   * unless `place` was called for it. Default: one for each dclass with fields, with random values.
   */
  readonly spawn?: Readonly<Record<string, (side: ServerSide<Classes>, dice: Dice) => EntityId>>
  /** What else the server's game does now and then, by name. */
  readonly rules?: Readonly<Record<string, (side: ServerSide<Classes>, dice: Dice) => void>>
  /** What players do now and then, by name. */
  readonly bots?: Readonly<Record<string, (side: ClientSide<Classes>, dice: Dice) => void>>
  /** Which fields (`Avatar.health`) are written at random; default all. `by`: game code, or the owner. */
  readonly isWritten?: (field: string, by: 'server' | 'owner') => boolean
  /** Which messages (`Avatar.say`) are sent at random; default all. */
  readonly isSent?: (message: string) => boolean
  /** Whether a client sees an object, where the game decides otherwise than by zones and owners. */
  readonly isVisible?: (side: ServerSide<Classes>, eid: EntityId, client: ServerClient, byZone: boolean) => boolean
  /** Puts something between a client and its link, such as a recorder. */
  readonly tap?: (transport: ClientTransport, index: number) => ClientTransport
}

/** A game made ready for many runs. */
export interface PreparedGame {
  readonly game: Game<any>
  readonly cast: Cast
  /** A schema for one side, its columns empty. */
  takeSchema(): Schema<any>
  /** How this run makes worlds. */
  makeWorlds(): () => World
  /** Ends a run: its schemas may be used again. */
  release(): void
}

const CAPACITY = 512

const emptyColumns = (columns: object): void => {
  if (Array.isArray(columns)) columns.length = 0
  else if (ArrayBuffer.isView(columns)) new Uint8Array(columns.buffer).fill(0)
  else for (const part of Object.values(columns)) emptyColumns(part as object)
}

const emptySchema = (schema: Schema<any>): void => {
  emptyColumns(schema.DistributedObject)
  for (const { info } of plansOf(schema)) for (const columns of info.columns.values()) emptyColumns(columns)
}

/** Reads the schema once and keeps columns from run to run. */
export const prepareGame = (game: Game<any>): PreparedGame => {
  const { schema: given, capacity = CAPACITY } = game
  const first = typeof given === 'string' ? createSchema<AnyClasses>(given, { capacity }) : given
  const free: Schema<any>[] = typeof given === 'string' ? [first] : []
  let taken: Schema<any>[] = []
  const classes = plansOf(first).filter(({ fields }) => fields.length > 0)
  return {
    game,
    cast: {
      spawns: Object.keys(game.spawn ?? Object.fromEntries(classes.map(({ name }) => [name, 0]))),
      rules: Object.keys(game.rules ?? {}),
      bots: Object.keys(game.bots ?? {}),
    },
    takeSchema() {
      if (typeof given !== 'string') {
        if (taken.length === 0) emptySchema(given)
        taken = [given]
        return given
      }
      const schema = free.pop() ?? schemaOf<AnyClasses>(first.file, { capacity })
      emptySchema(schema)
      taken.push(schema)
      return schema
    },
    makeWorlds: () => (typeof given === 'string' ? createWorld : createSharedWorlds()),
    release() {
      if (typeof given === 'string') free.push(...taken)
      taken = []
    },
  }
}
