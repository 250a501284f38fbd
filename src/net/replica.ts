import { more, readU16, readVarint, type ByteReader } from './bytes.ts'
import {
  createHistory,
  frameAt,
  HISTORY,
  hashFrame,
  insertFrame,
  keepFrames,
  newestFrame,
  spareFrame,
  type Frame,
  type History,
} from './frames.ts'
import { ALL_DEFERRED, entry, openState, readDeferred, readEntry } from './state-entry.ts'
import { framesOfEach, holdGroup, isRoomFor, MAX_GROUPS, type Held } from './capacity.ts'
import { layoutsOf, type ClassLayouts, type Layout } from './layout.ts'
import type { SegmentDecoder } from './codec.ts'
import type { Leave, Placed } from './interest.ts'
import { ticksSince } from './ticks.ts'
import type { ValueMessage } from './values.ts'
import type { DCFile } from '../dc/index.ts'

/**
 * The client's copy of the groups that it sees, apart from any world. Packets are decoded into it as they arrive, in
 * whatever order; the receive system brings the world to its newest state once a frame.
 */

/** One group as this client knows it. */
export interface ReplicaGroup {
  readonly id: number
  /** Its zone, and the tick of the packet that said so. */
  zone: number
  zoneTick: number
  /** Whether it holds one object that has its own rule of who sees it: zones do not matter then. */
  readonly isExclusive: boolean
  readonly layout: Layout
  readonly history: History
  /** Tick of the newest packet that told something of the group. */
  heardTick: number
  /** Where objects that left went, until the receive system has seen it: doId to zone. */
  readonly movedTo: Map<number, number | undefined>
  /** What the world shows of it: doId of each slot. */
  readonly appliedIds: Uint32Array
  isDirty: boolean
}

/** The packed value fields of an object by index, and when it was last seen, for forgetting. */
export interface ReplicaValues {
  readonly packed: (Uint8Array | undefined)[]
  readonly dirty: Set<number>
  /** Epoch of each field's newest message, and the newest tick that was heard of when it came. */
  readonly epochs: number[]
  readonly heard: number[]
  /** Where it stands among all that came in the stream. */
  readonly serials: number[]
  /**
   * Fields that came before the object was gone: the server sends them anew when it returns, unless it went to a zone that we saw by then.
   */
  doubt: { readonly fields: Set<number>; readonly zone: number; readonly tick: number } | undefined
  seenTick: number
  /** Whether the object is known to have gone: it would come back with new ones. */
  isGone: boolean
}

export interface Replica {
  /** How the server of this session writes segments. */
  codec: SegmentDecoder
  readonly layouts: readonly (ClassLayouts | undefined)[]
  readonly groups: Map<number, ReplicaGroup>
  /** How much they take, and how many frames there are of each at most. */
  readonly held: Held
  framesEach: number
  /** Zones that the server says we see, and since when. */
  readonly zones: Set<number>
  readonly seenSince: Map<number, number>
  /** When zones that we left were left: older packets about them are ignored. */
  readonly leftZones: Map<number, number>
  /** When groups were left: older packets about them are ignored. */
  readonly leftGroups: Map<number, number>
  /** Groups of zones that were left, for the receive system to clear. */
  readonly droppedGroups: ReplicaGroup[]
  /**
   * For the receive system: objects whose own group is not sent any more, or that left a zone's group for one that we do
   * not get; and the zone that others with their own rule are in.
   */
  readonly gone: Map<number, { readonly tick: number; readonly isGone: boolean; readonly isDeleted: boolean }>
  readonly placed: Map<number, { readonly tick: number; readonly zone: number }>
  isPlacedNew: boolean
  /** Counts messages and values as they come. */
  serial: number
  readonly values: { readonly interested: Map<number, ReplicaValues>; readonly owner: Map<number, ReplicaValues> }
  /** Objects whose value fields arrived since the receive system looked. */
  readonly dirtyValues: Set<number>
  newestTick: number
  hasTick: boolean
  sweptTick: number
  /** Segments that could not be decoded: what they build on did not come in time, or the bytes are wrong. */
  undecodable: number
  /** Groups whose hash was not the server's: a fault that must never happen, healed by a keyframe. */
  desyncs: number
}

/** The most objects whose value fields are kept. */
const MAX_VALUES = 65_536
/** Departures that a group remembers for a page that draws no frames. */
const MAX_MOVES = 4096

/** Before the welcome nothing is read. */
const NO_CODEC: SegmentDecoder = { usesBefore: false, takeTables: () => false, decode: () => false }

export const createReplica = (file: DCFile): Replica => ({
  codec: NO_CODEC,
  layouts: file.classes.map(dclass => (dclass.isStruct ? undefined : layoutsOf(dclass))),
  groups: new Map(),
  held: { groups: 0, bytes: 0 },
  framesEach: HISTORY,
  zones: new Set(),
  seenSince: new Map(),
  leftZones: new Map(),
  leftGroups: new Map(),
  droppedGroups: [],
  gone: new Map(),
  placed: new Map(),
  isPlacedNew: false,
  serial: 0,
  values: { interested: new Map(), owner: new Map() },
  dirtyValues: new Set(),
  newestTick: 0,
  hasTick: false,
  sweptTick: 0,
  undecodable: 0,
  desyncs: 0,
})

const createReplicaGroup = (
  id: number,
  zone: number,
  zoneTick: number,
  layout: Layout,
  isExclusive: boolean,
): ReplicaGroup => ({
  id,
  zone,
  zoneTick,
  isExclusive,
  layout,
  history: createHistory(layout),
  heardTick: 0,
  movedTo: new Map(),
  appliedIds: new Uint32Array(layout.slots),
  isDirty: false,
})

/** Notes the tick of a packet. Returns whether it is the newest so far. */
export const hearTick = (replica: Replica, tick: number): boolean => {
  if (replica.hasTick && ticksSince(tick, replica.newestTick) <= 0) return false
  replica.hasTick = true
  replica.newestTick = tick
  return true
}

/** What became of the segments of a packet. */
export type Decoded =
  /** All are here. */
  | 'all'
  /** Some wait for a frame that may still come. */
  | 'waiting'
  /** Some will not be decoded any more; newer ones have made them needless, or were asked for. */
  | 'lost'

/** Ticks that an undecodable segment waits for what it builds on. */
const HOLD_TICKS = 16

/** What a packet's state chunk told: filled by {@link readState}. */
export interface Told {
  /** Groups that it had segments of. */
  readonly heard: Set<number>
  /** Groups that it says nothing of; `isAllDeferred`: every other group. */
  readonly deferred: Set<number>
  isAllDeferred: boolean
}

export const createTold = (): Told => ({ heard: new Set(), deferred: new Set(), isAllDeferred: false })

/**
 * Reads a state chunk behind its type byte: decodes what can be decoded, and notes in `told` what it speaks of.
 * `reader.failed` is set when the chunk is malformed. May be called again for a packet whose segments wait.
 */
export const readState = (replica: Replica, reader: ByteReader, tick: number, told: Told): Decoded => {
  openState(replica, reader)
  let isWaiting = false
  let lost = 0
  let lastId = 0
  while (readEntry(replica, reader, tick, lastId)) {
    lastId = entry.group
    told.heard.add(lastId)
    const one = takeSegment(replica, reader.bytes, tick)
    if (one === 'waiting') isWaiting = true
    else if (one === 'lost') lost++
  }
  const count = readDeferred(reader)
  told.isAllDeferred = count === ALL_DEFERRED
  let id = 0
  if (!told.isAllDeferred)
    for (let index = 0; index < count && more(reader); index++) told.deferred.add((id += readVarint(reader)))
  // While one may still come, what the packet says besides has to wait for it, whatever became of the others.
  if (isWaiting) return 'waiting'
  replica.undecodable += lost
  return lost > 0 ? 'lost' : 'all'
}

const takeSegment = (replica: Replica, bytes: Uint8Array, tick: number): Decoded => {
  const { isKeyframe, frameTick, baseTick, beforeTick, zone } = entry
  let group = replica.groups.get(entry.group)
  if (!group) {
    // A late packet about a zone that we left since: nothing to know, nothing to ask for.
    const isOfZone = isKeyframe && !entry.isExclusive
    if (isLeft(replica.leftGroups, entry.group, tick) || (isOfZone && isLeft(replica.leftZones, zone, tick)))
      return 'all'
    if (!isKeyframe) return undecodable(replica, tick)
    const layouts = replica.layouts[entry.classNumber]
    const layout = entry.isOwner ? layouts?.owner : layouts?.interested
    if (!layout || !isRoomFor(replica.held, layout)) return undecodable(replica, -Infinity)
    group = createReplicaGroup(entry.group, zone, tick, layout, entry.isExclusive)
    addGroup(replica, group)
    group.heardTick = tick
  }
  // The one object of a group moves with it: it was sent anew, in another zone.
  if (isKeyframe && entry.isExclusive && ticksSince(tick, group.zoneTick) > 0) {
    // Its frames may be as they were.
    if (group.zone !== zone && newestFrame(group.history)) group.isDirty = true
    group.zone = zone
    group.zoneTick = tick
  }
  const known = frameAt(group.history, frameTick)
  if (!known) {
    const base = isKeyframe ? undefined : frameAt(group.history, baseTick)
    const before = isKeyframe || beforeTick === baseTick ? undefined : frameAt(group.history, beforeTick)
    if (!isKeyframe && (!base || (beforeTick !== baseTick && !before))) {
      const newest = newestFrame(group.history)
      // What is older than what we have is not waited for.
      const isNeedless = newest !== undefined && ticksSince(newest.tick, frameTick) > 0
      return undecodable(replica, isNeedless ? -Infinity : tick)
    }
    if (!decodeInto(replica, group, bytes, base, before, frameTick)) return undecodable(replica, -Infinity)
  }
  if (ticksSince(tick, group.heardTick) > 0) group.heardTick = tick
  holdUntil(frameAt(group.history, frameTick), tick)
  return 'all'
}

const addGroup = (replica: Replica, group: ReplicaGroup): void => {
  replica.groups.set(group.id, group)
  holdGroup(replica.held, group.layout)
  const most = framesOfEach(replica.held)
  if (most < replica.framesEach) for (const { history } of replica.groups.values()) keepFrames(history, most)
  replica.framesEach = most
}

const removeGroup = (replica: Replica, { id, layout }: ReplicaGroup): void => {
  replica.groups.delete(id)
  holdGroup(replica.held, layout, -1)
  replica.framesEach = framesOfEach(replica.held)
}

/** Whether something was left at that tick or after. */
const isLeft = (left: Map<number, number>, id: number, tick: number): boolean => {
  const at = left.get(id)
  return at !== undefined && ticksSince(tick, at) <= 0
}

/** A frame is known to have been the group's state until `tick`. */
const holdUntil = (frame: Frame | undefined, tick: number): void => {
  if (frame && ticksSince(tick, frame.until) > 0) frame.until = tick
}

/** A segment of a packet of `tick` cannot be decoded (yet). */
const undecodable = (replica: Replica, tick: number): Decoded =>
  tick !== -Infinity && ticksSince(replica.newestTick, tick) < HOLD_TICKS ? 'waiting' : 'lost'

const departures: number[] = []

const decodeInto = (
  replica: Replica,
  group: ReplicaGroup,
  bytes: Uint8Array,
  base: Frame | undefined,
  before: Frame | undefined,
  frameTick: number,
): boolean => {
  keepFrames(group.history, replica.framesEach)
  const frame = spareFrame(group.history, frameTick)
  // A baseline was the oldest frame of a full history and has just been taken for the new one.
  if (frame === base || frame === before) return false
  departures.length = 0
  const { start, end } = entry
  if (!replica.codec.decode(bytes, start, end, group.layout, base, before, frame, noteDeparture, entry.generation))
    return false
  frame.until = frameTick
  insertFrame(group.history, frame)
  // A late frame tells of what is over: what left may have come back since, and gone elsewhere.
  if (newestFrame(group.history) === frame)
    for (let index = 0; index < departures.length; index += 2) {
      const doId = departures[index]!
      const zone = departures[index + 1]!
      group.movedTo.set(doId, zone < 0 ? undefined : zone)
      if (zone < 0) markGone(replica, doId)
    }
  group.isDirty = true
  return true
}

const markGone = ({ values }: Replica, doId: number): void => {
  for (const map of [values.interested, values.owner]) {
    const known = map.get(doId)
    if (known) known.isGone = true
  }
}

/**
 * The object was gone as of `tick`: to `zone`, 0 if that is nothing to go by. What was heard of it until `heard` was sent before.
 */
export const doubtValues = ({ values }: Replica, doId: number, tick: number, zone: number, heard = tick): void => {
  const known = values.interested.get(doId)
  if (!known) return
  const fields = new Set<number>()
  known.heard.forEach((each, index) => {
    if (ticksSince(each, heard) <= 0) fields.add(index)
  })
  known.doubt = fields.size > 0 ? { fields, zone, tick } : undefined
}

/** Whether no value field of an object that came with the frame of `tick` in `zone` is of before it was gone. */
export const areValuesOfNow = (
  { seenSince }: Replica,
  { doubt }: ReplicaValues,
  tick: number,
  zone: number,
): boolean => {
  if (!doubt) return true
  const isSeenSince = (id: number): boolean => {
    const since = seenSince.get(id)
    return since !== undefined && ticksSince(since, doubt.tick) <= 0
  }
  // It went to a zone that we saw, or had come here before we left the zone where it was.
  return isSeenSince(doubt.zone) || (isSeenSince(zone) && ticksSince(tick, doubt.tick) <= 0)
}

const noteDeparture = (doId: number, zone: number | undefined): void => {
  departures.push(doId, zone ?? -1)
}

/**
 * Reads an audit chunk behind its type byte. `onWrong` is told of each group whose frame is not as the server's: it must
 * start again, and so its frames are forgotten here.
 */
export const readAudit = (
  replica: Replica,
  reader: ByteReader,
  tick: number,
  onWrong: (group: number) => void,
): void => {
  for (;;) {
    const id = readVarint(reader)
    if (reader.failed || id === 0) return
    const frameTick = (tick - readVarint(reader)) >>> 0
    const hash = readU16(reader)
    const group = replica.groups.get(id)
    const frame = group && frameAt(group.history, frameTick)
    if (reader.failed || !frame || hashFrame(frame) === hash) continue
    group.history.frames.length = 0
    group.isDirty = false
    replica.desyncs++
    onWrong(id)
  }
}

/** A newest packet said nothing of these groups: they are as they were, until its tick. */
export const confirmGroups = (replica: Replica, tick: number, told: Told): void => {
  if (told.isAllDeferred) return
  for (const group of replica.groups.values())
    if (!told.heard.has(group.id) && !told.deferred.has(group.id)) holdUntil(newestFrame(group.history), tick)
}

const forgetOld = (left: Map<number, number>, tick: number): void => {
  // In the order of the ticks.
  for (const [id, at] of left) {
    if (ticksSince(tick, at) <= 1024 && left.size <= MAX_GROUPS) return
    left.delete(id)
  }
}

/** Drops the group of an object that has its own rule of who sees it. */
export const leaveGroup = (replica: Replica, { tick, doId, group: id, isGone, isDeleted }: Leave): void => {
  forgetOld(replica.leftGroups, tick)
  const group = replica.groups.get(id)
  // It was sent again since.
  if (group && ticksSince(group.heardTick, tick) > 0) return
  if (id !== 0) replica.leftGroups.set(id, tick)
  if (group) removeGroup(replica, group)
  replica.gone.set(doId, { tick, isGone, isDeleted })
  if (isGone) {
    markGone(replica, doId)
    // The stream is in order: whatever came in it until now was sent before.
    doubtValues(replica, doId, tick, 0, replica.newestTick)
  }
  if (id !== 0) replica.placed.delete(doId)
}

/** Notes the zone of an object that has its own rule of who sees it. */
export const placeObject = (replica: Replica, { tick, doId, zone }: Placed): boolean => {
  if (replica.placed.size >= MAX_VALUES) return false
  replica.placed.set(doId, { tick, zone })
  replica.isPlacedNew = true
  return true
}

/** Takes over the list of zones that the server sends us as of `tick`; groups of other zones are dropped. */
export const setZones = (replica: Replica, zones: Iterable<number>, tick: number): void => {
  const next = new Set(zones)
  for (const zone of replica.zones) {
    if (next.has(zone)) continue
    replica.leftZones.set(zone, tick)
    replica.seenSince.delete(zone)
  }
  for (const zone of next) if (!replica.zones.has(zone)) replica.seenSince.set(zone, tick)
  replica.zones.clear()
  for (const zone of next) replica.zones.add(zone)
  forgetOld(replica.leftZones, tick)
  forgetOld(replica.leftGroups, tick)
  for (const group of replica.groups.values()) {
    if (next.has(group.zone) || group.zone === 0 || group.isExclusive || ticksSince(group.heardTick, tick) > 0) continue
    removeGroup(replica, group)
    replica.leftGroups.set(group.id, tick)
    // A hidden page has nothing of what came and went meanwhile: it would keep all of that, and clear nothing by it.
    if (group.appliedIds.some(id => id !== 0)) replica.droppedGroups.push(group)
    const frame = newestFrame(group.history)
    frame?.ids.forEach(doId => {
      markGone(replica, doId)
      const told = replica.gone.get(doId)
      if (!told || told.isGone || ticksSince(frame.tick, told.tick) >= 0)
        doubtValues(replica, doId, tick, 0, replica.newestTick)
    })
  }
}

/** Keeps a value field's newest bytes, whether its object is here already or not. */
export const keepValue = (replica: Replica, message: ValueMessage): boolean => {
  const map = replica.values[message.audience]
  let values = map.get(message.doId)
  if (!values) {
    if (map.size >= MAX_VALUES) return false
    values = {
      packed: [],
      dirty: new Set(),
      epochs: [],
      heard: [],
      serials: [],
      doubt: undefined,
      seenTick: replica.newestTick,
      isGone: false,
    }
    map.set(message.doId, values)
  }
  if (message.index > 255) return false
  values.isGone = false
  values.packed[message.index] = message.packed
  values.epochs[message.index] = message.epoch
  values.heard[message.index] = replica.newestTick
  values.serials[message.index] = replica.serial++
  values.doubt?.fields.delete(message.index)
  if (values.doubt?.fields.size === 0) values.doubt = undefined
  values.dirty.add(message.index)
  replica.dirtyValues.add(message.doId)
  return true
}

/**
 * Seconds after which the value fields of an object that is in no group are forgotten: if it is known to have gone, or may
 * still come, for on a narrow link its row can wait long. The server does not send them again.
 */
const GONE_PATIENCE = 10
const VALUES_PATIENCE = 600

/** Ticks without word after which an empty group is forgotten: the server has done so or will start it again. */
const EMPTY_TICKS = 4096

const sweepGroups = (replica: Replica): void => {
  for (const group of replica.groups.values())
    if (
      ticksSince(replica.newestTick, group.heardTick) > EMPTY_TICKS &&
      group.appliedIds.every(id => id === 0) &&
      newestFrame(group.history)?.ids.every(id => id === 0) !== false
    )
      removeGroup(replica, group)
}

/** Once a second: forgets the value fields of objects that are long gone, they cannot come back without new ones. */
export const sweepValues = (replica: Replica, tickRate: number): void => {
  if (ticksSince(replica.newestTick, replica.sweptTick) < tickRate) return
  replica.sweptTick = replica.newestTick
  // Where things went is of use to a frame that comes soon; a hidden page has none.
  for (const group of replica.groups.values()) if (group.movedTo.size > MAX_MOVES) group.movedTo.clear()
  sweepGroups(replica)
  if (replica.values.interested.size + replica.values.owner.size === 0) return
  const here = new Set<number>()
  for (const group of replica.groups.values()) for (const doId of newestFrame(group.history)?.ids ?? []) here.add(doId)
  for (const map of [replica.values.interested, replica.values.owner])
    for (const [doId, values] of map) {
      const patience = tickRate * (values.isGone ? GONE_PATIENCE : VALUES_PATIENCE)
      if (here.has(doId)) {
        values.seenTick = replica.newestTick
        values.isGone = false
      } else if (ticksSince(replica.newestTick, values.seenTick) > patience) {
        map.delete(doId)
        replica.dirtyValues.delete(doId)
      }
    }
}
