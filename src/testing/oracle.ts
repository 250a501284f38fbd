import { hasComponent, query, type EntityId, type World } from 'bitecs'
import type { Client } from '../client.ts'
import { Alive, Disabled, Fresh, Generated, Owned, type NumberColumn, type Schema } from '../components/index.ts'
import { dequantise, packField, quantise, type DCNumberType, type DCParameterField } from '../dc/index.ts'
import { held, plansOf, type ClassPlan, type FieldPlan, type Leaf } from './plan.ts'

/** A world with its columns. */
export interface Side {
  readonly world: World
  readonly schema: Schema<any>
}

/** A client's world with its columns. */
export interface Viewer extends Side {
  readonly client: Client
}

export interface DifferenceOptions {
  /** Differences after which the rest is not looked at. Default 10. */
  readonly most?: number
  /**
   * Objects (by doId) that once were this client's own: their owner-only fields may hold what it knew then. Default: none,
   * so those fields of others' objects must hold their DC defaults.
   */
  readonly onceOwned?: ReadonlySet<number>
  /** Whether the client sees a server entity, where the game decides otherwise than by zones and owners. */
  readonly isVisible?: (eid: EntityId, byZone: boolean) => boolean
}

/** Puts what it finds into words, until it has found enough. */
interface Findings {
  readonly lines: string[]
  readonly most: number
}

const isFull = ({ lines, most }: Findings): boolean => lines.length >= most

/**
 * In what a client's world differs from what it should show of the server's: the objects of its zones and its own ones,
 * no others, each with class, zone, owner, tags and every field that its keywords let this client have. Numbers are
 * compared as DC quantises them, bit for bit; what else a field is by its packed bytes; an owner's own values by what
 * they are packed to. Empty when both agree. Knows nothing of the library's state: it looks at the two worlds only.
 *
 * @param zones those that the client asked for and may see; the zones of its own objects come by themselves.
 */
export const differences = (
  server: Side,
  viewer: Viewer,
  zones: ReadonlySet<number> = viewer.client.interest.zones,
  options: DifferenceOptions = {},
): string[] => {
  const { most = 10, onceOwned, isVisible } = options
  const findings: Findings = { lines: [], most }
  const { clientId } = viewer.client
  const expected = visibleTo(server, clientId, zones, isVisible)
  const seen = new Map<number, EntityId>()
  const { doId } = viewer.schema.DistributedObject
  for (const eid of entitiesOf(viewer)) {
    const id = doId[eid]!
    // What is kept of objects that it saw is not shown.
    if (hasComponent(viewer.world, eid, Disabled)) {
      findings.lines.push(...describeHalf(viewer, eid))
      continue
    }
    if (seen.has(id)) findings.lines.push(`object ${id} is there twice: entities ${seen.get(id)} and ${eid}`)
    seen.set(id, eid)
    if (!expected.has(id)) findings.lines.push(describeSurplus(server, viewer, eid))
    if (isFull(findings)) return findings.lines
  }
  for (const [id, eid] of expected) {
    const own = seen.get(id)
    if (own === undefined) findings.lines.push(`object ${id}${describePlace(server, eid)} is missing`)
    else compareObject(findings, server, eid, viewer, own, onceOwned?.has(id) === true)
    if (isFull(findings)) break
  }
  return findings.lines
}

/** What a disabled object has that only one has which is seen. */
const describeHalf = ({ world, schema }: Side, eid: EntityId): string[] =>
  Object.entries({ Fresh, Generated, Alive, Owned }).flatMap(([name, tag]) =>
    hasComponent(world, eid, tag)
      ? [`object ${schema.DistributedObject.doId[eid]} is Disabled and has the tag ${name}`]
      : [],
  )

/** Entities that are distributed objects, or have the tag of a dclass without being one. */
const entitiesOf = ({ world, schema }: Side): Set<EntityId> => {
  const found = new Set<EntityId>(query(world, [schema.DistributedObject]))
  for (const { info } of plansOf(schema)) for (const eid of query(world, [info.component])) found.add(eid)
  return found
}

const visibleTo = (
  { world, schema }: Side,
  clientId: number,
  zones: ReadonlySet<number>,
  isVisible: DifferenceOptions['isVisible'],
): Map<number, EntityId> => {
  const { doId, zone, owner } = schema.DistributedObject
  const placed = [...query(world, [schema.DistributedObject])].filter(eid => zone[eid] !== 0)
  const all = new Set(zones)
  for (const eid of placed) if (owner[eid] === clientId) all.add(zone[eid]!)
  const visible = new Map<number, EntityId>()
  for (const eid of placed) {
    const byZone = all.has(zone[eid]!)
    if (isVisible ? isVisible(eid, byZone) : byZone) visible.set(doId[eid]!, eid)
  }
  return visible
}

const classOf = ({ world, schema }: Side, eid: EntityId): ClassPlan | undefined => {
  // A class comes after its bases in the file: the last one is the object's own.
  let found: ClassPlan | undefined
  for (const plan of plansOf(schema)) if (hasComponent(world, eid, plan.info.component)) found = plan
  return found
}

const describePlace = (side: Side, eid: EntityId): string => {
  const { zone, owner } = side.schema.DistributedObject
  return ` (${classOf(side, eid)?.name}, zone ${zone[eid]}, owner ${owner[eid]})`
}

const describeSurplus = (server: Side, viewer: Viewer, own: EntityId): string => {
  const id = viewer.schema.DistributedObject.doId[own]!
  const { doId, zone } = server.schema.DistributedObject
  const eid = [...query(server.world, [server.schema.DistributedObject])].find(each => doId[each] === id)
  const there = eid === undefined ? 'no longer exists' : zone[eid] === 0 ? 'is in no zone' : `is in zone ${zone[eid]}`
  return `object ${id}${describePlace(viewer, own)} should not be here: at the server it ${there}`
}

const compareObject = (
  findings: Findings,
  server: Side,
  eid: EntityId,
  viewer: Viewer,
  own: EntityId,
  wasOwned: boolean,
): void => {
  const { clientId } = viewer.client
  const theirs = server.schema.DistributedObject
  const ours = viewer.schema.DistributedObject
  const id = theirs.doId[eid]!
  const plan = classOf(server, eid)
  const say = (what: string, is: unknown, should: unknown) =>
    findings.lines.push(`object ${id} (${plan?.name}): ${what} is ${show(is)}, the server has ${show(should)}`)
  const isOwner = theirs.owner[eid] === clientId
  if (ours.zone[own] !== theirs.zone[eid]) say('zone', ours.zone[own], theirs.zone[eid])
  if (ours.owner[own] !== theirs.owner[eid]) say('owner', ours.owner[own], theirs.owner[eid])
  if (viewer.client.entityOf(id) !== own) say('client.entityOf()', viewer.client.entityOf(id), own)
  if (hasComponent(viewer.world, own, Owned) !== isOwner) say('tag Owned', !isOwner, isOwner)
  for (const [name, tag] of Object.entries({ Generated, Alive }))
    if (!hasComponent(viewer.world, own, tag)) say(`tag ${name}`, false, true)
  if (hasComponent(viewer.world, own, Fresh)) say('tag Fresh', true, false)
  const ourPlans = plansOf(viewer.schema)
  plansOf(server.schema).forEach((each, index) => {
    const should = hasComponent(server.world, eid, each.info.component)
    if (hasComponent(viewer.world, own, ourPlans[index]!.info.component) !== should)
      say(`tag ${each.name}`, !should, should)
  })
  const ourPlan = plan && ourPlans[plansOf(server.schema).indexOf(plan)]
  for (let index = 0; plan && ourPlan && index < plan.fields.length && !isFull(findings); index++)
    compareField(plan.fields[index]!, eid, ourPlan.fields[index]!, own, isOwner, wasOwned, say)
}

type Say = (what: string, is: unknown, should: unknown) => void

const compareField = (
  theirs: FieldPlan,
  eid: EntityId,
  ours: FieldPlan,
  own: EntityId,
  isOwner: boolean,
  wasOwned: boolean,
  say: Say,
): void => {
  const isKnown = theirs.audience === 'interested' || (theirs.audience === 'owner' && isOwner)
  if (!isKnown) {
    if (theirs.audience === 'owner' && wasOwned) return
    // What is owner-written and goes up only is the owner's own to fill.
    if (!(isOwner && theirs.isOwnerWritten)) compareDefaults(ours, own, say)
    return
  }
  const isWrittenHere = isOwner && theirs.isOwnerWritten
  for (let index = 0; index < theirs.leaves.length; index++)
    compareNumber(theirs.leaves[index]!, eid, ours.leaves[index]!, own, isWrittenHere, say)
  if (theirs.leaves.length === 0) compareValue(theirs, theirs.values[eid], ours.values[own], say)
}

const compareDefaults = (ours: FieldPlan, own: EntityId, say: Say): void => {
  for (const { name, column, initial } of ours.leaves)
    if (!Object.is((column as Float64Array)[own], initial))
      say(`${name}, which this client may not see,`, column[own], `nothing for it but the default ${show(initial)}`)
  if (ours.leaves.length > 0 || ours.initial.length === 0) return
  const packed = tryPack(ours.field, ours.values[own])
  if (!isSame(packed, ours.initial))
    say(`${ours.name}, which this client may not see,`, ours.values[own], 'nothing for it but the default')
}

/** The number that travels; a full turn is none. Undefined when it fits no DC range. */
export const scaledOf = (type: DCNumberType, value: number | bigint): number | bigint | undefined => {
  try {
    const scaled = quantise(type, value)
    if (type.modulus === undefined || typeof scaled === 'bigint' || type.base === 'float64') return scaled
    return scaled === Math.floor(type.modulus * type.divisor + 0.5) ? 0 : scaled
  } catch {
    return undefined
  }
}

const compareNumber = (
  theirs: Leaf,
  eid: EntityId,
  ours: Leaf,
  own: EntityId,
  isWrittenHere: boolean,
  say: Say,
): void => {
  const { type, name } = theirs
  const is = elementOf(ours.column, own)
  const scaled = scaledOf(type, elementOf(theirs.column, eid))
  // A value that does not fit stays behind, so what the client has is any former one.
  if (scaled === undefined) return
  if (isWrittenHere) {
    if (!Object.is(scaledOf(type, is), scaled)) say(name, is, elementOf(theirs.column, eid))
    return
  }
  const should = held(ours.column, dequantise(type, scaled))
  if (!Object.is(is, should)) say(name, is, should)
}

/** What a column has of an entity. */
export const elementOf = (column: NumberColumn, eid: EntityId): number | bigint => (column as Float64Array)[eid]!

const compareValue = (theirs: FieldPlan, should: unknown, is: unknown, say: Say): void => {
  if (typeof should === 'string' && is === should) return
  const packed = tryPack(theirs.field, should)
  if (packed && !isSame(tryPack(theirs.field, is), packed)) say(theirs.name, is, should)
}

/** The bytes of a value, unless it does not fit its DC type. */
export const tryPack = (field: DCParameterField, value: unknown): Uint8Array | undefined => {
  try {
    return packField(field, value)
  } catch {
    return undefined
  }
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index])

const LONGEST = 60

/** A value in a few words. */
export const show = (value: unknown): string => {
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const text =
    typeof value === 'object' || typeof value === 'string'
      ? JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))
      : String(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}... (${text.length} characters)` : text
}
