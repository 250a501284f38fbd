import type { World } from 'bitecs'
import type { DClassInfo, NumberColumn, Schema } from '../components/index.ts'
import type { DCAtomicField, DCClass, DCMolecularField, DCParameterField } from '../dc/index.ts'
import { byteWriter, type ByteReader, type ByteWriter } from '../net/bytes.ts'
import type { Reason, Welcome } from '../net/hello.ts'
import { EPOCH } from '../net/layout.ts'
import type { FieldMessage } from '../net/message.ts'
import { createPeer, type Peer } from '../net/peer.ts'
import { createPings, type LinkStats, type Pings } from '../net/ping.ts'
import { createPlayout, type Playout, type PlayoutOptions } from '../net/playout.ts'
import { clampInterp, type Rates } from '../net/rates.ts'
import {
  createReliableReceiver,
  createReliableSender,
  type ReliableReceiver,
  type ReliableSender,
} from '../net/reliable.ts'
import { createReplica, type Replica, type ReplicaGroup } from '../net/replica.ts'
import { createVigil, type Vigil } from '../net/vigil.ts'
import { createTrafficWindow, type Traffic, type TrafficWindow } from '../net/traffic.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'
import type { LifecycleState } from './lifecycle.ts'
import type { Links } from './links.ts'
import type { Binding } from './rows.ts'
import type { Track, TrackPlan } from './track.ts'
import type { UploadPlan } from './upload.ts'

/** What the client keeps of a dclass. */
export interface ClientClass {
  readonly info: DClassInfo
  readonly interested: Binding
  readonly owner: Binding | undefined
  readonly track: TrackPlan | undefined
  readonly upload: UploadPlan | undefined
  /** Whether a word of the layout belongs to its owner (`ownsend`), or to the interpolation `[words]`. */
  readonly isOwnerWritten: ReadonlyMap<Binding, Uint8Array>
  readonly isInterpolated: Uint8Array
  /** Value fields that the owner writes. */
  readonly ownerValues: readonly DCParameterField[]
  /** Value fields with entities in them. */
  readonly referenceValues: readonly DCParameterField[]
}

/** What a column that holds an entity stands for, whether that is here or not. */
export interface Target {
  doId: number
  /** What we wrote into the column last: if it is something else now, the game wrote that. */
  eid: number
}

/** A distributed object that this client sees. */
export interface ClientObject {
  readonly eid: number
  readonly doId: number
  readonly clientClass: ClientClass
  /** See `lifecycle.ts`; changed by nothing else. */
  state: LifecycleState
  /** Tick of the frame by which it came here, which is long ago when nothing changed since; and the newest tick then. */
  readonly bornTick: number
  readonly cameTick: number
  /** When it was gone last: frames up to this tick are of before. `undefined`: it never was. */
  sinceTick: number | undefined
  /** Seconds. */
  disabledAt: number
  /** While it is disabled: its value fields with entities in them. */
  lists: readonly { readonly field: DCParameterField; readonly packed: Uint8Array }[]
  /** Where its row is now, and the tick of the newest frame that had it there. */
  group: ReplicaGroup
  slot: number
  seenTick: number
  owner: number
  isOwned: boolean
  /** The row that its columns were written from. */
  readonly row: Uint32Array
  /** Left its zone for another one that we see, and has not shown up there yet: since this tick. */
  orphanedAt: number | undefined
  /** Whether it has been in another group before. */
  hasMoved: boolean
  /** Its history, and where in there; `undefined` when nothing of it is smoothed. */
  track: Track | undefined
  trackSlot: number
  /** Seconds by which it is shown later than others. */
  delay: number
  /** Owner-written words as the server is known to have them, and the packet that told it so `[upload.words]`. */
  readonly acknowledged: Uint32Array | undefined
  acknowledgedSequence: number
  /** Epoch of the owner's row; the interested row has its own. */
  ownerEpoch: number
  /**
   * Owner-written value fields: the packed bytes that the server is known to have or was sent last, their epoch, and
   * whether they are ours.
   */
  readonly sentValues: Map<DCParameterField, { packed: Uint8Array; epoch: number; isOurs: boolean }>
  /** By column, of those that hold entities. */
  readonly targets: Map<NumberColumn, Target>
  /** What was wrong with its values when they were sent last; empty: nothing. */
  complaint: string
  /** The same of its strings, blobs and lists. */
  valueComplaint: string
}

/** What a packet to the server carried. */
export interface UpContent {
  readonly uploads: { object: ClientObject; words: Uint32Array; epoch: number }[]
  fragments: number[] | undefined
  /** Told that the packet arrived: see `write-field.ts`. */
  whenAcked?: () => void
}

/** A message that waits for the receive system, or for its object to appear. */
export interface WaitingMessage extends FieldMessage {
  /** Where it stands among all that came in the stream. */
  readonly serial: number
  time: number
}

export interface InterestPromise {
  readonly zones: readonly number[]
  readonly resolve: (result: InterestResult) => void
  readonly reject: (error: Error) => void
}

/** What became of a request for interest. */
export interface InterestResult {
  readonly granted: readonly number[]
  readonly refused: readonly number[]
}

/** A `connect` that waits for the server's answer. */
export interface Attempt {
  /** What the game told the server of the player. */
  readonly json: string
  /** Seconds: when it began to wait, and for how long it may; `undefined`: for `timeout`. */
  startedAt: number
  limit: number | undefined
  lastHello: number
  /** What it says instead of hello once the server has asked who we are. */
  response: Uint8Array | undefined
  resolve(): void
  reject(error: Error): void
}

/** One try to go on over another connection. */
export interface Comeback {
  readonly nonce: number
  /** Seconds. */
  until: number
  /** Nothing while it is being opened. */
  connection: Connection | undefined
  shownAt: number
}

/** A session without a connection that answers. Times in seconds. */
export interface Suspension {
  readonly until: number
  tries: number
  nextTry: number
  comeback: Comeback | undefined
}

/** What a session does about its connection: see `client-resume.ts`. */
export interface Lifeline {
  /** Goes on over a connection. */
  attach(connection: Connection): void
  /** The connection is lost, or silent for too long. */
  lose(reason: Reason): void
  /** Tries to come back, while the session is suspended. */
  drive(now: number): void
}

/** Questions to a server that refused our schema: see `client-session.ts`. */
export interface SchemaInquiry {
  /** Asks what was not answered yet; rejects `connect` when there is nothing more to ask, or no time. */
  drive(): void
  /** Takes an answer, behind its first byte. */
  answer(reader: ByteReader): void
  /** What `connect` rejects with, by all that is known. */
  error(): Error
}

/** Everything of one session with a server. */
export interface ClientSession {
  /** What the server's schema differs in, while that is found out. */
  inquiry: SchemaInquiry | undefined
  connection: Connection
  /** Whether that is closed: the session is suspended, or about to be. */
  isCut: boolean
  suspension: Suspension | undefined
  readonly lifeline: Lifeline
  readonly vigil: Vigil
  readonly attempt: Attempt
  readonly nonce: number
  readonly peer: Peer<UpContent>
  readonly sender: ReliableSender
  readonly receiver: ReliableReceiver
  readonly replica: Replica
  readonly playout: Playout
  readonly pings: Pings
  /** Seconds of interpolation that the server granted last. */
  interp: number
  readonly messages: WaitingMessage[]
  /** Packets whose state cannot be decoded yet, with where their chunks start. */
  readonly held: { bytes: Uint8Array; start: number; sequence: number; tick: number; time: number }[]
  readonly interest: Map<number, InterestPromise>
  readonly unreliable: Uint8Array[]
  readonly objects: Map<number, ClientObject>
  readonly byEid: Map<number, ClientObject>
  /** Adds to each packet what `writeField` wrote. */
  writeMore?: (writer: ByteWriter, content: UpContent) => void
  /** Those of `objects` that are not alive yet. */
  readonly unfinished: Set<ClientObject>
  /** Objects that are not seen any more and may return, by doId, the one that left first in front. */
  readonly disabled: Map<number, ClientObject>
  readonly tracks: Map<ReplicaGroup, Track>
  /** Rows that only the owner gets, by doId. */
  readonly ownerPlaces: Map<number, { group: ReplicaGroup; slot: number }>
  welcome: Welcome | undefined
  nextRequest: number
  /** The unwrapped tick that `replica.newestTick` stands for. */
  unwrappedTick: number
  /** Objects came or went: what names them has to be looked at again. */
  isPopulationChanged: boolean
  /** Objects were left out for want of room; and there is some since. */
  isCrowded: boolean
  hasRoom: boolean
  nextSendTime: number
  isOver: boolean
}

/** Numbers about the session, for game code and panels. */
export interface ClientStats extends Traffic, LinkStats {
  /** Round trip, seconds; 0 before the first sample. */
  rtt: number
  /** Share of our packets that got lost, 0..1. */
  loss: number
  /** Seconds between the server's now and what is shown, where the way here is taken for half of the shortest round trip. */
  playoutDelay: number
  /** Distributed objects here. */
  objects: number
  /** Objects that are `Disabled`. */
  disabled: number
  /** Zones that the server sends. */
  zones: number
  /** Segments that could not be decoded in time (they come again). */
  undecodable: number
  /** Groups whose state was not the server's by its hash: must stay 0; each one is sent anew. */
  desyncs: number
  /** Datagrams or messages that are not of the protocol; dropped. */
  malformed: number
  /** Messages whose object did not appear in time; dropped. */
  orphanedMessages: number
  /** Changes of an object's state that must not be (see LIFECYCLE.md), refused: a fault of the library that must stay 0. */
  faults: number
}

export type ClientMessageHandler = (eid: number, args: any) => unknown

/** `reconnecting`: the connection is lost, the session is not, and the client tries to come back. */
export type ClientStatus = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed'

export interface ClientState {
  readonly world: World
  readonly schema: Schema<any>
  readonly transport: ClientTransport
  password: string
  updateRate: number
  commandRate: number
  interp: number
  interpRatio: number
  playout: PlayoutOptions
  pingInterval: number
  timeout: number
  resumeTime: number
  readonly respond: ((challenge: Uint8Array) => Uint8Array | Promise<Uint8Array>) | undefined
  disabledTime: number
  maxDisabled: number
  readonly now: () => number
  readonly onError: (error: unknown, where: string) => void
  readonly classes: ReadonlyMap<DCClass, ClientClass>
  readonly links: Links
  /**
   * Told of each packet of ours that the server answered: local times of sending and receiving, the server's time at its
   * answer, and how long it held the packet; seconds.
   */
  onEcho: ((session: ClientSession, sent: number, received: number, server: number, hold: number) => void) | undefined
  readonly handlers: Map<DCAtomicField | DCMolecularField, Set<ClientMessageHandler>>
  readonly onDisconnect: Set<(reason: Reason) => void>
  readonly onSuspend: Set<(reason: Reason) => void>
  readonly onResume: Set<() => void>
  readonly stats: ClientStats
  readonly trafficWindow: TrafficWindow
  readonly writer: ByteWriter
  /** Whether the game was told that the schema has no room for more entities. */
  isOverCapacity: boolean
  /** Counts `connect` and `disconnect` calls: an attempt that was overtaken gives up. */
  attempts: number
  status: ClientStatus
  session: ClientSession | undefined
  /** The session before, until the receive system has removed its objects. */
  ended: ClientSession | undefined
}

export const createClientSession = (
  state: ClientState,
  connection: Connection,
  attempt: Attempt,
  lifeline: Lifeline,
): ClientSession => ({
  connection,
  isCut: false,
  suspension: undefined,
  lifeline,
  vigil: createVigil(),
  attempt,
  inquiry: undefined,
  nonce: Math.floor(Math.random() * 0x1_0000_0000),
  peer: createPeer(),
  sender: createReliableSender(),
  receiver: createReliableReceiver(),
  replica: createReplica(state.schema.file),
  playout: createPlayout({
    updateRate: state.updateRate,
    interpRatio: state.interpRatio,
    ...(state.interp > 0 ? { mode: 'fixed', interp: state.interp } : {}),
    ...state.playout,
  }),
  pings: createPings(state.pingInterval),
  interp: state.interp,
  messages: [],
  held: [],
  interest: new Map(),
  unreliable: [],
  objects: new Map(),
  byEid: new Map(),
  unfinished: new Set(),
  disabled: new Map(),
  tracks: new Map(),
  ownerPlaces: new Map(),
  welcome: undefined,
  nextRequest: 0,
  unwrappedTick: 0,
  isPopulationChanged: false,
  isCrowded: false,
  hasRoom: false,
  nextSendTime: -Infinity,
  isOver: false,
})

/** What functions that are not part of it need to know of a client. */
export interface ClientHandle {
  readonly clientId: number
  readonly stats: Readonly<ClientStats>
}

/** What is behind a client, for functions that are not part of it: pages that do not use them need not load them. */
export const clientStates = new WeakMap<object, ClientState>()

/** The server says what it grants. */
export const takeRates = (session: ClientSession, rates: Rates): void => {
  const { playout } = session
  session.welcome = { ...session.welcome!, updateRate: rates.updateRate, commandRate: rates.commandRate }
  playout.updateRate = rates.updateRate
  const interp = clampInterp(rates.interp)
  if (interp === session.interp) return
  session.interp = interp
  playout.mode = interp > 0 ? 'fixed' : 'adaptive'
  if (interp > 0) playout.interp = interp
}

export const createBuffers = () => ({ trafficWindow: createTrafficWindow(), writer: byteWriter() })

/** The epoch that what we write of an object belongs to: of its row for everyone, or of the owner's if only that has one. */
export const epochOf = (object: ClientObject): number =>
  object.clientClass.interested.layout.bits[EPOCH] === 0 ? object.ownerEpoch : object.row[EPOCH]!
