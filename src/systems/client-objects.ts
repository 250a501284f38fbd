import { componentsOf, Owned, writeDefaults } from '../components/index.ts'
import { newestFrame } from '../net/frames.ts'
import { EPOCH, FIXED_WORDS, OWNER } from '../net/layout.ts'
import type { ReplicaGroup } from '../net/replica.ts'
import { ticksSince } from '../net/ticks.ts'
import { disable, enter, give, giveUp, makeEntity } from './client-lifecycle.ts'
import { writeWord } from './client-references.ts'
import type { ClientClass, ClientObject, ClientSession, ClientState } from './client-state.ts'
import { begin } from './lifecycle.ts'
import { isNumberChanged, type Binding } from './rows.ts'
import { recordFrames, showSlot } from './track.ts'

/** Brings the objects that are in a group's newest frame into the world, and up to date. */
export const claimObjects = (state: ClientState, session: ClientSession, group: ReplicaGroup): void => {
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
      disable(state, session, object, true)
      object = undefined
    }
    if (!object) generate(state, session, group, slot, doId, frame.tick)
    else if (
      object.group === group ||
      isDropped(session, object.group) ||
      ticksSince(frame.tick, object.seenTick) > 0
    ) {
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
export const zoneOf = (session: ClientSession, group: ReplicaGroup, doId: number): number => {
  const placed = group.isExclusive ? session.replica.placed.get(doId) : undefined
  return placed && ticksSince(placed.tick, group.zoneTick) >= 0 ? placed.zone : group.zone
}

/** Whether a group was dropped, so that another may show the object in the same tick. */
export const isDropped = (session: ClientSession, group: ReplicaGroup): boolean =>
  session.replica.groups.get(group.id) !== group

const createObject = (
  eid: number,
  doId: number,
  clientClass: ClientClass,
  group: ReplicaGroup,
  slot: number,
  tick: number,
  newestTick: number,
): ClientObject => ({
  eid,
  doId,
  clientClass,
  state: 'fresh',
  bornTick: tick,
  cameTick: newestTick,
  sinceTick: undefined,
  disabledAt: -Infinity,
  lists: [],
  group,
  slot,
  seenTick: tick,
  owner: 0,
  isOwned: false,
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
})

/** The object of a doId that is new here. One that is disabled takes up its entity again; nothing else of it counts any more. */
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
  const former = session.disabled.get(doId)
  const isBack = former?.clientClass === clientClass
  if (former && !isBack) giveUp(state, session, former)
  const eid = isBack ? former.eid : makeEntity(state, session)
  if (eid === undefined) return
  const object = createObject(eid, doId, clientClass, group, slot, tick, session.replica.newestTick)
  if (isBack) {
    session.disabled.delete(doId)
    object.state = former.state
    object.sinceTick = former.sinceTick
    object.delay = former.delay
  } else writeDefaults(info, eid)
  session.objects.set(doId, object)
  session.byEid.set(eid, object)
  session.unfinished.add(object)
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
  const isHere = (component: unknown): boolean => give(state, object, component as object)
  const tell = (error: unknown): void => state.onError(error, 'receive')
  // An observer may remove the entity.
  if (!isBack && !(isHere(schema.DistributedObject) && begin(world, object, tell))) return
  if (object.isOwned && !isHere(Owned)) return
  if (!isBack && !componentsOf(info).every(isHere)) return
  enter(state, object, 'generated')
  renewValues(session, object, true)
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

/** Every value field as the server told it last is to be written again; a new entity is told the kept messages, too. */
const renewValues = ({ replica }: ClientSession, { doId, clientClass }: ClientObject, isNew: boolean): void => {
  for (const audience of ['interested', 'owner'] as const) {
    const values = replica.values[audience].get(doId)
    const count = clientClass[audience]?.layout.values.length ?? 0
    values?.packed.forEach((_, index) => (isNew || index < count) && values.dirty.add(index))
  }
  replica.dirtyValues.add(doId)
}

const setOwner = (state: ClientState, session: ClientSession, object: ClientObject, owner: number): void => {
  const { schema } = state
  const wasOwned = object.isOwned
  object.owner = owner
  object.isOwned = owner !== 0 && owner === session.welcome!.clientId
  schema.DistributedObject.owner[object.eid] = owner
  if (object.isOwned === wasOwned) return
  showSlot(object)
  if (!object.isOwned) {
    give(state, object, Owned, false)
    renewValues(session, object, false)
    return
  }
  // From here on the game writes these columns: it starts from the server's newest values, not from shown ones.
  writeAll(state, object.clientClass.interested, object)
  rememberAcknowledged(session, object)
  give(state, object, Owned)
  // What is kept for the owner alone may have come before.
  session.replica.dirtyValues.add(object.doId)
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
