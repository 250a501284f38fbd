import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'SECURITY.md'), 'utf8')
const links = [...text.matchAll(/\[([^\]]+)\]\((test\/[^)]+)\)/g)].map(([, title, file]) => ({
  title: title!,
  file: file!,
}))
const rows = [...text.matchAll(/^\| (.+) \|$/gm)]
  .map(([, row]) => row!.split('|').map(cell => cell.trim()))
  .filter(row => row.length === 4 && row[0] !== 'attack' && !row[0]!.startsWith('---'))

test('every row of the table of attacks names a test', () => {
  expect(rows.length).toBeGreaterThan(30)
  for (const row of rows) {
    expect(row[3], row[0]).toMatch(/\[.+\]\(test\/.+\.test\.ts\)/)
  }
})

test.each(links)('$title: is a test in $file', ({ title, file }) => {
  expect(existsSync(join(root, file)), file).toBe(true)
  const source = readFileSync(join(root, file), 'utf8')
  expect(source.includes(title), `${file} has no test of this name`).toBe(true)
})

test('every script that it names is there', () => {
  const { scripts, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
  expect(named.filter(name => !scripts[name])).toEqual([])
  expect(named).toContain('flood')
  expect(files, 'it is in the package').toContain('SECURITY.md')
})
