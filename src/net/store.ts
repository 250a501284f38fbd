import { bitWriter, resetWriter, type BitWriter } from './bits.ts'
import type { CodecName, SegmentEncoder } from './codec.ts'
import type { Downlink } from './downlink-state.ts'
import { createRangeEncoder, type RangeEncoderOptions } from './codec/segment-encoder.ts'
import {
  changedBetween,
  changedSince,
  createHistory,
  frameForWriting,
  hashFrame,
  HISTORY,
  markSlot,
  newestFrame,
  type Frame,
  type History,
  type SlotSet,
} from './frames.ts'
import { layoutsOf, type ClassLayouts, type Layout } from './layout.ts'
import { plainEncoder } from './plain-codec.ts'
import { ticksSince } from './ticks.ts'
import type { ValueSet } from './values.ts'
import type { DCFile } from '../dc/index.ts'

/**
 * The server's replicated state, apart from any world: rows in groups, groups in zones, a history of frames for each.
 * A later edge process can fill the same store from a bus instead of a world.
 */

/** Ticks that a freed slot rests: a client that is not far behind sees each object leave before another one comes. */
const QUARANTINE = 64
/** Ticks that an empty group stays, so that everyone can hear of the last departure. */
const EMPTY_TICKS = 1024

/** An encoded segment of the tick at hand: bytes `start..start + length` of the store's writer. */
export interface Segment {
  /** Ticks of what it builds on, -1 for nothing, and its own. */
  baseTick: number
  beforeTick: number
  tick: number
  generation: number
  start: number
  length: number
  /** Ticks from its base to it, and from what is foretold from to the base; 0 for nothing. */
  span: number
  further: number
  /** Bytes in a packet of this round with the largest header that it can have; 0 until that is worked out. */
  size: number
}

/** A fixed block of slots of one zone and one layout: the unit of encoding and acknowledging. */
export interface Group {
  /** Never used again while the server lives. */
  readonly id: number
  readonly zone: Zone
  readonly layout: Layout
  readonly history: History
  /** Tick of the newest frame; -1 before the first. */
  newestTick: number
  used: number
  /** When each slot was freed `[slots]`. */
  readonly freedAt: Uint32Array
  readonly isResting: Uint8Array
  /** The last object that left each slot, and the zone that it went to, +1; 0 when it was deleted `[slots]`. */
  readonly leftId: Uint32Array
  readonly movedTo: Float64Array
  /** Segments of the newest frame, made at most once a tick for all clients; the first `segmentCount` are valid. */
  readonly segments: Segment[]
  segmentCount: number
  /** {@link Store.round} in which they were made. */
  segmentRound: number
  /** The newest frame's hash, and its tick; -1 when there is none yet. */
  hash: number
  hashTick: number
}

/** Zone ids are uint32; each client has a private one, for what only it may see, that no client can name. */
export interface Zone {
  /** Changes only in the zone of one object, which goes where the object goes. */
  id: number
  /** The client that alone sees it, or 0. */
  readonly privateTo: number
  /** The object whose own rule says who sees it (its doId), or 0. */
  readonly exclusiveTo: number
  readonly groups: Group[]
  /** Clients that are sent it. */
  readonly watchers: Set<Downlink>
}

/** Where a row lives. */
export interface Place {
  readonly group: Group
  readonly slot: number
}

export interface Store {
  readonly file: DCFile
  readonly layouts: readonly (ClassLayouts | undefined)[]
  readonly zones: Map<number, Zone>
  readonly privateZones: Map<number, Zone>
  /** Value fields of placed objects by doId: for interested clients, and for owners. */
  readonly values: Map<number, ValueSet>
  readonly ownerValues: Map<number, ValueSet>
  readonly codec: SegmentEncoder
  /** Frames that a group keeps. */
  readonly history: number
  nextGroup: number
  /** Counts up whenever a zone comes to be: who waits for one looks again. The same of groups that come and go. */
  zonesVersion: number
  groupsVersion: number
  /** Holds the segments of this round, one behind the other. */
  readonly writer: BitWriter
  /** Counts the rounds of sending; segments of an older one are void. */
  round: number
  /** Segments encoded and bytes of them, since the start, where shared ones count once; and how many were sent. */
  readonly stats: { segments: number; bytes: number; sent: number }
}

/** Makes an empty store for the dclasses of a schema; `history` is how many frames a group keeps, 8 to 64. */
export const createStore = (
  file: DCFile,
  history = HISTORY,
  codec: CodecName = 'plain',
  options: RangeEncoderOptions = {},
): Store => {
  const layouts = file.classes.map(dclass => (dclass.isStruct ? undefined : layoutsOf(dclass)))
  return {
    file,
    codec: codec === 'plain' ? plainEncoder : createRangeEncoder(layouts, options),
    layouts,
    zones: new Map(),
    privateZones: new Map(),
    values: new Map(),
    ownerValues: new Map(),
    history,
    nextGroup: 1,
    zonesVersion: 0,
    groupsVersion: 0,
    writer: bitWriter(4096),
    round: 0,
    stats: { segments: 0, bytes: 0, sent: 0 },
  }
}

const createZone = (id: number, privateTo: number, exclusiveTo: number): Zone => ({
  id,
  privateTo,
  exclusiveTo,
  groups: [],
  watchers: new Set(),
})

/** The zone of that id, made when it is new. Only the server's own game code may name new zones. */
export const zoneOf = (store: Store, id: number): Zone => {
  let zone = store.zones.get(id)
  if (!zone) {
    store.zones.set(id, (zone = createZone(id, 0, 0)))
    store.zonesVersion++
  }
  return zone
}

/** The zone that only this client sees. */
export const privateZoneOf = (store: Store, clientId: number): Zone => {
  let zone = store.privateZones.get(clientId)
  if (!zone) store.privateZones.set(clientId, (zone = createZone(0, clientId, 0)))
  return zone
}

/** A zone for one object that has its own rule of who sees it; clients are told the number of the zone that it is in. */
export const exclusiveZone = (id: number, doId: number): Zone => createZone(id, 0, doId)

const createGroup = (store: Store, zone: Zone, layout: Layout): Group => {
  const group: Group = {
    id: store.nextGroup++,
    zone,
    layout,
    history: createHistory(layout, store.history),
    newestTick: -1,
    used: 0,
    freedAt: new Uint32Array(layout.slots),
    isResting: new Uint8Array(layout.slots),
    leftId: new Uint32Array(layout.slots),
    movedTo: new Float64Array(layout.slots),
    segments: [],
    segmentCount: 0,
    segmentRound: -1,
    hash: 0,
    hashTick: -1,
  }
  zone.groups.push(group)
  store.groupsVersion++
  return group
}

/** The frame that a group has in this tick. */
const frameOf = (group: Group, tick: number): Frame => {
  group.newestTick = tick
  return frameForWriting(group.history, tick)
}

const freeSlot = (group: Group, tick: number): number => {
  if (group.used === group.layout.slots) return -1
  const ids = newestFrame(group.history)?.ids
  for (let slot = 0; slot < group.layout.slots; slot++) {
    if (ids && ids[slot] !== 0) continue
    if (group.isResting[slot] && Math.abs(ticksSince(tick, group.freedAt[slot]!)) < QUARANTINE) continue
    return slot
  }
  return -1
}

/** Gives an object a row in a zone, with the defaults of its class. */
export const addRow = (store: Store, zone: Zone, layout: Layout, doId: number, tick: number): Place => {
  for (const group of zone.groups) {
    if (group.layout !== layout) continue
    const slot = freeSlot(group, tick)
    if (slot >= 0) return occupy(group, slot, doId, tick)
  }
  return occupy(createGroup(store, zone, layout), 0, doId, tick)
}

const occupy = (group: Group, slot: number, doId: number, tick: number): Place => {
  const frame = frameOf(group, tick)
  frame.ids[slot] = doId
  frame.rows.set(group.layout.defaults, slot * group.layout.width)
  markSlot(frame, slot)
  group.isResting[slot] = 0
  group.used++
  return { group, slot }
}

/** Frees a row. `movedTo` is the zone that the object went to, `undefined` when it was deleted. */
export const removeRow = (place: Place, tick: number, movedTo: number | undefined): void => {
  const { group, slot } = place
  const frame = frameOf(group, tick)
  group.leftId[slot] = frame.ids[slot]!
  frame.ids[slot] = 0
  frame.rows.fill(0, slot * group.layout.width, (slot + 1) * group.layout.width)
  markSlot(frame, slot)
  group.isResting[slot] = 1
  group.freedAt[slot] = tick
  group.movedTo[slot] = movedTo === undefined ? 0 : movedTo + 1
  group.used--
}

/** Writes a row that is at `from[fromAt..]`, and with it a new frame, only when it differs from the newest one. Returns whether it did. */
export const writeRow = (place: Place, from: Uint32Array, fromAt: number, tick: number): boolean => {
  const { group, slot } = place
  const { width } = group.layout
  const at = slot * width
  const { rows } = newestFrame(group.history)!
  let word = 0
  while (word < width && rows[at + word] === from[fromAt + word]) word++
  if (word === width) return false
  const frame = frameOf(group, tick)
  for (; word < width; word++) frame.rows[at + word] = from[fromAt + word]!
  markSlot(frame, slot)
  return true
}

/** Writes a row that is known to differ. */
export const putRow = (group: Group, slot: number, from: Uint32Array, fromAt: number, tick: number): void => {
  const { width } = group.layout
  const frame = frameOf(group, tick)
  const { rows } = frame
  for (let at = slot * width, end = at + width, index = fromAt; at < end; at++, index++) rows[at] = from[index]!
  markSlot(frame, slot)
}

/** Starts a round of sending: what was encoded before is void. Call it once the store holds the state of a tick. */
export const startRound = (store: Store): void => {
  store.round++
  resetWriter(store.writer)
}

let encoded: Group
const whereTo = (slot: number, doId: number): number | undefined => {
  // A baseline can be so old that yet another object came and left: then we only know that ours is gone.
  const moved = encoded.leftId[slot] === doId ? encoded.movedTo[slot]! : 0
  return moved === 0 ? undefined : moved - 1
}

const slots: SlotSet = { low: 0, high: 0 }
const active: SlotSet = { low: 0, high: 0 }

/** The segment of this round that builds on frames of these ticks, -1 for none, if there is one already. */
export const knownSegment = (
  store: Store,
  group: Group,
  baseTick: number,
  beforeTick: number,
  generation: number,
): Segment | undefined => {
  if (group.segmentRound !== store.round) {
    group.segmentRound = store.round
    group.segmentCount = 0
    return undefined
  }
  const { segments, segmentCount } = group
  for (let index = 0; index < segmentCount; index++) {
    const known = segments[index]!
    if (known.baseTick === baseTick && known.beforeTick === beforeTick && known.generation === generation) return known
  }
  return undefined
}

/**
 * The segment that brings a client from `base` (nothing, for a keyframe) to the group's newest frame, with what is
 * foretold from `before` to `base`, by tables of `generation`; valid until the next round. Encoded at most once a round
 * for each of these.
 */
export const segmentFor = (
  store: Store,
  group: Group,
  base: Frame | undefined,
  before?: Frame,
  generation = 0,
): Segment => {
  const baseTick = base === undefined ? -1 : base.tick
  const beforeTick = before === undefined ? -1 : before.tick
  const known = knownSegment(store, group, baseTick, beforeTick, generation)
  if (known) return known
  const segment = (group.segments[group.segmentCount] ??= {
    baseTick: 0,
    beforeTick: -1,
    tick: 0,
    generation: 0,
    start: 0,
    length: 0,
    span: 0,
    further: 0,
    size: 0,
  })
  const frame = newestFrame(group.history)!
  segment.baseTick = baseTick
  segment.beforeTick = beforeTick
  segment.tick = frame.tick
  segment.generation = generation
  segment.start = store.writer.at
  segment.size = 0
  segment.span = base === undefined ? 0 : ticksSince(frame.tick, baseTick)
  segment.further = base === undefined || before === undefined ? 0 : ticksSince(baseTick, beforeTick)
  encoded = group
  changedSince(group.history, base, slots)
  if (base && before) changedBetween(group.history, before, base, active)
  segment.length = store.codec.encode(
    store.writer,
    group.layout,
    base,
    before,
    frame,
    slots,
    active,
    whereTo,
    generation,
  )
  // Not before it is whole: what throws must not be found by the next client.
  group.segmentCount++
  store.stats.segments++
  store.stats.bytes += segment.length
  return segment
}

/** The hash of a group's newest frame, computed once for all clients. */
export const hashOf = (group: Group): number => {
  const frame = newestFrame(group.history)!
  if (group.hashTick !== frame.tick) {
    group.hash = hashFrame(frame)
    group.hashTick = frame.tick
  }
  return group.hash
}

/** The value fields of every object in a group, for a client that starts to see it. */
export const valueSetsOf = (store: Store, group: Group): ValueSet[] => {
  if (group.layout.values.length + group.layout.messages.length === 0) return []
  const ids = newestFrame(group.history)?.ids
  if (!ids) return []
  const sets = group.layout.audience === 'owner' ? store.ownerValues : store.values
  const found: ValueSet[] = []
  for (let slot = 0; slot < ids.length; slot++) {
    const set = ids[slot] === 0 ? undefined : sets.get(ids[slot]!)
    if (set) found.push(set)
  }
  return found
}

/** Whether a group has been empty for so long that everyone who could heard of it. */
const isStale = (group: Group, tick: number): boolean => {
  const newest = newestFrame(group.history)
  return group.used === 0 && (newest === undefined || ticksSince(tick, newest.tick) > EMPTY_TICKS)
}

const sweepGroups = (store: Store, zone: Zone, tick: number, isAwaited: (group: Group) => boolean): void => {
  for (let index = zone.groups.length - 1; index >= 0; index--) {
    const group = zone.groups[index]!
    if (!isStale(group, tick) || isAwaited(group)) continue
    zone.groups.splice(index, 1)
    store.groupsVersion++
  }
}

/**
 * Forgets groups that have been empty for long and whose last departure nobody `isAwaited` to hear of, and zones that
 * are empty and that nobody sees: a game may name new zones for ever, and a crowd that leaves a zone should leave
 * no memory.
 */
export const sweepZones = (store: Store, tick: number, isAwaited: (group: Group) => boolean): void => {
  for (const zone of store.zones.values()) {
    if (zone.groups.every(group => group.used === 0) && zone.watchers.size === 0) store.zones.delete(zone.id)
    else sweepGroups(store, zone, tick, isAwaited)
  }
}
