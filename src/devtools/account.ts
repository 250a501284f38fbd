import type { DCField } from '../dc/index.ts'
import { byteReader, more, readBytes, readU32, readU8, readVarint, type ByteReader } from '../net/bytes.ts'
import type { SegmentDecoder } from '../net/codec.ts'
import { newestFrame } from '../net/frames.ts'
import type { Layout } from '../net/layout.ts'
import { decodeFieldUpdate, decodeReliableMessage, decodeUnreliableMessage, decodeWrite } from '../net/message.ts'
import { Chunk, Control, Kind, openPacket, readHeader } from '../net/packet.ts'
import { createReliableReceiver, readFragment, type ReliableReceiver } from '../net/reliable.ts'
import { ALL_DEFERRED, entry as stateEntry, openState, readDeferred, readEntry, skipAudit } from '../net/state-entry.ts'
import { ticksSince } from '../net/ticks.ts'
import { readValues, type ValueMessage } from '../net/values.ts'
import type { ClientSession, ClientState } from '../systems/client-state.ts'
import { entryOf, OBJECTS, PROTOCOL, type Entry, type Ledger } from './ledger.ts'
import { createSegmentMeter, fieldOfWord } from './segment-bits.ts'

/** Where the bytes of a client go, by class and field, and how old the baselines are that state builds on. */
export interface Account {
  readonly down: Ledger
  readonly up: Ledger
  /** Mean age of the baselines of the last segments, seconds; 0 before the first. */
  baselineAge: number
}

/** An account that is being kept. */
export interface Accountant {
  readonly account: Account
  /** Takes a datagram as it arrives, before the client does, or as it is sent. */
  take(session: ClientSession, direction: 'down' | 'up', packet: Uint8Array): void
  /** Has what was decoded since the last call moved to its fields. */
  settle(): void
  /** Puts everything back as it was. */
  stop(): void
}

/** Share of a new baseline's age in the mean. */
const AGE_WEIGHT = 1 / 32

/** The receiving half of a reliable stream, as a bystander follows it. */
interface Stream {
  readonly receiver: ReliableReceiver
  readonly ledger: Ledger
  /** Values that came before their object: their places, and bits. */
  strangers: { readonly value: ValueMessage; readonly bits: number }[]
}

const STRANGERS = 'values of unknown objects'
const MOST_STRANGERS = 4096

/**
 * Keeps the account of a client. It reads along: datagrams are looked at before the client gets them, decoded segments
 * are measured after it decoded them.
 */
export const createAccountant = (state: ClientState): Accountant => {
  const account: Account = { down: new Map(), up: new Map(), baselineAge: 0 }
  const meter = createSegmentMeter()
  /** Decoders of ours, with the session and the decoder that each stands for. */
  const watched = new Map<SegmentDecoder, { readonly of: ClientSession; readonly decoder: SegmentDecoder }>()
  let session: ClientSession | undefined
  let streams: { down: Stream; up: Stream } | undefined

  const follow = (next: ClientSession): void => {
    if (session !== next) {
      session = next
      for (const [ours, { of }] of watched) if (of !== next) watched.delete(ours)
      const { expected, waiting, parts, partBytes } = next.receiver
      const first = next.sender.queue[0]?.sequence ?? next.sender.nextSequence
      streams = {
        down: {
          receiver: { expected, waiting: new Map(waiting), parts: [...parts], partBytes },
          ledger: account.down,
          strangers: [],
        },
        up: { receiver: { ...createReliableReceiver(), expected: first }, ledger: account.up, strangers: [] },
      }
    }
    const { codec } = next.replica
    if (!watched.has(codec)) next.replica.codec = watchDecoder(next, codec)
  }

  const watchDecoder = (of: ClientSession, decoder: SegmentDecoder): SegmentDecoder => {
    const moved = new Map<number, number | undefined>()
    const watching: SegmentDecoder = {
      ...decoder,
      decode(bytes, start, end, layout, base, before, frame, onLeft, generation) {
        moved.clear()
        const note = (doId: number, zone: number | undefined): void => {
          moved.set(doId, zone)
          onLeft(doId, zone)
        }
        if (!decoder.decode(bytes, start, end, layout, base, before, frame, note, generation)) return false
        meter.take(decoder, layout, base, before, frame, generation, moved)
        if (base && of.welcome) {
          const age = ticksSince(frame.tick, base.tick) / of.welcome.tickRate
          account.baselineAge += (age - account.baselineAge) * (account.baselineAge === 0 ? 1 : AGE_WEIGHT)
        }
        return true
      },
    }
    watched.set(watching, { of, decoder })
    return watching
  }

  return {
    account,
    take(of, direction, packet) {
      follow(of)
      const ledger = account[direction]
      const { kind, reader } = openPacket(packet)
      if (kind === Kind.data) takeData(state, of, streams![direction], direction, reader)
      else entryOf(ledger, PROTOCOL, 'handshake').bits += packet.length * 8
    },
    settle() {
      if (session && streams) meetStrangers(session, streams.down)
      meter.settle((layout, word, bits) => {
        const { name } = layout.dclass
        entryOf(account.down, name, fieldOfWord(layout, word) ?? '(owner)', 'state').bits += bits
        entryOf(account.down, name, OBJECTS, 'state').bits -= bits
      })
    },
    stop() {
      for (const [ours, { of, decoder }] of watched) if (of.replica.codec === ours) of.replica.codec = decoder
      watched.clear()
    },
  }
}

/** Books the bytes between two places of a packet. */
const book = (
  ledger: Ledger,
  bytes: number,
  field: string,
  dclass = PROTOCOL,
  kind: 'state' | 'message' | 'protocol' = 'protocol',
) => {
  if (bytes > 0) entryOf(ledger, dclass, field, kind).bits += bytes * 8
}

const takeData = (
  state: ClientState,
  session: ClientSession,
  stream: Stream,
  direction: 'down' | 'up',
  reader: ByteReader,
): void => {
  const { ledger } = stream
  const { end } = reader
  readHeader(reader)
  book(ledger, reader.position, 'headers')
  let booked = reader.position
  while (more(reader)) {
    const start = reader.position
    const chunk = readU8(reader)
    if (chunk === Chunk.state && direction === 'down') takeState(session, ledger, reader, start)
    else if (chunk === Chunk.message) {
      const message = decodeUnreliableMessage(reader)
      if (message) bookField(ledger, state.schema.file.fieldByNumber(message.field), reader.position - start)
    } else if (chunk === Chunk.fragment) takeFragment(state, session, stream, reader, start)
    else if (chunk === Chunk.audit && direction === 'down') {
      skipAudit(reader)
      book(ledger, reader.position - start, 'audits')
    } else if (chunk === Chunk.write && direction === 'up') {
      const write = decodeWrite(reader)
      if (write) bookField(ledger, state.schema.file.fieldByNumber(write.field), reader.position - start)
    } else if (chunk === Chunk.upload && direction === 'up') takeUpload(session, ledger, reader, start)
    else break
    if (reader.failed) break
    booked = reader.position
  }
  // What could not be read is of the datagram all the same.
  book(ledger, end - booked, 'unreadable')
}

const takeState = (session: ClientSession, ledger: Ledger, reader: ByteReader, start: number): void => {
  const { replica } = session
  openState(replica, reader)
  book(ledger, reader.position - start, 'state chunks')
  let lastId = 0
  let from = reader.position
  while (readEntry(replica, reader, 0, lastId)) {
    lastId = stateEntry.group
    const layouts = stateEntry.isKeyframe ? replica.layouts[stateEntry.classNumber] : undefined
    const dclass = replica.groups.get(lastId)?.layout.dclass ?? layouts?.interested.dclass
    if (dclass) book(ledger, reader.position - from, OBJECTS, dclass.name, 'state')
    else book(ledger, reader.position - from, 'unknown groups')
    from = reader.position
  }
  const count = readDeferred(reader)
  if (count !== ALL_DEFERRED) for (let index = 0; index < count && more(reader); index++) readVarint(reader)
  if (!reader.failed) book(ledger, reader.position - from, 'state chunks')
}

const bookField = (ledger: Ledger, field: DCField | undefined, bytes: number): void => {
  const kind = field?.kind === 'parameter' ? 'state' : 'message'
  if (field) book(ledger, bytes, field.name, field.owner.name, kind)
  else book(ledger, bytes, 'unknown fields')
}

const takeFragment = (
  state: ClientState,
  session: ClientSession,
  stream: Stream,
  reader: ByteReader,
  start: number,
): void => {
  const { ledger, receiver } = stream
  const before = receiver.expected + receiver.waiting.size
  let delivered = 0
  const isSound = readFragment(receiver, reader, message => {
    delivered += message.length
    takeReliable(state, session, stream, message)
  })
  if (!isSound) reader.failed = true
  const isNew = receiver.expected + receiver.waiting.size > before
  // Pieces of messages are under way until the last one is here: then they are booked as what they were.
  book(ledger, reader.position - start, isNew ? 'reliable stream' : 'repeated fragments')
  entryOf(ledger, PROTOCOL, 'reliable stream').bits -= delivered * 8
}

const CONTROLS: Readonly<Record<number, string>> = {
  [Control.zones]: 'zones',
  [Control.interest]: 'zones',
  [Control.interestDone]: 'zones',
  [Control.leave]: 'zones',
  [Control.placed]: 'zones',
  [Control.resync]: 'resyncs',
  [Control.rates]: 'rates',
  [Control.tables]: 'codec tables',
}

const takeReliable = (state: ClientState, session: ClientSession, stream: Stream, message: Uint8Array): void => {
  const { ledger, strangers } = stream
  const reader = byteReader(message)
  const control = readU8(reader)
  if (control === Control.message || control === Control.field) {
    const update = control === Control.message ? decodeReliableMessage(reader) : decodeFieldUpdate(reader)
    return bookField(ledger, update && state.schema.file.fieldByNumber(update.field), message.length)
  }
  if (control !== Control.values) return book(ledger, message.length, CONTROLS[control] ?? 'other messages')
  let from = 0
  readValues(reader, value => {
    const bits = (reader.position - from) * 8
    const entry = entryOfValue(session, ledger, value)
    if (entry) entry.bits += bits
    else {
      entryOf(ledger, PROTOCOL, STRANGERS).bits += bits
      if (strangers.length < MOST_STRANGERS) strangers.push({ value, bits })
    }
    from = reader.position
  })
  book(ledger, message.length - from, 'other messages')
}

/** Values whose objects are here by now are booked as theirs. */
const meetStrangers = (session: ClientSession, stream: Stream): void => {
  const { ledger } = stream
  stream.strangers = stream.strangers.filter(({ value, bits }) => {
    const entry = entryOfValue(session, ledger, value)
    if (!entry) return true
    entry.bits += bits
    entryOf(ledger, PROTOCOL, STRANGERS).bits -= bits
    return false
  })
}

const entryOfValue = (session: ClientSession, ledger: Ledger, value: ValueMessage): Entry | undefined => {
  const layout = layoutOfValue(session, value)
  const field = layout?.values[value.index] ?? layout?.messages[value.index - layout.values.length]
  return field && entryOf(ledger, layout!.dclass.name, field.name, field.kind === 'parameter' ? 'state' : 'message')
}

/** The layout of an object's values, whether the world shows it yet or not. */
const layoutOfValue = ({ objects, replica }: ClientSession, { doId, audience }: ValueMessage): Layout | undefined => {
  let dclass = objects.get(doId)?.clientClass.info.dclass
  if (!dclass)
    for (const { layout, history } of replica.groups.values())
      if (newestFrame(history)?.ids.includes(doId)) dclass = layout.dclass
  return dclass && replica.layouts.find(each => each?.interested.dclass === dclass)?.[audience]
}

const takeUpload = (session: ClientSession, ledger: Ledger, reader: ByteReader, start: number): void => {
  const doId = readU32(reader)
  readU8(reader)
  const bytes = readBytes(reader, readVarint(reader))
  const known = session.objects.get(doId)?.clientClass
  if (!known?.upload) return book(ledger, reader.position - start, 'uploads of unknown objects')
  const { name } = known.info.dclass
  book(ledger, reader.position - start - bytes.length, OBJECTS, name, 'state')
  let rest = bytes.length * 8
  for (const { layout, index, bits } of known.upload.words) {
    entryOf(ledger, name, layout.words[index]!.field.name, 'state').bits += bits
    rest -= bits
  }
  entryOf(ledger, name, OBJECTS, 'state').bits += rest
}
