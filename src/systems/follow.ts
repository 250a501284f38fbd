import { query, type World } from 'bitecs'
import { Owned } from '../components/index.ts'
import { MAX_ZONES } from '../net/interest.ts'
import { followViews, type Grid, type Viewpoint } from './grid.ts'
import { columnsOf, type Placed, type Position } from './zoning.ts'

/** What a server is to {@link createFollow}. */
export interface ZoneGiver<Client extends { readonly id: number } = any> {
  readonly clients: ReadonlyMap<number, Client>
  setZones(client: Client, zones: Iterable<number>): void
}

/** What a client is to {@link createFollow}. */
export interface ZoneAsker {
  readonly state: string
  readonly clientId: number
  readonly interest: { set(zones: readonly number[]): Promise<unknown> }
}

export interface FollowOptions<Axis extends string = 'x' | 'y'> {
  readonly grid: Grid
  /** The field that has positions, such as `Avatar.position`. */
  readonly position: Position<Axis>
  /** Which of its columns the grid's x and y are. Default `['x', 'y']`. */
  readonly axes?: readonly [Axis, Axis]
  /** What else an entity must have to be followed, as for `query`: `[Avatar]`. */
  readonly only?: readonly any[]
  /** How far a player sees from its entity, along x and y. */
  readonly radius: number
  /**
   * Zones are added when they come within `radius + margin` and dropped beyond `radius + 2 * margin`: as far as an entity
   * goes while a zone arrives. Default: a quarter of the cell size.
   */
  readonly margin?: number
  /** Zones to see besides, wherever the entity is: of no grid, such as that of a lobby. */
  readonly always?: readonly number[]
}

/**
 * Makes a system that has interest follow entities: the zones around them are added early and dropped late.
 *
 * On the client, each frame between `receive` and `send`: it asks for the zones around its own objects (`Owned`), by
 * `interest.set`, so other zones belong into `always`. On the server, each tick before `replicate`: it gives each client
 * the zones around the objects that it owns, by `setZones`, and `allowZone: () => false` leaves it at that.
 * Who has no such object keeps what it saw last. Use one of the two.
 *
 * Throws a `RangeError` or `TypeError` for options that make no sense, such as a radius of more than 256 zones.
 *
 * @example
 * const look = createFollow(client, schema, { grid, position: Avatar.position, radius: 300 })
 */
export const createFollow = <Axis extends string = 'x' | 'y'>(
  end: ZoneGiver | ZoneAsker,
  schema: Placed,
  options: FollowOptions<Axis>,
): ((world: World) => void) => {
  const { grid, position, only = [], radius, margin = grid.cellSize / 4, always = [] } = options
  if (!(radius >= 0 && margin >= 0))
    throw new RangeError(`createFollow: radius is ${radius}, margin is ${margin}: give lengths of 0 or more.`)
  const across = (cells: number) => Math.min(cells, Math.ceil((2 * (radius + 2 * margin)) / grid.cellSize) + 1)
  const most = across(grid.columns) * across(grid.rows) + always.length
  if (most > MAX_ZONES)
    throw new RangeError(
      `createFollow: a radius of ${radius} with a margin of ${margin} reaches up to ${most} zones, more than ${MAX_ZONES}: ` +
        'make them smaller, or the cells larger.',
    )
  const columns = columnsOf('createFollow', position, options.axes)
  const view = (eid: number): Viewpoint => ({ x: Number(columns[0][eid]), y: Number(columns[1][eid]), radius })
  const terms = [position, ...only]
  const follow = (zones: Set<number>, views: readonly Viewpoint[]) => followViews(zones, grid, views, margin)
  return 'interest' in end
    ? followOwn(end, terms, view, follow, always)
    : followOwners(end, schema, terms, view, follow, always)
}

type View = (eid: number) => Viewpoint
type Follow = (zones: Set<number>, views: readonly Viewpoint[]) => boolean

const followOwn = (client: ZoneAsker, terms: unknown[], view: View, follow: Follow, always: readonly number[]) => {
  let session = 0
  let zones = new Set<number>()
  return (world: World): void => {
    if (client.state !== 'connected') {
      session = 0
      return
    }
    const isNew = session !== client.clientId
    if (isNew) zones = new Set(always)
    session = client.clientId
    const views = Array.from(query(world, [...terms, Owned]), view)
    const isChanged = views.length > 0 && follow(zones, views)
    // Of several objects, each with its own zones, some may be too many.
    if (isChanged || (isNew && zones.size > 0)) void client.interest.set([...zones].slice(0, MAX_ZONES))
  }
}

const followOwners = (
  server: ZoneGiver,
  schema: Placed,
  terms: unknown[],
  view: View,
  follow: Follow,
  always: readonly number[],
) => {
  const { owner } = schema.DistributedObject
  const zonesOf = new WeakMap<object, Set<number>>()
  return (world: World): void => {
    const views = new Map<number, Viewpoint[]>()
    for (const eid of query(world, terms)) {
      const id = owner[eid]!
      if (id === 0) continue
      const own = views.get(id)
      if (own) own.push(view(eid))
      else views.set(id, [view(eid)])
    }
    for (const client of server.clients.values()) {
      let zones = zonesOf.get(client)
      const isNew = zones === undefined
      if (!zones) zonesOf.set(client, (zones = new Set(always)))
      const own = views.get(client.id)
      const isChanged = own !== undefined && follow(zones, own)
      if (isChanged || (isNew && zones.size > 0)) server.setZones(client, zones)
    }
  }
}
