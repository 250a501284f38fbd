import type { Page } from 'playwright-core'
import type { Plugin } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from './support/pages.ts'
import { freePort, startProgram, type Program } from './support/processes.ts'

let server: Program
let site: Site
let stale: Site
let port: number

/** A page that was built from an older schema: one field has another type. */
const olderSchema = (): Plugin => ({
  name: 'older-schema',
  enforce: 'pre',
  async load(id) {
    if (!id.endsWith('lobby.dc')) return undefined
    const { readFile } = await import('node:fs/promises')
    const { compileDC, parseDC } = await import('bitecs-pipes/dc')
    const text = (await readFile(id, 'utf8')).replace('uint16 population', 'uint32 population')
    const { file } = parseDC(text)
    const names = file.classes.filter(dclass => !dclass.isStruct).map(dclass => dclass.name)
    return [
      `import { loadSchema } from 'bitecs-pipes'`,
      `const schema = loadSchema(${JSON.stringify(compileDC(file))})`,
      `export const { ${names.join(', ')} } = schema.dclasses`,
      'export default schema',
    ].join('\n')
  },
})

beforeAll(async () => {
  port = await freePort()
  server = startProgram('examples/lobby/server.ts', [], { GAME_PORT: String(port), GAME_PASSWORD: 'moonlight' })
  await server.says('ready')
  site = await openSite('examples/lobby')
  stale = await openSite('examples/lobby', [olderSchema()])
}, 90_000)

afterAll(async () => {
  await site?.close()
  await stale?.close()
  await server?.stop()
})

const problem = async (page: Page): Promise<string> => {
  await page.waitForSelector('#problem:not([hidden])', { timeout: 30_000 })
  return (await page.textContent('#problem')) ?? ''
}

test('a wrong password is told, and the right one then opens', async () => {
  const page = await site.open(`?name=Ada&auto=1&port=${port}&password=sunshine`)
  expect(await problem(page), 'the player reads that the password is wrong').toMatch(/password/i)
  await page.fill('#password', 'moonlight')
  await page.click('#enter')
  await page.waitForFunction(() => (window as any).lobby.me() !== undefined, undefined, { timeout: 30_000 })
  await site.leave(page)
})

test('a page of another schema is told to reload', async () => {
  const page = await stale.open(`?name=Ada&auto=1&port=${port}&password=moonlight`)
  expect(await problem(page), 'the player reads that page and server differ').toMatch(/older or newer/i)
  await site.leave(page)
})

test('a server that is not there is told', async () => {
  const page = await site.open(`?name=Ada&auto=1&port=${await freePort()}`)
  expect(await problem(page), 'the player reads that no server answers').toMatch(/no garden server|not answer/i)
  await site.leave(page)
})
