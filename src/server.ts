import { entityExists, type EntityId, type World } from 'bitecs'
import { checkCapacity, checkWorld, infosOf, type Message, type Schema } from './components/index.ts'
import { columnKind, packField, type DCClass, type DCField } from './dc/index.ts'
import { CODECS, type CodecName } from './net/codec.ts'
import { MAX_ZONES } from './net/interest.ts'
import type { Reason } from './net/hello.ts'
import type { Rates } from './net/rates.ts'
import { createStore } from './net/store.ts'
import type { ServerTransport } from './net/transport.ts'
import { sendToAudience } from './systems/messages.ts'
import { watchObjects } from './systems/objects.ts'
import { nameOf, packMessage } from './systems/pack-message.ts'
import { audienceOfMessage } from './systems/permissions.ts'
import { replicate } from './systems/replicate.ts'
import { setVisibility } from './systems/visibility.ts'
import { serverReceive } from './systems/server-receive.ts'
import {
  noViolations,
  touch,
  type FieldLimit,
  type MessageHandler,
  type Refused,
  type ServerClient,
  type ServerObject,
  type ServerState,
  type Session,
  type Violation,
  type ViolationAction,
  type ViolationCounts,
  type ViolationPolicy,
  type Visibility,
} from './systems/server-state.ts'
import { changeRates, endSession, openSession } from './systems/sessions.ts'
import { ACTIONS, POLICY } from './systems/violations.ts'

export {
  Alive,
  createSchema,
  fitText,
  Generated,
  Owned,
  type DClass,
  type Message,
  type Schema,
} from './components/index.ts'
export { tickLoop, type TickLoop, type TickLoopOptions } from './systems/tick-loop.ts'
export type { Reason } from './net/hello.ts'
export type { Rates } from './net/rates.ts'
export type { Connection, ServerTransport } from './net/transport.ts'
export type { SchemaDifference, SchemaIdentity, SchemaMismatch } from './net/schema-mismatch.ts'
export type { Denial } from './systems/permissions.ts'
export type {
  FieldLimit,
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
} from './systems/server-state.ts'

export interface ServerOptions {
  /** How clients reach the server: `geckos()` from `bitecs-pipes/geckos/server`, or `memoryNetwork().server`. */
  readonly transport: ServerTransport
  /** Ticks a second, for clients' clocks: call `replicate` that often (see {@link tickLoop}). 1..1000. Default 30. */
  readonly tickRate?: number
  /** Clients at once. 1..65535. Default 24. */
  readonly maxClients?: number
  /** What clients must know to get in. Default: nothing. */
  readonly password?: string
  /** Fewest packets a second that a client can ask for. Default 1. */
  readonly minUpdateRate?: number
  /** Most packets a second that a client can ask for. Default 255; never more than the tick rate. */
  readonly maxUpdateRate?: number
  /** Seconds without a packet after which a client counts as gone. Default 10. */
  readonly timeout?: number
  /** Seconds between two pings of `client.stats`, whose averages are over 16 of them. 0.01..60. Default 0.25. */
  readonly pingInterval?: number
  /**
   * Messages a second that a client may send, on average; at once as many as a link that was dead for
   * `timeout` holds back, and 4 seconds' worth. Beyond it unreliable ones are dropped, a reliable one ends the session
   * (`flooded`): what goes out in every frame should be `unreliable`, or a field. Default 60.
   */
  readonly messageRate?: number
  /** The same in bytes a second, owner-written strings and blobs included; one largest message (256 KB) more at once. Default 32 KB. */
  readonly messageBytes?: number
  /** Interest requests a second that a client may send; at once as for messages. Beyond it the session ends (`flooded`). Default 20. */
  readonly interestRate?: number
  /**
   * How often each client may send a field, besides: `{ 'Avatar.say': { rate: 2, burst: 10 }, '*': { rate: 20 } }`, where `*` is each of the
   * others. Of messages, of owner-written strings, blobs and lists, and of what `writeField` writes, over all objects; an inherited field has
   * one limit, under any of its classes' names. Default: a field may use all of `messageRate`. Beyond it as with `messageRate`.
   */
  readonly limits?: Readonly<Record<string, FieldLimit>>
  /**
   * What is done with a client besides refusing: `ignore`, `warn` (tell `onError`, ever more rarely) or `kick`. Default: `kick` for
   * `flooded`, as its reliable messages cannot be dropped (unreliable ones are, whatever is said here), else `ignore`.
   */
  readonly violationPolicy?: Partial<ViolationPolicy>
  /**
   * Told each time that a client which has signed in tries what it may not, right when it is refused; may return what to do instead of the
   * policy. Such as: `(client, { kind }) => (kind === 'forbidden' && client.violations.forbidden > 20 ? 'kick' : undefined)`.
   */
  readonly onViolation?: (client: ServerClient, violation: Violation) => ViolationAction | void
  /** Bytes a second that one client is sent at most; less while its link fills up. 1024 and up. Default 96 KB. */
  readonly maxBytesPerSecond?: number
  /**
   * How many sends state may build on what was sent last and not yet acknowledged: fewer bytes, but a lost datagram costs
   * those after it too; less on links that lose. 1: never, every datagram can be decoded by itself. 1..8. Default 8.
   */
  readonly maxChain?: number
  /** Datagrams that a client which lacks much is sent at once, as when it joins; else it is one. 1..64. Default 2. */
  readonly packetsPerSend?: number
  /** Zones that a client can ask for at once. 1..256. Default 256. */
  readonly maxZones?: number
  /**
   * Seconds that a zone which a client does not want any more is sent on, so that walking along a border is cheap; not when
   * `allowZone` or `revokeZone` take it away, nor beyond `maxZones`. 0..60. Default 0.
   */
  readonly linger?: number
  /** Frames of each group that are kept as baselines: the seconds of change that a client may be behind. 8..64. Default: 1.6 seconds of ticks. */
  readonly snapshotHistory?: number
  /**
   * How state is written: `range` foretells movement and codes what is left over with a range coder, in the fewest bytes;
   * `plain` is quicker to read in a dump. Default `range`.
   */
  readonly codec?: CodecName
  /** What {@link Server.codecTables} gave in an earlier run with the same schema: fewest bytes from the first second. */
  readonly codecTables?: Uint8Array
  /**
   * Whether the range coder makes better tables from what it writes, while the server runs, and sends them to the clients
   * (at most 4 KB): after 5 seconds, then ever less often. Default true.
   */
  readonly trainCodec?: boolean
  /**
   * How changes are found: `compare` looks at every object's columns in each tick; `mark` only at those that were
   * placed or given to {@link Server.markDirty} since the last one, for worlds where little changes. Default `compare`.
   */
  readonly detect?: 'compare' | 'mark'
  /**
   * What the objects of a class in a zone are worth to a client, looked at four times a second. The worthier go first
   * when the budget is short; 0.5, 0.25 and 0.125 are also sent to it only every 2nd, 4th and 8th time. Default 1.
   */
  readonly priority?: (client: ServerClient, zone: number, dclass: DCClass) => number
  /** Whether a client may see a zone that it asks for. Default: yes. */
  readonly allowZone?: (client: ServerClient, zone: number) => boolean
  /**
   * Told what handlers threw inside the server's systems, and which object holds a value that its DC type does not; the
   * tick goes on. Default: console.error.
   */
  readonly onError?: (error: unknown, where: string) => void
  /** The clock, in seconds. Default: `performance.now() / 1000`. */
  readonly now?: () => number
  /** The tick to start from, uint32. Default 0. */
  readonly firstTick?: number
}

/** An authoritative server of one world. Its two systems run once a tick: `receive`, game systems, `replicate`. */
export interface Server {
  /** Resolves when clients can connect; rejects when the transport cannot listen. */
  readonly ready: Promise<void>
  readonly tickRate: number
  /** Number of the last replicated tick, uint32. */
  readonly tick: number
  /** Connected clients by id. */
  readonly clients: ReadonlyMap<number, ServerClient>
  /** What clients tried that was refused, counted. */
  readonly violations: Readonly<ViolationCounts>
  /** System: takes in joins, acknowledgements, owner-written state and messages; handlers run in here. */
  receive(world: World): void
  /** System: advances the tick, captures what changed, and sends each client what it lacks. */
  replicate(world: World): void
  /** Calls `handler` for each client that was let in. Returns how to stop. */
  onJoin(handler: (client: ServerClient) => void): () => void
  /** Calls `handler` for each client that left; its objects are removed right after. */
  onLeave(handler: (client: ServerClient, reason: Reason) => void): () => void
  /**
   * Calls `handler` for each client that was not let in. Of one with another schema it is told when the client has gone, with
   * what differs and which side is older.
   */
  onRefused(handler: (refused: Refused) => void): () => void
  /**
   * Handles a message from clients. It was checked already: the sender may send it, and its values are in the DC ranges.
   * A `broadcast` message is relayed to the other interested clients afterwards, unless a handler returns `false`.
   */
  on<Args>(message: Message<Args>, handler: (eid: EntityId, args: Args, client: ServerClient) => unknown): () => void
  /** Puts an object into a zone (1..2^32-1), and hands it to an owner (0: the server; left out: as it is). */
  place(eid: EntityId, zone: number, owner?: ServerClient | 0): void
  /** The range coder's newest tables, to be saved for the next run; `undefined` while there are only the built-in ones. */
  readonly codecTables: Uint8Array | undefined
  /** With `detect: 'mark'`: has the next `replicate` look at an object whose columns were written. */
  markDirty(eid: EntityId): void
  /**
   * Overrides who sees an object besides its owner: `always` (wherever it is), `never`, or `zone` as usual; for all
   * clients, or for one, which then goes before what is for all.
   */
  setVisibility(eid: EntityId, visibility: Visibility, client?: ServerClient): void
  /** Gives a client these zones to see, besides those that it asked for; they replace those of the last call. */
  setZones(client: ServerClient, zones: Iterable<number>): void
  /** Takes a zone away, at once, from a client that asked for it. What it owns or was given in there goes before. */
  revokeZone(client: ServerClient, zone: number): void
  /**
   * Sends a message of an object to the clients that its keywords name (`broadcast`: all interested; `ownrecv`: the
   * owner), or to one of them. Throws when the keywords name nobody or the arguments do not fit the DC types.
   */
  sendUpdate<Args>(eid: EntityId, message: Message<Args>, args: Args, to?: ServerClient): void
  /** The entity of a network id, or 0. */
  entityOf(doId: number): EntityId
  /**
   * Changes what a client runs at, within the limits of the options: packets a second down and up, seconds of
   * interpolation (0: its delay follows its link). The client is told; it may ask for other rates again.
   */
  setRates(client: ServerClient, rates: Partial<Rates>): void
  /** Ends a client's session. */
  kick(client: ServerClient): void
  /** Says goodbye to everyone and stops listening. */
  close(): Promise<void>
}

const inRange = (name: string, value: number, least: number, most: number, unit: string): number => {
  if (!(value >= least && value <= most)) throw new RangeError(`${name} is ${value}: give ${least} to ${most} ${unit}.`)
  return value
}

const subscribeTo = <T>(handlers: Set<T>, handler: T): (() => void) => {
  handlers.add(handler)
  return () => handlers.delete(handler)
}

/** What keeps a field from being limited, or undefined. */
const unlimitable = (field: DCField): string | undefined => {
  if (field.keywords.includes('clsend')) return undefined
  if (!field.keywords.includes('ownsend')) return 'has neither `clsend` nor `ownsend`: no client sends it'
  const isNumber = field.kind === 'parameter' && columnKind(field.type).kind !== 'value'
  return isNumber ? "is a number, which goes up at the client's command rate" : undefined
}

/** The limits by field number. Throws for a name or a number that makes no sense. */
const limitsOf = (schema: Schema<any>, limits: Readonly<Record<string, FieldLimit>>): Map<number, FieldLimit> => {
  const byNumber = new Map<number, FieldLimit>()
  const fields = infosOf(schema).flatMap(({ dclass }) =>
    dclass.inherited.map(field => ({ name: `${dclass.name}.${field.name}`, field })),
  )
  const { '*': others, ...named } = limits
  for (const [name, limit] of Object.entries(limits)) {
    inRange(`limits['${name}'].rate`, limit.rate, 0.001, 1e6, 'a second')
    inRange(`limits['${name}'].burst`, limit.burst ?? 1, 1, 1e9, 'at once')
  }
  if (others) for (const { field } of fields) if (!unlimitable(field)) byNumber.set(field.number, others)
  for (const [name, limit] of Object.entries(named)) {
    const field = fields.find(each => each.name === name)?.field
    if (!field)
      throw new TypeError(`limits: the schema has no field "${name}": name one as 'Avatar.say', or all as '*'.`)
    const why = unlimitable(field)
    if (why) throw new TypeError(`limits: ${name} ${why}. Take it out.`)
    byNumber.set(field.number, limit)
  }
  return byNumber
}

const policyOf = (policy: Partial<ViolationPolicy>): ViolationPolicy => {
  for (const [kind, action] of Object.entries(policy))
    if (!(kind in POLICY) || !ACTIONS.includes(action))
      throw new TypeError(
        `violationPolicy: ${kind}: ${String(action)}; give ${Object.keys(POLICY).join(', ')} as ${ACTIONS.join(', ')}.`,
      )
  return { ...POLICY, ...policy }
}

const codecOf = ({ codec = 'range' }: ServerOptions): CodecName => {
  if (!CODECS.includes(codec)) throw new TypeError(`codec is ${String(codec)}: give ${CODECS.join(' or ')}.`)
  return codec
}

const createState = (world: World, schema: Schema<any>, options: ServerOptions): ServerState => {
  if (!options.transport)
    throw new TypeError(
      'createServer needs a transport: geckos() from "bitecs-pipes/geckos/server" (install @geckos.io/server), ' +
        'or memoryNetwork().server from "bitecs-pipes/memory".',
    )
  const tickRate = inRange('tickRate', options.tickRate ?? 30, 1, 1000, 'ticks a second')
  const history = options.snapshotHistory ?? Math.max(8, Math.min(64, Math.ceil(tickRate * 1.6)))
  const byDoId = new Map<number, ServerObject>()
  return {
    world,
    schema,
    store: createStore(schema.file, inRange('snapshotHistory', history, 8, 64, 'frames'), codecOf(options), {
      tables: options.codecTables,
      isTraining: options.trainCodec,
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
    clients: new Map(),
    sessionOf: new Map(),
    handlers: new Map(),
    onJoin: new Set(),
    onLeave: new Set(),
    onRefused: new Set(),
    transport: options.transport,
    tickRate,
    maxClients: inRange('maxClients', options.maxClients ?? 24, 1, 0xffff, 'clients'),
    password: options.password ?? '',
    minUpdateRate: inRange('minUpdateRate', options.minUpdateRate ?? 1, 1, 255, 'packets a second'),
    maxUpdateRate: inRange('maxUpdateRate', options.maxUpdateRate ?? 255, 1, 255, 'packets a second'),
    timeout: inRange('timeout', options.timeout ?? 10, 0.1, 3600, 'seconds'),
    pingInterval: inRange('pingInterval', options.pingInterval ?? 0.25, 0.01, 60, 'seconds'),
    messageRate: inRange('messageRate', options.messageRate ?? 60, 1, 100_000, 'messages a second'),
    messageBytes: inRange('messageBytes', options.messageBytes ?? 32 * 1024, 1, 1e9, 'bytes a second'),
    maxBytesPerSecond: inRange(
      'maxBytesPerSecond',
      options.maxBytesPerSecond ?? 96 * 1024,
      1024,
      1e9,
      'bytes a second',
    ),
    maxChain: inRange('maxChain', options.maxChain ?? 8, 1, 8, 'sends'),
    packetsPerSend: inRange('packetsPerSend', options.packetsPerSend ?? 2, 1, 64, 'datagrams'),
    maxZones: inRange('maxZones', options.maxZones ?? MAX_ZONES, 1, MAX_ZONES, 'zones'),
    linger: inRange('linger', options.linger ?? 0, 0, 60, 'seconds'),
    detect: options.detect ?? 'compare',
    priority: options.priority,
    allowZone: options.allowZone ?? (() => true),
    onError: options.onError ?? ((error, where) => console.error(`bitecs-pipes: ${where} threw`, error)),
    now: options.now ?? (() => performance.now() / 1000),
    interestRate: inRange('interestRate', options.interestRate ?? 20, 1, 100_000, 'requests a second'),
    limits: limitsOf(schema, options.limits ?? {}),
    violations: noViolations(),
    violationPolicy: policyOf(options.violationPolicy ?? {}),
    onViolation: options.onViolation,
    tick: inRange('firstTick', options.firstTick ?? 0, 0, 0xffffffff, '') >>> 0,
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
export const createServer = (world: World, schema: Schema<any>, options: ServerOptions): Server => {
  const state = createState(world, schema, options)
  const unwatch = watchObjects(state)
  const ready = state.transport.listen(connection => openSession(state, connection))
  // Whoever does not await `ready` is told all the same.
  ready.catch(error => state.onError(error, 'listen'))
  const { DistributedObject } = schema
  return {
    ready,
    tickRate: state.tickRate,
    get tick() {
      return state.tick
    },
    get codecTables() {
      return state.store.codec.tablesOf(state.store.codec.generation)
    },
    clients: state.clients,
    violations: state.violations,
    receive(given) {
      checkWorld(state.world, given, 'server.receive')
      serverReceive(state)
    },
    replicate(given) {
      checkWorld(state.world, given, 'server.replicate')
      replicate(state)
    },
    onJoin: handler => subscribeTo(state.onJoin, handler),
    onLeave: handler => subscribeTo(state.onLeave, handler),
    onRefused: handler => subscribeTo(state.onRefused, handler),
    on(message, handler) {
      let handlers = state.handlers.get(message.field)
      if (!handlers) state.handlers.set(message.field, (handlers = new Set()))
      return subscribeTo(handlers, handler as MessageHandler)
    },
    place(eid, zone, owner) {
      objectOf(state, eid)
      checkCapacity(schema, eid)
      checkZone(`place(${eid})`, zone)
      if (owner !== undefined && owner !== 0 && !state.clients.has(owner.id))
        throw new Error(`place(${eid}): client ${owner.id} is not connected.`)
      DistributedObject.zone[eid] = zone
      if (owner !== undefined) DistributedObject.owner[eid] = owner === 0 ? 0 : owner.id
      touch(objectOf(state, eid))
    },
    markDirty: eid => touch(objectOf(state, eid)),
    setVisibility(eid, visibility, client) {
      if (client) sessionOf(state, client, `setVisibility(${eid})`)
      setVisibility(state, objectOf(state, eid), visibility, client)
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
    sendUpdate(eid, message, args, to) {
      const { field } = message
      const object = objectOf(state, eid)
      if (!object.serverClass.info.dclass.inherited.includes(field))
        throw new TypeError(
          `sendUpdate(${eid}): a ${object.serverClass.info.dclass.name} has no field ${nameOf(field)}.`,
        )
      const audience = audienceOfMessage(field)
      if (!audience.interested && !audience.owner)
        throw new TypeError(`${nameOf(field)} has neither \`broadcast\` nor \`ownrecv\`: no client may receive it.`)
      sendToAudience(
        state,
        object,
        field,
        packMessage(field, args, state.links),
        undefined,
        to && state.sessionOf.get(to.id),
      )
    },
    entityOf: doId => state.byDoId.get(doId)?.eid ?? 0,
    setRates(client, rates) {
      const session = state.sessionOf.get(client.id)
      if (!session) throw new Error(`setRates: client ${client.id} is not connected.`)
      changeRates(state, session, rates)
    },
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
}
