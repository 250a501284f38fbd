import { memoryNetwork, type MemoryNetworkOptions } from '../../src/memory.ts'
import type { Connection } from '../../src/net/transport.ts'

interface Received {
  time: number
  bytes: number[]
}

/** A network on a virtual clock with one client connected; both ends note what they receive. */
export async function virtualLink(options: MemoryNetworkOptions = {}) {
  let time = 0
  const network = memoryNetwork({ ...options, now: () => time })
  let accepted: Connection | undefined
  await network.server.listen(connection => (accepted = connection))
  const connection = await network.client().connect()

  const end = (of: Connection) => {
    const received: Received[] = []
    of.onPacket = packet => received.push({ time, bytes: [...packet] })
    return { connection: of, received, send: of.send, close: of.close }
  }
  return {
    network,
    client: end(connection),
    server: end(accepted!),
    /** Jumps to a time, seconds, and delivers. */
    at(seconds: number) {
      time = seconds
      network.deliver()
    },
    /** Runs to a time, seconds, in steps of 1 ms. */
    run(seconds: number) {
      for (let step = Math.round(time * 1000); step <= Math.round(seconds * 1000); step++) {
        time = step / 1000
        network.deliver()
      }
    },
  }
}
