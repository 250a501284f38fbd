// Run by `bench/cubes-link.ts`. The server begins with tables that were trained on other recordings than those that it plays.
import { report } from './report.mjs'
import { addComponent, addEntity } from 'bitecs'
import { decodeQuaternion, QUATERNION_BITS } from '../src/dc/index.ts'
import { more, readBytes, readU16, readU8, readVarint } from '../src/net/bytes.ts'
import { Chunk, Kind, openPacket, readHeader } from '../src/net/packet.ts'
import { createRangeDecoder } from '../src/net/codec/segment-decoder.ts'
import { entry, openState, readEntry } from '../src/net/state-entry.ts'
import { createWorlds } from '../src/testing/worlds.ts'
import { createSchema } from '../src/components/index.ts'
import { packCodecTables } from '../src/net/codec-tables.ts'
import { layoutsOf } from '../src/net/layout.ts'
import { identityOf } from '../src/net/schema-mismatch.ts'
import { train } from './codec-runs.ts'
import { recordCubes, COMPONENT_BITS } from './scenes/cubes.ts'
import { CUBES, CUBE_AGES } from './scenes/cubes-schema.ts'
import { groupsOf } from './scenes/groups.ts'
import type { Recording } from './scenes/recording.ts'

const given = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]!
}
const clients = Number(given('clients', '16'))
const lag = Number(given('lag', '0.048'))
const loss = Number(given('loss', '0.01'))
const seeds = given('seeds', '3,4').split(',').map(Number)
const bits = Number(given('bits', '9'))

// The published figures are of 9 bits a component; the prelude's quat32 has 10.
;(QUATERNION_BITS as { quat32: number }).quat32 = bits

/** Ticks in which all have come in and nothing moves yet. */
const JOINING = 4 * 60

const usesBefore = { codec: createRangeDecoder([]) }

/** Where the bytes of a client's packets go. */
const createShares = () => ({ header: 0, 'state chunk': 0, entries: 0, anchors: 0, chained: 0, audits: 0, other: 0 })

/** Returns how many segments the packet has. */
const addShares = (shares: ReturnType<typeof createShares>, packet: Uint8Array): number => {
  const { kind, reader } = openPacket(packet)
  if (kind !== Kind.data) return 0
  let segments = 0
  const { tick } = readHeader(reader)
  shares.header += reader.position
  while (more(reader)) {
    const from = reader.position
    const chunk = readU8(reader)
    if (chunk === Chunk.state) {
      openState(usesBefore, reader)
      shares['state chunk'] += reader.position - from
      for (let at = reader.position; readEntry(usesBefore, reader, tick, 0); at = reader.position) {
        const size = entry.end - entry.start
        segments++
        if (entry.isKeyframe || entry.frameTick - entry.baseTick > 3) shares.anchors += size
        else shares.chained += size
        shares.entries += reader.position - at - size
      }
      const at = reader.position - 1
      const count = more(reader) ? readU8(reader) : 0
      if (count !== 0xff) for (let index = 0; index < count; index++) readVarint(reader)
      shares['state chunk'] += reader.position - at
    } else if (chunk === Chunk.audit) {
      while (more(reader) && readVarint(reader) !== 0) {
        readVarint(reader)
        readU16(reader)
      }
      shares.audits += reader.position - from
    } else if (chunk === Chunk.fragment) {
      readU16(reader)
      readU8(reader)
      readBytes(reader, readVarint(reader))
      shares.other += reader.position - from
    } else throw new Error(`chunk ${chunk}`)
  }
  return segments
}

interface Run {
  readonly recording: Recording
  readonly clients: number
  readonly loss: number
  readonly chain: number
  readonly tables: Uint8Array | undefined
}

/** Plays a recording to some clients over the link. */
const play = async ({ recording, clients, loss, chain, tables }: Run) => {
  const worlds = createWorlds(CUBES, {
    conditions: { lag, jitter: 0.002, loss },
    server: {
      tickRate: 60,
      minChain: chain,
      maxChain: chain,
      maxBytesPerSecond: 1e6,
      packetsPerSend: 4,
      ...(tables && { codecTables: tables, trainCodec: false }),
    },
    client: { updateRate: 60, commandRate: 60 },
    capacity: 1000,
  })
  const { Cube } = worlds.schema.dclasses
  const width = recording.words.length
  const quaternion: number[] = [0, 0, 0, 1]
  const eids = Array.from({ length: recording.count }, () => {
    const eid = addEntity(worlds.world)
    addComponent(worlds.world, eid, Cube)
    worlds.server.place(eid, 1)
    return eid
  })
  let tick = 0
  let moved = 0
  let isPlaying = false
  worlds.game = () => {
    for (let slot = 0; slot < recording.count; slot++) {
      const at = (tick * recording.count + slot) * width
      const eid = eids[slot]!
      const row = recording.rows.subarray(at, at + width)
      if (tick > 0 && row.some((word, index) => word !== recording.rows[at - recording.count * width + index])) moved++
      Cube.x[eid] = row[0]! / 512 - 256
      Cube.y[eid] = row[1]! / 512 - 256
      Cube.z[eid] = row[2]! / 512
      decodeQuaternion(row, 3, COMPONENT_BITS, quaternion, 0)
      Cube.turn.x[eid] = quaternion[0]
      Cube.turn.y[eid] = quaternion[1]
      Cube.turn.z[eid] = quaternion[2]
      Cube.turn.w[eid] = quaternion[3]
      Cube.interacting[eid] = row[7]
    }
    if (isPlaying) tick++
  }
  for (let count = 0; count < clients; count++) {
    const guest = await worlds.join()
    guest.client.interest.set([1]).catch(() => {})
  }
  worlds.run(JOINING)
  const sums = () =>
    worlds.guests.reduce(
      (sum, { client: { stats } }) => {
        sum.bytes += stats.bytesIn
        sum.undecodable += stats.undecodable
        sum.desyncs += stats.desyncs
        return sum
      },
      { bytes: 0, undecodable: 0, desyncs: 0 },
    )
  const before = sums()
  const shares = createShares()
  let packets = 0
  let segments = 0
  worlds.network.tap = (direction, packet) => {
    if (direction !== 'down') return
    packets++
    segments += addShares(shares, packet)
  }
  const lostBefore = worlds.network.stats.down.lost
  isPlaying = true
  const ticks = recording.ticks - 1
  worlds.run(ticks)
  isPlaying = false
  const movedPerTick = moved / ticks
  worlds.network.tap = undefined
  const lost = worlds.network.stats.down.lost - lostBefore
  const after = sums()
  const bytes = (after.bytes - before.bytes) / clients
  const kbps = (bytes: number): number => +((bytes * 8 * 60) / ticks / 1000).toFixed(1)
  // Nothing may be left behind.
  worlds.run(120)
  const isRight = worlds.guests.every(guest => {
    const theirs = guest.schema.dclasses.Cube
    return eids.every(eid => {
      const mine = worlds.seenBy(guest, eid)
      return Math.abs(theirs.x[mine]! - Cube.x[eid]!) < 1e-3 && Math.abs(theirs.z[mine]! - Cube.z[eid]!) < 1e-3
    })
  })
  const result = {
    kbps: kbps(bytes),
    'cubes that change a tick': +movedPerTick.toFixed(1),
    'bits each': +((bytes * 8) / ticks / movedPerTick).toFixed(1),
    'lost %': +((100 * lost) / packets).toFixed(2),
    'undecodable segments %': +((100 * (after.undecodable - before.undecodable)) / segments).toFixed(2),
    desyncs: after.desyncs - before.desyncs,
    'all arrived': isRight,
  }
  const where = Object.fromEntries(Object.entries(shares).map(([name, sum]) => [name, kbps(sum / clients)]))
  await worlds.end()
  return { result, where }
}

const { file } = createSchema(CUBES, { capacity: 1 })
const { slots } = layoutsOf(file.classes[0]!).interested
const lessons = await Promise.all([1, 2].map(async seed => groupsOf(await recordCubes(seed), slots)))
const tables =
  bits === COMPONENT_BITS && given('tables', 'trained') === 'trained'
    ? packCodecTables(train(lessons, CUBE_AGES, 96), identityOf(file))
    : undefined
const rows = []
const wheres = []
for (const seed of seeds) {
  const recording = await recordCubes(seed)
  for (const [chain, lost] of [
    [1, loss],
    [4, loss],
    [8, loss],
    [8, 0],
  ] as const) {
    const { result, where } = await play({ recording, clients, loss: lost, chain, tables })
    const title = { seed, depth: chain, loss: lost }
    rows.push({ ...title, ...result })
    wheres.push({ ...title, ...where })
  }
}
report(
  `${clients} clients, ${lag * 2000} ms round trip, ${bits} bits a component; tables of ${tables?.length} bytes, trained on other seeds`,
  rows,
)
report('kbps of a client by what they are; 10 and more bytes of each packet are its header', wheres)
