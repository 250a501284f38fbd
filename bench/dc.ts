// What DC costs: `npm run build && node scripts/run.mjs bench/dc.ts [seconds per figure = 1]`. It measures the built `dist/dc.js`.
// Times are those of the fastest of many rounds: whatever else the machine does only lengthens the others. Heap is what it grew
// by per call, in the quietest round.
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { largeText } from '../test/dc/large.ts'
import { report } from './report.mjs'
import type * as DC from '../src/dc/index.ts'

const built = resolve('dist/dc.js')
if (!existsSync(built)) {
  console.error('There is no dist/dc.js: npm run build')
  process.exit(1)
}
// As a program would load it: through the runner's module system each call would cost more than what is measured.
const load = new Function('path', 'return import(path)') as (path: string) => Promise<typeof DC>
const dc = await load(pathToFileURL(built).href)

const seconds = Number(process.argv[2] ?? 1)

/** Per call: milliseconds, those of all threads together, and bytes of heap. */
function measure(calls: number, run: () => void): { milliseconds: number; cpu: number; bytes: number } {
  let milliseconds = Infinity,
    cpu = Infinity,
    bytes = Infinity
  const end = performance.now() + seconds * 1000
  for (let round = 0; round < 20 || performance.now() < end; round++) {
    const heap = process.memoryUsage().heapUsed,
      used = process.cpuUsage(),
      start = performance.now()
    for (let i = 0; i < calls; i++) run()
    milliseconds = Math.min(milliseconds, (performance.now() - start) / calls)
    const { user, system } = process.cpuUsage(used)
    cpu = Math.min(cpu, (user + system) / 1000 / calls)
    const grown = process.memoryUsage().heapUsed - heap
    // A collection in between makes it shrink: that round says nothing.
    if (grown >= 0) bytes = Math.min(bytes, grown / calls)
  }
  return { milliseconds, cpu, bytes }
}

const rows: Record<string, Record<string, string>> = {}

// --- a whole file
const text = largeText(3800)
const { file, errors } = dc.parseDC(text)
if (errors.length) throw new Error(dc.formatErrors(errors))
const lines = text.split('\n').length - 1
const whole = (name: string, run: () => void) => {
  const { milliseconds, cpu } = measure(1, run)
  rows[name] = { time: `${milliseconds.toFixed(1)} ms`, cpu: `${cpu.toFixed(1)} ms` }
}
whole(`parse and hash ${lines} lines (${file.classes.length} classes, ${file.fields.length} fields)`, () =>
  dc.parseDC(text),
)
whole('its Panda3D hash alone', () => dc.hashFile(file))
const compiled = dc.compileDC(file)
whole('load it compiled', () => dc.loadDC(compiled))

// --- typical messages
const messages = dc.parseDC(`
  dclass Avatar {
    setSmPosHpr(int16/10 x, int16/10 y, int16/10 z, int16%360/10 h, int16%360/10 p, int16%360/10 r, int16 t) broadcast;
    say(string(1-200) text, uint8 volume) clsend;
    hit(uint32 target, uint8(0-100) damage, int32/1000 x, int32/1000 y) broadcast;
  };`).file
const values: Record<string, object> = {
  setSmPosHpr: { x: 12.3, y: -45.6, z: 7.8, h: 90, p: -10.5, r: 0, t: 1234 },
  say: { text: 'hello there', volume: 3 },
  hit: { target: 4_000_000_000, damage: 55, x: 1.5, y: -2.25 },
}
// Short rounds: one of them is not interrupted.
const CALLS = 2000
const perCall = (name: string, run: () => void) => {
  const { milliseconds, bytes } = measure(CALLS, run)
  rows[name] = { time: `${(milliseconds * 1e6).toFixed(0)} ns`, heap: `${bytes.toFixed(1)} bytes` }
}
const capacity = 1024
const column = { uint8: Uint8Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array }
for (const field of messages.fields) {
  const value = values[field.name],
    writer = dc.createWriter(),
    bytes = dc.packField(field, value)
  perCall(`pack ${field.name} (${bytes.length} bytes) into a writer`, () => {
    writer.length = 0
    dc.packField(field, value, writer)
  })
  perCall(`unpack ${field.name} into an object`, () => dc.unpackField(field, bytes))
}
const columnsOf: Record<string, DC.ReadColumns> = {
  setSmPosHpr: Object.fromEntries([...'xyzhprt'].map(key => [key, new column.float32(capacity)])),
  hit: {
    target: new column.uint32(capacity),
    damage: new column.uint8(capacity),
    x: new column.float64(capacity),
    y: new column.float64(capacity),
  },
}
for (const [name, columns] of Object.entries(columnsOf)) {
  const field = messages.fields.find(each => each.name === name)!,
    bytes = dc.packField(field, values[name]),
    read = dc.columnReader(field, columns)
  let row = 0
  perCall(`unpack ${name} into columns`, () => {
    row = (row + 1) % capacity
    if (read(bytes, 0, bytes.length, row) !== bytes.length) throw new Error('refused')
  })
}
report(
  'DC, the fastest of many rounds',
  Object.entries(rows).map(([what, { time, cpu, heap }]) => ({ what, time, cpu, heap })),
)
