import type { DCParameterField } from '../dc/index.ts'
import { isSameBytes } from '../net/bytes.ts'
import { unsubscribe } from '../net/downlink.ts'
import { needValues, oweValues, queueReliable } from '../net/outgoing.ts'
import { encodeLeave } from '../net/interest.ts'
import { FIXED_WORDS, nextEpoch } from '../net/layout.ts'
import { addRow, privateZoneOf, putRow, removeRow, writeRow, zoneOf, type Place, type Zone } from '../net/store.ts'
import { ticksSince } from '../net/ticks.ts'
import type { ValueSet } from '../net/values.ts'
import { packValue } from './pack-message.ts'
import { isWanted, willSee } from './permissions.ts'
import { readRow, readWordOf, type Binding } from './rows.ts'
import { touchReferrers } from './references.ts'
import { scanClass } from './scan.ts'
import {
  Touch,
  type ServerClass,
  type ServerObject,
  type ServerState,
  type Session,
  type VisibilityRule,
} from './server-state.ts'

/**
 * Copies what changed from the world's columns into the replica store, as of the state's tick. Which objects changed is
 * found by comparing columns with copies, or is what the game marked; their rows are then compared as quantised
 * integers, their value fields as packed bytes.
 */
export const capture = (state: ServerState): void => {
  for (const object of state.removed) forget(state, object)
  state.removed.length = 0
  touchReferrers(state)
  for (const serverClass of state.serverClasses) {
    if (serverClass.objects.length === 0) continue
    if (state.detect === 'compare') scanClass(serverClass)
    captureTouched(state, serverClass)
  }
}

const captureTouched = (state: ServerState, serverClass: ServerClass): void => {
  const { objects, touched, steady, steadySlots, rows, width } = serverClass
  const { tick } = state
  for (let index = 0, count = objects.length; index < count; index++) {
    const marks = touched[index]!
    if (marks === 0) continue
    touched[index] = 0
    const group = steady[index]
    // Most often numbers changed, and the scan has brought the row up to date already.
    if (marks === Touch.words && group) {
      putRow(group, steadySlots[index]!, rows, index * width, tick)
      continue
    }
    const object = objects[index]!
    problem = undefined
    captureObject(state, object, marks)
    complain(state, object)
    const place = object.owner === 0 && object.complaint === '' ? object.place : undefined
    steady[index] = place?.group
    if (place) steadySlots[index] = place.slot
  }
}

const writeRows = (state: ServerState, { serverClass, index, place, ownerPlace }: ServerObject): void => {
  if (place) writeRow(place, serverClass.rows, index * serverClass.width, state.tick)
  if (ownerPlace) writeRow(ownerPlace, serverClass.ownerRows, index * serverClass.ownerWidth, state.tick)
}

/** The first value of the object at hand that does not fit its DC type. */
let problem: unknown

/** What does not fit DC stays behind, field by field, its last good value stands; the game is told once, not each tick. */
const complain = (state: ServerState, object: ServerObject): void => {
  const text = problem === undefined ? '' : String(problem)
  if (object.complaint === text) return
  object.complaint = text
  if (problem !== undefined) state.onError(problem, `replicate, entity ${object.eid}`)
}

const forget = (state: ServerState, object: ServerObject): void => {
  if (object.place) {
    announceEnd(state, object, object.place.group.zone)
    removeRow(object.place, state.tick, undefined)
  }
  if (object.ownerPlace) removeRow(object.ownerPlace, state.tick, undefined)
  countOwnedZone(state, object.owner, object.zone, -1)
  // The rule may have ended in this very tick: its row was still where that had it.
  const rule = object.placedBy ?? object.rule
  if (rule) closeRule(state, object, rule, undefined, true)
  state.exceptions.delete(object)
  object.values.isAlive = false
  if (object.ownerValues) object.ownerValues.isAlive = false
  state.store.values.delete(object.values.doId)
  state.store.ownerValues.delete(object.values.doId)
}

const captureObject = (state: ServerState, object: ServerObject, marks: number): void => {
  const { DistributedObject } = state.schema
  const zone = DistributedObject.zone[object.eid]!
  const owner = DistributedObject.owner[object.eid]!
  const { interested, owner: private_, rows, width, ownerRows, ownerWidth } = object.serverClass
  // Values are packed before the rows move: whoever starts to see the object is sent the packed bytes.
  if (marks & Touch.values) {
    captureValues(state, object, object.values, object.packedFrom)
    if (object.ownerValues) captureValues(state, object, object.ownerValues, object.ownerPackedFrom)
  }
  if (zone !== object.zone || owner !== object.owner || object.rule !== object.placedBy)
    moveObject(state, object, zone, owner)
  if (object.owner !== 0 && object.place) overrule(object)
  if (object.place) readGoodRow(interested, object, rows, object.index * width)
  if (object.ownerPlace && private_) readGoodRow(private_, object, ownerRows, object.index * ownerWidth)
  writeRows(state, object)
}

/** Brings an object's row up to date but for the words whose values do not fit. */
const readGoodRow = (binding: Binding, object: ServerObject, rows: Uint32Array, at: number): void => {
  try {
    readRow(binding, object.eid, object.owner, object.epoch, rows, at)
  } catch (error) {
    problem ??= error
    readFittingWords(binding, object, rows, at)
  }
}

/** The slow way round, for an object with a value that does not fit: each word by itself. */
const readFittingWords = (binding: Binding, object: ServerObject, rows: Uint32Array, at: number): void => {
  for (let index = 0; index < binding.layout.words.length; index++) {
    try {
      rows[at + FIXED_WORDS + index] = readWordOf(binding, index, object.eid)
    } catch {
      // The last good one stands.
    }
  }
}

/** Owner-written columns that are not as the owner left them were written by game code: a new epoch tells the owner. */
const overrule = (object: ServerObject): void => {
  const { upload, interested, owner } = object.serverClass
  const { expected } = object
  if (!upload || !expected) return
  let isOverruled = false
  for (let at = 0; at < upload.words.length; at++) {
    const { layout, index } = upload.words[at]!
    try {
      const word = readWordOf(layout === interested.layout ? interested : owner!, index, object.eid)
      if (expected[at] === word) continue
      expected[at] = word
      isOverruled = true
    } catch (error) {
      problem ??= error
    }
  }
  if (isOverruled) object.epoch = nextEpoch(object.epoch)
}

/** An owner always sees the zones of its objects: how many it has in each. */
const countOwnedZone = (state: ServerState, owner: number, zone: number, change: 1 | -1): void => {
  if (owner === 0 || zone === 0) return
  let zones = state.ownedZones.get(owner)
  if (!zones) state.ownedZones.set(owner, (zones = new Map()))
  const count = (zones.get(zone) ?? 0) + change
  if (count > 0) zones.set(zone, count)
  else zones.delete(zone)
  if (zones.size === 0) state.ownedZones.delete(owner)
  const session = state.sessionOf.get(owner)
  if (session) session.isZonesDirty = true
}

/** Who sees an object with its own rule has to be looked at again. */
const touchAllZones = (state: ServerState): void => {
  for (const session of state.sessions) session.isZonesDirty = true
}

/** Tells a client that it is not sent an object by its own rule any more: of each group that this one was in. */
export const queueLeave = (
  state: ServerState,
  session: Session,
  object: ServerObject,
  zone: Zone,
  isGone: boolean,
  isDeleted = false,
): void => {
  for (const { id } of zone.groups)
    queueReliable(session.downlink, encodeLeave({ tick: state.tick, doId: object.doId, group: id, isGone, isDeleted }))
}

/** The same of the group that it has in its zone. */
const queueLeaveOfZone = (
  state: ServerState,
  session: Session,
  { doId }: ServerObject,
  isGone: boolean,
  isDeleted = false,
): void => queueReliable(session.downlink, encodeLeave({ tick: state.tick, doId, group: 0, isGone, isDeleted }))

/** Everyone who is sent an object by its own rule hears that this is over, and whether it is elsewhere now. */
const closeRule = (
  state: ServerState,
  object: ServerObject,
  rule: VisibilityRule,
  next: Zone | undefined,
  isDeleted = false,
): void => {
  for (const downlink of rule.zone.watchers) {
    const session = state.downlinks.get(downlink)!
    unsubscribe(downlink, rule.zone)
    const isSeen = next !== undefined && (session.downlink.zones.has(next) || isWanted(state, session, next.id))
    queueLeave(state, session, object, rule.zone, !isSeen, isDeleted)
  }
}

/** Where the row of an object belongs: nowhere, in its zone, or by itself. */
const zoneFor = (state: ServerState, object: ServerObject, zone: number): Zone | undefined =>
  zone === 0 ? undefined : (object.rule?.zone ?? zoneOf(state.store, zone))

/** Moves the row to where it belongs now: into another zone, or in or out of a group of its own. */
const relocate = (state: ServerState, object: ServerObject, zone: number, owner: number): void => {
  const { interested } = object.serverClass
  const to = zoneFor(state, object, zone)
  const from = object.place?.group.zone
  if (to && object.rule) to.id = zone
  if (to !== undefined && to === from) {
    // It has a group of its own wherever it is: who goes on seeing it is told once that is known.
    object.rezonedAt = state.tick
    touchAllZones(state)
    return
  }
  state.store.values.set(object.doId, object.values)
  object.place = moveRow(state, object, object.place, to, interested, object.values)
  if (object.placedBy && object.placedBy !== object.rule) closeRule(state, object, object.placedBy, to)
  else if (object.placedBy && to === undefined) closeRule(state, object, object.placedBy, undefined)
  // Whoever saw it in its zone and is not to see it by its rule hears so at once; the rest waits for the new group.
  if (object.rule && from && from.exclusiveTo === 0)
    for (const downlink of from.watchers) {
      const session = state.downlinks.get(downlink)!
      if (!willSee(state, session, object, zone, owner)) queueLeaveOfZone(state, session, object, true)
    }
  object.placedBy = object.rule
  if (object.rule) touchAllZones(state)
  if (from && to) announceMove(state, object, from, to, owner)
  if (from) object.hasMoved = true
  object.movedAt = state.tick
}

/** Ticks that a client may be behind. */
const BEHIND = 64

/**
 * Segments tell where an object went from the frame on that a client acknowledged: of one that came after it and has left
 * again they say nothing, as of one that was deleted; nor does a zone that the client leaves at the same time. Who still
 * sees the object hears of that by itself.
 */
const announceMove = (state: ServerState, object: ServerObject, from: Zone, to: Zone, owner: number): void => {
  const isBehind = hasJustMoved(state, object)
  for (const downlink of from.watchers) {
    const session = state.downlinks.get(downlink)!
    const isGone = !willSee(state, session, object, to.id, owner)
    // Of an object that moved lately its client would believe that it moves about still.
    if (
      isGone
        ? !(isBehind && object.hasMoved)
        : !isBehind && to.watchers.has(downlink) && isWanted(state, session, from.id)
    )
      continue
    queueLeaveOfZone(state, session, object, isGone)
  }
}

const hasJustMoved = (state: ServerState, { movedAt }: ServerObject): boolean =>
  Math.abs(ticksSince(state.tick, movedAt)) < BEHIND

/** The same of one that is deleted. */
const announceEnd = (state: ServerState, object: ServerObject, from: Zone): void => {
  if (!object.hasMoved || !hasJustMoved(state, object)) return
  for (const downlink of from.watchers) queueLeaveOfZone(state, state.downlinks.get(downlink)!, object, true, true)
}

/** What those who see a row where it is are told of where it goes: 0 is nowhere. It is not deleted. */
const destinationOf = (from: Place, to: Zone | undefined): number | undefined => {
  if (from.group.zone.privateTo > 0) return undefined
  return to ? (to.privateTo === 0 ? to.id : undefined) : 0
}

const moveRow = (
  state: ServerState,
  object: ServerObject,
  from: Place | undefined,
  to: Zone | undefined,
  binding: Binding,
  values: ValueSet,
): Place | undefined => {
  // Where an object goes that is seen by its own rule is not for everyone here to know.
  const isHidden = from !== undefined && to !== undefined && to.exclusiveTo > 0 && from.group.zone.exclusiveTo === 0
  if (from) removeRow(from, state.tick, isHidden ? from.group.zone.id : destinationOf(from, to))
  values.zone = to
  if (values.kept) Object.assign(values.kept, { cameFrom: from?.group.zone, cameIn: state.store.round })
  if (!to) return undefined
  for (const downlink of to.watchers) if (!from?.group.zone.watchers.has(downlink)) oweValues(downlink, to, values)
  return addRow(state.store, to, binding.layout, object.doId, state.tick)
}

/** Changes of zone and owner that are remembered of an object. */
const MAX_PAST = 8

const rememberPast = (state: ServerState, { past, zone, owner }: ServerObject): void => {
  if (zone === 0) return
  if (past.length >= MAX_PAST) past.shift()
  past.push({ zone, owner, endedAt: state.now() })
}

const moveObject = (state: ServerState, object: ServerObject, zone: number, owner: number): void => {
  const { store } = state
  const { owner: private_ } = object.serverClass
  countOwnedZone(state, object.owner, object.zone, -1)
  countOwnedZone(state, owner, zone, 1)
  if (zone !== object.zone) state.settling.add(object)
  if (zone !== object.zone || object.rule !== object.placedBy) relocate(state, object, zone, owner)
  if (owner !== object.owner) {
    // What the last owner sent is void, and so is what it may still send.
    object.uploadSequence = -1
    if (state.onOwner.size > 0) state.ownerChanges.push({ object, owner, before: object.owner })
  }
  // What its owner wrote while it was nowhere was refused, and the owner may not know: the server's values stand.
  if (owner !== object.owner || (object.zone === 0 && owner !== 0)) {
    object.epoch = nextEpoch(object.epoch)
    startValueEpochs(state, object)
  }
  if (private_ && object.ownerValues && (owner !== object.owner || !object.place !== !object.ownerPlace)) {
    store.ownerValues.set(object.doId, object.ownerValues)
    const to = owner === 0 || !object.place ? undefined : privateZoneOf(store, owner)
    object.ownerPlace = moveRow(state, object, object.ownerPlace, to, private_, object.ownerValues)
  }
  rememberPast(state, object)
  object.zone = zone
  object.owner = owner
}

const captureValues = (state: ServerState, object: ServerObject, set: ValueSet, packedFrom: unknown[]): void => {
  const fields = set.layout.values
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!
    const value = (object.serverClass.info.columns.get(field) as unknown[])[object.eid]
    // Text cannot change in place; lists and blobs can, so they are packed each time.
    const isDisputed = set.fromOwner[index] !== undefined && !isSameBytes(set.fromOwner[index], set.packed[index])
    if (typeof value === 'string' && packedFrom[index] === value && !isDisputed) continue
    captureValue(state, object, set, index, field, value)
    packedFrom[index] = value
  }
}

/** The packed value, or what was packed last when it does not fit DC. */
const packOrKeep = (
  state: ServerState,
  field: DCParameterField,
  value: unknown,
  before: Uint8Array | undefined,
): Uint8Array => {
  try {
    return packValue(field, value, state.links)
  } catch (error) {
    problem ??= error
    return before ?? field.initial
  }
}

/**
 * From here on what the owner sent of a string, blob or list is void: everyone is sent the server's, under a new epoch, by
 * which the owner knows that it is overruled.
 */
const startValueEpoch = (state: ServerState, set: ValueSet, index: number): void => {
  set.epochs[index] = nextEpoch(set.epochs[index] ?? 0)
  set.fromOwner[index] = undefined
  if (set.zone) for (const downlink of set.zone.watchers) needValues(downlink, set, index)
}

const startValueEpochs = (state: ServerState, object: ServerObject): void => {
  for (const set of [object.values, object.ownerValues])
    set?.layout.values.forEach((field, index) => {
      if (field.keywords.includes('ownsend')) startValueEpoch(state, set, index)
    })
}

const captureValue = (
  state: ServerState,
  object: ServerObject,
  set: ValueSet,
  index: number,
  field: DCParameterField,
  value: unknown,
): void => {
  const before = set.packed[index]
  const packed = packOrKeep(state, field, value, before)
  const isOwners = object.owner !== 0 && field.keywords.includes('ownsend')
  const isOverruled = before && isOwners && !isSameBytes(set.fromOwner[index] ?? before, packed)
  if (!isSameBytes(before, packed)) set.packed[index] = packed.slice()
  if (isOverruled) startValueEpoch(state, set, index)
  if (isSameBytes(before, packed)) return
  const place = set === object.values ? object.place : object.ownerPlace
  if (!before || !place) return
  for (const downlink of place.group.zone.watchers) needValues(downlink, set, index)
}
