import type { ClientStats } from 'bitecs-pipes/client'
import { cloakColour } from './critters.ts'

const LOG_LINES = 60
const TOAST_SECONDS = 4
const TOASTS = 4
const HISTORY = 60

export const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T

const milliseconds = (seconds: number): string => `${Math.round(seconds * 1000)} ms`
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB/s`

/** The panel in the corner: how the connection is doing, in plain numbers. */
export function createPanel() {
  const panel = byId('wire')
  const toggle = byId<HTMLButtonElement>('wire-toggle')
  const chip = byId('wire-chip')
  const chart = byId<HTMLCanvasElement>('wire-chart')
  const history: number[] = []

  const open = (isOpen: boolean): void => {
    panel.classList.toggle('closed', !isOpen)
    toggle.setAttribute('aria-expanded', String(isOpen))
  }
  toggle.addEventListener('click', () => open(panel.classList.contains('closed')))
  open(!matchMedia('(max-width: 700px), (max-height: 560px)').matches)

  const set = (name: string, value: string): void => {
    const cell = panel.querySelector(`[data-stat='${name}']`)
    if (cell && cell.textContent !== value) cell.textContent = value
  }

  function show(stats: Readonly<ClientStats>): void {
    set('rtt', milliseconds(stats.rtt))
    set('loss', `${(stats.loss * 100).toFixed(1)} %`)
    set('in', kilobytes(stats.bytesInPerSecond))
    set('out', kilobytes(stats.bytesOutPerSecond))
    set('snapshots', `${Math.round(stats.packetsInPerSecond)} /s`)
    set('playout', milliseconds(stats.playoutDelay))
    set('objects', String(stats.objects))
    chip.textContent = milliseconds(stats.rtt)
    chip.dataset.health = stats.loss > 0.05 || stats.rtt > 0.25 ? 'poor' : stats.rtt > 0.12 ? 'fair' : 'good'
    history.push(stats.bytesInPerSecond)
    if (history.length > HISTORY) history.shift()
    drawChart()
  }

  function drawChart(): void {
    const context = chart.getContext('2d')!
    const { width, height } = chart
    const top = Math.max(4000, ...history) * 1.15
    const x = (n: number): number => width - ((history.length - 1 - n) / (HISTORY - 1)) * width
    const y = (value: number): number => height - 3 - (value / top) * (height - 8)
    context.clearRect(0, 0, width, height)
    context.beginPath()
    history.forEach((value, n) => context.lineTo(x(n), y(value)))
    context.strokeStyle = '#c8573f'
    context.lineWidth = 3
    context.lineJoin = 'round'
    context.stroke()
    context.lineTo(width, height)
    context.lineTo(x(0), height)
    context.fillStyle = 'rgba(224, 122, 82, 0.2)'
    context.fill()
  }

  return { show, fold: () => open(false) }
}

/** Chat log, chat line and the short notices of who comes and goes. `log` keeps them as plain text. */
export function createChat(onSay: (text: string) => void, onDone: () => void) {
  const list = byId<HTMLOListElement>('log')
  const form = byId<HTMLFormElement>('say')
  const input = byId<HTMLInputElement>('say-text')
  const toasts = byId('toasts')
  const log: string[] = []

  form.addEventListener('submit', event => {
    event.preventDefault()
    const text = input.value.trim()
    input.value = ''
    if (text) onSay(text)
    // With a keyboard, the next keys are for walking again; on a touch screen it would fold away after each line.
    if (!text || matchMedia('(pointer: fine)').matches) onDone()
  })
  input.addEventListener('keydown', event => {
    if (event.key === 'Escape') onDone()
  })

  function append(item: HTMLElement, text: string): void {
    log.push(text)
    list.append(item)
    while (list.children.length > LOG_LINES) list.firstElementChild!.remove()
    list.scrollTop = list.scrollHeight
    setTimeout(() => item.classList.add('old'), 9000)
  }

  function said(name: string, look: number, text: string): void {
    const item = document.createElement('li')
    const who = document.createElement('b')
    who.textContent = name
    who.style.setProperty('--cloak', cloakColour(look))
    item.append(who, ` ${text}`)
    append(item, `${name}: ${text}`)
  }

  function note(text: string): void {
    const item = document.createElement('li')
    item.className = 'event'
    item.textContent = text
    append(item, text)
  }

  function toast(name: string, text: string, kind: string): void {
    const made = document.createElement('p')
    const who = document.createElement('b')
    who.textContent = name
    made.className = `toast ${kind}`
    made.append(who, ` ${text}`)
    toasts.append(made)
    while (toasts.children.length > TOASTS) toasts.firstElementChild!.remove()
    setTimeout(() => made.classList.add('leaving'), TOAST_SECONDS * 1000)
    setTimeout(() => made.remove(), TOAST_SECONDS * 1000 + 400)
    note(`${name} ${text}`)
  }

  return { said, note, toast, log, focus: () => input.focus() }
}
