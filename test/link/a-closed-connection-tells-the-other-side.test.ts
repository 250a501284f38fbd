import { expect, test, vi } from 'vitest'
import { memoryNetwork } from '../../src/memory.ts'
import { virtualLink } from './virtual-link.ts'

test.each(['client', 'server'] as const)(
  'when the %s closes, the other side hears of it after the lag, once',
  async closer => {
    const link = await virtualLink({ conditions: { lag: 0.1 } })
    const other = closer === 'client' ? link.server : link.client
    const own = vi.fn<() => void>()
    const heard = vi.fn<() => void>()
    link[closer].connection.onClose = own
    other.connection.onClose = heard
    link[closer].close()
    link[closer].close()
    link.at(0.05)
    expect(heard, 'too early').not.toHaveBeenCalled()
    link.at(0.1)
    expect(heard).toHaveBeenCalledTimes(1)
    expect(own, 'not for a close of its own').not.toHaveBeenCalled()
    expect(link.network.pending).toBe(0)
  },
)

test('what was sent before the close still arrives, nothing after it', async () => {
  const link = await virtualLink({ conditions: { lag: 0.1 } })
  link.client.send(Uint8Array.of(1))
  link.server.send(Uint8Array.of(2))
  link.client.close()
  link.client.send(Uint8Array.of(3))
  link.at(1)
  expect(link.server.received.map(({ bytes }) => bytes[0])).toEqual([1])
  expect(link.client.received, 'a closed end hears nothing').toEqual([])
  expect(link.network.stats.down.lost).toBe(1)
})

test('both sides closing at once need no notice', async () => {
  const link = await virtualLink({ conditions: { lag: 0.1 } })
  const heard = vi.fn<() => void>()
  link.client.connection.onClose = link.server.connection.onClose = heard
  link.client.close()
  link.server.close()
  link.at(1)
  expect(heard).not.toHaveBeenCalled()
})

test('closing the server closes every connection and frees the address', async () => {
  const link = await virtualLink()
  const heard = vi.fn<() => void>()
  link.client.connection.onClose = heard
  await expect(link.network.server.listen(() => {})).rejects.toThrow('listens already')
  await link.network.server.close()
  link.at(0)
  expect(heard).toHaveBeenCalledTimes(1)
  await expect(link.network.client().connect()).rejects.toThrow('nobody listens')
  await link.network.server.listen(() => {})
  await link.network.client().connect()
})

test('a client that connects to nobody is told what to do', async () => {
  await expect(memoryNetwork().client().connect()).rejects.toThrow('await server.listen')
})

test('each connection has an address, and brings what its client was authorised with', async () => {
  const network = memoryNetwork({ now: () => 0 })
  const accepted: unknown[] = []
  await network.server.listen(({ address, authorization }) => accepted.push([address, authorization]))
  await network.client({ name: 'ada' }).connect()
  await network.client().connect()
  expect(accepted).toEqual([
    ['memory:1', { name: 'ada' }],
    ['memory:2', undefined],
  ])
})
