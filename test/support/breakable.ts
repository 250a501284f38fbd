import type { ClientTransport, Connection } from 'bitecs-pipes/client'
import { PERFECT_LINK, type LinkConditions } from '../../src/net/conditioner.ts'
import type { MemoryNetwork } from '../../src/net/memory.ts'

/** A client's way to the server whose connections a test may break. */
export interface Breakable {
  readonly transport: ClientTransport
  /** Every connection so far, the newest last. */
  readonly connections: Connection[]
  /** Conditions of each connection's link, both ways; may be changed. */
  readonly links: LinkConditions[]
  /** What the links of new connections are like. */
  readonly conditions: LinkConditions
  /** Whether the server can be reached: new connections are refused while it cannot. */
  isReachable: boolean
  /** Both ends notice that the newest connection is gone. */
  cut(): void
  /** Nothing arrives over the newest connection any more, and nobody is told. */
  silence(): void
}

export const createBreakable = (network: MemoryNetwork, conditions: Partial<LinkConditions> = {}): Breakable => {
  const connections: Connection[] = []
  const breakable: Breakable = {
    transport: {
      async connect() {
        if (!breakable.isReachable) throw new Error('no route to host')
        const link = { ...breakable.conditions }
        const connection = await network.client(undefined, { up: link, down: link }).connect()
        connections.push(connection)
        breakable.links.push(link)
        return connection
      },
    },
    connections,
    links: [],
    conditions: { ...PERFECT_LINK, lag: 0.02, ...conditions },
    isReachable: true,
    cut() {
      const connection = connections.at(-1)!
      connection.close()
      connection.onClose()
    },
    silence() {
      Object.assign(breakable.links.at(-1)!, { loss: 1 })
    },
  }
  return breakable
}
