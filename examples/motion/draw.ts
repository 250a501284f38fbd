import { KINDS, type Pose } from './paths.ts'

/** A canvas whose pixels are the screen's, in CSS pixels. */
export interface Sheet {
  readonly context: CanvasRenderingContext2D
  width: number
  height: number
}

export const sheetOf = (canvas: HTMLCanvasElement): Sheet => {
  const sheet = { context: canvas.getContext('2d')!, width: 0, height: 0 }
  const fit = () => {
    const { width, height } = canvas.getBoundingClientRect()
    const ratio = window.devicePixelRatio || 1
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    sheet.context.setTransform(ratio, 0, 0, ratio, 0, 0)
    sheet.width = width
    sheet.height = height
  }
  new ResizeObserver(fit).observe(canvas)
  fit()
  return sheet
}

/** Metres that the stage is wide and high. */
const WIDE = 17
const HIGH = 12.75

const arrow = (context: CanvasRenderingContext2D): void => {
  context.beginPath()
  context.moveTo(0.95, 0)
  context.lineTo(-0.7, 0.6)
  context.lineTo(-0.35, 0)
  context.lineTo(-0.7, -0.6)
  context.closePath()
}

const ball = (context: CanvasRenderingContext2D): void => {
  context.beginPath()
  context.arc(0, 0, 0.55, 0, 2 * Math.PI)
  context.moveTo(0, 0)
  context.lineTo(0.55, 0)
}

const walker = (context: CanvasRenderingContext2D): void => {
  context.beginPath()
  context.roundRect(-0.5, -0.5, 1, 1, 0.22)
  context.moveTo(0.1, 0)
  context.lineTo(0.5, 0)
}

const SHAPES = [arrow, ball, walker]

/** Draws the things of a lane, and as outlines where the server has them at this very moment. */
export const drawLane = (
  sheet: Sheet,
  colour: string,
  poses: readonly (Pose | undefined)[],
  truth: readonly Pose[],
) => {
  const { context, width, height } = sheet
  const scale = Math.min(width / WIDE, height / HIGH)
  context.clearRect(0, 0, width, height)
  context.save()
  context.translate(width / 2, height / 2)
  context.scale(scale, scale)
  context.strokeStyle = '#25304d'
  context.lineWidth = 0.06
  context.beginPath()
  for (const x of [-7.4, 7.4]) {
    context.moveTo(x, 1)
    context.lineTo(x, 3.7)
  }
  context.moveTo(-7.4, 5.3)
  context.lineTo(7.4, 5.3)
  context.stroke()
  for (let kind = 0; kind < KINDS; kind++) {
    place(context, truth[kind]!, () => {
      SHAPES[kind]!(context)
      context.strokeStyle = '#7383ad'
      context.lineWidth = 0.07
      context.stroke()
    })
    const pose = poses[kind]
    if (pose)
      place(context, pose, () => {
        SHAPES[kind]!(context)
        context.fillStyle = colour
        context.strokeStyle = '#0c1120'
        context.lineWidth = 0.1
        context.fill()
        context.stroke()
      })
  }
  context.restore()
}

const place = (context: CanvasRenderingContext2D, pose: Pose, draw: () => void): void => {
  context.save()
  context.translate(pose.x, pose.y)
  context.rotate((pose.heading * Math.PI) / 180)
  draw()
  context.restore()
}

/** A row of measurements over time, newest last. */
export interface Series {
  readonly colour: string
  readonly values: Float64Array
  count: number
}

export const createSeries = (colour: string, length: number): Series => ({
  colour,
  values: new Float64Array(length),
  count: 0,
})

export const push = (series: Series, value: number): void => {
  const { values } = series
  if (series.count === values.length) values.copyWithin(0, 1)
  else series.count++
  values[series.count - 1] = value
}

/** Draws lines over one another, on a scale that fits all of them: `unit` is what the scale counts. */
export const drawPlot = (sheet: Sheet, all: readonly Series[], unit: string): void => {
  const { context, width, height } = sheet
  const top = 16
  const bottom = height - 8
  const peak = all.reduce(
    (most, { values, count }) => values.subarray(0, count).reduce((a, b) => Math.max(a, b), most),
    20,
  )
  const step = 10 ** Math.floor(Math.log10(peak)) / (peak / 10 ** Math.floor(Math.log10(peak)) < 3 ? 2 : 1)
  context.clearRect(0, 0, width, height)
  context.font = '12px system-ui, sans-serif'
  context.lineWidth = 1
  for (let value = 0; value <= peak; value += step) {
    const y = bottom - ((bottom - top) * value) / peak
    context.strokeStyle = '#25304d'
    context.beginPath()
    context.moveTo(44, y + 0.5)
    context.lineTo(width, y + 0.5)
    context.stroke()
    context.fillStyle = '#8592b3'
    context.textAlign = 'right'
    context.fillText(`${Math.round(value)}${value === 0 ? ` ${unit}` : ''}`, 38, y + 4)
  }
  context.lineWidth = 1.8
  for (const { colour, values, count } of all) {
    context.strokeStyle = colour
    context.beginPath()
    for (let index = 0; index < count; index++) {
      const x = 46 + ((width - 46) * (index + values.length - count)) / (values.length - 1)
      context.lineTo(x, bottom - ((bottom - top) * values[index]!) / peak)
    }
    context.stroke()
  }
}

/** A datagram of the last second: how old it is, and what became of it. */
export interface Mark {
  readonly age: number
  readonly fate: 'here' | 'under way' | 'lost'
}

/** Draws the last `span` seconds: datagrams on the server's line, and what is on screen. */
export const drawTimeline = (sheet: Sheet, span: number, marks: readonly Mark[], delay: number): void => {
  const { context, width, height } = sheet
  const left = 16
  const right = width - 28
  const x = (age: number) => right - ((right - left) * age) / span
  const server = height * 0.36
  const screen = height * 0.78
  context.clearRect(0, 0, width, height)
  context.font = '13px system-ui, sans-serif'
  context.textAlign = 'left'
  context.fillStyle = '#a3aecb'
  context.fillText("the server's timeline", left, server - 26)
  context.fillText('your timeline', left, screen - 18)
  context.strokeStyle = '#3b4870'
  context.lineWidth = 2
  context.beginPath()
  context.moveTo(left, server)
  context.lineTo(right, server)
  context.moveTo(left, screen)
  context.lineTo(right, screen)
  context.stroke()
  for (const { age, fate } of marks) drawMark(context, x(age), server, fate)
  context.fillStyle = '#ffd166'
  context.beginPath()
  context.arc(right, server, 6, 0, 2 * Math.PI)
  context.fill()
  context.textAlign = 'right'
  context.fillText('now', right + 10, server - 14)
  if (Number.isNaN(delay)) return
  const shown = x(Math.min(span, delay))
  context.fillStyle = 'rgb(79 209 181 / 0.22)'
  context.fillRect(shown, screen - 8, right - shown, 16)
  context.fillStyle = '#4fd1b5'
  context.beginPath()
  context.arc(shown, screen, 7, 0, 2 * Math.PI)
  context.fill()
  context.textAlign = shown > width / 2 ? 'right' : 'left'
  context.fillText(`on screen, ${Math.round(delay * 1000)} ms late`, shown + (shown > width / 2 ? 8 : -8), screen + 28)
}

const drawMark = (context: CanvasRenderingContext2D, x: number, y: number, fate: Mark['fate']): void => {
  context.lineWidth = 1.8
  context.strokeStyle = fate === 'lost' ? '#ff7a6b' : '#e8ecf7'
  context.beginPath()
  if (fate === 'lost') {
    context.moveTo(x - 4, y - 4)
    context.lineTo(x + 4, y + 4)
    context.moveTo(x + 4, y - 4)
    context.lineTo(x - 4, y + 4)
    context.stroke()
    return
  }
  context.arc(x, y, 4, 0, 2 * Math.PI)
  context.fillStyle = fate === 'here' ? '#e8ecf7' : '#182036'
  context.fill()
  context.stroke()
}
