import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { build, preview, type InlineConfig, type PluginOption } from 'vite'
import { chromiumFlags, ensureChromium } from '../../../scripts/chromium.mjs'
import { freePort } from './processes.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A page as vite builds it, and a real browser to open it in. */
export interface Site {
  /** Opens the page in a context of its own; errors of its console are collected in `errors`. */
  open(query?: string, options?: BrowserContextOptions): Promise<Page>
  readonly errors: string[]
  /** Closes a page, as its user does. What the browser breaks off then is no error of the page. */
  leave(page: Page): Promise<void>
  close(): Promise<void>
}

/** Builds a folder's page with the project's vite config, serves it, and starts a headless Chromium. */
export const openSite = async (folder: string, plugins: PluginOption[] = []): Promise<Site> => {
  const outDir = await mkdtemp(join(tmpdir(), 'bitecs-pipes-page-'))
  const config: InlineConfig = {
    configFile: `${root}vite.config.ts`,
    root: `${root}${folder}`,
    logLevel: 'error',
    plugins,
    build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 4096 },
    preview: { port: await freePort(), strictPort: true, host: '127.0.0.1' },
  }
  await build(config)
  const server = await preview(config)
  const browser: Browser = await chromium.launch({ executablePath: await ensureChromium(), args: chromiumFlags })
  const errors: string[] = []
  const leaving = new Set<Page>()
  return {
    errors,
    async open(query = '', options = {}) {
      const context = await browser.newContext({ viewport: { width: 640, height: 480 }, ...options })
      const page = await context.newPage()
      page.on('pageerror', error => {
        if (!leaving.has(page)) errors.push(error.message)
      })
      page.on('console', message => {
        // A handshake that had to be tried again leaves polls of its first try behind, of which the browser tells by itself.
        const isPoll = message.location().url.includes('/.wrtc/')
        if (message.type() === 'error' && !isPoll && !leaving.has(page)) errors.push(message.text())
      })
      await page.goto(`http://127.0.0.1:${config.preview!.port}/${query}`)
      return page
    },
    async leave(page) {
      leaving.add(page)
      await page.close()
    },
    async close() {
      await browser.close()
      await server.close()
      await rm(outDir, { recursive: true, force: true })
    },
  }
}
