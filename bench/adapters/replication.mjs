// The whole library in the harness of other replication libraries: worlds with columns, capture, engine, packets, clients.
// Run by plain node after `npm run build`; the harness asks for { createServer, createClient } and replays a workload.
import { addComponent, addEntity, createWorld, hasComponent, query, removeEntity } from 'bitecs'
import { createServer as createPipesServer, createSchema } from '../../dist/server.js'
import { Alive, createClient as createPipesClient } from '../../dist/client.js'
import { memoryNetwork } from '../../dist/memory.js'

// Fixed-point numbers, as a game would declare metres and turns: what moves, the codec foretells.
const CUBES = `
struct Quaternion { uint8(0-3) largest; uint16/511(0-1) a; uint16/511(0-1) b; uint16/511(0-1) c; };
dclass Thing {
  uint32/512(0-511.998046875) x broadcast;
  uint32/512(0-511.998046875) y broadcast;
  uint16/512(0-31.998046875) z broadcast;
  Quaternion q broadcast;
  uint8(0-1) interacting broadcast;
};
`
const ARENA = `
dclass Thing {
  uint16/100 x broadcast;
  uint16/100 y broadcast;
  uint16/100(0-40.95) z broadcast;
  uint16/1024%1 heading broadcast;
  uint8 health broadcast;
  string(0-16) name broadcast;
};
`
/** Steps a unit of each field: the harness counts in steps. */
const STEPS = {
  cubes: { x: 512, y: 512, z: 512, interacting: 1 },
  arena: { x: 100, y: 100, z: 100, heading: 1024, health: 1 },
}
const stepsOf = (wl, name) => STEPS[wl.sharedView ? 'cubes' : 'arena'][name]
const ZONE = 6400

const schemaFor = wl => createSchema(wl.sharedView ? CUBES : ARENA, { capacity: wl.cap + 64 })

const writeQuaternion = ({ largest, a, b, c }, eid, value) => {
  largest[eid] = value >>> 27
  a[eid] = ((value >>> 18) & 511) / 511
  b[eid] = ((value >>> 9) & 511) / 511
  c[eid] = (value & 511) / 511
}

/** Writes the fields of an entity that `mask` names, as a game would: into its columns. */
const createFieldWriter = (Thing, wl) => {
  const names = wl.fields.slice(0, wl.nNum).map(({ name }) => name)
  const columns = names.map(name => Thing[name])
  const steps = names.map(name => stepsOf(wl, name))
  return (eid, cols, slot, mask) => {
    for (let index = 0; index < columns.length; index++) {
      if (((mask >> index) & 1) === 0) continue
      const value = cols[index][slot]
      if (steps[index] === undefined) writeQuaternion(columns[index], eid, value)
      else columns[index][eid] = value / steps[index]
    }
  }
}

const readField = (Thing, wl, eid, index) => {
  const { name, kind } = wl.fields[index]
  if (kind === 'string') return Thing[name][eid]
  if (name !== 'q') return Math.round(Thing[name][eid] * stepsOf(wl, name))
  const part = column => Math.round(column[eid] * 511)
  return ((Thing.q.largest[eid] << 27) | (part(Thing.q.a) << 18) | (part(Thing.q.b) << 9) | part(Thing.q.c)) >>> 0
}

/** Where the entities and clients of an arena are: only what its views say decides at a border, where cm are too coarse. */
const zonesOf = (wl, n) => {
  let size = 1
  const zoneOf = new Int32Array(wl.cap)
  const seenBy = Array.from({ length: n }, () => new Uint8Array(wl.cap))
  const centres = new Int32Array(n)
  const cell = value => Math.min(size - 1, Math.floor(value / ZONE))
  const near = (zone, centre) =>
    Math.abs((zone % 64) - (centre % 64)) <= 1 && Math.abs((zone >> 6) - (centre >> 6)) <= 1
  // A border lies at a multiple of a zone's size, and only what is there, in whole cm, can be in either of two zones.
  const isAtBorder = (x, y) => x % ZONE === 0 || y % ZONE === 0
  const candidates = (x, y) => {
    const found = []
    for (const cy of new Set([cell(y), cell(Math.max(0, y - 1))]))
      for (const cx of new Set([cell(x), cell(Math.max(0, x - 1))])) found.push(cy * 64 + cx)
    return found
  }
  return {
    zoneOf,
    centres,
    update(f) {
      if (f.tick === 0) {
        let most = 0
        for (const slot of f.spawned) most = Math.max(most, f.cols[0][slot], f.cols[1][slot])
        size = Math.round((most + 200) / ZONE)
      }
      for (let c = 0; c < n; c++) {
        for (const slot of f.views[c].left) seenBy[c][slot] = 0
        for (const slot of f.views[c].entered) seenBy[c][slot] = 1
      }
      const [xs, ys] = f.cols
      const doubtful = []
      for (const list of [f.spawned, f.changed])
        for (let index = 0; index < list.length; index++) {
          const slot = list[index]
          zoneOf[slot] = cell(ys[slot]) * 64 + cell(xs[slot])
          if (isAtBorder(xs[slot], ys[slot])) doubtful.push([slot, candidates(xs[slot], ys[slot])])
        }
      // Players are the first slots, one a client.
      for (let c = 0; c < n; c++) centres[c] = zoneOf[c]
      for (let c = 0; c < n; c++) {
        if (!isAtBorder(xs[c], ys[c])) continue
        const found = candidates(xs[c], ys[c])
        const score = zone => {
          let wrong = 0
          for (const slot of f.views[c].visible) if (!near(zoneOf[slot], zone)) wrong++
          for (const slot of f.views[c].left) if (near(zoneOf[slot], zone)) wrong++
          return wrong
        }
        centres[c] = zoneOf[c] = found.reduce((best, zone) => (score(zone) < score(best) ? zone : best), found[0])
      }
      for (const [slot, found] of doubtful) {
        if (slot < n) continue
        const fits = zone => centres.every((centre, c) => near(zone, centre) === (seenBy[c][slot] === 1))
        zoneOf[slot] = found.find(fits) ?? found[0]
      }
    },
    around(c) {
      const zones = []
      for (let y = -1; y <= 1; y++)
        for (let x = -1; x <= 1; x++) {
          const cx = (centres[c] % 64) + x
          const cy = (centres[c] >> 6) + y
          if (cx >= 0 && cy >= 0 && cx < size && cy < size) zones.push(cy * 64 + cx + 1)
        }
      return zones
    },
  }
}

const concat = packets => {
  const out = new Uint8Array(packets.reduce((sum, packet) => sum + packet.length + 2, 0))
  let at = 0
  for (const packet of packets) {
    out[at++] = packet.length & 255
    out[at++] = packet.length >>> 8
    out.set(packet, at)
    at += packet.length
  }
  return out
}
const EMPTY = new Uint8Array(0)
/** One datagram as it is; more than one behind a byte that no datagram starts with. */
const payloadOf = packets =>
  packets.length === 0 ? EMPTY : packets.length === 1 ? packets[0] : concat([new Uint8Array(0), ...packets])
const packetsOf = bytes => {
  if (bytes[0] !== 0 || bytes[1] !== 0) return [bytes]
  const packets = []
  for (let at = 2; at < bytes.length;) {
    const length = bytes[at] | (bytes[at + 1] << 8)
    packets.push(bytes.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return packets
}

const SLAB = 65536
let slab = new Uint8Array(SLAB)
let used = 0
/** A copy in a shared slab, as a transport makes one in native memory: the server reuses its buffer. */
const copyOf = bytes => {
  if (used + bytes.length > SLAB) {
    slab = new Uint8Array(SLAB)
    used = 0
  }
  slab.set(bytes, used)
  used += bytes.length
  return slab.subarray(used - bytes.length, used)
}

/** The server's end of a link without a network: what is sent is kept for the harness. */
const createLink = address => {
  const end = { address, sent: [], onPacket() {}, onClose() {}, close() {} }
  end.send = bytes => end.sent.push(copyOf(bytes))
  return end
}

/**
 * A client that the harness does not decode answers so: all 64 packets up to this one came and were decoded; and, as a
 * message of its reliable stream, so did the codec's tables of this number.
 */
const acknowledge = (fake, sequences, generation) => {
  fake.received += sequences.length
  const sequence = fake.sequence++
  const newest = sequences[sequences.length - 1]
  const header = [0xc4, sequence, sequence >>> 8, 0, 0, newest, newest >>> 8, 0, 0, fake.received]
  if (fake.generation === generation) return Uint8Array.from(header)
  fake.generation = generation
  return Uint8Array.from([...header, 1, fake.fragments++, 0, 1, 2, 11, generation])
}

// Brings the decoders, which a page would load while its transport connects: these connections are open at once.
memoryNetwork()

const rateOf = wl => Math.min(255, wl.hz)

/** Makes a client on a link; it is signed in when the server has received. */
const createLinkedClient = (wl, schema, end, now) => {
  const world = createWorld()
  const sent = []
  const connection = {
    address: 'server',
    send: bytes => sent.push(bytes.slice()),
    onPacket() {},
    onClose() {},
    close() {},
  }
  const client = createPipesClient(world, schema, {
    transport: { connect: () => connection },
    updateRate: rateOf(wl),
    commandRate: rateOf(wl),
    timeout: 300,
    now,
  })
  client.connect().catch(error => console.error(error))
  for (const packet of sent.splice(0)) end.onPacket(packet)
  return { world, client, connection, sent }
}

const make = (name, options) => ({
  name,
  package: 'bitecs-pipes',
  transport: 'unreliable',
  snapshot: 'delta-acked',
  needsAcks: true,
  // The sequence numbers that a payload carries: what a client would acknowledge.
  ackOf: bytes => Uint16Array.from(packetsOf(bytes).map(packet => packet[1] | (packet[2] << 8))),
  createServer(wl, n) {
    let time = 0
    const now = () => time
    const schema = schemaFor(wl)
    const { Thing } = schema.dclasses
    const world = createWorld()
    const links = Array.from({ length: n }, (_, c) => createLink(`client ${c}`))
    const server = createPipesServer(world, schema, {
      transport: {
        listen: onConnection => {
          links.forEach(onConnection)
          return Promise.resolve()
        },
        close: () => Promise.resolve(),
      },
      tickRate: wl.hz,
      maxClients: Math.max(24, n),
      maxBytesPerSecond: 1e9,
      packetsPerSend: 64,
      timeout: 300,
      now,
      ...options,
    })
    const members = []
    const centreOf = new Int32Array(n).fill(-1)
    server.onJoin(client => (members[Number(client.address.slice(7))] = client))
    const eids = new Int32Array(wl.cap)
    /** Of what was last in each slot: a client may show it a little longer. */
    const doIds = new Uint32Array(wl.cap)
    const zones = wl.sharedView ? undefined : zonesOf(wl, n)
    const writeFields = createFieldWriter(Thing, wl)
    const fakes = links.map(() => ({ sequence: 0, received: 0, fragments: 0, generation: 0 }))
    let tables
    let generation = 0
    const join = (c, clientSchema) => {
      const guest = createLinkedClient(wl, clientSchema, links[c], now)
      server.receive(world)
      for (const packet of links[c].sent.splice(0)) guest.connection.onPacket(packet)
      return guest
    }
    const joinOthers = () => {
      const shared = schemaFor(wl)
      for (let c = 0; c < n; c++) if (!members[c]) join(c, shared)
    }
    return {
      join,
      doIdOf: slot => doIds[slot],
      update(f) {
        time = f.tick / wl.hz
        if (f.tick === 0) joinOthers()
        for (const slot of f.despawned) removeEntity(world, eids[slot])
        zones?.update(f)
        for (const slot of f.spawned) {
          const eid = addEntity(world)
          eids[slot] = eid
          addComponent(world, eid, Thing)
          doIds[slot] = schema.DistributedObject.doId[eid]
          writeFields(eid, f.cols, slot, 255)
          if (f.names) Thing.name[eid] = f.names[slot]
          server.place(eid, zones ? zones.zoneOf[slot] + 1 : 1)
        }
        for (const slot of f.changed) {
          const eid = eids[slot]
          const mask = f.mask[slot]
          writeFields(eid, f.cols, slot, mask)
          if (zones && (mask & 3) !== 0 && schema.DistributedObject.zone[eid] !== zones.zoneOf[slot] + 1)
            server.place(eid, zones.zoneOf[slot] + 1)
          else if (options?.detect === 'mark') server.markDirty(eid)
        }
        for (let c = 0; c < n; c++) {
          const centre = zones ? zones.centres[c] : 0
          if (centreOf[c] === centre) continue
          centreOf[c] = centre
          server.setZones(members[c], zones ? zones.around(c) : [1])
        }
      },
      encode() {
        server.replicate(world)
        return links.map(end => {
          const payload = payloadOf(end.sent)
          end.sent = []
          return payload
        })
      },
      receive(c, ack) {
        if (server.codecTables !== tables) generation++
        tables = server.codecTables
        if (ack instanceof Uint16Array) links[c].onPacket(acknowledge(fakes[c], ack, generation))
        else for (const packet of packetsOf(ack)) links[c].onPacket(packet)
        server.receive(world)
      },
    }
  },
  createClient(wl, c, server) {
    const schema = schemaFor(wl)
    const { Thing } = schema.dclasses
    const { world, client, connection, sent } = server.join(c, schema)
    return {
      apply(bytes) {
        for (const packet of packetsOf(bytes)) connection.onPacket(packet)
        client.receive(world)
        client.send(world)
        return sent.length > 0 ? payloadOf(sent.splice(0)) : undefined
      },
      count: () => query(world, [Alive, Thing]).length,
      has: slot => hasComponent(world, client.entityOf(server.doIdOf(slot)), Alive),
      get: (slot, index) => readField(Thing, wl, client.entityOf(server.doIdOf(slot)), index),
    }
  },
})

export default make('bitecs-pipes')
export const marked = make('bitecs-pipes, marked', { detect: 'mark' })
export const unchained = make('bitecs-pipes, no chains', { maxChain: 1 })
export const plain = make('bitecs-pipes, plain codec', { codec: 'plain' })
