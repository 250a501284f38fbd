import { afterAll, beforeAll, expect, it } from 'vitest'
import { echoOnce } from './support/honest-client.ts'
import { startServer, type ServerProcess } from './support/server-process.ts'
import { closeStock, connectStock, peerOf, sendRaw } from './support/stock-client.ts'
import { until } from './support/until.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.dispose())

const stats = async () => (await server.status()).stats

it('ignores text frames: null, forged events, broken JSON', async () => {
  const channel = await connectStock(server.port)
  const frames = ['null', '{"disconnect":"closed"}', '{"rawMessage":[1]}', '{"connection":{}}', '{', 'true', '""', '0']
  for (const frame of frames) channel.raw.emit(frame)
  channel.emit('disconnect', 'closed')
  await until('the frames to be counted', async () => (await stats()).droppedText === frames.length + 1)
  expect((await stats()).kicked, 'a few of them are forgiven, and none ends a session').toBe(0)
  await echoOnce(server.port)
  closeStock(channel)
  await until('both to be gone', async () => (await stats()).closed >= 2)
})

it('closes a client that goes on with text frames', async () => {
  const channel = await connectStock(server.port)
  const { kicked } = await stats()
  for (let count = 0; count < 60; count++) sendRaw(channel, 'null')
  await until('the kick', async () => (await stats()).kicked === kicked + 1)
  await echoOnce(server.port)
})

it('drops packets that are too large, up to the 256 KB that WebRTC carries', async () => {
  const channel = await connectStock(server.port)
  const before = await stats()
  for (const [index, size] of [1201, 20_000, 262_144].entries()) {
    let sentAt = -Infinity
    await until(`a packet of ${size} bytes`, async () => {
      // A large one is lost when one of its fragments is: on a busy machine that happens.
      if (performance.now() - sentAt > 1000) {
        sentAt = performance.now()
        channel.raw.emit(new ArrayBuffer(size))
      }
      return (await stats()).oversize > before.oversize + index
    })
  }
  expect((await stats()).packets).toBe(before.packets)
  await echoOnce(server.port)
  closeStock(channel)
})

it('drops a flood and closes who keeps flooding', async () => {
  const channel = await connectStock(server.port)
  const before = await stats()
  const packet = new Uint8Array(100).fill(1)
  await until(
    'the kick',
    async () => {
      for (let count = 0; count < 500; count++) sendRaw(channel, packet)
      return (await stats()).kicked > before.kicked
    },
    20_000,
  )
  const after = await stats()
  expect(after.rateLimited - before.rateLimited, 'dropped packets').toBeGreaterThan(1000)
  await echoOnce(server.port)
})

it('closes a client that opens a channel of its own', async () => {
  const channel = await connectStock(server.port)
  const before = await stats()
  peerOf(channel).createDataChannel('mine')
  await until('the kick', async () => (await stats()).kicked === before.kicked + 1)
  await echoOnce(server.port)
})

it('was never restarted, and exits by itself after close', async () => {
  expect(await server.close(), `${server.stderr()}`).toEqual({ code: 0, signal: null })
})
