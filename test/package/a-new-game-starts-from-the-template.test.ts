import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chromiumFlags, ensureChromium } from '../../scripts/chromium.mjs'
import { freePort, isOpen } from '../e2e/support/processes.ts'
import { until } from '../geckos/support/until.ts'
import { readmeBlock } from '../readme/support.ts'

// A stranger's first evening: the packed package, installed by npm beside bitecs and geckos, once by the template and once by the README.

const root = join(import.meta.dirname, '../..')
const execute = promisify(execFile)
const children = new Set<ChildProcess>()
let folder = ''
let game = ''
let browser: Browser

/** What a stranger's shell has: nothing of this test's runner, which makes vite build for tests. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NODE_ENV|NODE_OPTIONS|VITE.*|DEV|PROD|MODE|TEST)$/.test(name)),
)

/** Runs a command to its end. Rejects with its whole output when it fails. */
const run = async (cwd: string, command: string, ...args: string[]): Promise<string> => {
  try {
    return (await execute(command, args, { cwd, encoding: 'utf8', env: environment })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`, { cause: error })
  }
}

/** Starts a program and waits until something listens on its port. */
const serve = async (cwd: string, port: number, file: string, env: Record<string, string> = {}): Promise<void> => {
  const child = spawn(process.execPath, [file], {
    cwd,
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  await until('the server listens', async () => {
    if (child.exitCode !== null) throw new Error(`${file} ended:\n${output}`)
    return isOpen(port)
  })
}

/** Opens two windows, and gives what their consoles called errors. */
const openTwo = async (url: string) => {
  const errors: string[] = []
  const pages = []
  for (let count = 0; count < 2; count++) {
    const page = await (await browser.newContext()).newPage()
    page.on('pageerror', error => errors.push(error.message))
    // A handshake that had to be tried again leaves polls of its first try behind.
    page.on('console', message => {
      if (message.type() === 'error' && !message.location().url.includes('/.wrtc/')) errors.push(message.text())
    })
    await page.goto(url)
    pages.push(page)
  }
  return { pages, errors }
}

beforeAll(async () => {
  if (!existsSync(join(root, 'dist/index.js'))) await run(root, 'npm', 'run', 'build')
  folder = await mkdtemp(join(tmpdir(), 'bitecs-pipes-game-'))
  game = join(folder, 'My Game')
  const packed = await run(root, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder)
  const [{ filename }] = JSON.parse(packed)
  await run(folder, process.execPath, join(root, 'create/index.js'), game, '--pipes', `file:${join(folder, filename)}`)
  await run(game, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  browser = await chromium.launch({ executablePath: await ensureChromium(), args: chromiumFlags })
}, 180_000)

afterAll(async () => {
  await browser?.close()
  for (const child of children) child.kill()
  await rm(folder, { recursive: true, force: true })
})

test('the new folder is a package of its own name, and a second game does not fall on it', async () => {
  expect(JSON.parse(await readFile(join(game, 'package.json'), 'utf8')).name).toBe('my-game')
  await expect(run(folder, process.execPath, join(root, 'create/index.js'), game)).rejects.toThrow('is not empty')
})

test('it builds, type-checks, and passes its own tests', async () => {
  // Before anything else has written them: an editor knows the fields at once.
  await run(game, 'npx', 'pipes', 'dc', 'types', '--check', 'src')
  await run(game, 'npm', 'run', 'build')
  await run(game, 'npm', 'run', 'types')
  await run(game, 'npm', 'test')
}, 120_000)

test('two windows of the built game meet', async () => {
  const port = await freePort()
  await serve(game, port, 'dist/server/server.js', { PORT: String(port), HOST: '127.0.0.1' })
  const { pages, errors } = await openTwo(`http://127.0.0.1:${port}/`)
  const isMet = () => document.querySelector('#count')!.textContent === '2'
  for (const page of pages)
    await page.waitForFunction(isMet, undefined, { timeout: 30_000 }).catch(async cause => {
      const told = await page.evaluate(() => document.body.innerText)
      throw new Error(`The page says: ${told}\n${errors.join('\n')}`, { cause })
    })
  expect(errors).toEqual([])
}, 60_000)

test('so do two windows of the README, installed the same way', async () => {
  const readme = join(folder, 'readme')
  const port = await freePort()
  await mkdir(readme)
  await symlink(join(game, 'node_modules'), join(readme, 'node_modules'), 'junction')
  const places = {
    'package.json': 'put this in first',
    'lobby.dc': 'Declare what is shared, in `lobby.dc`',
    'vite.config.ts': '`vite.config.ts` makes it an import',
    'server.ts': 'The server, `server.ts`',
    'client.ts': 'The page, `client.ts`',
  }
  for (const [name, place] of Object.entries(places))
    await writeFile(join(readme, name), (await readmeBlock(place)).replaceAll('9208', String(port)))
  await writeFile(
    join(readme, 'index.html'),
    '<!doctype html><link rel="icon" href="data:," /><script type="module" src="client.ts"></script>',
  )
  await run(readme, 'npx', 'vite', 'build', '--ssr', 'server.ts', '--outDir', 'dist/server')
  await run(readme, 'npx', 'vite', 'build', '--outDir', 'dist/page')
  await serve(readme, port, 'dist/server/server.js')
  const pagePort = await freePort()
  const vite = join(readme, 'node_modules/vite/bin/vite.js')
  const preview = spawn(
    process.execPath,
    [vite, 'preview', '--outDir', 'dist/page', '--host', '127.0.0.1', '--port', String(pagePort), '--strictPort'],
    { cwd: readme, stdio: 'ignore', env: environment },
  )
  children.add(preview)
  await until('the page is served', () => isOpen(pagePort), 20_000)
  const { pages, errors } = await openTwo(`http://127.0.0.1:${pagePort}/`)
  for (const page of pages)
    await page.waitForFunction(() => document.querySelectorAll('b').length === 2, undefined, { timeout: 30_000 })
  expect(errors).toEqual([])
}, 90_000)
