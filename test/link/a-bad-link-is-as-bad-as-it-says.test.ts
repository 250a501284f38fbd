import { expect, test } from 'vitest'
import { memoryNetwork } from '../../src/memory.ts'
import { virtualLink } from './virtual-link.ts'

const COUNT = 20000

/** Sends numbered datagrams 10 ms apart; returns the numbers in the order they arrived. */
async function sendMany(conditions: Parameters<typeof memoryNetwork>[0] & {}, count = COUNT): Promise<number[]> {
  const link = await virtualLink(conditions)
  for (let i = 0; i < count; i++) {
    link.at(i * 0.01)
    link.client.send(Uint8Array.of(i & 255, i >> 8))
  }
  link.at(count)
  return link.server.received.map(({ bytes }) => bytes[0]! + bytes[1]! * 256)
}

/** Lengths of the runs of numbers that are missing. */
function gaps(arrived: number[]): number[] {
  return arrived.slice(1).flatMap((number, i) => (number - arrived[i]! > 1 ? [number - arrived[i]! - 1] : []))
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test.each([0.02, 0.1, 0.5])(
  'independent losses: a share of %d is lost, in runs as short as chance makes them',
  async loss => {
    const arrived = await sendMany({ conditions: { loss } })
    expect(1 - arrived.length / COUNT).toBeCloseTo(loss, 1.7)
    expect(mean(gaps(arrived))).toBeCloseTo(1 / (1 - loss), 1)
  },
)

test('losses in bursts: the same share is lost, in runs of the length asked for', async () => {
  const arrived = await sendMany({ conditions: { loss: 0.1, burst: 4 } }, 60000)
  expect(1 - arrived.length / 60000).toBeCloseTo(0.1, 1.7)
  expect(mean(gaps(arrived))).toBeGreaterThan(3.6)
  expect(mean(gaps(arrived))).toBeLessThan(4.4)
})

test('a link that loses everything delivers nothing, and one that loses nothing everything', async () => {
  expect(await sendMany({ conditions: { loss: 1 } }, 100)).toEqual([])
  expect((await sendMany({ conditions: { loss: 0, burst: 5 } }, 100)).length).toBe(100)
})

test('duplicates arrive twice, in the share asked for', async () => {
  const arrived = await sendMany({ conditions: { duplicate: 0.2 } })
  expect(new Set(arrived).size, 'none is lost').toBe(COUNT)
  expect(arrived.length / COUNT - 1).toBeCloseTo(0.2, 1.7)
})

test('a duplicate is a copy of its own', async () => {
  const link = await virtualLink({ conditions: { duplicate: 1 } })
  const packets: Uint8Array[] = []
  link.server.connection.onPacket = packet => packets.push(packet)
  link.client.send(Uint8Array.of(7))
  link.at(1)
  packets[0]![0] = 0
  expect(packets.map(packet => packet[0])).toEqual([0, 7])
})

test('reordered datagrams fall behind later ones, in the share asked for, and none is lost', async () => {
  const arrived = await sendMany({ conditions: { lag: 0.02, reorder: 0.1 } })
  let newest = -1
  let overtaken = 0
  for (const number of arrived) {
    if (number < newest) overtaken++
    newest = Math.max(newest, number)
  }
  expect(overtaken / COUNT).toBeCloseTo(0.1, 1.7)
  expect(arrived.length).toBe(COUNT)
})

test('bandwidth spaces datagrams out, and what the queue cannot hold is lost', async () => {
  const link = await virtualLink({ conditions: { bandwidth: 10_000, queue: 1000 } })
  for (let i = 0; i < 20; i++) link.client.send(new Uint8Array(100))
  link.run(1)
  const times = link.server.received.map(({ time }) => time)
  expect(times.length, '1,000 bytes of queue').toBe(10)
  times.forEach((time, i) => expect(time).toBeCloseTo((i + 1) * 0.01, 2))
  expect(link.network.stats.up.lost).toBe(10)
})

test('conditions that make no sense are refused by name', () => {
  expect(() => memoryNetwork({ conditions: { loss: 2 } })).toThrow('loss is a share from 0 to 1, not 2')
  expect(() => memoryNetwork({ up: { lag: -1 } })).toThrow('lag is a number of seconds')
  expect(() => memoryNetwork({ down: { jitter: NaN } })).toThrow('jitter is a number of seconds')
  expect(() => memoryNetwork({ conditions: { burst: 0 } })).toThrow('burst is a number of datagrams')
  expect(() => memoryNetwork({ conditions: { bandwidth: 0 } })).toThrow('bandwidth is bytes per second')
  expect(() => memoryNetwork({ conditions: { queue: -1 } })).toThrow('queue is a number of bytes')
})
