import { addComponent, addEntity } from 'bitecs'
import {
  columnAt,
  createSchema,
  infosOf,
  schemaOf,
  writeColumns,
  type DClassInfo,
  type FieldColumns,
  type Schema,
} from '../components/index.ts'
import {
  encodeQuaternion,
  mapReferences,
  packField,
  unpackField,
  type DCAtomicField,
  type DCField,
  type DCMolecularField,
  type DCParameterField,
} from '../dc/index.ts'
import { bitWriter, writeBits, writtenBytes } from '../net/bits.ts'
import { FIXED_WORDS, layoutsOf, wordOf, type Layout, type Word } from '../net/layout.ts'
import { MAX_UNRELIABLE } from '../net/message.ts'
import type { ServerOptions } from '../server.ts'
import { createDice, type Dice } from './dice.ts'
import type { ServerSide } from './game.ts'
import { createImpostor, type Impostor } from './impostor.ts'
import { hasValues, randomValue } from './random-value.ts'
import { createWorlds, type Guest, type Worlds } from './worlds.ts'

/**
 * What a client is to an object: its owner; one that sees it; one that is signed in and does not see it; or a connection that has not
 * signed in.
 */
export type Relation = 'owner' | 'interested' | 'stranger' | 'unverified'

/**
 * `toServer`: the client sends a message, or writes state. `toClient`: it gets what the server sends or writes. `relayed`: it gets what
 * another client sends, whom the keywords let.
 */
export type FieldDirection = 'toServer' | 'toClient' | 'relayed'

/** Whether a field may go in a direction, to or from a client. */
export interface PermissionRow {
  /** `Avatar.say`; of an inherited field, the class that inherits it. */
  readonly field: string
  readonly kind: DCField['kind']
  readonly keywords: readonly string[]
  readonly direction: FieldDirection
  readonly relation: Relation
  readonly isAllowed: boolean
}

export interface PermissionOptions<Classes = any> {
  /** DC text, or the schema that the game's systems import. */
  readonly schema: string | Schema<Classes>
  /** Without what the check itself sets: transport, clock, limits, policy and timeout. */
  readonly server?: Omit<Partial<ServerOptions>, 'transport' | 'now' | 'limits' | 'violationPolicy' | 'onViolation'>
  /** Once, before anybody joins: handlers whose answers decide what is relayed. They are handed random legal arguments. */
  readonly start?: (side: ServerSide<Classes>) => void
  /** Of the values. Default 1. */
  readonly seed?: number
}

export interface PermissionReport {
  /** Every row that was tried, and went as it says. */
  readonly rows: readonly PermissionRow[]
  /** Fields that have no two values to tell apart, or none that fits a datagram. */
  readonly untested: readonly string[]
}

const RELATIONS: readonly Relation[] = ['owner', 'interested', 'stranger', 'unverified']
const ZONE = 1
const ELSEWHERE = 2
/** Frames in which what was sent arrives and is answered. */
const SETTLE = 6
/** Epochs that an impostor tries: it does not read which one holds. */
const EPOCHS = [0, 1, 2, 3]
/** Seconds that a connection which does not sign in is used for: the server ends it after 10. */
const STRANGER_TIME = 5

const has = (field: DCField, ...keywords: string[]): boolean => keywords.some(word => field.keywords.includes(word))

const isWritable = (field: DCField, relation: Relation): boolean =>
  relation === 'owner' ? has(field, 'ownsend', 'clsend') : relation === 'interested' && has(field, 'clsend')

const isReceived = (field: DCField, relation: Relation): boolean => {
  if (relation !== 'owner' && relation !== 'interested') return false
  if (has(field, 'broadcast', 'clrecv')) return true
  if (has(field, 'ownrecv')) return relation === 'owner'
  return field.kind === 'parameter' && !has(field, 'airecv', 'db')
}

/** Whom a client's message is passed on to: the sender is the owner, or of `clsend` one that sees the object. */
const isRelayed = (field: DCField, relation: Relation): boolean =>
  has(field, 'broadcast') && (relation === 'owner' || relation === 'interested')

const DECLARED: Readonly<Record<FieldDirection, (field: DCField, relation: Relation) => boolean>> = {
  toServer: isWritable,
  toClient: isReceived,
  relayed: isRelayed,
}

/** Rows that there are: a message is relayed to its owner only if somebody else may send it. */
const hasRow = (field: DCField, direction: FieldDirection, relation: Relation): boolean =>
  direction !== 'relayed' ||
  (field.kind !== 'parameter' &&
    relation !== 'unverified' &&
    (has(field, 'clsend') || (relation !== 'owner' && has(field, 'ownsend'))))

const nameOf = (info: DClassInfo, field: DCField): string => `${info.dclass.name}.${field.name}`

const rowOf = (info: DClassInfo, field: DCField, direction: FieldDirection, relation: Relation): PermissionRow => ({
  field: nameOf(info, field),
  kind: field.kind,
  keywords: field.keywords,
  direction,
  relation,
  isAllowed: DECLARED[direction](field, relation),
})

/**
 * What a schema allows: a row for each field of each class, in each direction, for each relation of a client to the object. Worked out from
 * the keywords alone, by no code that the server runs.
 */
export const permissionMatrix = (schema: string | Schema<any>): PermissionRow[] =>
  infosOf(typeof schema === 'string' ? createSchema(schema) : schema).flatMap(info =>
    info.dclass.inherited.flatMap(field =>
      (['toServer', 'toClient', 'relayed'] as const).flatMap(direction =>
        RELATIONS.filter(relation => hasRow(field, direction, relation)).map(relation =>
          rowOf(info, field, direction, relation),
        ),
      ),
    ),
  )

/** Everyone who takes part. */
interface Stage {
  readonly worlds: Worlds
  readonly dice: Dice
  /** Real clients, which show what arrives. */
  readonly guests: Readonly<Record<'owner' | 'interested' | 'stranger', Guest>>
  /** Clients that obey no rule, which send what they should not. */
  readonly impostors: Readonly<Record<'owner' | 'interested' | 'stranger', Impostor>>
  unverified: { readonly impostor: Impostor; readonly since: number }
  readonly password: string
  /** Where a value is put to see what columns make of it. */
  readonly scratch: Schema<any>
  /** What went through, as `field direction relation`. */
  readonly found: Set<string>
  readonly untested: Set<string>
}

/** Entity ids of `scratch`. */
const SCRATCH = 1

const createStage = async ({ schema, server, start, seed = 1 }: PermissionOptions): Promise<Stage> => {
  const password = server?.password ?? ''
  const worlds = createWorlds<any>(schema, {
    seed,
    server: {
      ...server,
      // Nobody here is to be sent away, for silence or for too much.
      timeout: 3600,
      messageRate: 100_000,
      messageBytes: 1e9,
      violationPolicy: { malformed: 'ignore', forbidden: 'ignore', outOfRange: 'ignore', flooded: 'ignore' },
    },
    client: { password, timeout: 3600 },
  })
  start?.({ world: worlds.world, schema: worlds.schema, server: worlds.server, now: worlds.now })
  const guests = { owner: await worlds.join(), interested: await worlds.join(), stranger: await worlds.join() }
  const see = (clientId: number, zone: number) => worlds.server.setZones(worlds.server.clients.get(clientId)!, [zone])
  const impostor = () => createImpostor(worlds.network, worlds.schema, worlds.now)
  const impostors = { owner: await impostor(), interested: await impostor(), stranger: await impostor() }
  for (const relation of ['owner', 'interested', 'stranger'] as const) {
    const zone = relation === 'stranger' ? ELSEWHERE : ZONE
    see(guests[relation].client.clientId, zone)
    impostors[relation].hello({ password })
    worlds.run(SETTLE)
    const { welcome } = impostors[relation]
    if (!welcome) throw new Error('checkPermissions: the server lets no six clients in: look at its `maxClients`.')
    see(welcome.clientId, zone)
  }
  return {
    worlds,
    dice: createDice(seed),
    guests,
    impostors,
    unverified: { impostor: await impostor(), since: worlds.now() },
    password,
    scratch: schemaOf(worlds.schema.file, { capacity: SCRATCH + 1 }),
    found: new Set(),
    untested: new Set(),
  }
}

const impostorOf = async (stage: Stage, relation: Relation): Promise<Impostor> => {
  if (relation !== 'unverified') return stage.impostors[relation]
  const { worlds } = stage
  if (worlds.now() - stage.unverified.since > STRANGER_TIME) {
    stage.unverified.impostor.connection.close()
    stage.unverified = {
      impostor: await createImpostor(worlds.network, worlds.schema, worlds.now),
      since: worlds.now(),
    }
  }
  return stage.unverified.impostor
}

/** An object of a class, in the zone that the interested see. */
const makeObject = ({ worlds }: Stage, info: DClassInfo, ownerId: number): number => {
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, info.component)
  worlds.server.place(eid, ZONE, worlds.server.clients.get(ownerId)!)
  worlds.run(SETTLE * 2)
  return eid
}

/** An object that a real client owns, and one that an impostor does. */
interface Objects {
  readonly info: DClassInfo
  ofGuest: number
  ofImpostor: number
}

const doIdOf = ({ worlds }: Stage, eid: number): number => worlds.schema.DistributedObject.doId[eid]!

/** A handler may have removed them. */
const renew = (stage: Stage, objects: Objects): void => {
  const { guests, impostors } = stage
  if (doIdOf(stage, objects.ofGuest) === 0)
    objects.ofGuest = makeObject(stage, objects.info, guests.owner.client.clientId)
  if (doIdOf(stage, objects.ofImpostor) === 0)
    objects.ofImpostor = makeObject(stage, objects.info, impostors.owner.welcome!.clientId)
}

const flattenValue = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null
    ? [Object.values(value).length, ...Object.values(value).flatMap(flattenValue)]
    : [value]

/** What an entity has in the columns of a field, as a list of plain values. */
const flatten = (columns: FieldColumns, eid: number): unknown[] => {
  if (Array.isArray(columns)) return flattenValue(columns[eid])
  if (ArrayBuffer.isView(columns)) return [(columns as Float64Array)[eid]]
  return Object.values(columns).flatMap(part => flatten(part, eid))
}

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index])

const isFinite = (value: unknown): boolean =>
  flattenValue(value).every(each => typeof each !== 'number' || Number.isFinite(each))

/** Tries to find a value that is another one than before. */
const TRIES = 64

/** A random value, packed, with these objects where it names some, that comes back as it was, and the value. */
const pickPacked = (
  stage: Stage,
  field: DCField,
  { ofGuest, ofImpostor }: Objects,
  isNew: (value: unknown) => boolean = () => true,
): { packed: Uint8Array; value: unknown } | undefined => {
  if (!hasValues(field)) return undefined
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      const packed = packField(
        field,
        mapReferences(field, randomValue(field, stage.dice), () =>
          doIdOf(stage, stage.dice.pick([ofGuest, ofImpostor])),
        ),
      ).slice()
      const { ok, value } = unpackField(field, packed)
      if (!ok || !isFinite(value) || (has(field, 'unreliable') && packed.length > MAX_UNRELIABLE)) continue
      const again = packField(field, value)
      if (again.length === packed.length && isSame([...again], [...packed]) && isNew(value)) return { packed, value }
    } catch {
      // Random bytes are not always a number or a rotation.
    }
  }
  return undefined
}

const isUnlike =
  (stage: Stage, objects: Objects, field: DCParameterField, eid: number) =>
  (value: unknown): boolean => {
    const scratch = infosOf(stage.scratch)
      .find(({ dclass }) => dclass === objects.info.dclass)!
      .columns.get(field)!
    writeColumns(scratch, SCRATCH, toEntities(stage, field, value))
    return !isSame(flatten(scratch, SCRATCH), flatten(objects.info.columns.get(field)!, eid))
  }

const toEntities = ({ worlds }: Stage, field: DCField, value: unknown): unknown =>
  mapReferences(field, value, doId => worlds.server.entityOf(doId))

const quaternion = [0, 0, 0, 0]

/** A word of an entity, read from columns that hold its class. */
const readWord = (stage: Stage, columns: FieldColumns, word: Word, eid: number): number => {
  if (word.kind === 'quaternion') {
    const path = word.path.slice(0, -1)
    const [x, y, z, w] = ['x', 'y', 'z', 'w'].map(name => (columnAt(columns, [...path, name]) as Float32Array)[eid]!)
    encodeQuaternion(x!, y!, z!, w!, word.componentBits, quaternion)
    return quaternion[word.part]!
  }
  const value = (columnAt(columns, word.path) as Float64Array)[eid]!
  return wordOf(word, word.isReference ? doIdOf(stage, value) : value)
}

/** An upload of the object as it is, but for one field, which is as in the scratch; whatever that field's keywords. */
const uploadOf = (stage: Stage, { info }: Objects, field: DCParameterField, eid: number): Uint8Array => {
  const { interested, owner } = layoutsOf(info.dclass)
  const scratch = infosOf(stage.scratch).find(({ dclass }) => dclass === info.dclass)!
  const writer = bitWriter()
  for (const layout of [interested, owner].filter((each): each is Layout => each !== undefined))
    layout.words.forEach((word, index) => {
      const isTarget = word.field === field
      if (!isTarget && !has(word.field, 'ownsend')) return
      const columns = (isTarget ? scratch : info).columns.get(word.field)!
      writeBits(writer, readWord(stage, columns, word, isTarget ? SCRATCH : eid), layout.bits[index + FIXED_WORDS]!)
    })
  return writtenBytes(writer)
}

const mark = (stage: Stage, row: PermissionRow): void => {
  stage.found.add(keyOf(row))
}

const keyOf = ({ field, direction, relation }: PermissionRow): string => `${field} ${direction} ${relation}`

/** Everybody tries to write a field; what changes in the server's columns went through. */
const tryWrites = async (stage: Stage, objects: Objects, fields: readonly DCParameterField[]): Promise<void> => {
  const { info } = objects
  // Who is interested comes last: a write of its overrules the owner, in an epoch that the impostor does not know.
  for (const relation of ['owner', 'stranger', 'unverified', 'interested'] as const)
    for (const field of fields) {
      renew(stage, objects)
      const eid = objects.ofImpostor
      const doId = doIdOf(stage, eid)
      const picked = pickPacked(stage, field, objects, isUnlike(stage, objects, field, eid))
      if (!picked) {
        stage.untested.add(nameOf(info, field))
        continue
      }
      const columns = info.columns.get(field)!
      const before = flatten(columns, eid)
      const impostor = await impostorOf(stage, relation)
      const upload = Array.isArray(columns) ? undefined : uploadOf(stage, objects, field, eid)
      for (const epoch of EPOCHS) {
        if (upload) impostor.upload(doId, epoch, upload)
        impostor.field(doId, field.number, picked.packed, epoch)
      }
      stage.worlds.run(SETTLE)
      if (!isSame(before, flatten(columns, eid))) mark(stage, rowOf(info, field, 'toServer', relation))
    }
}

type MessageField = DCAtomicField | DCMolecularField

const send = (impostor: Impostor, doId: number, field: MessageField, packed: Uint8Array): void =>
  impostor.message(doId, field.number, packed, has(field, 'unreliable') ? 'unreliable' : 'reliable')

/** Everybody tries to send a message; what its handlers get went through. */
const tryMessage = async (stage: Stage, objects: Objects, field: MessageField): Promise<void> => {
  const { worlds } = stage
  const { info } = objects
  for (const relation of RELATIONS) {
    renew(stage, objects)
    const doId = doIdOf(stage, objects.ofImpostor)
    const picked = pickPacked(stage, field, objects)
    if (!picked) {
      stage.untested.add(nameOf(info, field))
      return
    }
    const impostor = await impostorOf(stage, relation)
    const stop = worlds.server.on({ field }, () => mark(stage, rowOf(info, field, 'toServer', relation)))
    send(impostor, doId, field, picked.packed)
    worlds.run(SETTLE)
    stop()
  }
}

/** Has `act` happen, and marks which clients get the message by it. */
const hear = (
  stage: Stage,
  objects: Objects,
  field: MessageField,
  direction: FieldDirection,
  act: () => void,
): void => {
  const { guests, worlds } = stage
  const stops = (['owner', 'interested', 'stranger'] as const).map(relation =>
    guests[relation].client.on({ field }, () => mark(stage, rowOf(objects.info, field, direction, relation))),
  )
  act()
  worlds.run(SETTLE)
  for (const stop of stops) stop()
}

const tellMessage = (stage: Stage, objects: Objects, field: MessageField): void => {
  const { worlds, impostors } = stage
  renew(stage, objects)
  const doId = doIdOf(stage, objects.ofGuest)
  const picked = pickPacked(stage, field, objects)
  if (!picked) return
  hear(stage, objects, field, 'toClient', () => {
    try {
      worlds.server.sendUpdate(objects.ofGuest, { field }, toEntities(stage, field, picked.value))
    } catch (error) {
      // It says so of a message that nobody may receive.
      if (has(field, 'broadcast', 'clrecv', 'ownrecv')) throw error
    }
  })
  if (!has(field, 'clsend', 'ownsend')) return
  hear(stage, objects, field, 'relayed', () => {
    if (has(field, 'clsend')) send(impostors.interested, doId, field, picked.packed)
    else send(impostors.owner, doIdOf(stage, objects.ofImpostor), field, picked.packed)
  })
}

/** The server writes a field; clients whose columns change got it. */
const tellState = (stage: Stage, objects: Objects, field: DCParameterField): void => {
  const { worlds, guests } = stage
  const { info } = objects
  renew(stage, objects)
  const eid = objects.ofGuest
  const picked = pickPacked(stage, field, objects, isUnlike(stage, objects, field, eid))
  if (!picked) return
  const look = ({ client, schema }: Guest) => {
    const own = client.entityOf(doIdOf(stage, eid))
    const columns = infosOf(schema)
      .find(({ dclass }) => dclass === info.dclass)!
      .columns.get(field)!
    return own === 0 ? undefined : flatten(columns, own)
  }
  const relations = ['owner', 'interested', 'stranger'] as const
  const before = relations.map(relation => look(guests[relation]))
  writeColumns(info.columns.get(field)!, eid, toEntities(stage, field, picked.value))
  worlds.server.markDirty(eid)
  const isChanged = (index: number) => {
    const now = look(guests[relations[index]!])
    return now !== undefined && !(before[index] && isSame(before[index], now))
  }
  const isDone = () => relations.every((relation, index) => !isReceived(field, relation) || isChanged(index))
  for (let frames = 0; frames < 60 && !isDone(); frames++) worlds.run(1)
  worlds.run(SETTLE)
  relations.forEach((relation, index) => {
    if (isChanged(index)) mark(stage, rowOf(info, field, 'toClient', relation))
  })
}

const describe = (rows: readonly PermissionRow[], total: number): string => {
  const header = ['field', 'keywords', 'direction', 'client', 'declared', 'found']
  const word = (isAllowed: boolean) => (isAllowed ? 'passes' : 'refused')
  const lines = rows.map(({ field, keywords, direction, relation, isAllowed }) => [
    field,
    keywords.join(' ') || '(none)',
    direction,
    relation,
    word(isAllowed),
    word(!isAllowed),
  ])
  const widths = header.map((_, at) => Math.max(...[header, ...lines].map(line => line[at]!.length)))
  const table = [header, ...lines].map(line => `  ${line.map((cell, at) => cell.padEnd(widths[at]!)).join('  ')}`)
  return `${rows.length} of ${total} permissions are not as the schema declares:\n${table.map(line => line.trimEnd()).join('\n')}`
}

/**
 * Tries every row of {@link permissionMatrix} on a real server in this process: impostors that obey no rule send every field of every class,
 * the server sends and writes every field, and what arrives is compared with what the keywords declare. Rejects with an `Error` that has a
 * table of the rows which differ; a game's own `onError` or handlers that throw reject it too.
 *
 *     test('clients can do what lobby.dc allows', () => checkPermissions({ schema: readFileSync('lobby.dc', 'utf8') }))
 */
export const checkPermissions = async (options: PermissionOptions): Promise<PermissionReport> => {
  const stage = await createStage(options)
  const { worlds, guests, impostors } = stage
  for (const info of infosOf(worlds.schema)) {
    const objects: Objects = {
      info,
      ofGuest: makeObject(stage, info, guests.owner.client.clientId),
      ofImpostor: makeObject(stage, info, impostors.owner.welcome!.clientId),
    }
    const state = info.dclass.inherited.filter(field => field.kind === 'parameter')
    await tryWrites(stage, objects, state)
    for (const field of state) tellState(stage, objects, field)
    for (const field of info.dclass.inherited) {
      if (field.kind === 'parameter') continue
      await tryMessage(stage, objects, field)
      tellMessage(stage, objects, field)
    }
  }
  const isLeaking = stage.unverified.impostor.received > 0
  await worlds.end()
  const rows = permissionMatrix(worlds.schema).filter(({ field }) => !stage.untested.has(field))
  const wrong = rows.filter(row => {
    const isFound =
      row.relation === 'unverified' && row.direction === 'toClient' ? isLeaking : stage.found.has(keyOf(row))
    return isFound !== row.isAllowed
  })
  if (wrong.length > 0) throw new Error(describe(wrong, rows.length))
  return { rows, untested: [...stage.untested] }
}
