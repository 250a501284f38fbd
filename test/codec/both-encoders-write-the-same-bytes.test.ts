import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { countSymbols, encodeSegment } from '../../src/net/codec/encode.ts'
import { builtInTables, codecOf } from '../../src/net/codec/tables.ts'
import { planOf } from '../../src/net/codec/plan.ts'
import { createCounts } from '../../src/net/codec/train.ts'
import { countFast, encodeFast, forgetMachine, isFast } from '../../src/net/codec/wasm/encoder.ts'
import { compileEncoder, FILE } from '../../scripts/wasm.mjs'
import { randomCase, type Case } from './support.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  forgetMachine()
})

/** What an encoder makes of a case, behind some bytes that are not its own, and which symbols it counts. */
const made = (
  { codec, next, base, before, ticksBase, ticksBefore, zones }: Case,
  encode: typeof encodeSegment,
  count: typeof countSymbols,
  changed = -1,
  active = -1,
) => {
  const bytes = new Uint8Array(2500).fill(9)
  const size = encode(
    codec,
    bytes,
    7,
    next,
    base,
    before,
    ticksBase,
    ticksBefore,
    changed,
    changed,
    active,
    active,
    slot => zones[slot],
  )
  const counts = createCounts(codec.plan)
  count(counts)
  // As text: element by element the counts of a large schema take long to compare.
  const digest = (array: Uint8Array | Uint32Array) =>
    createHash('sha1').update(new Uint8Array(array.buffer)).digest('hex')
  return {
    size,
    bytes: Buffer.from(bytes.subarray(7, 7 + size)).toString('hex'),
    all: digest(bytes),
    counts: digest(counts),
  }
}

test('any segment, whatever its schema, tables and states: the machine writes what JavaScript writes', () => {
  expect(isFast(), 'there is WebAssembly here').toBe(true)
  fc.assert(
    fc.property(fc.nat(), seed => {
      const given = randomCase(seed)
      expect(made(given, encodeFast, countFast)).toEqual(made(given, encodeSegment, countSymbols))
    }),
    { numRuns: 400 },
  )
})

test('a turn of coarse steps that is gone many times again becomes a number beyond all integers: both wrap it alike', () => {
  for (const seed of [1_018_393])
    expect(made(randomCase(seed), encodeFast, countFast)).toEqual(made(randomCase(seed), encodeSegment, countSymbols))
})

test('many schemas in turn, more than it keeps, and back again', () => {
  const cases = Array.from({ length: 300 }, (_, seed) => randomCase(seed))
  const expected = cases.map(given => made(given, encodeSegment, countSymbols))
  for (let round = 0; round < 2; round++)
    cases.forEach((given, index) => {
      expect(made(given, encodeFast, countFast)).toEqual(expected[index])
      if (index % 16 === 0) expect(made(cases[0]!, encodeFast, countFast)).toEqual(expected[0])
    })
})

test('slots that are said to be as they were are not looked at', () => {
  for (let seed = 0; seed < 60; seed++) {
    const given = randomCase(seed)
    if (!given.base) continue
    const still = { ...given, next: given.base, before: given.base }
    const bare = made(still, encodeFast, countFast, 0, 0)
    expect(bare).toEqual(made(still, encodeSegment, countSymbols, 0, 0))
    expect(bare.size).toBeLessThan(4)
  }
})

test('where WebAssembly is forbidden, has no memory, or is not there, JavaScript does it, and nobody is told off', () => {
  const given = Array.from({ length: 20 }, (_, seed) => randomCase(seed))
  const expected = given.map(each => made(each, encodeSegment, countSymbols))
  const forbidden = {
    ...WebAssembly,
    Memory: WebAssembly.Memory,
    Module: () => {
      throw new WebAssembly.CompileError('Refused to compile: the content security policy has no unsafe-eval')
    },
  }
  const exhausted = {
    ...WebAssembly,
    Memory: () => {
      throw new RangeError('Out of memory')
    },
  }
  for (const engine of [forbidden, exhausted, undefined]) {
    vi.stubGlobal('WebAssembly', engine)
    forgetMachine()
    expect(isFast()).toBe(false)
    given.forEach((each, index) => expect(made(each, encodeFast, countFast)).toEqual(expected[index]))
  }
})

test('a schema too wide for its memory is encoded in JavaScript', () => {
  const words = Array.from({ length: 460 }, () => ({ kind: 'linear' as const, bits: 18, span: 262_143 }))
  const plan = planOf({ slots: 1, words, defaults: new Uint32Array(460) })
  const codec = codecOf(plan, builtInTables([plan]), 0)
  const rows = Uint32Array.from(words, (_, index) => index)
  const given: Case = {
    codec,
    next: { ids: Uint32Array.of(3), rows },
    base: undefined,
    before: undefined,
    ticksBase: 1,
    ticksBefore: 1,
    zones: [],
  }
  expect(made(given, encodeFast, countFast)).toEqual(made(given, encodeSegment, countSymbols))
})

test('the compiled bytes are of the source that is there', async () => {
  const made = await compileEncoder()
  expect(made === readFileSync(FILE, 'utf8'), 'run `npm run wasm`').toBe(true)
}, 60_000)
