import { byteReader, more, readBytes, readU16, readU8, readVarint } from '../net/bytes.ts'
import type { SegmentDecoder } from '../net/codec.ts'
import { decodeUnreliableMessage } from '../net/message.ts'
import { Chunk, Kind, readHeader } from '../net/packet.ts'
import { skipAudit, skipState } from '../net/state-entry.ts'
import type { RecordedPart } from './recording.ts'

/** Whether a datagram is one of state and messages, and none of the handshake. */
export const isData = (packet: Uint8Array): boolean => (packet[0]! & 0xf8) === Kind.data

/** Sequence numbers between the opening and what comes after it, for what comes late. */
const GAP = 64

const HEADER = 1 + 2 + 2

/**
 * A datagram of the wire as one that follows its part's opening: its sequence number and its fragments' are counted from there, and
 * what it acknowledges of the recorded client's is left out. `undefined` for one that is malformed.
 */
export const rewrite = (
  packet: Uint8Array,
  { opening, sequence, fragment, openingFragments }: RecordedPart,
  codec: Pick<SegmentDecoder, 'usesBefore'>,
): Uint8Array | undefined => {
  const reader = byteReader(packet)
  readU8(reader)
  const header = readHeader(reader)
  if (reader.failed) return undefined
  const body = reader.position
  const bytes = new Uint8Array(HEADER + packet.length - body)
  const view = new DataView(bytes.buffer)
  bytes[0] = Kind.data
  view.setUint16(1, (header.sequence - sequence + opening.length + GAP) & 0xffff, true)
  view.setUint16(3, header.tick, true)
  bytes.set(packet.subarray(body), HEADER)
  while (more(reader)) {
    const chunk = readU8(reader)
    if (chunk === Chunk.state) skipState({ codec: codec as SegmentDecoder }, reader)
    else if (chunk === Chunk.audit) skipAudit(reader)
    else if (chunk === Chunk.message) decodeUnreliableMessage(reader)
    else if (chunk === Chunk.fragment) {
      const at = reader.position - body + HEADER
      const number = readU16(reader)
      readU8(reader)
      readBytes(reader, readVarint(reader))
      if (!reader.failed) view.setUint16(at, (number - fragment + openingFragments) & 0xffff, true)
    } else return undefined
  }
  return reader.failed ? undefined : bytes
}
