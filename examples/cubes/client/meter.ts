import type { ClientStats } from 'bitecs-pipes/client'
import { CODECS } from '../scene.ts'
import { RAW_BITS, type Reading } from './reading.ts'

/** Readings in the chart: 40 seconds. */
const KEPT = 160

const milliseconds = (seconds: number): string => `${Math.round(seconds * 1000)} ms`
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** The panel. */
export const createMeter = (panel: HTMLElement) => {
  const chart = panel.querySelector('canvas')!
  const style = getComputedStyle(panel)
  const history: Reading[] = []

  const set = (name: string, value: string): void => {
    const cell = panel.querySelector(`[data-stat='${name}']`)
    if (cell && cell.textContent !== value) cell.textContent = value
  }
  set('raw-bits', String(RAW_BITS))

  const draw = (): void => {
    const context = chart.getContext('2d')
    const { clientWidth: width, clientHeight: height } = chart
    if (!context || width === 0) return
    const scale = Math.min(2, devicePixelRatio)
    chart.width = width * scale
    chart.height = height * scale
    context.scale(scale, scale)
    const most = Math.max(20, ...history.map(({ kbps }) => kbps))
    const x = (n: number): number => width - ((history.length - 1 - n) / (KEPT - 1)) * width
    const y = (kbps: number): number => height - 1 - (kbps / most) * (height - 22)
    for (const codec of CODECS) {
      context.beginPath()
      history.forEach((reading, n) => {
        // A stretch of this codec begins where the one before it ended.
        if (n === 0 || reading.codec !== codec) return
        context.moveTo(x(n - 1), y(history[n - 1]!.kbps))
        context.lineTo(x(n), y(reading.kbps))
      })
      context.strokeStyle = style.getPropertyValue(`--${codec}`)
      context.lineWidth = 2
      context.lineCap = 'round'
      context.stroke()
    }
    context.fillStyle = style.getPropertyValue('--soft')
    context.font = '12px system-ui, sans-serif'
    context.fillText(`${whole.format(most)} kbps`, 0, 11)
  }

  return (reading: Reading, stats: Readonly<ClientStats>): void => {
    const { kbps, rawKbps, packets, moving, bitsPerCube } = reading
    set('kbps', kbps < 9.95 ? kbps.toFixed(1) : whole.format(kbps))
    set('against', `of ${(rawKbps / 1000).toFixed(1)} Mbps raw: 1/${whole.format(rawKbps / kbps)}`)
    set('bits', Number.isNaN(bitsPerCube) ? '–' : bitsPerCube.toFixed(1))
    set('moving', whole.format(moving))
    set('packets', `${whole.format(packets)} /s`)
    set('rtt', milliseconds(stats.rtt))
    set('loss', `${(stats.loss * 100).toFixed(1)} %`)
    set('playout', milliseconds(stats.playoutDelay))
    history.push(reading)
    if (history.length > KEPT) history.shift()
    draw()
  }
}
