// What the cubes of "Snapshot Compression" cost end to end, with real packets and acknowledgements over a link of 96 ms and 1 % loss:
// `node scripts/run.mjs bench/cubes-link.ts [--clients 4] [--seconds 12] [--loss 0.01]`.
import { addComponent, addEntity } from 'bitecs'
import { decodeQuaternion } from '../src/dc/index.ts'
import { createWorlds } from '../src/testing/worlds.ts'
import { recordCubes, COMPONENT_BITS } from './scenes/cubes.ts'

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}
const clients = option('clients', 4)
const seconds = option('seconds', 12)

// The prelude's quat32 has 10 bits a component; the recording has 9.
const DC = `
dclass Cube {
  int32/512(-256 - 255.998046875) x broadcast;
  int32/512(-256 - 255.998046875) y broadcast;
  uint16/512(0 - 31.998046875) z broadcast;
  quat32 turn broadcast;
  uint8(0-1) interacting broadcast;
};
`

const recording = await recordCubes(3, Math.ceil((seconds + 4) * 60))
const width = recording.words.length
const quaternion: number[] = [0, 0, 0, 1]
const rows = []
for (const maxChain of [1, 4, 8]) {
  const worlds = createWorlds(DC, {
    conditions: { lag: 0.048, jitter: 0.002, loss: option('loss', 0.01) },
    server: { tickRate: 60, maxChain, maxBytesPerSecond: 1e6, packetsPerSend: 4 },
    client: { updateRate: 60, commandRate: 60 },
    capacity: 1000,
  })
  const { Cube } = worlds.schema.dclasses
  const eids = Array.from({ length: recording.count }, () => {
    const eid = addEntity(worlds.world)
    addComponent(worlds.world, eid, Cube)
    worlds.server.place(eid, 1)
    return eid
  })
  let tick = 0
  let moved = 0
  worlds.game = () => {
    if (tick >= recording.ticks) return
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
    tick++
  }
  for (let count = 0; count < clients; count++) {
    const guest = await worlds.join()
    guest.client.interest.set([1]).catch(() => {})
  }
  // Joins, and tables that are made after five seconds, are not what is asked for here.
  const warmUp = 4 * 60
  worlds.run(warmUp)
  const before = worlds.guests.map(guest => guest.client.stats.bytesIn)
  const [movedBefore, tickBefore] = [moved, tick]
  worlds.run(seconds * 60)
  const bytes =
    worlds.guests.reduce((sum, guest, index) => sum + guest.client.stats.bytesIn - before[index]!, 0) / clients
  const ticks = tick - tickBefore
  rows.push({
    maxChain,
    kbps: +((bytes * 8) / (ticks / 60) / 1000).toFixed(1),
    'cubes that change a tick': +((moved - movedBefore) / ticks).toFixed(1),
    'bits each': +((bytes * 8) / (moved - movedBefore)).toFixed(1),
    undecodable: worlds.guests.reduce((sum, guest) => sum + guest.client.stats.undecodable, 0),
    desyncs: worlds.guests.reduce((sum, guest) => sum + guest.client.stats.desyncs, 0),
  })
  await worlds.end()
}
console.table(rows)
