// Sends hostile datagrams to a server with a game running and to clients, and prints what came of them:
// `node scripts/run.mjs bench/fuzz.ts [count = 1000000] [seed = 1]`. Exits with 1 when an honest client suffered.
import { isDeepStrictEqual } from 'node:util'
import { fuzz } from '../test/net/fuzz.ts'

/** Datagrams to one server, before the next one starts with another seed. */
const ROUND = 50_000

const count = Number(process.argv[2] ?? 1_000_000)
const first = Number(process.argv[3] ?? 1)
const totals: Record<string, number> = {}
const add = (name: string, value: number) => (totals[name] = (totals[name] ?? 0) + value)

const start = performance.now()
let sent = 0
for (let seed = first; sent < count; seed++) {
  const { differences, states, violations, ...numbers } = await fuzz(Math.min(ROUND, count - sent), seed)
  sent += numbers.toServer + numbers.toClients
  for (const [name, value] of Object.entries({ ...numbers, ...violations })) add(name, value)
  const suffered = states.some(state => state !== 'connected') || differences.some(([a, b]) => !isDeepStrictEqual(a, b))
  if (suffered) {
    console.error(`seed ${seed}: an honest client suffered: ${states.join(', ')}`)
    process.exitCode = 1
  }
  if (process.exitCode) break
}
const seconds = (performance.now() - start) / 1000
console.table({ ...totals, seconds: Math.round(seconds), 'per second': Math.round(sent / seconds) })
console.log(`heap in use: ${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MB`)
