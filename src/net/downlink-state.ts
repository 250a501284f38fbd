import type { Budget } from './budget.ts'
import type { Peer } from './peer.ts'
import type { ReliableReceiver, ReliableSender } from './reliable.ts'
import type { Group, Zone } from './store.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { ValueSet } from './values.ts'

/** A zone that the client sees. */
export interface ZoneView {
  readonly zone: Zone
  /** Rows of the zone's groups, in their order, when it was looked at last. */
  rows: number[]
  /** Objects whose value fields have not all gone into the reliable stream since the zone was opened. */
  readonly owed: Set<ValueSet>
  /** The store's round in which it was opened. */
  readonly since: number
}

/** What a packet to a client carried; used again once it was acknowledged. */
export interface DownContent {
  /**
   * Its segments, three numbers each: the row, the frame's tick as an int32, and {@link COUNT} of the row with it; the first `count * 3` are
   * valid.
   */
  entries: Int32Array
  count: number
  /** Rows of groups whose hash was in it; the first `auditCount` are valid. */
  readonly audits: number[]
  auditCount: number
  fragments: number[] | undefined
}

/** Numbers of a segment in {@link DownContent.entries}. */
export const ENTRY = 3

/** What a group is worth to this client: 1 is ordinary. */
export type Weigh = (group: Group) => number

/** The server's sending side of one session. */
export interface Downlink {
  readonly peer: Peer<DownContent>
  readonly sender: ReliableSender
  readonly receiver: ReliableReceiver
  readonly budget: Budget
  /** Zones that the client sees now. */
  readonly zones: Map<Zone, ZoneView>
  /** What it has of its groups; their order is made anew when `isStale`. */
  readonly subscriptions: Subscriptions
  isStale: boolean
  groupsVersion: number
  /** When (seconds) one of them is to be compared with what the client has: not before. */
  auditDue: number
  /** Groups that are not sent, for a client keeps only so many, and whether the game was told. */
  unsent: number
  isUnsentTold: boolean
  /** Value fields that it lacks, by object; whether there are any. */
  readonly values: Map<ValueSet, Set<number>>
  lacksValues: boolean
  /** At so many it is looked which of them nobody waits for any more. */
  mostValues: number
  /** Contents to be used again. */
  readonly spare: DownContent[]
  /** Reliable messages that wait for the values of their objects to go ahead of them, and bytes of them. */
  readonly outbox: { readonly bytes: Uint8Array; readonly after: readonly (ValueSet | undefined)[] }[]
  outboxBytes: number
  /** Unreliable messages that wait for room in a packet, and since which one (seconds). */
  readonly messages: { readonly bytes: Uint8Array; time: number | undefined }[]
  /** The codec's tables that the client has, and the newest ones that it was sent. */
  tables: number
  tablesSent: number
  /** How deep segments of the packet at hand may build on unacknowledged ones. */
  depth: number
  /** Bounds of it. */
  minChain: number
  maxChain: number
  /** Seconds that what was sent may stay unanswered before it is sent again. */
  patience: number
  /** Whether what is not acknowledged is sent again in each packet: on a link that loses much and has room to spare. */
  isRedundant: boolean
  /** The game's say in what goes first; nothing: all groups are worth 1. */
  weigh: Weigh | undefined
  /** False when the reliable stream overflowed: the session must end. */
  isSound: boolean
  /** Whether starving state went first in the last packet: then it is the others' turn. */
  wasStateFirst: boolean
  /** Whether something did not fit into the last packet, and the tick of that; -1 before the first. */
  wasTight: boolean
  lastTick: number
  /** Number of the last packet that was larger than a probe; -1 before the first. */
  lastLarge: number
  /** Whether messages wait that a probe did not take along: the state that they were sent with went without them. */
  areMessagesLate: boolean
  readonly onAcked: (content: DownContent) => void
  readonly onLost: (content: DownContent, time: number) => void
  readonly onDoubt: (content: DownContent) => void
}
