import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { docstringsOf, INTERFACES, optionsPage, spellings } from '../../scripts/options.mjs'
import type { Option } from '../../src/net/options.ts'

test('OPTIONS.md says what the source says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../OPTIONS.md'), 'utf8')
  expect(page, 'OPTIONS.md is out of date: npm run options').toBe(optionsPage())
})

for (const { file, name, table } of INTERFACES)
  describe(`options: ${name}`, () => {
    const docstrings: Record<string, string> = docstringsOf(file, name)
    const options = Object.entries<Option>(table)

    test('each option has a docstring, and a rule', () => {
      expect(options.map(([option]) => option)).toEqual(Object.keys(docstrings))
      expect(Object.entries(docstrings).filter(([, text]) => text === '')).toEqual([])
    })

    test('docstrings tell the defaults and ranges that hold', () => {
      for (const [option, rule] of options) {
        const text = docstrings[option]!.replaceAll('`', '')
        if (typeof rule.default === 'number')
          expect(
            spellings(rule.default).some(each => text.includes(`Default ${each}`)),
            `the docstring of ${name}.${option} says "Default ${rule.default}"`,
          ).toBe(true)
        const range = 'unit' in rule && /(?<![\d.])(-?[\d.]+?)\.\.([\d.]*\d)/.exec(text)
        if (range) expect([Number(range[1]), Number(range[2])], `${name}.${option}`).toEqual([rule.least, rule.most])
      }
    })

    test('where another default is taken than in panda3d-pipes, the docstring says why', () => {
      for (const [option, rule] of options) {
        const value = rule.seed?.split(' ')[1]
        if (value === undefined || value === String(rule.default)) continue
        expect(docstrings[option], `${name}.${option}`).toMatch(/In panda3d-pipes it is/)
        expect(docstrings[option], `${name}.${option}`).toContain(`it is ${value}`)
      }
    })
  })
