import { html, type TemplateResult } from 'lit-html'
import type { LinkConditions } from '../../net/conditioner.ts'
import type { Panel } from './panel.ts'

interface Slider {
  readonly name: 'lag' | 'jitter' | 'loss'
  readonly label: string
  readonly most: number
  readonly step: number
  text(value: number): string
}

const milliseconds = (seconds: number): string => `${Math.round(seconds * 1000)} ms`

const SLIDERS: readonly Slider[] = [
  { name: 'lag', label: 'Lag', most: 0.5, step: 0.005, text: milliseconds },
  { name: 'jitter', label: 'Jitter', most: 0.2, step: 0.002, text: milliseconds },
  { name: 'loss', label: 'Loss', most: 0.5, step: 0.005, text: value => `${(value * 100).toFixed(1)} %` },
]

/** Links that players have, one way. */
const PRESETS: readonly (readonly [name: string, conditions: Pick<LinkConditions, 'lag' | 'jitter' | 'loss'>])[] = [
  ['As it is', { lag: 0, jitter: 0, loss: 0 }],
  ['Far away', { lag: 0.08, jitter: 0.005, loss: 0.002 }],
  ['Mobile', { lag: 0.04, jitter: 0.025, loss: 0.02 }],
  ['Bad Wi-Fi', { lag: 0.02, jitter: 0.06, loss: 0.08 }],
]

const WAYS = [
  ['down', '↓ From the server'],
  ['up', '↑ To the server'],
] as const

/** Makes the link worse than it is. */
export const linkView = (panel: Panel): TemplateResult => {
  const { link } = panel.monitor
  const set = (way: 'up' | 'down', change: Partial<LinkConditions>): void => {
    Object.assign(link[way], change)
    panel.change({})
  }
  return html`
    <p class="hint">On top of what the link is like anyway. Each way by itself; for this page alone.</p>
    <div class="buttons" role="group" aria-label="Links">
      ${PRESETS.map(
        ([name, conditions]) =>
          html`<button
            type="button"
            class="button small"
            aria-pressed=${WAYS.every(([way]) => SLIDERS.every(({ name }) => link[way][name] === conditions[name]))}
            @click=${() => WAYS.forEach(([way]) => set(way, conditions))}
          >
            ${name}
          </button>`,
      )}
    </div>
    ${WAYS.map(
      ([way, title]) =>
        html`<section>
          <h3 class=${way}>${title}</h3>
          ${SLIDERS.map(
            ({ name, label, most, step, text }) =>
              html`<label class="slider">
                <span>${label}</span>
                <input
                  type="range"
                  class=${way}
                  name=${`${way}-${name}`}
                  aria-label=${`${title.slice(2)}: ${label.toLowerCase()}`}
                  min="0"
                  max=${most}
                  step=${step}
                  .value=${String(link[way][name])}
                  @input=${(event: InputEvent) => set(way, { [name]: (event.target as HTMLInputElement).valueAsNumber })}
                />
                <output>${text(link[way][name])}</output>
              </label>`,
          )}
        </section>`,
    )}
  `
}
