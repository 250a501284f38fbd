import type { NumberColumn } from '../components/index.ts'
import type { DCParameterField } from '../dc/index.ts'
import type { Frame } from '../net/frames.ts'
import {
  carrySlot,
  commitRow,
  createHistory,
  delaySlot,
  growHistory,
  insertRow,
  resetSlot,
  sealSlot,
  smoothOptions,
  spreadRows,
  writeValue,
  type History,
  type SmoothField,
} from '../net/history.ts'
import { FIXED_WORDS, type Word } from '../net/layout.ts'
import type { ReplicaGroup } from '../net/replica.ts'
import { ticksSince } from '../net/ticks.ts'
import type { ClientObject, ClientSession } from './client-state.ts'
import { hasKeyword, valueOf, wordsWith, type Binding } from './rows.ts'

/** How the numbers of a class are smoothed: which words of its layout, and as what. */
export interface TrackPlan {
  /** Index in the layout of each number of a row. */
  readonly words: readonly number[]
  readonly fields: readonly SmoothField[]
  /** The DC field of each of them. */
  readonly sources: readonly DCParameterField[]
  /** Where they are written to, by entity `[words]`. */
  readonly columns: readonly NumberColumn[]
  /** Whether all of them are at most single precision. */
  readonly isSingle: boolean
  /** Words that count how often the object was moved elsewhere. */
  readonly teleports: readonly number[]
}

/** What the objects of a group looked like lately, a slot each. */
export interface Track {
  readonly plan: TrackPlan
  readonly history: History
  /** Whose rows those are `[slots]`. */
  readonly objects: (ClientObject | undefined)[]
  /** The entities that are shown; -1 for nobody, and for the owner's own `[slots]`. */
  eids: Int32Array
  /** The rows that are shown, when each field shows just one; -1 when something moves, or came. */
  still: number
}

const SMOOTHED = ['interp_linear', 'interp_hermite', 'interp_angle', 'interp_quat', 'interp_velocity']
const FULL_TURN = 360
/** Slots to begin with: many groups hold few objects. */
const FEW = 4
/** Known frames in a row, looking back, before no late one is looked for. */
const KNOWN = 8

/**
 * Plans the smoothing of a class' numbers by their DC keywords; `undefined` when it has none. 64-bit integers are never
 * smoothed.
 */
export const planTrack = (binding: Binding): TrackPlan | undefined => {
  const { words: all } = binding.layout
  const isNumber = (index: number) => {
    const { part, kind, isReference } = all[index]!
    return kind === 'quaternion' || (part === 0 && kind !== 'int64' && !isReference)
  }
  const words = wordsWith(binding.layout, ...SMOOTHED).filter(
    index => isNumber(index) && !hasKeyword(all[index]!.field, 'interp_none'),
  )
  if (words.length === 0) return undefined
  const curved = smoothOptions()
  const straight = smoothOptions({ method: 'linear' })
  const fields: SmoothField[] = []
  const sources: DCParameterField[] = []
  for (let at = 0; at < words.length;) {
    const { field, type, kind } = all[words[at]!]!
    let size = 1
    // A quaternion is smoothed as one, whatever stands beside it.
    const isPartOf = ({ field: other, kind: otherKind }: Word) =>
      other === field && (kind === 'quaternion' ? size < 4 : otherKind !== 'quaternion')
    while (at + size < words.length && isPartOf(all[words[at + size]!]!)) size++
    // Each number goes round at its own period; those of one field may differ.
    const period = kind === 'quaternion' ? 0 : (type.modulus ?? (hasKeyword(field, 'interp_angle') ? FULL_TURN : 0))
    if (period > 0) size = 1
    const isRotation = kind === 'quaternion' || (hasKeyword(field, 'interp_quat') && size === 4)
    const isWhole = type.divisor === 1 && type.modulus === undefined && type.base !== 'float64'
    const isVelocity = hasKeyword(field, 'interp_velocity')
    const former = fields.at(-1)
    if (isVelocity && former?.size === size) former.velocity = at
    const isStraight = isVelocity || hasKeyword(field, 'interp_linear')
    fields.push({
      at,
      size,
      kind: isRotation ? 'quaternion' : isWhole ? 'integer' : 'number',
      period,
      velocity: -1,
      options: isStraight ? straight : curved,
    })
    sources.push(field)
    at += size
  }
  const columns = words.map(index => binding.columns[index]!)
  return {
    words,
    fields,
    sources,
    columns,
    isSingle: columns.every(column => column instanceof Float32Array || column.BYTES_PER_ELEMENT < 4),
    teleports: wordsWith(binding.layout, 'interp_teleport').filter(isNumber),
  }
}

/** Seconds of the server at a tick near the newest one. */
export const secondsAt = (session: ClientSession, tick: number): number =>
  (session.unwrappedTick + ticksSince(tick, session.replica.newestTick)) / session.welcome!.tickRate

/** Puts every frame of a group that came since the last call into its history, late ones in their place. */
export const recordFrames = (session: ClientSession, group: ReplicaGroup, plan: TrackPlan | undefined): void => {
  if (!plan) return
  let track = session.tracks.get(group)
  if (!track) {
    const slots = Math.min(FEW, group.layout.slots)
    const eids = new Int32Array(slots).fill(-1)
    track = { plan, history: createHistory(plan.fields, slots, plan.isSingle), objects: [], eids, still: -1 }
    session.tracks.set(group, track)
  }
  const { frames } = group.history
  const { order, times, count } = track.history
  let first = frames.length
  for (let known = 0, row = count - 1; first > 0 && known < KNOWN; first--) {
    const time = secondsAt(session, frames[first - 1]!.tick)
    while (row >= 0 && times[order[row]!]! > time) row--
    if (row >= 0 && times[order[row]!] === time) known++
    else if (row < 0 && count > 0) break
  }
  for (let index = first; index < frames.length; index++)
    recordFrame(session, group, track, frames[index]!, frames[index - 1])
  track.still = -1
}

const recordFrame = (
  session: ClientSession,
  group: ReplicaGroup,
  track: Track,
  frame: Frame,
  previous: Frame | undefined,
): void => {
  const { history, plan, objects } = track
  const { ids } = frame
  const time = secondsAt(session, frame.tick)
  let used = 0
  for (let slot = 0; slot < ids.length; slot++) {
    if (ids[slot] !== 0) used = slot + 1
    const object = objectAt(session, group, frame, slot)
    // It comes from another group: what it did there is what it did here.
    if (object?.track && object.track !== track) spreadRows(object.track.history, history, time)
  }
  if (used > history.slots) grow(track, Math.min(ids.length, Math.max(used, 2 * history.slots)))
  const before = previous ? secondsAt(session, previous.until) : -Infinity
  const at = insertRow(history, time, secondsAt(session, frame.until), before)
  if (at < 0) return
  const { width } = group.layout
  for (let slot = 0; slot < used; slot++) {
    const object = objectAt(session, group, frame, slot)
    if (!object) continue
    const row = slot * width
    const isNew = objects[slot] !== object
    if (isNew) resetSlot(history, slot)
    const { layout } = object.clientClass.interested
    for (let word = 0; word < plan.words.length; word++)
      writeValue(history, at, slot, word, valueOf(layout, plan.words[word]!, frame.rows, row) as number)
    let generation = 0
    for (const word of plan.teleports) generation += frame.rows[row + FIXED_WORDS + word]!
    sealSlot(history, at, slot, generation & 0xff)
    if (!isNew) continue
    if (object.track) carrySlot(object.track.history, object.trackSlot, history, slot, at)
    leaveTrack(object)
    const former = objects[slot]
    // What it did here is written over: wherever it is now, it may not say any more who is shown in this slot.
    if (former) leaveTrack(former)
    objects[slot] = object
    object.track = track
    object.trackSlot = slot
    showSlot(object)
    if (object.delay !== 0 || history.delays[slot] !== 0) delaySlot(history, slot, object.delay)
  }
  commitRow(history, at)
}

const grow = (track: Track, slots: number): void => {
  growHistory(track.history, slots)
  const { eids } = track
  track.eids = new Int32Array(slots).fill(-1)
  track.eids.set(eids)
}

/** Who is in a slot of a frame, if it is still there. */
const objectAt = (
  session: ClientSession,
  group: ReplicaGroup,
  frame: Frame,
  slot: number,
): ClientObject | undefined => {
  const object = frame.ids[slot] === 0 ? undefined : session.objects.get(frame.ids[slot]!)
  if (object?.group !== group || object.slot !== slot) return undefined
  // It was gone in between: what it did before is over.
  const isPast = object.sinceTick !== undefined && ticksSince(frame.tick, object.sinceTick) <= 0
  return isPast ? undefined : object
}

/** Starts or stops to write an object's columns, after it came or went or changed hands. */
export const showSlot = ({ track, trackSlot, isOwned, eid }: ClientObject): void => {
  if (!track) return
  track.eids[trackSlot] = isOwned ? -1 : eid
  track.still = -1
}

/** The object's slot is free for others. */
export const leaveTrack = (object: ClientObject): void => {
  const { track, trackSlot } = object
  if (track?.objects[trackSlot] === object) {
    track.objects[trackSlot] = undefined
    track.eids[trackSlot] = -1
  }
  object.track = undefined
}
