import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { geckos } from '../../src/geckos-server.ts'
import type { Connection } from '../../src/net/transport.ts'
import { type BrowserHost, startBrowser } from './support/browser.ts'
import type { PagePeer } from './support/page.ts'
import { until } from './support/until.ts'

declare const window: { peer: PagePeer }

const transport = geckos({ port: 0 })
let peer: Connection
let host: BrowserHost
let closed = 0

beforeAll(async () => {
  await transport.listen(connection => {
    peer = connection
    connection.onPacket = packet => connection.send(packet)
    connection.onClose = () => void closed++
  })
  host = await startBrowser()
})
afterAll(async () => {
  await host?.close()
  await transport.close()
})

const join = async (): Promise<Page> => {
  const page = await host.open()
  const { port, stats } = transport
  const { opened } = stats
  await page.evaluate(port => window.peer.connect(port), port)
  await until('the server to announce the page', () => stats.opened > opened)
  return page
}
const packets = (page: Page) => page.evaluate(() => window.peer.packets)

it('brings the largest packet back to the page', async () => {
  const page = await join()
  const bytes = Array.from({ length: 1150 }, (_, index) => (index * 7) % 256)
  await page.evaluate(bytes => window.peer.send(bytes), bytes)
  await until('the echo', async () => (await packets(page)).length > 0)
  expect((await packets(page))[0]).toEqual(bytes)
  await page.close()
})

it('sees at once that a page was closed', async () => {
  const page = await join()
  const before = closed
  const start = performance.now()
  await page.close()
  await until('onClose at the server', () => closed === before + 1, 5000)
  expect(performance.now() - start, 'milliseconds; 13 000 to 27 000 without the pagehide handler').toBeLessThan(5000)
})

it('sees that a page was left for another one', async () => {
  const page = await join()
  const before = closed
  await page.goto('about:blank')
  await until('onClose at the server', () => closed === before + 1, 5000)
  await page.close()
})

it('tells the page at once that the server closed, after what it sent before', async () => {
  const page = await join()
  for (let count = 0; count < 3; count++) peer.send(Uint8Array.of(count))
  peer.close()
  await until('onClose at the page', () => page.evaluate(() => window.peer.closed === 1), 4000)
  expect((await packets(page)).length).toBe(3)
  await page.close()
})

it("delivers the page's last packets before its close", async () => {
  const page = await join()
  const before = { closed, packets: transport.stats.packets }
  await page.evaluate(() => {
    for (let count = 0; count < 3; count++) window.peer.send([count])
    window.peer.close()
  })
  await until('onClose at the server', () => closed === before.closed + 1, 5000)
  expect(transport.stats.packets - before.packets).toBe(3)
  await page.close()
})

it("is a few kilobytes for the page, without Node's WebRTC", () => {
  expect(gzipSync(host.code).byteLength, 'bytes, geckos included').toBeLessThan(8000)
  expect(host.code).not.toMatch(/node:module|createRequire|detect-libc/)
})
