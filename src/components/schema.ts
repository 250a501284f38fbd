import {
  initialValue,
  type DCAtomicField,
  type DCClass,
  type DCFile,
  type DCMolecularField,
  type DCParameterField,
} from '../dc/index.ts'
import { createColumns, writeColumns, type FieldColumns } from './columns.ts'

const $dclass = Symbol.for('bitecs-pipes.dclass')

/** What the library knows of a dclass component. */
export interface DClassInfo {
  readonly dclass: DCClass
  /** The tag component itself. */
  readonly component: DClass
  /** Base classes, nearest first, each once. */
  readonly ancestors: readonly DClassInfo[]
  /** Columns by parameter field, inherited ones included. */
  readonly columns: ReadonlyMap<DCParameterField, FieldColumns>
}

/** A dclass as a bitECS component: a tag whose properties are its fields. */
export interface DClass {
  readonly [$dclass]: DClassInfo
}

/** An atomic (or molecular) field: a message with named arguments. */
export interface Message<Args = Record<string, unknown>> {
  readonly field: DCAtomicField | DCMolecularField
  /** Carries the type only. */
  readonly args?: Args
}

/** Columns that every distributed object has `[capacity]`. */
export interface DistributedObjectColumns {
  /** Network id; 0 while the entity is none. */
  readonly doId: Uint32Array
  readonly zone: Uint32Array
  /** Client id of the owner; 0 for the server. */
  readonly owner: Uint16Array
}

/** A `.dc` file as bitECS components: one set of columns, for the worlds that share an entity index. */
export interface Schema<Classes = Record<string, DClass>> {
  readonly file: DCFile
  /** Panda3D's hash of the file; both ends of a session must have the same. */
  readonly hash: number
  /** Entity ids must stay below this. */
  readonly capacity: number
  /** The dclasses by name. */
  readonly dclasses: Classes
  readonly DistributedObject: DistributedObjectColumns
}

export interface SchemaOptions {
  /** Entity ids must stay below this: the length of every column. Default 10,000. */
  readonly capacity?: number
}

/** The dclasses of a schema that TypeScript knows nothing of, such as one of `createSchema`: any name is one, without a `!`. */
export type AnyClasses = Record<string, any>

const DEFAULT_CAPACITY = 10_000

/** The names that bitECS itself looks for in whatever is given to `addComponent`. */
const RESERVED = ['component']

const ancestorsOf = (dclass: DCClass, infos: Map<DCClass, DClassInfo>): DClassInfo[] => {
  const found = new Set<DClassInfo>()
  for (const parent of dclass.parents) {
    const info = infos.get(parent)
    if (info) found.add(info)
    for (const ancestor of info?.ancestors ?? []) found.add(ancestor)
  }
  return [...found]
}

/**
 * Makes the components of a DC file that was read: one tag per dclass, typed arrays per parameter field, shared between
 * a class and those that inherit it.
 */
export const schemaOf = <Classes = AnyClasses>(file: DCFile, options: SchemaOptions = {}): Schema<Classes> => {
  const { capacity = DEFAULT_CAPACITY } = options
  if (!Number.isInteger(capacity) || capacity < 1)
    throw new RangeError(`capacity is ${capacity}: give the number of entity ids to make room for, such as 10000.`)
  const all = new Map<DCParameterField, FieldColumns>()
  const messages = new Map<DCAtomicField | DCMolecularField, Message>()
  const infos = new Map<DCClass, DClassInfo>()
  for (const dclass of file.classes) {
    if (dclass.isStruct) continue
    const component: Record<string | symbol, unknown> = {}
    const columns = new Map<DCParameterField, FieldColumns>()
    for (const field of dclass.inherited) {
      if (RESERVED.includes(field.name))
        throw new Error(
          `${dclass.name}.${field.name}: bitECS gives "${field.name}" a meaning of its own; rename the field.`,
        )
      if (field.kind === 'parameter') {
        let own = all.get(field)
        if (!own) all.set(field, (own = createColumns(field, capacity)))
        columns.set(field, own)
        component[field.name] = own
      } else {
        let message = messages.get(field)
        if (!message) messages.set(field, (message = { field }))
        component[field.name] = message
      }
    }
    const info: DClassInfo = {
      dclass,
      component: component as unknown as DClass,
      ancestors: ancestorsOf(dclass, infos),
      columns,
    }
    Object.defineProperty(component, $dclass, { value: info })
    infos.set(dclass, info)
  }
  const dclasses = Object.fromEntries([...infos.values()].map(info => [info.dclass.name, info.component])) as Classes
  const DistributedObject = {
    doId: new Uint32Array(capacity),
    zone: new Uint32Array(capacity),
    owner: new Uint16Array(capacity),
  }
  return { file, hash: file.hash, capacity, dclasses, DistributedObject }
}

/** What the library knows of a dclass component. Throws when it is something else. */
export const infoOf = (component: DClass): DClassInfo => {
  const info = component[$dclass] as DClassInfo | undefined
  if (!info) throw new TypeError('Not a dclass: pass a component from the schema, such as Avatar.')
  return info
}

/** The classes of a schema in file order. */
export const infosOf = (schema: Schema<any>): DClassInfo[] =>
  Object.values(schema.dclasses as Record<string, DClass>).map(infoOf)

/** Every component that an object of the class has: its tag, its base classes' tags, each field's columns. */
export const componentsOf = (info: DClassInfo): unknown[] => [
  info.component,
  ...info.ancestors.map(ancestor => ancestor.component),
  ...info.columns.values(),
]

/**
 * Puts the DC defaults into an entity's columns, over what a predecessor of the same id left there; of an entity that the
 * game has filled already (`isNew` false) only where there is no value at all.
 */
export const writeDefaults = (info: DClassInfo, eid: number, isNew = true): void => {
  for (const [field, columns] of info.columns)
    if (isNew || (Array.isArray(columns) && columns[eid] === undefined)) writeColumns(columns, eid, initialValue(field))
}

/** Throws when an entity id does not fit the columns. */
export const checkCapacity = (schema: Schema<any>, eid: number): void => {
  if (eid >= schema.capacity)
    throw new RangeError(
      `Entity ${eid} is beyond the schema's capacity of ${schema.capacity} ids: ` +
        'pass a larger `capacity` to createSchema (or to the vite plugin pipes()).',
    )
}

/** Throws when a system is run on another world than the one it was made for. */
export const checkWorld = (own: object, given: object | undefined, where: string): void => {
  if (given !== own)
    throw new TypeError(`${where}(world): this is not the world that it was created with: give it that one.`)
}
