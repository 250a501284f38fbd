import { addComponent, hasComponent, observe, onAdd, onRemove, onSet, query } from 'bitecs'
import {
  checkCapacity,
  componentsOf,
  infosOf,
  writeColumns,
  writeDefaults,
  type DClassInfo,
  type NumberColumn,
} from '../components/index.ts'
import { FIXED_WORDS, type Layout, type Word } from '../net/layout.ts'
import type { ValueSet } from '../net/values.ts'
import { keepMessages } from './kept-messages.ts'
import { begin, letGo } from './lifecycle.ts'
import { clearReferences } from './references.ts'
import { bindLayout, isSecondHalf, type Binding } from './rows.ts'
import { isSimple, shadowOf, type Watch } from './scan.ts'
import { touch, type ServerClass, type ServerObject, type ServerState } from './server-state.ts'
import { planUpload } from './upload.ts'

/** Prepares every dclass of the schema, and makes entities that get or lose one distributed objects. */
export const watchObjects = (state: ServerState): (() => void) => {
  const { world } = state
  const shadows = new Map<NumberColumn, NumberColumn>()
  const watch = (column: NumberColumn, word?: Word, at = 0, isOwners = false): Watch => {
    let shadow = shadows.get(column)
    if (!shadow) shadows.set(column, (shadow = shadowOf(column)))
    return { column, shadow, word: word && isSimple(word) ? word : undefined, at, isOwners }
  }
  const watchBinding = ({ layout, columns }: Binding, isOwners: boolean): Watch[] =>
    columns.flatMap((column, index) =>
      isSecondHalf(layout.words[index]!) ? [] : watch(column, layout.words[index]!, index + FIXED_WORDS, isOwners),
    )
  const stops = infosOf(state.schema).flatMap(info => {
    const layouts = state.store.layouts[info.dclass.number]!
    const interested = bindLayout(layouts.interested, info, state.links)
    const owner = layouts.owner && bindLayout(layouts.owner, info, state.links)
    const { DistributedObject } = state.schema
    const serverClass: ServerClass = {
      info,
      interested,
      owner,
      upload: planUpload(layouts),
      objects: [],
      eids: new Uint32Array(16),
      touched: new Uint8Array(16),
      steady: [],
      steadySlots: new Uint8Array(16),
      rows: new Uint32Array(16 * interested.layout.width),
      width: interested.layout.width,
      ownerRows: new Uint32Array(16 * (owner?.layout.width ?? 0)),
      ownerWidth: owner?.layout.width ?? 0,
      watched: [
        watch(DistributedObject.zone),
        watch(DistributedObject.owner),
        ...watchBinding(interested, false),
        ...(owner ? watchBinding(owner, true) : []),
      ],
      texts: [interested, owner].flatMap(
        binding =>
          binding?.layout.values.map(field => ({ column: info.columns.get(field) as unknown[], shadow: [] })) ?? [],
      ),
    }
    state.serverClasses.push(serverClass)
    for (const eid of query(world, [info.component])) addObject(state, eid, serverClass, false)
    return [
      observe(world, onAdd(info.component), eid => addObject(state, eid, serverClass, true)),
      observe(world, onRemove(info.component), eid => removeObject(state, eid, info)),
      observe(world, onSet(info.component), (eid: number, data: Record<string, unknown>) => setFields(info, eid, data)),
    ]
  })
  return () => stops.forEach(stop => stop())
}

const isA = (info: DClassInfo, other: DClassInfo): boolean => info === other || info.ancestors.includes(other)

const valueSet = (state: ServerState, eid: number, doId: number, layout: Layout): ValueSet => {
  const packed: Uint8Array[] = []
  const kept = keepMessages(state, eid, layout, packed)
  return { doId, layout, packed, fromOwner: [], epochs: [], zone: undefined, isAlive: true, kept }
}

const addObject = (state: ServerState, eid: number, serverClass: ServerClass, isNew: boolean): void => {
  const { world, schema } = state
  const known = state.objects.get(eid)
  // A base class that we add ourselves, below.
  if (known && isA(known.serverClass.info, serverClass.info)) return
  if (known)
    throw new Error(
      `Entity ${eid} is a ${known.serverClass.info.dclass.name} already and cannot become a ` +
        `${serverClass.info.dclass.name} too: add only the most derived dclass, its bases come with it.`,
    )
  checkCapacity(schema, eid)
  const { info } = serverClass
  writeDefaults(info, eid, isNew)
  const object: ServerObject = {
    eid,
    doId: state.nextDoId++,
    serverClass,
    state: 'fresh',
    index: 0,
    visibility: undefined,
    rule: undefined,
    placedBy: undefined,
    zone: 0,
    owner: 0,
    past: [],
    hiddenAt: -Infinity,
    place: undefined,
    movedAt: 0,
    hasMoved: false,
    rezonedAt: -1,
    ownerPlace: undefined,
    values: valueSet(state, eid, state.nextDoId - 1, serverClass.interested.layout),
    ownerValues: serverClass.owner && valueSet(state, eid, state.nextDoId - 1, serverClass.owner.layout),
    packedFrom: [],
    ownerPackedFrom: [],
    uploadSequence: -1,
    complaint: '',
    epoch: 0,
    expected: serverClass.upload && new Uint32Array(serverClass.upload.words.length),
  }
  schema.DistributedObject.doId[eid] = object.doId
  schema.DistributedObject.zone[eid] = 0
  schema.DistributedObject.owner[eid] = 0
  enlist(object)
  state.objects.set(eid, object)
  state.byDoId.set(object.doId, object)
  state.appeared.add(eid)
  for (const component of [schema.DistributedObject, ...componentsOf(info)])
    if (!hasComponent(world, eid, component)) addComponent(world, eid, component)
  begin(world, object, error => state.onError(error, 'lifecycle'))
}

const enlist = (object: ServerObject): void => {
  const { serverClass } = object
  object.index = serverClass.objects.push(object) - 1
  serverClass.steady.push(undefined)
  if (object.index >= serverClass.eids.length) {
    const twice = <A extends Uint32Array | Uint8Array>(array: A): A => {
      const grown = new (array.constructor as new (length: number) => A)(array.length * 2)
      grown.set(array)
      return grown
    }
    serverClass.eids = twice(serverClass.eids)
    serverClass.touched = twice(serverClass.touched)
    serverClass.steadySlots = twice(serverClass.steadySlots)
    serverClass.rows = twice(serverClass.rows)
    serverClass.ownerRows = twice(serverClass.ownerRows)
  }
  serverClass.eids[object.index] = object.eid
  serverClass.rows.set(serverClass.interested.layout.defaults, object.index * serverClass.width)
  if (serverClass.owner)
    serverClass.ownerRows.set(serverClass.owner.layout.defaults, object.index * serverClass.ownerWidth)
  touch(object)
}

/** The last one takes its place. */
const delist = ({ serverClass, index }: ServerObject): void => {
  const { objects, eids, touched, steady, steadySlots, rows, width, ownerRows, ownerWidth } = serverClass
  const last = objects.pop()!
  const lastGroup = steady.pop()
  if (last.index === index) return
  objects[index] = last
  eids[index] = last.eid
  touched[index] = touched[last.index]!
  steady[index] = lastGroup
  steadySlots[index] = steadySlots[last.index]!
  rows.copyWithin(index * width, last.index * width, (last.index + 1) * width)
  ownerRows.copyWithin(index * ownerWidth, last.index * ownerWidth, (last.index + 1) * ownerWidth)
  last.index = index
}

const removeObject = (state: ServerState, eid: number, info: DClassInfo): void => {
  const object = state.objects.get(eid)
  if (!object || object.serverClass.info !== info) return
  state.objects.delete(eid)
  state.byDoId.delete(object.doId)
  delist(object)
  letGo(object)
  state.removed.push(object)
  state.schema.DistributedObject.doId[eid] = 0
  state.appeared.delete(eid)
  clearReferences(state, eid)
}

/** `set(Avatar, { name: 'Ada', position: { x: 1 } })`. bitECS also comes here for a field that is named `data`. */
const setFields = (info: DClassInfo, eid: number, data: Record<string, unknown>): void => {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data) || Array.isArray(data)) return
  for (const [field, columns] of info.columns) if (field.name in data) writeColumns(columns, eid, data[field.name])
}
