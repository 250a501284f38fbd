import { geckos } from '../../../src/geckos-client.ts'
import { createSchema } from '../../../src/index.ts'
import { byteWriter, writeBytes } from '../../../src/net/bytes.ts'
import { Kind, openPacket, patchSequence, writeHeader } from '../../../src/net/packet.ts'
import { createPeer, DECODED, type Peer } from '../../../src/net/peer.ts'
import type { Connection } from '../../../src/net/transport.ts'
import { createImpostor, type Impostor } from '../../../src/testing/impostor.ts'
import { DC, PASSWORD } from './game.ts'
import { until } from './until.ts'

/** An impostor over real geckos, signed in. */
export interface Cheat extends Impostor {
  readonly id: number
  /** Datagrams that it sent, the newest last. */
  readonly sent: readonly Uint8Array[]
  /** Bytes that it was sent, and in how many datagrams. */
  readonly bytesIn: number
  readonly datagramsIn: number
  readonly isClosed: boolean
  /** Sends a data packet with any header: what `peer` claims to have received is acknowledged. */
  packet(peer: Peer<undefined>, chunks?: Uint8Array, tick?: number): void
}

export interface CheatOptions {
  /** Takes in nothing but the welcome, so that it never acknowledges anything. */
  isDeaf?: boolean
}

export const schema = createSchema<any>(DC)
const seconds = (): number => performance.now() / 1000

/** Connects a stranger who has not said hello yet. */
export const approach = async (port: number, { isDeaf = false }: CheatOptions = {}) => {
  const sent: Uint8Array[] = []
  const tally = { bytesIn: 0, datagramsIn: 0, isClosed: false }
  const connect = async (): Promise<Connection> => {
    const real = await geckos({ port }).connect()
    let onPacket: Connection['onPacket'] = () => {}
    real.onPacket = packet => {
      tally.bytesIn += packet.length
      tally.datagramsIn++
      if (!isDeaf || openPacket(packet).kind !== Kind.data) onPacket(packet)
    }
    real.onClose = () => (tally.isClosed = true)
    return {
      address: real.address,
      close: () => real.close(),
      send(packet) {
        sent.push(packet.slice())
        real.send(packet)
      },
      set onPacket(callback: Connection['onPacket']) {
        onPacket = callback
      },
      get onPacket() {
        return onPacket
      },
      onClose: () => {},
    }
  }
  const impostor = await createImpostor({ client: () => ({ connect }) }, schema, seconds)
  return { impostor, sent, tally }
}

/** Connects an impostor and signs it in. */
export const infiltrate = async (port: number, options: CheatOptions = {}): Promise<Cheat> => {
  const { impostor, sent, tally } = await approach(port, options)
  await until('the welcome of an impostor', () => {
    if (!impostor.welcome) impostor.hello({ password: PASSWORD })
    return impostor.welcome
  })
  const writer = byteWriter()
  let sequence = 0x1000
  return {
    ...impostor,
    get welcome() {
      return impostor.welcome
    },
    get received() {
      return impostor.received
    },
    get bytesIn() {
      return tally.bytesIn
    },
    get datagramsIn() {
      return tally.datagramsIn
    },
    get isClosed() {
      return tally.isClosed
    },
    id: impostor.welcome!.clientId,
    sent,
    packet(peer, chunks = new Uint8Array(), tick = 0) {
      writeHeader(writer, peer, tick, seconds())
      writeBytes(writer, chunks)
      patchSequence(writer, sequence++)
      impostor.connection.send(writer.bytes.subarray(0, writer.length))
    },
  }
}

/** What somebody claims who says that it received the packet `newest`, `hold` seconds ago. */
export const claim = (newest: number, hold = 0): Peer<undefined> => {
  const peer = createPeer<undefined>()
  peer.newestReceived = newest
  peer.newestReceivedTime = seconds() - hold
  peer.bits.fill(0xffffffff, DECODED)
  return peer
}
