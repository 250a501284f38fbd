import type { Point } from '../garden.ts'

const KEYS: Record<string, readonly [number, number]> = {
  KeyW: [0, -1],
  KeyA: [-1, 0],
  KeyS: [0, 1],
  KeyD: [1, 0],
  ArrowUp: [0, -1],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowRight: [1, 0],
}

/** The stick's reach in pixels; a shorter touch is a tap. */
const STICK = 46
const TAP = 10
/** Near enough to where it was to walk, in units. */
const ARRIVED = 3
/** Gives up on a target after this many seconds without getting nearer. */
const PATIENCE = 0.6

/** Keys, mouse and touch on `surface`, as one wish to walk. */
export function createControls(surface: HTMLElement, stick: HTMLElement, toGarden: (x: number, y: number) => Point) {
  const held = new Set<string>()
  const wish = { x: 0, y: 0 }
  let target: Point | undefined
  let pointer:
    | { id: number; startX: number; startY: number; x: number; y: number; touch: boolean; stick: boolean }
    | undefined
  let closest = Infinity
  let stuckFor = 0

  const typing = (event: KeyboardEvent): boolean =>
    event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey

  window.addEventListener('keydown', event => {
    if (typing(event) || !(event.code in KEYS)) return
    held.add(event.code)
    target = undefined
    if (event.code.startsWith('Arrow')) event.preventDefault()
  })
  window.addEventListener('keyup', event => held.delete(event.code))
  window.addEventListener('blur', () => held.clear())

  surface.addEventListener('pointerdown', event => {
    if (event.button !== 0 || pointer) return
    surface.focus({ preventScroll: true })
    surface.setPointerCapture(event.pointerId)
    pointer = {
      id: event.pointerId,
      startX: event.clientX,
      startY: event.clientY,
      x: event.clientX,
      y: event.clientY,
      touch: event.pointerType !== 'mouse',
      stick: false,
    }
    event.preventDefault()
  })

  surface.addEventListener('pointermove', event => {
    if (pointer?.id !== event.pointerId) return
    pointer.x = event.clientX
    pointer.y = event.clientY
    const far = Math.hypot(pointer.x - pointer.startX, pointer.y - pointer.startY) > TAP
    if (pointer.touch && far) {
      pointer.stick = true
      target = undefined
    }
    showStick()
  })

  const release = (event: PointerEvent): void => {
    if (pointer?.id !== event.pointerId) return
    if (event.type === 'pointerup' && !pointer.stick) walkTo(toGarden(pointer.x, pointer.y))
    pointer = undefined
    showStick()
  }
  surface.addEventListener('pointerup', release)
  surface.addEventListener('pointercancel', release)

  function showStick(): void {
    stick.hidden = !pointer?.stick
    if (!pointer?.stick) return
    const dx = pointer.x - pointer.startX
    const dy = pointer.y - pointer.startY
    const scale = Math.min(1, STICK / Math.hypot(dx, dy))
    stick.style.transform = `translate(${pointer.startX}px, ${pointer.startY}px)`
    stick.style.setProperty('--knob', `translate(${dx * scale}px, ${dy * scale}px)`)
  }

  function walkTo(point: Point): void {
    target = { x: point.x, y: point.y }
    closest = Infinity
    stuckFor = 0
  }

  function towards(me: Point, point: Point, dt: number): void {
    const dx = point.x - me.x
    const dy = point.y - me.y
    const distance = Math.hypot(dx, dy)
    stuckFor = distance < closest - 0.2 ? 0 : stuckFor + dt
    closest = Math.min(closest, distance)
    if (distance < ARRIVED || stuckFor > PATIENCE) {
      target = undefined
      return
    }
    wish.x = dx / distance
    wish.y = dy / distance
  }

  /** Which way to walk from `me`: a vector of at most length 1, the same object each time. */
  function direction(me: Point, dt: number): Point {
    wish.x = 0
    wish.y = 0
    for (const code of held) {
      wish.x += KEYS[code]![0]
      wish.y += KEYS[code]![1]
    }
    const length = Math.hypot(wish.x, wish.y)
    if (length > 0) {
      wish.x /= length
      wish.y /= length
      return wish
    }
    if (pointer?.stick) {
      const dx = pointer.x - pointer.startX
      const dy = pointer.y - pointer.startY
      const reach = Math.max(STICK, Math.hypot(dx, dy))
      wish.x = dx / reach
      wish.y = dy / reach
      return wish
    }
    if (pointer && !pointer.touch) walkTo(toGarden(pointer.x, pointer.y))
    if (target) towards(me, target, dt)
    return wish
  }

  return {
    direction,
    walkTo,
    get target() {
      return target
    },
  }
}
