import { addComponent, addEntity } from 'bitecs'
import { columnAt, infosOf, writeColumns, type FieldColumns } from '../components/index.ts'
import { encodeQuaternion, type DCAtomicField, type DCMolecularField, type DCParameterField } from '../dc/index.ts'
import { bitWriter, writeBits, writtenBytes } from '../net/bits.ts'
import { FIXED_WORDS, layoutsOf, wordOf, type Layout, type Word } from '../net/layout.ts'
import type { Impostor } from './impostor.ts'
import {
  has,
  isReceived,
  nameOf,
  permissionMatrix,
  RELATIONS,
  rowOf,
  type FieldDirection,
  type PermissionRow,
} from './permission-matrix.ts'
import {
  createStage,
  doIdOf,
  flatten,
  impostorOf,
  isSame,
  isUnlike,
  makeObject,
  pickPacked,
  renew,
  SCRATCH,
  SETTLE,
  toEntities,
  ZONE,
  type Objects,
  type PermissionOptions,
  type Stage,
} from './permission-stage.ts'
import type { Guest } from './worlds.ts'

export { permissionMatrix, type FieldDirection, type PermissionRow, type Relation } from './permission-matrix.ts'
export type { PermissionOptions } from './permission-stage.ts'

export interface PermissionReport {
  /** Every row that was tried, and went as it says. */
  readonly rows: readonly PermissionRow[]
  /** Fields that have no two values to tell apart, or none that fits a datagram. */
  readonly untested: readonly string[]
}

/** Epochs that an impostor tries: it does not read which one holds. */
const EPOCHS = [0, 1, 2, 3]

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
      impostor.write(doId, field.number, picked.packed)
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

/**
 * The server sends every message of an object that nobody sees yet, and then shows it: marks which clients are told of which by that. Each
 * is told once only.
 */
const tellLater = (stage: Stage, objects: Objects): void => {
  const { worlds, guests } = stage
  const { info } = objects
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, info.component)
  const doId = doIdOf(stage, eid)
  const fields = info.dclass.inherited.filter((field): field is MessageField => field.kind !== 'parameter')
  const stops = fields.flatMap(field =>
    (['owner', 'interested', 'stranger'] as const).map(relation => {
      const { client } = guests[relation]
      return client.on({ field }, own => {
        if (own === client.entityOf(doId)) mark(stage, rowOf(info, field, 'replayed', relation))
      })
    }),
  )
  for (const field of fields) {
    const picked = pickPacked(stage, field, objects)
    if (picked && has(field, 'broadcast', 'clrecv', 'ownrecv'))
      worlds.server.sendUpdate(eid, { field }, toEntities(stage, field, picked.value))
  }
  worlds.server.place(eid, ZONE, worlds.server.clients.get(guests.owner.client.clientId)!)
  worlds.run(SETTLE * 3)
  for (const stop of stops) stop()
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
    tellLater(stage, objects)
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
