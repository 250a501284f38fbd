import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from './support/pages.ts'
import { freePort, isOpen, startProgram, type Program } from './support/processes.ts'

// The simulation, a server for each codec, and real pages, most of which leave out the drawing.

let server: Program
let site: Site
let port: number

beforeAll(async () => {
  do port = await freePort()
  while (await isOpen(port + 1))
  server = startProgram('examples/cubes/server.ts', [], { GAME_PORT: String(port) })
  ;[site] = await Promise.all([openSite('examples/cubes'), server.says('cubes ready', 40_000)])
}, 90_000)

afterAll(async () => {
  await site?.close()
  await server?.stop()
})

interface Spot {
  readonly seat: number
  readonly x: number
  readonly y: number
  readonly z: number
}

const isWhole = (page: Page) =>
  page.waitForFunction(() => (window as any).cubes?.session.isWhole() && (window as any).cubes.me() !== undefined)

const enter = async (query: string, options?: BrowserContextOptions): Promise<Page> => {
  const page = await site.open(`?port=${port}${query}`, options)
  await isWhole(page)
  return page
}

const me = (page: Page): Promise<Spot> => page.evaluate(() => (window as any).cubes.me())

/** Resolves once a page shows the cube of a seat within a step or two of where its player sees it. */
const agrees = async (page: Page, owner: Page): Promise<void> => {
  const place = async (at: Page, seat: number): Promise<Spot | undefined> =>
    at.evaluate(wanted => (window as any).cubes.players().find((each: Spot) => each.seat === wanted), seat)
  const { seat } = await me(owner)
  await expect
    .poll(
      async () => {
        const [seen, meant] = await Promise.all([place(page, seat), me(owner)])
        return seen ? Math.hypot(seen.x - meant.x, seen.y - meant.y, seen.z - meant.z) : Infinity
      },
      { timeout: 10_000, interval: 100 },
    )
    .toBeLessThan(0.01)
}

test('two players see the same cubes, each by a codec of its own', async () => {
  const [ada, bob] = await Promise.all([enter('&headless'), enter('&headless')])
  for (const page of [ada, bob]) {
    const count = () => page.evaluate(() => (window as any).cubes.session.cubes().length)
    await expect.poll(count, { timeout: 5_000, message: '900 small ones and one of each player' }).toBe(902)
  }

  const start = await me(ada)
  await ada.keyboard.down('KeyD')
  await ada.keyboard.down('Space')
  await ada.waitForFunction(
    ({ x, y }) => {
      const now = (window as any).cubes.me()
      return Math.hypot(now.x - x, now.y - y) > 3 && (window as any).cubes.reading()?.moving > 1
    },
    start,
    { timeout: 15_000 },
  )
  const names = ['kbps', 'against', 'bits', 'moving', 'packets', 'rtt', 'loss', 'playout']
  const numbers = await ada.evaluate(
    wanted => wanted.map(name => document.querySelector(`[data-stat="${name}"]`)!.textContent),
    names,
  )
  for (const [index, text] of numbers.entries()) expect(text, names[index]!).toMatch(/\d/)
  const reading = await ada.evaluate(() => (window as any).cubes.reading())
  expect(reading.kbps, 'it is less than raw floats').toBeLessThan(reading.rawKbps / 10)
  await ada.keyboard.up('KeyD')
  await ada.keyboard.up('Space')
  await agrees(bob, ada)

  const before = await me(bob)
  await bob.locator('#codecs label', { hasText: 'plain' }).click()
  await bob.waitForFunction(() => (window as any).cubes.session.codec === 'plain')
  await isWhole(bob)
  await agrees(bob, ada)
  await agrees(ada, bob)
  expect((await me(bob)).seat, 'the player has its cube back').toBe(before.seat)
  expect(
    await Promise.all([ada, bob].map(page => page.evaluate(() => (window as any).cubes.session.client.stats.desyncs))),
  ).toEqual([0, 0])

  await site.leave(ada)
  await site.leave(bob)
  expect(site.errors, 'no page reported an error').toEqual([])
}, 60_000)

test('on a phone it is drawn, a finger rolls the cube, and nothing sticks out', async () => {
  const page = await enter('', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const hasWebGL = await page.evaluate(() => !!document.createElement('canvas').getContext('webgl2'))
  if (hasWebGL) await page.waitForFunction(() => (window as any).cubes.drawn() > 900 * 12)
  else expect(await page.locator('#notice').textContent()).toContain('no WebGL')
  const start = await me(page)
  await page.mouse.move(60, 500)
  await page.mouse.down()
  await page.mouse.move(160, 500)
  await page.waitForFunction(({ x }) => (window as any).cubes.me().x > x + 1, start, { timeout: 15_000 })
  await page.mouse.up()
  expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false)
  await site.leave(page)
  expect(site.errors, 'no page reported an error').toEqual([])
}, 60_000)
