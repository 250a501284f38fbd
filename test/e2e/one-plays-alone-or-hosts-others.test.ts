import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from './support/pages.ts'
import { freePort, startProgram, type Program } from './support/processes.ts'

// examples/listen, as its players run it.

let site: Site
let host: Program
let port: number

beforeAll(async () => {
  port = await freePort()
  host = startProgram('examples/listen/host.ts', [], { GAME_PORT: String(port) })
  site = await openSite('examples/listen')
  await host.says('The host plays')
}, 90_000)

afterAll(async () => {
  await site?.close()
  await host?.stop()
})

test('alone in a page, without a network', async () => {
  const page = await site.open()
  const status = () => page.locator('output').textContent()
  await expect.poll(status, { timeout: 20_000 }).toMatch(/^Alone: 1 here, \d+ kicks$/)
  const field = (await page.locator('canvas').boundingBox())!
  const sweep = async () => {
    for (let row = 1; row < 5; row++) {
      const y = field.y + (field.height * row) / 5
      await page.mouse.move(field.x + 1, y)
      await page.mouse.move(field.x + field.width - 1, y, { steps: 12 })
    }
    return status()
  }
  await expect.poll(sweep, { timeout: 20_000 }).toMatch(/[1-9]\d* kicks$/)
  const requests = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
  expect(requests.filter(name => new URL(name).port !== new URL(page.url()).port || name.includes('.wrtc'))).toEqual([])
  expect(site.errors).toEqual([])
  await site.leave(page)
}, 60_000)

test('with a host who plays in the server’s own process', async () => {
  const page = await site.open(`?join=${port}&name=Ada`, { viewport: { width: 390, height: 844 }, hasTouch: true })
  await expect
    .poll(() => page.locator('output').textContent(), { timeout: 20_000 })
    .toMatch(/^With the host: 2 here, \d+ kicks$/)
  await host.says('Here are Ada, Host')
  const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
  expect(isTooWide, 'it fits a phone').toBe(false)
  const field = (await page.locator('canvas').boundingBox())!
  const pixel = (x: number, y: number) =>
    page.evaluate(
      ([left, top]) => {
        const canvas = document.querySelector('canvas')!
        const scale = canvas.width / canvas.clientWidth
        return Array.from(canvas.getContext('2d')!.getImageData(left! * scale, top! * scale, 1, 1).data).join()
      },
      [x, y],
    )
  const [x, y] = [field.width * 0.3, field.height * 0.2]
  // Nothing is drawn there: the lawn is the page's.
  const lawn = '0,0,0,0'
  await page.touchscreen.tap(field.x + x, field.y + y)
  await expect.poll(() => pixel(x, y), { message: 'a finger moves the own dot', timeout: 10_000 }).not.toBe(lawn)
  await page.keyboard.down('ArrowRight')
  await expect.poll(() => pixel(x, y), { message: 'and so does a key', timeout: 10_000 }).toBe(lawn)
  await page.keyboard.up('ArrowRight')
  expect(site.errors).toEqual([])
  await site.leave(page)
}, 60_000)
