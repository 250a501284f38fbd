// Run by `bench/codec-clients.ts`.
import { report } from './report.mjs'
import { QUATERNION_BITS, parseSchema } from '../src/dc/index.ts'
import type { SegmentEncoder } from '../src/net/codec.ts'
import { createRangeDecoder } from '../src/net/codec/segment-decoder.ts'
import { more, readU8 } from '../src/net/bytes.ts'
import { buildPacket, createDownlink, subscribe, type Downlink } from '../src/net/downlink.ts'
import { layoutsOf } from '../src/net/layout.ts'
import { Chunk, openPacket, readHeader } from '../src/net/packet.ts'
import { createPeer, DECODED, markDecoded, receiveAcks, receiveSequence, type Peer } from '../src/net/peer.ts'
import { createPlainDecoder } from '../src/net/plain-codec.ts'
import { random } from '../src/net/random.ts'
import { entry, openState, readEntry } from '../src/net/state-entry.ts'
import { addRow, createStore, startRound, writeRow, zoneOf } from '../src/net/store.ts'
import { median, train } from './codec-runs.ts'
import { COMPONENT_BITS, recordCubes } from './scenes/cubes.ts'
import { CUBES, CUBE_AGES } from './scenes/cubes-schema.ts'
import { groupsOf } from './scenes/groups.ts'

const given = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]!
}
const RATE = 60
const counts = given('clients', '64,256,1024').split(',').map(Number)
const ticks = Math.round(Number(given('seconds', '8')) * RATE)

/** Ticks there and back, and the loss, of every fourth client each. */
const LINKS = [
  { trip: 2, loss: 0 },
  { trip: 4, loss: 0.002 },
  { trip: 6, loss: 0.01 },
  { trip: 9, loss: 0.02 },
]

;(QUATERNION_BITS as { quat32: number }).quat32 = COMPONENT_BITS
const { file } = parseSchema(CUBES)
const { slots } = layoutsOf(file.classes[0]!).interested
const lessons = await Promise.all([1, 2].map(async seed => groupsOf(await recordCubes(seed), slots)))
const tables = train(lessons, CUBE_AGES, 96)
const recording = await recordCubes(3)

/** A client without a world: it knows which frames it has, and acknowledges what it can decode. */
interface End {
  readonly downlink: Downlink
  readonly peer: Peer<undefined>
  readonly loss: number
  readonly known: Map<number, Set<number>>
  readonly down: { readonly due: number; readonly packet: Uint8Array }[]
  readonly up: { readonly due: number; readonly ack: number; readonly bits: Uint32Array; readonly received: number }[]
  readonly trip: number
}

const plainDecoder = createPlainDecoder()
const rangeDecoder = createRangeDecoder([])

const isDecoded = ({ known }: End, packet: Uint8Array, newest: number, codec: 'plain' | 'range'): boolean => {
  const reading = { codec: codec === 'plain' ? plainDecoder : rangeDecoder }
  const { reader } = openPacket(packet)
  const header = readHeader(reader)
  const tick = (newest + (((header.tick - newest) << 16) >> 16)) >>> 0
  let isWhole = true
  while (more(reader)) {
    const chunk = readU8(reader)
    // Audits and tables need nothing.
    if (chunk !== Chunk.state) return isWhole
    openState(reading, reader)
    for (let last = 0; readEntry(reading, reader, tick, last); last = entry.group) {
      let frames = known.get(entry.group)
      if (!frames) known.set(entry.group, (frames = new Set()))
      const { isKeyframe, baseTick, beforeTick, frameTick } = entry
      if (isKeyframe || (frames.has(baseTick) && frames.has(beforeTick))) frames.add(frameTick)
      else isWhole = false
    }
    return isWhole
  }
  return isWhole
}

const measure = (clients: number, codec: 'plain' | 'range') => {
  const chance = random(7)
  const store = createStore(file, 64, codec, { tables: codec === 'range' ? tables : undefined, isTraining: false })
  const inner = store.codec
  let encoding = 0
  const encode: SegmentEncoder['encode'] = (...args) => {
    const start = performance.now()
    const size = inner.encode(...args)
    encoding += performance.now() - start
    return size
  }
  const timed = { ...store, codec: { ...inner, encode } }
  const zone = zoneOf(timed, 1)
  const layout = timed.layouts[0]!.interested
  const places = Array.from({ length: recording.count }, (_, index) => addRow(timed, zone, layout, index + 1, 1))
  const ends = Array.from({ length: clients }, (_, index): End => {
    const { trip, loss } = LINKS[index % LINKS.length]!
    const downlink = createDownlink()
    downlink.tables = codec === 'range' ? inner.generation : 0
    downlink.tablesSent = inner.generation
    subscribe(downlink, timed, zone)
    return { downlink, peer: createPeer(), loss, known: new Map(), down: [], up: [], trip }
  })
  const width = recording.words.length
  const row = new Uint32Array(width + 2)
  const encodings: number[] = []
  const packings: number[] = []
  let segments = 0
  let bytes = 0
  let moved = 0
  const warmUp = 2 * RATE
  for (let tick = 2; tick < warmUp + ticks; tick++) {
    const now = tick / RATE
    for (const end of ends) {
      while (end.down[0] && end.down[0].due <= tick) {
        const { packet } = end.down.shift()!
        const sequence = receiveSequence(end.peer, packet[1]! | (packet[2]! << 8), now)
        if (sequence >= 0 && isDecoded(end, packet, tick, codec)) markDecoded(end.peer, sequence)
        const { newestReceived, bits, received } = end.peer
        if (chance() >= end.loss)
          end.up.push({
            due: tick + (end.trip >> 1),
            ack: newestReceived,
            bits: bits.slice(DECODED),
            received: received & 0xff,
          })
      }
      const { peer, onAcked, onLost, onDoubt } = end.downlink
      while (end.up[0] && end.up[0].due <= tick) {
        const { ack, bits, received } = end.up.shift()!
        receiveAcks(peer, ack & 0xffff, bits[0]!, bits[1]!, 0, received, now, onAcked, onLost, onDoubt)
      }
    }
    const at = Math.max(0, tick - warmUp) * recording.count
    for (let slot = 0; slot < recording.count; slot++) {
      row.set(recording.rows.subarray((at + slot) * width, (at + slot + 1) * width), 2)
      if (writeRow(places[slot]!, row, 0, tick) && tick >= warmUp) moved++
    }
    startRound(timed)
    const before = store.stats.segments
    encoding = 0
    const start = performance.now()
    for (const end of ends) {
      const packet = buildPacket(end.downlink, timed, tick, now, 1 / RATE, tick, RATE)
      if (!packet) continue
      if (tick >= warmUp) bytes += packet.length
      if (chance() >= end.loss) end.down.push({ due: tick + end.trip - (end.trip >> 1), packet: packet.slice() })
    }
    const time = performance.now() - start
    if (tick < warmUp) continue
    encodings.push(encoding)
    packings.push((time - encoding) / clients)
    segments += store.stats.segments - before
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    codec,
    clients,
    'cubes that change a tick': +(moved / ticks).toFixed(1),
    'encodings a tick': +(segments / ticks).toFixed(1),
    'encoding ms a tick, median': +median(encodings).toFixed(3),
    mean: +mean(encodings).toFixed(3),
    'packing µs a client, median': +(median(packings) * 1000).toFixed(2),
    'kbps a client': +((bytes * 8 * RATE) / ticks / clients / 1000).toFixed(1),
  }
}

report('A quarter of the clients each has 33 ms and no loss, 67 ms and 0.2 %, 100 ms and 1 %, 150 ms and 2 %', [
  ...counts.map(clients => measure(clients, 'range')),
  measure(counts[0]!, 'plain'),
])
