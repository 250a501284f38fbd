import { observe, onRemove, type EntityId, type World } from 'bitecs'
import { checkWorld, type Message, type Schema } from './components/index.ts'
import { packFieldSlowly } from './dc/index.ts'
import type { Reason } from './net/hello.ts'
import { encodeInterest, MAX_ZONES, type InterestOperation } from './net/interest.ts'
import { encodeReliableMessage, encodeUnreliableMessage } from './net/message.ts'
import { createLinkStats } from './net/ping.ts'
import type { Rates } from './net/rates.ts'
import { createTraffic } from './net/traffic.ts'
import { prepareClasses } from './systems/client-classes.ts'
import { connectClient, disconnectClient } from './systems/client-connect.ts'
import { forsake } from './systems/client-lifecycle.ts'
import { checkClientOptions, type ClientOptions, type LiveClientOptions } from './systems/client-options.ts'
import { configureClient } from './systems/configure-client.ts'
import { clientReceive } from './systems/client-receive.ts'
import { clientSend, queueClientReliable, sendValuesFirst } from './systems/client-send.ts'
import {
  createBuffers,
  clientStates,
  type ClientMessageHandler,
  type ClientState,
  type ClientStatus,
  type ClientStats,
  type InterestResult,
} from './systems/client-state.ts'
import { ends } from './systems/ends.ts'
import { interpolate } from './systems/interpolate.ts'
import type { Links } from './systems/links.ts'
import { isFiniteValue, nameOf, packMessage } from './systems/pack-message.ts'
import { handleInView, type HandlerOptions } from './systems/view-handlers.ts'

export {
  Alive,
  Deleted,
  Disabled,
  Fresh,
  Generated,
  Owned,
  type DClass,
  type Message,
  type Schema,
} from './components/index.ts'
export { REASONS, type Reason } from './net/hello.ts'
export type { PlayoutOptions } from './net/playout.ts'
export type { Rates } from './net/rates.ts'
export { MAX_PACKET, type ClientTransport, type Connection } from './net/transport.ts'
export type { SchemaDifference, SchemaIdentity, SchemaMismatch } from './net/schema-mismatch.ts'
export type { ClientOptions, LiveClientOptions } from './systems/client-options.ts'
export type { ConnectError } from './systems/client-session.ts'
export type { ClientStats, ClientStatus, InterestResult } from './systems/client-state.ts'
export type { HandlerOptions } from './systems/view-handlers.ts'

/** The zones that a client sees. Zones are whole numbers from 1 to 2^32-1, at most 256 at once. */
export interface Interest {
  /**
   * Sees exactly these. Resolves when everything in them has arrived (the next `receive` shows it), with what was granted
   * and what was refused; rejects when the session ends before. Throws when there is no session, or a zone is none.
   */
  set(zones: readonly number[]): Promise<InterestResult>
  /** Sees these too. */
  add(zones: readonly number[]): Promise<InterestResult>
  /** Sees these no longer. */
  remove(zones: readonly number[]): Promise<InterestResult>
  /** Zones that the server sends now: those granted, and the zones of one's own objects. */
  readonly zones: ReadonlySet<number>
}

/** A client of one server. Its three systems run once a frame: `receive`, `interpolate`, then `send` after the game's own. */
export interface Client {
  /** Signs in, with any JSON of up to 512 bytes for the server's `onJoin`. Rejects with a {@link ConnectError}. */
  connect(data?: unknown): Promise<void>
  /** Says goodbye; the objects go with the next `receive`. */
  disconnect(): void
  /** Calls `handler` when an open session ends, by `disconnect` too. Returns how to stop. */
  onDisconnect(handler: (reason: Reason) => void): () => void
  /**
   * Calls `handler` when the connection of an open session is lost (`closed`) or fell silent (`timeout`). Nothing is gone yet: objects
   * stay as they were seen last, what is sent reliably waits, and the client tries to come back by itself. Either `onResume` or
   * `onDisconnect` follows.
   */
  onSuspend(handler: (reason: Reason) => void): () => void
  /** Calls `handler` when the session goes on, with the same client id and the same entities. */
  onResume(handler: () => void): () => void
  readonly state: ClientStatus
  /** Our id at the server, 1..65535; 0 while not connected. */
  readonly clientId: number
  /** Ticks a second of the server; 0 while not connected. */
  readonly tickRate: number
  readonly interest: Interest
  /**
   * Changes options, from now on: OPTIONS.md tells which. For other rates and another `interp` the server is asked, now or with
   * the next `connect`, and may grant less: see `rates`. A password is for the next `connect`. Throws for what makes no sense, and
   * then nothing is changed.
   */
  configure(options: LiveClientOptions): void
  /** What the server granted last; before that, what will be asked for. */
  readonly rates: Rates
  readonly stats: Readonly<ClientStats>
  /**
   * Handles a message from the server, called within `receive` after the state that was sent with it: of all objects, or of those that
   * have a view. Returns how to stop. Throws when the schema's imports declare that view of no class with this message.
   */
  on<Args>(
    message: Message<Args>,
    handler: (eid: EntityId, args: Args) => unknown,
    options?: HandlerOptions<'client' | 'owner'>,
  ): () => void
  /** Sends a message of an object to the server. Throws when the schema lets no client send it, or the arguments do not fit. */
  sendUpdate<Args>(eid: EntityId, message: Message<Args>, args: Args): void
  /** The entity of a network id, or 0. */
  entityOf(doId: number): EntityId
  /** System: what arrived goes into columns, lifecycle tags and handlers. */
  receive(world: World): void
  /** System: writes remote objects' smoothed columns for this frame. */
  interpolate(world: World): void
  /** System: sends acknowledgements, messages and the owner-written fields, at the command rate. */
  send(world: World): void
}

/** Unreliable messages that wait for the next packet; older ones are dropped, as the network might. */
const MAX_UNRELIABLE_WAITING = 256

const createState = (world: World, schema: Schema<any>, options: ClientOptions): ClientState => {
  const settings = checkClientOptions(options)
  const links: Links = {
    doIdOf: eid => state.session?.byEid.get(eid)?.doId ?? 0,
    entityOf: doId => state.session?.objects.get(doId)?.eid ?? 0,
    pack: packFieldSlowly,
  }
  const state: ClientState = {
    ...settings,
    world,
    schema,
    links,
    classes: prepareClasses(schema, links),
    onEcho: undefined,
    handlers: new Map(),
    onDisconnect: new Set(),
    onSuspend: new Set(),
    onResume: new Set(),
    stats: {
      ...createTraffic(),
      ...createLinkStats(),
      rtt: 0,
      loss: 0,
      playoutDelay: 0,
      objects: 0,
      disabled: 0,
      zones: 0,
      undecodable: 0,
      desyncs: 0,
      malformed: 0,
      orphanedMessages: 0,
      faults: 0,
    },
    ...createBuffers(),
    isOverCapacity: false,
    attempts: 0,
    status: 'idle',
    session: undefined,
    ended: undefined,
  }
  return state
}

const isZone = (zone: number): boolean => Number.isInteger(zone) && zone >= 1 && zone <= 0xffffffff

const changeInterest = (
  state: ClientState,
  operation: InterestOperation,
  zones: readonly number[],
): Promise<InterestResult> => {
  const { session } = state
  if (!session?.welcome) throw new Error(`interest.${operation}() needs a session: await connect() first.`)
  const wrong = zones.find(zone => !isZone(zone))
  if (wrong !== undefined)
    throw new RangeError(`interest.${operation}(): zone is ${wrong}; zones are whole numbers from 1 to 4294967295.`)
  if (zones.length > MAX_ZONES)
    throw new RangeError(
      `interest.${operation}(): ${zones.length} zones are more than ${MAX_ZONES}: ask for fewer, or make zones larger.`,
    )
  const request = session.nextRequest
  session.nextRequest = (request + 1) & 0xffff
  const answer = new Promise<InterestResult>((resolve, reject) => {
    session.interest.set(request, { zones: operation === 'remove' ? [] : [...zones], resolve, reject })
    queueClientReliable(state, session, encodeInterest({ request, operation, zones }))
  })
  // Whoever does not wait for the answer need not hear that the session ended before it came.
  answer.catch(() => {})
  return answer
}

const sendUpdate = (state: ClientState, eid: EntityId, message: Message<any>, args: unknown): void => {
  const { field } = message
  const name = nameOf(field)
  const { session } = state
  const object = session?.byEid.get(eid)
  if (!session || !object)
    throw new Error(`sendUpdate(${eid}): the entity is no distributed object of an open session.`)
  if (!object.clientClass.info.dclass.inherited.includes(field))
    throw new TypeError(`sendUpdate(${eid}): a ${object.clientClass.info.dclass.name} has no field ${name}.`)
  if (!field.keywords.includes('clsend') && !(field.keywords.includes('ownsend') && object.isOwned))
    throw new TypeError(
      field.keywords.includes('ownsend')
        ? `${name} is \`ownsend\`: only the owner of entity ${eid} may send it.`
        : `${name} has neither \`clsend\` nor \`ownsend\`: no client may send it.`,
    )
  if (!isFiniteValue(args)) throw new RangeError(`${name}: not all numbers are finite: a client may not send that.`)
  const update = { doId: object.doId, field: field.number, packed: packMessage(field, args, state.links) }
  if (field.keywords.includes('unreliable')) {
    session.unreliable.push(encodeUnreliableMessage(update))
    if (session.unreliable.length > MAX_UNRELIABLE_WAITING) session.unreliable.shift()
  } else {
    sendValuesFirst(state, session, object)
    queueClientReliable(state, session, encodeReliableMessage(update))
  }
}

/**
 * Makes a client for a world. The server's objects appear in it as entities of their dclass; those that belong to this
 * client have the tag `Owned`. Throws a `RangeError` or `TypeError` for options that make no sense.
 */
export const createClient = (world: World, schema: Schema<any>, options: ClientOptions): Client => {
  const state = createState(world, schema, options)
  const none: ReadonlySet<number> = new Set()
  // An object whose entity the game itself removes is let go: bitECS may give its id to something else.
  observe(world, onRemove(schema.DistributedObject), eid => forsake(state, eid))
  const subscribe = <T>(handlers: Set<T>, handler: T): (() => void) => {
    handlers.add(handler)
    return () => handlers.delete(handler)
  }
  const client: Client = {
    connect: data => connectClient(state, data),
    disconnect: () => disconnectClient(state),
    onDisconnect: handler => subscribe(state.onDisconnect, handler),
    onSuspend: handler => subscribe(state.onSuspend, handler),
    onResume: handler => subscribe(state.onResume, handler),
    get state() {
      return state.status
    },
    get clientId() {
      return state.session?.welcome?.clientId ?? 0
    },
    get tickRate() {
      return state.session?.welcome?.tickRate ?? 0
    },
    interest: {
      set: zones => changeInterest(state, 'set', zones),
      add: zones => changeInterest(state, 'add', zones),
      remove: zones => changeInterest(state, 'remove', zones),
      get zones() {
        return state.session?.replica.zones ?? none
      },
    },
    get rates() {
      const { updateRate, commandRate } = state.session?.welcome ?? state
      return { updateRate, commandRate, interp: (state.session ?? state).interp }
    },
    configure: options => configureClient(state, options),
    stats: state.stats,
    on(message, handler, { view } = {}) {
      const { field } = message
      const call = handler as ClientMessageHandler
      const seen = view ? handleInView(state, field, view, call) : call
      let handlers = state.handlers.get(field)
      if (!handlers) state.handlers.set(field, (handlers = new Set()))
      return subscribe(handlers, seen)
    },
    sendUpdate: (eid, message, args) => sendUpdate(state, eid, message, args),
    entityOf: doId => state.session?.objects.get(doId)?.eid ?? 0,
    receive(given) {
      checkWorld(world, given, 'client.receive')
      clientReceive(state)
    },
    interpolate(given) {
      checkWorld(world, given, 'client.interpolate')
      interpolate(state)
    },
    send(given) {
      checkWorld(world, given, 'client.send')
      clientSend(state)
    },
  }
  clientStates.set(client, state)
  ends.set(client, { world, schema, side: 'client' })
  return client
}
