// What a frame costs: entities with a position (vec3) and a quaternion, all of them moving, sampled from their histories
// and written into columns as `client.interpolate` does; and what is left on the heap.
//   npm run build && node bench/interp-cpu.mjs [entities ...]
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { report } from './report.mjs'
import {
  advanceHistory,
  commitRow,
  createHistory,
  insertRow,
  mixField,
  sealSlot,
  smoothOptions,
  writeValue,
} from '../dist/time.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')

// A group of the replica holds up to 64 objects.
const SLOTS = 64
const INTERVAL = 1 / 20
const FRAME = 1 / 60
const WORDS = 7
const FRAMES = 2000

const createStage = entities => {
  const options = smoothOptions()
  const fields = [
    { at: 0, size: 3, kind: 'number', period: 0, velocity: -1, options },
    { at: 3, size: 4, kind: 'quaternion', period: 0, velocity: -1, options },
  ]
  const groups = Array.from({ length: Math.ceil(entities / SLOTS) }, (_, group) => ({
    history: createHistory(fields, SLOTS, true),
    eids: Int32Array.from({ length: SLOTS }, (__, slot) =>
      group * SLOTS + slot < entities ? group * SLOTS + slot : -1,
    ),
  }))
  const columns = Array.from({ length: WORDS }, () => new Float32Array(entities))
  // Not in variables: each change of one that a closure holds would be a number on the heap.
  const clock = new Float64Array(2)
  const receive = () => {
    const newest = (clock[0] += INTERVAL)
    for (const { history } of groups) {
      const at = insertRow(history, newest, newest)
      for (let slot = 0; slot < SLOTS; slot++) {
        for (let word = 0; word < 3; word++)
          writeValue(history, at, slot, word, Math.sin(newest * 2 + slot + word) * 50)
        const half = (newest * 3 + slot) / 2
        writeValue(history, at, slot, 3, Math.sin(half))
        writeValue(history, at, slot, 6, Math.cos(half))
        sealSlot(history, at, slot)
      }
      commitRow(history, at)
    }
  }
  const show = () => {
    const time = clock[1]
    for (const { history, eids } of groups) {
      advanceHistory(history, time, FRAME)
      for (const field of fields) {
        const values = mixField(history, field)
        let part = 0
        for (; part + 3 <= field.size; part += 3) writeThree(columns, field.at + part, eids, values, part * SLOTS)
        for (; part < field.size; part++) write(columns[field.at + part], eids, values, part * SLOTS)
      }
    }
  }
  for (let count = 0; count < 32; count++) receive()
  clock[1] = clock[0] - 0.09
  const pass = () => {
    clock[1] += FRAME
    while (clock[0] < clock[1] + 0.06) receive()
  }
  return {
    frame() {
      pass()
      const start = process.hrtime.bigint()
      show()
      return Number(process.hrtime.bigint() - start)
    },
    /** A frame in which nothing was received. */
    step() {
      clock[1] += FRAME / 1000
      show()
    },
  }
}

const writeThree = (columns, at, eids, values, from) => {
  const a = columns[at]
  const b = columns[at + 1]
  const c = columns[at + 2]
  for (let slot = 0; slot < eids.length; slot++) {
    const eid = eids[slot]
    if (eid < 0) continue
    a[eid] = values[from + slot]
    b[eid] = values[from + SLOTS + slot]
    c[eid] = values[from + 2 * SLOTS + slot]
  }
}

const write = (column, eids, values, from) => {
  for (let slot = 0; slot < eids.length; slot++) {
    const eid = eids[slot]
    if (eid >= 0) column[eid] = values[from + slot]
  }
}

/** Bytes that a frame leaves on the heap, without those of looking. */
const heapOf = (stage, frames) => {
  for (let frame = 0; frame < frames; frame++) stage.step()
  const look = count => {
    gc()
    const before = process.memoryUsage().heapUsed
    for (let frame = 0; frame < count; frame++) stage.step()
    return process.memoryUsage().heapUsed - before
  }
  for (let warm = 0; warm < 3; warm++) look(0)
  // The least of some: the engine itself allocates when it compiles anew.
  const looks = Array.from({ length: 3 }, () => look(frames))
  return (Math.min(...looks) - look(0)) / frames
}

const counts = process.argv.slice(2).map(Number)
const rows = []
for (const entities of counts.length > 0 ? counts : [1000, 10_000, 100_000]) {
  const stage = createStage(entities)
  const frames = Math.max(60, Math.min(FRAMES, Math.round((FRAMES * 10_000) / entities)))
  for (let warm = 0; warm < 30; warm++) stage.frame()
  const times = Array.from({ length: frames }, () => stage.frame()).sort((a, b) => a - b)
  const median = times[times.length >> 1]
  const perVariable = nanoseconds => Number((nanoseconds / entities / 2).toFixed(1))
  rows.push({
    entities,
    'ms a frame': Number((median / 1e6).toFixed(3)),
    'ns a variable, p50': perVariable(median),
    'ns p10': perVariable(times[Math.floor(times.length / 10)]),
    'ns least': perVariable(times[0]),
    'heap bytes a frame': Math.round(heapOf(stage, frames)),
  })
}
report('Interpolation: a variable is a vec3 or a quaternion of an entity', rows)
