// Plots of benchmark rows, as SVG files that are readable on light and dark pages.
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

const COLOURS = ['#2f6f4f', '#d98324', '#7b6fb0', '#5b8fb9', '#a44a3f', '#888888']

/** Bars: `bitecs-pipes` first and green, the others in the order in which they are measured. */
const bars = (rows, { x, y, panel }) => ({
  height:
    40 + new Set(rows.map(row => `${row[panel]}/${row[y]}`)).size * 22 + new Set(rows.map(row => row[panel])).size * 12,
  marginLeft: 130,
  marginRight: 180,
  x: { label: x, grid: true, domain: [0, 1.15 * Math.max(...rows.map(row => row[x]))] },
  y: { label: null, domain: [...new Set(rows.map(row => row[y]))] },
  ...(panel && { fy: { label: null, domain: [...new Set(rows.map(row => row[panel]))], axis: 'right' } }),
  color: { domain: [...new Set(rows.map(row => row[y]))], range: COLOURS },
  marks: [
    Plot.barX(rows, { x, y, fill: y, ...(panel && { fy: panel }) }),
    Plot.text(rows, { x, y, text: row => String(row[x]), textAnchor: 'start', dx: 4, ...(panel && { fy: panel }) }),
    Plot.ruleX([0]),
  ],
})

const lines = (rows, { x, y, series }) => ({
  height: 320,
  marginLeft: 60,
  marginRight: 110,
  x: { label: x, type: 'log', grid: true },
  y: { label: null, type: 'log', grid: true },
  color: { type: 'ordinal', domain: [...new Set(rows.map(row => row[series]))], range: COLOURS },
  marks: [
    Plot.line(rows, { x, y, stroke: series, marker: true }),
    Plot.text(
      rows,
      Plot.selectLast({ x, y, z: series, text: row => `${row[series]} ${series}`, dx: 8, textAnchor: 'start' }),
    ),
  ],
})

/**
 * Draws one plot.
 *
 * @param {readonly Record<string, any>[]} rows
 * @param {import('./list.mjs').PlotOf} plot
 * @returns {string} the text of an SVG file
 */
export const draw = (rows, plot) => {
  const { document } = parseHTML('<html></html>')
  const options = plot.line ? lines(rows, plot) : bars(rows, plot)
  const svg = Plot.plot({ document, width: 720, marginTop: 34, style: { fontSize: '12px' }, ...options })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  const title = document.createElementNS('http://www.w3.org/2000/svg', 'text')
  for (const [name, value] of Object.entries({ x: 8, y: 18, 'text-anchor': 'start', 'font-weight': 600 }))
    title.setAttribute(name, String(value))
  title.textContent = plot.title
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: 'white', rx: 8 }))
    ground.setAttribute(name, String(value))
  svg.prepend(ground)
  svg.append(title)
  svg.setAttribute('color', '#222')
  return `${svg.outerHTML}\n`
}
