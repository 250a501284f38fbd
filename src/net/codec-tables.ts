import { byteReader, byteWriter, readBytes, readU32, readU8, writeBytes, writeU32, writeU8 } from './bytes.ts'
import type { SchemaIdentity } from './schema-mismatch.ts'

/** `BPT` and the version of this format. */
const MAGIC = [0x42, 0x50, 0x54, 1] as const
/** Bytes before the tables: those, Panda3D's hash and the structural one. */
const HEADER = MAGIC.length + 4 + 8

const hex = (identity: SchemaIdentity): string =>
  `${identity.hash.toString(16).padStart(8, '0')}-${identity.structureHash.toString(16).padStart(16, '0')}`

/** Tables of the range coder as they are kept from one run to another: behind the hashes of the schema that they are of. */
export const packCodecTables = (tables: Uint8Array, { hash, structureHash }: SchemaIdentity): Uint8Array => {
  const writer = byteWriter(HEADER + tables.length)
  for (const byte of MAGIC) writeU8(writer, byte)
  writeU32(writer, hash)
  writeU32(writer, Number(structureHash & 0xffffffffn))
  writeU32(writer, Number(structureHash >> 32n))
  writeBytes(writer, tables)
  return writer.bytes.slice(0, writer.length)
}

/** The tables in there. Throws a `RangeError` for what are none, and for those of another schema. */
export const unpackCodecTables = (bytes: Uint8Array, identity: SchemaIdentity): Uint8Array => {
  const reader = byteReader(bytes)
  const isTables = bytes.length > HEADER && MAGIC.every(byte => readU8(reader) === byte)
  if (!isTables)
    throw new RangeError('codecTables are none: give what server.codecTables or `pipes train` made, or leave them out.')
  const hash = readU32(reader)
  const low = readU32(reader)
  const of: SchemaIdentity = { hash, structureHash: (BigInt(readU32(reader)) << 32n) | BigInt(low), version: 0 }
  if (of.hash !== identity.hash || of.structureHash !== identity.structureHash)
    throw new RangeError(
      `codecTables are of another schema (${hex(of)}) than this server's (${hex(identity)}): ` +
        'make them anew with `pipes train`, or leave them out.',
    )
  return readBytes(reader, bytes.length - HEADER).slice()
}
