import { Texture } from 'pixi.js'

/** Texture pixels per garden unit. */
const DETAIL = 4

export interface Picture {
  texture: Texture
  /** Where the foot of the thing is, as fractions of the texture. */
  anchorX: number
  anchorY: number
  /** Sprite scale at which one texture pixel is drawn in garden units. */
  scale: number
}

export type Draw = (context: CanvasRenderingContext2D) => void

/** A canvas whose origin is the middle of its foot; lengths are units. */
export function canvasOf(
  width: number,
  height: number,
  draw: Draw,
  foot = height * 0.85,
  detail = DETAIL,
): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * detail)
  canvas.height = Math.ceil(height * detail)
  const context = canvas.getContext('2d')!
  context.scale(detail, detail)
  context.translate(width / 2, foot)
  context.lineJoin = 'round'
  context.lineCap = 'round'
  draw(context)
  return canvas
}

export function picture(width: number, height: number, draw: Draw, foot = height * 0.85, detail = DETAIL): Picture {
  const texture = Texture.from(canvasOf(width, height, draw, foot, detail))
  return { texture, anchorX: 0.5, anchorY: foot / height, scale: 1 / detail }
}

export interface Cut {
  /** Blur and drop of the shadow it casts on the paper below, in units; 0 for none. */
  lift?: number
  /** Opacity of the light along its edge. */
  rim?: number
}

/** One piece of cut paper: flat colour, a soft shadow below it, light from above along its edge. */
export function cut(
  context: CanvasRenderingContext2D,
  path: Path2D,
  colour: string,
  { lift = 1.2, rim = 0.35 }: Cut = {},
): void {
  const scale = Math.abs(context.getTransform().a)
  context.save()
  context.shadowColor = 'rgba(38, 22, 66, 0.42)'
  context.shadowBlur = lift * 1.6 * scale
  context.shadowOffsetY = lift * scale
  context.fillStyle = colour
  context.fill(path)
  context.restore()
  context.save()
  context.clip(path)
  context.strokeStyle = `rgba(255, 240, 214, ${rim})`
  context.lineWidth = 1
  context.translate(0, 0.35)
  context.stroke(path)
  context.restore()
}

export function ellipse(x: number, y: number, rx: number, ry = rx, turn = 0): Path2D {
  const path = new Path2D()
  path.ellipse(x, y, rx, ry, turn, 0, Math.PI * 2)
  return path
}

export function polygon(points: readonly (readonly [number, number])[]): Path2D {
  const path = new Path2D()
  for (const [x, y] of points) path.lineTo(x, y)
  path.closePath()
  return path
}

/** A closed curve through the middles of the given corners: a hand-cut blob. */
export function blob(points: readonly (readonly [number, number])[]): Path2D {
  const path = new Path2D()
  const last = points[points.length - 1]!
  const first = points[0]!
  path.moveTo((last[0] + first[0]) / 2, (last[1] + first[1]) / 2)
  for (let n = 0; n < points.length; n++) {
    const [x, y] = points[n]!
    const [nextX, nextY] = points[(n + 1) % points.length]!
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2)
  }
  path.closePath()
  return path
}

/** Numbers from 0 to 1 that are the same on every screen for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Mixes two 0xrrggbb colours. */
export function mix(from: number, to: number, amount: number): number {
  let mixed = 0
  for (let shift = 16; shift >= 0; shift -= 8) {
    const a = (from >> shift) & 255
    const b = (to >> shift) & 255
    mixed |= Math.round(a + (b - a) * amount) << shift
  }
  return mixed
}
