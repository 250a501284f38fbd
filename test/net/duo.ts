import { createWorld, type World } from 'bitecs'
import { createClient, type Client } from '../../src/client.ts'
import { createSchema, type Schema } from '../../src/components/index.ts'
import { byteReader, more, readBytes, readU16, readU32, readU8, readVarint } from '../../src/net/bytes.ts'
import type { CodecName } from '../../src/net/codec.ts'
import { buildPacket, createDownlink, resync, subscribe, type Downlink } from '../../src/net/downlink.ts'
import { queueReliable } from '../../src/net/outgoing.ts'
import { frameAt, HISTORY, newestFrame, type Frame } from '../../src/net/frames.ts'
import { decodeHello, encodeWelcome } from '../../src/net/hello.ts'
import { decodeResync, encodeZones } from '../../src/net/interest.ts'
import { Chunk, Control, Kind, openPacket, readHeader, type Header } from '../../src/net/packet.ts'
import { markDecoded, receiveAcks, receiveSequence } from '../../src/net/peer.ts'
import { readFragment } from '../../src/net/reliable.ts'
import {
  addRow,
  createStore,
  privateZoneOf,
  startRound,
  writeRow,
  zoneOf,
  type Group,
  type Place,
  type Store,
} from '../../src/net/store.ts'
import { MAX_PACKET, type Connection } from '../../src/net/transport.ts'
import { clientStates, type ClientSession } from '../../src/systems/client-state.ts'

/** One segment in a state chunk, as PROTOCOL.md tells it. */
export interface Entry {
  readonly group: number
  readonly isKeyframe: boolean
  /** Ticks from the frame to the packet, from the baseline to the frame. */
  readonly age: number
  readonly span: number
  /** Ticks from an earlier baseline to the baseline; 0: there is none. */
  readonly before: number
  readonly zone: number
  readonly length: number
}

/** What a data packet says. */
export interface Read {
  readonly header: Header
  readonly entries: Entry[]
  readonly deferred: number[] | 'all' | undefined
  readonly audits: { readonly group: number; readonly age: number; readonly hash: number }[]
  readonly fragments: number
  readonly messages: number
}

const readEntries = (reader: ReturnType<typeof byteReader>, usesBefore: boolean): Entry[] => {
  const entries: Entry[] = []
  // Which tables the codec uses.
  if (usesBefore) readU8(reader)
  const defaults = readVarint(reader)
  const defaultSpan = Math.floor(defaults / 16)
  const defaultBefore = defaults % 16
  let group = 0
  while (more(reader)) {
    const head = readVarint(reader)
    if (head === 0) break
    const length = Math.floor(head / 4)
    const far = head % 4 === 0 ? readVarint(reader) : (head % 4) * 4
    const kind = far & 3
    group += far >>> 2
    const age = kind > 0 ? readVarint(reader) : 0
    const span = kind === 0 ? defaultSpan : kind === 1 ? readVarint(reader) : 0
    const before = kind === 0 ? defaultBefore : kind === 1 && usesBefore ? readVarint(reader) : 0
    if (kind === 2) readVarint(reader)
    const zone = kind === 2 ? readVarint(reader) : 0
    if (readBytes(reader, length).length === 0) throw new Error('an empty segment')
    entries.push({ group, isKeyframe: kind === 2, age, span, before, zone, length })
  }
  return entries
}

/** Reads a data packet by a second reading of the protocol. Throws when it is malformed. */
export const readData = (packet: Uint8Array, usesBefore = false): Read => {
  const { kind, reader } = openPacket(packet)
  if (kind !== Kind.data) throw new Error(`no data packet: ${kind}`)
  const header = readHeader(reader)
  const audits: Read['audits'] = []
  let entries: Entry[] = []
  let deferred: Read['deferred']
  let fragments = 0
  let messages = 0
  while (more(reader)) {
    const chunk = readU8(reader)
    if (chunk === Chunk.state) {
      entries = readEntries(reader, usesBefore)
      const count = more(reader) ? readU8(reader) : 0
      let id = 0
      deferred = count === 0xff ? 'all' : Array.from({ length: count }, () => (id += readVarint(reader)))
    } else if (chunk === Chunk.audit)
      for (let group = readVarint(reader); group !== 0; group = readVarint(reader))
        audits.push({ group, age: readVarint(reader), hash: readU16(reader) })
    else if (chunk === Chunk.fragment) {
      readU16(reader)
      readU8(reader)
      readBytes(reader, readVarint(reader))
      fragments++
    } else if (chunk === Chunk.message) {
      readU32(reader)
      readVarint(reader)
      readBytes(reader, readVarint(reader))
      messages++
    } else throw new Error(`chunk ${chunk}`)
  }
  if (reader.failed) throw new Error('a packet is cut short')
  return { header, entries, deferred, audits, fragments, messages }
}

/** What the link does with a packet: loses it, or delivers it so many sends later, twice if there are two numbers. */
export type Fate = 'lost' | number | readonly number[]

/**
 * A store and one real client of it, without a server's world: the test decides what each packet's fate is, sees what
 * was in it, and compares every frame that the client ever holds with what the store had in that tick.
 */
export interface Duo {
  readonly store: Store
  readonly downlink: Downlink
  readonly client: Client
  readonly session: ClientSession
  readonly world: World
  readonly schema: Schema<any>
  /** Sends a second. */
  readonly rate: number
  tick: number
  now: number
  beat: number
  /** Fates of what goes down (by the packet and its number) and of answers. */
  fate: (packet: Read, sequence: number) => Fate
  upFate: () => Fate
  /** What the game does in each tick. */
  change: (tick: number) => void
  /** Every packet so far. */
  readonly sent: (Read & {
    readonly sequence: number
    readonly bytes: number
    readonly tick: number
    readonly at: number
  })[]
  /** Reliable messages of the client. */
  readonly heard: Uint8Array[]
  /** Frames of the client that were never the store's, or were so for shorter than it thinks. */
  readonly wrong: string[]
  /** One send: what is due arrives, the client answers, the store changes, a packet goes. */
  step(): void
  run(steps: number): void
  /** Gives an object a row. */
  add(zone: number, doId: number, dclass?: number): Place
  /** Writes one word of a row, the rest as it is. */
  put(place: Place, word: number, value: number): void
  /** Hands bytes to the client at once. */
  deliver(packet: Uint8Array): void
  /** Sees what reaches the client. */
  onDeliver: (packet: Uint8Array) => void
  end(): void
}

interface Queued {
  readonly due: number
  readonly bytes: Uint8Array
}

const queue = (queue: Queued[], steps: number, fate: Fate, bytes: Uint8Array): void => {
  for (const delay of fate === 'lost' ? [] : [fate].flat()) queue.push({ due: steps + delay, bytes: bytes.slice() })
}

const takeDue = (queue: Queued[], step: number): Uint8Array[] => {
  const due = queue.filter(each => each.due <= step)
  queue.splice(0, queue.length, ...queue.filter(each => each.due > step))
  return due.sort((a, b) => a.due - b.due).map(each => each.bytes)
}

/** `lag` is in sends, there and back each. */
export const createDuo = async (
  dc: string,
  options: {
    rate?: number
    most?: number
    firstTick?: number
    lag?: number
    upLag?: number
    zones?: number[]
    codec?: CodecName
  } = {},
): Promise<Duo> => {
  const { rate = 20, most = Infinity, firstTick = 1000, lag = 1, upLag = 1, zones = [1], codec = 'plain' } = options
  const schema = createSchema<any>(dc, { capacity: 2000 })
  const world = createWorld()
  const store = createStore(schema.file, HISTORY, codec)
  const downlink = createDownlink(most)
  const down: Queued[] = []
  const up: Queued[] = []
  let steps = 0
  let isChanging = false
  /** What is written between two steps is of the next tick, as this one's was sent. */
  const at = () => (isChanging ? duo.tick : (duo.tick + 1) >>> 0)
  let toServer: (packet: Uint8Array) => void = () => {}
  const connection: Connection = {
    address: 'duo',
    send: packet => toServer(packet.slice()),
    close: () => {},
    onPacket: () => {},
    onClose: () => {},
  }
  const client = createClient(world, schema, {
    transport: { connect: () => connection },
    now: () => duo.now,
    updateRate: Math.min(255, rate),
    commandRate: Math.min(255, rate),
    onError: error => {
      throw error
    },
  })
  /** Copies of the store's frames: what each group was in each tick. */
  const truth = new Map<number, Map<number, { ids: Uint32Array; rows: Uint32Array }>>()
  const groups = (): Group[] => [...store.zones.values(), ...store.privateZones.values()].flatMap(zone => zone.groups)
  const remember = () => {
    for (const group of groups()) {
      let frames = truth.get(group.id)
      if (!frames) truth.set(group.id, (frames = new Map()))
      for (let index = group.history.frames.length - 1; index >= 0; index--) {
        const { tick, ids, rows } = group.history.frames[index]!
        if (frames.has(tick)) break
        frames.set(tick, { ids: ids.slice(), rows: rows.slice() })
      }
    }
  }
  const checked = new WeakMap<Frame, { tick: number; until: number }>()
  const note = (text: string) => {
    if (duo.wrong.length < 10) duo.wrong.push(text)
  }
  const compare = () => {
    for (const group of duo.session.replica.groups.values()) {
      const frames = truth.get(group.id)
      for (const frame of group.history.frames) {
        let known = checked.get(frame)
        if (known?.tick !== frame.tick) {
          checked.set(frame, (known = { tick: frame.tick, until: frame.tick }))
          const real = frames?.get(frame.tick)
          const isRight = real && isSame(real.ids, frame.ids) && isSame(real.rows, frame.rows)
          if (!isRight) note(`group ${group.id}, frame ${frame.tick}`)
        }
        // It held until then: the store has no frame in between.
        while (known.until !== frame.until) {
          known.until = (known.until + 1) >>> 0
          if (frames?.has(known.until)) note(`group ${group.id} did not hold from ${frame.tick} to ${frame.until}`)
        }
      }
    }
  }
  const takeReliable = (message: Uint8Array) => {
    duo.heard.push(message)
    const reader = byteReader(message)
    if (readU8(reader) === Control.resync) resync(downlink, decodeResync(reader)!)
  }
  const take = (packet: Uint8Array) => {
    const { reader } = openPacket(packet)
    const header = readHeader(reader)
    const sequence = receiveSequence(downlink.peer, header.sequence, duo.now)
    if (sequence < 0) return
    const { onAcked, onLost, onDoubt, peer } = downlink
    const { ack, ackLow, ackHigh, hold, received } = header
    if (hold >= 0) receiveAcks(peer, ack, ackLow, ackHigh, hold, received, duo.now, onAcked, onLost, onDoubt)
    while (more(reader)) {
      if (readU8(reader) !== Chunk.fragment) throw new Error('a client without objects sends fragments only')
      readFragment(downlink.receiver, reader, takeReliable)
    }
    markDecoded(peer, sequence)
  }
  const duo: Duo = {
    store,
    downlink,
    client,
    session: undefined as unknown as ClientSession,
    world,
    schema,
    rate,
    tick: firstTick,
    now: 100,
    beat: firstTick,
    fate: () => lag,
    upFate: () => upLag,
    change: () => {},
    sent: [],
    heard: [],
    wrong: [],
    deliver: packet => connection.onPacket(packet),
    onDeliver: () => {},
    step() {
      steps++
      duo.now += 1 / rate
      duo.tick = (duo.tick + 1) >>> 0
      duo.beat++
      for (const packet of takeDue(down, steps)) {
        duo.onDeliver(packet)
        connection.onPacket(packet)
      }
      client.receive(world)
      client.send(world)
      for (const packet of takeDue(up, steps)) take(packet)
      isChanging = true
      duo.change(duo.tick)
      isChanging = false
      remember()
      startRound(store)
      const packet = buildPacket(downlink, store, duo.tick, duo.now, 1 / rate, duo.beat, rate)
      compare()
      if (!packet) return
      if (packet.length > MAX_PACKET) throw new Error(`a packet of ${packet.length} bytes`)
      const sequence = downlink.peer.nextSequence - 1
      const read = readData(packet, store.codec.usesBefore)
      duo.sent.push({ ...read, sequence, bytes: packet.length, tick: duo.tick, at: duo.now })
      queue(down, steps, duo.fate(read, sequence), packet)
    },
    run(count) {
      for (let step = 0; step < count; step++) duo.step()
    },
    add(zone, doId, dclass = 0) {
      return addRow(store, zoneOf(store, zone), store.layouts[dclass]!.interested, doId, at())
    },
    put(place, word, value) {
      const { width } = place.group.layout
      const row = newestFrame(place.group.history)!.rows.slice(place.slot * width, (place.slot + 1) * width)
      row[word] = value
      writeRow(place, row, 0, at())
    },
    end: () => client.disconnect(),
  }
  const connecting = client.connect()
  toServer = packet => {
    const { kind, reader } = openPacket(packet)
    if (kind === Kind.hello)
      connection.onPacket(
        encodeWelcome({
          nonce: decodeHello(reader)!.nonce,
          clientId: 1,
          tickRate: rate,
          tick: duo.tick,
          updateRate: Math.min(255, rate),
          commandRate: Math.min(255, rate),
          codec,
          resumeTime: 0,
          token: new Uint8Array(0),
        }),
      )
    if (kind !== Kind.data) return
    queue(up, steps, duo.upFate(), packet)
  }
  duo.now += 0.11
  client.send(world)
  await connecting
  Object.assign(duo, { session: clientStates.get(client)!.session! })
  queueReliable(downlink, encodeZones(duo.tick, zones))
  for (const zone of zones) subscribe(downlink, store, zoneOf(store, zone))
  subscribe(downlink, store, privateZoneOf(store, 1))
  return duo
}

const isSame = (a: Uint32Array, b: Uint32Array): boolean => {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** Whether the client has what the store has, all of it. */
export const isUpToDate = ({ store, session }: Duo): boolean =>
  [...store.zones.values()].every(zone =>
    zone.groups.every(group => {
      const newest = newestFrame(group.history)
      const there = session.replica.groups.get(group.id)
      const frame = newest && there && newestFrame(there.history)
      if (!newest || (group.used === 0 && !there)) return true
      return frame !== undefined && isSame(newest.ids, frame.ids) && isSame(newest.rows, frame.rows)
    }),
  )

/** What the client holds of a tick. */
export const heldAt = ({ session }: Duo, group: number, tick: number): Frame | undefined => {
  const there = session.replica.groups.get(group)
  return there && frameAt(there.history, tick)
}
