import { html, type TemplateResult } from 'lit-html'
import type { Panel } from './panel.ts'

const clock = (seconds: number): string => {
  const whole = Math.max(0, seconds)
  return `${Math.floor(whole / 60)}:${(whole % 60).toFixed(1).padStart(4, '0')}`
}
const size = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4]

const PLAY = html`<svg viewBox="0 0 16 16" aria-hidden="true">
  <path d="M4 2.5v11a.8.8 0 0 0 1.2.7l8.6-5.5a.8.8 0 0 0 0-1.4L5.2 1.8A.8.8 0 0 0 4 2.5z" />
</svg>`
const PAUSE = html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z" /></svg>`

/** Records what comes and goes, and replays it in the page. */
export const recordView = (panel: Panel): TemplateResult => html`
  ${panel.replay ? player(panel) : panel.recorder?.isRecording ? recording(panel) : start(panel)}
  ${panel.recording && !panel.recorder?.isRecording ? kept(panel) : ''}
  <label class="visually-hidden" for="file">A recording's file</label>
  <input id="file" type="file" hidden @change=${(event: Event) => void panel.load(event.target as HTMLInputElement)} />
  ${panel.error ? html`<p class="error" role="alert">${panel.error}</p>` : ''}
`

const start = (panel: Panel): TemplateResult => html`
  <p class="hint">
    Every datagram with its time, both ways, kept in memory: the last five minutes. It replays in this page, in place of
    what the server sends, while your session goes on.
  </p>
  <div class="buttons">
    <button type="button" class="button record" data-do="record" @click=${() => panel.record()}>Record</button>
    <button type="button" class="button" data-do="load" @click=${() => panel.chooseFile()}>Open a file…</button>
  </div>
`

const recording = ({ recorder, stopRecording }: Panel): TemplateResult => html`
  <h3>
    <span class="dot live"></span> Recording
    <small>${clock(recorder!.seconds)} · ${size(recorder!.bytes)}</small>
  </h3>
  <div class="buttons">
    <button type="button" class="button" data-do="stop" @click=${() => stopRecording()}>Stop</button>
  </div>
`

const kept = (panel: Panel): TemplateResult => {
  const { duration, parts, date } = panel.recording!
  const bytes = parts.reduce(
    (sum, { opening, datagrams }) => [...opening, ...datagrams].reduce((all, each) => all + each.bytes.length, sum),
    0,
  )
  return html`<section>
    <h3>Recorded <small>${clock(duration)} · ${size(bytes)} · ${new Date(date).toLocaleTimeString()}</small></h3>
    <div class="buttons">
      ${
        panel.replay
          ? ''
          : html`<button type="button" class="button main" data-do="replay" @click=${() => panel.startReplay()}>
              Replay
            </button>`
      }
      <button type="button" class="button" data-do="save" @click=${() => panel.save()}>Save</button>
    </div>
  </section>`
}

const player = (panel: Panel): TemplateResult => {
  const replay = panel.replay!
  const { duration } = replay.recording
  return html`
    <h3>Replay <small>what you see is recorded; your own session goes on</small></h3>
    <div class="player">
      <div class="scrub">
        <button
          type="button"
          class="round"
          data-do="play"
          aria-label=${replay.isPlaying ? 'Pause' : 'Play'}
          @click=${() => panel.playOrPause()}
        >
          ${replay.isPlaying ? PAUSE : PLAY}
        </button>
        <input
          type="range"
          name="time"
          aria-label="Time of the recording"
          min="0"
          max=${duration.toFixed(2)}
          step="0.01"
          .value=${replay.time.toFixed(2)}
          @input=${(event: InputEvent) => panel.scrub((event.target as HTMLInputElement).valueAsNumber)}
        />
        <output>${clock(replay.time)} / ${clock(duration)}</output>
      </div>
      <div class="buttons">
        <button type="button" class="button small" data-do="live" @click=${() => panel.stopReplay()}>
          Back to live
        </button>
        <label class="visually-hidden" for="speed">Speed</label>
        <select
          id="speed"
          @change=${(event: Event) => panel.setSpeed(Number((event.target as HTMLSelectElement).value))}
        >
          ${SPEEDS.map(speed => html`<option value=${speed} ?selected=${speed === replay.speed}>${speed}×</option>`)}
        </select>
      </div>
    </div>
  `
}
