import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { expect, test } from 'vitest'
import { chromiumFlags, ensureChromium } from '../../scripts/chromium.mjs'
import { pipes } from '../../src/vite.ts'
import { entries } from '../../vite.config.ts'
import { freePort } from './support/processes.ts'

const project = join(import.meta.dirname, '../..')

test('an error shows over the page with line and caret; the repaired schema takes its place', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pipes-page-'))
  const write = (text: string) => writeFileSync(join(root, 'game.dc'), text)
  write('dclass Avatar {\n  uint8 health;\n};\n')
  writeFileSync(join(root, 'index.html'), '<p></p><script type="module" src="main.js"></script>')
  writeFileSync(
    join(root, 'main.js'),
    `import { Avatar } from './game.dc'\ndocument.querySelector('p').append(Object.keys(Avatar).join())`,
  )
  const port = await freePort()
  const server = await createServer({
    configFile: false,
    root,
    logLevel: 'silent',
    plugins: [pipes()],
    resolve: {
      alias: Object.entries(entries).map(([name, file]) => ({
        find: new RegExp(`^${name}$`),
        replacement: join(project, file),
      })),
    },
    optimizeDeps: { noDiscovery: true },
    server: { port, strictPort: true, host: '127.0.0.1', fs: { allow: [root, project] } },
  })
  await server.listen()
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: chromiumFlags })
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/`)
    const shown = page.locator('p')
    const overlay = page.locator('vite-error-overlay')
    await expect.poll(() => shown.textContent(), { timeout: 10_000 }).toBe('health')

    write('dclass Avatar {\n  uint8 health;\n  flaot64 speed;\n};\n')
    await overlay.waitFor({ timeout: 10_000 })
    expect(await overlay.locator('.message').textContent()).toContain('Undeclared type: flaot64')
    expect(await overlay.locator('.file').textContent()).toContain('game.dc:3:3')
    expect(await overlay.locator('.frame').textContent()).toMatch(/^3 \|   flaot64 speed;\n  \|   \^{7}/)
    expect(await shown.textContent(), 'the page goes on').toBe('health')

    const repaired = () => {
      // Once more while it waits: watchers drop what follows a change within 50 ms.
      write('dclass Avatar {\n  uint8 health;\n  float64 speed;\n};\n')
      return shown.textContent()
    }
    await expect.poll(repaired, { timeout: 10_000, interval: 300 }).toBe('health,speed')
    expect(await overlay.count()).toBe(0)
  } finally {
    await browser.close()
    await server.close()
    rmSync(root, { recursive: true })
  }
})
