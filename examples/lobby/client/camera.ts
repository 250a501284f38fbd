import { PLAZA, SIZE, type Point } from '../garden.ts'
import type { View } from './stage.ts'

/** The most of the garden that the usual view shows, in units. */
const WIDEST = 860
const TALLEST = 640
/** How far beyond the garden's edge the view goes, in units. */
const OVER_EDGE = 84
/** How quickly the camera follows: the part of the way per second, as a rate. */
const FOLLOW = 5
const ZOOM = 4

/** A camera that follows a point smoothly, or shows the whole garden. */
export function createCamera(calm: boolean) {
  const view: View = { x: PLAZA.x, y: PLAZA.y, zoom: 1.5, width: 1, height: 1 }
  let started = false
  let zoomed = false

  /** Pixels per unit of the usual view. */
  const usualZoom = (): number => Math.max(view.width / WIDEST, view.height / TALLEST, 1.15)
  const wholeZoom = (): number => Math.min(view.width, view.height) / (SIZE + 130)

  const clamp = (at: number, screen: number, zoom: number): number => {
    const half = screen / zoom / 2
    const low = half - OVER_EDGE
    const high = SIZE + OVER_EDGE - half
    return low > high ? SIZE / 2 : Math.min(high, Math.max(low, at))
  }

  function follow(point: Point, whole: boolean, dt: number): void {
    const zoom = whole ? wholeZoom() : usualZoom()
    const x = clamp(point.x, view.width, zoom)
    const y = clamp(point.y, view.height, zoom)
    const far = Math.hypot(x - view.x, y - view.y) > 500 && !whole && !zoomed
    zoomed = whole || (zoomed && Math.abs(view.zoom / zoom - 1) > 0.02)
    if (!started || calm || far) {
      view.x = x
      view.y = y
      view.zoom = zoom
      started = true
      return
    }
    const move = 1 - Math.exp(-FOLLOW * dt)
    view.x += (x - view.x) * move
    view.y += (y - view.y) * move
    view.zoom *= (zoom / view.zoom) ** (1 - Math.exp(-ZOOM * dt))
  }

  /** Starts from farther away, for an entrance. */
  function arrive(): void {
    if (!calm) view.zoom *= 0.7
  }

  function resize(width: number, height: number): void {
    view.width = width
    view.height = height
    started = false
  }

  return { view, follow, arrive, resize, usualZoom }
}
