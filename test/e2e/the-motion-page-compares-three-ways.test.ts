import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from './support/pages.ts'

let site: Site

beforeAll(async () => {
  site = await openSite('examples/motion')
}, 90_000)

afterAll(async () => {
  await site?.close()
})

const LANES = ['raw', 'linear', 'ours'] as const

test('three lanes move, are measured, and follow the sliders', async () => {
  const page = await site.open('', { viewport: { width: 1280, height: 900 } })
  const numbers = (lane: string) => page.locator(`#${lane} dd`).allTextContents()
  for (const lane of LANES)
    await page.waitForFunction(id => /^\d+ ms$/.test(document.querySelector(`#${id} dd`)?.textContent ?? ''), lane, {
      timeout: 30_000,
    })
  const picture = () => page.evaluate(() => document.querySelector<HTMLCanvasElement>('#ours canvas')!.toDataURL())
  const before = await picture()
  await expect.poll(picture, { timeout: 10_000 }).not.toBe(before)

  await page.locator('#lag').fill('250')
  expect(await page.locator('#lag-value').textContent()).toBe('250 ms')
  await expect
    .poll(async () => Number.parseInt((await numbers('ours'))[0]!, 10), { timeout: 20_000 })
    .toBeGreaterThan(250)

  await page.getByRole('button', { name: 'LAN' }).click()
  expect(await page.locator('#link output').allTextContents(), 'a typical link sets all three').toEqual([
    '5 ms',
    '0 ms',
    '0 %',
  ])
  expect(await page.locator('[aria-pressed="true"]').allTextContents(), 'and is marked').toEqual(['LAN'])

  await page.locator('#play').click()
  expect(await page.locator('#play').textContent()).toBe('Play')
  const still = await picture()
  await page.locator('#play').click()
  await expect.poll(picture, { timeout: 10_000 }).not.toBe(still)
  expect(site.errors).toEqual([])
}, 90_000)

test('who asked for less motion starts it by hand', async () => {
  const page = await site.open('', { reducedMotion: 'reduce', viewport: { width: 390, height: 844 } })
  await expect.poll(() => page.locator('#play').textContent(), { timeout: 20_000 }).toBe('Play')
  const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
  expect(isTooWide, 'a phone scrolls one way only').toBe(false)
  expect(site.errors).toEqual([])
}, 60_000)
