import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../e2e/support/pages.ts'
import { freePort, startProgram, type Program } from '../e2e/support/processes.ts'
import { readmeBlock, writeProgram } from './support.ts'

// What the README says is typed in here, word for word but for the port, and must work in two browser windows.

let folder: string
let server: Program
let site: Site

beforeAll(async () => {
  folder = await writeProgram(await freePort())
  server = startProgram(`${folder}server.ts`)
  site = await openSite(folder)
}, 90_000)

afterAll(async () => {
  await site?.close()
  await server?.stop()
})

test('server and client are at most 30 lines each', async () => {
  for (const name of ['server.ts', 'client.ts'])
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
  await left.close()
  await right.waitForFunction(() => document.querySelectorAll('b').length === 1, undefined, { timeout: 20_000 })
  expect(site.errors, 'no page reported an error').toEqual([])
}, 60_000)

test('it type-checks, with the fields of the DC file known', async () => {
  // After the run above: the plugin has written lobby.dc.d.ts beside lobby.dc.
  const { stdout } = await promisify(execFile)('npx', ['tsc', '--noEmit', '-p', folder]).catch(error => error)
  expect(stdout, 'tsc has nothing to say').toBe('')
}, 60_000)
