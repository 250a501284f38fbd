import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, startProgram, type Program } from './support/processes.ts'

// examples/terminal, as its two users run it: Node clients and server over real geckos.io.

let server: Program
let port: number

beforeAll(async () => {
  port = await freePort()
  server = startProgram('examples/terminal/server.ts', [], { GAME_PORT: String(port) })
  await server.says('ready')
}, 60_000)

afterAll(() => server?.stop())

test('two clients greet each other, see the orbiting NPC move, and leave', async () => {
  const arguments_ = (name: string, seconds: number) => ['--name', name, '--seconds', String(seconds)]
  // Ada stays until she is told to go: how long Bob takes to start depends on what else the machine does.
  const ada = startProgram('examples/terminal/client.ts', arguments_('Ada', 60), { GAME_PORT: String(port) })
  await ada.says('connected as client')
  const bob = startProgram('examples/terminal/client.ts', arguments_('Bob', 3), { GAME_PORT: String(port) })
  await bob.says('+ Ada is here')
  await ada.says('+ Bob is here')
  await ada.says('Bob: Hello')
  await ada.says('satellite')
  expect(await bob.ended, 'Bob ends after his seconds').toBe(0)
  await ada.says('- Bob')
  await ada.stop()
  expect(await ada.ended, 'Ada ends when she is told to').toBe(0)
  await server.says('- Bob left')
  const places = [...ada.output().matchAll(/satellite\s+(-?[\d.]+)\s+(-?[\d.]+)/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ])
  expect(new Set(places.map(String)).size, 'the NPC is somewhere else each time').toBe(places.length)
  for (const [x, y] of places) expect(Math.hypot(x!, y!), 'and always on its orbit').toBeCloseTo(10, 0)
}, 120_000)

test('a wrong password is told', async () => {
  const guarded = await freePort()
  const locked = startProgram('examples/terminal/server.ts', [], { GAME_PORT: String(guarded), GAME_PASSWORD: 'x' })
  await locked.says('ready')
  const client = startProgram('examples/terminal/client.ts', ['--name', 'Ada', '--password', 'y', '--seconds', '5'], {
    GAME_PORT: String(guarded),
  })
  await client.says('password')
  expect(await client.ended, 'and the client ends with an error').not.toBe(0)
  await locked.stop()
}, 90_000)
