import { html, svg, type TemplateResult } from 'lit-html'
import { totalsOf, type ClassTotal, type Entry } from '../ledger.ts'
import type { Sample } from '../monitor.ts'
import { kilobytes } from './charts.ts'
import { colourOf, type Panel } from './panel.ts'

const milliseconds = (seconds: number, digits = 0): string =>
  Number.isFinite(seconds) ? `${(seconds * 1000).toFixed(digits)} ms` : '–'
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const EMPTY: Sample = {
  time: 0,
  rtt: NaN,
  jitter: 0,
  lossIn: 0,
  lossOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  classesIn: new Map(),
  classesOut: new Map(),
  buffer: NaN,
  idealBuffer: NaN,
  clockOffset: NaN,
  clockDrift: NaN,
  baselineAge: 0,
  frames: 0,
  starvedFrames: 0,
}

/** The net graph: the last minute of the link, of what crosses it, and of playout. */
export const netView = (panel: Panel): TemplateResult => {
  const { monitor, client } = panel
  const { samples, account } = monitor
  const last = samples.at(-1) ?? EMPTY
  const { stats } = client
  return html`
    <section>
      <h3>
        Round trip
        <small
          >${milliseconds(last.rtt)} ± ${milliseconds(last.jitter)} · lost
          <span class=${last.lossIn > 0.01 ? 'bad' : ''}>↓ ${percent(last.lossIn)}</span>
          <span class=${last.lossOut > 0.01 ? 'bad' : ''}>↑ ${percent(last.lossOut)}</span></small
        >
      </h3>
      <canvas id="round-trip" role="img" aria-label="Round trip, jitter and loss of the last minute"></canvas>
    </section>
    <section>
      <h3>
        Traffic
        <small
          ><span class="down">↓ ${kilobytes(stats.bytesInPerSecond)}</span> ·
          <span class="up">↑ ${kilobytes(stats.bytesOutPerSecond)}</span></small
        >
      </h3>
      <canvas id="traffic" class="tall" role="img" aria-label="Bytes by class of the last minute"></canvas>
    </section>
    <section>
      <h3>
        Playout
        <small
          >behind <span class="down">${milliseconds(last.buffer)}</span> · ideal
          <span class="ideal">${milliseconds(last.idealBuffer)}</span></small
        >
      </h3>
      <canvas id="buffer" role="img" aria-label="Playout buffer and its ideal in the last minute"></canvas>
    </section>
    <section>
      <dl>
        ${pair('Baseline age', milliseconds(last.baselineAge), 'baseline-age')}
        ${pair('Starved frames', monitor.starvedFrames, 'starved')}
        ${pair('Clock offset', Number.isFinite(last.clockOffset) ? `${last.clockOffset.toFixed(3)} s` : '–', 'clock')}
        ${pair('Clock drift', Number.isFinite(last.clockDrift) ? `${(last.clockDrift * 1e6).toFixed(0)} ppm` : '–', 'drift')}
        ${pair('Datagrams', `↓ ${Math.round(stats.packetsInPerSecond)} ↑ ${Math.round(stats.packetsOutPerSecond)} /s`, 'datagrams')}
        ${pair('Objects', `${stats.objects} in ${stats.zones} zones`, 'objects')}
        ${pair('Undecodable', stats.undecodable, 'undecodable')} ${pair('Desyncs', stats.desyncs, 'desyncs')}
      </dl>
    </section>
    <section>
      <h3>
        By class and field
        <span class="switch" role="group" aria-label="Direction">
          ${(['down', 'up'] as const).map(
            direction =>
              html`<button
                type="button"
                aria-pressed=${panel.direction === direction}
                @click=${() => panel.change({ direction })}
              >
                ${direction === 'down' ? '↓ in' : '↑ out'}
              </button>`,
          )}
        </span>
      </h3>
      <div class="rows">${classRows(panel, totalsOf(account[panel.direction], 'rate'))}</div>
    </section>
  `
}

const pair = (name: string, value: unknown, id: string): TemplateResult =>
  html`<div>
    <dt>${name}</dt>
    <dd data-stat=${id}>${value}</dd>
  </div>`

const swatch = (colour: string): TemplateResult =>
  html`<svg class="swatch" viewBox="0 0 9 9" aria-hidden="true">
    ${svg`<rect width="9" height="9" rx="3" fill=${colour} />`}
  </svg>`

const bar = (share: number, colour: string): TemplateResult =>
  html`<svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect width=${Math.max(0, Math.min(100, share * 100))} height="3" fill=${colour} />`}
  </svg>`

const classRows = (panel: Panel, totals: readonly ClassTotal[]): TemplateResult | TemplateResult[] => {
  const all = totals.reduce((sum, { rate }) => sum + rate, 0)
  if (all === 0) return html`<p class="hint">Nothing has been counted yet.</p>`
  return totals
    .filter(({ rate }) => rate > 0)
    .map(({ dclass, rate, entries }) => {
      const isOpen = panel.openClasses.has(dclass)
      const colour = colourOf(panel, dclass)
      return html`<button type="button" class="row" aria-expanded=${isOpen} @click=${() => panel.toggleClass(dclass)}>
          ${swatch(colour)}
          <span class="name">${dclass}</span>
          <span class="amount">${kilobytes(rate / 8)}</span>
          <span class="part">${((rate / all) * 100).toFixed(0)} %</span>
          ${bar(rate / all, colour)}
        </button>
        ${isOpen ? entries.filter(({ rate }) => rate > 0).map(each => fieldRow(each, all)) : ''}`
    })
}

const fieldRow = ({ field, kind, rate }: Entry, all: number): TemplateResult =>
  html`<div class="row field">
    <span></span>
    <span class="name">${field}${kind === 'message' ? html` <small class="hint">message</small>` : ''}</span>
    <span class="amount">${kilobytes(rate / 8)}</span>
    <span class="part">${((rate / all) * 100).toFixed(1)} %</span>
  </div>`
