import { afterAll, beforeAll, expect, it } from 'vitest'
import { geckos } from '../../src/geckos-client.ts'
import { echoOnce } from './support/honest-client.ts'
import { startServer, type ServerProcess } from './support/server-process.ts'
import { until } from './support/until.ts'

const ROUNDS = 14
const AT_ONCE = 5

let server: ServerProcess
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.dispose())

it(`serves ${ROUNDS * AT_ONCE} clients that close as soon as they are connected`, async () => {
  const connect = async (): Promise<void> => (await geckos({ port: server.port }).connect()).close()
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(Array.from({ length: AT_ONCE }, connect))
    expect(server.alive(), `${server.stderr()}`).toBe(true)
  }
  const isFree = async (): Promise<boolean> => {
    const { opened, closed } = (await server.status()).stats
    return opened === closed
  }
  // Of a lost handshake the server hears by silence alone.
  await until('every place to be free again', isFree, 40_000)
  await echoOnce(server.port)
  expect(await server.close(), `${server.stderr()}`).toEqual({ code: 0, signal: null })
}, 90_000)
