import { byteWriter, readBytes, readU8, writeBytes, writeU8, type ByteReader } from '../bytes.ts'
import { Control } from '../packet.ts'
import { MOST_TABLE_BYTES } from './symbols.ts'

/** Tables for a client (server to client). */
export const encodeTables = (generation: number, bytes: Uint8Array): Uint8Array => {
  const writer = byteWriter(2 + bytes.length)
  writeU8(writer, Control.tables)
  writeU8(writer, generation)
  writeBytes(writer, bytes)
  return writer.bytes
}

export const decodeTables = (reader: ByteReader): { generation: number; bytes: Uint8Array } | undefined => {
  const generation = readU8(reader)
  const bytes = readBytes(reader, reader.end - reader.position)
  return reader.failed || bytes.length > MOST_TABLE_BYTES ? undefined : { generation, bytes }
}

/** The client has them (client to server). */
export const encodeTablesReady = (generation: number): Uint8Array => Uint8Array.of(Control.tables, generation)

export const decodeTablesReady = (reader: ByteReader): number | undefined => {
  const generation = readU8(reader)
  return reader.failed || reader.position < reader.end ? undefined : generation
}
