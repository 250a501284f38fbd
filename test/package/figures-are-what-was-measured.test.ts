import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { figures } from '../../bench/figures/list.mjs'
import { MARK, page, plotFile, rowsOf, summary } from '../../bench/figures/page.mjs'
import { draw } from '../../bench/figures/plot.mjs'

// FIGURES.md and what README quotes of it come from what `npm run figures` measured, and from nowhere else.

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const results = new Map(
  figures
    .filter(({ id }) => existsSync(join(root, `figures/${id}.json`)))
    .map(({ id }) => [id, JSON.parse(read(`figures/${id}.json`))]),
)

test('the page is written from the measured tables', () => {
  expect(results.size, 'every figure was measured').toBe(figures.length)
  expect(read('FIGURES.md')).toBe(page(figures, results))
})

test('its plots are there and drawn from them', () => {
  const files = figures.flatMap(({ id, plots = [] }) => plots.map((plot, index) => ({ id, plot, index })))
  expect(readdirSync(join(root, 'figures')).filter(name => name.endsWith('.svg'))).toEqual(
    files.map(({ id, index }) => plotFile(id, index)).sort(),
  )
  for (const { id, plot, index } of files)
    expect(read(`figures/${plotFile(id, index)}`), plot.title).toBe(draw(rowsOf(results.get(id), plot), plot))
})

test('each was measured by the whole command, at a commit and on a machine', () => {
  for (const { id, command } of figures)
    expect(results.get(id)).toMatchObject({
      command,
      commit: expect.stringMatching(/^[0-9a-f]{7,}$/),
      machine: expect.stringMatching(/^\d+ x /),
      versions: expect.stringMatching(/^Node \d+/),
      tables: expect.arrayContaining([{ title: expect.any(String), rows: expect.any(Array) }]),
    })
})

test('README quotes them', () => {
  expect(read('README.md').split(MARK)[1]).toBe(`\n${summary(results)}\n`)
})
