import {
  byteWriter,
  more,
  readBytes,
  readU16,
  readU32,
  readU8,
  writeBytes,
  writeU16,
  writeU32,
  writeU8,
  type ByteReader,
} from './bytes.ts'
import { TOKEN } from './hello.ts'
import { Kind, PROTOCOL_VERSION } from './packet.ts'

/** Asks for a session to go on over this connection. It is answered with a welcome or a refusal of the same nonce. */
export interface Resume {
  readonly version: number
  readonly nonce: number
  readonly clientId: number
  /** Of the last welcome. */
  readonly token: Uint8Array
}

export const encodeResume = ({ nonce, clientId, token }: Omit<Resume, 'version'>): Uint8Array => {
  const writer = byteWriter(32)
  writeU8(writer, Kind.resume)
  writeU8(writer, PROTOCOL_VERSION)
  writeU32(writer, nonce)
  writeU16(writer, clientId)
  writeBytes(writer, token)
  return writer.bytes.slice(0, writer.length)
}

/** Reads what follows the kind byte; `undefined` when it is no such thing. A foreign version is told by `version`. */
export const decodeResume = (reader: ByteReader): Resume | undefined => {
  const version = readU8(reader)
  const nonce = readU32(reader)
  if (reader.failed) return undefined
  const clientId = readU16(reader)
  const token = readBytes(reader, TOKEN)
  if (version === PROTOCOL_VERSION && (reader.failed || more(reader))) return undefined
  return { version, nonce, clientId, token }
}
