import { expect, test } from 'vitest'
import { createWorlds, spawn } from '../support/worlds.ts'

const DC = `dclass Thing { ${Array.from({ length: 30 }, (_, index) => `uint32 f${index} broadcast;`).join(' ')} };`

/** A client that joins a full zone: what it is sent in each tick until it has everything, and how long that takes. */
const join = async (server: { packetsPerSend?: number; maxBytesPerSecond?: number }) => {
  const worlds = createWorlds(DC, { server, conditions: { lag: 0.02 }, client: { updateRate: 20 } })
  for (let count = 0; count < 400; count++)
    spawn(worlds, 'Thing', { f0: count, f1: count * 7919, f2: count * 104_729 }, 1)
  worlds.run(4)
  const guest = await worlds.join()
  const sent: { at: number; bytes: number }[] = []
  worlds.network.tap = (direction, packet) => {
    if (direction === 'down') sent.push({ at: worlds.now(), bytes: packet.length })
  }
  const from = worlds.now()
  await worlds.settle(guest.client.interest.set([1]), 60)
  const seconds = worlds.now() - from
  const perTick = new Map<number, number>()
  for (const { at } of sent) perTick.set(at, (perTick.get(at) ?? 0) + 1)
  await worlds.end()
  return { sent, seconds, most: Math.max(...perTick.values()) }
}

test('a newcomer is sent up to packetsPerSend datagrams at a time, and has everything sooner', async () => {
  const [one, two, five] = [
    await join({ packetsPerSend: 1, maxBytesPerSecond: 1e6 }),
    await join({ packetsPerSend: 2, maxBytesPerSecond: 1e6 }),
    await join({ packetsPerSend: 5, maxBytesPerSecond: 1e6 }),
  ]
  expect([one.most, two.most, five.most]).toEqual([1, 2, 5])
  expect(two.seconds).toBeLessThan(one.seconds)
  expect(five.seconds).toBeLessThan(two.seconds)
})

test('but no more than its budget, in any second', async () => {
  const most = 10_000
  const { sent, seconds } = await join({ packetsPerSend: 8, maxBytesPerSecond: most })
  expect(seconds).toBeGreaterThan(0.5)
  for (const { at } of sent) {
    const bytes = sent.reduce((sum, each) => (each.at >= at && each.at < at + 1 ? sum + each.bytes : sum), 0)
    // What a quiet client has saved comes on top: a quarter of a second's.
    expect(bytes, `in the second from ${at}`).toBeLessThanOrEqual(most * 1.25)
  }
})
