import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { freePort, isOpen } from './support/processes.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('it prints one address, serves the page there, and Ctrl-C ends all of it', async () => {
  const [page, game] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, ['scripts/demo.mjs'], {
    cwd: root,
    env: { ...process.env, PORT: String(page), GAME_PORT: String(game) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  try {
    const address = await new Promise<string>((resolve, reject) => {
      let output = ''
      const hear = (chunk: Buffer) => {
        output += chunk.toString()
        const found = /Open (http:\S+)/.exec(output)
        if (found) resolve(found[1]!)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      void ended.then(() => reject(new Error(`the demo ended before it was ready:\n${output}`)))
    })
    expect(new URL(address).port, 'the address is the one that was asked for').toBe(String(page))
    const html = await (await fetch(address)).text()
    expect(html, 'it is the page of the lobby').toContain('Lamplight')
    expect(await isOpen(game), 'the game server listens').toBe(true)
  } finally {
    child.kill('SIGINT')
    await ended
  }
  expect([await isOpen(page), await isOpen(game)], 'both ports are free again').toEqual([false, false])
}, 60_000)

test('a port that is taken is told, with what to do', async () => {
  const [page, game] = [await freePort(), await freePort()]
  const { createServer } = await import('node:http')
  const other = createServer().listen(page)
  const child = spawn(process.execPath, ['scripts/demo.mjs'], {
    cwd: root,
    env: { ...process.env, PORT: String(page), GAME_PORT: String(game) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', chunk => (output += chunk))
  child.stderr.on('data', chunk => (output += chunk))
  const code = await new Promise(resolve => child.once('exit', resolve))
  other.close()
  expect(code, 'it fails').not.toBe(0)
  expect(output).toContain(`Port ${page} is taken`)
}, 30_000)
