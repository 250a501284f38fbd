import { bitWriter, type BitWriter } from './bits.ts'
import { createHistory, frameForWriting, newestFrame, type Frame, type History } from './frames.ts'
import { layoutsOf, type ClassLayouts, type Layout } from './layout.ts'
import { encodeSegment } from './segment.ts'
import { ticksSince } from './ticks.ts'
import type { ValueSet } from './values.ts'
import type { DCFile } from '../dc/index.ts'

/**
 * The server's replicated state, apart from any world: rows in groups, groups in zones, a history of frames for each.
 * A later edge process can fill the same store from a bus instead of a world.
 */

/** Ticks that a freed slot rests: a client that is not far behind sees each object leave before another one comes. */
const QUARANTINE = 64

/** A fixed block of slots of one zone and one layout: the unit of encoding and acknowledging. */
export interface Group {
  /** Never used again while the server lives. */
  readonly id: number
  readonly zone: Zone
  readonly layout: Layout
  readonly history: History
  used: number
  /** When each slot was freed `[slots]`. */
  readonly freedAt: Uint32Array
  readonly isResting: Uint8Array
  /** The last object that left each slot, and the zone that it went to, +1; 0 when it was deleted `[slots]`. */
  readonly leftId: Uint32Array
  readonly movedTo: Float64Array
  /** Segments of the newest frame by baseline tick (-1 for a keyframe), made at most once for all clients. */
  readonly segments: Map<number, Uint8Array>
  segmentsTick: number
}

/** Zone ids are uint32; each client has a private one, for what only it may see, that no client can name. */
export interface Zone {
  readonly id: number
  /** The client that alone sees it, or 0. */
  readonly privateTo: number
  readonly groups: Group[]
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
  nextGroup: number
  readonly writer: BitWriter
  /** Segments encoded and bytes of them, since the start; shared ones count once. */
  readonly stats: { segments: number; bytes: number }
}

/** Makes an empty store for the dclasses of a schema. */
export const createStore = (file: DCFile): Store => ({
  file,
  layouts: file.classes.map(dclass => (dclass.isStruct ? undefined : layoutsOf(dclass))),
  zones: new Map(),
  privateZones: new Map(),
  values: new Map(),
  ownerValues: new Map(),
  nextGroup: 1,
  writer: bitWriter(),
  stats: { segments: 0, bytes: 0 },
})

/** The zone of that id, made when it is new. Only the server's own game code may name new zones. */
export const zoneOf = (store: Store, id: number): Zone => {
  let zone = store.zones.get(id)
  if (!zone) store.zones.set(id, (zone = { id, privateTo: 0, groups: [] }))
  return zone
}

/** The zone that only this client sees. */
export const privateZoneOf = (store: Store, clientId: number): Zone => {
  let zone = store.privateZones.get(clientId)
  if (!zone) store.privateZones.set(clientId, (zone = { id: 0, privateTo: clientId, groups: [] }))
  return zone
}

const createGroup = (store: Store, zone: Zone, layout: Layout): Group => {
  const group: Group = {
    id: store.nextGroup++,
    zone,
    layout,
    history: createHistory(layout),
    used: 0,
    freedAt: new Uint32Array(layout.slots),
    isResting: new Uint8Array(layout.slots),
    leftId: new Uint32Array(layout.slots),
    movedTo: new Float64Array(layout.slots),
    segments: new Map(),
    segmentsTick: -1,
  }
  zone.groups.push(group)
  return group
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

/** Gives an object a row in a zone; the row holds what the slot's frame held before, so write all of it. */
export const addRow = (store: Store, zone: Zone, layout: Layout, doId: number, tick: number): Place => {
  for (const group of zone.groups) {
    if (group.layout !== layout) continue
    const slot = freeSlot(group, tick)
    if (slot >= 0) return occupy(group, slot, doId, tick)
  }
  return occupy(createGroup(store, zone, layout), 0, doId, tick)
}

const occupy = (group: Group, slot: number, doId: number, tick: number): Place => {
  const frame = frameForWriting(group.history, tick)
  frame.ids[slot] = doId
  frame.rows.set(group.layout.defaults, slot * group.layout.width)
  group.isResting[slot] = 0
  group.used++
  return { group, slot }
}

/** Frees a row. `movedTo` is the zone that the object went to, `undefined` when it was deleted. */
export const removeRow = (place: Place, tick: number, movedTo: number | undefined): void => {
  const { group, slot } = place
  const frame = frameForWriting(group.history, tick)
  group.leftId[slot] = frame.ids[slot]!
  frame.ids[slot] = 0
  frame.rows.fill(0, slot * group.layout.width, (slot + 1) * group.layout.width)
  group.isResting[slot] = 1
  group.freedAt[slot] = tick
  group.movedTo[slot] = movedTo === undefined ? 0 : movedTo + 1
  group.used--
}

/** Writes a row, and with it a new frame, only when it differs from the newest one. Returns whether it did. */
export const writeRow = (place: Place, row: Uint32Array, tick: number): boolean => {
  const { group, slot } = place
  const { width } = group.layout
  const at = slot * width
  const rows = newestFrame(group.history)!.rows
  let word = 0
  while (word < width && rows[at + word] === row[word]) word++
  if (word === width) return false
  const written = frameForWriting(group.history, tick).rows
  for (; word < width; word++) written[at + word] = row[word]!
  return true
}

/** The bytes that bring a client from `base` (nothing, for a keyframe) to the group's newest frame. */
export const segmentFor = (store: Store, group: Group, base: Frame | undefined): Uint8Array => {
  const frame = newestFrame(group.history)!
  if (group.segmentsTick !== frame.tick) {
    group.segments.clear()
    group.segmentsTick = frame.tick
  }
  const key = base === undefined ? -1 : base.tick
  let bytes = group.segments.get(key)
  if (!bytes) {
    bytes = encodeSegment(store.writer, group.layout, base, frame, (slot, doId) => {
      // A baseline can be so old that yet another object came and left: then we only know that ours is gone.
      const moved = group.leftId[slot] === doId ? group.movedTo[slot]! : 0
      return moved === 0 ? undefined : moved - 1
    })
    group.segments.set(key, bytes)
    store.stats.segments++
    store.stats.bytes += bytes.length
  }
  return bytes
}

/** The value fields of every object in a group, for a client that starts to see it. */
export const valueSetsOf = (store: Store, group: Group): ValueSet[] => {
  if (group.layout.values.length === 0) return []
  const sets = group.layout.audience === 'owner' ? store.ownerValues : store.values
  return [...(newestFrame(group.history)?.ids ?? [])].flatMap(doId => sets.get(doId) ?? [])
}

/** Forgets zones that are empty and that nobody `isSeen`s, with their groups: a game may name new zones for ever. */
export const sweepZones = (store: Store, isSeen: (zone: Zone) => boolean): void => {
  for (const zone of store.zones.values())
    if (zone.groups.every(group => group.used === 0) && !isSeen(zone)) store.zones.delete(zone.id)
}
