import { FORCE } from '../scene.ts'

const KEYS: Record<string, readonly [number, number]> = {
  KeyW: [0, 1],
  ArrowUp: [0, 1],
  KeyS: [0, -1],
  ArrowDown: [0, -1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
}
const PULL = ['Space']
const PUSH = ['KeyE']
/** How far the stick is dragged for full speed, CSS pixels. */
const STICK = 56

interface Elements {
  readonly field: HTMLElement
  readonly stick: HTMLElement
  readonly pull: HTMLButtonElement
  readonly push: HTMLButtonElement
}

/** Keyboard, a stick wherever the field is dragged, and two buttons that are held. */
export const createControls = ({ field, stick, pull, push }: Elements) => {
  const held = new Set<string>()
  const drag = { pointer: -1, fromX: 0, fromY: 0, x: 0, y: 0 }
  let hasActed = false

  const isTyping = (target: EventTarget | null): boolean =>
    target instanceof HTMLInputElement || target instanceof HTMLButtonElement

  addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    // Buttons and switches keep the keys that work them.
    if (isTyping(event.target) && /^(Space|Enter|Arrow)/.test(event.code)) return
    if (!(event.code in KEYS) && !PULL.includes(event.code) && !PUSH.includes(event.code)) return
    event.preventDefault()
    held.add(event.code)
    hasActed = true
  })
  addEventListener('keyup', event => held.delete(event.code))
  addEventListener('blur', () => held.clear())

  field.addEventListener('pointerdown', event => {
    if (drag.pointer >= 0 || event.button !== 0) return
    field.setPointerCapture(event.pointerId)
    Object.assign(drag, { pointer: event.pointerId, fromX: event.clientX, fromY: event.clientY, x: 0, y: 0 })
    stick.style.translate = `${event.clientX}px ${event.clientY}px`
    stick.hidden = false
    moveKnob()
  })
  field.addEventListener('pointermove', event => {
    if (event.pointerId !== drag.pointer) return
    const x = (event.clientX - drag.fromX) / STICK
    const y = (drag.fromY - event.clientY) / STICK
    const shrink = 1 / Math.max(1, Math.hypot(x, y))
    drag.x = x * shrink
    drag.y = y * shrink
    hasActed ||= Math.hypot(x, y) > 0.2
    moveKnob()
  })
  const release = (event: PointerEvent): void => {
    if (event.pointerId !== drag.pointer) return
    Object.assign(drag, { pointer: -1, x: 0, y: 0 })
    stick.hidden = true
  }
  field.addEventListener('pointerup', release)
  field.addEventListener('pointercancel', release)
  const knob = stick.firstElementChild as HTMLElement
  const moveKnob = (): void => {
    knob.style.translate = `${drag.x * STICK}px ${-drag.y * STICK}px`
  }

  for (const button of [pull, push]) {
    const hold = (isHeld: boolean): void => {
      held[isHeld ? 'add' : 'delete'](button.id)
      button.setAttribute('aria-pressed', String(isHeld))
      hasActed ||= isHeld
    }
    button.addEventListener('pointerdown', event => {
      button.setPointerCapture(event.pointerId)
      hold(true)
    })
    button.addEventListener('pointerup', () => hold(false))
    button.addEventListener('pointercancel', () => hold(false))
    button.addEventListener('keydown', event => {
      if (event.code === 'Space' || event.code === 'Enter') hold(true)
    })
    button.addEventListener('keyup', () => hold(false))
    button.addEventListener('blur', () => hold(false))
    button.addEventListener('contextmenu', event => event.preventDefault())
  }

  return {
    /** Whether the player has found out how. */
    get hasActed() {
      return hasActed
    },
    /** What is wanted now, in the scene's directions: y is away from the camera. */
    read(): { x: number; y: number; force: number } {
      let { x, y } = drag
      for (const code of held) {
        x += KEYS[code]?.[0] ?? 0
        y += KEYS[code]?.[1] ?? 0
      }
      const shrink = 1 / Math.max(1, Math.hypot(x, y))
      const isHeld = (codes: readonly string[]): boolean => codes.some(code => held.has(code))
      const force = isHeld([...PULL, pull.id]) ? FORCE.pull : isHeld([...PUSH, push.id]) ? FORCE.push : FORCE.none
      return { x: x * shrink, y: y * shrink, force }
    },
  }
}

/** Drives by itself: between chosen points, and pulls for five of nine seconds. `at` in metres, `time` in seconds. */
export const createAutopilot = () => {
  const goal = { x: 0, y: 0, until: 0 }
  return (at: { x: number; y: number }, time: number): { x: number; y: number; force: number } => {
    if (time > goal.until || Math.hypot(goal.x - at.x, goal.y - at.y) < 1.5)
      Object.assign(goal, { x: (Math.random() - 0.5) * 26, y: (Math.random() - 0.5) * 26, until: time + 4 })
    const x = goal.x - at.x
    const y = goal.y - at.y
    const length = Math.hypot(x, y) || 1
    return { x: x / length, y: y / length, force: time % 9 < 5 ? FORCE.pull : FORCE.none }
  }
}
