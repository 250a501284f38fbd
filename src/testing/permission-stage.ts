import { addComponent, addEntity } from 'bitecs'
import {
  infosOf,
  schemaOf,
  writeColumns,
  type DClassInfo,
  type FieldColumns,
  type Schema,
} from '../components/index.ts'
import { mapReferences, packField, unpackField, type DCField, type DCParameterField } from '../dc/index.ts'
import { MAX_UNRELIABLE } from '../net/message.ts'
import type { ServerOptions } from '../server.ts'
import { createDice, type Dice } from './dice.ts'
import type { ServerSide } from './game.ts'
import { createImpostor, type Impostor } from './impostor.ts'
import { has, type Relation } from './permission-matrix.ts'
import { provideAll } from './provide.ts'
import { hasValues, randomValue } from './random-value.ts'
import { createWorlds, type Guest, type Worlds } from './worlds.ts'

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

/** A zone that the interested see, and another one. */
export const ZONE = 1
const ELSEWHERE = 2
/** Frames in which what was sent arrives and is answered. */
export const SETTLE = 6
/** Seconds that a connection which does not sign in is used for: the server ends it after 10. */
const STRANGER_TIME = 5

/** Everyone who takes part. */
export interface Stage {
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
export const SCRATCH = 1

export const createStage = async ({ schema, server, start, seed = 1 }: PermissionOptions): Promise<Stage> => {
  const password = server?.password ?? ''
  // As long as ticks can be told apart.
  const timeout = Math.min(600, 30_000 / (server?.tickRate ?? 30))
  const worlds = createWorlds<any>(schema, {
    seed,
    server: {
      ...server,
      // Nobody here is to be sent away, for silence or for too much.
      timeout,
      messageRate: 100_000,
      messageBytes: 1e9,
      violationPolicy: {
        malformed: 'ignore',
        forbidden: 'ignore',
        outOfRange: 'ignore',
        flooded: 'ignore',
        refused: 'ignore',
      },
    },
    client: { password, timeout },
  })
  provideAll(worlds.server, worlds.schema, createDice(seed))
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

export const impostorOf = async (stage: Stage, relation: Relation): Promise<Impostor> => {
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
export const makeObject = ({ worlds }: Stage, info: DClassInfo, ownerId: number): number => {
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, info.component)
  worlds.server.place(eid, ZONE, worlds.server.clients.get(ownerId)!)
  worlds.run(SETTLE * 2)
  return eid
}

/** An object that a real client owns, and one that an impostor does. */
export interface Objects {
  readonly info: DClassInfo
  ofGuest: number
  ofImpostor: number
}

export const doIdOf = ({ worlds }: Stage, eid: number): number => worlds.schema.DistributedObject.doId[eid]!

/** A handler may have removed them. */
export const renew = (stage: Stage, objects: Objects): void => {
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
export const flatten = (columns: FieldColumns, eid: number): unknown[] => {
  if (Array.isArray(columns)) return flattenValue(columns[eid])
  if (ArrayBuffer.isView(columns)) return [(columns as Float64Array)[eid]]
  return Object.values(columns).flatMap(part => flatten(part, eid))
}

export const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index])

const isFinite = (value: unknown): boolean =>
  flattenValue(value).every(each => typeof each !== 'number' || Number.isFinite(each))

/** Tries to find a value that is another one than before. */
const TRIES = 64

/** A random value, packed, with these objects where it names some, that comes back as it was, and the value. */
export const pickPacked = (
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

export const isUnlike =
  (stage: Stage, objects: Objects, field: DCParameterField, eid: number) =>
  (value: unknown): boolean => {
    const scratch = infosOf(stage.scratch)
      .find(({ dclass }) => dclass === objects.info.dclass)!
      .columns.get(field)!
    writeColumns(scratch, SCRATCH, toEntities(stage, field, value))
    return !isSame(flatten(scratch, SCRATCH), flatten(objects.info.columns.get(field)!, eid))
  }

export const toEntities = ({ worlds }: Stage, field: DCField, value: unknown): unknown =>
  mapReferences(field, value, doId => worlds.server.entityOf(doId))
