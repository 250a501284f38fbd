import { createGrid } from 'bitecs-pipes'

/** What both ends know of the garden. Lengths are garden units, angles degrees, times seconds. */

export const SIZE = 1600
/** Plots across and down; each plot is a zone. */
export const PLOTS = 8
export const PLOT = SIZE / PLOTS

/** The zone of the `Lobby` object; everybody is interested in it. */
export const LOBBY_ZONE = 1
/** The plots as zones. */
export const GRID = createGrid({ cellSize: PLOT, columns: PLOTS, rows: PLOTS, firstZone: 10 })

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
