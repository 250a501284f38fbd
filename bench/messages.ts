import { report as table } from './report.mjs'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { addComponent, addEntity, createWorld, query } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient } from 'bitecs-pipes/client'
import { geckos as clientTransport } from 'bitecs-pipes/geckos/client'
import { geckos as serverTransport } from 'bitecs-pipes/geckos/server'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import { createWorlds } from 'bitecs-pipes/testing'
import { startRelay } from '../test/geckos/support/relay.ts'

// How long reliable messages take over a link that loses datagrams: through real geckos.io, a process each for server and
// clients, and a UDP relay between them. Each way 10 messages of 200 bytes a second, beside some 500 bytes of state 20
// times a second; round trip 50 ms, with 5 ms of jitter. All links are measured at the same time. With --link memory the same in
// one process on virtual time, over the memory transport: without SCTP, and whatever else the machine does.
//   node scripts/run.mjs bench/messages.ts [--seconds 20] [--clients 4] [--rate 60] [--loss 0.05,0.2] [--link memory]

const DC = `
dclass Thing { uint32 a broadcast; uint32 b broadcast; uint32 c broadcast; uint32 d broadcast; uint32 e broadcast; };
dclass Post {
  down(uint32 time, uint32 number, blob pad) broadcast;
  up(uint32 time, uint32 number, blob pad) clsend;
};`
const OBJECTS = 24
const PAD = new Uint8Array(200 - 10)
/** Messages a second, and changes of the state. */
const MESSAGES = 10
const STATES = 20

/** Milliseconds on a clock that all processes of the machine share. */
const clock = (): number => Number(process.hrtime.bigint() / 1_000_000n) >>> 0
const random = (): number => Math.floor(Math.random() * 0x1_0000_0000)
const tell = (message: unknown): void => void process.send!(message)

interface Heard {
  ages: number[]
  /** Messages that came twice, out of order or not at all. */
  wrong: number
}

const listener = (): ((from: number, time: number, number: number) => void) & { take(): Heard } => {
  let heard: Heard = { ages: [], wrong: 0 }
  const last = new Map<number, number>()
  const listen = (from: number, time: number, number: number) => {
    heard.ages.push((clock() - time) | 0)
    const before = last.get(from)
    if (before !== undefined && number !== before + 1) heard.wrong++
    last.set(from, number)
  }
  const take = () => {
    const taken = heard
    heard = { ages: [], wrong: 0 }
    return taken
  }
  return Object.assign(listen, { take })
}

const serve = async (): Promise<void> => {
  const world = createWorld()
  const schema = createSchema<any>(DC)
  const { Thing, Post } = schema.dclasses
  const transport = serverTransport({ port: 0 })
  const server = createServer(world, schema, { transport, tickRate: rate, maxClients: 64 })
  await server.ready
  for (let count = 0; count < OBJECTS; count++) {
    const eid = addEntity(world)
    addComponent(world, eid, Thing)
    server.place(eid, 1)
  }
  const post = addEntity(world)
  addComponent(world, post, Post)
  server.place(post, 1)
  const heard = listener()
  server.on<{ time: number; number: number }>(Post.up, (_, { time, number }, client) => heard(client.id, time, number))
  let tick = 0
  let number = 0
  tickLoop(rate, () => {
    server.receive(world)
    tick++
    if (tick % Math.round(rate / STATES) === 0)
      for (const eid of query(world, [Thing])) for (const name of ['a', 'b', 'c', 'd', 'e']) Thing[name][eid] = random()
    if (tick % Math.round(rate / MESSAGES) === 0)
      server.sendUpdate(post, Post.down, { time: clock(), number: number++, pad: PAD })
    server.replicate(world)
  })
  process.on('message', () => tell(heard.take()))
  tell({ port: transport.port })
}

const visit = async (port: number, heard: ReturnType<typeof listener>, id: number): Promise<() => void> => {
  const world = createWorld()
  const schema = createSchema<any>(DC)
  const { Post } = schema.dclasses
  const transport = clientTransport({ port, connectTimeout: 30_000 })
  const client = createClient(world, schema, { transport, updateRate: STATES, commandRate: 30 })
  client.on<{ time: number; number: number }>(Post.down, (_, { time, number }) => heard(id, time, number))
  await client.connect()
  client.interest.set([1]).catch(() => {})
  let frame = Math.floor(Math.random() * rate)
  let number = 0
  return () => {
    client.receive(world)
    if (frame++ % Math.round(rate / MESSAGES) === 0)
      for (const eid of query(world, [Post]))
        client.sendUpdate(eid, Post.up, { time: clock(), number: number++, pad: PAD })
    client.send(world)
  }
}

const play = async (port: number, count: number): Promise<void> => {
  const heard = listener()
  const frames: (() => void)[] = []
  while (frames.length < count) frames.push(await visit(port, heard, frames.length))
  tickLoop(rate, () => {
    for (const frame of frames) frame()
  })
  process.on('message', () => tell(heard.take()))
  tell('connected')
}

const start = (role: string, value: number): ChildProcess =>
  spawn(
    process.execPath,
    [
      'scripts/run.mjs',
      'bench/messages.ts',
      '--role',
      role,
      '--value',
      `${value}`,
      '--clients',
      values.clients,
      '--rate',
      values.rate,
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )

const answer = async <T>(child: ChildProcess): Promise<T> => (await once(child, 'message'))[0] as T
const wait = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))

const stage = async (loss: number) => {
  const server = start('server', 0)
  const { port } = await answer<{ port: number }>(server)
  const relay = await startRelay(port)
  const clients = start('clients', relay.port)
  await answer(clients)
  await wait(1000)
  // Who joins has a good link: the time to connect over a bad one is not what is measured here.
  Object.assign(relay.down, { loss, delay: 22.5, jitter: 5 })
  Object.assign(relay.up, { loss, delay: 22.5, jitter: 5 })
  await wait(2000)
  const ask = async (child: ChildProcess): Promise<Heard> => {
    child.send('ages')
    return answer<Heard>(child)
  }
  await Promise.all([ask(server), ask(clients)])
  const before = { ...relay.stats }
  return async () => {
    const [up, down] = await Promise.all([ask(server), ask(clients)])
    const datagrams = (relay.stats.offered - before.offered) / 2 / Number(values.clients) / Number(values.seconds)
    for (const child of [clients, server]) child.kill('SIGKILL')
    await relay.close()
    return report(loss, { up, down }, datagrams)
  }
}

const report = (loss: number, ways: Record<string, Heard>, datagrams: number): object[] =>
  Object.entries(ways).map(([way, { ages, wrong }]) => {
    ages.sort((a, b) => a - b)
    const at = (share: number) => Math.round(ages[Math.floor(ages.length * share)] ?? NaN)
    return {
      'loss, %': loss * 100,
      way,
      messages: ages.length,
      'out of order': wrong,
      'p50, ms': at(0.5),
      'p95, ms': at(0.95),
      'p99, ms': at(0.99),
      'datagrams/s each way': Math.round(datagrams),
    }
  })

/** The same on virtual time. */
const simulate = async (loss: number): Promise<object[]> => {
  const count = Number(values.clients)
  const seconds = Number(values.seconds)
  const conditions = { loss, lag: 0.025, jitter: 0.0025 }
  const worlds = createWorlds<any>(DC, {
    conditions,
    frameRate: rate,
    server: { tickRate: rate },
    client: { updateRate: STATES, commandRate: 30 },
  })
  const { world, schema, server, network } = worlds
  const { Thing, Post } = schema.dclasses
  const milliseconds = () => worlds.now() * 1000
  const things = Array.from({ length: OBJECTS }, () => addEntity(world))
  for (const eid of things) {
    addComponent(world, eid, Thing)
    server.place(eid, 1)
  }
  const post = addEntity(world)
  addComponent(world, post, Post)
  server.place(post, 1)
  const ways: Record<string, Heard> = { up: { ages: [], wrong: 0 }, down: { ages: [], wrong: 0 } }
  const hear = (way: string) => {
    const last = new Map<number, number>()
    return (from: number, time: number, number: number) => {
      ways[way]!.ages.push(milliseconds() - sentAt[time]!)
      const before = last.get(from)
      if (before !== undefined && number !== before + 1) ways[way]!.wrong++
      last.set(from, number)
    }
  }
  /** When each message was sent: its `time` is an index in here. */
  const sentAt: number[] = []
  const stamp = () => sentAt.push(milliseconds()) - 1
  const [up, down] = [hear('up'), hear('down')]
  server.on<any>(Post.up, (_, { time, number }, client) => up(client.id, time, number))
  let tick = 0
  let number = 0
  worlds.game = () => {
    tick++
    if (tick % Math.round(rate / STATES) === 0)
      for (const eid of things) for (const name of ['a', 'b', 'c', 'd', 'e']) Thing[name][eid] = random()
    if (tick % Math.round(rate / MESSAGES) === 0)
      server.sendUpdate(post, Post.down, { time: stamp(), number: number++, pad: PAD })
  }
  for (let index = 0; index < count; index++) {
    const guest = await worlds.join()
    await worlds.settle(guest.client.interest.set([1]))
    const own = guest.schema.dclasses.Post
    guest.client.on<any>(own.down, (_, given) => down(index, given.time, given.number))
    let frame = index
    let sent = 0
    guest.play = () => {
      if (frame++ % Math.round(rate / MESSAGES) !== 0) return
      for (const eid of query(guest.world, [own]))
        guest.client.sendUpdate(eid, own.up, { time: stamp(), number: sent++, pad: PAD })
    }
  }
  worlds.run(rate * 3)
  for (const way of Object.values(ways)) way.ages.length = 0
  const before = network.stats.down.sent + network.stats.up.sent
  worlds.run(rate * seconds)
  const datagrams = (network.stats.down.sent + network.stats.up.sent - before) / 2 / count / seconds
  await worlds.end()
  return report(loss, ways, datagrams)
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    clients: { type: 'string', default: '4' },
    rate: { type: 'string', default: '60' },
    loss: { type: 'string', default: '0.05,0.2' },
    link: { type: 'string', default: 'geckos' },
    role: { type: 'string', default: '' },
    value: { type: 'string', default: '0' },
  },
})
const rate = Number(values.rate)
if (values.role === 'server') await serve()
else if (values.role === 'clients') await play(Number(values.value), Number(values.clients))
else {
  const rows: object[] = []
  const finishes = []
  const losses = values.loss.split(',').map(Number)
  if (values.link === 'memory') for (const loss of losses) rows.push(...(await simulate(loss)))
  else {
    for (const loss of losses) finishes.push(await stage(loss))
    await wait(Number(values.seconds) * 1000)
  }
  for (const finish of finishes) rows.push(...(await finish()))
  table(
    `Reliable messages, milliseconds, ${values.link === 'memory' ? 'memory links on virtual time' : 'geckos.io through a UDP relay'}`,
    rows,
  )
  process.exit(0)
}
