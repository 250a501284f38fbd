import { chooseBase, chooseBefore } from './baselines.ts'
import { bytesLeft, byteWriter, copyBytes, varintSize, writeU16, writeU8, writeVarint } from './bytes.ts'
import type { DownContent, Downlink, Subscription } from './downlink-state.ts'
import { newestFrame, type Frame } from './frames.ts'
import { Chunk } from './packet.ts'
import { hashOf, segmentFor, type Group, type Store } from './store.ts'
import { ticksSince } from './ticks.ts'
import { MAX_PACKET } from './transport.ts'

/** The chunks of a packet that tell of state: segments, the groups that it says nothing of, and hashes. */

/** Above so many postponed groups the packet says "all that are not in here". */
export const MAX_DEFERRED = 30
/** After so many that did not fit no more are tried: each may have to be encoded for this client alone. */
const MAX_MISFITS = 16
/** What says so instead of a count. */
const ALL_DEFERRED = 0xff
/** Bytes of a state chunk that says nothing but that: messages leave that much, so that there is always room for it. */
export const DEFERRED_ALL = 6
/** Sends of waiting that count as much as a worth of 1. */
const LONG_WAIT = 1024
/** Seconds between two hashes of a group. */
const AUDIT_INTERVAL = 1
/** Bytes of one hash at most, with the chunk that it is in: group, age, hash. */
const AUDIT_BYTES = 1 + 5 + 5 + 2 + 1

/** The default step back travels in 4 bits. */
const MOST_DEFAULT_BEFORE = 15
/** So far behind the entry before it a group takes no bytes of its own, if it has the defaults. */
const NEAR = 3

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
  varintSize(length * 4)

/** Distances of the segments in the packet that is being built, counted; what occurs most is the packet's default. */
const spanCounts = new Uint16Array(256)
const beforeCounts = new Uint16Array(MOST_DEFAULT_BEFORE + 1)
const spanOf = (later: Frame, earlier: Frame | undefined): number =>
  earlier === undefined ? 0 : ticksSince(later.tick, earlier.tick)

/** Packets of all clients are built in one buffer, and handed out as one of these views of it. */
export const writer = byteWriter(MAX_PACKET)
const views: Uint8Array[] = []
export const packetView = (): Uint8Array => (views[writer.length] ??= writer.bytes.subarray(0, writer.length))

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
export const selectSegments = (
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
    if (further <= MOST_DEFAULT_BEFORE && ++beforeCounts[further]! > beforeCounts[bestBefore]!) bestBefore = further
  }
  spanCounts.fill(0)
  beforeCounts.fill(0)
  defaultSpan = bestSpan
  defaultBefore = bestBefore
}

/** The distances that the segments of the packet at hand have if they do not say otherwise. */
let defaultSpan = 0
let defaultBefore = 0

/** Before the segments of a packet are chosen: there may be none. */
export const openPacket = (): void => {
  openEnd = -1
  defaultSpan = 0
  defaultBefore = 0
}

/** One group in the state chunk: {@link StateEntry} in replica.ts reads it. */
const writeEntry = (store: Store, subscription: Subscription, tick: number, lastId: number): void => {
  const { group, base, before } = subscription
  const segment = subscription.segment!
  const newest = newestFrame(group.history)!
  const age = ticksSince(tick, newest.tick)
  const span = spanOf(newest, base)
  const further = base ? spanOf(base, before) : 0
  const kind = base === undefined ? 2 : age === 0 && span === defaultSpan && further === defaultBefore ? 0 : 1
  const step = group.id - lastId
  const isNear = kind === 0 && step <= NEAR
  writeVarint(writer, segment.length * 4 + (isNear ? step : 0))
  if (!isNear) writeVarint(writer, step * 4 + kind)
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
  copyBytes(writer, store.writer.bytes, segment.start, segment.length)
}

const noteSent = (subscription: Subscription, content: DownContent, now: number): void => {
  const newest = newestFrame(subscription.group.history)!
  const { base } = subscription
  subscription.count++
  // What builds on this segment foretells from what this one builds on: who decodes this one has that.
  subscription.sentBase = base === undefined ? -1 : base.tick
  if (base === undefined || base.tick === subscription.acked) {
    subscription.anchor = newest.tick
    subscription.anchorTime = now
    subscription.countAnchor = subscription.count
    subscription.isBroken = false
  }
  subscription.sent = newest.tick
  subscription.sentTime = now
  subscription.waiting = 0
  subscription.base = undefined
  subscription.before = undefined
  subscription.segment = undefined
  content.subscriptions[content.count] = subscription
  content.counts[content.count] = subscription.count
  content.ticks[content.count++] = newest.tick
}

/** Writes the chosen segments in the order of their groups, then the groups that the packet says nothing of. */
export const writeState = (downlink: Downlink, store: Store, content: DownContent, tick: number, now: number): void => {
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
    store.stats.sent++
    noteSent(subscription, content, now)
  }
  if (!isOpen && deferred === 0) return
  if (!isOpen) openState(downlink, store)
  const isAll = !isFirst || deferred > MAX_DEFERRED || deferredBytes + 1 > bytesLeft(writer)
  openEnd = deferred === 0 && !isAll ? writer.length : -1
  writeU8(writer, 0)
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
  if (store.codec.usesBefore) writeU8(writer, downlink.tables)
  writeVarint(writer, defaultSpan * (MOST_DEFAULT_BEFORE + 1) + defaultBefore)
}

/** Where the end of a state chunk that defers nothing begins, in the packet at hand; -1 for none. */
let openEnd = -1

/** Leaves out the end of the state chunk, when it says nothing and is that of the packet too. */
export const closePacket = (): void => {
  if (openEnd === writer.length - STATE_END) writer.length = openEnd
}

/** Bytes behind the entries of a chunk that defers nothing. */
const STATE_END = 2

/** Now and then the hash of a group that is in the packet, or that the client has: it compares. */
export const writeAudits = (downlink: Downlink, content: DownContent, tick: number, now: number): void => {
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
