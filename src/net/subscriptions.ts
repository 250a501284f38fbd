import type { Group } from './store.ts'

/**
 * What one client is known to have of its groups: a row of numbers for each. All rows of a client lie in one array, for a server looks at
 * those of every client in each tick, and as objects, with a heap number for each time, they would be in no cache.
 */
export interface Subscriptions {
  /** The group of each row; `undefined`: the row is free. */
  readonly groups: (Group | undefined)[]
  /** Rows in the order of their groups' ids. */
  readonly order: number[]
  /** `[rows x ROW]`: see {@link ACKED} and those after it. */
  numbers: Float64Array
  /** What is seldom looked at `[rows x RARE_ROW]`: see {@link WEIGHT}. */
  rare: Float64Array
  readonly free: number[]
}

// Numbers of a row. Ticks are -1, and times (seconds) -Infinity, before the first.

/** Tick of the newest frame that the client acknowledged, and of the one before. */
export const ACKED = 0
export const ACKED_BEFORE = 1
/** Tick of the newest frame sent to it, what the next may foretell from besides it, when it went, and in which of its client's sends. */
export const SENT = 2
export const SENT_BASE = 3
export const SENT_TIME = 4
export const SENT_BEAT = 5
/** Tick and time of the newest segment that needs no unacknowledged one. */
export const ANCHOR = 6
export const ANCHOR_TIME = 7
/** Sends since it was last served. */
export const WAITING = 8
/** Segments sent, and how many of them when the newest acknowledged one and the newest anchor had gone. */
export const COUNT = 9
export const COUNT_ACKED = 10
export const COUNT_ANCHOR = 11
/** What {@link COUNT} was when the row got this group: answers to segments up to that one speak of another, or of what is forgotten. */
export const COUNT_FIRST = 12
/** Sends that were lost since the last acknowledgement. */
export const LOSSES = 13
/** 1: something from the anchor on was lost, and what builds on it cannot be decoded. */
export const BROKEN = 14
/** When its hash was sent last. */
export const AUDITED_AT = 15
/** Numbers in a row: two lines of a cache. */
export const ROW = 16

/** What the game says that it is worth, and when that was asked; the largest product with {@link WAITING} goes first. */
export const WEIGHT = 0
export const WEIGHED_AT = 1
/** Tick of the frame whose hash was sent last. */
export const AUDIT_TICK = 2
export const RARE_ROW = 3

export const createSubscriptions = (): Subscriptions => ({
  groups: [],
  order: [],
  numbers: new Float64Array(0),
  rare: new Float64Array(0),
  free: [],
})

const twice = (numbers: Float64Array): Float64Array => {
  const grown = new Float64Array(numbers.length * 2)
  grown.set(numbers)
  return grown
}

/** A row for a group that the client has nothing of. */
export const addSubscription = (subscriptions: Subscriptions, group: Group): number => {
  const row = subscriptions.free.pop() ?? subscriptions.groups.length
  subscriptions.groups[row] = group
  if (subscriptions.numbers.length === 0) {
    subscriptions.numbers = new Float64Array(8 * ROW)
    subscriptions.rare = new Float64Array(8 * RARE_ROW)
  } else if (row * ROW === subscriptions.numbers.length) {
    subscriptions.numbers = twice(subscriptions.numbers)
    subscriptions.rare = twice(subscriptions.rare)
  }
  restartSubscription(subscriptions, row)
  return row
}

/** What the client has of the group counts for nothing any more. */
export const restartSubscription = ({ numbers, rare }: Subscriptions, row: number): void => {
  const at = row * ROW
  // Packets under way may name the row.
  const count = numbers[at + COUNT]!
  numbers.fill(-1, at, at + ROW)
  numbers[at + SENT_TIME] = -Infinity
  numbers[at + ANCHOR_TIME] = -Infinity
  numbers[at + AUDITED_AT] = -Infinity
  numbers[at + WAITING] = 0
  numbers[at + LOSSES] = 0
  numbers[at + BROKEN] = 0
  numbers.fill(count, at + COUNT, at + COUNT_FIRST + 1)
  rare[row * RARE_ROW + WEIGHT] = 1
  rare[row * RARE_ROW + WEIGHED_AT] = -Infinity
  rare[row * RARE_ROW + AUDIT_TICK] = -1
}

/** Gives a row up; {@link Subscriptions.order} is the caller's. */
export const removeSubscription = ({ groups, free }: Subscriptions, row: number): void => {
  groups[row] = undefined
  free.push(row)
}

/** One row, for people and tests. */
export const subscriptionOf = ({ groups, numbers }: Subscriptions, row: number) => ({
  row,
  group: groups[row]!,
  acked: numbers[row * ROW + ACKED]!,
  sent: numbers[row * ROW + SENT]!,
  losses: numbers[row * ROW + LOSSES]!,
})

/** All rows, for people and tests. */
export const subscriptionsOf = (subscriptions: Subscriptions) =>
  subscriptions.order.map(row => subscriptionOf(subscriptions, row))
