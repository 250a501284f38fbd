import { execFileSync, execSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { entries } from '../../vite.config.ts'

const root = join(import.meta.dirname, '../..')

/** A folder like a user's project: `node_modules/bitecs-pipes` is what npm would publish. */
let app = ''
let tarball = ''

/** Whether a source or a setting of the build is newer than `dist`. */
function buildIsStale(): boolean {
  if (!existsSync(join(root, 'dist/index.js')) || !existsSync(join(root, 'dist/types/index.d.ts'))) return true
  const built = statSync(join(root, 'dist/index.js')).mtimeMs
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(file => `src/${file}`)
  const settings = ['package.json', 'vite.config.ts', 'vite.lib.config.ts', 'tsconfig.json', 'tsconfig.build.json']
  return [...sources, ...settings].some(file => statSync(join(root, file)).mtimeMs > built)
}

beforeAll(() => {
  if (buildIsStale()) execSync('npm run build', { cwd: root })
  app = mkdtempSync(join(tmpdir(), 'bitecs-pipes-'))
  const [packed] = JSON.parse(
    execSync(`npm pack --ignore-scripts --json --pack-destination "${app}"`, { cwd: root, encoding: 'utf8' }),
  )
  tarball = join(app, packed.filename)

  const modules = join(app, 'node_modules')
  mkdirSync(join(modules, 'bitecs-pipes'), { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', join(modules, 'bitecs-pipes'), '--strip-components=1'])
  for (const name of ['bitecs', 'gl-matrix', 'vite', 'node-datachannel', '@geckos.io']) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  }
})

afterAll(() => rmSync(app, { recursive: true, force: true }))

test('package.json, tsconfig.json and vite.config.ts name the same entries', () => {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  const exported = Object.keys(manifest.exports).filter(name => name !== './package.json')
  expect(exported.map(name => name.replace(/^\./, 'bitecs-pipes'))).toEqual(Object.keys(entries))
  expect(compilerOptions.paths).toEqual(
    Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, [`./${file}`]])),
  )
})

test('publint has nothing to say', async () => {
  const bytes = readFileSync(tarball)
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true })
  expect(messages.map(message => formatMessage(message, pkg, { color: false }))).toEqual([])
})

test('every entry has types for every kind of ES module resolution', () => {
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
  const options = ['--profile', 'esm-only', '--format', 'json']
  // Exits with 1, and so throws, if there is a problem; but lists those of `require()` and Node 10 as well.
  const report = JSON.parse(execFileSync(process.execPath, [attw, tarball, ...options], { encoding: 'utf8' }))
  const problems: { resolutionKind?: string }[] = Object.values(report.problems ?? {}).flat() as object[]
  expect(Object.keys(report.analysis.entrypoints)).toEqual(Object.keys(manifest.exports))
  expect(problems.filter(({ resolutionKind = '' }) => !['node10', 'node16-cjs'].includes(resolutionKind))).toEqual([])
})

test('Node loads every entry', () => {
  const script = `
    const names = ${JSON.stringify(Object.keys(entries))}
    const counts = {}
    for (const name of names) counts[name] = Object.keys(await import(name)).length
    console.log(JSON.stringify(counts))
    process.exit()`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: app, encoding: 'utf8' })
  for (const [name, exports] of Object.entries(JSON.parse(output))) {
    expect(exports, `${name} exports something`).toBeGreaterThan(0)
  }
})
