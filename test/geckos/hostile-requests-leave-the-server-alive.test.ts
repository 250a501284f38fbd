import { request as httpRequest } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { geckos } from '../../src/geckos-client.ts'
import { echoOnce } from './support/honest-client.ts'
import { startServer, type ServerProcess } from './support/server-process.ts'
import { closeStock, connectStock } from './support/stock-client.ts'
import { record, until } from './support/until.ts'

let server: ServerProcess
let base: string
beforeAll(async () => {
  server = await startServer()
  base = `http://127.0.0.1:${server.port}/.wrtc/v2/connections`
})
afterAll(() => server.dispose())

const stats = async () => (await server.status()).stats
const post = (path: string, body = '', headers: Record<string, string> = {}) =>
  fetch(`${base}${path}`, { method: 'POST', body, headers })
const openHandshake = async () => ((await (await post('')).json()) as { id: string }).id

it('refuses answers that are none', async () => {
  const id = await openHandshake()
  const sdp =
    'v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\na=fingerprint:z\r\n'
  const bodies = [
    '{}',
    '',
    'null',
    '[]',
    '1',
    '"',
    '{"type":"answer"}',
    '{"type":"answer","sdp":"v=0"}',
    JSON.stringify({ type: 'offer', sdp }),
    JSON.stringify({ type: 'answer', sdp: `${sdp}m=audio 1 x 0\r\n` }),
    JSON.stringify({ type: 'answer', sdp: `${sdp}a=\u0000\r\n` }),
    JSON.stringify({ type: 'answer', sdp: sdp + 'a=x:1\r\n'.repeat(5000) }),
  ]
  for (const body of bodies) {
    expect((await post(`/${id}/remote-description`, body)).status, `for ${body.slice(0, 60)}`).toBe(400)
  }
  // Well-formed for the filter and nonsense for the WebRTC library: refused there, and only tried once.
  expect((await post(`/${id}/remote-description`, JSON.stringify({ type: 'answer', sdp }))).status).toBe(500)
  expect((await post(`/${id}/remote-description`, JSON.stringify({ type: 'answer', sdp }))).status).toBe(400)
  await echoOnce(server.port)
})

it('does not let a third party take or close a connection', async () => {
  const victim = await connectStock(server.port)
  const echoes: unknown[] = []
  victim.onRaw(packet => void echoes.push(packet))
  const id = victim.id!
  expect((await post(`/${id}/close`)).status, 'close').toBe(403)
  expect((await post(`/${id}/remote-description`, '{"type":"answer","sdp":"v=0"}')).status, 'a second answer').toBe(400)
  await until('the victim to get its echo', () => {
    victim.raw.emit(Uint8Array.of(1))
    return echoes.length > 0
  })
  expect((await stats()).refusedCloses).toBe(1)
  closeStock(victim)
})

it('answers unknown requests with 404', async () => {
  const unknown = 'x'.repeat(24)
  const requests: [string, string][] = [
    ['GET', base],
    ['DELETE', base],
    ['POST', `${base}/${unknown}/remote-description`],
    ['POST', `${base}/${unknown}/close`],
    ['GET', `${base}/${unknown}/additional-candidates`],
    ['POST', `${base}/../../x`],
    ['GET', base.replace('/connections', '')],
    ['GET', base.replace('/.wrtc/v2/connections', '/')],
  ]
  for (const [method, url] of requests) expect((await fetch(url, { method })).status, `${method} ${url}`).toBe(404)
})

it('cuts a body of 5 MB off at once, with and without a length', async () => {
  const before = await server.status()
  for (const headers of [{ 'content-length': String(5 << 20) }, { 'transfer-encoding': 'chunked' }]) {
    let written = 0
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sending = httpRequest(base, { method: 'POST', headers }, response => {
        response.resume()
        resolve(response.statusCode)
        sending.destroy()
      })
      sending.on('error', reject)
      const more = (): void => {
        if (sending.destroyed || written >= 5 << 20) return
        written += 65_536
        sending.write(Buffer.alloc(65_536), () => setImmediate(more))
      }
      more()
    })
    expect(status, `with ${JSON.stringify(headers)}`).toBe(413)
  }
  const after = await server.status()
  expect(after.stats.refusedBodies - before.stats.refusedBodies).toBe(2)
  expect((after.rss - before.rss) / 1e6, 'MB of memory').toBeLessThan(60)
  await echoOnce(server.port)
})

it('survives bytes that are not HTTP, and requests that are cut off', async () => {
  const parts = [
    '\0\x01\x02\r\n\r\n',
    `POST /.wrtc/v2/connections HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc`,
    'GET /',
  ]
  for (const part of parts) {
    const socket = connectTcp(server.port, '127.0.0.1')
    socket.on('error', () => {})
    await new Promise<void>(resolve => socket.write(part, () => resolve()))
    socket.destroy()
  }
  await echoOnce(server.port)
})

it('lets only pages of its own host connect', async () => {
  const origin = (value: string) => post('', undefined, { origin: value })
  expect((await origin('https://evil.example')).status).toBe(403)
  expect((await origin('null')).status).toBe(403)
  const local = await origin('http://localhost:5173')
  expect([local.status, local.headers.get('access-control-allow-origin')]).toEqual([200, 'http://localhost:5173'])
  const preflight = await fetch(base, { method: 'OPTIONS', headers: { origin: 'http://localhost:5173' } })
  expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
    204,
    'authorization, content-type',
  ])
})

it('keeps the answer of the authorization to itself', async () => {
  const { id, userData, ...rest } = (await (await post('')).json()) as Record<string, unknown>
  expect(userData).toEqual({})
  expect(Object.keys(rest)).toEqual(['localDescription'])
  expect(id).toMatch(/^[0-9a-zA-Z]{24}$/)
})

it('still serves an honest client, in the same process', async () => {
  const connection = await geckos({ port: server.port }).connect()
  const seen = record(connection)
  connection.send(new Uint8Array(1150).fill(1))
  await until('the echo', () => seen.packets[0]?.byteLength === 1150)
  connection.close()
  expect(server.alive(), `${server.stderr()}`).toBe(true)
})
