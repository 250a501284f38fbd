import { SIZE, SPEED } from './meadow.ts'
import { toMeadow } from './draw.ts'

const KEYS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  KeyA: [-1, 0],
  KeyD: [1, 0],
  KeyW: [0, -1],
  KeyS: [0, 1],
}

const pressed = new Set<string>()
/** Where pointer or finger wants the player to be. */
let target: { x: number; y: number } | undefined

export const watchInput = (canvas: HTMLCanvasElement): void => {
  addEventListener('keydown', event => {
    if (!(event.code in KEYS) || event.target instanceof HTMLInputElement) return
    event.preventDefault()
    pressed.add(event.code)
    target = undefined
  })
  addEventListener('keyup', event => pressed.delete(event.code))
  addEventListener('blur', () => pressed.clear())
  for (const type of ['pointerdown', 'pointermove'] as const)
    canvas.addEventListener(type, event => (target = toMeadow(event.clientX, event.clientY)))
  // Who touched it is done writing the name: the keys move the player again.
  canvas.addEventListener('pointerdown', () => (document.activeElement as HTMLElement | null)?.blur())
}

/** Moves an entity by what is pressed, or towards the pointer. */
export const moveBy = (position: { x: Float32Array; y: Float32Array }, eid: number, seconds: number): void => {
  let dx = 0
  let dy = 0
  for (const code of pressed) {
    dx += KEYS[code]![0]
    dy += KEYS[code]![1]
  }
  let step = SPEED * seconds
  if (pressed.size === 0 && target) {
    dx = target.x - position.x[eid]!
    dy = target.y - position.y[eid]!
    step = Math.min(step, Math.hypot(dx, dy))
  }
  const length = Math.hypot(dx, dy)
  if (length === 0) return
  position.x[eid] = Math.min(SIZE, Math.max(0, position.x[eid]! + (dx / length) * step))
  position.y[eid] = Math.min(SIZE, Math.max(0, position.y[eid]! + (dy / length) * step))
}
