import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type HotPayload, type ViteDevServer } from 'vite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pipes } from '../../src/vite.ts'
import { entries } from '../../vite.config.ts'

const project = join(import.meta.dirname, '../..')
const alias = Object.entries(entries).map(([name, file]) => ({
  find: new RegExp(`^${name}$`),
  replacement: join(project, file),
}))

let root = ''
let server: ViteDevServer
let sent: HotPayload[] = []
let logged: string[] = []

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'pipes-vite-'))
  write('dclass Avatar {\n  uint8 health;\n};\n')
  writeFileSync(
    join(root, 'main.js'),
    `import schema, { Avatar } from './game.dc'\nexport const names = () => Object.keys(Avatar)\n`,
  )
  server = await createServer({
    configFile: false,
    root,
    appType: 'custom',
    logLevel: 'error',
    plugins: [pipes({ capacity: 3 })],
    resolve: { alias },
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, ws: false, fs: { allow: [root, project] } },
  })
  sent = []
  logged = []
  const { hot } = server.environments.client
  vi.spyOn(hot, 'send').mockImplementation((payload: HotPayload | string) => void sent.push(payload as HotPayload))
  vi.spyOn(server.config.logger, 'error').mockImplementation(text => void logged.push(text))
  await vi.waitFor(() => expect(server.watcher.getWatched()[root], 'the watcher is ready').toBeDefined(), 5000)
})

afterEach(async () => {
  await server.close()
  rmSync(root, { recursive: true })
})

const write = (text: string) => writeFileSync(join(root, 'game.dc'), text)
const types = () => readFileSync(join(root, 'game.dc.d.ts'), 'utf8')
const sentTypes = () => sent.map(({ type }) => type)
/** What a page that opens would load. */
const openPage = async () => {
  await server.environments.client.transformRequest('/main.js')
  return (await server.environments.client.transformRequest('/game.dc'))!.code
}

test('a change reloads the page and what runs in Node, with types that follow', async () => {
  expect(await openPage()).toContain('as Avatar')
  expect(types()).toContain('readonly health: Uint8Array')
  expect((await server.ssrLoadModule('/main.js')).names()).toEqual(['health'])
  const { default: schema } = await server.ssrLoadModule('/game.dc')
  expect(schema.capacity).toBe(3)

  write('dclass Avatar {\n  uint8 health;\n  string name;\n};\n')
  await vi.waitFor(() => expect(sentTypes()).toContain('full-reload'), 5000)
  expect(types()).toContain('readonly name: string[]')
  expect((await server.ssrLoadModule('/main.js')).names()).toEqual(['health', 'name'])
  expect(await openPage()).toContain('name')
})

test('an error is shown at its place while the page goes on, and a repaired schema reloads it', async () => {
  await openPage()
  const before = types()
  write('dclass Avatar {\n  uint8 health;\n  flaot64 x;\n  sting y;\n};\n')
  await vi.waitFor(() => expect(sentTypes()).toEqual(['error']), 5000)
  expect(sent[0]).toMatchObject({
    err: {
      plugin: 'bitecs-pipes',
      loc: { file: join(root, 'game.dc'), line: 3, column: 3 },
      message: expect.stringMatching(/^Undeclared type: flaot64.*\(and 1 more error\)$/),
      frame: expect.stringContaining('3 |   flaot64 x;\n  |   ^^^^^^^'),
    },
  })
  expect((sent[0] as { err: { frame: string } }).err.frame).toContain('game.dc:4:3: error: ')
  expect(logged.join('\n')).toContain('game.dc:3:3: Undeclared type: flaot64')
  expect(logged).toHaveLength(1)
  expect(types(), 'types are those of the last good schema').toBe(before)

  const repaired = () => {
    // Once more while it waits: watchers drop what follows a change within 50 ms.
    write('dclass Avatar {\n  uint8 health;\n  float64 x;\n};\n')
    expect(sentTypes()).toContain('full-reload')
  }
  await vi.waitFor(repaired, { timeout: 5000, interval: 300 })
  expect(types()).toContain('readonly x: Float64Array')
})

test('a page that is opened with a broken schema gets the error with its place and frame', async () => {
  write('dclass Avatar {\n  flaot64 x;\n};\n')
  await expect(openPage()).rejects.toMatchObject({
    message: expect.stringContaining('Undeclared type: flaot64'),
    plugin: 'bitecs-pipes',
    loc: { file: join(root, 'game.dc'), line: 2, column: 3 },
    frame: expect.stringContaining('\n  |   ^^^^^^^'),
  })
})

test('types that are up to date are not written again', async () => {
  await openPage()
  utimesSync(join(root, 'game.dc.d.ts'), 1, 1)
  write('// A comment at the top\n\ndclass Avatar {\n  uint8 health;\n};\n')
  await vi.waitFor(() => expect(sentTypes()).toContain('full-reload'), 5000)
  expect(statSync(join(root, 'game.dc.d.ts')).mtimeMs).toBe(1000)
})

test('the text itself can be imported', async () => {
  const { default: text } = await server.ssrLoadModule('/game.dc?raw')
  expect(text).toBe('dclass Avatar {\n  uint8 health;\n};\n')
})
