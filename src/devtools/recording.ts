import type { DCFile } from '../dc/index.ts'
import type { CodecName } from '../net/codec.ts'

/** One datagram. */
export interface RecordedDatagram {
  /** Seconds since the recording began. Those that stand for what was before may be earlier than 0. */
  readonly time: number
  readonly direction: 'down' | 'up'
  readonly bytes: Uint8Array
}

/**
 * A stretch of a recording that can be played without what was before it: `opening` are datagrams, made by the recorder, that
 * bring a client which knows nothing to where the recorded one was; then come those of the wire.
 */
export interface RecordedPart {
  /** Seconds since the recording began. */
  readonly start: number
  /** The server's tick that `opening` begins with, uint32. */
  readonly tick: number
  readonly opening: readonly RecordedDatagram[]
  /** The first datagram of the wire has this sequence number, late ones aside, and its first fragment this one. */
  readonly sequence: number
  readonly fragment: number
  /** How many fragments `opening` has. */
  readonly openingFragments: number
  readonly datagrams: readonly RecordedDatagram[]
}

/** What one client was sent and sent itself, with times: see {@link encodeRecording} for it as a file. */
export interface Recording {
  /** Of the schema, as both ends compare them: 8 and 16 hexadecimal digits. */
  readonly schema: { readonly hash: string; readonly structureHash: string; readonly version: number }
  readonly codec: CodecName
  readonly tickRate: number
  readonly updateRate: number
  readonly commandRate: number
  /** The recorded client's id. */
  readonly clientId: number
  /** When it began, ISO 8601. */
  readonly date: string
  /** Seconds from its first part's start to its end. */
  readonly duration: number
  readonly parts: readonly RecordedPart[]
}

const hex = (value: number | bigint, digits: number): string => value.toString(16).padStart(digits, '0')

/** What a recording says of a schema. */
export const schemaOfFile = ({ hash, structureHash, version }: DCFile): Recording['schema'] => ({
  hash: hash === undefined ? '' : hex(hash, 8),
  structureHash: hex(structureHash, 16),
  version,
})

const MAGIC = 'bitecs-pipes recording 1\n'
const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder()

/** Seconds of a unit of time in a file. */
const UNIT = 1e-6

/**
 * A recording as a file: the line `bitecs-pipes recording 1`, a line of JSON, then bytes.
 *
 * The JSON is the {@link Recording}, in whose parts `opening` and `datagrams` are numbers of datagrams. The bytes are
 * those datagrams in that order, each as `u8` direction (0 down, 1 up), `i32` time in microseconds since its part's start, `u16`
 * length, bytes; little endian.
 */
export const encodeRecording = (recording: Recording): Uint8Array<ArrayBuffer> => {
  const all = recording.parts.flatMap(({ start, opening, datagrams }) =>
    [...opening, ...datagrams].map(datagram => ({ ...datagram, time: datagram.time - start })),
  )
  const parts = recording.parts.map(part => ({
    ...part,
    opening: part.opening.length,
    datagrams: part.datagrams.length,
  }))
  const head = encoder.encode(`${MAGIC}${JSON.stringify({ ...recording, parts })}\n`)
  const bytes = new Uint8Array(all.reduce((size, datagram) => size + 7 + datagram.bytes.length, head.length))
  const view = new DataView(bytes.buffer)
  bytes.set(head)
  let at = head.length
  for (const { direction, time, bytes: datagram } of all) {
    view.setUint8(at, direction === 'down' ? 0 : 1)
    view.setInt32(at + 1, Math.round(time / UNIT), true)
    view.setUint16(at + 5, datagram.length, true)
    bytes.set(datagram, at + 7)
    at += 7 + datagram.length
  }
  return bytes
}

type Counts = { readonly start: number; readonly opening: number; readonly datagrams: number }

const broken = (what: string): Error => new Error(`This is no recording of bitecs-pipes, or a damaged one: ${what}.`)

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0

const isHead = (head: any): boolean =>
  typeof head?.schema?.hash === 'string' &&
  typeof head.schema.structureHash === 'string' &&
  (head.codec === 'plain' || head.codec === 'range') &&
  [head.tickRate, head.updateRate, head.commandRate].every(rate => rate > 0 && rate <= 1000) &&
  Number.isFinite(head.duration) &&
  Array.isArray(head.parts) &&
  head.parts.length > 0 &&
  head.parts.every(
    (part: any) =>
      Number.isFinite(part?.start) &&
      [part.tick, part.opening, part.sequence, part.fragment, part.openingFragments, part.datagrams].every(isCount),
  )

/** Reads a file of {@link encodeRecording}. Throws an `Error` that says what is wrong with one that is none. */
export const decodeRecording = (bytes: Uint8Array): Recording => {
  const first = bytes.indexOf(10)
  if (first < 0 || decoder.decode(bytes.subarray(0, first + 1)) !== MAGIC) throw broken('it does not begin as one')
  const second = bytes.indexOf(10, first + 1)
  if (second < 0) throw broken('it ends in its head')
  let head: Omit<Recording, 'parts'> & { parts: (Omit<RecordedPart, 'opening' | 'datagrams'> & Counts)[] }
  try {
    head = JSON.parse(decoder.decode(bytes.subarray(first + 1, second)))
  } catch {
    throw broken('its head is not JSON')
  }
  if (!isHead(head)) throw broken('its head lacks something')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = second + 1
  const read = (count: number, start: number): RecordedDatagram[] => {
    const datagrams: RecordedDatagram[] = []
    while (datagrams.length < count) {
      if (at + 7 > bytes.length) throw broken('datagrams are missing')
      const length = view.getUint16(at + 5, true)
      if (at + 7 + length > bytes.length) throw broken('its last datagram is cut off')
      datagrams.push({
        direction: view.getUint8(at) === 0 ? 'down' : 'up',
        time: start + view.getInt32(at + 1, true) * UNIT,
        bytes: bytes.slice(at + 7, at + 7 + length),
      })
      at += 7 + length
    }
    return datagrams
  }
  const parts = head.parts.map(part => ({
    ...part,
    opening: read(part.opening, part.start),
    datagrams: read(part.datagrams, part.start),
  }))
  return { ...head, parts }
}
