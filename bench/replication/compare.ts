import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { report } from '../report.mjs'
import { bundle } from './bundle.ts'
import type { Turn } from './worker.ts'

// Bytes and server CPU of this library beside others, on the same scenes, every value that clients decode verified. Each peer
// runs in a process of its own; they take turns, so that a busy machine hits all alike: trust the ratios.
//   npm run bench:replication -- --scenes cubes,arena200,arena2000 --clients 64 --peers bitecs-pipes,colyseus --ticks 300
// With `--cold 40`, so many MB are read between two ticks, and nothing of them is in the caches.

/** Ticks of a turn. */
const TURN = 20
/** Ticks before which nothing counts: clients join. */
const START = 40

const at = (numbers: readonly number[], share: number): number => {
  const sorted = Float64Array.from(numbers).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)
const costs = ({ update, encode }: Turn): number[] => update.map((each, index) => each + encode[index]!)

/** Starts a worker. Returns what asks it for something and waits for the answer; rejects when it ends instead. */
const start = (worker: string, args: readonly string[]) => {
  const child = fork(worker, args)
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${args.join(' ')} ended`)))
  // Its end is no error once nobody asks any more.
  ended.catch(() => {})
  const ask = async (question?: number): Promise<unknown> => {
    if (question !== undefined) child.send(question)
    return (await Promise.race([once(child, 'message'), ended]))[0]
  }
  return { ask, stop: () => child.disconnect() }
}

const compareIn = async (
  worker: string,
  scene: string,
  clients: string,
  names: readonly string[],
  ticks: string,
  cold: string,
): Promise<object[]> => {
  const runs: (ReturnType<typeof start> & { name: string; turns: Turn[] })[] = []
  for (const name of names) {
    const run = { ...start(worker, [name, scene, clients, ticks, cold]), name, turns: [] }
    await run.ask()
    runs.push(run)
  }
  for (let round = 0; !runs.every(({ turns }) => turns.at(-1)?.isOver); round++)
    for (let index = 0; index < runs.length; index++) {
      const { ask, turns } = runs[(index + round) % runs.length]!
      turns.push((await ask(TURN)) as Turn)
    }
  for (const { stop } of runs) stop()
  const hz = scene === 'cubes' ? 60 : 20
  const skipped = START / TURN
  const own = runs[0]!.turns.slice(skipped)
  return runs.map(({ name, turns }) => {
    const counted = turns.slice(skipped)
    const all = counted.flatMap(costs)
    const ratios = counted.map((turn, index) => at(costs(turn), 0.25) / at(costs(own[index]!), 0.25))
    const perTick = (pick: (turn: Turn) => readonly number[]) => sum(counted.flatMap(pick)) / all.length
    const bytes = (perTick(turn => turn.bytes) * hz) / Number(clients)
    return {
      scene,
      clients: Number(clients),
      peer: name,
      'kB/s per client': Number((bytes / 1000).toFixed(2)),
      'us/tick p10': Math.round(at(all, 0.1)),
      'us/tick p50': Math.round(at(all, 0.5)),
      [`CPU / ${names[0]}'s, in turns`]: Number(at(ratios, 0.5).toFixed(2)),
      'values verified': sum(turns.map(({ verified }) => verified)),
    }
  })
}

export const compare = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({
    args,
    options: {
      scenes: { type: 'string', default: 'cubes,arena200,arena2000' },
      clients: { type: 'string', default: '64' },
      peers: { type: 'string', default: 'bitecs-pipes,colyseus,bitecs,geckos-si' },
      ticks: { type: 'string', default: '300' },
      cold: { type: 'string', default: '0' },
    },
  })
  const { file, remove } = await bundle('worker')
  try {
    for (const scene of values.scenes.split(','))
      for (const clients of values.clients.split(','))
        report(
          `${scene}, ${clients} clients`,
          await compareIn(file, scene, clients, values.peers.split(','), values.ticks, values.cold),
        )
  } finally {
    remove()
  }
}
