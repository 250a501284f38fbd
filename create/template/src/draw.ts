import { hasComponent, query, type World } from 'bitecs'
import { Alive, Owned } from 'bitecs-pipes/client'
import { Firefly, Player } from './game.dc'
import { SIZE } from './meadow.ts'

const canvas = document.querySelector('canvas')!
const context = canvas.getContext('2d')!
const sparks: { x: number; y: number; hue: number; born: number }[] = []
const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
const { x, y } = Player.position
/** Screen pixels of a unit of the meadow. */
let scale = 1

/** Gives the canvas as many pixels as it has on the screen. */
new ResizeObserver(() => {
  canvas.width = canvas.height = canvas.clientWidth * devicePixelRatio
  scale = canvas.width / SIZE
}).observe(canvas)

export const sparkle = (atX: number, atY: number, hue: number): void => {
  sparks.push({ x: atX, y: atY, hue, born: performance.now() })
}

export const colourOf = (player: number): string => `hsl(${Player.hue[player]} 90% 78%)`

const disc = (atX: number, atY: number, radius: number): void => {
  context.beginPath()
  context.arc(atX, atY, radius, 0, 2 * Math.PI)
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
    else glow(x, y, isCalm ? 60 : 40 + age * 80, `hsl(${hue} 90% 70% / ${Math.max(0, 1 - age)})`)
  }
}

export const draw = (world: World, now: number): void => {
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.clearRect(0, 0, canvas.width, canvas.height)
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.globalCompositeOperation = 'lighter'
  for (const eid of query(world, [Firefly, Alive])) {
    const beat = isCalm ? 0.8 : 0.65 + 0.35 * Math.sin(now / 400 + eid)
    glow(x[eid]!, y[eid]!, 30, `hsl(55 90% 65% / ${beat})`)
    context.fillStyle = '#ffe9a0'
    disc(x[eid]!, y[eid]!, 4)
    context.fill()
  }
  const players = query(world, [Player, Alive])
  for (const eid of players) glow(x[eid]!, y[eid]!, 70, `hsl(${Player.hue[eid]} 80% 60% / 0.8)`)
  drawSparks(now)
  context.globalCompositeOperation = 'source-over'
  // Names stay readable on a small screen, and inside the meadow.
  const size = Math.max(20, (13 * devicePixelRatio) / scale)
  context.font = `600 ${size}px system-ui, sans-serif`
  context.textAlign = 'center'
  for (const eid of players) {
    context.fillStyle = context.strokeStyle = colourOf(eid)
    disc(x[eid]!, y[eid]!, 10)
    context.fill()
    if (hasComponent(world, eid, Owned)) {
      disc(x[eid]!, y[eid]!, 18)
      context.lineWidth = 3
      context.stroke()
    }
    const half = context.measureText(Player.name[eid]!).width / 2
    const nameX = Math.min(SIZE - half - 8, Math.max(half + 8, x[eid]!))
    context.fillText(Player.name[eid]!, nameX, y[eid]! < 60 ? y[eid]! + 24 + size : y[eid]! - 28)
  }
}

/** A place in the window as one in the meadow. */
export const toMeadow = (clientX: number, clientY: number): { x: number; y: number } => {
  const { left, top, width, height } = canvas.getBoundingClientRect()
  const inside = (share: number): number => Math.min(SIZE, Math.max(0, share * SIZE))
  return { x: inside((clientX - left) / width), y: inside((clientY - top) / height) }
}
