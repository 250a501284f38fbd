/** What both ends know of the garden. Lengths are garden units, angles degrees, times seconds. */

export const SIZE = 1600
/** Plots across and down; each plot is a zone. */
export const PLOTS = 8
export const PLOT = SIZE / PLOTS

/** The zone of the `Lobby` object; everybody is interested in it. */
export const LOBBY_ZONE = 1
const FIRST_PLOT_ZONE = 10
export const LAST_ZONE = FIRST_PLOT_ZONE + PLOTS * PLOTS - 1

export const WALK_SPEED = 120
export const NAME_LENGTH = 24
export const CHAT_LENGTH = 200
export const LOOKS = 8
export const NPC_KINDS = 6

/** How near to the hedge around the garden anyone can walk. */
const HEDGE = 14

export const PLAZA = { x: SIZE / 2, y: SIZE / 2, radius: 92 }

export interface Circle {
  x: number
  y: number
  radius: number
}

export interface Point {
  x: number
  y: number
}

const pond = (column: number, row: number, dx: number, dy: number, radius: number): Circle => ({
  x: (column + 0.5) * PLOT + dx,
  y: (row + 0.5) * PLOT + dy,
  radius,
})

export const PONDS: readonly Circle[] = [
  pond(1, 1, 0, 4, 58),
  pond(5, 0, -4, 0, 52),
  pond(6, 2, 2, 2, 60),
  pond(2, 3, -8, -6, 48),
  pond(5, 4, 6, 8, 56),
  pond(1, 5, 4, 0, 60),
  pond(3, 6, 0, -4, 54),
  pond(7, 6, 0, 6, 50),
]

/** Everything that nobody walks through: the ponds and the foot of the great lantern. */
const OBSTACLES: readonly Circle[] = [...PONDS, { x: PLAZA.x, y: PLAZA.y, radius: 20 }]

const column = (units: number): number => Math.min(PLOTS - 1, Math.max(0, Math.floor(units / PLOT)))

export const zoneOfPlot = (x: number, y: number): number => FIRST_PLOT_ZONE + y * PLOTS + x
export const zoneAt = (x: number, y: number): number => zoneOfPlot(column(x), column(y))
export const isPlotZone = (zone: number): boolean => zone >= FIRST_PLOT_ZONE && zone <= LAST_ZONE

export interface Plot {
  column: number
  row: number
}

export const plotOfZone = (zone: number): Plot => ({
  column: (zone - FIRST_PLOT_ZONE) % PLOTS,
  row: Math.floor((zone - FIRST_PLOT_ZONE) / PLOTS),
})

/** The distance from a point to the nearest point of a plot; 0 within it. */
export function distanceToZone(zone: number, x: number, y: number): number {
  const plot = plotOfZone(zone)
  const dx = Math.max(plot.column * PLOT - x, 0, x - (plot.column + 1) * PLOT)
  const dy = Math.max(plot.row * PLOT - y, 0, y - (plot.row + 1) * PLOT)
  return Math.hypot(dx, dy)
}

/** The nearest point that can be stood on: inside the hedge, outside the water. Writes to `point`. */
export function keepInGarden(point: Point): void {
  for (const obstacle of OBSTACLES) {
    const dx = point.x - obstacle.x
    const dy = point.y - obstacle.y
    const distance = Math.hypot(dx, dy)
    if (distance >= obstacle.radius) continue
    const push = distance > 0 ? obstacle.radius / distance : 0
    point.x = obstacle.x + (push ? dx * push : obstacle.radius)
    point.y = obstacle.y + dy * push
  }
  point.x = Math.min(SIZE - HEDGE, Math.max(HEDGE, point.x))
  point.y = Math.min(SIZE - HEDGE, Math.max(HEDGE, point.y))
}

/** Degrees, 0 to 360, clockwise from east as the garden is drawn (y grows to the south). */
export const headingOf = (dx: number, dy: number): number => ((Math.atan2(dy, dx) * 180) / Math.PI + 360) % 360
