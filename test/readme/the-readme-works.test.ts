import { execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../e2e/support/pages.ts'
import { freePort, isOpen, startProgram, type Program } from '../e2e/support/processes.ts'
import { until } from '../geckos/support/until.ts'
import { readmeBlock, writeProgram } from './support.ts'

// What the README says is typed in here, word for word but for the port, and must work in two browser windows.

let folder: string
let server: Program
let site: Site

beforeAll(async () => {
  const port = await freePort()
  folder = await writeProgram(port)
  server = startProgram(`${folder}server.ts`)
  site = await openSite(folder)
  // A page that finds no server says so and gives up.
  await until('the server listens', () => isOpen(port), 60_000)
}, 90_000)

afterAll(async () => {
  await site?.close()
  await server?.stop()
})

test('server and client are at most 30 lines each', async () => {
  for (const name of ['The server, `server.ts`', 'The page, `client.ts`'])
    expect((await readmeBlock(name)).trimEnd().split('\n').length, name).toBeLessThanOrEqual(30)
})

test('two windows show both players, and one sees the other move', async () => {
  const [left, right] = [await site.open(), await site.open()]
  for (const page of [left, right])
    await page.waitForFunction(() => document.querySelectorAll('b').length === 2, undefined, { timeout: 30_000 })
  await left.mouse.move(300, 200)
  await right.mouse.move(50, 60)
  for (const page of [left, right])
    await page.waitForFunction(() => {
      const places = Array.from(document.querySelectorAll('b'), mark => mark.style.translate)
      return places.includes('300px 200px') && places.includes('50px 60px')
    })
  await site.leave(left)
  await right.waitForFunction(() => document.querySelectorAll('b').length === 1, undefined, { timeout: 20_000 })
  expect(site.errors, 'no page reported an error').toEqual([])
}, 60_000)

test('it type-checks, with the fields of the DC file known', async () => {
  // After the run above: the plugin has written lobby.dc.d.ts beside lobby.dc.
  const { stdout } = await promisify(execFile)('npx', ['tsc', '--noEmit', '-p', folder]).catch(error => error)
  expect(stdout, 'tsc has nothing to say').toBe('')
}, 60_000)

test('a server and a client in one process, as it shows them, agree', async () => {
  const program = startProgram(`${folder}memory.ts`)
  expect(await program.ended, 'it ends by itself').toBe(0)
  expect(program.output().trim(), 'the client reads what the server wrote').toBe('7')
})

test('the server builds for Node as it says, and listens', async () => {
  const root = `${process.cwd()}/${folder}`
  const port = Number(/port: (\d+)/.exec(await readFile(`${root}server.ts`, 'utf8'))![1])
  await server.stop()
  await build({
    configFile: 'vite.config.ts',
    root,
    logLevel: 'error',
    build: { ssr: `${root}server.ts`, outDir: `${root}dist/server` },
  })
  const child = spawn(process.execPath, [`${root}dist/server/server.js`], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', chunk => (errors += chunk))
  const ended = new Promise(resolve => child.once('exit', resolve))
  try {
    await until(`the server listens (${errors})`, () => isOpen(port), 20_000)
  } finally {
    child.kill()
    await ended
  }
}, 60_000)
