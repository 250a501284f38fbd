import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { declareTypes, parseSchema } from '../../src/dc/index.ts'
import { folderOf, pipes } from './support.ts'

const GOOD = 'dclass Avatar {\n  uint8(0-100) health = 100 broadcast;\n  say(string text) clsend;\n};\n'
const files = {
  'good.dc': GOOD,
  'bad.dc': 'dclass A {\n  uint8(0-500) x;\n};\ndclass B : A {\n  flaot64 y;\n};\n',
  'loose.dc': 'dclass A : Elsewhere {\n  uint8 x;\n};\n',
  'types.dc': 'typedef uint8(0-25) Color;\n',
  'uses.dc': 'dclass A {\n  Color c;\n};\n',
  'newer.dc': GOOD.replace('0-100', '0-200'),
  'imports.dc': `from game import Avatar/AI\n${GOOD}`,
  'ugly.dc': 'dclass  A{uint8 x;// why\n}',
}
let folder: ReturnType<typeof folderOf>
beforeAll(() => {
  folder = folderOf(files)
})
afterAll(() => folder.remove())
const at = (name: keyof typeof files) => folder.file(name)

describe('check', () => {
  test('says nothing much of a good schema', async () => {
    expect(await pipes(['dc', 'check', at('good.dc')])).toEqual({
      code: 0,
      out: '1 file: 0 errors, 0 warnings\n',
      error: '',
    })
  })

  test('shows every error at its place, with a caret', async () => {
    const { code, out, error } = await pipes(['dc', 'check', at('good.dc'), at('bad.dc')])
    expect(code).toBe(1)
    expect(out).toBe('')
    expect(error).toContain(`${at('bad.dc')}:2:`)
    expect(error).toContain(`${at('bad.dc')}:5:3: error: Undeclared type: flaot64`)
    expect(error).toContain('  5 |   flaot64 y;\n    |   ^^^^^^^')
    expect(error).toMatch(/2 files: 2 errors, 0 warnings\n$/)
  })

  test('prints JSON for programs', async () => {
    const { code, out, error } = await pipes(['dc', 'check', '--json', at('bad.dc')])
    expect(code).toBe(1)
    expect(error).toBe('')
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      errors: 2,
      schemas: [{ files: [at('bad.dc')], errors: [{ line: 2 }, { line: 5, column: 3 }], warnings: [] }],
    })
  })

  test('takes what Panda3D takes with --loose, and minds it with --deny-warnings', async () => {
    expect((await pipes(['dc', 'check', at('loose.dc')])).code).toBe(1)
    const loose = await pipes(['dc', 'check', '--loose', at('loose.dc')])
    expect(loose.code).toBe(0)
    expect(loose.error).toContain('Undeclared base class: Elsewhere')
    expect((await pipes(['dc', 'check', '--loose', '--deny-warnings', at('loose.dc')])).code).toBe(1)
  })

  test('reads several files as one schema with --together', async () => {
    expect((await pipes(['dc', 'check', at('types.dc'), at('uses.dc')])).code).toBe(1)
    expect((await pipes(['dc', 'check', '--together', at('types.dc'), at('uses.dc')])).code).toBe(0)
  })

  test('reads standard input and the files of a folder', async () => {
    expect((await pipes(['dc', 'check', '-'], GOOD)).code).toBe(0)
    expect((await pipes(['dc', 'check', '-'], 'dclass')).error).toContain('<stdin>:1:')
    const { code, error } = await pipes(['dc', 'check', folder.path])
    expect(code).toBe(1)
    expect(error).toMatch(/8 files: \d+ errors/)
  })
})

test('hash prints both hashes, for people and for programs', async () => {
  const { code, out } = await pipes(['dc', 'hash', at('good.dc'), at('imports.dc')])
  const { hash } = parseSchema(GOOD).file
  expect(code).toBe(0)
  const lines = out.trim().split('\n')
  expect(lines[0]).toMatch(new RegExp(`^0x${hash.toString(16).padStart(8, '0')} {2}0x[0-9a-f]{16} {2}.*good\\.dc$`))
  expect(lines[1]!.slice(0, 30), 'imports are not hashed').toBe(lines[0]!.slice(0, 30))
  const [json] = JSON.parse((await pipes(['dc', 'hash', '--json', at('good.dc')])).out)
  expect(`${json.hash}  ${json.structure}  ${json.files}`).toBe(lines[0])
  expect((await pipes(['dc', 'hash', at('bad.dc')])).code).toBe(1)
})

describe('types', () => {
  test('are written when they are out of date, and only then', async () => {
    const target = `${at('good.dc')}.d.ts`
    expect(await pipes(['dc', 'types', '--check', at('good.dc')])).toMatchObject({ code: 1 })
    expect(await pipes(['dc', 'types', at('good.dc')])).toEqual({ code: 0, out: `${target}\n`, error: '' })
    expect(readFileSync(target, 'utf8')).toBe(declareTypes(parseSchema(GOOD).file))
    utimesSync(target, 1, 1)
    expect(await pipes(['dc', 'types', at('good.dc')])).toEqual({ code: 0, out: '', error: '' })
    expect(statSync(target).mtimeMs).toBe(1000)
    expect(await pipes(['dc', 'types', '--check', at('good.dc')])).toMatchObject({ code: 0 })
    writeFileSync(target, '// old')
    expect(await pipes(['dc', 'types', '--check', at('good.dc')])).toMatchObject({ code: 1 })
    expect(readFileSync(target, 'utf8')).toBe('// old')
  })

  test("can stand where Node's module resolution looks, and stay there", async () => {
    const target = at('newer.dc').replace(/\.dc$/, '.d.dc.ts')
    expect((await pipes(['dc', 'types', '--nodenext', at('newer.dc')])).out).toBe(`${target}\n`)
    writeFileSync(target, '// old')
    expect((await pipes(['dc', 'types', at('newer.dc')])).out).toBe(`${target}\n`)
    expect((await pipes(['dc', 'types', '--stdout', '-'], GOOD)).out).toBe(declareTypes(parseSchema(GOOD).file))
  })
})

describe('diff', () => {
  test('is a finding when old clients break', async () => {
    const { code, out } = await pipes(['dc', 'diff', at('good.dc'), at('newer.dc')])
    expect(code).toBe(1)
    expect(out).toContain('Avatar.health')
    const json = await pipes(['dc', 'diff', '--json', at('good.dc'), at('newer.dc')])
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      changes: [{ name: 'Avatar.health', action: 'changed', breaking: true }],
    })
  })

  test('is none when they do not', async () => {
    expect((await pipes(['dc', 'diff', at('good.dc'), at('good.dc')])).code).toBe(0)
    const { code, out } = await pipes(['dc', 'diff', at('good.dc'), at('imports.dc')])
    expect(code).toBe(0)
    expect(out).toContain('game')
  })
})

describe('format', () => {
  const STYLED = 'dclass A {\n  uint8 x; // why\n};\n'
  test('prints, checks and writes', async () => {
    expect(await pipes(['dc', 'format', at('ugly.dc')])).toEqual({ code: 0, out: STYLED, error: '' })
    expect((await pipes(['dc', 'format', '-'], files['ugly.dc'])).out).toBe(STYLED)
    expect(await pipes(['dc', 'format', '--check', at('good.dc'), at('ugly.dc')])).toMatchObject({ code: 1, out: '' })
    expect(await pipes(['dc', 'format', '--write', at('good.dc'), at('ugly.dc')])).toMatchObject({
      code: 0,
      out: `${at('ugly.dc')}\n`,
    })
    expect(readFileSync(at('ugly.dc'), 'utf8')).toBe(STYLED)
    expect(await pipes(['dc', 'format', '--check', at('good.dc'), at('ugly.dc')])).toMatchObject({ code: 0 })
  })

  test('leaves alone what is no DC', async () => {
    expect(await pipes(['dc', 'format', '-'], 'dclass A {')).toEqual({
      code: 1,
      out: '',
      error: '<stdin>:1: { is never closed\n',
    })
  })
})

describe('a wrong call ends with 2 and says what to do', () => {
  test.each([
    [['dc', 'chekc', 'x.dc'], 'Did you mean check?'],
    [['dc', 'check'], "missing required argument 'paths'"],
    [['dc', 'check', '--jsn', 'x.dc'], 'Did you mean --json?'],
    [['dc', 'check', 'nothing.dc'], 'nothing.dc: no such file'],
    [['dc', 'check', import.meta.dirname], 'there is no .dc file in this folder'],
    [['dc', 'diff', 'one.dc'], "missing required argument 'new'"],
    [['dc', 'format', '--check', '--write', 'x.dc'], '--check and --write exclude each other'],
    [['dc', 'types', '-'], 'need --stdout'],
    [[], 'Usage: pipes'],
  ])('%j', async (args, message) => {
    const { code, error } = await pipes(args)
    expect(error).toContain(message)
    expect(code).toBe(2)
  })

  test('help and version do not', async () => {
    expect((await pipes(['--help'])).code).toBe(0)
    expect((await pipes(['dc', 'check', '--help'])).out).toContain('--deny-warnings')
    expect(await pipes(['--version'])).toEqual({ code: 0, out: '1.2.3\n', error: '' })
  })
})
