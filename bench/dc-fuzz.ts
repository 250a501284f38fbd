// Feeds hostile texts, bytes and values to the DC parser and packers and prints what came of them:
// `node scripts/run.mjs bench/dc-fuzz.ts [count = 1000000] [seed = 1]`. Exits with 1 when something threw, hung, or was taken
// for what it is not.
import { fuzz } from '../test/dc/fuzz.ts'

/** Cases with one seed. */
const ROUND = 50_000

const count = Number(process.argv[2] ?? 1_000_000)
const first = Number(process.argv[3] ?? 1)
const totals: Record<string, number> = {}
let slowest = 0

const start = performance.now()
for (let done = 0, seed = first; done < count && !process.exitCode; done += ROUND, seed++) {
  const report = fuzz(Math.min(ROUND, count - done), seed)
  for (const [name, value] of Object.entries(report.counts)) totals[name] = (totals[name] ?? 0) + value
  slowest = Math.max(slowest, report.slowest)
  console.error(`${Math.min(done + ROUND, count)} cases, ${Math.round((performance.now() - start) / 1000)} s`)
  if (report.failure) {
    console.error(report.failure)
    process.exitCode = 1
  }
}
const seconds = (performance.now() - start) / 1000
const cases = Object.values(totals).reduce((sum, value) => sum + value, 0)
console.table({ ...totals, cases, seconds: Math.round(seconds), 'slowest case, ms': Math.round(slowest) })
console.log(`heap in use: ${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MB`)
