import { hasComponent, query, type EntityId, type World } from 'bitecs'
import { Fresh, type DistributedObjectColumns, type NumberColumn } from '../components/index.ts'
import { distanceToZone, hasZone, zoneAt, type Grid } from './grid.ts'

/** A field with a position: two columns of it are the grid's x and y. */
export type Position<Axis extends string> = { readonly [axis in Axis]: NumberColumn }

/** Where the zone of an entity is told and set: what a server and a schema are to {@link createZoning}. */
export interface Placing {
  place(eid: EntityId, zone: number): void
}
export interface Placed {
  readonly DistributedObject: DistributedObjectColumns
}

export interface ZoningOptions<Axis extends string = 'x' | 'y'> {
  readonly grid: Grid
  /** The field that has positions, such as `Avatar.position`: objects of every class with it take part. */
  readonly position: Position<Axis>
  /** Which of its columns the grid's x and y are. Default `['x', 'y']`. */
  readonly axes?: readonly [Axis, Axis]
  /** What else an entity must have, as for `query`: `[Avatar]`, `[Not(Parked)]`. */
  readonly only?: readonly any[]
  /** How far beyond its cell an object goes before it changes zone. Default: a tenth of the cell size. */
  readonly margin?: number
}

/**
 * Makes a system for the server that keeps objects in the zones of where they are: run it between the game's systems and
 * `replicate`. A new object (`Fresh`) that was not placed yet is placed by its position; one that was withdrawn, or is in a zone that is not
 * of the grid, stays as it is. Because of the margin, walking along a border changes nothing. What is to wait is left out by `only`.
 *
 * @example
 * const rezone = createZoning(server, schema, { grid, position: Avatar.position })
 * tickLoop(server.tickRate, () => { server.receive(world); walk(world); rezone(world); server.replicate(world) })
 */
export const createZoning = <Axis extends string = 'x' | 'y'>(
  server: Placing,
  schema: Placed,
  options: ZoningOptions<Axis>,
): ((world: World) => void) => {
  const { grid, position, only = [], margin = grid.cellSize / 10 } = options
  if (!(margin >= 0)) throw new RangeError(`createZoning: margin is ${margin}: give a length of 0 or more.`)
  const [x, y] = columnsOf('createZoning', position, options.axes)
  const terms = [position, ...only]
  const { zone } = schema.DistributedObject
  return world => {
    for (const eid of query(world, terms)) {
      const at = zone[eid]!
      const isInGrid = hasZone(grid, at)
      if (isInGrid && distanceToZone(grid, at, Number(x[eid]), Number(y[eid])) <= margin) continue
      if (!isInGrid && (at !== 0 || !hasComponent(world, eid, Fresh))) continue
      const next = zoneAt(grid, Number(x[eid]), Number(y[eid]))
      if (next !== at) server.place(eid, next)
    }
  }
}

/** The two columns of a position. Throws a `TypeError` when it has no such ones. */
export const columnsOf = <Axis extends string>(
  where: string,
  position: Position<Axis>,
  axes: readonly [Axis, Axis] = ['x', 'y'] as unknown as readonly [Axis, Axis],
): [NumberColumn, NumberColumn] => {
  for (const axis of axes)
    if (!ArrayBuffer.isView(position?.[axis]))
      throw new TypeError(
        `${where}: the position has no column "${axis}": give a struct field such as Avatar.position, and its \`axes\`.`,
      )
  return [position[axes[0]], position[axes[1]]]
}
