import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { report } from '../report.mjs'
import { bundle } from './bundle.ts'
import type { Growth } from './growth-worker.ts'

// How a tick of the server grows with clients and objects, what memory they take, and what a tick of a world allocates that is
// under way. A zone has about 25 objects, a client sees 3 x 3 zones.
//   npm run bench:replication -- growth [--clients 1,16,64] [--objects 100,1000] [--moving 1,0.1,0] [--ticks 100]

/** Has the time that the codec takes measured by itself. */
const TIMED = {
  file: 'src/net/store.ts',
  from: 'store.codec.encode(',
  to: '(globalThis as any).encodeTimed(store.codec, ',
}

const run = async (
  file: string,
  objects: number,
  clients: number,
  share: number,
  ticks: number,
  capacity = objects,
): Promise<Growth> => {
  // A young generation that no tick fills: what is allocated shows as growth of the heap.
  const child = fork(file, [objects, clients, share, ticks, capacity].map(String), {
    execArgv: ['--expose-gc', '--max-semi-space-size=512', '--min-semi-space-size=512'],
  })
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the worker ended: ${code}`))),
  ])
  return message as Growth
}

export const growth = async (args: string[]): Promise<void> => {
  const { values } = parseArgs({
    args,
    options: {
      clients: { type: 'string', default: '1,16,64,256,1024' },
      objects: { type: 'string', default: '100,1000,10000' },
      moving: { type: 'string', default: '1,0.1,0' },
      ticks: { type: 'string', default: '100' },
    },
  })
  // Few clients take more ticks until the compiler has done its work.
  const ticksFor = (clients: number) => Math.max(Number(values.ticks), Math.min(2000, Math.ceil(20_000 / clients)))
  const list = (text: string) => text.split(',').map(Number)
  const { file, remove } = await bundle('growth-worker', TIMED)
  try {
    // Another process with as many columns, and no objects in them.
    const nothing = (objects: number) => run(file, 0, 0, 0, ticksFor(1), objects)
    for (const share of list(values.moving)) {
      const rows: object[] = []
      for (const objects of list(values.objects)) {
        const base = (await nothing(objects)).memory
        const none = (await run(file, objects, 0, share, ticksFor(1))).memory
        const one = (await run(file, objects, 1, share, ticksFor(1))).memory
        for (const clients of list(values.clients)) {
          const ticks = ticksFor(clients)
          const { receive, capture, encode, pack, sent, memory, allocated } = await run(
            file,
            objects,
            clients,
            share,
            ticks,
          )
          rows.push({
            objects,
            clients,
            'moving, %': share * 100,
            'receive, us': Math.round(receive),
            'capture, us': Math.round(capture),
            'encode, us': Math.round(encode),
            'pack, us': Math.round(pack),
            'us in all': Math.round(receive + capture + encode + pack),
            'bytes a client and tick': Math.round(sent / clients),
            'kB a client': clients > 1 ? Number(((memory - one) / (clients - 1) / 1000).toFixed(1)) : undefined,
            'kB an object': Number(((none - base) / objects / 1000).toFixed(2)),
            'bytes allocated by replicate, a tick': Math.round(allocated),
          })
        }
      }
      report(`A tick of the server, ${share * 100} % of the objects moving`, rows)
    }
  } finally {
    remove()
  }
}
