/** Pixels between the panel and the edge of the page. */
const MARGIN = 8
/** Pixels that a pointer moves before it drags: less is a click. */
const SLACK = 4

type Corner = 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right'

/** Lets what is in a shadow root be dragged about the page by its header, or as a whole when it is a button. */
export const makeDraggable = (root: ShadowRoot, corner: Corner) => {
  let isRight = corner.endsWith('right')
  let isBottom = corner.startsWith('bottom')
  // From the nearest edges, so that it stays there when the page, or it itself, changes its size.
  let x = MARGIN
  let y = MARGIN
  let placed: HTMLElement | null = null

  const place = (element: HTMLElement | null): void => {
    placed = element
    if (!element) return
    const { style, offsetWidth, offsetHeight } = element
    const mostX = Math.max(MARGIN, innerWidth - offsetWidth - MARGIN)
    const mostY = Math.max(MARGIN, innerHeight - offsetHeight - MARGIN)
    const left = Math.max(MARGIN, Math.min(mostX, x))
    const top = Math.max(MARGIN, Math.min(mostY, y))
    style.left = isRight ? 'auto' : `${left}px`
    style.right = isRight ? `${left}px` : 'auto'
    style.top = isBottom ? 'auto' : `${top}px`
    style.bottom = isBottom ? `${top}px` : 'auto'
  }

  const moveTo = (left: number, top: number): void => {
    if (!placed) return
    const { offsetWidth, offsetHeight } = placed
    isRight = left + offsetWidth / 2 > innerWidth / 2
    isBottom = top + offsetHeight / 2 > innerHeight / 2
    x = isRight ? innerWidth - left - offsetWidth : left
    y = isBottom ? innerHeight - top - offsetHeight : top
    place(placed)
  }

  root.addEventListener('pointerdown', event => {
    const down = event as PointerEvent
    const target = down.target as Element
    const handle = target.closest('.pill') ?? (target.closest('button') ? null : target.closest('header'))
    if (!placed || !handle || down.button !== 0) return
    const { left, top } = placed.getBoundingClientRect()
    const [fromX, fromY] = [down.clientX, down.clientY]
    let isDragged = false
    const move = (moved: PointerEvent): void => {
      const [dx, dy] = [moved.clientX - fromX, moved.clientY - fromY]
      isDragged ||= Math.hypot(dx, dy) > SLACK
      if (isDragged) moveTo(left + dx, top + dy)
    }
    const end = (): void => {
      removeEventListener('pointermove', move)
      removeEventListener('pointerup', end)
      removeEventListener('pointercancel', end)
      if (!isDragged) return
      // It is no click at the end of a drag.
      const swallow = (click: Event): void => click.stopPropagation()
      root.addEventListener('click', swallow, true)
      setTimeout(() => root.removeEventListener('click', swallow, true))
    }
    addEventListener('pointermove', move)
    addEventListener('pointerup', end)
    addEventListener('pointercancel', end)
  })
  return { place }
}
