import {
  byteWriter,
  readBytes,
  readU8,
  readU32,
  readVarint,
  varintSize,
  writeBytes,
  writeU32,
  writeU8,
  writeVarint,
  type ByteReader,
  type ByteWriter,
} from './bytes.ts'
import { Control, HEADER } from './packet.ts'
import { MAX_PACKET } from './transport.ts'

/** An atomic field on its way: which field of which object, and its packed arguments. */
export interface FieldMessage {
  readonly doId: number
  /** The DC file's field number. */
  readonly field: number
  readonly packed: Uint8Array
}

/** The largest packed arguments of an unreliable message: it travels in one datagram. */
export const MAX_UNRELIABLE = MAX_PACKET - HEADER - 1 - 4 - 5 - 2

/** As a reliable message. */
export const encodeReliableMessage = ({ doId, field, packed }: FieldMessage): Uint8Array => {
  const writer = byteWriter(packed.length + 12)
  writeU8(writer, Control.message)
  writeU32(writer, doId)
  writeVarint(writer, field)
  writeBytes(writer, packed)
  return writer.bytes.slice(0, writer.length)
}

/** Reads what follows the control byte. */
export const decodeReliableMessage = (reader: ByteReader): FieldMessage | undefined => {
  const doId = readU32(reader)
  const field = readVarint(reader)
  const packed = readBytes(reader, reader.end - reader.position)
  return reader.failed ? undefined : { doId, field, packed }
}

/** A field on its way to the server; `epoch` is the one that its owner writes in. */
export interface FieldUpdate extends FieldMessage {
  readonly epoch: number
}

/** An owner-written value field on its way to the server, as a reliable message. */
export const encodeFieldUpdate = ({ doId, field, packed }: FieldMessage, epoch: number): Uint8Array => {
  const writer = byteWriter(packed.length + 13)
  writeU8(writer, Control.field)
  writeU32(writer, doId)
  writeU8(writer, epoch)
  writeVarint(writer, field)
  writeBytes(writer, packed)
  return writer.bytes.slice(0, writer.length)
}

/** Reads what follows the control byte. */
export const decodeFieldUpdate = (reader: ByteReader): FieldUpdate | undefined => {
  const doId = readU32(reader)
  const epoch = readU8(reader)
  const field = readVarint(reader)
  const packed = readBytes(reader, reader.end - reader.position)
  return reader.failed ? undefined : { doId, epoch, field, packed }
}

/** As the body of a message chunk, sent once. */
export const encodeUnreliableMessage = ({ doId, field, packed }: FieldMessage): Uint8Array => {
  const writer = byteWriter(packed.length + 16)
  writeU32(writer, doId)
  writeVarint(writer, field)
  writeVarint(writer, packed.length)
  writeBytes(writer, packed)
  return writer.bytes.slice(0, writer.length)
}

/** Reads what follows the chunk byte. */
export const decodeUnreliableMessage = (reader: ByteReader): FieldMessage | undefined => {
  const doId = readU32(reader)
  const field = readVarint(reader)
  const packed = readBytes(reader, readVarint(reader))
  return reader.failed ? undefined : { doId, field, packed }
}

/** A number of an object on its way to the server, from one who need not own it. Of two versions (0..255 and round) the newer one counts. */
export interface FieldWrite extends FieldMessage {
  readonly version: number
}

/** Bytes of a write, with its chunk byte. */
export const writeSize = ({ field, packed }: FieldWrite): number =>
  1 + 4 + varintSize(field) + 1 + varintSize(packed.length) + packed.length

/** As the body of a write chunk. */
export const encodeWrite = (writer: ByteWriter, { doId, field, version, packed }: FieldWrite): void => {
  writeU32(writer, doId)
  writeVarint(writer, field)
  writeU8(writer, version)
  writeVarint(writer, packed.length)
  writeBytes(writer, packed)
}

/** Reads what follows the chunk byte. */
export const decodeWrite = (reader: ByteReader): FieldWrite | undefined => {
  const doId = readU32(reader)
  const field = readVarint(reader)
  const version = readU8(reader)
  const packed = readBytes(reader, readVarint(reader))
  return reader.failed ? undefined : { doId, field, version, packed }
}
