// What attackers cost everybody else: a real game server over geckos.io in a process of its own, honest players in another, attackers in a
// third, which yields to them as other machines would. Ticks are timed by the clock, and by the CPU time of their thread, which does not count what
// else a busy machine does.
//   npm run flood -- [datagrams|storm|half-open] [--attackers 100] [--times 10] [--rate 60] [--seconds 10] [--players 8]
// datagrams  each attacker signs in and sends `times` as many datagrams as its allowance, `rate` a second; who is sent away comes back.
//            Beside it: the players alone, and with the attackers there but sending half of their allowance. The median of three rounds
// storm      each attacker connects, signs in, and closes at once, over and over
// half-open  10,000 handshakes that nobody finishes (--half), under the default limits and under none (--limits); memory, and 15 s later
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { createWorld } from 'bitecs'
import { createClient } from '../src/client.ts'
import { geckos } from '../src/geckos-client.ts'
import { createSchema } from '../src/index.ts'
import { createPeer } from '../src/net/peer.ts'
import { infiltrate } from '../test/geckos/support/cheat.ts'
import { DC, PASSWORD, type GameOptions, type GameStatus } from '../test/geckos/support/game.ts'
import { startGame, type ServerProcess } from '../test/geckos/support/server-process.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    attackers: { type: 'string', default: '100' },
    times: { type: 'string', default: '10' },
    rate: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '10' },
    players: { type: 'string', default: '8' },
    half: { type: 'string', default: '10000' },
    limits: { type: 'string', default: 'default,none' },
    role: { type: 'string', default: '' },
    port: { type: 'string', default: '0' },
  },
})
const [attack = 'datagrams'] = positionals
const number = (name: keyof typeof values): number => Number(values[name])
const wait = (seconds: number) => new Promise(resolve => setTimeout(resolve, seconds * 1000))
const at = (sorted: number[], share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN
const round = (value: number): number => Number(value.toFixed(2))

/** Honest players, each with frames as a page has them; tells their round trips when asked. */
const playHonestly = async (): Promise<void> => {
  const schemaOf = () => createSchema<any>(DC, { capacity: 1000 })
  const clients: ReturnType<typeof createClient>[] = []
  while (clients.length < number('players')) {
    const world = createWorld()
    const client = createClient(world, schemaOf(), { transport: geckos({ port: number('port') }), password: PASSWORD })
    await client.connect()
    void client.interest.set([1, 2, 3, 4])
    clients.push(client)
    setInterval(() => {
      client.receive(world)
      client.send(world)
    }, 1000 / 60)
  }
  process.on('message', () =>
    process.send!({
      connected: clients.filter(({ state }) => state === 'connected').length,
      rtts: clients.map(({ stats }) => stats.rtt * 1000),
    }),
  )
  process.send!('ready')
}

const counts = { sent: 0, sessions: 0, refused: 0 }
/** As many as one is allowed are sent this many times over. */
let times = 0.5

const floodOnce = async (): Promise<void> => {
  const cheat = await infiltrate(number('port'))
  counts.sessions++
  if (attack === 'storm') {
    cheat.connection.close()
    return
  }
  const peer = createPeer<undefined>()
  const body = new Uint8Array(40)
  while (!cheat.isClosed) {
    const packets = Math.round((number('rate') * times) / 20)
    for (let count = 0; count < packets; count++) cheat.packet(peer, body)
    // Nothing of what was sent is kept.
    ;(cheat.sent as Uint8Array[]).length = 0
    counts.sent += packets
    await wait(1 / 20)
  }
}

const attackForever = async (): Promise<void> => {
  setPriority(19)
  for (let index = 0; index < number('attackers'); index++)
    void (async () => {
      for (;;)
        await floodOnce().catch(async () => {
          counts.refused++
          await wait(0.5)
        })
    })()
  process.on('message', message => {
    if (typeof message === 'number') times = message
    else process.send!(counts)
  })
  process.send!('ready')
}

const start = (role: string, port: number): ChildProcess =>
  fork(
    'scripts/run.mjs',
    [
      'bench/flood.ts',
      attack,
      ...process.argv.slice(2).filter(each => each !== attack),
      '--role',
      role,
      '--port',
      String(port),
    ],
    {
      execArgv: [],
      // geckos' client prints each refusal.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    },
  )
const ask = async <T>(child: ChildProcess): Promise<T> => {
  const answer = once(child, 'message')
  child.send('tell')
  return (await answer)[0] as T
}

interface Honest {
  connected: number
  rtts: number[]
}

/** Ticks, round trips and refusals of so many seconds. */
const measure = async (name: string, server: ServerProcess<GameStatus>, honest: ChildProcess) => {
  const before = await server.status()
  await wait(number('seconds'))
  const after = await server.status()
  const { connected, rtts } = await ask<Honest>(honest)
  const [ticks, costs] = [after.ticks, after.costs].map(each => each.sort((a, b) => a - b)) as [number[], number[]]
  const per = (key: 'packets' | 'rateLimited' | 'kicked' | 'opened') =>
    Math.round((after.stats[key] - before.stats[key]) / number('seconds'))
  return {
    name,
    'tick p50, ms': round(at(ticks, 0.5)),
    'p99, ms': round(at(ticks, 0.99)),
    'CPU p50, ms': round(at(costs, 0.5)),
    'CPU p99, ms': round(at(costs, 0.99)),
    skipped: after.skipped - before.skipped,
    'players on': connected,
    'their rtt, ms': round(Math.max(...rtts)),
    'taken/s': per('packets'),
    'dropped/s': per('rateLimited'),
    'kicked/s': per('kicked'),
    'opened/s': per('opened'),
    MB: round(after.memory.rss / 1e6),
  }
}

type Row = Awaited<ReturnType<typeof measure>>

/** Of each column its median. */
const medianOf = (rows: readonly Row[]): Row => {
  const columns = Object.keys(rows[0]!) as (keyof Row)[]
  const middle = (name: keyof Row) =>
    rows.map(row => row[name]).sort((a, b) => Number(a) - Number(b))[rows.length >> 1]!
  return Object.fromEntries(columns.map(name => [name, middle(name)])) as Row
}

const contest = async (): Promise<void> => {
  const server = await startGame({
    transport: { maxPerAddress: 256, packetRate: number('rate') },
    server: { maxClients: 250 },
    rocks: 200,
  })
  const honest = start('honest', server.port)
  await once(honest, 'message')
  await wait(3)
  const quiet: Row[] = []
  for (let round = 0; round < 3; round++) quiet.push(await measure('players alone', server, honest))
  const attackers = start('attacker', server.port)
  await once(attackers, 'message')
  const crowd: Row[] = []
  const flood: Row[] = []
  let offered = 0
  for (let round = 0; round < 3; round++) {
    if (attack === 'datagrams') {
      attackers.send(0.5)
      await wait(5)
      crowd.push(await measure('attackers behave', server, honest))
      attackers.send(number('times'))
    }
    await wait(3)
    const { sent, sessions } = await ask<typeof counts>(attackers)
    flood.push(await measure(attack, server, honest))
    const last = await ask<typeof counts>(attackers)
    offered += (attack === 'datagrams' ? last.sent - sent : last.sessions - sessions) / number('seconds') / 3
  }
  const rows = [quiet, crowd, flood].filter(each => each.length > 0).map(medianOf)
  console.table(rows)
  const p99 = rows.map(row => row['CPU p99, ms'])
  console.table({
    attackers: number('attackers'),
    [attack === 'datagrams' ? 'datagrams/s' : 'sessions/s']: Math.round(offered),
    'p99 of CPU over that of the players alone': round(p99.at(-1)! / p99[0]!),
    'over that of attackers who behave': round(p99.at(-1)! / p99.at(-2)!),
  })
  attackers.kill('SIGKILL')
  honest.kill('SIGKILL')
  server.dispose()
}

/** Asks for so many connections, some at a time, and answers for none. Returns how many it got. */
const abandon = async (port: number, count: number): Promise<number> => {
  let asked = 0
  let given = 0
  const ask = async () => {
    while (asked++ < count) {
      const response = await fetch(`http://127.0.0.1:${port}/.wrtc/v2/connections`, { method: 'POST' }).catch(() => {})
      await response?.arrayBuffer()
      if (response?.status === 200) given++
    }
  }
  await Promise.all(Array.from({ length: 200 }, ask))
  return given
}

const leaveHalfOpen = async (): Promise<void> => {
  const limits: Record<string, GameOptions['transport']> = {
    default: {},
    none: { maxPending: 100_000, maxConnections: 100_000, maxPerAddress: 100_000, handshakeRate: 1e6 },
  }
  for (const name of values.limits.split(',')) {
    const transport = limits[name]
    const server = await startGame({ transport: transport! })
    const rss = async () => Math.round((await server.status()).memory.rss / 1e6)
    // A first wave is left out: what it makes the process load, compile and allocate for itself stays.
    const rows = [{ when: 'idle', MB: await rss(), given: 0, seconds: 0 }]
    await abandon(server.port, number('half'))
    await wait(15)
    rows.push({ when: 'after a first wave', MB: await rss(), given: 0, seconds: 15 })
    for (const wave of [1, 2, 3]) {
      const begin = performance.now()
      let most = 0
      const timer = setInterval(() => void rss().then(each => (most = Math.max(most, each))), 500)
      const given = await abandon(server.port, number('half'))
      clearInterval(timer)
      const seconds = round((performance.now() - begin) / 1000)
      rows.push({ when: `wave ${wave}, most`, MB: Math.max(most, await rss()), given, seconds })
      await wait(15)
      rows.push({ when: `wave ${wave}, 15 s later`, MB: await rss(), given: 0, seconds: 15 })
    }
    console.log(`${number('half')} half-open, limits: ${name}`)
    console.table(rows)
    server.dispose()
  }
}

if (values.role === 'honest') await playHonestly()
else if (values.role === 'attacker') await attackForever()
else {
  if (attack === 'half-open') await leaveHalfOpen()
  else await contest()
  process.exit(0)
}
