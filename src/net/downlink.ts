import { bytesLeft, byteWriter, varintSize, writeBytes, writeU8, writeVarint, type ByteWriter } from './bytes.ts'
import { frameAt, isInReach, newestFrame } from './frames.ts'
import { Chunk, patchSequence, writeHeader } from './packet.ts'
import { createPeer, mustWait, resendTimeout, sendSequence, type Peer, type Sent } from './peer.ts'
import {
  acknowledgeFragments,
  createReliableReceiver,
  createReliableSender,
  hasRepeats,
  loseFragments,
  sendReliable,
  writeFragments,
  type ReliableReceiver,
  type ReliableSender,
} from './reliable.ts'
import { segmentFor, type Group, type Store, type Zone } from './store.ts'
import { ticksSince } from './ticks.ts'
import { encodeValue, type ValueSet } from './values.ts'

/** What one client is known to have of one group. */
export interface Subscription {
  readonly group: Group
  /** Tick of the newest frame that it acknowledged; -1 before the first. */
  acked: number
  /** Tick of the newest frame sent to it, and when (seconds); -1 before the first. */
  sent: number
  sentTime: number
  /** Sends since it was last served: the longest waiting goes first. */
  waiting: number
  /** Sends that were lost since the last acknowledgement. */
  losses: number
}

/** What a packet to a client carried. */
export interface DownContent {
  readonly segments: { subscription: Subscription; tick: number }[]
  fragments: number[] | undefined
}

/** The server's sending side of one session. */
export interface Downlink {
  readonly peer: Peer<DownContent>
  readonly sender: ReliableSender
  readonly receiver: ReliableReceiver
  /** Zones that the client sees now. */
  readonly zones: Map<Zone, Map<Group, Subscription>>
  /** Value fields that it lacks, by object. */
  readonly values: Map<ValueSet, Set<number>>
  /** Objects of each zone whose value fields have not all gone into the reliable stream since the zone was opened. */
  readonly owed: Map<Zone, Set<ValueSet>>
  /** Unreliable messages that wait for room in a packet, and since which one (seconds). */
  readonly messages: { readonly bytes: Uint8Array; time: number | undefined }[]
  readonly writer: ByteWriter
  /** False when the reliable stream overflowed: the session must end. */
  isSound: boolean
  /** Whether starving state went first in the last packet: then it is the others' turn. */
  wasStateFirst: boolean
}

export const createDownlink = (): Downlink => ({
  peer: createPeer(),
  sender: createReliableSender(),
  receiver: createReliableReceiver(),
  zones: new Map(),
  values: new Map(),
  owed: new Map(),
  messages: [],
  writer: byteWriter(),
  isSound: true,
  wasStateFirst: false,
})

/** Sends that a group waits before state goes ahead of messages, reliable and others, in every second packet. */
const STARVING = 3
/** Bytes of each packet that reliable fragments leave to state, while there is more than one fragment. */
const STATE_RESERVE = 500
/** Fragments that may wait before value fields are held back: until then only their newest bytes count. */
const VALUES_AHEAD = 64
/** Above so many postponed groups the packet says "all that are not in here". */
const MAX_DEFERRED = 30
/** Bytes of a deferred chunk that says so: messages leave that much, so that there is always room for it. */
const DEFERRED_ALL = 2
/** So many losses in a row and the baseline is in doubt: a keyframe needs none. */
const MAX_LOSSES = 8
/** Unreliable messages that may wait; older ones are dropped, as the network might. */
const MAX_MESSAGES = 256
/** Seconds that an unreliable message may wait for room: what is said now or never must not come after a stall. */
const MESSAGE_LIFE = 0.25

/** Starts to send a zone. */
export const subscribe = (downlink: Downlink, zone: Zone, valueSets: (group: Group) => Iterable<ValueSet>): void => {
  if (downlink.zones.has(zone)) return
  downlink.zones.set(zone, new Map())
  const owed = new Set<ValueSet>()
  downlink.owed.set(zone, owed)
  for (const group of zone.groups)
    for (const set of valueSets(group)) {
      needValues(downlink, set)
      if (set.packed.length > 0) owed.add(set)
    }
}

/** Stops to send a zone; what the client knew of it counts for nothing when it returns. */
export const unsubscribe = (downlink: Downlink, zone: Zone): void => {
  downlink.zones.delete(zone)
  downlink.owed.delete(zone)
}

/** Notes that the client lacks one value field of an object, or all of them. */
export const needValues = (downlink: Downlink, set: ValueSet, index?: number): void => {
  if (set.packed.length === 0) return
  let needed = downlink.values.get(set)
  if (!needed) downlink.values.set(set, (needed = new Set()))
  if (index === undefined) set.packed.forEach((_, each) => needed.add(each))
  else needed.add(index)
}

/** The same of an object that just came into a zone: whoever waits for that zone waits for these too. */
export const oweValues = (downlink: Downlink, zone: Zone, set: ValueSet): void => {
  needValues(downlink, set)
  if (set.packed.length > 0) downlink.owed.get(zone)?.add(set)
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
export const isSettled = (downlink: Downlink, zone: Zone): boolean => {
  const subscriptions = downlink.zones.get(zone)
  // Whatever is in the reliable stream by now arrives before an answer that is queued after it.
  flushValues(downlink)
  if (!subscriptions) return false
  for (const set of downlink.owed.get(zone) ?? []) if (set.isAlive && set.zone === zone) return false
  return zone.groups.every(
    group => (group.used === 0 && !subscriptions.has(group)) || (subscriptions.get(group)?.acked ?? -1) >= 0,
  )
}

/** A packet arrived: what it carried is known to the client. */
export const onDownAcked = (downlink: Downlink, sent: Sent<DownContent>): void => {
  for (const { subscription, tick } of sent.content.segments) {
    subscription.losses = 0
    if (subscription.acked < 0 || ticksSince(tick, subscription.acked) > 0) subscription.acked = tick
  }
  if (sent.content.fragments) acknowledgeFragments(downlink.sender, sent.content.fragments)
}

/** A packet was lost: what was newest in it is due again. */
export const onDownLost = (downlink: Downlink, sent: Sent<DownContent>): void => {
  for (const { subscription, tick } of sent.content.segments) {
    subscription.losses++
    if (subscription.sent === tick) subscription.sentTime = -Infinity
  }
  if (sent.content.fragments) loseFragments(downlink.sender, sent.content.fragments, sent.time)
}

const flushValues = (downlink: Downlink): void => {
  for (const [set, needed] of downlink.values) {
    // Noted while the client saw the object: by now one of the two may have gone elsewhere.
    const isSeen = set.isAlive && set.zone !== undefined && downlink.zones.has(set.zone)
    for (const index of needed) {
      if (downlink.sender.queue.length >= VALUES_AHEAD) return
      if (isSeen) queueReliable(downlink, encodeValue(set, index))
      needed.delete(index)
    }
    downlink.values.delete(set)
    if (set.zone) downlink.owed.get(set.zone)?.delete(set)
  }
}

const writeMessages = (downlink: Downlink, now: number): void => {
  const { messages, writer } = downlink
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

/** Subscriptions whose newest frame the client has not got and that is not on its way. */
const dueGroups = (downlink: Downlink, now: number, onTheWay: Group[]): Subscription[] => {
  const due: Subscription[] = []
  const { peer } = downlink
  // A message never runs ahead of the state that it was sent with: when it is sent again, so is that.
  const isRepeating = hasRepeats(downlink.sender, now, resendTimeout(peer))
  const patience = isRepeating ? 0 : peer.rtt === 0 ? 0.2 : peer.rtt * 1.3 + 0.02
  for (const [zone, subscriptions] of downlink.zones) {
    for (const group of zone.groups) {
      const newest = newestFrame(group.history)
      if (!newest) continue
      // Nothing is there and the client has never been told otherwise.
      if (group.used === 0 && !subscriptions.has(group)) continue
      let subscription = subscriptions.get(group)
      if (!subscription) {
        subscription = { group, acked: -1, sent: -1, sentTime: -Infinity, waiting: 0, losses: 0 }
        subscriptions.set(group, subscription)
      }
      if (subscription.acked === newest.tick) continue
      if (subscription.sent === newest.tick && now - subscription.sentTime < patience) {
        onTheWay.push(group)
        continue
      }
      subscription.waiting++
      due.push(subscription)
    }
  }
  return due.sort((a, b) => b.waiting - a.waiting)
}

/** Bytes before a segment's own: chunk, group, class and zone of a keyframe, ages, length. */
const segmentHeader = (keyframe: boolean, group: Group, age: number, span: number, length: number): number =>
  2 +
  varintSize(group.id) +
  (keyframe ? varintSize(group.layout.dclass.number) + varintSize(group.zone.id) : varintSize(span)) +
  varintSize(age) +
  varintSize(length)

const writeSegment = (
  downlink: Downlink,
  store: Store,
  subscription: Subscription,
  tick: number,
  now: number,
  reserve: number,
): boolean => {
  const { group } = subscription
  const { writer } = downlink
  const newest = newestFrame(group.history)!
  const isInDoubt = subscription.losses >= MAX_LOSSES
  const acked = subscription.acked < 0 || isInDoubt ? undefined : frameAt(group.history, subscription.acked)
  const base = acked && isInReach(group.history, acked) ? acked : undefined
  const bytes = segmentFor(store, group, base)
  const age = ticksSince(tick, newest.tick)
  const span = base ? ticksSince(newest.tick, base.tick) : 0
  const size = segmentHeader(base === undefined, group, age, span, bytes.length) + bytes.length
  if (size > bytesLeft(writer) - reserve) return false
  writeU8(writer, Chunk.segment)
  writeU8(writer, (base ? 0 : 1) | (group.layout.audience === 'owner' ? 2 : 0))
  writeVarint(writer, group.id)
  writeVarint(writer, age)
  if (base) writeVarint(writer, span)
  else {
    writeVarint(writer, group.layout.dclass.number)
    writeVarint(writer, group.zone.id)
  }
  writeVarint(writer, bytes.length)
  writeBytes(writer, bytes)
  subscription.sent = newest.tick
  subscription.sentTime = now
  subscription.waiting = 0
  return true
}

const writeDeferred = (writer: ByteWriter, groups: readonly Group[]): void => {
  if (groups.length === 0) return
  const isAll =
    groups.length > MAX_DEFERRED || groups.reduce((sum, group) => sum + varintSize(group.id), 2) > bytesLeft(writer)
  writeU8(writer, Chunk.deferred)
  writeU8(writer, isAll ? 0 : groups.length)
  if (!isAll) for (const group of groups) writeVarint(writer, group.id)
}

/**
 * Builds the one datagram that a client gets in this send: header, reliable fragments, messages, then the segments of
 * the groups that waited longest, as many as fit; the rest is named as deferred. When groups starve, state goes first
 * in every second packet: neither state nor messages can then hold up the other for ever. `undefined` while the
 * client's link is overdue with its acknowledgements. The bytes belong to the downlink and are valid until the next call.
 */
export const buildPacket = (
  downlink: Downlink,
  store: Store,
  tick: number,
  now: number,
  ackInterval: number,
): Uint8Array | undefined => {
  const { peer, writer } = downlink
  if (mustWait(peer, now, ackInterval)) return undefined
  flushValues(downlink)
  writeHeader(writer, peer, tick, now)
  const deferred: Group[] = []
  const due = dueGroups(downlink, now, deferred)
  const content: DownContent = { segments: [], fragments: undefined }
  const isStateFirst = !downlink.wasStateFirst && due.length > 0 && due[0]!.waiting > STARVING
  downlink.wasStateFirst = isStateFirst
  const writeQueued = () => {
    content.fragments = writeFragments(downlink.sender, writer, now, resendTimeout(peer), STATE_RESERVE, () =>
      writeU8(writer, Chunk.fragment),
    )
    writeMessages(downlink, now)
  }
  if (!isStateFirst) writeQueued()
  // Room for the list of what stays behind, so that it never pushes a packet over its size.
  const reserve = Math.min(deferred.length + due.length, MAX_DEFERRED) * 3 + 2
  for (const subscription of due) {
    if (writeSegment(downlink, store, subscription, tick, now, content.segments.length === 0 ? DEFERRED_ALL : reserve))
      content.segments.push({ subscription, tick: subscription.sent })
    else deferred.push(subscription.group)
  }
  writeDeferred(writer, deferred)
  if (isStateFirst) writeQueued()
  patchSequence(
    writer,
    sendSequence(peer, content, now, sent => onDownLost(downlink, sent)),
  )
  return writer.bytes.subarray(0, writer.length)
}
