import type { DownContent, Downlink } from './downlink-state.ts'
import { MAX_GROUPS } from './capacity.ts'
import { baselineAt, type Frame, type History } from './frames.ts'
import type { Peer } from './peer.ts'
import { knownSegment, segmentFor, type Group, type Segment, type Store } from './store.ts'
import {
  ACKED,
  ACKED_BEFORE,
  ANCHOR_TIME,
  BROKEN,
  COUNT,
  COUNT_ACKED,
  COUNT_ANCHOR,
  LOSSES,
  RARE_ROW,
  ROW,
  SENT,
  SENT_BASE,
  SENT_BEAT,
  SENT_TIME,
  WAITING,
  WEIGHED_AT,
  WEIGHT,
} from './subscriptions.ts'
import { ticksSince } from './ticks.ts'

/**
 * Which groups a client is to be told of, and what their segments build on. Any choice is correct: a client decodes only
 * what it has the baselines of. A good one costs few bytes, and is the same for many clients.
 */

/** So many losses in a row and the baseline is in doubt: a keyframe needs none. */
const MAX_LOSSES = 8
/** Bounds of what a group is worth. */
const MIN_WEIGHT = 0.01
const MAX_WEIGHT = 100
/** Seconds between two looks at what a group is worth. */
const WEIGH_INTERVAL = 0.25
/** What the loss may well be: over few packets a lossy link can look like a good one. */
export const suspectedLoss = (peer: Peer<DownContent>): number => {
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

/** What a group is worth to a client now. */
const weigh = (downlink: Downlink, row: number, group: Group, now: number): number => {
  if (!downlink.weigh) return 1
  const { rare } = downlink.subscriptions
  const at = row * RARE_ROW
  if (now - rare[at + WEIGHED_AT]! < WEIGH_INTERVAL) return rare[at + WEIGHT]!
  rare[at + WEIGHED_AT] = now
  const weight = downlink.weigh(group)
  return (rare[at + WEIGHT] = weight > 0 ? Math.min(MAX_WEIGHT, weight) : MIN_WEIGHT)
}

/** A client has no more rows than it holds groups; those of groups that are gone are used again first. */
const MOST_ROWS = MAX_GROUPS

/** What the packet at hand does with each row of its client. */
export const PLAN_NOTHING = 0
export const PLAN_DUE = 1
export const PLAN_DEFERRED = 2
export const PLAN_SENT = 3
export const plans = new Uint8Array(MOST_ROWS)
/** Rows that are due, in the order of their groups; and what the one that waited longest has waited, in sends. */
export const dueRows = new Int32Array(MOST_ROWS)
export let longestWait = 0

/** Whether a packet has something to say of a group, or must say that it says nothing of it. */
export const planOf = (
  downlink: Downlink,
  numbers: Float64Array,
  row: number,
  group: Group,
  now: number,
  beat: number,
): number => {
  const at = row * ROW
  const tick = group.newestTick
  const acked = numbers[at + ACKED]!
  const sent = numbers[at + SENT]!
  // The client has all there is; or nothing is there and it has never been told otherwise.
  if (acked === tick || (sent < 0 && group.used === 0)) return PLAN_NOTHING
  if (
    (sent === tick && now - numbers[at + SENT_TIME]! < downlink.patience) ||
    (acked < 0 && downlink.depth === 1 && now - numbers[at + ANCHOR_TIME]! < downlink.patience)
  )
    return PLAN_DEFERRED
  if (!downlink.weigh) return PLAN_DUE
  const shift = strideShift(weigh(downlink, row, group, now))
  // Once in each stride, at its first beat if there is room then, so that all clients do it at once.
  return shift > 0 && acked >= 0 && (beat + group.id) >> shift === (numbers[at + SENT_BEAT]! + group.id) >> shift
    ? PLAN_DEFERRED
    : PLAN_DUE
}

/** Decides what this packet has to say of each group: fills {@link plans} and {@link dueRows}. Returns how many are due. */
export const planGroups = (downlink: Downlink, now: number, beat: number): number => {
  let due = 0
  let longest = 0
  const { order, groups, numbers } = downlink.subscriptions
  for (let index = 0; index < order.length; index++) {
    const row = order[index]!
    const plan = (plans[row] = planOf(downlink, numbers, row, groups[row]!, now, beat))
    if (plan !== PLAN_DUE) continue
    const waiting = (numbers[row * ROW + WAITING]! += 1)
    if (waiting > longest) longest = waiting
    dueRows[due++] = row
  }
  longestWait = longest
  return due
}

const weightOf = ({ weigh, subscriptions }: Downlink, row: number): number =>
  weigh ? subscriptions.rare[row * RARE_ROW + WEIGHT]! : 1

/** Sends of waiting that count as much as a worth of 1. */
const LONG_WAIT = 1024

/** What goes first: who is worth more and waited longer; after a long wait everyone's turn comes, whatever it is worth. */
export const priorityOf = (downlink: Downlink, row: number): number => {
  const waiting = downlink.subscriptions.numbers[row * ROW + WAITING]!
  return waiting * Math.max(weightOf(downlink, row), waiting / LONG_WAIT)
}

/** Tick of the frame that a group's segment should build on, -1 for none: see PROTOCOL.md, "Anchors and chains". */
const wantedBase = (downlink: Downlink, row: number, newest: number, now: number, beat: number): number => {
  const { numbers } = downlink.subscriptions
  const at = row * ROW
  const { depth } = downlink
  const acked = numbers[at + ACKED]!
  const sent = numbers[at + SENT]!
  if (depth > 1 && sent >= 0 && sent !== acked && numbers[at + BROKEN] === 0 && sent !== newest) {
    const count = numbers[at + COUNT]!
    const isAnchorDue =
      acked < 0
        ? now - numbers[at + ANCHOR_TIME]! > downlink.patience
        : // A loss is answered with an anchor as soon as it is known: while that is sooner than in so many sends, none is due.
          count - numbers[at + COUNT_ACKED]! >= depth &&
          ((beat >> strideShift(weightOf(downlink, row))) % depth === 0 || count - numbers[at + COUNT_ANCHOR]! >= depth)
    if (!isAnchorDue) return sent
  }
  return wantedAnchor(numbers, at)
}

const wantedAnchor = (numbers: Float64Array, at: number): number =>
  numbers[at + LOSSES]! >= MAX_LOSSES ? -1 : numbers[at + ACKED]!

/** Tick of what a segment that builds on the frame of `base` may foretell movement from: the client has it if it has that. */
const wantedBefore = (numbers: Float64Array, at: number, base: number): number => {
  const before = base === numbers[at + ACKED] ? numbers[at + ACKED_BEFORE]! : numbers[at + SENT_BASE]!
  return before === base ? -1 : before
}

/** Chooses what a group's segment builds on, and has it encoded unless that was done for another client. */
export const chooseSegment = (
  downlink: Downlink,
  store: Store,
  row: number,
  group: Group,
  now: number,
  beat: number,
): Segment => {
  const { history } = group
  const { numbers } = downlink.subscriptions
  const at = row * ROW
  const { usesBefore } = store.codec
  const wanted = wantedBase(downlink, row, group.newestTick, now, beat)
  const before = wanted < 0 || !usesBefore ? -1 : wantedBefore(numbers, at, wanted)
  // Mostly another client wanted the same: then no frame is looked for.
  const known = knownSegment(store, group, wanted, before, downlink.tables)
  if (known) return known
  let base = wanted < 0 ? undefined : baselineAt(history, wanted)
  if (wanted >= 0 && !base) {
    const anchor = wantedAnchor(numbers, at)
    base = anchor < 0 ? undefined : baselineAt(history, anchor)
  }
  return segmentFor(
    store,
    group,
    base,
    base && usesBefore ? frameBefore(history, numbers, at, base) : undefined,
    downlink.tables,
  )
}

const frameBefore = (history: History, numbers: Float64Array, at: number, base: Frame): Frame | undefined => {
  const tick = wantedBefore(numbers, at, base.tick)
  const before = tick < 0 ? undefined : baselineAt(history, tick)
  return before && ticksSince(base.tick, before.tick) < 256 ? before : undefined
}
