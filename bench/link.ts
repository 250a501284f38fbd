import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient } from 'bitecs-pipes/client'
import { geckos as clientTransport } from 'bitecs-pipes/geckos/client'
import { geckos as serverTransport } from 'bitecs-pipes/geckos/server'
import { createServer, tickLoop, type Connection } from 'bitecs-pipes/server'
import { report } from './report.mjs'
import { startRelay, type LinkConditions } from '../test/geckos/support/relay.ts'

// How old the state is that a player sees over a bad link: through real geckos.io, a process each for server and client, and
// a UDP relay between them that drops, delays and queues. Beside it, at the same time over a link of its own: the same bytes
// sent without waiting for anything.
//   node scripts/run.mjs bench/link.ts [--seconds 20] [--only lossy,narrow]

/** What is offered 60 times a second, in datagrams of about 1 KB, and over which link. */
const SCENARIOS: Record<string, { title: string; datagrams: number; link: Partial<LinkConditions> }> = {
  clean: { title: 'nothing lost, round trip 50 ms, 1 KB a tick', datagrams: 1, link: { delay: 25 } },
  lossy: { title: '20 % loss both ways, round trip 50 ms, 1 KB a tick', datagrams: 1, link: { loss: 0.2, delay: 25 } },
  narrow: {
    title: '1 Mbit/s with a queue of 200 ms, 4 KB a tick (1.9 Mbit/s)',
    datagrams: 4,
    link: { rate: 1e6, queue: 200, delay: 5 },
  },
}
const RATE = 60
/** Objects of a datagram's worth of state: each changes all of its bits in each tick, about 20 bytes that no codec shrinks. */
const OBJECTS = 44
const DC =
  'dclass Thing { uint32 time broadcast; uint32 a broadcast; uint32 b broadcast; uint32 c broadcast; uint32 d broadcast; };'

/** Milliseconds on a clock that all processes of the machine share. */
const clock = (): number => Number(process.hrtime.bigint() / 1_000_000n) >>> 0
const random = (): number => Math.floor(Math.random() * 0x1_0000_0000)
const tell = (message: unknown): void => void process.send!(message)

const servePipes = async (datagrams: number): Promise<void> => {
  const world = createWorld()
  const schema = createSchema<any>(DC)
  const { Thing } = schema.dclasses
  const transport = serverTransport({ port: 0 })
  const server = createServer(world, schema, {
    transport,
    tickRate: RATE,
    maxClients: 64,
    maxBytesPerSecond: 1e6,
    packetsPerSend: datagrams,
  })
  await server.ready
  for (let count = 0; count < OBJECTS * datagrams; count++) {
    const eid = addEntity(world)
    addComponent(world, eid, Thing)
    server.place(eid, 1)
  }
  tickLoop(RATE, () => {
    server.receive(world)
    const now = clock()
    for (const eid of query(world, [Thing])) {
      Thing.time[eid] = now
      for (const name of ['a', 'b', 'c', 'd']) Thing[name][eid] = random()
    }
    server.replicate(world)
  })
  tell({ port: transport.port })
}

/** Connects a client. Returns what makes a frame of it: the times of all objects that it shows. */
const visitPipes = async (port: number): Promise<() => number[]> => {
  const world = createWorld()
  const schema = createSchema<any>(DC)
  const { Thing } = schema.dclasses
  const client = createClient(world, schema, {
    transport: clientTransport({ port, connectTimeout: 30_000 }),
    updateRate: RATE,
    commandRate: RATE,
  })
  await client.connect()
  client.interest.set([1]).catch(() => {})
  return () => {
    client.receive(world)
    client.send(world)
    return Array.from(query(world, [Thing]), eid => Thing.time[eid] as number)
  }
}

const serveNaive = async (datagrams: number): Promise<void> => {
  const transport = serverTransport({ port: 0 })
  const connections = new Set<Connection>()
  await transport.listen(connection => {
    connections.add(connection)
    connection.onClose = () => connections.delete(connection)
  })
  const datagram = new Uint8Array(1000)
  const view = new DataView(datagram.buffer)
  tickLoop(RATE, () => {
    for (let index = 0; index < datagrams; index++) {
      view.setUint8(0, index)
      view.setUint32(1, clock(), true)
      for (const connection of connections) connection.send(datagram)
    }
  })
  tell({ port: transport.port })
}

const visitNaive = async (port: number): Promise<() => number[]> => {
  const connection = await clientTransport({ port, connectTimeout: 30_000 }).connect()
  /** The newest time of each part of the state. */
  const times: number[] = []
  connection.onPacket = packet => {
    const time = new DataView(packet.buffer, packet.byteOffset).getUint32(1, true)
    times[packet[0]!] = Math.max(times[packet[0]!] ?? 0, time)
  }
  return () => times.filter(() => true)
}

/** Runs clients, and notes in each frame how old is what there is to show. */
const play = async (visit: (port: number) => Promise<() => number[]>, port: number, count: number): Promise<void> => {
  const frames: (() => number[])[] = []
  while (frames.length < count) frames.push(await visit(port))
  let ages: number[] = []
  setInterval(() => {
    for (const frame of frames) for (const time of frame()) ages.push((clock() - time) | 0)
  }, 1000 / RATE)
  process.on('message', () => {
    tell({ ages })
    ages = []
  })
  tell('connected')
}

const start = (role: string, value: number): ChildProcess =>
  spawn(
    process.execPath,
    ['scripts/run.mjs', 'bench/link.ts', '--role', role, '--value', String(value), '--clients', values.clients],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )

const answer = async <T>(child: ChildProcess): Promise<T> => (await once(child, 'message'))[0] as T
const wait = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))

/** One way of sending over one link: a server, a relay, a client. */
const stage = async (way: 'pipes' | 'naive', name: string) => {
  const { datagrams, link } = SCENARIOS[name]!
  const server = start(`${way}-server`, datagrams)
  const { port } = await answer<{ port: number }>(server)
  const relay = await startRelay(port)
  const client = start(`${way}-client`, relay.port)
  await answer(client)
  await wait(1000)
  // Who joins has a good link: the time to connect over a bad one is not what is measured here.
  Object.assign(relay.down, link)
  Object.assign(relay.up, link)
  await wait(2000)
  const ask = async () => {
    client.send('ages')
    return (await answer<{ ages: number[] }>(client)).ages.sort((a, b) => a - b)
  }
  await ask()
  const before = { ...relay.stats }
  const started = performance.now()
  return async () => {
    const ages = await ask()
    const seconds = (performance.now() - started) / 1000
    const at = (share: number) => ages[Math.floor(ages.length * share)] ?? NaN
    const mbit = (bytes: number) => Number(((bytes * 8) / 1e6 / seconds / Number(values.clients)).toFixed(2))
    const { offeredBytes, deliveredBytes } = relay.stats
    for (const child of [client, server]) child.kill('SIGKILL')
    await relay.close()
    return {
      link: SCENARIOS[name]!.title,
      sent: way === 'pipes' ? 'by bitecs-pipes' : 'without waiting',
      'p50, ms': at(0.5),
      'p95, ms': at(0.95),
      'p99, ms': at(0.99),
      'offered Mbit/s': mbit(offeredBytes - before.offeredBytes),
      'delivered Mbit/s': mbit(deliveredBytes - before.deliveredBytes),
    }
  }
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: Object.keys(SCENARIOS).join() },
    clients: { type: 'string', default: '4' },
    role: { type: 'string', default: '' },
    value: { type: 'string', default: '0' },
  },
})
const value = Number(values.value)
if (values.role === 'pipes-server') await servePipes(value)
else if (values.role === 'pipes-client') await play(visitPipes, value, Number(values.clients))
else if (values.role === 'naive-server') await serveNaive(value)
else if (values.role === 'naive-client') await play(visitNaive, value, Number(values.clients))
else {
  const rows: object[] = []
  for (const name of values.only.split(',')) {
    const finishes = await Promise.all([stage('pipes', name), stage('naive', name)])
    await wait(Number(values.seconds) * 1000)
    for (const finish of finishes) rows.push(await finish())
  }
  report('Age of the state that is shown, over a UDP relay', rows)
  process.exit(0)
}
