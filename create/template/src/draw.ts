import { Player } from './game.dc'
import { SIZE } from './meadow.ts'

const canvas = document.querySelector('canvas')!
const context = canvas.getContext('2d')!
const sparks: { x: number; y: number; hue: number; born: number }[] = []
const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
const { x, y } = Player.position
/** Pixels of a unit of the meadow, and where its corner is. */
const view = { scale: 1, left: 0, top: 0 }

/** Fits the whole meadow into the window. */
export const resize = (): void => {
  canvas.width = innerWidth * devicePixelRatio
  canvas.height = innerHeight * devicePixelRatio
  view.scale = Math.min(canvas.width, canvas.height) / SIZE
  view.left = (canvas.width - SIZE * view.scale) / 2
  view.top = (canvas.height - SIZE * view.scale) / 2
}

/** A place in the window as one in the meadow. */
export const toMeadow = (clientX: number, clientY: number): { x: number; y: number } => ({
  x: Math.min(SIZE, Math.max(0, (clientX * devicePixelRatio - view.left) / view.scale)),
  y: Math.min(SIZE, Math.max(0, (clientY * devicePixelRatio - view.top) / view.scale)),
})

export const sparkle = (atX: number, atY: number, hue: number): void => {
  sparks.push({ x: atX, y: atY, hue, born: performance.now() })
}

const glow = (atX: number, atY: number, radius: number, colour: string): void => {
  const light = context.createRadialGradient(atX, atY, 0, atX, atY, radius)
  light.addColorStop(0, colour)
  light.addColorStop(1, 'transparent')
  context.fillStyle = light
  context.fillRect(atX - radius, atY - radius, radius * 2, radius * 2)
}

const drawSparks = (now: number): void => {
  for (let index = sparks.length - 1; index >= 0; index--) {
    const { x, y, hue, born } = sparks[index]!
    const age = (now - born) / 600
    if (age > 1) sparks.splice(index, 1)
    else glow(x, y, isCalm ? 40 : 40 + age * 80, `hsl(${hue} 90% 70% / ${Math.max(0, 1 - age)})`)
  }
}

export const draw = (fireflies: Iterable<number>, players: Iterable<number>, now: number): void => {
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.fillStyle = '#0b1410'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.setTransform(view.scale, 0, 0, view.scale, view.left, view.top)
  context.fillStyle = '#122019'
  context.beginPath()
  context.roundRect(0, 0, SIZE, SIZE, 24)
  context.fill()
  context.globalCompositeOperation = 'lighter'
  for (const eid of fireflies) {
    const beat = isCalm ? 0.8 : 0.65 + 0.35 * Math.sin(now / 400 + eid)
    glow(x[eid]!, y[eid]!, 26, `hsl(55 90% 65% / ${beat})`)
  }
  for (const eid of players) glow(x[eid]!, y[eid]!, 70, `hsl(${Player.hue[eid]} 80% 60% / 0.8)`)
  drawSparks(now)
  context.globalCompositeOperation = 'source-over'
  // Names stay readable on a small screen.
  const size = Math.max(18, (13 * devicePixelRatio) / view.scale)
  context.font = `600 ${size}px system-ui, sans-serif`
  context.textAlign = 'center'
  for (const eid of players) {
    context.fillStyle = `hsl(${Player.hue[eid]} 90% 90%)`
    context.beginPath()
    context.arc(x[eid]!, y[eid]!, 9, 0, 2 * Math.PI)
    context.fill()
    context.fillText(`${Player.name[eid]}  ${Player.score[eid]}`, x[eid]!, y[eid]! - 24)
  }
}
