import { addComponent, addEntity, createWorld, hasComponent, query, removeEntity } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { Alive, createClient } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { createServer, type Connection, type ServerClient } from 'bitecs-pipes/server'
import { encodeTablesReady } from '../../../src/net/codec/messages.ts'
import { Chunk, Kind } from '../../../src/net/packet.ts'
import type { Scene } from '../scene.ts'
import { NOTHING, type CreatePeer } from '../peer.ts'

// This library: worlds, columns, capture, packets, clients, without a network. Bears loss: it needs no reliable channel.

/** As a game would declare metres, turns and rotations: fixed-point numbers, whose movement the codec foretells. */
const CUBES = `
struct Rotation { uint8(0-3) index; uint16/511(0-1) a; uint16/511(0-1) b; uint16/511(0-1) c; };
dclass Thing {
  uint32/512(0-511.998046875) x broadcast;
  uint32/512(0-511.998046875) y broadcast;
  uint16/512(0-31.998046875) z broadcast;
  Rotation rotation broadcast;
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
/** Steps a unit of fields that are not whole: scenes count in steps. */
const CUBES_STEPS: Record<string, number> = { x: 512, y: 512, z: 512, a: 511, b: 511, c: 511 }
const ARENA_STEPS: Record<string, number> = { x: 100, y: 100, z: 100, heading: 1024 }

const schemaOf = (scene: Scene) => createSchema<any>(scene.grid === 1 ? CUBES : ARENA, { capacity: scene.capacity * 2 })
const stepsOf = (scene: Scene): number[] =>
  scene.fields.map(({ name }) => (scene.grid === 1 ? CUBES_STEPS : ARENA_STEPS)[name] ?? 1)
const columnsOf = (scene: Scene, Thing: any): Float32Array[] =>
  scene.fields.map(({ name }) => Thing[name] ?? Thing.rotation[name])

/** Datagrams are copied into pieces of large buffers: the server's own buffer is only valid until the next one. */
const createCopier = () => {
  let slab = new Uint8Array(0)
  let used = 0
  return (bytes: Uint8Array): Uint8Array => {
    if (used + bytes.length > slab.length) {
      slab = new Uint8Array(65_536)
      used = 0
    }
    slab.set(bytes, used)
    used += bytes.length
    return slab.subarray(used - bytes.length, used)
  }
}

/** What was sent since the last time. */
const takeSent = (link: { sent: readonly Uint8Array[] }): readonly Uint8Array[] => {
  const { sent } = link
  link.sent = NOTHING
  return sent
}

export const pipes: CreatePeer = (scene, clients) => {
  // Brings the decoders, which a page would load while its transport connects: these connections are open at once.
  memoryNetwork()
  let time = 0
  const now = () => time
  const schema = schemaOf(scene)
  const { Thing } = schema.dclasses
  const world = createWorld()
  const copyOf = createCopier()
  const links = Array.from({ length: clients }, (_, client) => {
    const connection: Connection = {
      address: String(client),
      send(bytes) {
        const copy = copyOf(bytes)
        // Nearly always the only one of the tick.
        if (link.sent === NOTHING) link.sent = [copy]
        else link.sent = [...link.sent, copy]
      },
      close() {},
      onPacket() {},
      onClose() {},
    }
    const link = { sent: NOTHING, connection, sequence: 0, received: 0, fragments: 0, tables: 0 }
    return link
  })
  let open: (connection: Connection) => void = () => {}
  const server = createServer(world, schema, {
    transport: {
      listen: onConnection => {
        open = onConnection
        return Promise.resolve()
      },
      close: () => Promise.resolve(),
    },
    tickRate: scene.hz,
    maxClients: clients,
    maxBytesPerSecond: 1e9,
    packetsPerSend: 64,
    timeout: 300,
    now,
  })
  /** The codec's newest tables, and how many there were: their number. */
  const tables = { newest: server.codecTables, count: 0 }
  const members: ServerClient[] = []
  server.onJoin(client => (members[Number(client.address)] = client))

  /** Signs a client in. */
  const join = (client: number, own: ReturnType<typeof schemaOf>) => {
    const link = links[client]!
    const up: Uint8Array[] = []
    const end: Connection = {
      address: '',
      send: bytes => up.push(bytes.slice()),
      close() {},
      onPacket() {},
      onClose() {},
    }
    const view = createWorld()
    const endpoint = createClient(view, own, {
      transport: { connect: () => end },
      updateRate: scene.hz,
      commandRate: scene.hz,
      timeout: 300,
      now,
    })
    open(link.connection)
    endpoint.connect().catch((error: unknown) => console.error(error))
    for (const bytes of up.splice(0)) link.connection.onPacket(bytes)
    server.receive(world)
    for (const bytes of takeSent(link)) end.onPacket(bytes)
    return { view, endpoint, end, up }
  }
  const joinRest = () => {
    const shared = schemaOf(scene)
    for (let client = 0; client < clients; client++) if (!members[client]) join(client, shared)
  }

  const columns = columnsOf(scene, Thing)
  const steps = stepsOf(scene)
  const entities = new Uint32Array(scene.capacity)
  const zonesOf: (readonly number[])[] = []
  const { zone: zoneColumn } = schema.DistributedObject
  return {
    update(frame) {
      time = (frame.tick + 1) / scene.hz
      if (frame.tick === 0) joinRest()
      server.receive(world)
      for (const slot of frame.despawned) removeEntity(world, entities[slot]!)
      for (const slot of frame.spawned) {
        const eid = (entities[slot] = addEntity(world))
        addComponent(world, eid, Thing)
        for (let field = 0; field < columns.length; field++)
          columns[field]![eid] = frame.columns[field]![slot]! / steps[field]!
        if (scene.hasNames) Thing.name[eid] = frame.names[slot]
        server.place(eid, frame.zones[slot]!)
      }
      for (const slot of frame.changed) {
        const eid = entities[slot]!
        const mask = frame.masks[slot]!
        for (let field = 0; field < columns.length; field++)
          if ((mask >> field) & 1) columns[field]![eid] = frame.columns[field]![slot]! / steps[field]!
        if (zoneColumn[eid] !== frame.zones[slot]) server.place(eid, frame.zones[slot]!)
      }
      for (let client = 0; client < clients; client++) {
        const { zones } = frame.clients[client]!
        if (zonesOf[client] === zones) continue
        zonesOf[client] = zones
        server.setZones(members[client]!, zones)
      }
    },
    encode() {
      server.replicate(world)
      if (server.codecTables !== tables.newest) {
        tables.newest = server.codecTables
        tables.count++
      }
      return links.map(takeSent)
    },
    answer: (client, bytes) => links[client]!.connection.onPacket(bytes),
    answerFor(client, messages) {
      // A data packet with nothing but acknowledgements: the newest that came, and that all before it came too.
      const link = links[client]!
      const newest = messages.at(-1)
      if (!newest) return undefined
      link.received += messages.length
      const sequence = link.sequence++
      const [low, high] = [newest[1]!, newest[2]!]
      const answer = [Kind.data | 4, sequence, sequence >>> 8, 0, 0, low, high, 0, 0, link.received]
      // And, once, that it has the codec's newest tables.
      if (link.tables !== tables.count) {
        link.tables = tables.count
        const ready = encodeTablesReady(link.tables)
        answer.push(Chunk.fragment, link.fragments++, 0, 1, ready.length, ...ready)
      }
      return Uint8Array.from(answer)
    },
    view(client) {
      const own = schemaOf(scene)
      const { endpoint, view, end, up } = join(client, own)
      const Shown = own.dclasses.Thing
      const shown = columnsOf(scene, Shown)
      const find = (slot: number) => endpoint.entityOf(schema.DistributedObject.doId[entities[slot]!]!)
      return {
        receive(messages) {
          for (const message of messages) end.onPacket(message)
          endpoint.receive(view)
          endpoint.send(view)
          return up.splice(0)
        },
        count: () => query(view, [Alive, Shown]).length,
        has: slot => hasComponent(view, find(slot), Alive),
        value: (slot, field) => Math.round(shown[field]![find(slot)]! * steps[field]!),
        name: slot => Shown.name[find(slot)],
      }
    },
  }
}
