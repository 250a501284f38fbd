import { packField, type DCParameterField } from '../dc/index.ts'
import { needValues } from '../net/downlink.ts'
import { addRow, privateZoneOf, removeRow, writeRow, zoneOf, type Place, type Zone } from '../net/store.ts'
import type { ValueSet } from '../net/values.ts'
import { readRow, readWordOf, type Binding } from './rows.ts'
import type { ServerObject, ServerState } from './server-state.ts'

/**
 * Copies what changed from the world's columns into the replica store, as of the state's tick: rows of numbers by
 * comparison of the quantised integers, value fields by comparison of their packed bytes.
 */
export const capture = (state: ServerState): void => {
  for (const object of state.removed) forget(state, object)
  state.removed.length = 0
  for (const object of state.objects.values()) {
    try {
      captureObject(state, object)
      object.complaint = ''
    } catch (error) {
      complain(state, object, error)
    }
  }
}

/** A value that does not fit DC stays behind, the object's last good state stands; the game is told once, not each tick. */
const complain = (state: ServerState, object: ServerObject, error: unknown): void => {
  const text = String(error)
  if (object.complaint === text) return
  object.complaint = text
  state.onError(error, `replicate, entity ${object.eid}`)
}

const forget = (state: ServerState, object: ServerObject): void => {
  if (object.place) removeRow(object.place, state.tick, undefined)
  if (object.ownerPlace) removeRow(object.ownerPlace, state.tick, undefined)
  object.values.isAlive = false
  if (object.ownerValues) object.ownerValues.isAlive = false
  state.store.values.delete(object.values.doId)
  state.store.ownerValues.delete(object.values.doId)
}

const captureObject = (state: ServerState, object: ServerObject): void => {
  const { DistributedObject } = state.schema
  const zone = DistributedObject.zone[object.eid]!
  const owner = DistributedObject.owner[object.eid]!
  const { interested, owner: private_ } = object.serverClass
  if (zone !== object.zone || owner !== object.owner) {
    // Pack before the rows move: whoever starts to see the object is sent the packed bytes.
    captureValues(state, object, object.values, object.packedFrom)
    moveObject(state, object, zone, owner)
  }
  if (object.place) {
    if (object.owner !== 0) overrule(object)
    captureValues(state, object, object.values, object.packedFrom)
    writeRow(object.place, rowOf(interested, object), state.tick)
  }
  if (object.ownerPlace && private_ && object.ownerValues) {
    captureValues(state, object, object.ownerValues, object.ownerPackedFrom)
    writeRow(object.ownerPlace, rowOf(private_, object), state.tick)
  }
}

/** Owner-written columns that are not as the owner left them were written by game code: a new epoch tells the owner. */
const overrule = (object: ServerObject): void => {
  const { upload, interested, owner } = object.serverClass
  const { expected } = object
  if (!upload || !expected) return
  let isOverruled = false
  upload.words.forEach(({ layout, index }, at) => {
    const word = readWordOf(layout === interested.layout ? interested : owner!, index, object.eid)
    if (expected[at] === word) return
    expected[at] = word
    isOverruled = true
  })
  if (isOverruled) object.epoch = (object.epoch + 1) & 0xff
}

const scratch = new WeakMap<Binding, Uint32Array>()

const rowOf = (binding: Binding, object: ServerObject): Uint32Array => {
  let row = scratch.get(binding)
  if (!row) scratch.set(binding, (row = new Uint32Array(binding.layout.width)))
  readRow(binding, object.eid, object.owner, object.epoch, row)
  return row
}

const sessionsThatSee = (state: ServerState, zone: Zone) =>
  [...state.sessions].filter(session => session.downlink.zones.has(zone))

const moveRow = (
  state: ServerState,
  object: ServerObject,
  from: Place | undefined,
  to: Zone | undefined,
  binding: Binding,
  values: ValueSet,
): Place | undefined => {
  if (from) removeRow(from, state.tick, to && to.privateTo === 0 ? to.id : undefined)
  values.zone = to
  if (!to) return undefined
  for (const session of sessionsThatSee(state, to))
    if (!from || !session.downlink.zones.has(from.group.zone)) needValues(session.downlink, values)
  return addRow(state.store, to, binding.layout, object.doId, state.tick)
}

const moveObject = (state: ServerState, object: ServerObject, zone: number, owner: number): void => {
  const { store } = state
  const { interested, owner: private_ } = object.serverClass
  if (zone !== object.zone) {
    const to = zone === 0 ? undefined : zoneOf(store, zone)
    store.values.set(object.doId, object.values)
    object.place = moveRow(state, object, object.place, to, interested, object.values)
  }
  if (owner !== object.owner) {
    // What the last owner sent is void, and so is what it may still send.
    object.formerOwner = object.owner
    object.uploadSequence = -1
    object.epoch = (object.epoch + 1) & 0xff
  }
  if (private_ && object.ownerValues && (owner !== object.owner || !object.place !== !object.ownerPlace)) {
    captureValues(state, object, object.ownerValues, object.ownerPackedFrom)
    store.ownerValues.set(object.doId, object.ownerValues)
    const to = owner === 0 || !object.place ? undefined : privateZoneOf(store, owner)
    object.ownerPlace = moveRow(state, object, object.ownerPlace, to, private_, object.ownerValues)
  }
  object.zone = zone
  object.owner = owner
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])

const captureValues = (state: ServerState, object: ServerObject, set: ValueSet, packedFrom: unknown[]): void => {
  const fields = set.layout.values
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!
    const value = (object.serverClass.info.columns.get(field) as unknown[])[object.eid]
    // Text cannot change in place; lists and blobs can, so they are packed each time.
    if (typeof value === 'string' && packedFrom[index] === value) continue
    captureValue(state, object, set, index, field, value)
    packedFrom[index] = value
  }
}

const captureValue = (
  state: ServerState,
  object: ServerObject,
  set: ValueSet,
  index: number,
  field: DCParameterField,
  value: unknown,
): void => {
  const packed = packField(field, value)
  const before = set.packed[index]
  if (before && isEqual(before, packed)) return
  set.packed[index] = packed.slice()
  const place = set === object.values ? object.place : object.ownerPlace
  if (!before || !place) return
  for (const session of sessionsThatSee(state, place.group.zone)) needValues(session.downlink, set, index)
}
