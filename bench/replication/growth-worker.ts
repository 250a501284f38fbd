import { addComponent, addEntity, createWorld } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient } from 'bitecs-pipes/client'
import { createServer, type Connection } from 'bitecs-pipes/server'
import { Kind } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'

// A server with so many objects and clients, run for some hundred ticks: what a tick costs, what memory it takes, and what it
// allocates. The harness around it allocates nothing while it measures.

/** What `growth.ts` prints. Microseconds and bytes of a tick; bytes of memory in all. */
export interface Growth {
  readonly receive: number
  readonly capture: number
  readonly encode: number
  readonly pack: number
  readonly sent: number
  readonly memory: number
  readonly allocated: number
}

const HZ = 20
/** Objects of a zone; a client sees 3 x 3 of them. */
const CROWD = 25
/** Ticks until an answer is at the server. */
const ROUND_TRIP = 2
const DC = `dclass Thing {
  uint16 x broadcast; uint16 y broadcast; uint16(0-4095) z broadcast; uint16(0-1023) heading broadcast; uint8 health broadcast;
};`

const [objects, clients, share, ticks, capacity] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
  number,
]

/** The time of a tick, and when (milliseconds) the server asked for it first. */
let time = 0
let askedAt = 0
const now = (): number => {
  if (askedAt === 0) askedAt = performance.now()
  return time
}

let encoding = 0
/** `growth.ts` has the store call this in the place of its codec. */
;(globalThis as any).encodeTimed = ((codec, writer, layout, base, before, frame, slots, active, movedTo) => {
  const start = performance.now()
  const length = codec.encode(writer, layout, base, before, frame, slots, active, movedTo)
  encoding += performance.now() - start
  return length
}) satisfies (codec: any, ...rest: any) => number

const schema = createSchema<any>(DC, { capacity: capacity + 64 })
const { Thing } = schema.dclasses
const world = createWorld()
const chance = random(objects)
let sent = 0

/** The server's end of a link: counts, remembers the newest sequence number, and answers it two ticks later. */
const createLink = () => {
  const answers = Array.from({ length: ROUND_TRIP }, () => Uint8Array.of(Kind.data | 4, 0, 0, 0, 0, 0, 0, 0, 0, 0))
  const link = { answers, isJoined: false, packets: 0, low: 0, high: 0, joined: [] as Uint8Array[] }
  const connection: Connection = {
    address: '',
    send(bytes) {
      sent += bytes.length
      if (!link.isJoined) link.joined.push(bytes.slice())
      else {
        link.packets++
        link.low = bytes[1]!
        link.high = bytes[2]!
      }
    },
    close() {},
    onPacket() {},
    onClose() {},
  }
  return { ...link, link, connection }
}
const links = Array.from({ length: clients }, createLink)
let open: (connection: Connection) => void = () => {}
const server = createServer(world, schema, {
  transport: {
    listen: onConnection => {
      open = onConnection
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  },
  tickRate: HZ,
  maxClients: Math.max(1, clients),
  maxBytesPerSecond: 1e9,
  packetsPerSend: 8,
  timeout: 300,
  now,
})

const grid = Math.max(1, Math.round(Math.sqrt(objects / CROWD)))
const eids: number[] = []
for (let index = 0; index < objects; index++) {
  const eid = addEntity(world)
  addComponent(world, eid, Thing)
  Thing.x[eid] = chance() * 65_535
  Thing.y[eid] = chance() * 65_535
  server.place(eid, 1 + (index % (grid * grid)))
  eids.push(eid)
}
const clientSchema = createSchema<any>(DC, { capacity: 64 })
for (const { link, connection } of links) {
  const view = createWorld()
  const end: Connection = {
    address: '',
    send: bytes => connection.onPacket(bytes.slice()),
    close() {},
    onPacket() {},
    onClose() {},
  }
  const client = createClient(view, clientSchema, {
    transport: { connect: () => end },
    updateRate: HZ,
    commandRate: HZ,
    timeout: 300,
    now,
  })
  open(connection)
  client.connect().catch(() => {})
  server.receive(world)
  link.isJoined = true
  // The client, which has not got its welcome yet, has done its part: from here on the link answers for it, and its memory
  // is not the server's.
  end.send = () => {}
  client.disconnect()
}
for (const client of server.clients.values()) {
  const x = Math.floor(chance() * grid)
  const y = Math.floor(chance() * grid)
  const zones: number[] = []
  for (let row = Math.max(0, y - 1); row <= Math.min(grid - 1, y + 1); row++)
    for (let column = Math.max(0, x - 1); column <= Math.min(grid - 1, x + 1); column++)
      zones.push(1 + row * grid + column)
  server.setZones(client, zones)
}

const moving = Math.round(objects * share)
const costs = { receive: new Float64Array(ticks), capture: new Float64Array(ticks), encode: new Float64Array(ticks) }
const packing = new Float64Array(ticks)
const { x, y, z, heading } = Thing as Record<string, Uint16Array>
let tick = 0
/** Whether the heap is looked at around each `replicate`, and by how many bytes it grew there. */
let isCounting = false
let allocated = 0

const step = (index: number): void => {
  tick++
  time = tick / HZ
  // Objects take turns: who moves now is not who moved before.
  for (
    let count = 0, each = (tick * moving) % Math.max(1, objects);
    count < moving;
    count++, each = (each + 1) % objects
  ) {
    const eid = eids[each]!
    x![eid] = (x![eid]! + 13) & 0xffff
    y![eid] = (y![eid]! + 7) & 0xffff
    z![eid] = (z![eid]! + (tick & 3)) & 4095
    if ((each + tick) % 4 === 0) heading![eid] = (heading![eid]! + 5) & 1023
  }
  for (let client = 0; client < links.length; client++) {
    const { link, connection } = links[client]!
    // It is as old as the round trip: filled in when its packet was sent, with what was the newest then.
    const answer = link.answers[tick % ROUND_TRIP]!
    if (tick > ROUND_TRIP) connection.onPacket(answer)
  }
  const start = performance.now()
  server.receive(world)
  costs.receive[index] = performance.now() - start
  askedAt = 0
  encoding = 0
  const used = isCounting ? process.memoryUsage().heapUsed : 0
  const begin = performance.now()
  server.replicate(world)
  const end = performance.now()
  if (isCounting) allocated += process.memoryUsage().heapUsed - used
  costs.capture[index] = askedAt - begin
  costs.encode[index] = encoding
  packing[index] = end - askedAt - encoding
  for (let client = 0; client < links.length; client++) {
    const { link } = links[client]!
    const answer = link.answers[tick % ROUND_TRIP]!
    answer[1] = tick
    answer[2] = tick >>> 8
    answer[5] = link.low
    answer[6] = link.high
    answer[9] = link.packets
  }
}

const settle = async (): Promise<number> => {
  await new Promise(resolve => setTimeout(resolve, 10))
  globalThis.gc!()
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
const p25 = (numbers: Float64Array): number => numbers.sort()[Math.floor(numbers.length / 4)]! * 1000

for (let index = 0; index < ticks; index++) step(index)
const memory = await settle()
sent = 0
for (let index = 0; index < ticks; index++) step(index)
const bytes = sent / ticks
/** What looking at the heap takes itself. */
let looking = 0
for (let index = 0; index < 1000; index++) {
  const before = process.memoryUsage().heapUsed
  looking += (process.memoryUsage().heapUsed - before) / 1000
}
const times = [p25(costs.receive), p25(costs.capture), p25(costs.encode), p25(packing)] as const
isCounting = true
for (let index = 0; index < ticks; index++) step(index)
process.send!({
  receive: times[0],
  capture: times[1],
  encode: times[2],
  pack: times[3],
  sent: bytes,
  memory,
  allocated: allocated / ticks - looking,
} satisfies Growth)
process.disconnect()
