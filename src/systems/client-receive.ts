import { addComponent, addEntity, entityExists, removeComponent, removeEntity } from 'bitecs'
import {
  Alive,
  checkCapacity,
  componentsOf,
  Generated,
  Owned,
  writeColumns,
  writeDefaults,
} from '../components/index.ts'
import { hasReferences, type DCParameterField } from '../dc/index.ts'
import { isSameBytes } from '../net/bytes.ts'
import { newestFrame } from '../net/frames.ts'
import { EPOCH, FIXED_WORDS, OWNER } from '../net/layout.ts'
import { measurePing } from '../net/ping.ts'
import { sweepValues, type ReplicaGroup } from '../net/replica.ts'
import { ticksSince } from '../net/ticks.ts'
import { measureTraffic } from '../net/traffic.ts'
import type { ClientObject, ClientSession, ClientState, WaitingMessage } from './client-state.ts'
import { renewReferences, writeWord } from './client-references.ts'
import { unpackHere } from './links.ts'
import { nameOf, tryPackValue } from './pack-message.ts'
import { isNumberChanged, type Binding } from './rows.ts'
import { leaveTrack, recordFrames, showSlot } from './track.ts'

/** Ticks that an object on its way between two zones may be missing. */
const ORPHAN_TICKS = 64
/** Seconds that a message waits for its object. */
const MESSAGE_PATIENCE = 3

/** Brings the world to the newest state that was decoded, then delivers the messages that were sent with it. */
export const clientReceive = (state: ClientState): void => {
  if (state.ended) clearSession(state, state.ended)
  const { session } = state
  if (!session?.welcome) return
  const { replica } = session
  const dirty = [...replica.groups.values()].filter(group => group.isDirty)
  // First everything that is somewhere now, then what left: an object that changed its zone is never missing.
  for (const group of dirty) claimObjects(state, session, group)
  renewReferences(state, session)
  applyValues(state, session)
  // Before anything goes: what was sent along with a removal is still delivered.
  deliverMessages(state, session)
  for (const group of dirty) releaseObjects(state, session, group)
  for (const group of replica.droppedGroups) dropGroup(state, session, group)
  replica.droppedGroups.length = 0
  applyExceptions(state, session)
  removeOrphans(state, session)
  if (session.isPopulationChanged) {
    renewReferences(state, session)
    applyValues(state, session)
  }
  sweepValues(replica, session.welcome.tickRate)
  measure(state, session)
}

const clearSession = (state: ClientState, ended: ClientSession): void => {
  state.ended = undefined
  for (const object of ended.objects.values()) removeObject(state, ended, object)
  state.stats.objects = 0
}

const claimObjects = (state: ClientState, session: ClientSession, group: ReplicaGroup): void => {
  const frame = newestFrame(group.history)!
  for (let slot = 0; slot < group.layout.slots; slot++) {
    const doId = frame.ids[slot]!
    if (doId === 0) continue
    if (group.layout.audience === 'owner') {
      session.ownerPlaces.set(doId, { group, slot })
      const object = session.objects.get(doId)
      if (object) writeOwnerRow(state, session, object, group, slot, false)
      continue
    }
    let object = session.objects.get(doId)
    // No sound server gives the number of an object to one of another class while we see it.
    if (object && object.clientClass.info.dclass !== group.layout.dclass) {
      if (ticksSince(frame.tick, object.seenTick) <= 0) continue
      removeObject(state, session, object)
      object = undefined
    }
    if (!object) generate(state, session, group, slot, doId, frame.tick)
    else if (object.group === group || isGone(session, object.group) || ticksSince(frame.tick, object.seenTick) > 0) {
      object.hasMoved ||= object.group !== group
      object.group = group
      object.slot = slot
      object.seenTick = frame.tick
      object.orphanedAt = undefined
      state.schema.DistributedObject.zone[object.eid] = zoneOf(session, group, doId)
      updateObject(state, session, object, frame.rows, slot * group.layout.width)
    }
  }
  recordFrames(session, group, state.classes.get(group.layout.dclass)!.track)
}

/** The zone of an object: its group's, unless it has one of its own that has moved since. */
const zoneOf = (session: ClientSession, group: ReplicaGroup, doId: number): number => {
  const placed = group.isExclusive ? session.replica.placed.get(doId) : undefined
  return placed && ticksSince(placed.tick, group.zoneTick) >= 0 ? placed.zone : group.zone
}

/** Whether a group was dropped, so that another may show the object in the same tick. */
const isGone = (session: ClientSession, group: ReplicaGroup): boolean => session.replica.groups.get(group.id) !== group

/** Told once: an object that does not fit is left out, the rest goes on. */
const complainOfCapacity = (state: ClientState, eid: number): void => {
  if (state.isOverCapacity) return
  state.isOverCapacity = true
  try {
    checkCapacity(state.schema, eid)
  } catch (error) {
    state.onError(error, 'receive')
  }
}

const generate = (
  state: ClientState,
  session: ClientSession,
  group: ReplicaGroup,
  slot: number,
  doId: number,
  tick: number,
): void => {
  const { world, schema } = state
  const clientClass = state.classes.get(group.layout.dclass)!
  const { info } = clientClass
  const eid = addEntity(world)
  if (eid >= schema.capacity) {
    removeEntity(world, eid)
    complainOfCapacity(state, eid)
    return
  }
  writeDefaults(info, eid)
  const object: ClientObject = {
    eid,
    doId,
    clientClass,
    group,
    slot,
    seenTick: tick,
    owner: 0,
    isOwned: false,
    isAlive: false,
    row: new Uint32Array(group.layout.width),
    orphanedAt: undefined,
    hasMoved: false,
    track: undefined,
    trackSlot: 0,
    delay: 0,
    acknowledged: clientClass.upload && new Uint32Array(clientClass.upload.words.length),
    acknowledgedSequence: -1,
    ownerEpoch: 0,
    sentValues: new Map(),
    targets: new Map(),
    complaint: '',
    valueComplaint: '',
  }
  session.objects.set(doId, object)
  session.byEid.set(eid, object)
  session.isPopulationChanged = true
  const rows = newestFrame(group.history)!.rows
  const at = slot * group.layout.width
  object.row.set(rows.subarray(at, at + group.layout.width))
  object.owner = object.row[OWNER]!
  object.isOwned = object.owner !== 0 && object.owner === session.welcome!.clientId
  writeAll(state, clientClass.interested, object)
  const place = session.ownerPlaces.get(doId)
  if (place) writeOwnerRow(state, session, object, place.group, place.slot, true)
  if (object.isOwned) rememberAcknowledged(session, object)
  schema.DistributedObject.doId[eid] = doId
  schema.DistributedObject.zone[eid] = zoneOf(session, group, doId)
  schema.DistributedObject.owner[eid] = object.owner
  if (object.isOwned) addComponent(world, eid, Owned)
  for (const component of [schema.DistributedObject, ...componentsOf(info), Generated])
    addComponent(world, eid, component)
  renewValues(session, doId)
}

const writeAll = (state: ClientState, binding: Binding, object: ClientObject): void => {
  for (let index = 0; index < binding.layout.words.length; index++)
    writeWord(state, object, binding, index, object.row, 0)
}

/** What the server knows of the owner-written numbers: only what differs from it goes up. */
const rememberAcknowledged = (session: ClientSession, object: ClientObject): void => {
  const { upload, interested } = object.clientClass
  upload?.words.forEach(({ layout, index }, at) => {
    if (layout === interested.layout) object.acknowledged![at] = object.row[index + FIXED_WORDS]!
    else {
      const place = session.ownerPlaces.get(object.doId)
      const frame = place && newestFrame(place.group.history)
      object.acknowledged![at] = frame
        ? frame.rows[place.slot * layout.width + FIXED_WORDS + index]!
        : layout.defaults[FIXED_WORDS + index]!
    }
  })
}

/** Every value field as the server told it last is to be written again. */
const renewValues = (session: ClientSession, doId: number): void => {
  for (const values of [session.replica.values.interested.get(doId), session.replica.values.owner.get(doId)])
    values?.packed.forEach((_, index) => values.dirty.add(index))
  session.replica.dirtyValues.add(doId)
}

const setOwner = (state: ClientState, session: ClientSession, object: ClientObject, owner: number): void => {
  const { world, schema } = state
  const wasOwned = object.isOwned
  object.owner = owner
  object.isOwned = owner !== 0 && owner === session.welcome!.clientId
  schema.DistributedObject.owner[object.eid] = owner
  if (object.isOwned === wasOwned) return
  showSlot(object)
  if (!object.isOwned) {
    removeComponent(world, object.eid, Owned)
    renewValues(session, object.doId)
    return
  }
  // From here on the game writes these columns: it starts from the server's newest values, not from shown ones.
  writeAll(state, object.clientClass.interested, object)
  rememberAcknowledged(session, object)
  addComponent(world, object.eid, Owned)
}

const updateObject = (
  state: ClientState,
  session: ClientSession,
  object: ClientObject,
  rows: Uint32Array,
  at: number,
): void => {
  const { interested, isInterpolated, isOwnerWritten } = object.clientClass
  const { width } = interested.layout
  const owner = rows[at + OWNER]!
  const { words } = interested.layout
  const ownerWritten = isOwnerWritten.get(interested)!
  const isOverruled = object.isOwned && rows[at + EPOCH] !== object.row[EPOCH]
  for (let index = 0; index < words.length; index++) {
    const isChanged = isNumberChanged(interested.layout, index, object.row, 0, rows, at)
    const isKept = object.isOwned ? ownerWritten[index] && !isOverruled : isInterpolated[index] || !isChanged
    if (isKept || (!isChanged && !isOverruled)) continue
    writeWord(state, object, interested, index, rows, at)
  }
  object.row.set(rows.subarray(at, at + width))
  if (isOverruled) rememberAcknowledged(session, object)
  if (owner !== object.owner) setOwner(state, session, object, owner)
}

const writeOwnerRow = (
  state: ClientState,
  session: ClientSession,
  object: ClientObject,
  group: ReplicaGroup,
  slot: number,
  isNew: boolean,
): void => {
  const binding = object.clientClass.owner
  const frame = newestFrame(group.history)
  if (!binding || !frame || binding.layout.dclass !== group.layout.dclass) return
  const ownerWritten = object.clientClass.isOwnerWritten.get(binding)!
  const epoch = frame.rows[slot * group.layout.width + EPOCH]!
  const isOverruled = isNew || epoch !== object.ownerEpoch
  object.ownerEpoch = epoch
  for (let index = 0; index < binding.layout.words.length; index++)
    if (isOverruled || !object.isOwned || !ownerWritten[index])
      writeWord(state, object, binding, index, frame.rows, slot * group.layout.width)
  if (isOverruled && object.isOwned) rememberAcknowledged(session, object)
}

const releaseObjects = (state: ClientState, session: ClientSession, group: ReplicaGroup): void => {
  const frame = newestFrame(group.history)!
  for (let slot = 0; slot < group.layout.slots; slot++) {
    const doId = group.appliedIds[slot]!
    group.appliedIds[slot] = frame.ids[slot]!
    if (doId === 0 || doId === frame.ids[slot]) continue
    if (group.layout.audience === 'owner') {
      if (session.ownerPlaces.get(doId)?.group === group) session.ownerPlaces.delete(doId)
      continue
    }
    const object = session.objects.get(doId)
    if (!object || object.group !== group || (object.slot !== slot && frame.ids[object.slot] === doId)) continue
    if (mayComeBack(session, group, object)) object.orphanedAt ??= session.replica.newestTick
    else removeObject(state, session, object)
  }
  group.movedTo.clear()
  group.isDirty = false
}

/** Whether an object that is not in its group any more may still show up in another one. */
const mayComeBack = (session: ClientSession, group: ReplicaGroup, object: ClientObject): boolean => {
  const { doId } = object
  const told = toldOf(session, object)
  if (told) return !told.isGone
  // Of what came after the baseline and has left again, segments say nothing: it moves about, or came to go.
  // An owner sees its object wherever it goes, and may not have heard where yet: what it wrote must not be lost.
  if (!group.movedTo.has(doId)) return object.hasMoved || object.isOwned
  const zone = group.movedTo.get(doId)
  return (
    zone !== undefined &&
    (group.isExclusive || object.isOwned || zone === group.zone || session.replica.zones.has(zone))
  )
}

/** What the server said by itself of where an object went, since it was seen last. */
const toldOf = (session: ClientSession, object: ClientObject) => {
  const told = session.replica.gone.get(object.doId)
  return told && ticksSince(object.seenTick, told.tick) < 0 ? told : undefined
}

const removeObject = (state: ClientState, session: ClientSession, object: ClientObject): void => {
  session.objects.delete(object.doId)
  session.byEid.delete(object.eid)
  session.isPopulationChanged = true
  leaveTrack(object)
  if (entityExists(state.world, object.eid)) removeEntity(state.world, object.eid)
  state.schema.DistributedObject.doId[object.eid] = 0
}

const dropGroup = (state: ClientState, session: ClientSession, group: ReplicaGroup): void => {
  for (const object of session.objects.values()) {
    if (object.group !== group) continue
    if (toldOf(session, object)?.isGone === false) object.orphanedAt ??= session.replica.newestTick
    else removeObject(state, session, object)
  }
}

/** Objects with their own rule of who sees them: some are not ours any more, some changed their zone. */
const applyExceptions = (state: ClientState, session: ClientSession): void => {
  const { gone, placed, newestTick } = session.replica
  for (const [doId, { tick, isGone: isOver }] of gone) {
    const object = session.objects.get(doId)
    if (object && isGone(session, object.group)) {
      if (isOver) removeObject(state, session, object)
      else object.orphanedAt ??= newestTick
    } else if (object && toldOf(session, object)) {
      if (object.orphanedAt !== undefined && isOver) removeObject(state, session, object)
      else if (ticksSince(newestTick, tick) < 4 * ORPHAN_TICKS) continue
    }
    gone.delete(doId)
  }
  if (!session.replica.isPlacedNew) return
  session.replica.isPlacedNew = false
  for (const doId of placed.keys()) {
    const object = session.objects.get(doId)
    if (object) state.schema.DistributedObject.zone[object.eid] = zoneOf(session, object.group, doId)
  }
}

const removeOrphans = (state: ClientState, session: ClientSession): void => {
  for (const object of session.objects.values())
    if (object.orphanedAt !== undefined && ticksSince(session.replica.newestTick, object.orphanedAt) > ORPHAN_TICKS)
      removeObject(state, session, object)
}

const applyValues = (state: ClientState, session: ClientSession): void => {
  const { replica } = session
  for (const doId of replica.dirtyValues) {
    const object = session.objects.get(doId)
    if (!object) continue
    replica.dirtyValues.delete(doId)
    for (const binding of [object.clientClass.interested, object.clientClass.owner])
      if (binding) applyValueFields(state, session, object, binding)
    const { values } = object.clientClass.interested.layout
    const packed = replica.values.interested.get(doId)?.packed
    if (object.isAlive || !values.every((_, index) => packed?.[index] !== undefined)) continue
    object.isAlive = true
    addComponent(state.world, object.eid, Alive)
  }
}

/** Whether the game wrote an owner-written value field since the server's value went into it. */
const isChanged = (state: ClientState, object: ClientObject, field: DCParameterField, packed: Uint8Array): boolean => {
  const value = (object.clientClass.info.columns.get(field) as unknown[])[object.eid]
  return !isSameBytes(tryPackValue(field, value, state.links), packed)
}

const applyValueFields = (state: ClientState, session: ClientSession, object: ClientObject, binding: Binding): void => {
  const { layout } = binding
  const values = session.replica.values[layout.audience].get(object.doId)
  if (!values) return
  for (const index of values.dirty) {
    const field = layout.values[index]
    const packed = values.packed[index]!
    const epoch = values.epochs[index]!
    if (!field) continue
    if (object.clientClass.ownerValues.includes(field)) {
      // The owner's own fields are the owner's, and the server's echo would undo newer changes: unless it overrules.
      const sent = object.sentValues.get(field)
      if (object.isOwned && sent?.epoch === epoch && (sent.isOurs || isChanged(state, object, field, sent.packed)))
        continue
      object.sentValues.set(field, { packed, epoch, isOurs: false })
    }
    const value = unpackHere(field, packed, state.links)
    if (!value.ok) {
      state.stats.malformed++
      continue
    }
    writeColumns(object.clientClass.info.columns.get(field)!, object.eid, value.value)
    // What names objects that are not here would not pack back: that is no change by the game.
    const sent = object.sentValues.get(field)
    if (sent && hasReferences(field)) sent.packed = tryPackValue(field, value.value, state.links) ?? packed
  }
  values.dirty.clear()
}

const deliverMessages = (state: ClientState, session: ClientSession): void => {
  if (session.messages.length === 0) return
  const now = state.now()
  // Handlers may cause new messages to be queued: these wait for the next call.
  const messages = session.messages.splice(0)
  const held = new Set<number>()
  const kept: WaitingMessage[] = []
  for (const message of messages) {
    const object = session.objects.get(message.doId)
    // An object that is here and not whole yet, or may still come with the zones we asked for, is waited for.
    const isComing = object !== undefined || session.interest.size > 0 || now - message.time < MESSAGE_PATIENCE
    if (object?.isAlive && !held.has(message.doId)) deliverMessage(state, object, message)
    else if (isComing) {
      held.add(message.doId)
      kept.push(message)
    } else state.stats.orphanedMessages++
  }
  session.messages.unshift(...kept)
}

const deliverMessage = (state: ClientState, object: ClientObject, message: WaitingMessage): void => {
  const field = state.schema.file.fieldByNumber(message.field)
  const isOfClass = field !== undefined && object.clientClass.info.dclass.inherited.includes(field)
  const args = isOfClass && field.kind !== 'parameter' ? unpackHere(field, message.packed, state.links) : undefined
  if (!isOfClass || field.kind === 'parameter' || !args?.ok) {
    state.stats.malformed++
    return
  }
  for (const handler of state.handlers.get(field) ?? []) {
    try {
      const result = handler(object.eid, args.value)
      if (result instanceof Promise) result.catch((error: unknown) => state.onError(error, nameOf(field)))
    } catch (error) {
      state.onError(error, nameOf(field))
    }
  }
}

const measure = (state: ClientState, session: ClientSession): void => {
  const { stats } = state
  stats.rtt = session.peer.rtt
  stats.loss = session.peer.loss
  measurePing(session.pings, session.peer, stats, state.now())
  stats.objects = session.objects.size
  stats.zones = session.replica.zones.size
  stats.undecodable = session.replica.undecodable
  stats.desyncs = session.replica.desyncs
  measureTraffic(stats, state.trafficWindow, state.now())
}
