import { html, render, type TemplateResult } from 'lit-html'
import type { Client } from '../client.ts'
import { watchClient, type Monitor } from './monitor.ts'
import { drawBuffer, drawRoundTrip, drawTraffic, kilobytes } from './panel/charts.ts'
import { linkView } from './panel/link-view.ts'
import { netView } from './panel/net-view.ts'
import { objectsView } from './panel/objects-view.ts'
import { colourOf, createPanel, TABS, type Panel, type Tab } from './panel/panel.ts'
import { recordView } from './panel/record-view.ts'
import { CSS } from './panel/theme.ts'
import { makeDraggable } from './panel/drag.ts'

export interface DevtoolsOptions {
  /** Whether the panel is open at first; else there is a small button that tells the round trip. Default true. */
  readonly isOpen?: boolean
  /** The corner that it starts in; it can be dragged elsewhere. Default `bottom-right`. */
  readonly corner?: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right'
  /** The key that opens and closes it, as `KeyboardEvent.code`, with Alt; `''` for none. Default `KeyN`. */
  readonly key?: string
  /** Whether the small button is there while the panel is closed. Default true. */
  readonly hasButton?: boolean
}

/** The overlay of a client. */
export interface Devtools {
  readonly monitor: Monitor
  isOpen: boolean
  readonly element: HTMLElement
  /** Takes it off the page, ends a replay, and leaves the client as it was. */
  remove(): void
}

const NAMES: Readonly<Record<Tab, string>> = { net: 'Net', objects: 'Objects', link: 'Link', record: 'Record' }

/** Seconds between two renderings. */
const INTERVAL = 0.12

const healthOf = (client: Client, panel: Panel): string => {
  if (client.state !== 'connected') return 'off'
  const { lossIn = 0, lossOut = 0, rtt = 0 } = panel.monitor.samples.at(-1) ?? {}
  const loss = Math.max(lossIn, lossOut)
  return loss > 0.05 || rtt > 0.3 ? 'poor' : loss > 0.01 || rtt > 0.15 ? 'fair' : 'good'
}

/**
 * Puts an overlay on the page that shows what a client's link, bytes and objects are like, makes its link worse when told to, and
 * records and replays what it is sent. Works with any client, connected or not, and on any page: its styles are its own.
 *
 * @example
 * if (import.meta.env.DEV) import('bitecs-pipes/devtools').then(({ showDevtools }) => showDevtools(client))
 */
export const showDevtools = (client: Client, options: DevtoolsOptions = {}): Devtools => {
  const { isOpen = true, corner = 'bottom-right', key = 'KeyN', hasButton = true } = options
  const monitor = watchClient(client)
  const element = document.createElement('div')
  element.dataset.bitecsPipes = 'devtools'
  element.style.position = 'fixed'
  element.style.zIndex = '2147483000'
  const root = element.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(CSS)
  root.adoptedStyleSheets = [sheet]
  document.body.append(element)

  const show = (): void => {
    render(devtools.isOpen ? panelView(panel, devtools) : hasButton ? pillView(panel, devtools) : html``, root)
    drag.place(root.querySelector<HTMLElement>('.panel, .pill'))
    drawCharts(root, panel)
  }
  const panel = createPanel(client, monitor, show, () => root.querySelector<HTMLInputElement>('#file')?.click())
  const drag = makeDraggable(root, corner)
  let open = isOpen
  const devtools: Devtools = {
    monitor,
    element,
    get isOpen() {
      return open
    },
    set isOpen(value) {
      open = value
      show()
    },
    remove() {
      cancelAnimationFrame(frame)
      removeEventListener('keydown', onKey, true)
      panel.replay?.stop()
      if (panel.recorder?.isRecording) panel.recorder.stop()
      monitor.stop()
      element.remove()
    },
  }

  const onKey = (event: KeyboardEvent): void => {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== key) return
    event.preventDefault()
    event.stopPropagation()
    devtools.isOpen = !devtools.isOpen
  }
  if (key !== '') addEventListener('keydown', onKey, true)
  // What is typed in here is not meant for the game.
  for (const type of ['keydown', 'keyup', 'keypress', 'pointerdown', 'wheel'])
    element.addEventListener(type, event => event.stopPropagation())

  let frame = 0
  let then = performance.now()
  let shownAt = -Infinity
  const onFrame = (now: number): void => {
    frame = requestAnimationFrame(onFrame)
    panel.replay?.advance((now - then) / 1000)
    then = now
    monitor.update()
    if (now - shownAt < INTERVAL * 1000) return
    shownAt = now
    show()
  }
  frame = requestAnimationFrame(onFrame)
  show()
  return devtools
}

const drawCharts = (root: ShadowRoot, panel: Panel): void => {
  const { samples } = panel.monitor
  const canvas = (id: string) => root.querySelector<HTMLCanvasElement>(`canvas#${id}`)
  const roundTrip = canvas('round-trip')
  const traffic = canvas('traffic')
  const buffer = canvas('buffer')
  if (roundTrip) drawRoundTrip(roundTrip, samples)
  if (traffic) drawTraffic(traffic, samples, dclass => colourOf(panel, dclass))
  if (buffer) drawBuffer(buffer, samples)
}

const summary = (panel: Panel): TemplateResult => {
  const { rtt = NaN } = panel.monitor.samples.at(-1) ?? {}
  const dot = panel.recorder?.isRecording ? 'live' : healthOf(panel.client, panel)
  return html`<span class=${`dot ${dot}`}></span
    ><b>${Number.isFinite(rtt) ? `${Math.round(rtt * 1000)} ms` : panel.client.state}</b>`
}

const CLOSE = html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 6.5l4 4 4-4" /></svg>`

const pillView = (panel: Panel, devtools: Devtools): TemplateResult => html`
  <button
    type="button"
    class="pill"
    aria-label="Open the network tools"
    @click=${() => {
      devtools.isOpen = true
    }}
  >
    ${summary(panel)}
  </button>
`

const panelView = (panel: Panel, devtools: Devtools): TemplateResult => {
  const { stats } = panel.client
  const views = { net: netView, objects: objectsView, link: linkView, record: recordView }
  return html`
    <section class="panel" aria-label="Network tools">
      <header>
        ${summary(panel)}
        <span class="rates">↓ ${kilobytes(stats.bytesInPerSecond)} ↑ ${kilobytes(stats.bytesOutPerSecond)}</span>
        <button
          type="button"
          class="icon"
          aria-label="Close the network tools"
          @click=${() => {
            devtools.isOpen = false
          }}
        >
          ${CLOSE}
        </button>
      </header>
      <nav role="tablist" aria-label="Network tools">
        ${TABS.map(
          tab =>
            html`<button
              type="button"
              role="tab"
              id=${`tab-${tab}`}
              aria-selected=${panel.tab === tab}
              tabindex=${panel.tab === tab ? 0 : -1}
              @click=${() => panel.change({ tab })}
              @keydown=${(event: KeyboardEvent) => moveTab(panel, event)}
            >
              ${tab === 'record' && panel.recorder?.isRecording ? html`<span class="dot live"></span>` : ''}${NAMES[tab]}
            </button>`,
        )}
      </nav>
      <main role="tabpanel" aria-labelledby=${`tab-${panel.tab}`}>${views[panel.tab](panel)}</main>
    </section>
  `
}

const moveTab = (panel: Panel, event: KeyboardEvent): void => {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
  if (step === 0) return
  const next = TABS[(TABS.indexOf(panel.tab) + step + TABS.length) % TABS.length]!
  panel.change({ tab: next })
  const { parentElement } = event.currentTarget as HTMLElement
  parentElement?.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
}
