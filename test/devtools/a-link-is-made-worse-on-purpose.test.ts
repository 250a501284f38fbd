import { expect, test } from 'vitest'
import { conditioned, perfectLink } from 'bitecs-pipes/devtools'
import { memoryNetwork } from 'bitecs-pipes/memory'

/** A server that sends everything back, and a client's connection to it over a link. */
const connect = async (link = perfectLink()) => {
  const network = memoryNetwork({ now: () => 0 })
  await network.server.listen(connection => {
    connection.onPacket = packet => connection.send(packet)
  })
  const connection = await conditioned(network.client(), link).connect()
  const echoes: number[] = []
  connection.onPacket = packet => echoes.push(packet[0]!)
  /** Sends so many datagrams there and back. */
  const send = (count: number): number => {
    echoes.length = 0
    for (let index = 0; index < count; index++) connection.send(Uint8Array.of(index))
    network.deliver()
    network.deliver()
    return echoes.length
  }
  return { network, connection, send, echoes, link }
}

test('a perfect link is as it was, and loss is what it says, either way, from one datagram to the next', async () => {
  const { network, send, echoes, link } = await connect()
  expect(send(5)).toBe(5)
  expect(echoes).toEqual([0, 1, 2, 3, 4])
  link.up.loss = 1
  expect(send(5)).toBe(0)
  expect(network.stats.up.sent, 'nothing reached the network').toBe(5)
  Object.assign(link.up, { loss: 0 })
  link.down.loss = 1
  expect(send(5)).toBe(0)
  expect(network.stats.up.sent).toBe(10)
  link.down.loss = 0
  link.down.duplicate = 1
  expect(send(3)).toBe(6)
})

test('with lag, a datagram comes later', async () => {
  const { connection, network, link } = await connect()
  link.down.lag = 0.02
  const started = performance.now()
  const arrived = new Promise<number>(resolve => {
    connection.onPacket = () => resolve(performance.now())
  })
  connection.send(Uint8Array.of(1))
  network.deliver()
  network.deliver()
  expect((await arrived) - started).toBeGreaterThan(15)
})

test('numbers that make no sense are refused', () => {
  const link = perfectLink()
  link.up.loss = 2
  expect(() => conditioned(memoryNetwork().client(), link)).toThrow('loss is a share from 0 to 1')
})
