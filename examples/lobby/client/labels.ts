import { cloakColour } from './critters.ts'
import { toScreen, type View } from './stage.ts'

interface Label {
  root: HTMLElement
  bubble: HTMLElement
  emote: HTMLElement
  own: boolean
  /** Half the width of the open bubble, in pixels. */
  half: number
  /** Seconds until the bubble closes. */
  closing: number
}

/** The emotes; the index is the `kind` of `Avatar.emote`, and of the `#emote-` symbol in the page. */
export const EMOTES = ['Wave', 'Love', 'Laugh', 'Surprise'] as const

const element = (tag: string, className: string, text = ''): HTMLElement => {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  return made
}

/** Name tags, speech bubbles and emotes: page elements that follow what they belong to. */
export function createLabels(host: HTMLElement) {
  const labels = new Map<number, Label>()

  function add(eid: number, name: string, look: number, own: boolean): void {
    remove(eid)
    const root = element('div', own ? 'label own' : 'label')
    root.style.setProperty('--cloak', cloakColour(look))
    const bubble = element('p', 'bubble')
    const emote = element('span', 'emote')
    bubble.hidden = true
    const tag = element('span', 'tag', name)
    root.append(tag, bubble, emote)
    host.append(root)
    labels.set(eid, { root, bubble, emote, own, half: 0, closing: 0 })
  }

  function remove(eid: number): void {
    labels.get(eid)?.root.remove()
    labels.delete(eid)
  }

  function say(eid: number, text: string): void {
    const label = labels.get(eid)
    if (!label) return
    label.bubble.textContent = text
    label.bubble.hidden = false
    label.half = label.bubble.offsetWidth / 2
    restart(label.bubble, 'open')
    label.closing = 3.5 + Math.min(5, text.length * 0.05)
  }

  function emote(eid: number, kind: number): void {
    const label = labels.get(eid)
    if (!label || kind >= EMOTES.length) return
    label.emote.innerHTML = `<svg aria-hidden="true"><use href="#emote-${kind}" /></svg>`
    restart(label.emote, 'play')
  }

  /** A note that floats up from a place in the garden. */
  function note(view: View, x: number, y: number): void {
    const at = toScreen(view, x, y)
    const made = element('span', 'note', '♪')
    made.style.left = `${at.x}px`
    made.style.top = `${at.y}px`
    made.addEventListener('animationend', () => made.remove())
    host.append(made)
  }

  function restart(target: HTMLElement, animation: string): void {
    target.classList.remove(animation)
    void target.offsetWidth
    target.classList.add(animation)
  }

  /** Puts a label over the head of what stands at (x, y) in the garden. */
  function move(eid: number, view: View, x: number, y: number, dozing: boolean, dt: number): void {
    const label = labels.get(eid)
    if (!label) return
    const at = toScreen(view, x, y - 47)
    label.root.style.transform = `translate(${at.x.toFixed(1)}px, ${at.y.toFixed(1)}px)`
    label.root.style.zIndex = String(Math.round(y) + (label.own ? 5000 : label.closing > 0 ? 2500 : 0))
    label.root.classList.toggle('dozing', dozing)
    label.root.classList.toggle('far', view.zoom < 0.8)
    if (label.closing > 0) {
      // Kept within the page, unless its speaker is well outside.
      const shift = Math.min(0, view.width - 8 - label.half - at.x) + Math.max(0, 8 + label.half - at.x)
      label.bubble.style.setProperty(
        '--shift',
        `${Math.max(20 - label.half, Math.min(label.half - 20, shift)).toFixed(1)}px`,
      )
    }
    if (label.closing > 0 && (label.closing -= dt) <= 0) label.bubble.hidden = true
  }

  function clear(): void {
    for (const eid of labels.keys()) remove(eid)
    host.replaceChildren()
  }

  return { add, remove, say, emote, note, move, clear }
}

export type Labels = ReturnType<typeof createLabels>
