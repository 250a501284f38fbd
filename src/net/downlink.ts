import { allowance, createBudget, hasPlenty, spend, type Budget } from './budget.ts'
import {
  bytesLeft,
  byteWriter,
  copyBytes,
  varintSize,
  writeBytes,
  writeU16,
  writeU8,
  writeVarint,
  type ByteWriter,
} from './bytes.ts'
import { encodeTables } from './codec/messages.ts'
import { baselineAt, newestFrame, type Frame } from './frames.ts'
import { Chunk, patchSequence, writeHeader } from './packet.ts'
import { clearance, createPeer, resendTimeout, sendSequence, type Peer, type Sent } from './peer.ts'
import {
  acknowledgeFragments,
  createReliableReceiver,
  createReliableSender,
  FRAGMENT,
  hasRepeats,
  hasUnsent,
  loseFragments,
  sendReliable,
  writeFragments,
  type ReliableReceiver,
  type ReliableSender,
} from './reliable.ts'
import { hashOf, segmentFor, valueSetsOf, type Group, type Segment, type Store, type Zone } from './store.ts'
import { ticksSince } from './ticks.ts'
import { MAX_PACKET } from './transport.ts'
import { openValues, valueSize, writeValue, type ValueSet } from './values.ts'

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
  /** Tick and time of the newest segment that needs no unacknowledged one, and how many after it do. */
  anchor: number
  anchorTime: number
  chained: number
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
}

/** What a packet to a client carried; used again once it was acknowledged. */
export interface DownContent {
  /** The first `count` are valid. */
  readonly subscriptions: Subscription[]
  readonly ticks: number[]
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
  /** Value fields that it lacks, by object. */
  readonly values: Map<ValueSet, Set<number>>
  /** At so many it is looked which of them nobody waits for any more. */
  mostValues: number
  /** Contents to be used again. */
  readonly spare: DownContent[]
  /** Unreliable messages that wait for room in a packet, and since which one (seconds). */
  readonly messages: { readonly bytes: Uint8Array; time: number | undefined }[]
  /** The codec's tables that the client has, and the newest ones that it was sent. */
  tables: number
  tablesSent: number
  /** How deep segments of the packet at hand may build on unacknowledged ones. */
  depth: number
  readonly maxChain: number
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

/** `most` is the limit of its bytes a second, `maxChain` that of {@link chainDepth}. */
export const createDownlink = (most = Infinity, maxChain = 8): Downlink => {
  const downlink: Downlink = {
    peer: createPeer(),
    sender: createReliableSender(),
    receiver: createReliableReceiver(),
    budget: createBudget(most),
    zones: new Map(),
    subscriptions: [],
    isStale: false,
    groupsVersion: -1,
    values: new Map(),
    mostValues: LEAST_VALUES,
    spare: [],
    messages: [],
    tables: 0,
    tablesSent: 0,
    depth: 1,
    maxChain,
    patience: 0.2,
    isRedundant: false,
    weigh: undefined,
    isSound: true,
    wasStateFirst: false,
    wasTight: false,
    lastTick: -1,
    lastLarge: -1,
    areMessagesLate: false,
    onAcked: sent => onDownAcked(downlink, sent),
    onLost: sent => onDownLost(downlink, sent),
    onDoubt: breakChains,
  }
  return downlink
}

/** From so much loss on a link may be full: then nothing is sent that may be on its way already. */
const FULL_LOSS = 0.12
/** Seconds: nothing is sent twice in one tick, but in the next one it may be. */
const ONCE = 1e-4
/** Reliable fragments that may be sent again in each packet. */
const FEW_FRAGMENTS = 2
/** Sends that a group waits before state goes ahead of messages, reliable and others, in every second packet. */
const STARVING = 3
/** Bytes of each packet that reliable fragments leave to state, while there is more than one fragment. */
const STATE_RESERVE = 500
/** Fragments that may wait before value fields are held back: until then only their newest bytes count. */
const VALUES_AHEAD = 64
/** Objects whose value fields may wait before those that are gone are looked for. */
const LEAST_VALUES = 1024
/** Below so many bytes a packet is not worth its header; so many has a probe, which may carry what is that small. */
const LEAST_BYTES = 64
const PROBE_BYTES = 96
/**
 * Share of lost packets above which a link is sent one large packet at a time, and small ones until that is answered: after a
 * loss SCTP lets only about 1,200 unanswered bytes out, and with two large packets among them, whose answers are lost too, nothing
 * more for a second.
 */
const LOSSY = 0.08
/** Above so many postponed groups the packet says "all that are not in here". */
const MAX_DEFERRED = 30
/** After so many that did not fit no more are tried: each may have to be encoded for this client alone. */
const MAX_MISFITS = 16
/** What says so instead of a count. */
const ALL_DEFERRED = 0xff
/** Bytes of a state chunk that says nothing but that: messages leave that much, so that there is always room for it. */
const DEFERRED_ALL = 6
/** So many losses in a row and the baseline is in doubt: a keyframe needs none. */
const MAX_LOSSES = 8
/** Unreliable messages that may wait; older ones are dropped, as the network might. */
const MAX_MESSAGES = 256
/** Seconds that an unreliable message may wait for room: what is said now or never must not come after a stall. */
const MESSAGE_LIFE = 0.25
/** Bounds of what a group is worth; sends of waiting that count as much as a worth of 1. */
const MIN_WEIGHT = 0.01
const MAX_WEIGHT = 100
const LONG_WAIT = 1024
/** Seconds between two looks at what a group is worth, and between two hashes of it. */
const WEIGH_INTERVAL = 0.25
const AUDIT_INTERVAL = 1
/** Bytes of one hash at most, with the chunk that it is in: group, age, hash. */
const AUDIT_BYTES = 1 + 5 + 5 + 2 + 1

const createContent = (): DownContent => ({
  subscriptions: [],
  ticks: [],
  count: 0,
  audits: [],
  auditCount: 0,
  fragments: undefined,
})

/** Stands for the content of an acknowledged packet. */
const NOTHING = createContent()

const createSubscription = (group: Group): Subscription => ({
  group,
  acked: -1,
  ackedBefore: -1,
  sent: -1,
  sentBase: -1,
  sentTime: -Infinity,
  sentBeat: -1,
  anchor: -1,
  anchorTime: -Infinity,
  chained: 0,
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

/** Starts to send a zone. */
export const subscribe = (downlink: Downlink, store: Store, zone: Zone): void => {
  if (downlink.zones.has(zone)) return
  const view: ZoneView = { zone, subscriptions: [], owed: new Set() }
  downlink.zones.set(zone, view)
  downlink.isStale = true
  for (const group of zone.groups) for (const set of valueSetsOf(store, group)) oweValues(downlink, zone, set)
}

/** Stops to send a zone; what the client knew of it counts for nothing when it returns. */
export const unsubscribe = (downlink: Downlink, zone: Zone): void => {
  if (downlink.zones.delete(zone)) downlink.isStale = true
}

/** Has a subscription for each group of each zone, in the order of group ids. */
const refreshSubscriptions = (downlink: Downlink, store: Store): void => {
  if (!downlink.isStale && downlink.groupsVersion === store.groupsVersion) return
  downlink.isStale = false
  downlink.groupsVersion = store.groupsVersion
  downlink.subscriptions.length = 0
  for (const view of downlink.zones.values()) {
    const before = view.subscriptions
    let at = 0
    // Both are in the order of ids: one walk, or each new group would cost every client its square.
    view.subscriptions = view.zone.groups.map(group => {
      while (at < before.length && before[at]!.group.id < group.id) at++
      return before[at]?.group === group ? before[at]! : createSubscription(group)
    })
    downlink.subscriptions.push(...view.subscriptions)
  }
  downlink.subscriptions.sort((a, b) => a.group.id - b.group.id)
}

/** The client has lost, or mistrusts, what it has of a group: it starts again. */
export const resync = (downlink: Downlink, groupId: number): void => {
  for (const view of downlink.zones.values()) {
    const at = view.subscriptions.findIndex(each => each.group.id === groupId)
    if (at < 0) continue
    // Another object: answers to packets from before, which speak of the old one, say nothing any more.
    view.subscriptions[at] = createSubscription(view.subscriptions[at]!.group)
    downlink.isStale = true
  }
}

/** Notes that the client lacks one value field of an object, or all of them. */
export const needValues = (downlink: Downlink, set: ValueSet, index?: number): void => {
  if (set.packed.length === 0) return
  let needed = downlink.values.get(set)
  if (!needed) {
    if (downlink.values.size >= downlink.mostValues) forgetValues(downlink)
    downlink.values.set(set, (needed = new Set()))
  }
  if (index === undefined) set.packed.forEach((_, each) => needed.add(each))
  else needed.add(index)
}

/**
 * Those of objects that are gone, or out of sight. A client that takes nothing more of the reliable stream would make us
 * remember every object that it ever saw.
 */
const forgetValues = (downlink: Downlink): void => {
  for (const set of downlink.values.keys()) if (!isSeen(downlink, set)) downlink.values.delete(set)
  for (const { owed } of downlink.zones.values())
    for (const set of owed) if (!downlink.values.has(set)) owed.delete(set)
  downlink.mostValues = Math.max(LEAST_VALUES, downlink.values.size * 2)
}

const isSeen = ({ zones }: Downlink, { isAlive, zone }: ValueSet): boolean =>
  isAlive && zone !== undefined && zones.has(zone)

/** The same of an object that just came into a zone: whoever waits for that zone waits for these too. */
export const oweValues = (downlink: Downlink, zone: Zone, set: ValueSet): void => {
  needValues(downlink, set)
  const owed = downlink.zones.get(zone)?.owed
  if (set.packed.length === 0 || !owed) return
  if (owed.size > downlink.mostValues) forgetValues(downlink)
  owed.add(set)
}

/** Queues a reliable message (copied). */
export const queueReliable = (downlink: Downlink, message: Uint8Array): void => {
  if (!sendReliable(downlink.sender, message)) downlink.isSound = false
}

/** Queues a message to be sent once. */
export const queueUnreliable = (downlink: Downlink, message: Uint8Array): void => {
  if (downlink.messages.length >= MAX_MESSAGES) downlink.messages.shift()
  downlink.messages.push({ bytes: message, time: undefined })
}

/** Whether the client has all of a zone: every group acknowledged once, no value field outstanding. */
export const isSettled = (downlink: Downlink, store: Store, zone: Zone): boolean => {
  const view = downlink.zones.get(zone)
  // Whatever is in the reliable stream by now arrives before an answer that is queued after it.
  flushValues(downlink)
  if (!view) return false
  for (const set of view.owed) {
    // It was sent while the object was elsewhere for a moment.
    if (!downlink.values.has(set)) view.owed.delete(set)
    else if (set.isAlive && set.zone === zone) return false
  }
  refreshSubscriptions(downlink, store)
  return view.subscriptions.every(each => (each.group.used === 0 && each.sent < 0) || each.acked >= 0)
}

/** Whether there is more to send than fits the client's ordinary packets, and the means to send it out of turn. */
export const isBehind = (downlink: Downlink): boolean =>
  (downlink.wasTight || hasUnsent(downlink.sender)) && hasPlenty(downlink.budget)

const onDownAcked = (downlink: Downlink, sent: Sent<DownContent>): void => {
  const { content } = sent
  for (let index = 0; index < content.count; index++) {
    const subscription = content.subscriptions[index]!
    const tick = content.ticks[index]!
    subscription.losses = 0
    const { acked, ackedBefore } = subscription
    if (acked < 0 || ticksSince(tick, acked) > 0) {
      subscription.ackedBefore = acked
      subscription.acked = tick
    } else if (tick !== acked && (ackedBefore < 0 || ticksSince(tick, ackedBefore) > 0)) subscription.ackedBefore = tick
  }
  if (content.fragments) acknowledgeFragments(downlink.sender, content.fragments)
  // It is heard of no more.
  sent.content = NOTHING
  downlink.spare.push(content)
}

const onDownLost = (downlink: Downlink, { content, time }: Sent<DownContent>): void => {
  for (let index = 0; index < content.count; index++) {
    const subscription = content.subscriptions[index]!
    const tick = content.ticks[index]!
    subscription.losses++
    if (subscription.sent === tick) subscription.sentTime = -Infinity
    if (subscription.anchor === tick) subscription.anchorTime = -Infinity
    if (ticksSince(tick, subscription.anchor) >= 0) subscription.isBroken = true
  }
  // Of a group at rest there would be no other.
  for (let index = 0; index < content.auditCount; index++) content.audits[index]!.auditTick = -1
  if (content.fragments) loseFragments(downlink.sender, content.fragments, time)
}

/** A packet came and could not be decoded: one that it builds on is missing. */
const breakChains = ({ content }: Sent<DownContent>): void => {
  for (let index = 0; index < content.count; index++) {
    const subscription = content.subscriptions[index]!
    if (ticksSince(content.ticks[index]!, subscription.anchor) > 0) subscription.isBroken = true
  }
}

/** One message of small values, or of a single large one. */
const valueWriter = byteWriter(FRAGMENT)

/** Puts the value fields that the client lacks into the reliable stream, several small ones to a message. */
const flushValues = (downlink: Downlink): void => {
  if (downlink.values.size === 0) return
  let lastId = 0
  openValues(valueWriter)
  const close = () => {
    if (lastId !== 0) queueReliable(downlink, valueWriter.bytes.subarray(0, valueWriter.length))
    lastId = 0
    openValues(valueWriter)
  }
  for (const [set, needed] of downlink.values) {
    // Noted while the client saw the object: by now one of the two may have gone elsewhere.
    const isWanted = isSeen(downlink, set)
    for (const index of needed) {
      if (downlink.sender.queue.length >= VALUES_AHEAD) {
        close()
        return
      }
      needed.delete(index)
      if (!isWanted) continue
      const size = valueSize(set, index)
      if (size > bytesLeft(valueWriter)) close()
      if (size > bytesLeft(valueWriter)) queueLarge(downlink, set, index, size)
      else {
        writeValue(valueWriter, set, index, lastId)
        lastId = set.doId
      }
    }
    downlink.values.delete(set)
    if (set.zone) downlink.zones.get(set.zone)?.owed.delete(set)
  }
  close()
}

/** Sends the codec's newest tables to a client once; it answers when it has them. */
const offerTables = (downlink: Downlink, { codec }: Store): void => {
  const { generation } = codec
  if (downlink.tablesSent === generation) return
  downlink.tablesSent = generation
  // Packets name the tables that they were written with: for older ones than are kept those are the built-in ones.
  if (!codec.tablesOf(downlink.tables)) downlink.tables = 0
  const bytes = codec.tablesOf(generation)
  if (bytes) queueReliable(downlink, encodeTables(generation, bytes))
}

/** The client has tables that it was sent. Those that are forgotten by now stand for the built-in ones. */
export const confirmTables = (downlink: Downlink, store: Store, generation: number): void => {
  if (store.codec.tablesOf(generation)) downlink.tables = generation
}

const queueLarge = (downlink: Downlink, set: ValueSet, index: number, size: number): void => {
  const large = byteWriter(size + 1)
  openValues(large)
  writeValue(large, set, index, 0)
  queueReliable(downlink, large.bytes.subarray(0, large.length))
}

const writeMessages = (downlink: Downlink, writer: ByteWriter, now: number): void => {
  const { messages } = downlink
  if (messages.length === 0) return
  let kept = 0
  for (const message of messages) {
    message.time ??= now
    if (now - message.time > MESSAGE_LIFE) continue
    if (message.bytes.length + 1 + DEFERRED_ALL > bytesLeft(writer)) messages[kept++] = message
    else {
      writeU8(writer, Chunk.message)
      writeBytes(writer, message.bytes)
    }
  }
  messages.length = kept
}

/** What the loss may well be: over few packets a lossy link can look like a good one. */
const suspectedLoss = (peer: Peer<DownContent>): number => {
  const loss = Math.max(peer.loss, peer.longLoss)
  return loss <= 0 ? 0 : loss + Math.sqrt((loss * (1 - loss)) / Math.min(600, peer.newestAcked + 1))
}

/**
 * How deep segments may build on unacknowledged ones, in sends: a lost packet costs those after it too, up to the next
 * anchor. Less with more loss, and never so much that an object stands still for long.
 */
export const chainDepth = (loss: number, rate: number): number => {
  if (loss > 0.03) return 1
  const most = loss > 0.015 ? 2 : loss > 0.003 ? 4 : 8
  return Math.max(1, Math.min(most, Math.floor(rate * (loss > 0.015 ? 0.07 : 0.15))))
}

/** Every how manieth send a group of that weight takes part in, as a power of two: 1, 2, 4 or 8. */
const strideShift = (weight: number): number => (weight > 0.7 ? 0 : weight > 0.35 ? 1 : weight > 0.17 ? 2 : 3)

const weigh = (downlink: Downlink, subscription: Subscription, now: number): void => {
  if (!downlink.weigh || now - subscription.weighedAt < WEIGH_INTERVAL) return
  subscription.weighedAt = now
  const weight = downlink.weigh(subscription.group)
  subscription.weight = weight > 0 ? Math.min(MAX_WEIGHT, weight) : MIN_WEIGHT
}

/** Decides what this packet has to say of each group. Returns how many are due. */
const planGroups = (downlink: Downlink, now: number, beat: number): number => {
  let due = 0
  const { subscriptions, patience } = downlink
  for (let index = 0; index < subscriptions.length; index++) {
    const subscription = subscriptions[index]!
    const { group } = subscription
    subscription.plan = 'nothing'
    const newest = newestFrame(group.history)
    // Nothing is there and the client has never been told otherwise; or it has all there is.
    if (newest === undefined || subscription.acked === newest.tick) continue
    if (group.used === 0 && subscription.sent < 0) continue
    if (
      (subscription.sent === newest.tick && now - subscription.sentTime < patience) ||
      (subscription.acked < 0 && downlink.depth === 1 && now - subscription.anchorTime < patience)
    ) {
      subscription.plan = 'deferred'
      continue
    }
    weigh(downlink, subscription, now)
    const shift = strideShift(subscription.weight)
    // Once in each stride, at its first beat if there is room then, so that all clients do it at once.
    if (
      shift > 0 &&
      subscription.acked >= 0 &&
      (beat + group.id) >> shift === (subscription.sentBeat + group.id) >> shift
    ) {
      subscription.plan = 'deferred'
      continue
    }
    subscription.waiting++
    subscription.plan = 'due'
    due++
  }
  return due
}

/** Chooses the baseline of a group's segment: see PROTOCOL.md, "Anchors and chains". */
const chooseBase = (downlink: Downlink, subscription: Subscription, now: number, beat: number) => {
  const { history } = subscription.group
  const newest = newestFrame(history)!
  const { depth } = downlink
  const { sent, acked } = subscription
  if (sent >= 0 && sent !== newest.tick && sent !== acked && !subscription.isBroken && depth > 1) {
    const isAnchorDue =
      acked < 0
        ? now - subscription.anchorTime > downlink.patience
        : (beat >> strideShift(subscription.weight)) % depth === 0 || subscription.chained >= depth
    const base = isAnchorDue ? undefined : baselineAt(history, sent)
    if (base) return base
  }
  if (acked < 0 || subscription.losses >= MAX_LOSSES) return undefined
  return baselineAt(history, acked)
}

/** What a segment that builds on `base` may foretell movement from: the client has it if it has that. */
const chooseBefore = (store: Store, subscription: Subscription, base: Frame | undefined): Frame | undefined => {
  if (!store.codec.usesBefore || base === undefined) return undefined
  const tick = base.tick === subscription.acked ? subscription.ackedBefore : subscription.sentBase
  const before = tick < 0 || tick === base.tick ? undefined : baselineAt(subscription.group.history, tick)
  return before && ticksSince(base.tick, before.tick) < 256 ? before : undefined
}

/** Bytes before a segment's own, at most: see {@link writeEntry}. */
const entryHeader = (
  group: Group,
  newest: Frame,
  base: Frame | undefined,
  before: Frame | undefined,
  age: number,
  length: number,
): number =>
  varintSize(group.id * 4 + 3) +
  varintSize(age) +
  (base === undefined
    ? varintSize(group.layout.dclass.number * 4 + 3) + varintSize(group.zone.id)
    : // A group may have been at rest for days: its baseline is that old.
      varintSize(spanOf(newest, base)) + varintSize(spanOf(base, before))) +
  varintSize(length)

/** Distances of the segments in the packet that is being built, counted; what occurs most is the packet's default. */
const spanCounts = new Uint16Array(256)
const beforeCounts = new Uint16Array(256)
const spanOf = (later: Frame, earlier: Frame | undefined): number =>
  earlier === undefined ? 0 : ticksSince(later.tick, earlier.tick)

/** Packets of all clients are built in one buffer, and handed out as one of these views of it. */
const writer = byteWriter(MAX_PACKET)
const views: Uint8Array[] = []
const packetView = (): Uint8Array => (views[writer.length] ??= writer.bytes.subarray(0, writer.length))

/** Due subscriptions in the order in which they are served. */
const order: Subscription[] = []

/** What goes first: who is worth more and waited longer; after a long wait everyone's turn comes, whatever it is worth. */
const priorityOf = ({ waiting, weight }: Subscription): number => waiting * Math.max(weight, waiting / LONG_WAIT)

/** Shell sort: in place and without memory, which the array's own is not. */
const sortByPriority = (count: number): void => {
  for (let gap = count >> 1; gap > 0; gap >>= 1)
    for (let index = gap; index < count; index++) {
      const each = order[index]!
      const priority = priorityOf(each)
      let at = index
      for (; at >= gap && priorityOf(order[at - gap]!) < priority; at -= gap) order[at] = order[at - gap]!
      order[at] = each
    }
}

/** Chooses which of the due groups go into the packet, those first that matter and waited, and the default distances. */
const selectSegments = (
  downlink: Downlink,
  store: Store,
  tick: number,
  now: number,
  beat: number,
  room: number,
): void => {
  let count = 0
  let left = room
  let misfits = 0
  let bestSpan = 0
  let bestBefore = 0
  for (const each of downlink.subscriptions) if (each.plan === 'due') order[count++] = each
  if (downlink.wasTight) sortByPriority(count)
  downlink.wasTight = false
  for (let index = 0; index < count; index++) {
    const subscription = order[index]!
    if (misfits === MAX_MISFITS) {
      subscription.plan = 'deferred'
      continue
    }
    const { group } = subscription
    const newest = newestFrame(group.history)!
    const base = chooseBase(downlink, subscription, now, beat)
    const before = chooseBefore(store, subscription, base)
    const segment = segmentFor(store, group, base, before, downlink.tables)
    const age = ticksSince(tick, newest.tick)
    const size = entryHeader(group, newest, base, before, age, segment.length) + segment.length
    if (size > left) {
      subscription.plan = 'deferred'
      downlink.wasTight = true
      misfits++
      continue
    }
    left -= size
    subscription.plan = 'sent'
    subscription.sentBeat = beat
    subscription.base = base
    subscription.before = before
    subscription.segment = segment
    if (base === undefined) continue
    const span = Math.min(255, spanOf(newest, base))
    if (++spanCounts[span]! > spanCounts[bestSpan]!) bestSpan = span
    const further = spanOf(base, before)
    if (++beforeCounts[further]! > beforeCounts[bestBefore]!) bestBefore = further
  }
  spanCounts.fill(0)
  beforeCounts.fill(0)
  defaultSpan = bestSpan
  defaultBefore = bestBefore
}

/** The distances that the segments of the packet at hand have if they do not say otherwise. */
let defaultSpan = 0
let defaultBefore = 0

/** One group in the state chunk: {@link StateEntry} in replica.ts reads it. */
const writeEntry = (store: Store, subscription: Subscription, tick: number, lastId: number): void => {
  const { group, base, before } = subscription
  const segment = subscription.segment!
  const newest = newestFrame(group.history)!
  const age = ticksSince(tick, newest.tick)
  const span = spanOf(newest, base)
  const further = base ? spanOf(base, before) : 0
  const kind = base === undefined ? 2 : age === 0 && span === defaultSpan && further === defaultBefore ? 0 : 1
  writeVarint(writer, (group.id - lastId) * 4 + kind)
  if (kind > 0) writeVarint(writer, age)
  if (kind === 1) {
    writeVarint(writer, span)
    if (store.codec.usesBefore) writeVarint(writer, further)
  }
  if (kind === 2) {
    writeVarint(
      writer,
      group.layout.dclass.number * 4 +
        (group.layout.audience === 'owner' ? 1 : 0) +
        (group.zone.exclusiveTo > 0 ? 2 : 0),
    )
    writeVarint(writer, group.zone.id)
  }
  writeVarint(writer, segment.length)
  copyBytes(writer, store.writer.bytes, segment.start, segment.length)
}

const noteSent = (subscription: Subscription, content: DownContent, now: number): void => {
  const newest = newestFrame(subscription.group.history)!
  const { base, isBroken, sent } = subscription
  const isAnchor = base === undefined || base.tick === subscription.acked
  // What builds on this segment foretells from the one before it, as everyone's does; but after a loss from what this
  // one builds on, or a client that lacks the one before would lack the next for ever.
  subscription.sentBase = isAnchor && !isBroken && sent >= 0 ? sent : base === undefined ? -1 : base.tick
  if (isAnchor) {
    subscription.anchor = newest.tick
    subscription.anchorTime = now
    subscription.chained = 0
    subscription.isBroken = false
  } else subscription.chained++
  subscription.sent = newest.tick
  subscription.sentTime = now
  subscription.waiting = 0
  subscription.base = undefined
  subscription.before = undefined
  subscription.segment = undefined
  content.subscriptions[content.count] = subscription
  content.ticks[content.count++] = newest.tick
}

/** Writes the chosen segments in the order of their groups, then the groups that the packet says nothing of. */
const writeState = (downlink: Downlink, store: Store, content: DownContent, tick: number, now: number): void => {
  const { subscriptions } = downlink
  // A second packet of a tick confirms nothing, so it need not say what it does not confirm.
  const isFirst = downlink.lastTick !== tick
  let deferred = 0
  let deferredBytes = 1
  let lastId = 0
  let isOpen = false
  for (let index = 0; index < subscriptions.length; index++) {
    const subscription = subscriptions[index]!
    if (subscription.plan === 'deferred' && isFirst) {
      deferred++
      deferredBytes += varintSize(subscription.group.id)
    }
    if (subscription.plan !== 'sent') continue
    if (!isOpen) openState(downlink, store)
    isOpen = true
    writeEntry(store, subscription, tick, lastId)
    lastId = subscription.group.id
    noteSent(subscription, content, now)
  }
  if (!isOpen && deferred === 0) return
  if (!isOpen) openState(downlink, store)
  writeU8(writer, 0)
  const isAll = !isFirst || deferred > MAX_DEFERRED || deferredBytes > bytesLeft(writer)
  writeU8(writer, isAll ? ALL_DEFERRED : deferred)
  if (isAll) return
  lastId = 0
  for (let index = 0; index < subscriptions.length; index++) {
    const subscription = subscriptions[index]!
    if (subscription.plan !== 'deferred') continue
    writeVarint(writer, subscription.group.id - lastId)
    lastId = subscription.group.id
  }
}

const openState = (downlink: Downlink, store: Store): void => {
  writeU8(writer, Chunk.state)
  writeU8(writer, defaultSpan)
  if (!store.codec.usesBefore) return
  writeU8(writer, defaultBefore)
  writeU8(writer, downlink.tables)
}

/** Now and then the hash of a group that is in the packet, or that the client has: it compares. */
const writeAudits = (downlink: Downlink, content: DownContent, tick: number, now: number): void => {
  const { subscriptions } = downlink
  let isOpen = false
  for (let index = 0; index < subscriptions.length; index++) {
    const subscription = subscriptions[index]!
    if (now - subscription.auditedAt < AUDIT_INTERVAL) continue
    const newest = newestFrame(subscription.group.history)
    if (newest === undefined || newest.tick === subscription.auditTick) continue
    if (subscription.plan !== 'sent' && subscription.acked !== newest.tick) continue
    if (bytesLeft(writer) < AUDIT_BYTES) break
    subscription.auditedAt = now
    subscription.auditTick = newest.tick
    content.audits[content.auditCount++] = subscription
    if (!isOpen) writeU8(writer, Chunk.audit)
    isOpen = true
    writeVarint(writer, subscription.group.id)
    writeVarint(writer, ticksSince(tick, newest.tick))
    writeU16(writer, hashOf(subscription.group))
  }
  if (isOpen) writeVarint(writer, 0)
}

const openFragment = (): void => writeU8(writer, Chunk.fragment)

/** What waited longest, times its weight. */
const longestWait = (downlink: Downlink): number => {
  let longest = 0
  for (const each of downlink.subscriptions) if (each.plan === 'due' && each.waiting > longest) longest = each.waiting
  return longest
}

/**
 * Builds the one datagram that a client gets in this send: header, reliable fragments, messages, then the segments of
 * the groups that matter most and waited longest, as many as fit; the rest is named as deferred. When groups starve,
 * state goes first in every second packet: neither state nor messages can then hold up the other for ever.
 * `undefined` while the client's link is overdue with its acknowledgements, or its budget is used up. `beat` counts
 * the sends of all clients with its `rate`, `ackInterval` is how often (seconds) it answers. The bytes are valid until
 * the next call for any client.
 */
export const buildPacket = (
  downlink: Downlink,
  store: Store,
  tick: number,
  now: number,
  ackInterval: number,
  beat: number,
  rate: number,
): Uint8Array | undefined => {
  const { peer, sender, budget } = downlink
  const clear = clearance(peer, now, ackInterval)
  const isLossy = Math.min(peer.loss, peer.longLoss * 1.3) > LOSSY
  const go = clear === 'go' && isLossy && downlink.lastLarge > peer.newestAcked ? 'probe' : clear
  if (clear !== 'go') budget.wasHeldUp = true
  if (go === 'wait') return undefined
  const limit = Math.min(allowance(budget, peer, now), go === 'probe' ? PROBE_BYTES : MAX_PACKET)
  if (limit < LEAST_BYTES) return undefined
  downlink.depth = Math.min(downlink.maxChain, chainDepth(suspectedLoss(peer), rate))
  offerTables(downlink, store)
  flushValues(downlink)
  refreshSubscriptions(downlink, store)
  // A message never runs ahead of the state that it was sent with: when it is sent again, or later, so is that.
  const isRepeating = go === 'go' && (downlink.areMessagesLate || hasRepeats(sender, now, resendTimeout(peer)))
  downlink.areMessagesLate =
    go !== 'go' && (downlink.areMessagesLate || hasUnsent(sender) || downlink.messages.length > 0)
  downlink.isRedundant = downlink.depth === 1 && peer.longLoss > 0 && peer.loss < FULL_LOSS && hasPlenty(budget)
  const patience = downlink.isRedundant ? ONCE : peer.rtt === 0 ? 0.2 : peer.rtt * 1.3 + 0.02
  downlink.patience = isRepeating ? Math.min(ONCE, patience) : patience
  const due = planGroups(downlink, now, beat)
  const isStarving = due > 0 && longestWait(downlink) > STARVING
  // What starves is worth saving up for: a large segment needs a whole datagram's allowance.
  if (isStarving && limit < MAX_PACKET && downlink.wasTight && go === 'go') return undefined
  writer.limit = limit
  writeHeader(writer, peer, tick, now)
  const content = downlink.spare.pop() ?? createContent()
  content.count = 0
  content.auditCount = 0
  content.fragments = undefined
  const isStateFirst = !downlink.wasStateFirst && isStarving
  downlink.wasStateFirst = isStateFirst
  // What a probe has room for is state: messages would run ahead of theirs.
  if (!isStateFirst && go === 'go') writeQueued(downlink, content, now)
  writeGroups(downlink, store, content, tick, now, beat, due)
  if (isStateFirst && go === 'go') writeQueued(downlink, content, now)
  downlink.lastTick = tick
  const sequence = sendSequence(peer, content, now, downlink.onLost)
  if (writer.length > PROBE_BYTES) downlink.lastLarge = sequence
  patchSequence(writer, sequence)
  spend(budget, writer.length)
  return packetView()
}

const writeQueued = (downlink: Downlink, content: DownContent, now: number): void => {
  const { sender, peer } = downlink
  const timeout = downlink.isRedundant && sender.queue.length <= FEW_FRAGMENTS ? ONCE : resendTimeout(peer)
  if (sender.queue.length > 0)
    content.fragments = writeFragments(sender, writer, now, timeout, STATE_RESERVE, openFragment)
  writeMessages(downlink, writer, now)
}

const writeGroups = (
  downlink: Downlink,
  store: Store,
  content: DownContent,
  tick: number,
  now: number,
  beat: number,
  due: number,
): void => {
  // Room for the list of what stays behind, so that it never pushes a packet over its size.
  const room = bytesLeft(writer) - DEFERRED_ALL - Math.min(due, MAX_DEFERRED) * 2
  defaultSpan = 0
  defaultBefore = 0
  if (due > 0) selectSegments(downlink, store, tick, now, beat, room)
  writeState(downlink, store, content, tick, now)
  writeAudits(downlink, content, tick, now)
}
