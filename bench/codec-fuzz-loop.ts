import { fuzzCase } from '../test/codec/support.ts'

/** Mutations of one segment. */
const ROUND = 500

const count = Number(process.argv[2] ?? 1_000_000)
const first = Number(process.argv[3] ?? 1)
const start = performance.now()
let done = 0
let accepted = 0
let slowest = 0
for (let seed = first; done < count; seed++) {
  const round = Math.min(ROUND, count - done)
  const began = performance.now()
  const result = fuzzCase(seed, round)
  slowest = Math.max(slowest, (performance.now() - began) / round)
  done += round
  accepted += result.accepted
  if (result.wrong) {
    console.error(`seed ${seed}: ${result.wrong}`)
    process.exitCode = 1
    break
  }
}
const seconds = (performance.now() - start) / 1000
console.table({
  mutated: done,
  accepted,
  'slowest round, ms each': +slowest.toFixed(3),
  seconds: Math.round(seconds),
  'per second': Math.round(done / seconds),
})
