import {
  byteWriter,
  readBytes,
  readU8,
  readU32,
  readVarint,
  writeBytes,
  writeU32,
  writeU8,
  writeVarint,
  type ByteReader,
} from './bytes.ts'
import type { Audience, Layout } from './layout.ts'
import { Control } from './packet.ts'
import type { Zone } from './store.ts'

/**
 * The packed value fields (strings, blobs, arrays, switches) of one object. They are state too, only too large for a
 * row: each client is sent the newest bytes as a reliable message, when it starts to see the object and on change.
 */
export interface ValueSet {
  readonly doId: number
  readonly layout: Layout
  /** Packed bytes of each of `layout.values`. */
  readonly packed: Uint8Array[]
  /** What the owner sent last of each field, so that the server knows when game code wrote another value. */
  readonly fromOwner: (Uint8Array | undefined)[]
  /** Counts how often the server overruled the owner in each field, as a row's epoch does; nothing is 0. */
  readonly epochs: number[]
  /** Where the object is now: whoever does not see that zone is not sent the bytes. */
  zone: Zone | undefined
  isAlive: boolean
}

/** One value field of one object, as it travels. */
export interface ValueMessage {
  readonly doId: number
  readonly audience: Audience
  /** Index into `layout.values`. */
  readonly index: number
  readonly epoch: number
  readonly packed: Uint8Array
}

export const encodeValue = (set: ValueSet, index: number): Uint8Array => {
  const packed = set.packed[index]!
  const writer = byteWriter(packed.length + 16)
  writeU8(writer, Control.values)
  writeU32(writer, set.doId)
  writeU8(writer, set.layout.audience === 'owner' ? 1 : 0)
  writeU8(writer, set.epochs[index] ?? 0)
  writeVarint(writer, index)
  writeBytes(writer, packed)
  return writer.bytes.slice(0, writer.length)
}

/** Reads what follows the control byte. */
export const decodeValue = (reader: ByteReader): ValueMessage | undefined => {
  const doId = readU32(reader)
  const audience = readU8(reader) === 1 ? 'owner' : 'interested'
  const epoch = readU8(reader)
  const index = readVarint(reader)
  const packed = readBytes(reader, reader.end - reader.position)
  return reader.failed ? undefined : { doId, audience, index, epoch, packed }
}
