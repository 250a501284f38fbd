import { execFileSync, execSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { bundle, isBitecs } from '../../scripts/bundle.mjs'
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
  for (const name of [
    'bitecs',
    'commander',
    'gl-matrix',
    'lit-html',
    'vite',
    'node-datachannel',
    'prom-client',
    '@geckos.io',
  ]) {
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
}, 120_000)

test('Node loads every entry', () => {
  const script = `
    const names = ${JSON.stringify(Object.keys(entries))}
    const counts = {}
    for (const name of names) counts[name] = Object.keys(await import(name)).length
    console.log(JSON.stringify(counts))
    process.exit()`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: app, encoding: 'utf8' })
  for (const [name, exports] of Object.entries(JSON.parse(output))) {
    // This one is there for what it does.
    if (name === 'bitecs-pipes/register') continue
    expect(exports, `${name} exports something`).toBeGreaterThan(0)
  }
})

test('a server detaches no buffer: once one is, V8 checks each use of each array', () => {
  const script = (end: string) => `
    import { addComponent, addEntity, createWorld, query } from 'bitecs'
    import { createSchema } from 'bitecs-pipes'
    import { createServer } from 'bitecs-pipes/server'
    import { createClient } from 'bitecs-pipes/client'
    import { memoryNetwork } from 'bitecs-pipes/memory'
    let time = 0
    const now = () => time
    const net = memoryNetwork({ now })
    const text = Array.from({ length: 40 }, (_, index) => 'dclass C' + index + ' { int16/100 x broadcast; };').join(' ')
    const schema = createSchema(text, { capacity: 1000 })
    const world = createWorld()
    const server = createServer(world, schema, { transport: net.server, now, tickRate: 30 })
    const view = createWorld()
    const seen = createSchema(text, { capacity: 1000 })
    const client = createClient(view, seen, { transport: net.client(), now })
    const joined = client.connect()
    const run = async () => {
      time += 1 / 30
      net.deliver()
      server.receive(world)
      for (const { x } of Object.values(schema.dclasses)) for (const eid of query(world, [schema.DistributedObject])) x[eid] += 0.5
      server.replicate(world)
      client.receive(view)
      client.send(view)
      await undefined
    }
    for (let count = 0; count < 10; count++) await run()
    await joined
    for (const dclass of Object.values(schema.dclasses)) {
      const eid = addEntity(world)
      addComponent(world, eid, dclass)
      server.place(eid, 1)
    }
    client.interest.set([1])
    for (let count = 0; count < 200; count++) await run()
    console.log(server.encoder, query(view, [seen.DistributedObject]).length)
    ${end}
    process.exit(0)`
  const outputOf = (end = '') =>
    execFileSync(process.execPath, ['--trace-protector-invalidation', '--input-type=module', '-e', script(end)], {
      cwd: app,
      encoding: 'utf8',
    })
  expect(outputOf()).toBe('wasm 40\n')
  expect(
    outputOf('structuredClone(new ArrayBuffer(8), { transfer: [new ArrayBuffer(8)] })'),
    'what it would say',
  ).toMatch(/ArrayBufferDetaching/)
})

test('a page loads no more of it than of the sources', async () => {
  const sources = await bundle(['src/client.ts'], isBitecs)
  const published = await bundle([join(app, 'node_modules/bitecs-pipes/dist/client.js')], isBitecs)
  // Files that the build makes of several sources cannot be split as well.
  expect(published.gzip).toBeLessThan(sources.gzip + 1024)
})

test('the command line runs, by both of its names', () => {
  writeFileSync(join(app, 'good.dc'), 'dclass Avatar { uint8 health; };')
  writeFileSync(join(app, 'bad.dc'), 'dclass Avatar { uint9 health; };')
  const { bin, version } = manifest
  expect(Object.keys(bin)).toEqual(['bitecs-pipes', 'pipes'])
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(app, 'node_modules/bitecs-pipes', bin.pipes), ...args], {
      cwd: app,
      encoding: 'utf8',
    })
  expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n` })
  expect(run('dc', 'check', 'good.dc')).toMatchObject({
    status: 0,
    stdout: '1 file: 0 errors, 0 warnings\n',
    stderr: '',
  })
  const bad = run('dc', 'check', 'bad.dc')
  expect(bad.status).toBe(1)
  expect(bad.stderr).toContain('bad.dc:1:17: error: ')
  expect(run('dc', 'chekc').status).toBe(2)
})

test('Node imports .dc files with --import bitecs-pipes/register, and reads them with readDC', () => {
  writeFileSync(join(app, 'game.dc'), 'dclass Avatar { uint8 health = 7; };')
  writeFileSync(
    join(app, 'main.mjs'),
    `import schema, { Avatar } from './game.dc'
     import { createWorld, addEntity, addComponent } from 'bitecs'
     import { createSchema } from 'bitecs-pipes'
     import { createServer } from 'bitecs-pipes/server'
     import { readDC } from 'bitecs-pipes/node'
     import { memoryNetwork } from 'bitecs-pipes/memory'
     const world = createWorld()
     const server = createServer(world, schema, { transport: memoryNetwork().server })
     const eid = addEntity(world)
     addComponent(world, eid, Avatar)
     const other = readDC(new URL('./game.dc', import.meta.url), { capacity: 5 })
     console.log(JSON.stringify([Avatar.health[eid], other.hash === schema.hash, other.dclasses.Avatar.health.length]))
     try { readDC('broken.dc') } catch (error) { console.log(error.message) }
     await import('./broken.dc').catch(error => console.log(error.message))
     process.exit()`,
  )
  writeFileSync(join(app, 'broken.dc'), 'dclass A {\n  flaot64 x;\n};')
  const output = execFileSync(process.execPath, ['--import', 'bitecs-pipes/register', 'main.mjs'], {
    cwd: app,
    encoding: 'utf8',
  })
  const [first, ...errors] = output.split('\n')
  expect(JSON.parse(first!)).toEqual([7, true, 5])
  const error = 'broken.dc:2:3: error: Undeclared type: flaot64'
  expect(
    errors.filter(line => line.startsWith(error)),
    output,
  ).toHaveLength(2)
})
