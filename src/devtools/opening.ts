import { bitWriter, resetWriter } from '../net/bits.ts'
import { bytesLeft, byteWriter, writeBytes, writeU16, writeU8, writeVarint, type ByteWriter } from '../net/bytes.ts'
import type { SegmentEncoder } from '../net/codec.ts'
import { encodeTables } from '../net/codec/messages.ts'
import { createRangeEncoder } from '../net/codec/segment-encoder.ts'
import { newestFrame, REACH, type Frame } from '../net/frames.ts'
import { encodePlaced, encodeZones } from '../net/interest.ts'
import { Chunk, Control, Kind, patchSequence } from '../net/packet.ts'
import { plainEncoder } from '../net/plain-codec.ts'
import { FRAGMENT } from '../net/reliable.ts'
import type { Replica, ReplicaGroup } from '../net/replica.ts'
import { ticksSince } from '../net/ticks.ts'
import type { ClientSession } from '../systems/client-state.ts'
import type { RecordedPart } from './recording.ts'

/** Ticks before the newest one that the datagrams are of; what is older is told of in the first. */
const PAST_TICKS = 128
/** The most groups that a state chunk can name as deferred. */
const MOST_DEFERRED = 30
/** Bytes of values in one message. */
const VALUE_BYTES = 8192

/** A frame that is to be told of, and in a datagram of which tick. */
interface Telling {
  readonly group: ReplicaGroup
  readonly frame: Frame
  readonly base: Frame | undefined
  /** The one before that, to foretell movements from; not with a codec that does not. */
  readonly before: Frame | undefined
  readonly tick: number
  /** How many frames of the group datagrams of that tick tell of before it. */
  readonly nth: number
}

/** All frames that the server may still build on, in the order in which they are told. */
const tellingsOf = (replica: Replica): Telling[] => {
  const oldest = (replica.newestTick - PAST_TICKS) >>> 0
  const tellings: Telling[] = []
  for (const group of replica.groups.values()) {
    let base: Frame | undefined
    let before: Frame | undefined
    let nth = 0
    for (const frame of group.history.frames.slice(-REACH)) {
      const isOld = ticksSince(oldest, frame.tick) > 0
      const tick = isOld ? oldest : frame.tick
      tellings.push({ group, frame, base, before, tick, nth: isOld ? nth++ : 0 })
      before = replica.codec.usesBefore && base && ticksSince(frame.tick, base.tick) < 256 ? base : undefined
      base = frame
    }
  }
  return tellings.sort((a, b) => ticksSince(a.tick, b.tick) || a.nth - b.nth || a.group.id - b.group.id)
}

const encoders = new WeakMap<object, SegmentEncoder>()

const encoderFor = ({ codec, layouts }: Replica): SegmentEncoder => {
  if (!codec.usesBefore) return plainEncoder
  let encoder = encoders.get(layouts)
  if (!encoder) encoders.set(layouts, (encoder = createRangeEncoder(layouts, { isTraining: false })))
  return encoder
}

const everySlot = { low: -1, high: -1 }
const gone = (): undefined => undefined

/** The reliable messages that say what frames do not. */
const messagesOf = (replica: Replica): Uint8Array[] => {
  const messages = [encodeZones(replica.newestTick, [...replica.zones])]
  for (const [generation, { bytes }] of replica.codec.generations ?? [])
    if (bytes) messages.push(encodeTables(generation, bytes))
  for (const [doId, { zone }] of replica.placed) messages.push(encodePlaced({ tick: replica.newestTick, doId, zone }))
  for (const audience of ['interested', 'owner'] as const) {
    let writer: ByteWriter | undefined
    let lastId = 0
    const flush = (): void => {
      if (writer) messages.push(writer.bytes.slice(0, writer.length))
      writer = undefined
    }
    for (const [doId, { packed, epochs }] of replica.values[audience])
      packed.forEach((bytes, index) => {
        if (!bytes) return
        if (writer && writer.length + bytes.length + 16 > VALUE_BYTES) flush()
        if (!writer) {
          writer = byteWriter(VALUE_BYTES + bytes.length + 16)
          writeU8(writer, Control.values)
          lastId = 0
        }
        const difference = (doId - lastId) | 0
        const epoch = epochs[index] ?? 0
        lastId = doId
        writeVarint(writer, ((difference << 1) ^ (difference >> 31)) >>> 0)
        writeVarint(writer, index * 4 + (epoch > 0 ? 2 : 0) + (audience === 'owner' ? 1 : 0))
        if (epoch > 0) writeU8(writer, epoch)
        writeVarint(writer, bytes.length)
        writeBytes(writer, bytes)
      })
    flush()
  }
  return messages
}

interface Piece {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

const cut = (message: Uint8Array): Piece[] => {
  const pieces: Piece[] = []
  for (let at = 0; at === 0 || at < message.length; at += FRAGMENT)
    pieces.push({ bytes: message.slice(at, at + FRAGMENT), isLast: at + FRAGMENT >= message.length })
  return pieces
}

/**
 * Datagrams, as a server might send them, that bring a client which knows nothing to where `session` is: every frame that a later
 * datagram may build on, the values, the zones, the codec's tables, and pieces of messages that are under way. What waits
 * in the session for a datagram that did not come yet is in `datagrams`, as it came. `now` is on the recording's time.
 */
export const openingOf = (session: ClientSession, now: number): RecordedPart & { datagrams: [] } => {
  const { replica, receiver, peer } = session
  const { tickRate } = session.welcome!
  const tellings = tellingsOf(replica)
  const firstTick = tellings[0]?.tick ?? replica.newestTick
  const opening: RecordedPart['opening'][number][] = []
  const writer = byteWriter()
  let packetTick = firstTick

  const open = (tick: number): void => {
    packetTick = tick
    writer.length = 0
    writeU8(writer, Kind.data)
    writeU16(writer, 0)
    writeU16(writer, tick & 0xffff)
  }
  const close = (): void => {
    patchSequence(writer, opening.length)
    const time = now - ticksSince(replica.newestTick, packetTick) / tickRate
    opening.push({ time, direction: 'down', bytes: writer.bytes.slice(0, writer.length) })
  }
  const openState = (): void => {
    writeU8(writer, Chunk.state)
    // The tables, then the distances that entries have without saying so.
    if (replica.codec.usesBefore) writeU8(writer, 0)
    writeU8(writer, 0)
  }

  const encoder = encoderFor(replica)
  const bits = bitWriter()
  let lastId = Infinity
  for (const { group, frame, base, before, tick } of tellings) {
    resetWriter(bits)
    const length = encoder.encode(bits, group.layout, base, before, frame, everySlot, everySlot, gone, 0)
    // The longest head of an entry, and the end of the chunk.
    const isRoom = bytesLeft(writer) >= length + 24
    if (lastId >= group.id || tick !== packetTick || !isRoom) {
      if (lastId !== Infinity) {
        writeU8(writer, 0)
        writeU8(writer, 0xff)
        close()
      }
      open(tick)
      openState()
      lastId = 0
    }
    writeVarint(writer, length * 4)
    writeEntry(writer, replica, { group, frame, base, before, tick }, lastId)
    lastId = group.id
    writeBytes(writer, bits.bytes.subarray(0, length))
  }
  if (lastId !== Infinity) {
    writeU8(writer, 0)
    writeU8(writer, 0xff)
    close()
  }

  const pieces = [
    ...messagesOf(replica).flatMap(cut),
    ...receiver.parts.map((bytes): Piece => ({ bytes, isLast: false })),
  ]
  const numbered = [
    ...pieces.map((piece, sequence) => ({ ...piece, sequence })),
    ...Array.from(receiver.waiting, ([sequence, piece]) => ({
      ...piece,
      sequence: sequence - receiver.expected + pieces.length,
    })),
  ]
  open(replica.newestTick)
  for (const { sequence, bytes, isLast } of numbered) {
    if (bytesLeft(writer) < bytes.length + 8) {
      close()
      open(replica.newestTick)
    }
    writeU8(writer, Chunk.fragment)
    writeU16(writer, sequence & 0xffff)
    writeU8(writer, isLast ? 1 : 0)
    writeVarint(writer, bytes.length)
    writeBytes(writer, bytes)
  }
  close()
  open(replica.newestTick)
  openState()
  writeU8(writer, 0)
  writeDeferred(writer, replica)
  close()
  return {
    start: now,
    tick: (firstTick - 1) >>> 0,
    opening,
    sequence: (peer.newestReceived + 1) & 0xffff,
    fragment: receiver.expected & 0xffff,
    openingFragments: pieces.length,
    datagrams: [],
  }
}

const writeEntry = (
  writer: ByteWriter,
  replica: Replica,
  { group, frame, base, before, tick }: Omit<Telling, 'nth'>,
  lastId: number,
): void => {
  writeVarint(writer, 4 * (group.id - lastId) + (base ? 1 : 2))
  writeVarint(writer, ticksSince(tick, frame.tick))
  if (base) {
    writeVarint(writer, ticksSince(frame.tick, base.tick))
    if (replica.codec.usesBefore) writeVarint(writer, before ? ticksSince(base.tick, before.tick) : 0)
    return
  }
  const classNumber = replica.layouts.findIndex(
    each => each?.interested === group.layout || each?.owner === group.layout,
  )
  const flags = (group.layout.audience === 'owner' ? 1 : 0) + (group.isExclusive ? 2 : 0)
  writeVarint(writer, 4 * classNumber + flags)
  writeVarint(writer, group.zone)
}

/** Groups that may be other than the client knows since their newest frame was heard of. */
const writeDeferred = (writer: ByteWriter, { groups, newestTick }: Replica): void => {
  const ids = Array.from(groups.values())
    .filter(({ history }) => ticksSince(newestTick, newestFrame(history)?.until ?? newestTick) > 0)
    .map(({ id }) => id)
    .sort((a, b) => a - b)
  if (ids.length > MOST_DEFERRED) {
    writeU8(writer, 0xff)
    return
  }
  writeU8(writer, ids.length)
  ids.forEach((id, index) => writeVarint(writer, id - (ids[index - 1] ?? 0)))
}
