import {
  byteWriter,
  more,
  readBytes,
  readF32,
  readText,
  readU16,
  readU32,
  readU8,
  textSize,
  writeBytes,
  writeF32,
  writeText,
  writeU16,
  writeU32,
  writeU8,
  type ByteReader,
  type ByteWriter,
} from './bytes.ts'
import { CODECS, type CodecName } from './codec.ts'
import { Kind, PROTOCOL_VERSION } from './packet.ts'
import type { SchemaIdentity } from './schema-mismatch.ts'

/** Why a server refused a client, or a session ended; the wire carries the index. */
export const REASONS = [
  'version',
  'schema',
  'password',
  'full',
  'signed-in',
  'closed',
  'kicked',
  'timeout',
  'overflow',
  'malformed',
  'flooded',
  'expired',
  'unverified',
  'busy',
  'failed',
] as const
export type Reason = (typeof REASONS)[number]

/** The longest password, in UTF-8 bytes. */
export const MAX_PASSWORD = 64
/** The longest join data, in UTF-8 bytes of its JSON. */
export const MAX_JOIN_DATA = 512
/** Bytes of the secret by which a session is resumed. */
export const TOKEN = 16

/** What a client asks for when it connects. Rates in Hz, interpolation amount in seconds (0: adaptive). */
export interface Hello {
  readonly version: number
  /** Names this attempt: a repetition has the same one, a second sign-in another. */
  readonly nonce: number
  readonly schema: SchemaIdentity
  readonly updateRate: number
  readonly commandRate: number
  readonly interp: number
  readonly password: string
  /** JSON that the game gave to `connect`. */
  readonly data: string
}

/** What the server answers: rates in Hz as granted. */
export interface Welcome {
  readonly nonce: number
  readonly clientId: number
  readonly tickRate: number
  readonly tick: number
  readonly updateRate: number
  readonly commandRate: number
  readonly codec: CodecName
  /** Seconds that the session is kept when the connection is lost; 0: not at all, and there is no token. */
  readonly resumeTime: number
  /** The secret that a {@link Resume} shows: `TOKEN` bytes, or none. */
  readonly token: Uint8Array
}

export interface Refusal {
  readonly nonce: number
  readonly reason: Reason
  readonly text: string
  /** The server's, when it is another one. */
  readonly schema?: SchemaIdentity
}

/** Bytes of a refusal but for its text, and of the schema behind it. */
const REFUSAL = 1 + 4 + 1 + 1
const IDENTITY = 4 + 8 + 4
/** The longest text of a refusal, in bytes. */
const MAX_REFUSAL_TEXT = 120

const writeIdentity = (writer: ByteWriter, { hash, structureHash, version }: SchemaIdentity): void => {
  writeU32(writer, hash)
  writeU32(writer, Number(structureHash & 0xffffffffn))
  writeU32(writer, Number(structureHash >> 32n))
  writeU32(writer, version)
}

const readIdentity = (reader: ByteReader): SchemaIdentity => {
  const hash = readU32(reader)
  const low = readU32(reader)
  const high = readU32(reader)
  return { hash, structureHash: (BigInt(high) << 32n) | BigInt(low), version: readU32(reader) }
}

/** Throws when the password or the data is too long: that is the game's mistake, not the wire's. */
export const checkHello = (password: string, data: string): void => {
  if (textSize(password) > MAX_PASSWORD)
    throw new RangeError(`The password is longer than ${MAX_PASSWORD} bytes: choose a shorter one.`)
  if (textSize(data) > MAX_JOIN_DATA)
    throw new RangeError(
      `The data given to connect() takes ${textSize(data)} bytes as JSON, more than ${MAX_JOIN_DATA}: ` +
        'send only what the server needs to let the player in, the rest as messages.',
    )
}

/** Throws as {@link checkHello} does. */
export const encodeHello = (hello: Omit<Hello, 'version'>): Uint8Array => {
  checkHello(hello.password, hello.data)
  const writer = byteWriter()
  writeU8(writer, Kind.hello)
  writeU8(writer, PROTOCOL_VERSION)
  writeU32(writer, hello.nonce)
  writeIdentity(writer, hello.schema)
  writeU8(writer, hello.updateRate)
  writeU8(writer, hello.commandRate)
  writeF32(writer, hello.interp)
  writeText(writer, hello.password)
  writeText(writer, hello.data)
  return writer.bytes.slice(0, writer.length)
}

/** Reads what follows the kind byte; `undefined` when it is not a hello. A foreign version is told by `version`. */
export const decodeHello = (reader: ByteReader): Hello | undefined => {
  const version = readU8(reader)
  const nonce = readU32(reader)
  if (reader.failed) return undefined
  const schema = readIdentity(reader)
  const updateRate = readU8(reader)
  const commandRate = readU8(reader)
  const interp = readF32(reader)
  const password = readText(reader)
  const data = readText(reader)
  // Other versions may look different behind the nonce: they get their refusal all the same.
  if (version === PROTOCOL_VERSION && (reader.failed || textSize(data) > MAX_JOIN_DATA)) return undefined
  return { version, nonce, schema, updateRate, commandRate, interp, password, data }
}

export const encodeWelcome = (welcome: Welcome): Uint8Array => {
  const writer = byteWriter(64)
  writeU8(writer, Kind.welcome)
  writeU32(writer, welcome.nonce)
  writeU16(writer, welcome.clientId)
  writeF32(writer, welcome.tickRate)
  writeU32(writer, welcome.tick)
  writeU8(writer, welcome.updateRate)
  writeU8(writer, welcome.commandRate)
  writeU8(writer, CODECS.indexOf(welcome.codec))
  writeF32(writer, welcome.resumeTime)
  writeBytes(writer, welcome.token)
  return writer.bytes.slice(0, writer.length)
}

export const decodeWelcome = (reader: ByteReader): Welcome | undefined => {
  const given = {
    nonce: readU32(reader),
    clientId: readU16(reader),
    tickRate: readF32(reader),
    tick: readU32(reader),
    updateRate: readU8(reader),
    commandRate: readU8(reader),
    codec: CODECS[readU8(reader)]!,
    resumeTime: readF32(reader),
  }
  const welcome = { ...given, token: readBytes(reader, given.resumeTime > 0 ? TOKEN : 0).slice() }
  const isSane =
    welcome.tickRate > 0 &&
    welcome.tickRate <= 1000 &&
    welcome.updateRate > 0 &&
    welcome.commandRate > 0 &&
    welcome.resumeTime >= 0
  return reader.failed || !isSane || welcome.codec === undefined ? undefined : welcome
}

/** In at most `budget` bytes: the text is cut to what is left, which may be nothing. */
export const encodeRefusal = (refusal: Refusal, budget = Infinity): Uint8Array => {
  const { nonce, reason, schema } = refusal
  const room = Math.min(MAX_REFUSAL_TEXT, budget - REFUSAL - (schema ? IDENTITY : 0))
  let { text } = refusal
  while (text !== '' && textSize(text) > room) text = text.slice(0, -1)
  const writer = byteWriter(REFUSAL + MAX_REFUSAL_TEXT + IDENTITY)
  writeU8(writer, Kind.refuse)
  writeU32(writer, nonce)
  writeU8(writer, REASONS.indexOf(reason))
  writeText(writer, text)
  if (schema) writeIdentity(writer, schema)
  return writer.bytes.slice(0, writer.length)
}

export const decodeRefusal = (reader: ByteReader): Refusal | undefined => {
  const nonce = readU32(reader)
  const reason = REASONS[readU8(reader)]
  const text = readText(reader)
  const schema = more(reader) ? readIdentity(reader) : undefined
  if (reader.failed || reason === undefined) return undefined
  return { nonce, reason, text, ...(schema && { schema }) }
}

/** The goodbye of either side. */
export const encodeBye = (reason: Reason): Uint8Array => new Uint8Array([Kind.bye, REASONS.indexOf(reason)])

export const decodeBye = (reader: ByteReader): Reason => {
  const reason = REASONS[readU8(reader)]
  return reader.failed || reason === undefined ? 'closed' : reason
}

const encoder = new TextEncoder()

/** Whether two secrets are equal, in a time that does not tell where they differ. */
export const isSameSecret = (given: string | Uint8Array, wanted: string | Uint8Array): boolean => {
  const a = typeof given === 'string' ? encoder.encode(given) : given
  const b = typeof wanted === 'string' ? encoder.encode(wanted) : wanted
  let differences = a.length ^ b.length
  for (let index = 0; index < b.length; index++) differences |= b[index]! ^ (a[index] ?? 0)
  return differences === 0
}
