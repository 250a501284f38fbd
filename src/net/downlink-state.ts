import type { Budget } from './budget.ts'
import type { Frame } from './frames.ts'
import type { Peer, Sent } from './peer.ts'
import type { ReliableReceiver, ReliableSender } from './reliable.ts'
import type { Group, Segment, Zone } from './store.ts'
import type { ValueSet } from './values.ts'

/** What one client is known to have of one group. */
export interface Subscription {
  readonly group: Group
  /** Tick of the newest frame that it acknowledged, and of the one before; -1 before the first. */
  acked: number
  ackedBefore: number
  /** Tick of the newest frame sent to it, what the next may foretell from besides it, and when (seconds); -1 before the first. */
  sent: number
  sentBase: number
  sentTime: number
  /** Which of its client's sends that was. */
  sentBeat: number
  /** Tick and time of the newest segment that needs no unacknowledged one. */
  anchor: number
  anchorTime: number
  /** Segments sent, and how many of them when the newest acknowledged one and the newest anchor had gone. */
  count: number
  countAcked: number
  countAnchor: number
  /** Whether something from the anchor on was lost: what builds on it cannot be decoded. */
  isBroken: boolean
  /** Sends since it was last served, and what the game says that it is worth: the largest product goes first. */
  waiting: number
  weight: number
  weighedAt: number
  /** Sends that were lost since the last acknowledgement. */
  losses: number
  /** Tick of the frame whose hash was sent last, and when; -1 before the first. */
  auditTick: number
  auditedAt: number
  /** What the packet that is being built does with it. */
  plan: 'nothing' | 'due' | 'deferred' | 'sent'
  base: Frame | undefined
  before: Frame | undefined
  segment: Segment | undefined
}

/** A zone that the client sees. */
export interface ZoneView {
  readonly zone: Zone
  /** One for each of the zone's groups when it was looked at last. */
  subscriptions: Subscription[]
  /** Objects whose value fields have not all gone into the reliable stream since the zone was opened. */
  readonly owed: Set<ValueSet>
  /** The store's round in which it was opened. */
  readonly since: number
}

/** What a packet to a client carried; used again once it was acknowledged. */
export interface DownContent {
  /** The first `count` are valid. */
  readonly subscriptions: Subscription[]
  readonly ticks: number[]
  /** {@link Subscription.count} of each, with it. */
  readonly counts: number[]
  count: number
  /** Groups whose hash was in it; the first `auditCount` are valid. */
  readonly audits: Subscription[]
  auditCount: number
  fragments: number[] | undefined
}

/** What a group is worth to this client: see {@link Subscription.weight}. */
export type Weigh = (group: Group) => number

/** The server's sending side of one session. */
export interface Downlink {
  readonly peer: Peer<DownContent>
  readonly sender: ReliableSender
  readonly receiver: ReliableReceiver
  readonly budget: Budget
  /** Zones that the client sees now. */
  readonly zones: Map<Zone, ZoneView>
  /** All subscriptions, in the order of group ids; built anew when `isStale`. */
  readonly subscriptions: Subscription[]
  isStale: boolean
  groupsVersion: number
  /** Groups that are not sent, for a client keeps only so many, and whether the game was told. */
  unsent: number
  isUnsentTold: boolean
  /** Value fields that it lacks, by object. */
  readonly values: Map<ValueSet, Set<number>>
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
  readonly onAcked: (sent: Sent<DownContent>) => void
  readonly onLost: (sent: Sent<DownContent>) => void
  readonly onDoubt: (sent: Sent<DownContent>) => void
}

export const createSubscription = (group: Group): Subscription => ({
  group,
  acked: -1,
  ackedBefore: -1,
  sent: -1,
  sentBase: -1,
  sentTime: -Infinity,
  sentBeat: -1,
  anchor: -1,
  anchorTime: -Infinity,
  count: 0,
  countAcked: 0,
  countAnchor: 0,
  isBroken: false,
  waiting: 0,
  weight: 1,
  weighedAt: -Infinity,
  losses: 0,
  auditTick: -1,
  auditedAt: -Infinity,
  plan: 'nothing',
  base: undefined,
  before: undefined,
  segment: undefined,
})
