import { addComponent, hasComponent, observe, onAdd, onRemove, onSet, query } from 'bitecs'
import {
  checkCapacity,
  componentsOf,
  infosOf,
  writeColumns,
  writeDefaults,
  type DClassInfo,
} from '../components/index.ts'
import type { Layout } from '../net/layout.ts'
import type { ValueSet } from '../net/values.ts'
import { bindLayout } from './rows.ts'
import type { ServerClass, ServerObject, ServerState } from './server-state.ts'
import { planUpload } from './upload.ts'

/** Prepares every dclass of the schema, and makes entities that get or lose one distributed objects. */
export const watchObjects = (state: ServerState): (() => void) => {
  const { world } = state
  const stops = infosOf(state.schema).flatMap(info => {
    const layouts = state.store.layouts[info.dclass.number]!
    const serverClass: ServerClass = {
      info,
      interested: bindLayout(layouts.interested, info),
      owner: layouts.owner && bindLayout(layouts.owner, info),
      upload: planUpload(layouts),
    }
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

const valueSet = (doId: number, layout: Layout): ValueSet => ({
  doId,
  layout,
  packed: [],
  fromOwner: [],
  epochs: [],
  zone: undefined,
  isAlive: true,
})

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
    zone: 0,
    owner: 0,
    formerOwner: 0,
    place: undefined,
    ownerPlace: undefined,
    values: valueSet(state.nextDoId - 1, serverClass.interested.layout),
    ownerValues: serverClass.owner && valueSet(state.nextDoId - 1, serverClass.owner.layout),
    row: serverClass.interested.layout.defaults.slice(),
    ownerRow: serverClass.owner?.layout.defaults.slice(),
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
  state.objects.set(eid, object)
  state.byDoId.set(object.doId, object)
  for (const component of [schema.DistributedObject, ...componentsOf(info)])
    if (!hasComponent(world, eid, component)) addComponent(world, eid, component)
}

const removeObject = (state: ServerState, eid: number, info: DClassInfo): void => {
  const object = state.objects.get(eid)
  if (!object || object.serverClass.info !== info) return
  state.objects.delete(eid)
  state.byDoId.delete(object.doId)
  state.removed.push(object)
  state.schema.DistributedObject.doId[eid] = 0
}

/** `set(Avatar, { name: 'Ada', position: { x: 1 } })`. bitECS also comes here for a field that is named `data`. */
const setFields = (info: DClassInfo, eid: number, data: Record<string, unknown>): void => {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data) || Array.isArray(data)) return
  for (const [field, columns] of info.columns) if (field.name in data) writeColumns(columns, eid, data[field.name])
}
