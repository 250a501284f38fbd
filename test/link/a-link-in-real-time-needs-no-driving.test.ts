import { expect, test, vi } from 'vitest'
import { memoryNetwork } from '../../src/memory.ts'

test('without a virtual clock, datagrams arrive by themselves', async () => {
  const network = memoryNetwork({ conditions: { lag: 0.005 } })
  await network.server.listen(connection => {
    connection.onPacket = packet => connection.send(packet)
  })
  const connection = await network.client().connect()
  const start = performance.now()
  const echo = await new Promise<Uint8Array>(resolve => {
    connection.onPacket = resolve
    connection.send(Uint8Array.of(42))
  })
  expect(echo).toEqual(Uint8Array.of(42))
  expect(performance.now() - start).toBeGreaterThanOrEqual(9.9)
  expect(network.pending).toBe(0)
}, 2000)

test('with a virtual clock, no timer is ever set', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const network = memoryNetwork({ now: () => 0, conditions: { lag: 1 } })
  await network.server.listen(() => {})
  const connection = await network.client().connect()
  connection.send(Uint8Array.of(1))
  connection.close()
  expect(timers).not.toHaveBeenCalled()
  timers.mockRestore()
})
