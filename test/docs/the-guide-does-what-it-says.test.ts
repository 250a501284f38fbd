import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { readmeBlock } from '../readme/support.ts'
import { blocksOf, readPages } from './support/blocks.ts'
import './cases/concepts.ts'
import './cases/elsewhere.ts'
import './cases/recipes.ts'
import { programs, writePrograms } from './support/program.ts'
import { closeStage, played } from './support/stage.ts'

// Each page's code is put together as its reader would, and run: servers and clients in this process, geckos.io replaced by links in
// memory, on virtual time. The page of the first five minutes runs in test/readme, over WebRTC in browsers.

vi.mock('bitecs-pipes/geckos/server', async () => (await import('./support/stage.ts')).serverTransport)
vi.mock('bitecs-pipes/geckos/client', async () => (await import('./support/stage.ts')).clientTransport)

let programsOf: Map<string, string[]>

beforeAll(() => {
  programsOf = writePrograms()
})

afterEach(closeStage)

test('all code type-checks against the real types', async () => {
  const { stdout } = await promisify(execFile)('npx', ['tsc', '--noEmit', '-p', programs]).catch(
    (error: { stdout: string }) => error,
  )
  // Of the sources themselves `npm run types` tells.
  expect(stdout.split('\n').filter(line => line.includes('docs/program'))).toEqual([])
}, 60_000)

test('the first five minutes are those of the README', async () => {
  const whole = (text: string) => text.replace(/\n+/g, '\n').trim()
  const blocks = blocksOf('start', readPages().get('start')!)
  const words = { 'lobby.dc': 'Declare what is shared', 'server.ts': 'The server, `', 'client.ts': 'The page, `' }
  for (const [name, place] of Object.entries({ ...words, 'vite.config.ts': '`vite.config.ts` makes' })) {
    const parts = blocks.filter(block => block.name === name).map(({ text }) => text)
    expect(whole(parts.join('')), name).toBe(whole(await readmeBlock(place)))
  }
})

test('no program was left out', () => {
  const all = [...programsOf].flatMap(([page, files]) => files.map(file => `${page}/${file}`))
  expect(all.filter(name => !played.has(name) && !name.startsWith('start/'))).toEqual([])
})
