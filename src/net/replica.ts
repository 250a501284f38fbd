import { bitReader } from './bits.ts'
import { more, readBytes, readU8, readVarint, type ByteReader } from './bytes.ts'
import { createHistory, frameAt, insertFrame, newestFrame, spareFrame, type Frame, type History } from './frames.ts'
import { layoutsOf, type ClassLayouts, type Layout } from './layout.ts'
import { decodeSegment } from './segment.ts'
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
  readonly zone: number
  readonly layout: Layout
  readonly history: History
  /** Tick of the newest packet that told something of the group. */
  heardTick: number
  /** Where objects that left went, until the receive system has seen it: doId to zone. */
  readonly movedTo: Map<number, number | undefined>
  /** What the world shows of it: doId of each slot. */
  readonly appliedIds: Uint32Array
  /** Tick of the newest frame that went into the interpolation's history; -1 before the first. */
  sampledTick: number
  isDirty: boolean
}

/** The packed value fields of an object by index, and when it was last seen, for forgetting. */
export interface ReplicaValues {
  readonly packed: (Uint8Array | undefined)[]
  readonly dirty: Set<number>
  /** Epoch of each field's newest message. */
  readonly epochs: number[]
  seenTick: number
}

export interface Replica {
  readonly layouts: readonly (ClassLayouts | undefined)[]
  readonly groups: Map<number, ReplicaGroup>
  /** Zones that the server says we see. */
  readonly zones: Set<number>
  /** When zones that we left were left: older packets about them are ignored. */
  readonly leftZones: Map<number, number>
  /** Groups of zones that were left, for the receive system to clear. */
  readonly droppedGroups: ReplicaGroup[]
  readonly values: { readonly interested: Map<number, ReplicaValues>; readonly owner: Map<number, ReplicaValues> }
  /** Objects whose value fields arrived since the receive system looked. */
  readonly dirtyValues: Set<number>
  newestTick: number
  hasTick: boolean
  sweptTick: number
  /** Segments that could not be decoded: their baseline is not here, or the bytes are wrong. */
  undecodable: number
}

/** The most groups that a server may make a client hold. */
const MAX_GROUPS = 8192
/** The most objects whose value fields are kept. */
const MAX_VALUES = 65_536
/** Departures that a group remembers for a page that draws no frames. */
const MAX_MOVES = 4096

export const createReplica = (file: DCFile): Replica => ({
  layouts: file.classes.map(dclass => (dclass.isStruct ? undefined : layoutsOf(dclass))),
  groups: new Map(),
  zones: new Set(),
  leftZones: new Map(),
  droppedGroups: [],
  values: { interested: new Map(), owner: new Map() },
  dirtyValues: new Set(),
  newestTick: 0,
  hasTick: false,
  sweptTick: 0,
  undecodable: 0,
})

const createReplicaGroup = (id: number, zone: number, layout: Layout): ReplicaGroup => ({
  id,
  zone,
  layout,
  history: createHistory(layout),
  heardTick: 0,
  movedTo: new Map(),
  appliedIds: new Uint32Array(layout.slots),
  sampledTick: -1,
  isDirty: false,
})

/** Notes the tick of a packet. Returns whether it is the newest so far. */
export const hearTick = (replica: Replica, tick: number): boolean => {
  if (replica.hasTick && ticksSince(tick, replica.newestTick) <= 0) return false
  replica.hasTick = true
  replica.newestTick = tick
  return true
}

/**
 * Reads one segment chunk behind its type byte. Returns whether the packet may still be acknowledged: false when the
 * segment could not be decoded. `reader.failed` is set when the chunk itself is malformed.
 */
export const readSegment = (replica: Replica, reader: ByteReader, tick: number, heard: Set<ReplicaGroup>): boolean => {
  const flags = readU8(reader)
  const isKeyframe = (flags & 1) === 1
  const id = readVarint(reader)
  const frameTick = (tick - readVarint(reader)) >>> 0
  const span = isKeyframe ? 0 : readVarint(reader)
  const classNumber = isKeyframe ? readVarint(reader) : 0
  const zone = isKeyframe ? readVarint(reader) : 0
  const bytes = readBytes(reader, readVarint(reader))
  if (reader.failed) return false
  let group = replica.groups.get(id)
  if (!group) {
    if (!isKeyframe || replica.groups.size >= MAX_GROUPS) return undecodable(replica)
    const layouts = replica.layouts[classNumber]
    const layout = flags & 2 ? layouts?.owner : layouts?.interested
    if (!layout) return undecodable(replica)
    const left = replica.leftZones.get(zone)
    // A late packet about a zone that we left since: nothing to know, nothing to ask for.
    if (left !== undefined && ticksSince(tick, left) <= 0) return true
    group = createReplicaGroup(id, zone, layout)
    replica.groups.set(id, group)
    group.heardTick = tick
  }
  heard.add(group)
  if (!decodeInto(replica, group, bytes, isKeyframe ? undefined : (frameTick - span) >>> 0, frameTick)) return false
  if (ticksSince(tick, group.heardTick) > 0) group.heardTick = tick
  holdUntil(frameAt(group.history, frameTick), tick)
  return true
}

/** A frame is known to have been the group's state until `tick`. */
const holdUntil = (frame: Frame | undefined, tick: number): void => {
  if (frame && ticksSince(tick, frame.until) > 0) frame.until = tick
}

const undecodable = (replica: Replica): boolean => {
  replica.undecodable++
  return false
}

const decodeInto = (
  replica: Replica,
  group: ReplicaGroup,
  bytes: Uint8Array,
  baseTick: number | undefined,
  frameTick: number,
): boolean => {
  if (frameAt(group.history, frameTick)) return true
  const base = baseTick === undefined ? undefined : frameAt(group.history, baseTick)
  if (baseTick !== undefined && !base) return undecodable(replica)
  const frame = spareFrame(group.history, frameTick)
  const left: [number, number | undefined][] = []
  if (!decodeSegment(bitReader(bytes), group.layout, base, frame, (doId, zone) => left.push([doId, zone])))
    return undecodable(replica)
  frame.until = frameTick
  insertFrame(group.history, frame)
  for (const [doId, zone] of left) group.movedTo.set(doId, zone)
  group.isDirty = true
  return true
}

/** Reads the list of groups whose newest state is not in the packet; `undefined` means all that are not. */
export const readDeferred = (reader: ByteReader): Set<number> | undefined => {
  const count = readU8(reader)
  if (count === 0) return undefined
  const ids = new Set<number>()
  for (let index = 0; index < count && more(reader); index++) ids.add(readVarint(reader))
  return ids
}

/** A newest packet said nothing of these groups: they are as they were, until its tick. */
export const confirmGroups = (
  replica: Replica,
  tick: number,
  heard: Set<ReplicaGroup>,
  deferred: Set<number>,
): void => {
  for (const group of replica.groups.values())
    if (!heard.has(group) && !deferred.has(group.id)) holdUntil(newestFrame(group.history), tick)
}

/** Takes over the list of zones that the server sends us as of `tick`; groups of other zones are dropped. */
export const setZones = (replica: Replica, zones: Iterable<number>, tick: number): void => {
  const next = new Set(zones)
  for (const zone of replica.zones) if (!next.has(zone)) replica.leftZones.set(zone, tick)
  replica.zones.clear()
  for (const zone of next) replica.zones.add(zone)
  for (const [zone, left] of replica.leftZones) if (ticksSince(tick, left) > 1024) replica.leftZones.delete(zone)
  for (const group of replica.groups.values()) {
    if (next.has(group.zone) || group.zone === 0 || ticksSince(group.heardTick, tick) > 0) continue
    replica.groups.delete(group.id)
    replica.droppedGroups.push(group)
  }
}

/** Keeps a value field's newest bytes, whether its object is here already or not. */
export const keepValue = (replica: Replica, message: ValueMessage): boolean => {
  const map = replica.values[message.audience]
  let values = map.get(message.doId)
  if (!values) {
    if (map.size >= MAX_VALUES) return false
    map.set(message.doId, (values = { packed: [], dirty: new Set(), epochs: [], seenTick: replica.newestTick }))
  }
  if (message.index > 255) return false
  values.packed[message.index] = message.packed
  values.epochs[message.index] = message.epoch
  values.dirty.add(message.index)
  replica.dirtyValues.add(message.doId)
  return true
}

/** Seconds after which the value fields of an object that is in no group are forgotten. */
const VALUES_PATIENCE = 10

/** Once a second: forgets the value fields of objects that are long gone, they cannot come back without new ones. */
export const sweepValues = (replica: Replica, tickRate: number): void => {
  if (ticksSince(replica.newestTick, replica.sweptTick) < tickRate) return
  replica.sweptTick = replica.newestTick
  // Where things went is of use to a frame that comes soon; a hidden page has none.
  for (const group of replica.groups.values()) if (group.movedTo.size > MAX_MOVES) group.movedTo.clear()
  if (replica.values.interested.size + replica.values.owner.size === 0) return
  const here = new Set<number>()
  for (const group of replica.groups.values()) for (const doId of newestFrame(group.history)?.ids ?? []) here.add(doId)
  for (const map of [replica.values.interested, replica.values.owner])
    for (const [doId, values] of map) {
      if (here.has(doId)) values.seenTick = replica.newestTick
      else if (ticksSince(replica.newestTick, values.seenTick) > tickRate * VALUES_PATIENCE) {
        map.delete(doId)
        replica.dirtyValues.delete(doId)
      }
    }
}
