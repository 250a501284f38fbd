import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { geckos } from '../../src/geckos-client.ts'

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

it('says what to check when nothing listens', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const port = portOf(server)
  await new Promise(resolve => server.close(resolve))
  await expect(geckos({ port }).connect()).rejects.toThrow(
    new RegExp(`cannot reach http://127.0.0.1:${port} \\(ECONNREFUSED\\).*server runs.*cors\\.origin`),
  )
})

it('gives up when the server takes the request and never answers', async () => {
  const server = createTcpServer(socket => void socket.on('error', () => {})).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const start = performance.now()
  await expect(geckos({ port: portOf(server), connectTimeout: 300 }).connect()).rejects.toThrow(
    /did not answer within 300 ms/,
  )
  expect(performance.now() - start, 'milliseconds').toBeLessThan(3000)
  server.close()
})

it('names the status of a refusal', async () => {
  const statuses = [401, 403, 404, 503, 418]
  const server = createServer((_request, response) => response.writeHead(statuses[0]!).end()).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  for (const words of [/authorization/, /origin/, /no geckos server/, /full or busy/, /status 418/]) {
    await expect(geckos({ port: portOf(server) }).connect()).rejects.toThrow(words)
    statuses.shift()
  }
  server.close()
  server.closeAllConnections()
})

it('rejects an url that is none', async () => {
  await expect(geckos({ url: 'game.example' }).connect()).rejects.toThrow(/url is "game.example"/)
})
