import { ticksSince } from './ticks.ts'
import type { Layout } from './layout.ts'

/**
 * The state of one group as it stood from `tick` on: what an object's row was, slot by slot.
 * A frame is written in its own tick and never changed after.
 */
export interface Frame {
  /** The tick in which the group became this. */
  tick: number
  /** The newest tick at which the group is known to have been this still; a receiver's knowledge, 0 at the sender. */
  until: number
  /** doId of each slot `[slots]`; 0 is an empty one. */
  readonly ids: Uint32Array
  /** `[slots x layout.width]`, row-major. */
  readonly rows: Uint32Array
  /**
   * Bit i of the two words: slot i is not as in the frame before, at the sender, and may not be as in the frame of tick `changedFrom`, at a
   * receiver; -1 when it does not know.
   */
  changedLow: number
  changedHigh: number
  changedFrom: number
}

/** How many frames a receiver keeps of a group, and a sender at most: enough for a second of changes at 60 Hz. */
export const HISTORY = 64
/** How far back a sender may refer, in frames; the rest is slack for reordering, so that a receiver still holds it. */
export const REACH = 40

/** The frames of one group, newest last; the oldest are recycled. */
export interface History {
  readonly layout: Layout
  readonly frames: Frame[]
  /** How many it keeps. */
  length: number
}

export const createHistory = (layout: Layout, length = HISTORY): History => ({ layout, frames: [], length })

/** The newest frame, or `undefined` before the first. */
export const newestFrame = (history: History): Frame | undefined => history.frames[history.frames.length - 1]

const emptyFrame = (layout: Layout, tick: number): Frame => ({
  tick,
  until: tick,
  ids: new Uint32Array(layout.slots),
  rows: new Uint32Array(layout.slots * layout.width),
  changedLow: 0,
  changedHigh: 0,
  changedFrom: -1,
})

/** Takes the oldest frame out to be used again, or makes one while the history is short. Its content is stale. */
export const spareFrame = (history: History, tick: number): Frame => {
  if (history.frames.length < history.length) return emptyFrame(history.layout, tick)
  const frame = history.frames.shift()!
  frame.tick = tick
  frame.changedFrom = -1
  return frame
}

/** Keeps so many frames from now on. */
export const keepFrames = (history: History, length: number): void => {
  history.length = length
  if (history.frames.length > length) history.frames.splice(0, history.frames.length - length)
}

/** Copies the content, not the tick. */
export const copyFrame = (into: Frame, from: Frame): void => {
  into.ids.set(from.ids)
  into.rows.set(from.rows)
}

/** Notes that a slot of the frame is not as it was in the one before. */
export const markSlot = (frame: Frame, slot: number): void => {
  if (slot < 32) frame.changedLow |= 1 << slot
  else frame.changedHigh |= 1 << (slot - 32)
}

/** The frame that became current exactly at `tick`. */
export const frameAt = (history: History, tick: number): Frame | undefined => {
  const frames = history.frames
  for (let index = frames.length - 1; index >= 0; index--) {
    const since = ticksSince(frames[index]!.tick, tick)
    if (since === 0) return frames[index]
    if (since < 0) return undefined
  }
  return undefined
}

/** The frame of `tick`, if there is one that a sender may still name as a baseline. */
export const baselineAt = (history: History, tick: number): Frame | undefined => {
  const { frames, length } = history
  const reach = Math.min(REACH, (length * REACH) / HISTORY)
  for (let index = frames.length - 1; index >= 0 && index >= frames.length - reach; index--) {
    const since = ticksSince(frames[index]!.tick, tick)
    if (since === 0) return frames[index]
    if (since < 0) return undefined
  }
  return undefined
}

/**
 * The frame to write tick `tick` into: a copy of the newest one, made at most once a tick.
 * An empty group starts with an empty frame.
 */
export const frameForWriting = (history: History, tick: number): Frame => {
  const newest = newestFrame(history)
  if (newest?.tick === tick) return newest
  const frame = spareFrame(history, tick)
  if (newest) copyFrame(frame, newest)
  else {
    frame.ids.fill(0)
    frame.rows.fill(0)
  }
  frame.changedLow = 0
  frame.changedHigh = 0
  history.frames.push(frame)
  return frame
}

/** Slots that may differ between two frames, as two words of bits: see {@link changedBetween}. */
export interface SlotSet {
  low: number
  high: number
}

/** Fills `slots` with those that changed after `base` (all of them without one) up to `last`. */
export const changedBetween = (history: History, base: Frame | undefined, last: Frame, slots: SlotSet): void => {
  slots.low = 0
  slots.high = 0
  const { frames } = history
  for (let index = frames.lastIndexOf(last); index >= 0; index--) {
    const frame = frames[index]!
    if (frame === base) return
    slots.low |= frame.changedLow
    slots.high |= frame.changedHigh
  }
  slots.low = -1
  slots.high = -1
}

/** The same up to the newest frame. */
export const changedSince = (history: History, base: Frame | undefined, slots: SlotSet): void => {
  const newest = newestFrame(history)
  if (newest) changedBetween(history, base, newest, slots)
}

/** Puts a received frame in its place by tick. Returns false, and keeps nothing, when that tick is there already. */
export const insertFrame = (history: History, frame: Frame): boolean => {
  const frames = history.frames
  let at = frames.length
  while (at > 0 && ticksSince(frames[at - 1]!.tick, frame.tick) > 0) at--
  if (at > 0 && frames[at - 1]!.tick === frame.tick) return false
  frames.splice(at, 0, frame)
  return true
}

/** A 16-bit hash of a frame: FNV-1a over its ids and rows, folded. */
export const hashFrame = (frame: Frame): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < frame.ids.length; index++) hash = Math.imul(hash ^ frame.ids[index]!, 0x01000193)
  for (let index = 0; index < frame.rows.length; index++) {
    hash = Math.imul(hash ^ frame.rows[index]!, 0x01000193)
    hash ^= hash >>> 15
  }
  return (hash ^ (hash >>> 16)) & 0xffff
}
