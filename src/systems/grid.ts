/**
 * A plane cut into square cells, a zone each. Plain data: server and client make the same one. Lengths are in the units
 * of the game's positions; columns count along x, rows along y.
 */
export interface Grid {
  /** Length of a cell's side. */
  readonly cellSize: number
  readonly columns: number
  readonly rows: number
  /** Where column 0 and row 0 begin. */
  readonly x: number
  readonly y: number
  /** Zone of the first cell; the others follow row by row. */
  readonly firstZone: number
}

export interface GridOptions {
  /** Length of a cell's side: about as far as a player sees. More than 0. */
  readonly cellSize: number
  /** Cells along x and along y. */
  readonly columns?: number
  readonly rows?: number
  /** Where the first cell begins. Default 0, 0. */
  readonly x?: number
  readonly y?: number
  /** Instead of these four: least x, least y, greatest x, greatest y of what the cells cover. */
  readonly bounds?: readonly [left: number, top: number, right: number, bottom: number]
  /** Zone of the first cell, 1 or more; the grid takes `columns` times `rows` zones from there on. Default 1. */
  readonly firstZone?: number
}

/** Zones are 1 to 2^32 - 1. */
const LAST_ZONE = 0xffffffff

/** Makes a grid. Throws a `RangeError` for numbers that make no sense, or when its zones would go beyond 2^32 - 1. */
export const createGrid = (options: GridOptions): Grid => {
  const { cellSize, bounds, firstZone = 1 } = options
  if (!(cellSize > 0 && cellSize < Infinity))
    throw new RangeError(`createGrid: cellSize is ${cellSize}: give a length of more than 0.`)
  const [left, top, right, bottom] = bounds ?? [options.x ?? 0, options.y ?? 0, NaN, NaN]
  const columns = bounds ? Math.ceil((right - left) / cellSize) : options.columns!
  const rows = bounds ? Math.ceil((bottom - top) / cellSize) : options.rows!
  for (const [name, cells] of Object.entries({ columns, rows }))
    if (!Number.isInteger(cells) || cells < 1)
      throw new RangeError(
        bounds
          ? `createGrid: bounds are [${bounds.join(', ')}]: give least x, least y, greatest x, greatest y.`
          : `createGrid: ${name} is ${cells}: give a whole number from 1 on, or bounds.`,
      )
  if (!Number.isFinite(left) || !Number.isFinite(top))
    throw new RangeError(`createGrid: the first cell begins at ${left}, ${top}: give two finite numbers.`)
  if (!Number.isInteger(firstZone) || firstZone < 1 || firstZone + columns * rows - 1 > LAST_ZONE)
    throw new RangeError(
      `createGrid: ${columns} x ${rows} cells from zone ${firstZone} on; zones are whole numbers from 1 to ${LAST_ZONE}.`,
    )
  return { cellSize, columns, rows, x: left, y: top, firstZone }
}

/** The index of the cell at a distance from the first one's beginning; beyond the edges, and for NaN, the nearest there is. */
const cellAt = (distance: number, cellSize: number, cells: number): number =>
  Math.min(cells - 1, Math.max(0, Math.floor(distance / cellSize) || 0))

/** The zone at a position; outside the grid, that of the nearest cell. */
export const zoneAt = (grid: Grid, x: number, y: number): number =>
  zoneOfCell(grid, cellAt(x - grid.x, grid.cellSize, grid.columns), cellAt(y - grid.y, grid.cellSize, grid.rows))

/** The zone of a cell that the grid has: `column` 0..columns - 1, `row` 0..rows - 1. */
export const zoneOfCell = (grid: Grid, column: number, row: number): number =>
  grid.firstZone + row * grid.columns + column

/** Whether a zone is one of the grid's, as for the server's `allowZone`. */
export const hasZone = (grid: Grid, zone: number): boolean =>
  zone >= grid.firstZone && zone < grid.firstZone + grid.columns * grid.rows

/** The column and row of a zone that the grid has. */
export const columnOf = (grid: Grid, zone: number): number => (zone - grid.firstZone) % grid.columns
export const rowOf = (grid: Grid, zone: number): number => Math.floor((zone - grid.firstZone) / grid.columns)

/** How far a position is from the stretch of cell `index`, along one axis; at the outer edges a cell goes on for ever. */
const beyond = (at: number, index: number, cells: number, cellSize: number): number =>
  Math.max(index > 0 ? index * cellSize - at : 0, index < cells - 1 ? at - (index + 1) * cellSize : 0, 0)

/**
 * How far a position is outside the cell of a zone of the grid, along x or along y, whichever is more; 0 inside. Cells at
 * the grid's edges reach outwards without end.
 */
export const distanceToZone = (grid: Grid, zone: number, x: number, y: number): number =>
  Math.max(
    beyond(x - grid.x, columnOf(grid, zone), grid.columns, grid.cellSize),
    beyond(y - grid.y, rowOf(grid, zone), grid.rows, grid.cellSize),
  )

/**
 * The zones that come as near to a position as `radius` along x and `radiusY` (default: the same) along y: of all cells
 * that this rectangle touches, row by row. They are added to `zones`, which is returned.
 */
export const zonesAround = (
  grid: Grid,
  x: number,
  y: number,
  radius: number,
  radiusY = radius,
  zones: number[] = [],
): number[] => {
  const { cellSize, columns, rows } = grid
  const left = cellAt(x - radius - grid.x, cellSize, columns)
  const right = cellAt(x + radius - grid.x, cellSize, columns)
  const bottom = cellAt(y + radiusY - grid.y, cellSize, rows)
  for (let row = cellAt(y - radiusY - grid.y, cellSize, rows); row <= bottom; row++)
    for (let column = left; column <= right; column++) zones.push(zoneOfCell(grid, column, row))
  return zones
}

/** A place to look from, and how far, in the grid's units. */
export interface Viewpoint {
  readonly x: number
  readonly y: number
  /** How far one sees along x, and along y if that is different. */
  readonly radius: number
  readonly radiusY?: number
}

/**
 * Brings a set of zones in line with what is seen from some viewpoints: those that come within `radius + margin` of one
 * are added, early; those of the grid that are farther than `radius + 2 * margin` from all are dropped, late. Zones that
 * are not of the grid stay. Returns whether anything changed.
 */
export const followViews = (zones: Set<number>, grid: Grid, views: readonly Viewpoint[], margin: number): boolean => {
  let isChanged = false
  for (const zone of zones) {
    if (!hasZone(grid, zone)) continue
    if (views.some(view => isWithin(grid, zone, view, 2 * margin))) continue
    zones.delete(zone)
    isChanged = true
  }
  for (const { x, y, radius, radiusY = radius } of views)
    for (const zone of zonesAround(grid, x, y, radius + margin, radiusY + margin)) {
      if (zones.has(zone)) continue
      zones.add(zone)
      isChanged = true
    }
  return isChanged
}

const isWithin = (grid: Grid, zone: number, { x, y, radius, radiusY = radius }: Viewpoint, more: number): boolean =>
  beyond(x - grid.x, columnOf(grid, zone), grid.columns, grid.cellSize) <= radius + more &&
  beyond(y - grid.y, rowOf(grid, zone), grid.rows, grid.cellSize) <= radiusY + more
