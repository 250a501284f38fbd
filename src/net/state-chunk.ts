import { chooseSegment, dueRows, PLAN_DEFERRED, PLAN_DUE, PLAN_SENT, planOf, plans, priorityOf } from './baselines.ts'
import { bytesLeft, byteWriter, copyBytes, varintSize, writeU16, writeU8, writeVarint } from './bytes.ts'
import { MAX_GROUPS } from './capacity.ts'
import { ENTRY, type DownContent, type Downlink } from './downlink-state.ts'
import { Chunk } from './packet.ts'
import { hashOf, type Group, type Segment, type Store } from './store.ts'
import {
  ACKED,
  ANCHOR,
  ANCHOR_TIME,
  AUDIT_TICK,
  AUDITED_AT,
  BROKEN,
  COUNT,
  COUNT_ANCHOR,
  RARE_ROW,
  ROW,
  SENT,
  SENT_BASE,
  SENT_BEAT,
  SENT_TIME,
  WAITING,
  type Subscriptions,
} from './subscriptions.ts'
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
/** Seconds between two hashes of a group, at least; and sends, less one, of which one may have it. */
const AUDIT_INTERVAL = 1
const AUDIT_BEATS = 3
/** Bytes of one hash at most, with the chunk that it is in: group, age, hash. */
const AUDIT_BYTES = 1 + 5 + 5 + 2 + 1

/** The default step back travels in 4 bits. */
const MOST_DEFAULT_BEFORE = 15
/** So far behind the entry before it a group takes no bytes of its own, if it has the defaults. */
const NEAR = 3

/** Bytes before a segment's own, at most: see {@link writeEntry}. */
const entryHeader = (group: Group, { baseTick, span, further, length }: Segment, age: number): number =>
  varintSize(group.id * 4 + 3) +
  varintSize(age) +
  (baseTick < 0
    ? varintSize(group.layout.dclass.number * 4 + 3) + varintSize(group.zone.id)
    : // A group may have been at rest for days: its baseline is that old.
      varintSize(span) + varintSize(further)) +
  varintSize(length * 4)

/** Distances of the segments in the packet that is being built, counted; what occurs most is the packet's default. */
const spanCounts = new Uint16Array(256)
const beforeCounts = new Uint16Array(MOST_DEFAULT_BEFORE + 1)

/** Packets of all clients are built in one buffer, and handed out as one of these views of it. */
export const writer = byteWriter(MAX_PACKET)
const views: (Uint8Array | undefined)[] = Array.from({ length: MAX_PACKET + 1 })
export const packetView = (): Uint8Array => (views[writer.length] ??= writer.bytes.subarray(0, writer.length))

/** Shell sort: in place and without memory, which the array's own is not. */
const sortByPriority = (downlink: Downlink, count: number): void => {
  for (let gap = count >> 1; gap > 0; gap >>= 1)
    for (let index = gap; index < count; index++) {
      const each = dueRows[index]!
      const priority = priorityOf(downlink, each)
      let at = index
      for (; at >= gap && priorityOf(downlink, dueRows[at - gap]!) < priority; at -= gap)
        dueRows[at] = dueRows[at - gap]!
      dueRows[at] = each
    }
}

/** Of the packet at hand, in the order of their groups: rows whose segments are in it, and those of which it says nothing. */
const sentRows = new Int32Array(MAX_GROUPS)
const deferredRows = new Int32Array(MAX_GROUPS)
/** Whether segments are counted that were not written yet. */
let isChoosing = false
let sentCount = 0
let deferredCount = 0
/** The segments that were chosen, by row. */
const segments: (Segment | undefined)[] = []
/** Bytes that are left for more of them, without those of the list of what stays behind, so that it never pushes a packet over its size. */
let room = 0
/** Of that list, for each of its first {@link MAX_DEFERRED} groups. */
const DEFERRED_EACH = 2

/** Takes a row's segment into the packet if there is room for it. Returns whether there was. */
const take = (
  downlink: Downlink,
  store: Store,
  row: number,
  group: Group,
  tick: number,
  now: number,
  beat: number,
): boolean => {
  const segment = chooseSegment(downlink, store, row, group, now, beat)
  if (segment.size === 0) segment.size = entryHeader(group, segment, ticksSince(tick, segment.tick)) + segment.length
  const { size } = segment
  if (size > room) return false
  room -= size
  plans[row] = PLAN_SENT
  segments[row] = segment
  if (segment.baseTick < 0) return true
  const span = Math.min(255, segment.span)
  if (++spanCounts[span]! > spanCounts[defaultSpan]!) defaultSpan = span
  const { further } = segment
  if (further <= MOST_DEFAULT_BEFORE && ++beforeCounts[further]! > beforeCounts[defaultBefore]!) defaultBefore = further
  return true
}

/** Chooses the segments of a packet, in one walk: all that are due, unless something does not fit. */
export const chooseAll = (downlink: Downlink, store: Store, tick: number, now: number, beat: number): void => {
  const { order, groups, numbers } = downlink.subscriptions
  isChoosing = true
  room = bytesLeft(writer) - DEFERRED_ALL
  let due = 0
  let sent = 0
  let deferred = 0
  let misfits = 0
  for (let index = 0; index < order.length; index++) {
    const row = order[index]!
    const group = groups[row]!
    let plan = planOf(downlink, numbers, row, group, now, beat)
    if (plan === PLAN_DUE) {
      if (due++ < MAX_DEFERRED) room -= DEFERRED_EACH
      if (misfits < MAX_MISFITS && take(downlink, store, row, group, tick, now, beat)) {
        sentRows[sent++] = row
        continue
      }
      misfits++
      numbers[row * ROW + WAITING]! += 1
      plan = PLAN_DEFERRED
    }
    plans[row] = plan
    if (plan === PLAN_DEFERRED) deferredRows[deferred++] = row
  }
  downlink.wasTight = misfits > 0
  sentCount = sent
  deferredCount = deferred
}

/** Chooses segments of the `due` groups that `planGroups` found, as many as fit; what did not all fit before, in the order of who matters and waited. */
export const chooseDue = (
  downlink: Downlink,
  store: Store,
  tick: number,
  now: number,
  beat: number,
  due: number,
): void => {
  const { order, groups } = downlink.subscriptions
  isChoosing = true
  room = bytesLeft(writer) - DEFERRED_ALL - Math.min(due, MAX_DEFERRED) * DEFERRED_EACH
  let misfits = 0
  if (downlink.wasTight) sortByPriority(downlink, due)
  for (let index = 0; index < due; index++) {
    const row = dueRows[index]!
    if (misfits < MAX_MISFITS && take(downlink, store, row, groups[row]!, tick, now, beat)) continue
    plans[row] = PLAN_DEFERRED
    misfits++
  }
  downlink.wasTight = misfits > 0
  sentCount = 0
  deferredCount = 0
  for (let index = 0; index < order.length; index++) {
    const row = order[index]!
    const plan = plans[row]
    if (plan === PLAN_SENT) sentRows[sentCount++] = row
    else if (plan === PLAN_DEFERRED) deferredRows[deferredCount++] = row
  }
}

/** The distances that the segments of the packet at hand have if they do not say otherwise. */
let defaultSpan = 0
let defaultBefore = 0

/** Before the segments of a packet are chosen: there may be none. */
export const openPacket = (): void => {
  // What threw left counts behind.
  if (isChoosing) {
    spanCounts.fill(0)
    beforeCounts.fill(0)
    isChoosing = false
  }
  openEnd = -1
  defaultSpan = 0
  defaultBefore = 0
}

/** One group in the state chunk: `readEntry` in state-entry.ts reads it. */
const writeEntry = (store: Store, segment: Segment, group: Group, tick: number, lastId: number): void => {
  const { span, further } = segment
  const age = ticksSince(tick, segment.tick)
  const kind = segment.baseTick < 0 ? 2 : age === 0 && span === defaultSpan && further === defaultBefore ? 0 : 1
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

const noteSent = (
  numbers: Float64Array,
  row: number,
  { baseTick, tick }: Segment,
  content: DownContent,
  now: number,
  beat: number,
): void => {
  const at = row * ROW
  const count = numbers[at + COUNT]! + 1
  numbers[at + COUNT] = count
  // What builds on this segment foretells from what this one builds on: who decodes this one has that.
  numbers[at + SENT_BASE] = baseTick
  if (baseTick < 0 || baseTick === numbers[at + ACKED]) {
    numbers[at + ANCHOR] = tick
    numbers[at + ANCHOR_TIME] = now
    numbers[at + COUNT_ANCHOR] = count
    numbers[at + BROKEN] = 0
  }
  numbers[at + SENT] = tick
  numbers[at + SENT_TIME] = now
  numbers[at + SENT_BEAT] = beat
  numbers[at + WAITING] = 0
  noteEntry(content, row, tick, count)
}

const noteEntry = (content: DownContent, row: number, tick: number, count: number): void => {
  const at = content.count++ * ENTRY
  if (at === content.entries.length) {
    const grown = new Int32Array(at * 2)
    grown.set(content.entries)
    content.entries = grown
  }
  const { entries } = content
  entries[at] = row
  entries[at + 1] = tick
  entries[at + 2] = count
}

/** Writes the chosen segments, then the groups that the packet says nothing of. */
export const writeState = (
  downlink: Downlink,
  store: Store,
  content: DownContent,
  tick: number,
  now: number,
  beat: number,
): void => {
  const { groups, numbers } = downlink.subscriptions
  // A second packet of a tick confirms nothing, so it need not say what it does not confirm.
  const isFirst = downlink.lastTick !== tick
  const deferred = isFirst ? deferredCount : 0
  if (sentCount === 0) isChoosing = false
  if (sentCount === 0 && deferred === 0) return
  openState(downlink, store)
  let lastId = 0
  for (let index = 0; index < sentCount; index++) {
    const row = sentRows[index]!
    const group = groups[row]!
    const segment = segments[row]!
    segments[row] = undefined
    spanCounts[Math.min(255, segment.span)] = 0
    beforeCounts[Math.min(MOST_DEFAULT_BEFORE, segment.further)] = 0
    writeEntry(store, segment, group, tick, lastId)
    lastId = group.id
    noteSent(numbers, row, segment, content, now, beat)
  }
  isChoosing = false
  store.stats.sent += sentCount
  if (isFirst && deferred === 0) openEnd = writer.length
  writeU8(writer, 0)
  if (!isFirst || !areTold(groups, deferred)) writeU8(writer, ALL_DEFERRED)
  else writeDeferred(groups, deferred)
}

/** Whether there are so few deferred groups, and so much room, that each is named. */
const areTold = (groups: Subscriptions['groups'], deferred: number): boolean => {
  if (deferred > MAX_DEFERRED) return false
  let bytes = 1
  for (let index = 0; index < deferred; index++) bytes += varintSize(groups[deferredRows[index]!]!.id)
  return bytes <= bytesLeft(writer)
}

const writeDeferred = (groups: Subscriptions['groups'], deferred: number): void => {
  writeU8(writer, deferred)
  let lastId = 0
  for (let index = 0; index < deferred; index++) {
    const { id } = groups[deferredRows[index]!]!
    writeVarint(writer, id - lastId)
    lastId = id
  }
}

const openState = (downlink: Downlink, store: Store): void => {
  writeU8(writer, Chunk.state)
  if (store.codec.usesBefore) writeU8(writer, downlink.tables)
  writeVarint(writer, defaultSpan * (MOST_DEFAULT_BEFORE + 1) + defaultBefore)
}

/** Where the end of a state chunk that defers nothing begins, in the packet at hand; -1 for none. */
let openEnd = -1

/** Leaves out the end of the state chunk, when it says nothing and is that of the packet too. Throws a `RangeError` for a packet that is too large. */
export const closePacket = (): void => {
  if (openEnd === writer.length - STATE_END) writer.length = openEnd
  if (writer.length > MAX_PACKET) throw new RangeError(`A packet of ${writer.length} bytes was built.`)
}

/** Bytes behind the entries of a chunk that defers nothing. */
const STATE_END = 2

/** Now and then the hash of a group that is in the packet, or that the client has: it compares. */
export const writeAudits = (
  downlink: Downlink,
  content: DownContent,
  tick: number,
  now: number,
  beat: number,
): void => {
  if (now < downlink.auditDue) return
  const { order: rows, groups, numbers, rare } = downlink.subscriptions
  let isOpen = false
  let isWaiting = false
  let next = now + AUDIT_INTERVAL
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!
    const at = row * ROW
    const age = now - numbers[at + AUDITED_AT]!
    if (age < AUDIT_INTERVAL) {
      next = Math.min(next, now + AUDIT_INTERVAL - age)
      continue
    }
    const group = groups[row]!
    const { newestTick } = group
    // After the first one, all clients are sent a group's hash in the same of some ticks: it is worked out in those alone.
    const isDue =
      newestTick >= 0 &&
      (age === Infinity || ((beat + group.id) & AUDIT_BEATS) === 0) &&
      newestTick !== rare[row * RARE_ROW + AUDIT_TICK] &&
      (plans[row] === PLAN_SENT || numbers[at + ACKED] === newestTick)
    if (!isDue || bytesLeft(writer) < AUDIT_BYTES) {
      isWaiting = true
      continue
    }
    numbers[at + AUDITED_AT] = now
    rare[row * RARE_ROW + AUDIT_TICK] = newestTick
    content.audits[content.auditCount++] = row
    if (!isOpen) writeU8(writer, Chunk.audit)
    isOpen = true
    writeVarint(writer, group.id)
    writeVarint(writer, ticksSince(tick, newestTick))
    writeU16(writer, hashOf(group))
  }
  if (isOpen) writeVarint(writer, 0)
  // Not by one expression: what is either a given number or a reckoned one is allocated anew.
  if (isWaiting) downlink.auditDue = now
  else downlink.auditDue = next
}
