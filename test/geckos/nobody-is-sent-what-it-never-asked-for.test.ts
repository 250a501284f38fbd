import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { echoOnce } from './support/honest-client.ts'
import { startServer, type ServerProcess } from './support/server-process.ts'
import { until } from './support/until.ts'

let server: ServerProcess
let base: string
const sockets: Socket[] = []
beforeAll(async () => {
  server = await startServer()
  base = `http://127.0.0.1:${server.port}/.wrtc/v2/connections`
})
afterAll(() => {
  for (const socket of sockets) socket.close()
  server.dispose()
})

/** A UDP socket that counts what it is sent. */
const listen = async (address: string) => {
  const socket = createSocket('udp4')
  const seen = { bytes: 0, port: 0, socket }
  socket.on('message', datagram => (seen.bytes += datagram.length))
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(0, address, resolve)
  })
  sockets.push(socket)
  seen.port = socket.address().port
  return seen
}

const openHandshake = async () => ((await (await fetch(base, { method: 'POST' })).json()) as { id: string }).id

const answerNaming = (candidates: string[]): string =>
  JSON.stringify({
    type: 'answer',
    sdp: [
      'v=0',
      'o=- 1 2 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'c=IN IP4 0.0.0.0',
      'a=ice-ufrag:abcd',
      `a=ice-pwd:${'efgh'.repeat(6)}`,
      `a=fingerprint:sha-256 ${Array(32).fill('AA').join(':')}`,
      'a=setup:active',
      'a=mid:0',
      'a=sctp-port:5000',
      ...candidates,
      '',
    ].join('\r\n'),
  })

// Linux has all of 127.0.0.0/8; elsewhere there is no second address to stand for a third party.
it.skipIf(process.platform !== 'linux')('makes no third party receive the checks of an answer', async () => {
  const [own, ...others] = await Promise.all(['127.0.0.1', '127.0.0.2', '127.0.0.3'].map(listen))
  const before = (await server.status()).stats.droppedCandidates
  const id = await openHandshake()
  const body = answerNaming(
    [...others, own!].map(
      ({ port, socket }, index) =>
        `a=candidate:${index} 1 UDP ${2_000_000_000 - index} ${socket.address().address} ${port} typ host`,
    ),
  )
  expect((await fetch(`${base}/${id}/remote-description`, { method: 'POST', body })).status).toBe(200)
  await until('the address of the request to be checked', () => own!.bytes > 0)
  expect(
    others.map(({ bytes }) => bytes),
    'bytes to the others, which were named first',
  ).toEqual([0, 0])
  expect((await server.status()).stats.droppedCandidates - before).toBe(2)
})

it('answers strangers on the UDP port with no more than they send', async () => {
  const id = await openHandshake()
  const port = await until('the UDP port', async () => {
    const candidates = (await (await fetch(`${base}/${id}/additional-candidates`)).json()) as { candidate: string }[]
    return candidates.map(({ candidate }) => Number(candidate.split(' ')[5])).find(each => each > 0)
  })
  const stranger = await listen('127.0.0.1')
  const stun = Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12)])
  const dtls = Buffer.concat([Buffer.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100]), randomBytes(100)])
  let sent = 0
  for (let count = 0; count < 300; count++)
    for (const datagram of [stun, dtls, randomBytes(1 + ((count * 37) % 1200)), Buffer.alloc(0)]) {
      sent += datagram.length
      stranger.socket.send(datagram, port, '127.0.0.1', () => {})
    }
  await echoOnce(server.port)
  expect(stranger.bytes, `bytes back for ${sent}`).toBeLessThanOrEqual(sent)
  expect(server.alive(), server.stderr()).toBe(true)
})

it('knows no id but those that it gave', async () => {
  const before = (await server.status()).stats
  const letters = randomBytes(24 * 200).toString('hex')
  for (let guess = 0; guess < 200; guess++) {
    const id = letters.slice(guess * 24, guess * 24 + 24)
    const response = await fetch(`${base}/${id}/remote-description`, { method: 'POST', body: '{}' })
    expect(response.status).toBe(404)
    await response.arrayBuffer()
  }
  expect((await server.status()).stats.unknownRequests - before.unknownRequests).toBe(200)
})

it('reads one answer at a time for a connection, and none where none is needed', async () => {
  const id = await openHandshake()
  const { refusedBodies } = (await server.status()).stats
  // A body that never ends, and one that comes meanwhile.
  const never = new AbortController()
  const stream = new ReadableStream({ start: controller => controller.enqueue(new Uint8Array(10)) })
  const slow = { method: 'POST', body: stream, duplex: 'half', signal: never.signal } as RequestInit
  const pending = fetch(`${base}/${id}/remote-description`, slow).catch(() => undefined)
  await until('the second to be refused', async () => {
    const { status } = await fetch(`${base}/${id}/remote-description`, { method: 'POST', body: '{}' })
    return status === 413
  })
  expect((await fetch(base, { method: 'POST', body: 'x'.repeat(2000) })).status).toBe(413)
  never.abort()
  await pending
  expect((await server.status()).stats.refusedBodies - refusedBodies).toBeGreaterThanOrEqual(2)
  await echoOnce(server.port)
})
