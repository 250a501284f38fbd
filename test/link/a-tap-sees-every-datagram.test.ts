import { expect, test } from 'vitest'
import { virtualLink } from './virtual-link.ts'

test('a tap sees what is sent in both directions and by whom, also what the link loses', async () => {
  const link = await virtualLink({ conditions: { loss: 1 } })
  const seen: unknown[] = []
  link.network.tap = (direction, packet, client) => seen.push([direction, [...packet], client])
  link.client.send(Uint8Array.of(1))
  link.server.send(Uint8Array.of(2))
  ;(await link.network.client().connect()).send(Uint8Array.of(3))
  expect(seen).toEqual([
    ['up', [1], 'memory:1'],
    ['down', [2], 'memory:1'],
    ['up', [3], 'memory:2'],
  ])
})
