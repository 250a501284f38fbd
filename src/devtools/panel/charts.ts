import { COLOURS, PROTOCOL_COLOUR } from './theme.ts'
import { PROTOCOL } from '../ledger.ts'
import type { Sample } from '../monitor.ts'

/** Samples that a chart is wide at least. */
const LEAST_WIDE = 40

interface Drawing {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  x(index: number): number
  /** Pixels of a sample. */
  readonly step: number
}

/** Clears a canvas in the resolution of the screen. The newest of `count` samples is at its right end. */
const begin = (canvas: HTMLCanvasElement, count: number): Drawing | undefined => {
  const context = canvas.getContext('2d')
  const { clientWidth: width, clientHeight: height } = canvas
  if (!context || width === 0) return undefined
  const scale = Math.min(3, devicePixelRatio || 1)
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale)
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale)
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  const step = width / (Math.max(LEAST_WIDE, count) - 1)
  return { context, width, height, x: index => width - (count - 1 - index) * step, step }
}

/** A round number that is not below. */
const roundUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)))
  return [1, 1.5, 2, 3, 5, 7.5, 10].map(factor => factor * power).find(each => each >= value * 0.999)!
}

const label = ({ context }: Drawing, text: string, y: number): void => {
  context.font = '10px ui-sans-serif, system-ui, sans-serif'
  context.fillStyle = COLOURS.dim
  context.lineWidth = 3
  context.strokeStyle = 'rgb(25 27 36 / 0.85)'
  context.strokeText(text, 6, y)
  context.fillText(text, 6, y)
}

const line = (drawing: Drawing, values: readonly number[], y: (value: number) => number, colour: string): void => {
  const { context, x } = drawing
  context.beginPath()
  let isDown = false
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) isDown = false
    else if (isDown) context.lineTo(x(index), y(value))
    else {
      context.moveTo(x(index), y(value))
      isDown = true
    }
  })
  context.strokeStyle = colour
  context.lineWidth = 1.5
  context.lineJoin = 'round'
  context.stroke()
}

const most = (values: readonly number[], least: number): number =>
  values.reduce((top, value) => (Number.isFinite(value) ? Math.max(top, value) : top), least)

/** Round trips with their jitter, and below them what was lost: down the way here, up the way there. */
export const drawRoundTrip = (canvas: HTMLCanvasElement, samples: readonly Sample[]): void => {
  const drawing = begin(canvas, samples.length)
  if (!drawing) return
  const { context, height, x, step } = drawing
  const top =
    roundUp(
      most(
        samples.map(({ rtt, jitter }) => rtt + jitter),
        0.05,
      ) * 1000,
    ) / 1000
  const y = (value: number) => height - 4 - (value / top) * (height - 12)
  context.beginPath()
  samples.forEach(({ rtt, jitter }, index) => Number.isFinite(rtt) && context.lineTo(x(index), y(rtt + jitter)))
  for (let index = samples.length - 1; index >= 0; index--) {
    const { rtt, jitter } = samples[index]!
    if (Number.isFinite(rtt)) context.lineTo(x(index), y(Math.max(0, rtt - jitter)))
  }
  context.fillStyle = 'rgb(95 211 198 / 0.22)'
  context.fill()
  line(
    drawing,
    samples.map(({ rtt }) => rtt),
    y,
    COLOURS.down,
  )
  context.fillStyle = COLOURS.bad
  samples.forEach(({ lossIn, lossOut }, index) => {
    const lost = Math.min(1, Math.max(lossIn, lossOut) * 2)
    if (lost > 0.002)
      context.fillRect(x(index) - step, height - Math.max(2, lost * height), step, Math.max(2, lost * height))
  })
  label(drawing, `${Math.round(top * 1000)} ms`, 11)
}

/** Bytes by class, those in above the line, those out below it. */
export const drawTraffic = (
  canvas: HTMLCanvasElement,
  samples: readonly Sample[],
  colourOf: (dclass: string) => string,
): void => {
  const drawing = begin(canvas, samples.length)
  if (!drawing) return
  const { context, width, height, x, step } = drawing
  const topIn = roundUp(
    most(
      samples.map(({ bytesIn }) => bytesIn),
      500,
    ),
  )
  const topOut = most(
    samples.map(({ bytesOut }) => bytesOut),
    100,
  )
  // In the same scale, but always to be seen.
  const share = Math.max(0.24, Math.min(0.5, topOut / (topIn + topOut)))
  const zero = Math.round(height * (1 - share))
  const up = zero - 6
  const down = height - zero - 3
  const barWidth = step + 0.5
  samples.forEach(({ classesIn, classesOut }, index) => {
    let from = zero
    for (const [dclass, rate] of inOrder(classesIn)) {
      const size = (rate / topIn) * up
      context.fillStyle = colourOf(dclass)
      context.fillRect(x(index) - barWidth, from - size, barWidth, size)
      from -= size
    }
    from = zero + 1
    for (const [dclass, rate] of inOrder(classesOut)) {
      const size = Math.min(1, rate / topOut) * down
      context.fillStyle = colourOf(dclass)
      context.globalAlpha = 0.7
      context.fillRect(x(index) - barWidth, from, barWidth, size)
      context.globalAlpha = 1
      from += size
    }
  })
  context.fillStyle = 'rgb(255 255 255 / 0.25)'
  context.fillRect(0, zero, width, 1)
  label(drawing, `↓ ${kilobytes(topIn)}`, 11)
  label(drawing, `↑ ${kilobytes(topOut)}`, height - 3)
}

const inOrder = (classes: ReadonlyMap<string, number>): [string, number][] =>
  [...classes].sort(([a], [b]) => Number(b === PROTOCOL) - Number(a === PROTOCOL) || (a < b ? -1 : 1))

/** What is shown behind the newest state, and how far it should be. Where it starved, it is marked. */
export const drawBuffer = (canvas: HTMLCanvasElement, samples: readonly Sample[]): void => {
  const drawing = begin(canvas, samples.length)
  if (!drawing) return
  const { context, height, x, step } = drawing
  const both = samples.flatMap(({ buffer, idealBuffer }) => [buffer, idealBuffer])
  const top = roundUp(most(both, 0.05) * 1000) / 1000
  const y = (value: number) => height - 4 - (Math.max(0, value) / top) * (height - 12)
  context.fillStyle = 'rgb(255 125 112 / 0.55)'
  samples.forEach(({ frames, starvedFrames }, index) => {
    if (starvedFrames > 0)
      context.fillRect(x(index) - step, 0, Math.max(2, step), Math.max(3, (starvedFrames / frames) * height))
  })
  line(
    drawing,
    samples.map(({ idealBuffer }) => idealBuffer),
    y,
    COLOURS.ideal,
  )
  line(
    drawing,
    samples.map(({ buffer }) => buffer),
    y,
    COLOURS.down,
  )
  label(drawing, `${Math.round(top * 1000)} ms`, 11)
}

export const kilobytes = (bytes: number): string =>
  bytes < 999.5 ? `${Math.round(bytes)} B/s` : `${(bytes / 1000).toFixed(bytes < 99_500 ? 1 : 0)} kB/s`

/** The protocol's own is grey. */
export const isProtocol = (dclass: string): boolean => dclass === PROTOCOL
export { PROTOCOL_COLOUR }
