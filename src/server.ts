import { entityExists, type EntityId, type World } from 'bitecs'
import {
  checkCapacity,
  checkWorld,
  type FieldColumns,
  type FieldRead,
  type FieldValue,
  type Message,
  type Schema,
} from './components/index.ts'
import { packField } from './dc/index.ts'
import { packCodecTables, unpackCodecTables } from './net/codec-tables.ts'
import type { Reason } from './net/hello.ts'
import type { Rates } from './net/rates.ts'
import { nextTick } from './net/ticks.ts'
import { createStore } from './net/store.ts'
import { createVigil } from './net/vigil.ts'
import { configureServer } from './systems/configure-server.ts'
import { checkProvided, provide } from './systems/kept-messages.ts'
import { sendUpdate, type Target } from './systems/messages.ts'
import { watchObjects } from './systems/objects.ts'
import { replicate } from './systems/replicate.ts'
import { checkServerOptions, type LiveServerOptions, type ServerOptions } from './systems/server-options.ts'
import { refreshVisibility, setVisibility } from './systems/visibility.ts'
import { serverReceive } from './systems/server-receive.ts'
import { ends } from './systems/ends.ts'
import { validate } from './systems/validate.ts'
import { classesInView, type HandlerOptions } from './systems/view-handlers.ts'
import {
  noViolations,
  touch,
  type MessageHandler,
  type OwnerHandler,
  type Refused,
  type ServerClient,
  type ServerObject,
  type ServerState,
  type Session,
  type ViolationCounts,
  type Visibility,
  type VisibilityTest,
} from './systems/server-state.ts'
import { createServerMeter, type ServerStats } from './systems/server-stats.ts'
import { changeRates } from './systems/client-rates.ts'
import { endSession } from './systems/departure.ts'
import { openSession } from './systems/sessions.ts'

export {
  Alive,
  Deleted,
  Disabled,
  Fresh,
  createSchema,
  fitText,
  Generated,
  Owned,
  type AnyClasses,
  type DClass,
  type FieldColumns,
  type FieldRead,
  type FieldValue,
  type Message,
  type Schema,
} from './components/index.ts'
export { tickLoop, type TickLoop, type TickLoopOptions, type TickLoopStats } from './systems/tick-loop.ts'
export { REASONS, type Reason } from './net/hello.ts'
export type { Rates } from './net/rates.ts'
export { MAX_PACKET, type Connection, type ServerTransport } from './net/transport.ts'
export type { SchemaDifference, SchemaIdentity, SchemaMismatch } from './net/schema-mismatch.ts'
export type { Authenticate, Candidate } from './systems/authenticate.ts'
export type { Bequest, OwnerLeaves } from './systems/departure.ts'
export type { Target } from './systems/messages.ts'
export type { HandlerOptions } from './systems/view-handlers.ts'
export type { Denial } from './systems/permissions.ts'
export type { ServerStats, TickTimes } from './systems/server-stats.ts'
export type { FieldLimits, LimitedField, LiveServerOptions, ServerOptions } from './systems/server-options.ts'
export type {
  FieldLimit,
  OwnerHandler,
  Refused,
  ServerClient,
  SessionStats,
  Violation,
  ViolationAction,
  ViolationCounts,
  ViolationDetail,
  ViolationKind,
  ViolationPolicy,
  Visibility,
  VisibilityTest,
} from './systems/server-state.ts'

/** An authoritative server of one world. Its two systems run once a tick: `receive`, game systems, `replicate`. */
export interface Server<Identity = unknown, Authorization = unknown> {
  /** Resolves when clients can connect; rejects when the transport cannot listen. */
  readonly ready: Promise<void>
  readonly tickRate: number
  /** Number of the tick that was replicated last, uint32: what clients may have seen. */
  readonly tick: number
  /**
   * Number of the tick that is being written, uint32: what game systems write between `receive` and `replicate` is of this one. It is what to
   * compute with where a client computes the same from its clock: a lift's height, a countdown.
   */
  readonly nextTick: number
  /** Connected clients by id. */
  readonly clients: ReadonlyMap<number, ServerClient<Identity, Authorization>>
  /** What clients tried that was refused, counted. */
  readonly violations: Readonly<ViolationCounts>
  /** What the server has done and does, as numbers; each client has its own. */
  readonly stats: ServerStats
  /** System: takes in joins, acknowledgements, owner-written state and messages; handlers run in here. */
  receive(world: World): void
  /** System: advances the tick, captures what changed, and sends each client what it lacks. */
  replicate(world: World): void
  /**
   * Calls `handler` for each client that was let in. Returns how to stop. When it throws, or the promise that it returns rejects, `onError`
   * hears of it and the client's session ends (`failed`): nobody stays in a game that has no place for them. Of whom a handler kicks, or
   * throws for at once, `connect` rejects.
   */
  onJoin(handler: (client: ServerClient<Identity, Authorization>) => void): () => void
  /**
   * Calls `handler` for each client whose session is over: it said goodbye, was kicked, or did not come back in time. Its objects are
   * removed right after, unless `whenOwnerLeaves` says otherwise.
   */
  onLeave(handler: (client: ServerClient<Identity, Authorization>, reason: Reason) => void): () => void
  /**
   * Calls `handler` for each client whose connection was lost (`closed`) or fell silent (`timeout`): it may come back for
   * `resumeTime`, and is sent nothing until then. Either `onResume` or `onLeave` follows.
   */
  onSuspend(handler: (client: ServerClient<Identity, Authorization>, reason: Reason) => void): () => void
  /** Calls `handler` for each client that came back, after so many seconds. It is the same client, with all that it owns. */
  onResume(handler: (client: ServerClient<Identity, Authorization>, seconds: number) => void): () => void
  /**
   * Calls `handler` with an entity, the id of its owner and that of the one before (0: the server) when an object was given to
   * somebody, or taken back; within `replicate`.
   */
  onOwner(handler: OwnerHandler): () => void
  /**
   * Calls `handler` for each client that was not let in. Of one with another schema it is told when the client has gone, with
   * what differs and which side is older.
   */
  onRefused(handler: (refused: Refused) => void): () => void
  /**
   * Handles a message from clients. It was checked already: the sender may send it, and its values are in the DC ranges.
   * A `broadcast` message is relayed to the other interested clients afterwards, unless a handler returns `false`. With a `view`, it throws
   * when the schema's imports declare that of no class with this message, and handles it of those that have it.
   */
  on<Args>(
    message: Message<Args>,
    handler: (eid: EntityId, args: Args, client: ServerClient<Identity, Authorization>) => unknown,
    options?: HandlerOptions<'server'>,
  ): () => void
  /** Puts an object into a zone (1..2^32-1), and hands it to an owner (0: the server; left out: as it is). */
  place(eid: EntityId, zone: number, owner?: ServerClient | 0): void
  /** Takes an object out of its zone: nobody sees it, and it is `Disabled`, until it is placed again. */
  withdraw(eid: EntityId): void
  /**
   * The range coder's newest tables, to be saved for the next run, where `codecTables` takes them; `undefined` while there are only the
   * built-in ones, and the same array until there are newer ones: copy it before you write into it. `pipes train` makes them without players.
   */
  readonly codecTables: Uint8Array | undefined
  /**
   * What encodes segments: `javascript` does the same as `wasm`, more slowly, where WebAssembly is not to be had, as in a page whose content security
   * policy lacks `'wasm-unsafe-eval'`, and with `codec: 'plain'`.
   */
  readonly encoder: 'wasm' | 'javascript'
  /** With `detect: 'mark'`: has the next `replicate` look at an object whose columns were written. */
  markDirty(eid: EntityId): void
  /**
   * Overrides who sees an object besides its owner: `always` (wherever it is), `never`, or `zone` as usual; for all
   * clients, or for one, which then goes before what is for all. A function says it for each client, such as
   * `client => teamOf(client) === team`: asked now, right after `onJoin` of who comes later, and by `refreshVisibility`; what it throws goes
   * to `onError`, and that client does not see the object.
   */
  setVisibility(eid: EntityId, visibility: Visibility | VisibilityTest<ServerClient<Identity, Authorization>>): void
  setVisibility(eid: EntityId, visibility: Visibility, client: ServerClient | undefined): void
  /**
   * Asks the functions that `setVisibility` was given again, as when a client has changed its team: about all clients or one, of all objects
   * or one.
   */
  refreshVisibility(client?: ServerClient, eid?: EntityId): void
  /** Gives a client these zones to see, besides those that it asked for; they replace those of the last call. */
  setZones(client: ServerClient, zones: Iterable<number>): void
  /** Takes a zone away, at once, from a client that asked for it. What it owns or was given in there goes before. */
  revokeZone(client: ServerClient, zone: number): void
  /**
   * Sends a message of an object to the clients that its keywords name (`broadcast`: all interested; `ownrecv`: the
   * owner), or to some of them: a client, or several; `'owner'`; `'interested'`; `{ except: client }` (or several, or `'owner'`). The last
   * `ram` message is kept, and told whoever comes to see the object later; one that is for some clients only is not kept, nor told those
   * that were excepted, unless it is `required`. Throws when the keywords name nobody, the arguments do not fit the DC types, or a `ram` message has more than 16 KB.
   */
  sendUpdate<Args>(eid: EntityId, message: Message<Args>, args: Args, to?: Target): void
  /**
   * Says what a `required` message of an object tells whoever comes to see it, before it is `Alive` there: what `getter` returns then. Returns
   * how to stop. An object cannot be placed while one of its required messages has no getter, unless all of its parameters have defaults.
   */
  provide<Args>(message: Message<Args>, getter: (eid: EntityId) => Args): () => void
  /**
   * Has `check` look at each value that a client writes of a field (`Avatar.position`), after the checks by DC type and keywords: it returns
   * the value to take it, another one to correct it, or `undefined` to refuse it, which counts as a violation. Structs are looked at as a
   * whole. What the owner wrote is overruled then, and nobody else ever sees it. Returns how to stop; a later check takes the place of this one.
   */
  validate<Columns extends FieldColumns>(
    columns: Columns,
    check: (
      eid: EntityId,
      value: FieldRead<Columns>,
      client: ServerClient<Identity, Authorization>,
    ) => FieldValue<Columns> | undefined,
  ): () => void
  /** The entity of a network id, or 0. */
  entityOf(doId: number): EntityId
  /**
   * Changes what a client runs at, within the limits of the options: packets a second down and up, seconds of
   * interpolation (0: its delay follows its link). The client is told; it may ask for other rates again.
   */
  setRates(client: ServerClient, rates: Partial<Rates>): void
  /**
   * Changes options, from now on: OPTIONS.md tells which. Clients whose rates are not within new limits get others, and those that
   * had to do with less than they asked for get that; fewer `maxClients` or `maxZones` take nothing from anybody who has it; a
   * password is for who comes next. Throws for what makes no sense, and then nothing is changed.
   */
  configure(options: LiveServerOptions): void
  /** Ends a client's session. */
  kick(client: ServerClient): void
  /** Says goodbye to everyone and stops listening. */
  close(): Promise<void>
}

const subscribeTo = <T>(handlers: Set<T>, handler: T): (() => void) => {
  handlers.add(handler)
  return () => handlers.delete(handler)
}

const createState = (world: World, schema: Schema<any>, options: ServerOptions): ServerState => {
  const { codec, snapshotHistory, codecTables, trainCodec, firstTick, ...settings } = checkServerOptions(
    schema,
    options,
  )
  const byDoId = new Map<number, ServerObject>()
  return {
    ...settings,
    world,
    schema,
    store: createStore(schema.file, snapshotHistory, codec, {
      tables: codecTables && unpackCodecTables(codecTables, schema.file),
      isTraining: trainCodec,
    }),
    links: {
      doIdOf: eid => schema.DistributedObject.doId[eid] ?? 0,
      entityOf: doId => byDoId.get(doId)?.eid ?? 0,
      pack: packField,
    },
    appeared: new Set(),
    objects: new Map(),
    byDoId,
    removed: [],
    serverClasses: [],
    exceptions: new Set(),
    ownedZones: new Map(),
    sessions: new Set(),
    downlinks: new Map(),
    clients: new Map(),
    sessionOf: new Map(),
    farewells: new Map(),
    handlers: new Map(),
    getters: new Map(),
    checks: new Map(),
    onJoin: new Set(),
    onLeave: new Set(),
    onRefused: new Set(),
    onSuspend: new Set(),
    onResume: new Set(),
    onOwner: new Set(),
    ownerChanges: [],
    settling: new Set(),
    verifying: new Set(),
    vigil: createVigil(),
    violations: noViolations(),
    tick: firstTick,
    nextDoId: 1,
    nextClientId: 0,
  }
}

const objectOf = (state: ServerState, eid: EntityId): ServerObject => {
  const object = state.objects.get(eid)
  if (!object)
    throw new Error(
      entityExists(state.world, eid)
        ? `Entity ${eid} is no distributed object: addComponent(world, eid, Avatar) with a dclass of the schema first.`
        : `Entity ${eid} does not exist in the server's world.`,
    )
  return object
}

const checkZone = (where: string, zone: number): number => {
  if (!Number.isInteger(zone) || zone < 1 || zone > 0xffffffff)
    throw new RangeError(`${where}: zone is ${zone}; zones are whole numbers from 1 to 4294967295.`)
  return zone
}

const sessionOf = (state: ServerState, client: ServerClient, where: string): Session => {
  const session = state.sessionOf.get(client.id)
  if (!session) throw new Error(`${where}: client ${client.id} is not connected.`)
  return session
}

/**
 * Makes the authoritative server of a world. Entities that get a dclass component become distributed objects; `place`
 * gives them a zone and an owner. Throws a `RangeError` or `TypeError` for options that make no sense.
 */
export const createServer = <Identity = unknown, Authorization = unknown>(
  world: World,
  schema: Schema<any>,
  given: ServerOptions<Identity, Authorization>,
): Server<Identity, Authorization> => {
  // Who a client is passes through unseen: only the game knows its type.
  const options = given as ServerOptions
  const state = createState(world, schema, options)
  const unwatch = watchObjects(state)
  const meter = createServerMeter(state)
  const ready = state.transport.listen(connection => openSession(state, connection))
  // Whoever does not await `ready` is told all the same.
  ready.catch(error => state.onError(error, 'listen'))
  const { DistributedObject } = schema
  /** What `codecTables` answered last. */
  let packed: { readonly tables: Uint8Array; readonly bytes: Uint8Array } | undefined
  const server: Server = {
    ready,
    tickRate: state.tickRate,
    get tick() {
      return state.tick
    },
    get nextTick() {
      return nextTick(state.tick)
    },
    get codecTables() {
      const tables = state.store.codec.tablesOf(state.store.codec.generation)
      // What was transferred to another thread is empty.
      if (tables !== packed?.tables || packed?.bytes.length === 0)
        packed = tables && { tables, bytes: packCodecTables(tables, schema.file) }
      return packed?.bytes
    },
    get encoder() {
      return state.store.codec.runsOn()
    },
    clients: state.clients,
    violations: state.violations,
    get stats() {
      return meter.read()
    },
    receive(given) {
      checkWorld(state.world, given, 'server.receive')
      meter.begin(performance.now())
      serverReceive(state)
    },
    replicate(given) {
      checkWorld(state.world, given, 'server.replicate')
      replicate(state)
      meter.end(performance.now())
    },
    onJoin: handler => subscribeTo(state.onJoin, handler),
    onLeave: handler => subscribeTo(state.onLeave, handler),
    onRefused: handler => subscribeTo(state.onRefused, handler),
    onSuspend: handler => subscribeTo(state.onSuspend, handler),
    onResume: handler => subscribeTo(state.onResume, handler),
    onOwner: handler => subscribeTo(state.onOwner, handler),
    on(message, handler, { view } = {}) {
      const { field } = message
      const classes = view && classesInView(schema, field, view)
      const call = handler as MessageHandler
      const seen: MessageHandler = classes
        ? (eid, args, client) =>
            classes.has(state.objects.get(eid)!.serverClass.info.dclass) ? call(eid, args, client) : undefined
        : call
      let handlers = state.handlers.get(field)
      if (!handlers) state.handlers.set(field, (handlers = new Set()))
      return subscribeTo(handlers, seen)
    },
    place(eid, zone, owner) {
      objectOf(state, eid)
      checkCapacity(schema, eid)
      checkZone(`place(${eid})`, zone)
      if (owner !== undefined && owner !== 0 && !state.clients.has(owner.id))
        throw new Error(`place(${eid}): client ${owner.id} is not connected.`)
      checkProvided(state, objectOf(state, eid))
      DistributedObject.zone[eid] = zone
      if (owner !== undefined) DistributedObject.owner[eid] = owner === 0 ? 0 : owner.id
      touch(objectOf(state, eid))
    },
    withdraw(eid) {
      const object = objectOf(state, eid)
      schema.DistributedObject.zone[eid] = 0
      touch(object)
    },
    markDirty: eid => touch(objectOf(state, eid)),
    setVisibility(eid: EntityId, visibility: Visibility | VisibilityTest, client?: ServerClient) {
      if (client) sessionOf(state, client, `setVisibility(${eid})`)
      setVisibility(state, objectOf(state, eid), visibility, client)
    },
    refreshVisibility(client, eid) {
      if (client) sessionOf(state, client, 'refreshVisibility')
      refreshVisibility(state, eid === undefined ? undefined : objectOf(state, eid), client)
    },
    setZones(client, zones) {
      const session = sessionOf(state, client, 'setZones')
      const next = Array.from(zones, zone => checkZone(`setZones(client ${client.id})`, zone))
      session.granted.clear()
      for (const zone of next) session.granted.add(zone)
      session.isZonesDirty = true
    },
    revokeZone(client, zone) {
      const session = sessionOf(state, client, 'revokeZone')
      session.requested.delete(zone)
      session.revoked.add(checkZone('revokeZone', zone))
      session.isZonesDirty = true
    },
    sendUpdate: (eid, message, args, to) => sendUpdate(state, objectOf(state, eid), message, args, to),
    provide: (message, getter) => provide(state, message.field, getter),
    validate: (columns, check) => validate(state, columns, check),
    entityOf: doId => state.byDoId.get(doId)?.eid ?? 0,
    setRates(client, rates) {
      const session = state.sessionOf.get(client.id)
      if (!session) throw new Error(`setRates: client ${client.id} is not connected.`)
      changeRates(state, session, rates)
    },
    configure: options => configureServer(state, options),
    kick(client) {
      const session = state.sessionOf.get(client.id)
      if (session) endSession(state, session, 'kicked')
    },
    async close() {
      for (const session of state.sessions) endSession(state, session, 'closed')
      unwatch()
      await state.transport.close()
    },
  }
  ends.set(server, { world, schema, side: 'server' })
  return server as Server<Identity, Authorization>
}
