import {
  byteWriter,
  more,
  readBytes,
  readU32,
  readU8,
  readVarint,
  writeBytes,
  writeU32,
  writeU8,
  writeVarint,
  type ByteReader,
} from './bytes.ts'
import { Kind } from './packet.ts'

/** The longest challenge, in bytes: less than three times the shortest hello, with what is around it. */
export const MAX_CHALLENGE = 64
/** The longest response, in bytes. */
export const MAX_RESPONSE = 1024

/** What a client has to answer, and within how many seconds (whole ones, 1..255). */
export interface Challenge {
  readonly nonce: number
  readonly timeLimit: number
  readonly bytes: Uint8Array
}

const writeOf = (kind: number, nonce: number, extra: number | undefined, bytes: Uint8Array): Uint8Array => {
  const writer = byteWriter(16 + bytes.length)
  writeU8(writer, kind)
  writeU32(writer, nonce)
  if (extra !== undefined) writeU8(writer, extra)
  writeVarint(writer, bytes.length)
  writeBytes(writer, bytes)
  return writer.bytes.slice(0, writer.length)
}

const readRest = (reader: ByteReader, most: number): Uint8Array | undefined => {
  const length = readVarint(reader)
  const bytes = readBytes(reader, length)
  return reader.failed || length > most || more(reader) ? undefined : bytes.slice()
}

export const encodeChallenge = ({ nonce, timeLimit, bytes }: Challenge): Uint8Array =>
  writeOf(Kind.challenge, nonce, timeLimit, bytes)

export const decodeChallenge = (reader: ByteReader): Challenge | undefined => {
  const nonce = readU32(reader)
  const timeLimit = readU8(reader)
  const bytes = readRest(reader, MAX_CHALLENGE)
  return bytes && timeLimit > 0 ? { nonce, timeLimit, bytes } : undefined
}

/** The answer to a challenge. */
export interface ChallengeResponse {
  readonly nonce: number
  readonly bytes: Uint8Array
}

export const encodeResponse = ({ nonce, bytes }: ChallengeResponse): Uint8Array =>
  writeOf(Kind.response, nonce, undefined, bytes)

export const decodeResponse = (reader: ByteReader): ChallengeResponse | undefined => {
  const nonce = readU32(reader)
  const bytes = readRest(reader, MAX_RESPONSE)
  return bytes && { nonce, bytes }
}
