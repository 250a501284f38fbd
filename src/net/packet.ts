import { byteReader, readU8, writeU16, writeU32, writeU8, type ByteReader, type ByteWriter } from './bytes.ts'
import * as Chunk from './chunks.ts'
import * as Control from './controls.ts'
import * as Kind from './kinds.ts'
import { DECODED, type Peer } from './peer.ts'

/** Version of everything that crosses the wire; peers with another one are refused at hello. */
export const PROTOCOL_VERSION = 3

// Modules, not objects: a bundler writes their numbers down where they are used.
export { Chunk, Control, Kind }

/** Most bytes before the first chunk. */
export const HEADER = 1 + 2 + 2 + 2 + 2 + 1 + 8
/** The hold time travels in units of 0.1 ms; the largest one means that or longer. */
const HOLD_UNITS = 10_000
const LONGEST = 0xffff

/** Bytes of it without acknowledgements, and with some but for their bits. */
const SHORT_HEADER = 1 + 2 + 2
const LONG_HEADER = SHORT_HEADER + 2 + 2 + 1

/** Flags of a data packet: acknowledgements are in it; how many bytes of them: 0, 1, 4 or 8, the bits above are ones. */
const HAS_ACK = 4
const ACK_BYTES = [0, 1, 4, 8] as const

/** Header of a data packet. */
export interface Header {
  sequence: number
  /** The server's tick (server to client) or the newest one that the client holds (client to server), low 16 bits. */
  tick: number
  ack: number
  ackLow: number
  ackHigh: number
  /** Seconds between the arrival of `ack` at the sender and this packet; -1 when it received nothing yet. */
  hold: number
  /** How many packets the sender of this one received so far, low 8 bits. */
  received: number
}

/** The tick nearest to `reference` whose low 16 bits are `low`. */
export const expandTick = (low: number, reference: number): number =>
  (reference + (((low - reference) << 16) >> 16)) >>> 0

/** Starts a data packet in `writer`. The sequence number is filled in by the caller last: see {@link patchSequence}. */
export const writeHeader = <C>(writer: ByteWriter, peer: Peer<C>, tick: number, now: number): void => {
  writer.length = 0
  const newest = peer.newestReceived
  let low = peer.bits[DECODED]!
  let high = peer.bits[DECODED + 1]!
  // There were no packets before the first: their bits are ones, which is what costs nothing.
  if (newest < 31) low |= -1 << (newest + 1)
  if (newest < 63) high |= newest < 32 ? -1 : -1 << (newest - 31)
  const size = (high | 0) !== -1 ? 3 : low >> 8 !== -1 ? 2 : (low | 0) !== -1 ? 1 : 0
  writeU8(writer, Kind.data | (newest < 0 ? 0 : HAS_ACK | size))
  writeU16(writer, 0)
  writeU16(writer, tick & 0xffff)
  if (newest < 0) return
  writeU16(writer, newest & 0xffff)
  const hold = Math.max(0, Math.min(LONGEST, Math.round((now - peer.newestReceivedTime) * HOLD_UNITS)))
  writeU16(writer, hold)
  writeU8(writer, peer.received & 0xff)
  if (size === 1) writeU8(writer, low & 0xff)
  else if (size >= 2) writeU32(writer, low >>> 0)
  if (size === 3) writeU32(writer, high >>> 0)
}

/** Fills in the sequence number of a packet that is complete. */
export const patchSequence = (writer: ByteWriter, sequence: number): void => {
  writer.view.setUint16(1, sequence & 0xffff, true)
}

/** Reads the header of a data packet whose first byte was read already; `reader.failed` tells a short one. */
export const readHeader = (reader: ByteReader): Header => {
  const { bytes } = reader
  const flags = bytes[0]!
  const size = (flags & HAS_ACK) === 0 ? -1 : ACK_BYTES[flags & 3]!
  const header = { sequence: 0, tick: 0, ack: 0, ackLow: -1, ackHigh: -1, hold: -1, received: 0 }
  const end = size < 0 ? SHORT_HEADER : LONG_HEADER + size
  if (end > reader.end) {
    reader.failed = true
    return header
  }
  reader.position = end
  header.sequence = bytes[1]! | (bytes[2]! << 8)
  header.tick = bytes[3]! | (bytes[4]! << 8)
  if (size < 0) return header
  header.ack = bytes[5]! | (bytes[6]! << 8)
  header.hold = (bytes[7]! | (bytes[8]! << 8)) / HOLD_UNITS
  header.received = bytes[9]!
  if (size === 1) header.ackLow = bytes[10]! | -256
  else if (size >= 4) header.ackLow = bytes[10]! | (bytes[11]! << 8) | (bytes[12]! << 16) | (bytes[13]! << 24)
  if (size === 8) header.ackHigh = bytes[14]! | (bytes[15]! << 8) | (bytes[16]! << 16) | (bytes[17]! << 24)
  return header
}

/** The kind of a datagram and a reader behind its first byte. */
export const openPacket = (packet: Uint8Array): { kind: number; reader: ByteReader } => {
  const reader = byteReader(packet)
  const first = readU8(reader)
  return { kind: (first & 0xf8) === Kind.data ? Kind.data : first, reader }
}
