import { afterAll, beforeAll, expect, it } from 'vitest'
import { geckos } from '../../src/geckos-client.ts'
import { echoOnce } from './support/honest-client.ts'
import { startServer, type ServerProcess } from './support/server-process.ts'
import { record, until } from './support/until.ts'

const THROW = 2
const REJECT = 3
const KICK = 4

let server: ServerProcess
beforeAll(async () => {
  server = await startServer({ throwOnConnection: 1 })
})
afterAll(() => server.dispose())

const stats = async () => (await server.status()).stats

it('closes the peer that onConnection failed to take', async () => {
  // Its client may see the end before or after its own channel opened; in the first case it tries again.
  const client = await geckos({ port: server.port }).connect()
  record(client)
  await until('the close', async () => (await stats()).closed >= 1)
  expect((await stats()).callbackErrors).toBe(1)
  client.close()
  await echoOnce(server.port)
})

it('reports onPacket and onClose that throw or reject, and keeps the peer', async () => {
  const client = await geckos({ port: server.port }).connect()
  const seen = record(client)
  const before = await stats()
  for (let count = 0; count < 5; count++) client.send(Uint8Array.of(count % 2 ? THROW : REJECT))
  client.send(Uint8Array.of(1))
  await until('the echo', () => seen.packets.length === 1)
  await until('five errors', async () => (await stats()).callbackErrors - before.callbackErrors >= 5)
  client.close()
  await until('the error of onClose', async () => (await stats()).callbackErrors - before.callbackErrors >= 6)
  await echoOnce(server.port)
})

it('lets a session close its peer from inside onPacket', async () => {
  for (let count = 0; count < 10; count++) {
    const client = await geckos({ port: server.port }).connect()
    const seen = record(client)
    for (let burst = 0; burst < 20; burst++) client.send(Uint8Array.of(KICK))
    await until('the close', () => seen.closed === 1)
  }
  await echoOnce(server.port)
  expect(await server.close(), `${server.stderr()}`).toEqual({ code: 0, signal: null })
})
