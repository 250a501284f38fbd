import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { geckos as geckosClient } from '../../src/geckos-client.ts'
import { geckos as geckosServer } from '../../src/geckos-server.ts'
import { record, until } from './support/until.ts'

const echo = (connection: { send(packet: Uint8Array): void; onPacket: (packet: Uint8Array) => void }) => {
  connection.onPacket = packet => connection.send(packet)
}
const roundTrip = async (port: number, path = '') => {
  const client = await geckosClient({ port, path }).connect()
  const seen = record(client)
  client.send(Uint8Array.of(5))
  await until('the echo', () => seen.packets.length === 1)
  return { client, seen }
}

it('refuses a second one until the first is closed, and then starts again', async () => {
  const first = geckosServer({ port: 0 })
  await first.listen(echo)
  await expect(geckosServer({ port: 0 }).listen(echo)).rejects.toThrow(/another geckos server listens in this process/)
  const { seen } = await roundTrip(first.port)
  await first.close()
  await first.close()
  await until('the client to see the end', () => seen.closed === 1)

  const second = geckosServer({ port: first.port })
  await second.listen(echo)
  const { client } = await roundTrip(second.port)
  client.close()
  await second.close()
})

it('may be closed while it still opens', async () => {
  const transport = geckosServer({ port: 0 })
  const opening = transport.listen(echo)
  await transport.close()
  await opening
  await expect(geckosClient({ port: transport.port }).connect()).rejects.toThrow('cannot reach')
  const next = geckosServer({ port: 0 })
  await next.listen(echo)
  await next.close()
})

it('says so when the port is taken, and can be tried again', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  const transport = geckosServer({ port })
  await expect(transport.listen(echo)).rejects.toThrow(`127.0.0.1:${port} is in use; choose another port`)
  await new Promise(resolve => other.close(resolve))
  await transport.listen(echo)
  await transport.close()
})

it('answers on a server of ours, behind a path, and leaves it as it was', async () => {
  const server = createServer((_request, response) => void response.end('my page')).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const page = async () => (await fetch(`http://127.0.0.1:${port}/`)).text()
  const transport = geckosServer({ server, bindAddress: '127.0.0.1' })
  await transport.listen(echo)
  expect([transport.port, await page()]).toEqual([port, 'my page'])
  const { client } = await roundTrip(port, '/games/one')
  client.close()
  await transport.close()
  expect(await page(), 'still served').toBe('my page')
  expect((await fetch(`http://127.0.0.1:${port}/.wrtc/v2/connections`, { method: 'POST' })).status).toBe(200)
  expect(await (await fetch(`http://127.0.0.1:${port}/.wrtc/v2/connections`, { method: 'POST' })).text()).toBe(
    'my page',
  )
  server.close()
  server.closeAllConnections()
})

it('names the option that is out of range', () => {
  expect(() => geckosServer({ openTimeout: 15 })).toThrow(/openTimeout is 15; it must be from 100 to 600000/)
  expect(() => geckosServer({ portRange: { min: 5000, max: 4000 } })).toThrow(/portRange\.max is 4000/)
})
