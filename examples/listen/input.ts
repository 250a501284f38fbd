import { FIELD } from './field.ts'

const KEYS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}
/** Pixels of the field that keys move a dot in a second. */
const SPEED = 320

/** Has mouse, finger and arrow keys move `goal`, a place on the field. Returns what keys need each frame, with its seconds. */
export const watchInput = (canvas: HTMLCanvasElement, goal: { x: number; y: number }) => {
  const held = new Set<string>()
  addEventListener('keydown', event => {
    if (!(event.code in KEYS)) return
    held.add(event.code)
    event.preventDefault()
  })
  addEventListener('keyup', event => held.delete(event.code))
  addEventListener('blur', () => held.clear())

  const move = (x: number, y: number): void => {
    goal.x = Math.min(FIELD.width, Math.max(0, x))
    goal.y = Math.min(FIELD.height, Math.max(0, y))
  }
  for (const type of ['pointerdown', 'pointermove'] as const)
    canvas.addEventListener(type, event => {
      const { left, top, width, height } = canvas.getBoundingClientRect()
      move(((event.clientX - left) / width) * FIELD.width, ((event.clientY - top) / height) * FIELD.height)
    })

  return (seconds: number): void => {
    for (const code of held) move(goal.x + KEYS[code]![0] * SPEED * seconds, goal.y + KEYS[code]![1] * SPEED * seconds)
  }
}
