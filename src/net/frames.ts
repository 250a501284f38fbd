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
}

/** How many frames a group keeps: enough for a second of changes at 60 Hz. */
export const HISTORY = 64
/** How far back a sender may refer, in frames; the rest is slack for reordering, so that a receiver still holds it. */
export const REACH = 40

/** The frames of one group, newest last; the oldest are recycled. */
export interface History {
  readonly layout: Layout
  readonly frames: Frame[]
}

export const createHistory = (layout: Layout): History => ({ layout, frames: [] })

/** The newest frame, or `undefined` before the first. */
export const newestFrame = (history: History): Frame | undefined => history.frames[history.frames.length - 1]

const emptyFrame = (layout: Layout, tick: number): Frame => ({
  tick,
  until: tick,
  ids: new Uint32Array(layout.slots),
  rows: new Uint32Array(layout.slots * layout.width),
})

/** Takes the oldest frame out to be used again, or makes one while the history is short. Its content is stale. */
export const spareFrame = (history: History, tick: number): Frame => {
  if (history.frames.length < HISTORY) return emptyFrame(history.layout, tick)
  const frame = history.frames.shift()!
  frame.tick = tick
  return frame
}

/** Copies the content, not the tick. */
export const copyFrame = (into: Frame, from: Frame): void => {
  into.ids.set(from.ids)
  into.rows.set(from.rows)
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

/** Whether a sender may still name this frame as a baseline. */
export const isInReach = (history: History, frame: Frame): boolean =>
  history.frames.lastIndexOf(frame) >= history.frames.length - REACH

/**
 * The frame to write tick `tick` into: a copy of the newest one, made at most once a tick.
 * An empty group starts with an empty frame.
 */
export const frameForWriting = (history: History, tick: number): Frame => {
  const newest = newestFrame(history)
  if (newest?.tick === tick) return newest
  const frame = spareFrame(history, tick)
  if (newest) copyFrame(frame, newest)
  history.frames.push(frame)
  return frame
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
