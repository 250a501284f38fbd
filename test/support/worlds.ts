import { addComponent, addEntity, createWorld, set, type World } from 'bitecs'
import { createClient, type Client, type ClientOptions } from 'bitecs-pipes/client'
import { createSchema, type Schema } from 'bitecs-pipes'
import { createServer, type Server, type ServerClient, type ServerOptions } from 'bitecs-pipes/server'
import { memoryNetwork, type LinkConditions, type MemoryNetwork } from 'bitecs-pipes/memory'

/** One client's side: its own world and its own columns. */
export interface Guest {
  readonly world: World
  readonly schema: Schema<any>
  readonly client: Client
  /** Runs between `interpolate` and `send`, as a game would. */
  play: () => void
  /** A page in the background: it draws no frames, only the session's timer goes on, for which `send` stands here. */
  isHidden: boolean
}

/** A server and its clients in one process on virtual time: 60 frames a second, the server ticks in every second one. */
export interface Worlds {
  readonly world: World
  readonly schema: Schema<any>
  readonly server: Server
  readonly network: MemoryNetwork
  readonly guests: Guest[]
  /** Runs between `receive` and `replicate`. */
  game: () => void
  now(): number
  /** Makes a client that is not connected. */
  addGuest(options?: Partial<ClientOptions>): Guest
  /** Makes a client and signs it in. */
  join(data?: unknown, options?: Partial<ClientOptions>): Promise<Guest>
  /** Runs so many frames. */
  run(frames: number): void
  /** Runs until it holds; fails after so many seconds of virtual time. */
  until(condition: () => boolean, what: string, seconds?: number): void
  /** Runs frames until a promise settles. */
  settle<T>(promise: Promise<T>, seconds?: number): Promise<T>
  /** Ends every session and the server, so that no timer keeps these worlds alive. */
  end(): Promise<void>
}

/** Seconds. */
export const FRAME = 1 / 60

export interface WorldsOptions {
  readonly seed?: number
  readonly conditions?: Partial<LinkConditions>
  readonly server?: Partial<ServerOptions>
  /** Of every schema. */
  readonly capacity?: number
  /** What the game does with the server's world before there is a server. */
  readonly prepare?: (world: World, schema: Schema<any>) => void
}

export const createWorlds = (dc: string, options: WorldsOptions = {}): Worlds => {
  const { seed = 1, conditions = {}, capacity = 2000 } = options
  let time = 0
  let frame = 0
  const now = () => time
  const network = memoryNetwork({ seed, now, conditions })
  const world = createWorld()
  const schema = createSchema<any>(dc, { capacity })
  options.prepare?.(world, schema)
  const fail = (error: unknown) => {
    throw error
  }
  const server = createServer(world, schema, {
    transport: network.server,
    tickRate: 30,
    now,
    onError: fail,
    ...options.server,
  })
  const clients: Client[] = []
  const worlds: Worlds = {
    world,
    schema,
    server,
    network,
    guests: [],
    game: () => {},
    now,
    addGuest(options = {}) {
      const guest: Guest = {
        world: createWorld(),
        schema: createSchema<any>(dc, { capacity }),
        client: undefined as unknown as Client,
        play: () => {},
        isHidden: false,
      }
      const client = createClient(guest.world, guest.schema, {
        transport: network.client(),
        now,
        onError: fail,
        ...options,
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
        time += FRAME
        network.deliver()
        if (frame++ % 2 === 0) {
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
      for (await drain(); !isSettled; await drain()) {
        if (time > end) throw new Error(`a promise did not settle within ${seconds} s of virtual time`)
        worlds.run(1)
      }
      return promise
    },
    async end() {
      for (const client of clients) client.disconnect()
      await server.close()
    },
  }
  return worlds
}

/** Lets every promise that can go on do so; a macrotask, so that a hello timer cannot interfere. */
export const drain = () => new Promise<void>(resolve => setImmediate(resolve))

/** A server's entity of a dclass with these fields, in a zone. */
export const spawn = (worlds: Worlds, name: string, fields: object, zone: number, owner?: ServerClient | 0): number => {
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, set(worlds.schema.dclasses[name], fields))
  worlds.server.place(eid, zone, owner)
  return eid
}

/** The server's side of a guest. */
export const clientOf = (worlds: Worlds, guest: Guest): ServerClient =>
  worlds.server.clients.get(guest.client.clientId)!

/** A guest's entity for one of the server's, or 0. */
export const seenBy = (worlds: Worlds, guest: Guest, eid: number): number =>
  guest.client.entityOf(worlds.schema.DistributedObject.doId[eid]!)
