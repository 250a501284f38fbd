import { createEntityIndex, createWorld, type World } from 'bitecs'
import { createClient, type Client, type ClientOptions } from '../client.ts'
import { createSchema, schemaOf, type Schema } from '../components/index.ts'
import type { LinkConditions } from '../net/conditioner.ts'
import { memoryNetwork, type LinkPair, type MemoryNetwork } from '../net/memory.ts'
import { createServer, type Server, type ServerClient, type ServerOptions } from '../server.ts'

/** One client's side: its own world, and its own columns unless all worlds share a schema. */
export interface Guest<Classes = any> {
  readonly world: World
  readonly schema: Schema<Classes>
  readonly client: Client
  /** Runs in each frame between `interpolate` and `send`, as a game would. */
  play: () => void
  /** A page in the background: it draws no frames, only the session's timer goes on, for which `send` stands here. */
  isHidden: boolean
}

/** A server and its clients in one process on virtual time. */
export interface Worlds<Classes = any> {
  readonly world: World
  readonly schema: Schema<Classes>
  readonly server: Server
  readonly network: MemoryNetwork
  readonly guests: Guest<Classes>[]
  /** Runs in each tick between `receive` and `replicate`. */
  game: () => void
  /** Virtual seconds since the start. */
  now(): number
  /** Makes a client that is not connected. With `link`, its conditions are its own, and may be changed at any time. */
  addGuest(options?: Partial<ClientOptions>, link?: LinkPair): Guest<Classes>
  /** Makes a client and signs it in. */
  join(data?: unknown, options?: Partial<ClientOptions>): Promise<Guest<Classes>>
  /** Runs so many frames. */
  run(frames: number): void
  /** Runs until it holds; throws after so many seconds of virtual time (default 20). */
  until(condition: () => boolean, what: string, seconds?: number): void
  /** Runs frames until a promise settles. Between frames only promises go on, no timers. */
  settle<T>(promise: Promise<T>, seconds?: number): Promise<T>
  /** The server's side of a guest. Throws when it is not connected. */
  clientOf(guest: Guest<Classes>): ServerClient
  /** A guest's entity for one of the server's, or 0. */
  seenBy(guest: Guest<Classes>, eid: number): number
  /** Ends every session and the server, so that no timer keeps these worlds alive. */
  end(): Promise<void>
}

export interface WorldsOptions<Classes = any> {
  /** Of the links' luck. Default 1. */
  readonly seed?: number
  /** Of every link; default perfect. */
  readonly conditions?: Partial<LinkConditions>
  readonly server?: Partial<ServerOptions>
  /** Of every client. */
  readonly client?: Partial<ClientOptions>
  /** Of the schema of each world, when it is made from text. Default 2000. */
  readonly capacity?: number
  /** Frames a second of every client; the server ticks in every second, third, ... one as its tick rate asks. Default 60. */
  readonly frameRate?: number
  /** What the game does with the server's world before there is a server. */
  readonly prepare?: (world: World, schema: Schema<Classes>) => void
}

/** Seconds of a frame, unless `frameRate` says otherwise. */
export const FRAME = 1 / 60

/** Turns of the microtask queue after which a chain of promises counts as waiting for something else. */
const TURNS = 32

/** Lets promises go on, and nothing else: a run that waits like this is the same each time. */
export const turn = async (): Promise<void> => {
  for (let count = 0; count < TURNS; count++) await undefined
}

const rethrow = (error: unknown) => {
  throw error
}

/**
 * Makes a server and room for its clients, joined by links of any quality, on virtual time: 60 frames a second, and 30
 * ticks unless the options say otherwise. Errors that the library would report are thrown.
 *
 * @param schema DC text: each world gets columns of its own. Or a schema: then all worlds share its columns and an entity
 *   index, so that game systems which import its components work in every one of them.
 */
export const createWorlds = <Classes = any>(
  schema: string | Schema<Classes>,
  options: WorldsOptions<Classes> = {},
): Worlds<Classes> => {
  const { seed = 1, conditions = {}, capacity = 2000 } = options
  if (typeof schema !== 'string') return worldsOf(() => schema, createSharedWorlds(), { ...options, seed, conditions })
  const first = createSchema<Classes>(schema, { capacity })
  let isTaken = false
  const take = () => {
    if (isTaken) return schemaOf<Classes>(first.file, { capacity })
    isTaken = true
    return first
  }
  return worldsOf(take, createWorld, { ...options, seed, conditions })
}

/** Worlds whose entities all have different ids. */
export const createSharedWorlds = (): (() => World) => {
  const index = createEntityIndex()
  return () => createWorld(index)
}

/** Makes {@link Worlds} with a schema and a world for each side from the caller. */
export const worldsOf = <Classes>(
  takeSchema: () => Schema<Classes>,
  makeWorld: () => World,
  options: WorldsOptions<Classes>,
): Worlds<Classes> => {
  const { seed = 1, conditions = {} } = options
  let time = 0
  let frame = 0
  const now = () => time
  const network = memoryNetwork({ seed, now, conditions })
  const world = makeWorld()
  const schema = takeSchema()
  options.prepare?.(world, schema)
  const server = createServer(world, schema, {
    transport: network.server,
    tickRate: 30,
    now,
    onError: rethrow,
    ...options.server,
  })
  const frameTime = options.frameRate === undefined ? FRAME : 1 / options.frameRate
  const framesPerTick = Math.max(1, Math.round(1 / frameTime / server.tickRate))
  const clients: Client[] = []
  const worlds: Worlds<Classes> = {
    world,
    schema,
    server,
    network,
    guests: [],
    game: () => {},
    now,
    addGuest(own = {}, link) {
      const guest: Guest<Classes> = {
        world: makeWorld(),
        schema: takeSchema(),
        client: undefined as unknown as Client,
        play: () => {},
        isHidden: false,
      }
      const client = createClient(guest.world, guest.schema, {
        transport: network.client(undefined, link),
        now,
        onError: rethrow,
        ...options.client,
        ...own,
      })
      Object.assign(guest, { client })
      clients.push(client)
      worlds.guests.push(guest)
      return guest
    },
    async join(data, options) {
      const guest = worlds.addGuest(options)
      await worlds.settle(guest.client.connect(data))
      return guest
    },
    run(frames) {
      for (let count = 0; count < frames; count++) {
        time += frameTime
        network.deliver()
        if (frame++ % framesPerTick === 0) {
          server.receive(world)
          worlds.game()
          server.replicate(world)
        }
        for (const guest of worlds.guests) {
          if (!guest.isHidden) {
            guest.client.receive(guest.world)
            guest.client.interpolate(guest.world)
            guest.play()
          }
          guest.client.send(guest.world)
        }
      }
    },
    until(condition, what, seconds = 20) {
      const end = time + seconds
      while (!condition()) {
        if (time > end) throw new Error(`not within ${seconds} s of virtual time: ${what}`)
        worlds.run(1)
      }
    },
    async settle(promise, seconds = 20) {
      let isSettled = false
      const mark = () => {
        isSettled = true
      }
      promise.then(mark, mark)
      const end = time + seconds
      // Promises go on between frames, so each frame lets them.
      for (await turn(); !isSettled; await turn()) {
        if (time > end) throw new Error(`a promise did not settle within ${seconds} s of virtual time`)
        worlds.run(1)
      }
      return promise
    },
    clientOf(guest) {
      const client = server.clients.get(guest.client.clientId)
      if (!client) throw new Error('clientOf(guest): this guest is not connected: await worlds.join() first.')
      return client
    },
    seenBy: (guest, eid) => guest.client.entityOf(schema.DistributedObject.doId[eid]!),
    async end() {
      for (const client of clients) client.disconnect()
      await server.close()
    },
  }
  return worlds
}
