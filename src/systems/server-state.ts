import type { EntityId, World } from 'bitecs'
import type { DClassInfo, Schema } from '../components/index.ts'
import type { DCClass, DCParameterField } from '../dc/index.ts'
import type { Bucket } from '../net/bucket.ts'
import type { Downlink } from '../net/downlink.ts'
import type { LinkStats, Pings } from '../net/ping.ts'
import type { Rates } from '../net/rates.ts'
import type { Reason } from '../net/hello.ts'
import type { Findings } from '../net/inquiry.ts'
import type { Group, Place, Store, Zone } from '../net/store.ts'
import type { SchemaIdentity, SchemaMismatch } from '../net/schema-mismatch.ts'
import type { Traffic, TrafficWindow } from '../net/traffic.ts'
import type { Connection, ServerTransport } from '../net/transport.ts'
import type { ValueSet } from '../net/values.ts'
import type { MessageField } from '../net/layout.ts'
import type { Vigil } from '../net/vigil.ts'
import type { Authenticate, Proof } from './authenticate.ts'
import type { OwnerLeaves } from './departure.ts'
import type { Getter } from './kept-messages.ts'
import type { LifecycleState } from './lifecycle.ts'
import type { Links } from './links.ts'
import type { Denial } from './permissions.ts'
import type { Binding } from './rows.ts'
import type { Watch } from './scan.ts'
import type { UploadPlan } from './upload.ts'
import type { FieldCheck } from './validate.ts'

/** What the server keeps of a dclass: where its columns are, and who may write what. */
export interface ServerClass {
  readonly info: DClassInfo
  readonly interested: Binding
  readonly owner: Binding | undefined
  readonly upload: UploadPlan | undefined
  /** The class's objects in no order, their entities and marks: what changed since the last capture. */
  readonly objects: ServerObject[]
  eids: Uint32Array
  touched: Uint8Array
  /**
   * The groups and slots of objects that nobody owns and whose values fit: a scan alone can bring those up to date. They are here, and not
   * looked up in the objects, since a big world's objects are in no cache.
   */
  readonly steady: (Group | undefined)[]
  steadySlots: Uint8Array
  /** The rows of its objects as they fitted last, one behind the other, and uint32s a row; the same of owners' rows. */
  rows: Uint32Array
  readonly width: number
  ownerRows: Uint32Array
  readonly ownerWidth: number
  /** Columns to compare with their copies, and columns of JavaScript values: see `scan.ts`. */
  readonly watched: readonly Watch[]
  readonly texts: readonly { readonly column: unknown[]; readonly shadow: unknown[] }[]
}

/** Who sees an object, whatever its zone: `zone` is the rule for all others. */
export type Visibility = 'zone' | 'always' | 'never'

/**
 * Says of one client who sees an object: `true` is by its zone, as `'zone'`, `false` and `undefined` is not at all, as `'never'`. It is
 * asked when the rule is set, when a client joins, and by `refreshVisibility`; what it goes by should not change in between.
 */
export type VisibilityTest<Client = ServerClient> = (client: Client, eid: EntityId) => Visibility | boolean | undefined

/** An object's own rule of who sees it, besides its owner: of single clients, then of all. */
export interface VisibilityRule {
  all: Visibility
  readonly clients: Map<number, Visibility>
  /** In place of `all`, and what it answered, by client. */
  test: VisibilityTest | undefined
  readonly answers: Map<number, Visibility>
  /** Where its row is, for those who see it by this rule. */
  readonly zone: Zone
}

/** A zone and owner that an object had, and when (seconds) that ended. */
export interface Past {
  readonly zone: number
  readonly owner: number
  readonly endedAt: number
}

/** A distributed object, from the moment its entity got a dclass component. */
export interface ServerObject {
  readonly eid: number
  readonly doId: number
  readonly serverClass: ServerClass
  /** See `lifecycle.ts`; changed by nothing else. */
  state: LifecycleState
  /** Its index in `serverClass.objects`. */
  index: number
  /** What the game said of who sees it; the same if it is a rule of its own; and the rule that its row follows. */
  visibility: VisibilityRule | undefined
  rule: VisibilityRule | undefined
  placedBy: VisibilityRule | undefined
  /** Zone and owner as the store has them; the columns may be ahead until the next capture. */
  zone: number
  owner: number
  /** Where it was and whose, newest last: what a client sent that had not heard of the change is late, not forbidden. */
  readonly past: Past[]
  /** When (seconds) its rule of who sees it changed last. */
  hiddenAt: number
  place: Place | undefined
  /** Tick in which it came there. */
  movedAt: number
  /** Whether it has ever changed its zone. */
  hasMoved: boolean
  /** Tick in which it changed its zone and stayed there; -1 before the first. */
  rezonedAt: number
  ownerPlace: Place | undefined
  readonly values: ValueSet
  readonly ownerValues: ValueSet | undefined
  /** The JavaScript values behind `values` and `ownerValues` when they were packed last. */
  readonly packedFrom: unknown[]
  readonly ownerPackedFrom: unknown[]
  /** Newest upload that was applied, per owner, so that a late one does not undo it. */
  uploadSequence: number
  /** What was wrong with its values in the last capture; empty: nothing. */
  complaint: string
  /** Counts how often the server overruled the owner: see `nextEpoch`. */
  epoch: number
  /** What the owner-written columns hold unless game code writes them `[upload.words]`. */
  readonly expected: Uint32Array | undefined
}

/** Marks of an object that the next capture looks at: its row, or the owner's, was changed already; its value fields; all of it. */
export const Touch = { words: 1, values: 2, ownerWords: 8, all: 6 } as const

/** Has the next capture look at an object, whatever its columns say. */
export const touch = (object: ServerObject): void => {
  object.serverClass.touched[object.index] = Touch.all
}

/** What is counted of one session. */
export interface SessionCounts extends Traffic, LinkStats {
  /** Groups that it asked for anew since their state was not the server's, or was forgotten. */
  resyncs: number
}

/** Numbers about one session, for game code and panels. */
export interface SessionStats extends Readonly<SessionCounts> {
  /** Round trip, seconds; 0 before the first sample. */
  readonly rtt: number
  /** Share of our packets that got lost, 0..1. */
  readonly loss: number
  /** Bytes a second that its link is trusted with now. */
  readonly budget: number
}

/**
 * One connected client, as game code sees it. The types of who it is come from `createServer`'s options: what `authenticate.verify` and the
 * transport's authorization return.
 */
export interface ServerClient<Identity = unknown, Authorization = unknown> {
  /** 1..65535; what `DistributedObject.owner` holds. */
  readonly id: number
  /** What the player gave to `connect`: untrusted JSON. */
  readonly data: any
  readonly address: string
  /** What the transport's authorization returned, when it signed in. */
  readonly authorization: Authorization
  /** What `authenticate.verify` returned; `undefined` when there is no such option. */
  readonly identity: Identity
  /** Whether its connection is lost, and it may come back until `resumeTime` is over. */
  readonly isSuspended: boolean
  /** Packets a second that it is sent, and that it means to send. */
  readonly updateRate: number
  readonly commandRate: number
  /** Seconds by which it shows others late; 0: it follows its link. As the client says, so untrusted. */
  readonly interp: number
  /** Zones that it sees now. */
  readonly zones: ReadonlySet<number>
  readonly stats: SessionStats
  /** What it tried that was refused, counted. */
  readonly violations: Readonly<ViolationCounts>
}

/** A client that was not let in. */
export interface Refused {
  readonly reason: Reason
  /** As the transport names it. */
  readonly address: string
  /** For people: of another schema, what differs and who is older. */
  readonly message: string
  /** The same as data, when the reason is `schema`. */
  readonly schema?: SchemaMismatch
}

/** A datagram that waits for the receive system. */
export interface Received {
  readonly packet: Uint8Array
  readonly time: number
}

/** A request for interest that is not complete yet. */
export interface PendingInterest {
  readonly request: number
  readonly zones: readonly number[]
  readonly refused: readonly number[]
}

/** One connection: a stranger until its hello is accepted, then a client. */
export interface Session {
  connection: Connection
  readonly inbox: Received[]
  readonly openedAt: number
  client: ServerClient | undefined
  /** Its id, -1 without it. */
  clientId: number
  /** Of the hello or resume that was answered with a welcome last: a repetition has the same one. */
  nonce: number | undefined
  /** What a resume has to show, and what the client is given for the next one while it may not have that yet. */
  token: Uint8Array | undefined
  nextToken: Uint8Array | undefined
  /** Why its connection is lost or silent, since when, and until when it may come back (seconds): later if the server sleeps meanwhile. */
  suspension: { readonly reason: Reason; readonly since: number; until: number } | undefined
  /** When (seconds) it came back last, and how long it was away: what it sends then may be that old. */
  resumedAt: number
  outage: number
  /** A hello that waits for the client to show who it is. */
  proof: Proof | undefined
  readonly downlink: Downlink
  /** Zones that the client asked for and may see. */
  readonly requested: Set<number>
  /** Zones that the game gave it. */
  readonly granted: Set<number>
  /** Zones that the game took away, until it asks for them again: they do not linger. */
  readonly revoked: Set<number>
  /** Those, the zones of its objects, and those that linger. */
  readonly zones: Set<number>
  /** Zones that it wants no more, and until when (seconds) it is sent them still. */
  readonly lingering: Map<number, number>
  /** Zones that it does not see any more, since when (seconds); the newest last. */
  readonly left: Map<number, number>
  /** Whether its zones may have changed, and the store's version that it knows. */
  isZonesDirty: boolean
  zonesVersion: number
  readonly pendingInterest: PendingInterest[]
  /** Apart from what the game sees of it: an object with getters is slow, these are written with each datagram. */
  readonly counts: SessionCounts
  readonly stats: SessionStats
  /** When (seconds) its pings and rates are looked at next. */
  measureAt: number
  readonly trafficWindow: TrafficWindow
  /** What it may send: datagrams, messages, bytes of messages and values, interest requests, and fields with a limit by number. */
  readonly datagramBucket: Bucket
  readonly messageBucket: Bucket
  readonly byteBucket: Bucket
  readonly interestBucket: Bucket
  readonly fieldBuckets: Map<number, Bucket>
  /** What its messages make others hear, in bytes. */
  relayBucket?: Bucket
  /** Newest version that it wrote of each number of others' objects, by doId and field number. */
  writes?: Map<number, number>
  readonly violations: ViolationCounts
  /** Rates that were asked for; those granted are within the limits of now. */
  wanted: Rates
  updateRate: number
  commandRate: number
  interp: number
  readonly pings: Pings
  /** Why it is to be closed, and when (seconds). */
  closing: { reason: Reason; at: number } | undefined
  /** Of a client with another schema: what was found out about that. */
  inquiry: { readonly findings: Findings; readonly schema: SchemaIdentity; answers: number } | undefined
  /** Its connection is closed; the other end said goodbye. */
  isClosed: boolean
  hasLeft: boolean
}

/** Things that clients did which the server refused, counted. */
export interface ViolationCounts {
  /** Datagrams or messages that are not of the protocol. */
  malformed: number
  /** Fields that the sender may not send, or objects that it does not see. */
  forbidden: number
  /** Values outside what DC declares. */
  outOfRange: number
  /** Datagrams dropped because too many waited, messages beyond what a client may send. */
  flooded: number
  /** Values that a check of the game ({@link Server.validate}) refused. */
  refused: number
}

export type ViolationKind = keyof ViolationCounts

/**
 * What becomes of a client that did what it may not. What it sent is dropped in any case; `warn` tells `onError` besides, the 1st, 10th,
 * 100th, ... time of each kind; `kick` ends its session.
 */
export type ViolationAction = 'ignore' | 'warn' | 'kick'

/** What is done about each kind of violation. */
export type ViolationPolicy = Readonly<Record<ViolationKind, ViolationAction>>

/**
 * Why something was refused. Of `malformed`: `datagram` (bytes that are not of the protocol), `stream` (a fragment against the
 * rules; the session cannot go on), `field` (the object's class has no such field), `channel` (reliable for unreliable, or numbers and
 * values mixed up). Of `forbidden`: a {@link Denial}. Of `outOfRange`: `value` (outside its DC type, or bytes left over), `too-large` (a `ram` message
 * beyond what is kept). Of `flooded`: which allowance is used up; `relay`: it says more to others than one of them can be told. Of `refused`:
 * `check`.
 */
export type ViolationDetail =
  | 'datagram'
  | 'stream'
  | 'field'
  | 'channel'
  | Denial
  | 'value'
  | 'too-large'
  | 'datagrams'
  | 'messages'
  | 'bytes'
  | 'field-rate'
  | 'interest'
  | 'relay'
  | 'check'

/** What a client tried that was refused. */
export interface Violation {
  readonly kind: ViolationKind
  readonly detail: ViolationDetail
  /** `Avatar.say`, when it is about a field that the schema has. */
  readonly field: string | undefined
  /** The entity of the object, or 0. */
  readonly object: number
  /** What the policy does unless the hook says otherwise. */
  readonly action: ViolationAction
}

/** What a client that comes back too late is told. */
export type Farewell = Pick<Session, 'token' | 'nextToken'> & { readonly reason: Reason }

/** Told of an entity, the id of its owner, and of the one before; 0: the server. */
export type OwnerHandler = (eid: number, owner: number, before: number) => void

export type MessageHandler = (eid: number, args: any, client: ServerClient) => unknown

export interface ServerState {
  readonly world: World
  readonly schema: Schema<any>
  readonly store: Store
  readonly links: Links
  /** Entities that became objects since the last capture. */
  readonly appeared: Set<number>
  readonly objects: Map<number, ServerObject>
  readonly byDoId: Map<number, ServerObject>
  /** Objects whose entity went since the last capture. */
  readonly removed: ServerObject[]
  readonly serverClasses: ServerClass[]
  /** Objects with their own rule of who sees them. */
  readonly exceptions: Set<ServerObject>
  /** Zones of each client's own objects, counted. */
  readonly ownedZones: Map<number, Map<number, number>>
  readonly sessions: Set<Session>
  readonly downlinks: Map<Downlink, Session>
  readonly clients: Map<number, ServerClient>
  readonly sessionOf: Map<number, Session>
  /** Clients that were sent away while they were suspended, by id: the tokens by which they would come back, and why. */
  readonly farewells: Map<number, Farewell>
  readonly handlers: Map<MessageField, Set<MessageHandler>>
  /** What `required` messages say now, and what the game makes of values that clients write. */
  readonly getters: Map<MessageField, Getter>
  readonly checks: Map<DCParameterField, FieldCheck>
  readonly onJoin: Set<(client: ServerClient) => unknown>
  readonly onLeave: Set<(client: ServerClient, reason: Reason) => void>
  readonly onSuspend: Set<(client: ServerClient, reason: Reason) => void>
  readonly onResume: Set<(client: ServerClient, seconds: number) => void>
  readonly onOwner: Set<OwnerHandler>
  /** Objects whose zone the last capture changed: their state may follow. */
  readonly settling: Set<ServerObject>
  /** Changes of owner that the last capture found. */
  readonly ownerChanges: { readonly object: ServerObject; readonly owner: number; readonly before: number }[]
  readonly onRefused: Set<(refused: Refused) => void>
  readonly transport: ServerTransport
  readonly tickRate: number
  maxClients: number
  password: string
  minUpdateRate: number
  maxUpdateRate: number
  /** Seconds without a packet after which a client counts as gone, and for which it may come back then. */
  timeout: number
  readonly resumeTime: number
  readonly authenticate: Authenticate | undefined
  /** Proofs whose verification is under way, or was when their client left. */
  readonly verifying: Set<Proof>
  readonly whenOwnerLeaves: OwnerLeaves
  readonly vigil: Vigil
  /** Seconds between two entries of the pings' window. */
  pingInterval: number
  messageRate: number
  messageBytes: number
  interestRate: number
  /** Of fields that have one of their own, by field number. */
  limits: ReadonlyMap<number, FieldLimit>
  maxBytesPerSecond: number
  packetsPerSend: number
  maxChain: number
  minChain: number
  maxZones: number
  linger: number
  readonly detect: 'compare' | 'mark'
  readonly priority: ((client: ServerClient, zone: number, dclass: DCClass) => number) | undefined
  readonly allowZone: (client: ServerClient, zone: number) => boolean
  readonly onError: (error: unknown, where: string) => void
  /** Seconds. */
  readonly now: () => number
  readonly violations: ViolationCounts
  violationPolicy: ViolationPolicy
  readonly onViolation: ((client: ServerClient, violation: Violation) => ViolationAction | void) | undefined
  tick: number
  nextDoId: number
  nextClientId: number
}

/** How often each client may send a field. */
export interface FieldLimit {
  /** Times a second, on average. */
  readonly rate: number
  /** Times at once. Default: what a link holds back that is dead for `timeout`, and 4 seconds' worth. */
  readonly burst?: number
}

/** Tokens that a bucket keeps: what a link may have held back without anybody's fault. */
export const burstOf = (state: { readonly timeout: number }, rate: number): number => rate * (state.timeout + 4)

export const noViolations = (): ViolationCounts => ({
  malformed: 0,
  forbidden: 0,
  outOfRange: 0,
  flooded: 0,
  refused: 0,
})

export const countViolation = (state: ServerState, session: Session, kind: ViolationKind): void => {
  state.violations[kind]++
  session.violations[kind]++
}

/**
 * Runs game code: what it throws, or a promise of it rejects with, is reported, not passed on into the server's tick; `onFailure` is
 * called after that.
 */
export const guarded = (state: ServerState, where: string, call: () => unknown, onFailure?: () => void): unknown => {
  const fail = (error: unknown): void => {
    state.onError(error, where)
    onFailure?.()
  }
  try {
    const result = call()
    if (result instanceof Promise) result.catch(fail)
    return result
  } catch (error) {
    fail(error)
    return undefined
  }
}

/** Tells the game of a client for as long as that is here: a handler may end its session. */
export const tellOf = <Args extends unknown[]>(
  state: ServerState,
  client: ServerClient,
  handlers: Iterable<(client: ServerClient, ...args: Args) => void>,
  where: string,
  ...args: Args
): void => {
  for (const handler of handlers) {
    if (state.clients.get(client.id) !== client) return
    guarded(state, where, () => handler(client, ...args))
  }
}
