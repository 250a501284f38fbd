import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build, type Rollup } from 'vite'
import { chromiumFlags, ensureChromium } from '../../../scripts/chromium.mjs'

/** A real browser and a server of the page that holds our client. */
export interface BrowserHost {
  /** Code of the page's bundle. */
  code: string
  open(): Promise<Page>
  close(): Promise<void>
}

const bundlePage = async (): Promise<string> => {
  const entry = fileURLToPath(new URL('page.ts', import.meta.url))
  const result = (await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry, formats: ['es'], fileName: 'page' }, minify: true },
  })) as Rollup.RollupOutput[]
  const chunks = result[0]!.output
  if (chunks.length !== 1) throw new Error(`the page is one file, not ${chunks.map(chunk => chunk.fileName).join()}`)
  return chunks[0].code
}

export const startBrowser = async (): Promise<BrowserHost> => {
  const [code, executablePath] = await Promise.all([bundlePage(), ensureChromium()])
  const pages: Server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? code : '<!doctype html><script type="module" src="/page.js"></script>')
  })
  await new Promise<void>(resolve => pages.listen(0, '127.0.0.1', resolve))
  const browser: Browser = await chromium.launch({ executablePath, args: chromiumFlags })
  return {
    code,
    open: async () => {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`)
      await page.waitForFunction('window.peer')
      return page
    },
    close: async () => {
      await browser.close()
      pages.close()
      pages.closeAllConnections()
    },
  }
}
