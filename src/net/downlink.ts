import { chainDepth, longestWait, planGroups, suspectedLoss } from './baselines.ts'
import { allowance, createBudget, hasPlenty, spend } from './budget.ts'
import { holdGroup, isRoomFor, type Held } from './capacity.ts'
import { writeU8 } from './bytes.ts'
import { encodeTables } from './codec/messages.ts'
import { ENTRY, type DownContent, type Downlink, type ZoneView } from './downlink-state.ts'
import {
  flushMessages,
  flushValues,
  LEAST_VALUES,
  oweValues,
  queueReliable,
  wasSeen,
  writeMessages,
} from './outgoing.ts'
import { Chunk, patchSequence, writeHeader } from './packet.ts'
import { clearance, createPeer, renewPeer, resendTimeout, sendSequence } from './peer.ts'
import {
  acknowledgeFragments,
  createReliableReceiver,
  createReliableSender,
  hasRepeats,
  hasUnsent,
  loseFragments,
  writeFragments,
} from './reliable.ts'
import {
  chooseAll,
  chooseDue,
  closePacket,
  openPacket,
  packetView,
  writeAudits,
  writer,
  writeState,
} from './state-chunk.ts'
import { valueSetsOf, type Group, type Store, type Zone } from './store.ts'
import {
  ACKED,
  ACKED_BEFORE,
  addSubscription,
  ANCHOR,
  ANCHOR_TIME,
  AUDIT_TICK,
  BROKEN,
  COUNT_ACKED,
  COUNT_FIRST,
  createSubscriptions,
  LOSSES,
  RARE_ROW,
  removeSubscription,
  restartSubscription,
  ROW,
  SENT,
  SENT_TIME,
} from './subscriptions.ts'
import { ticksSince } from './ticks.ts'
import { MAX_PACKET } from './transport.ts'

export { chainDepth } from './baselines.ts'
export type { DownContent, Downlink, Weigh, ZoneView } from './downlink-state.ts'

/** `most` is the limit of its bytes a second, `maxChain` and `minChain` are those of {@link chainDepth}. */
export const createDownlink = (most = Infinity, maxChain = 8, minChain = 1): Downlink => {
  const downlink: Downlink = {
    // What each packet looks at comes first: it lies together in memory.
    peer: createPeer(),
    onAcked: content => onDownAcked(downlink, content),
    onLost: (content, time) => onDownLost(downlink, content, time),
    onDoubt: content => breakChains(downlink, content),
    subscriptions: createSubscriptions(),
    spare: [],
    isSound: true,
    lastLarge: -1,
    budget: createBudget(most),
    sender: createReliableSender(),
    depth: 1,
    maxChain,
    minChain,
    tables: 0,
    tablesSent: 0,
    lacksValues: false,
    outbox: [],
    messages: [],
    isStale: false,
    groupsVersion: -1,
    areMessagesLate: false,
    isRedundant: false,
    patience: 0.2,
    wasTight: false,
    wasStateFirst: false,
    weigh: undefined,
    lastTick: -1,
    auditDue: -Infinity,
    unsent: 0,
    isUnsentTold: false,
    receiver: createReliableReceiver(),
    zones: new Map(),
    values: new Map(),
    mostValues: LEAST_VALUES,
    outboxBytes: 0,
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

/** Below so many bytes a packet is not worth its header; so many has a probe, which may carry what is that small. */
const LEAST_BYTES = 64

const PROBE_BYTES = 96

/**
 * Share of lost packets above which a link is sent one large packet at a time, and small ones until that is answered: after a
 * loss SCTP lets only about 1,200 unanswered bytes out, and with two large packets among them, whose answers are lost too, nothing
 * more for a second.
 */
const LOSSY = 0.08

const createContent = (): DownContent => ({
  entries: new Int32Array(16 * ENTRY),
  count: 0,
  audits: [],
  auditCount: 0,
  fragments: undefined,
})

/** Starts to send a zone. */
export const subscribe = (downlink: Downlink, store: Store, zone: Zone): void => {
  if (downlink.zones.has(zone)) return
  const view: ZoneView = { zone, rows: [], owed: new Set(), since: store.round }
  downlink.zones.set(zone, view)
  zone.watchers.add(downlink)
  downlink.isStale = true
  for (const group of zone.groups)
    for (const set of valueSetsOf(store, group)) oweValues(downlink, zone, set, wasSeen(downlink, store, set))
}

/** Stops to send a zone; what the client knew of it counts for nothing when it returns. */
export const unsubscribe = (downlink: Downlink, zone: Zone): void => {
  const view = downlink.zones.get(zone)
  if (!view) return
  for (const row of view.rows) removeSubscription(downlink.subscriptions, row)
  downlink.zones.delete(zone)
  zone.watchers.delete(downlink)
  downlink.isStale = true
}

/** The session is over: no zone knows of it any more. */
export const endDownlink = (downlink: Downlink): void => {
  for (const zone of downlink.zones.keys()) zone.watchers.delete(downlink)
}

/** Sees to it that there is a row for each group of each zone, in the order of group ids. */
const refreshSubscriptions = (downlink: Downlink, store: Store): void => {
  if (downlink.isStale || downlink.groupsVersion !== store.groupsVersion) rebuildSubscriptions(downlink, store)
}

// By itself: a function that makes a closure allocates for it even when it returns at once.
const rebuildSubscriptions = (downlink: Downlink, store: Store): void => {
  downlink.isStale = false
  downlink.groupsVersion = store.groupsVersion
  downlink.auditDue = -Infinity
  downlink.unsent = 0
  const { order, groups } = downlink.subscriptions
  order.length = 0
  const views = [...downlink.zones.values()]
  const held: Held = { groups: 0, bytes: 0 }
  for (const { rows } of views) for (const row of rows) holdGroup(held, groups[row]!.layout)
  // Its own objects come first when there is not room for all.
  views.sort((a, b) => b.zone.privateTo - a.zone.privateTo)
  for (const view of views) {
    refreshView(downlink, view, held)
    for (const row of view.rows) order.push(row)
  }
  order.sort((a, b) => groups[a]!.id - groups[b]!.id)
}

const refreshView = (downlink: Downlink, view: ZoneView, held: Held): void => {
  const { subscriptions } = downlink
  const known = view.rows
  const rows: number[] = []
  let at = 0
  // Both are in the order of ids: one walk, or each new group would cost every client its square.
  for (const group of view.zone.groups) {
    for (; at < known.length && subscriptions.groups[known[at]!]!.id < group.id; at++)
      removeSubscription(subscriptions, known[at]!)
    if (at < known.length && subscriptions.groups[known[at]!] === group) rows.push(known[at++]!)
    else if (isRoomFor(held, group.layout)) {
      holdGroup(held, group.layout)
      rows.push(addSubscription(subscriptions, group))
    } else downlink.unsent++
  }
  for (; at < known.length; at++) removeSubscription(subscriptions, known[at]!)
  view.rows = rows
}

/** The client has lost, or mistrusts, what it has of a group: it starts again. */
export const resync = (downlink: Downlink, groupId: number): void => {
  const { subscriptions } = downlink
  const { groups } = subscriptions
  downlink.auditDue = -Infinity
  for (const row of subscriptions.order) if (groups[row]?.id === groupId) restartSubscription(subscriptions, row)
}

/** Whether the client was told of a group, and has not said that it has it as of `tick`. */
export const isAwaited = ({ zones, subscriptions }: Downlink, group: Group, tick: number | undefined): boolean => {
  const { groups, numbers } = subscriptions
  const row = zones.get(group.zone)?.rows.find(each => groups[each] === group)
  return row !== undefined && numbers[row * ROW + SENT]! >= 0 && numbers[row * ROW + ACKED] !== tick
}

/** The session goes on over another link, or after a long silence: what is not acknowledged is due, what was to be sent once is not. */
export const renewLink = (downlink: Downlink): void => {
  renewPeer(downlink.peer, downlink.onLost)
  downlink.messages.length = 0
  downlink.lastLarge = -1
  downlink.budget.rate = downlink.budget.most
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
  const { groups, numbers } = downlink.subscriptions
  return view.rows.every(
    row => (groups[row]!.used === 0 && numbers[row * ROW + SENT]! < 0) || numbers[row * ROW + ACKED]! >= 0,
  )
}

/** Whether there is more to send than fits the client's ordinary packets, and the means to send it out of turn. */
export const isBehind = (downlink: Downlink): boolean =>
  (downlink.wasTight || downlink.outbox.length > 0 || hasUnsent(downlink.sender)) && hasPlenty(downlink.budget)

const onDownAcked = (downlink: Downlink, content: DownContent): void => {
  const { entries } = content
  const { numbers } = downlink.subscriptions
  for (let entry = 0, end = content.count * ENTRY; entry < end; entry += ENTRY) {
    const at = entries[entry]! * ROW
    const count = entries[entry + 2]!
    if (count <= numbers[at + COUNT_FIRST]!) continue
    const tick = entries[entry + 1]! >>> 0
    const acked = numbers[at + ACKED]!
    numbers[at + LOSSES] = 0
    if (acked < 0 || ticksSince(tick, acked) > 0) {
      numbers[at + ACKED_BEFORE] = acked
      numbers[at + ACKED] = tick
      numbers[at + COUNT_ACKED] = count
    } else if (tick !== acked) {
      const before = numbers[at + ACKED_BEFORE]!
      if (before < 0 || ticksSince(tick, before) > 0) numbers[at + ACKED_BEFORE] = tick
    }
  }
  if (content.fragments) acknowledgeFragments(downlink.sender, content.fragments)
  downlink.spare.push(content)
}

const onDownLost = (downlink: Downlink, content: DownContent, time: number): void => {
  const { entries } = content
  const { numbers, rare } = downlink.subscriptions
  for (let entry = 0, end = content.count * ENTRY; entry < end; entry += ENTRY) {
    const at = entries[entry]! * ROW
    if (entries[entry + 2]! <= numbers[at + COUNT_FIRST]!) continue
    const tick = entries[entry + 1]! >>> 0
    const anchor = numbers[at + ANCHOR]!
    numbers[at + LOSSES]! += 1
    if (numbers[at + SENT] === tick) numbers[at + SENT_TIME] = -Infinity
    if (anchor === tick) numbers[at + ANCHOR_TIME] = -Infinity
    if (ticksSince(tick, anchor) >= 0) numbers[at + BROKEN] = 1
  }
  // Of a group at rest there would be no other.
  for (let index = 0; index < content.auditCount; index++) rare[content.audits[index]! * RARE_ROW + AUDIT_TICK] = -1
  if (content.fragments) loseFragments(downlink.sender, content.fragments, time)
}

/** A packet came and could not be decoded: one that it builds on is missing. */
const breakChains = ({ subscriptions: { numbers } }: Downlink, content: DownContent): void => {
  const { entries } = content
  for (let entry = 0, end = content.count * ENTRY; entry < end; entry += ENTRY) {
    const at = entries[entry]! * ROW
    if (entries[entry + 2]! <= numbers[at + COUNT_FIRST]!) continue
    if (ticksSince(entries[entry + 1]!, numbers[at + ANCHOR]!) > 0) numbers[at + BROKEN] = 1
  }
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

const openFragment = (): void => writeU8(writer, Chunk.fragment)

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
  downlink.depth = Math.min(downlink.maxChain, Math.max(downlink.minChain, chainDepth(suspectedLoss(peer), rate)))
  offerTables(downlink, store)
  flushValues(downlink)
  flushMessages(downlink)
  refreshSubscriptions(downlink, store)
  // A message never runs ahead of the state that it was sent with: when it is sent again, or later, so is that.
  const isRepeating =
    go === 'go' &&
    (downlink.areMessagesLate || (sender.queue.length > 0 && hasRepeats(sender, now, resendTimeout(peer))))
  downlink.areMessagesLate =
    go !== 'go' && (downlink.areMessagesLate || hasUnsent(sender) || downlink.messages.length > 0)
  downlink.isRedundant = downlink.depth === 1 && peer.longLoss > 0 && peer.loss < FULL_LOSS && hasPlenty(budget)
  const patience = downlink.isRedundant ? ONCE : peer.rtt === 0 ? 0.2 : peer.rtt * 1.3 + 0.02
  downlink.patience = isRepeating ? Math.min(ONCE, patience) : patience
  // Where there was room for all there will be, and nothing waits. The game is asked what groups are worth before anything is written.
  const isPlanned = downlink.wasTight || limit < MAX_PACKET || downlink.weigh !== undefined
  const due = isPlanned ? planGroups(downlink, now, beat) : 0
  const isStarving = downlink.wasTight && due > 0 && longestWait > STARVING
  // What starves is worth saving up for: a large segment needs a whole datagram's allowance.
  if (isStarving && limit < MAX_PACKET && go === 'go') return undefined
  writer.limit = limit
  openPacket()
  writeHeader(writer, peer, tick, now)
  const content = downlink.spare.pop() ?? createContent()
  content.count = 0
  content.auditCount = 0
  content.fragments = undefined
  const isStateFirst = !downlink.wasStateFirst && isStarving
  downlink.wasStateFirst = isStateFirst
  // What a probe has room for is state: messages would run ahead of theirs.
  if (!isStateFirst && go === 'go') writeQueued(downlink, content, now)
  writeGroups(downlink, store, content, tick, now, beat, isPlanned ? due : -1)
  if (isStateFirst && go === 'go') writeQueued(downlink, content, now)
  closePacket()
  downlink.lastTick = tick
  const sequence = sendSequence(peer, content, now, downlink.onLost)
  if (writer.length > PROBE_BYTES) downlink.lastLarge = sequence
  patchSequence(writer, sequence)
  spend(budget, writer.length)
  return packetView()
}

const writeQueued = (downlink: Downlink, content: DownContent, now: number): void => {
  const { sender, peer } = downlink
  if (sender.queue.length > 0) {
    const timeout = downlink.isRedundant && sender.queue.length <= FEW_FRAGMENTS ? ONCE : resendTimeout(peer)
    content.fragments = writeFragments(sender, writer, now, timeout, STATE_RESERVE, openFragment)
  }
  writeMessages(downlink, writer, now)
}

/** `due` is how many groups `planGroups` found; below 0: nothing was planned, and all are walked through at once. */
const writeGroups = (
  downlink: Downlink,
  store: Store,
  content: DownContent,
  tick: number,
  now: number,
  beat: number,
  due: number,
): void => {
  if (due < 0) chooseAll(downlink, store, tick, now, beat)
  else chooseDue(downlink, store, tick, now, beat, due)
  writeState(downlink, store, content, tick, now, beat)
  writeAudits(downlink, content, tick, now, beat)
}
