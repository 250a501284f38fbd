import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createWorld } from 'bitecs'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { createSchema, createServer } from 'bitecs-pipes/server'
import { train, type Game } from 'bitecs-pipes/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadFile, openModules } from '../../src/cli/modules.ts'
import * as walkers from './games/walkers.ts'
import { folderOf, pipes, type Call } from './support.ts'

const GAME = join(import.meta.dirname, 'games/walkers.ts')
const QUICK = { seconds: 20, clients: 1, objects: 60, seed: 3 }

/** As the test runner imports them, which is quicker than a Vite of their own. */
const modules = async () => ({ load: (name: string) => import(/* @vite-ignore */ name), close: async () => {} })

let folder: ReturnType<typeof folderOf>
let told: Call
beforeAll(async () => {
  folder = folderOf({
    'empty.js': 'export const answer = 42\n',
    'broken.js': 'throw new Error("no garden here")\n',
    'idle.js': 'export default { schema: "dclass A { uint8 x broadcast; };", rules: { rest() {} } }\n',
  })
  const quick = Object.entries(QUICK).flatMap(([name, value]) => [`--${name}`, String(value)])
  told = await pipes(['train', GAME, '--out', folder.file('walkers.tables'), ...quick], '', modules)
})
afterAll(() => folder.remove())
const tables = () => new Uint8Array(readFileSync(folder.file('walkers.tables')))

const serverWith = (codecTables: Uint8Array, text = walkers.schema) =>
  createServer(createWorld(), createSchema(text, { capacity: 10 }), {
    transport: memoryNetwork().server,
    codecTables,
    trainCodec: false,
  })

test('a game is played by its bots, and it is told what the tables are worth', () => {
  expect(told).toMatchObject({ code: 0, error: '' })
  const [, bytes, before, after] =
    /(\d+) bytes\n([\d.]+) kB\/s to a client without, ([\d.]+) kB\/s with tables \(-[\d.]+ %\)/
      .exec(told.out)!
      .map(Number)
  expect(after).toBeLessThan(before! * 0.95)
  expect(tables().length).toBe(bytes)
})

test('the same game and seed give the same tables', async () => {
  expect((await train(walkers as Game, QUICK)).tables).toEqual(tables())
})

test('they serve a server from its start, and a server takes no others', () => {
  expect(serverWith(tables()).codecTables, 'as they are from the first tick on').toEqual(tables())
  expect(() => serverWith(tables(), walkers.schema.replace('health', 'hull'))).toThrow(
    /codecTables are of another schema \([0-9a-f]{8}-[0-9a-f]{16}\) than this server's \([0-9a-f]{8}-[0-9a-f]{16}\): make/,
  )
  expect(() => serverWith(Uint8Array.of(1, 2, 3))).toThrow('codecTables are none: give what')
  expect(() => serverWith(tables().slice(0, 16))).toThrow('codecTables are none')
  expect(() => serverWith(tables().slice(0, -40)), 'cut off').toThrow('version of this library')
})

test('what cannot be trained is told', async () => {
  const call = (name: string, ...args: string[]) =>
    pipes(['train', folder.file(name), '--out', folder.file('none'), ...args], '', modules)
  expect(await call('nowhere.js')).toMatchObject({ code: 2, error: expect.stringContaining('no such file') })
  expect(await call('empty.js')).toMatchObject({ code: 2, error: expect.stringContaining('exports no game') })
  expect(await call('broken.js')).toMatchObject({ code: 2, error: expect.stringContaining('no garden here') })
  expect(await call('idle.js', '--seconds', 'x')).toMatchObject({
    code: 2,
    error: expect.stringContaining('from 6 up'),
  })
  expect(await call('idle.js', '--seconds', '6', '--clients', '1')).toMatchObject({
    code: 1,
    error: expect.stringContaining('sent too little'),
  })
  expect((await pipes(['train', GAME])).error).toContain('--out <file>')
  expect(existsSync(folder.file('none'))).toBe(false)
})

test('modules are imported by the Vite of the project', async () => {
  const own = await openModules()
  try {
    const { default: game } = await loadFile(own, folder.file('idle.js'))
    expect(Object.keys(game)).toEqual(['schema', 'rules'])
  } finally {
    await own.close()
  }
})
