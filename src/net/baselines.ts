import type { DownContent, Downlink, Subscription } from './downlink-state.ts'
import { baselineAt, newestFrame, type Frame } from './frames.ts'
import type { Peer } from './peer.ts'
import type { Store } from './store.ts'
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

const weigh = (downlink: Downlink, subscription: Subscription, now: number): void => {
  if (!downlink.weigh || now - subscription.weighedAt < WEIGH_INTERVAL) return
  subscription.weighedAt = now
  const weight = downlink.weigh(subscription.group)
  subscription.weight = weight > 0 ? Math.min(MAX_WEIGHT, weight) : MIN_WEIGHT
}

/** Decides what this packet has to say of each group. Returns how many are due. */
export const planGroups = (downlink: Downlink, now: number, beat: number): number => {
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
export const chooseBase = (downlink: Downlink, subscription: Subscription, now: number, beat: number) => {
  const { history } = subscription.group
  const newest = newestFrame(history)!
  const { depth } = downlink
  const { sent, acked, count } = subscription
  if (sent >= 0 && sent !== newest.tick && sent !== acked && !subscription.isBroken && depth > 1) {
    const isAnchorDue =
      acked < 0
        ? now - subscription.anchorTime > downlink.patience
        : // A loss is answered with an anchor as soon as it is known: while that is sooner than in so many sends, none is due.
          count - subscription.countAcked >= depth &&
          ((beat >> strideShift(subscription.weight)) % depth === 0 || count - subscription.countAnchor >= depth)
    const base = isAnchorDue ? undefined : baselineAt(history, sent)
    if (base) return base
  }
  if (acked < 0 || subscription.losses >= MAX_LOSSES) return undefined
  return baselineAt(history, acked)
}

/** What a segment that builds on `base` may foretell movement from: the client has it if it has that. */
export const chooseBefore = (store: Store, subscription: Subscription, base: Frame | undefined): Frame | undefined => {
  if (!store.codec.usesBefore || base === undefined) return undefined
  const tick = base.tick === subscription.acked ? subscription.ackedBefore : subscription.sentBase
  const before = tick < 0 || tick === base.tick ? undefined : baselineAt(subscription.group.history, tick)
  return before && ticksSince(base.tick, before.tick) < 256 ? before : undefined
}
