import { writeColumns } from '../components/index.ts'
import { FIXED_WORDS } from '../net/layout.ts'
import type { ClientObject, ClientSession, ClientState, Target } from './client-state.ts'
import { unpackHere } from './links.ts'
import { readWordOf, writeColumn, type Binding } from './rows.ts'

/*
 * A column that holds an entity stands for a network id. The entity may not be here yet, or not any more: then the column
 * is 0, and what it stands for is remembered.
 */

/** Writes word `index` of a row into an object's column. */
export const writeWord = (
  state: ClientState,
  object: ClientObject,
  binding: Binding,
  index: number,
  rows: Uint32Array,
  at: number,
): void => {
  if (!binding.layout.words[index]!.isReference) {
    writeColumn(binding, index, object.eid, rows, at)
    return
  }
  const column = binding.columns[index]!
  const doId = rows[at + FIXED_WORDS + index]!
  const target = { doId, eid: state.links.entityOf(doId) }
  object.targets.set(column, target)
  column[object.eid] = target.eid
}

/** Brings a target up to what the game wrote into its column, if it did. */
const heed = (state: ClientState, target: Target, now: number): void => {
  if (now === target.eid) return
  target.doId = state.links.doIdOf(now)
  target.eid = now
}

/** The word of an object as its column has it now: of one that names an object that is not here, still its network id. */
export const readWord = (state: ClientState, object: ClientObject, binding: Binding, index: number): number => {
  const column = binding.columns[index]!
  const target = binding.layout.words[index]!.isReference ? object.targets.get(column) : undefined
  if (!target) return readWordOf(binding, index, object.eid)
  heed(state, target, (column as Uint32Array)[object.eid]!)
  return target.doId
}

/** After objects came or went: columns name those that are here, and lists are unpacked again. */
export const renewReferences = (state: ClientState, session: ClientSession): void => {
  if (!session.isPopulationChanged) return
  session.isPopulationChanged = false
  for (const object of session.objects.values()) {
    renewTargets(state, object)
    renewLists(session, object)
  }
  // What those name may go too, and bitECS gives its id to others.
  for (const object of session.disabled.values()) {
    renewTargets(state, object)
    for (const { field, packed } of object.lists) {
      const value = unpackHere(field, packed, state.links)
      if (value.ok) writeColumns(object.clientClass.info.columns.get(field)!, object.eid, value.value)
    }
  }
}

const renewTargets = (state: ClientState, { eid, targets }: ClientObject): void => {
  for (const [column, target] of targets) {
    heed(state, target, (column as Uint32Array)[eid]!)
    target.eid = state.links.entityOf(target.doId)
    column[eid] = target.eid
  }
}

/** Keeps the packed value fields with entities in them of an object that is about to be disabled. */
export const keepLists = (session: ClientSession, object: ClientObject): void => {
  const { referenceValues, interested, owner } = object.clientClass
  object.lists = referenceValues.flatMap(field => {
    const { layout } = interested.layout.values.includes(field) ? interested : owner!
    const packed = session.replica.values[layout.audience].get(object.doId)?.packed[layout.values.indexOf(field)]
    return packed ? [{ field, packed }] : []
  })
}

/** Value fields with entities in them are unpacked again from what the server told last. */
const renewLists = (session: ClientSession, object: ClientObject): void => {
  const { referenceValues, interested, owner } = object.clientClass
  if (referenceValues.length === 0) return
  for (const binding of [interested, owner]) {
    const values = binding && session.replica.values[binding.layout.audience].get(object.doId)
    binding?.layout.values.forEach((field, index) => {
      if (referenceValues.includes(field) && values?.packed[index]) values.dirty.add(index)
    })
  }
  session.replica.dirtyValues.add(object.doId)
}
