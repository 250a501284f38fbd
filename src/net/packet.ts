import {
  byteReader,
  readU16,
  readU32,
  readU8,
  writeU16,
  writeU32,
  writeU8,
  type ByteReader,
  type ByteWriter,
} from './bytes.ts'
import type { Peer } from './peer.ts'

/** Version of everything that crosses the wire; peers with another one are refused at hello. */
export const PROTOCOL_VERSION = 1

/** First byte of a datagram. */
export const Kind = { hello: 0xb1, welcome: 0xb2, refuse: 0xb3, data: 0xb4, bye: 0xb5, inquiry: 0xb6, answer: 0xb7 } as const

/** First byte of a chunk in a data packet. */
export const Chunk = {
  /** One fragment of the reliable stream. */
  fragment: 1,
  /** An atomic field, sent once: doId, field number, length, packed arguments. */
  message: 2,
  /** One group's state (server to client). */
  segment: 3,
  /** Groups whose newest state is not in this packet: the receiver must not take them for unchanged. */
  deferred: 4,
  /** Owner-written state of one object (client to server). */
  upload: 5,
} as const

/** First byte of a reliable message. */
export const Control = {
  /** An atomic field: doId, field number, packed arguments. */
  message: 1,
  /** Value fields of an object (server to client). */
  values: 2,
  /** The zones that the client sees (server to client). */
  zones: 3,
  /** Answer to an interest request, when all of it has arrived. */
  interestDone: 4,
  /** A request to change interest (client to server). */
  interest: 5,
  /** One owner-written value field (client to server). */
  field: 6,
} as const

/** Bytes before the first chunk. */
export const HEADER = 1 + 2 + 2 + 4 + 4 + 2 + 4
/** The hold time travels in units of 0.1 ms; the largest one also means "nothing received yet". */
const HOLD_UNITS = 10_000
const NOTHING_RECEIVED = 0xffff

/** Header of a data packet. */
export interface Header {
  sequence: number
  ack: number
  ackLow: number
  ackHigh: number
  /** Seconds between the arrival of `ack` at the sender and this packet; -1 when it received nothing yet. */
  hold: number
  /** The server's tick (server to client) or the newest tick that the client holds (client to server). */
  tick: number
}

/** Starts a data packet in `writer`. The sequence number is filled in by the caller last: see {@link patchSequence}. */
export const writeHeader = <C>(writer: ByteWriter, peer: Peer<C>, tick: number, now: number): void => {
  writer.length = 0
  writeU8(writer, Kind.data)
  writeU16(writer, 0)
  writeU16(writer, peer.newestReceived & 0xffff)
  writeU32(writer, peer.decoded[0]!)
  writeU32(writer, peer.decoded[1]!)
  const hold = Math.max(0, Math.min(NOTHING_RECEIVED - 1, Math.round((now - peer.newestReceivedTime) * HOLD_UNITS)))
  writeU16(writer, peer.newestReceived < 0 ? NOTHING_RECEIVED : hold)
  writeU32(writer, tick)
}

/** Fills in the sequence number of a packet that is complete. */
export const patchSequence = (writer: ByteWriter, sequence: number): void => {
  writer.view.setUint16(1, sequence & 0xffff, true)
}

/** Reads the header of a data packet whose kind byte was read already; `reader.failed` tells a short one. */
export const readHeader = (reader: ByteReader): Header => {
  const sequence = readU16(reader)
  const ack = readU16(reader)
  const ackLow = readU32(reader)
  const ackHigh = readU32(reader)
  const hold = readU16(reader)
  const tick = readU32(reader)
  return { sequence, ack, ackLow, ackHigh, hold: hold === NOTHING_RECEIVED ? -1 : hold / HOLD_UNITS, tick }
}

/** The kind of a datagram and a reader behind its first byte. */
export const openPacket = (packet: Uint8Array): { kind: number; reader: ByteReader } => {
  const reader = byteReader(packet)
  return { kind: readU8(reader), reader }
}
