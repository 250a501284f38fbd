import type { Schema } from '../components/index.ts'
import { byteWriter, writeBytes, writeU32, writeU8, writeVarint } from '../net/bytes.ts'
import { decodeRefusal, decodeWelcome, encodeHello, type Hello, type Refusal, type Welcome } from '../net/hello.ts'
import { encodeFieldUpdate, encodeReliableMessage, encodeUnreliableMessage, encodeWrite } from '../net/message.ts'
import { Chunk, Kind, openPacket, patchSequence, readHeader, writeHeader } from '../net/packet.ts'
import { createPeer, markDecoded, receiveAcks, receiveSequence, sendSequence } from '../net/peer.ts'
import { acknowledgeFragments, createReliableSender, hasUnsent, sendReliable, writeFragments } from '../net/reliable.ts'
import type { ClientTransport, Connection } from '../net/transport.ts'

/** A client that obeys no rule of its own: it says on the wire whatever a test wants it to. */
export interface Impostor {
  readonly connection: Connection
  readonly welcome: Welcome | undefined
  readonly refusals: readonly Refusal[]
  /** Datagrams of state and messages that it was sent. */
  readonly received: number
  /** Says hello, anything in it changed. */
  hello(changes?: Partial<Hello>): void
  /** Sends a message of an object, whatever its keywords are. */
  message(doId: number, field: number, packed: Uint8Array, how?: 'reliable' | 'unreliable'): void
  /** Sends a value field of an object. */
  field(doId: number, field: number, packed: Uint8Array, epoch?: number): void
  /** Sends a number of an object, as one that is not its owner; each time as a newer one, unless a version is given. */
  write(doId: number, field: number, packed: Uint8Array, version?: number): void
  /** Sends owner-written state of an object. */
  upload(doId: number, epoch: number, bytes: Uint8Array): void
  /** Sends a reliable message of any bytes. */
  reliable(bytes: Uint8Array): void
}

/** Connects an impostor; it receives and acknowledges whenever the network delivers. `now` in seconds. */
export const createImpostor = async (
  network: { client(): ClientTransport },
  schema: Schema<any>,
  now: () => number,
): Promise<Impostor> => {
  const connection = await network.client().connect()
  const peer = createPeer<readonly number[] | undefined>()
  const sender = createReliableSender()
  const writer = byteWriter()
  const refusals: Refusal[] = []
  let welcome: Welcome | undefined
  let received = 0
  let writes = 0
  connection.onPacket = packet => {
    const { kind, reader } = openPacket(packet)
    if (kind === Kind.welcome) welcome = decodeWelcome(reader)
    else if (kind === Kind.refuse) refusals.push(decodeRefusal(reader)!)
    else if (kind === Kind.data) {
      received++
      const header = readHeader(reader)
      const sequence = receiveSequence(peer, header.sequence, now())
      if (sequence < 0) return
      markDecoded(peer, sequence)
      if (header.hold < 0) return
      const { ack, ackLow, ackHigh, hold } = header
      const onAcked = (content: readonly number[] | undefined) => {
        if (content) acknowledgeFragments(sender, content)
      }
      receiveAcks(peer, ack, ackLow, ackHigh, hold, header.received, now(), onAcked, () => {})
    }
  }
  const send = (write: () => readonly number[] | void) => {
    writeHeader(writer, peer, 0, now())
    const content = write() ?? undefined
    patchSequence(
      writer,
      sendSequence(peer, content, now(), () => {}),
    )
    connection.send(writer.bytes.subarray(0, writer.length))
  }
  const reliable = (bytes: Uint8Array) => {
    sendReliable(sender, bytes)
    do send(() => writeFragments(sender, writer, now(), Infinity, 0, () => writeU8(writer, Chunk.fragment)))
    while (hasUnsent(sender))
  }
  return {
    connection,
    get welcome() {
      return welcome
    },
    refusals,
    get received() {
      return received
    },
    hello(changes = {}) {
      const hello = {
        nonce: 7,
        schema: schema.file,
        updateRate: 20,
        commandRate: 30,
        interp: 0,
        password: '',
        data: '',
        ...changes,
      }
      const packet = encodeHello(hello)
      if (changes.version !== undefined) packet[1] = changes.version
      connection.send(packet)
    },
    message(doId, field, packed, how = 'reliable') {
      const message = { doId, field, packed }
      if (how === 'reliable') reliable(encodeReliableMessage(message))
      else
        send(() => {
          writeU8(writer, Chunk.message)
          writeBytes(writer, encodeUnreliableMessage(message))
        })
    },
    field: (doId, field, packed, epoch = 1) => reliable(encodeFieldUpdate({ doId, field, packed }, epoch)),
    write(doId, field, packed, version = ++writes & 255) {
      send(() => {
        writeU8(writer, Chunk.write)
        encodeWrite(writer, { doId, field, packed, version })
      })
    },
    upload(doId, epoch, bytes) {
      send(() => {
        writeU8(writer, Chunk.upload)
        writeU32(writer, doId)
        writeU8(writer, epoch)
        writeVarint(writer, bytes.length)
        writeBytes(writer, bytes)
      })
    },
    reliable,
  }
}
