import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeSegment } from '../../src/net/codec/decode.ts'
import type { GroupState } from '../../src/net/codec/model.ts'
import { planOf } from '../../src/net/codec/plan.ts'
import { builtInTables, codecOf, parseTables } from '../../src/net/codec/tables.ts'
import { makeVectors, type Slots, type Vector } from './vectors/cases.ts'

const file = join(import.meta.dirname, 'vectors/segments.json')
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[]

const stateOf = (slots: Slots | undefined, width: number): GroupState | undefined =>
  slots && {
    ids: Uint32Array.from(slots, slot => slot?.[0] ?? 0),
    rows: Uint32Array.from(slots.flatMap(slot => slot?.[1] ?? Array.from({ length: width }, () => 0))),
  }

for (const vector of vectors)
  test(`golden segment: ${vector.name}`, () => {
    const { words, slots, defaults, tables, ticksBase, ticksBefore, left, segment } = vector
    const plan = planOf({ words, slots, defaults: Uint32Array.from(defaults) })
    const parsed = tables ? parseTables(Uint8Array.from(Buffer.from(tables, 'hex')), [plan]) : builtInTables([plan])
    const next = { ids: new Uint32Array(slots), rows: new Uint32Array(slots * words.length) }
    const bytes = Uint8Array.from(Buffer.from(segment, 'hex'))
    const seen: [number, number][] = []
    const isValid = decodeSegment(
      codecOf(plan, parsed!, 0),
      bytes,
      0,
      bytes.length,
      stateOf(vector.base, words.length),
      stateOf(vector.before, words.length),
      ticksBase,
      ticksBefore,
      next,
      (doId, zone) => seen.push([doId, zone ?? -1]),
    )
    expect(isValid).toBe(true)
    expect(next).toEqual(stateOf(vector.next, words.length))
    expect(seen).toEqual(left)
  })

// When the format is meant to change, write them anew: `node scripts/run.mjs test/codec/vectors/make.ts`.
test('the encoder still makes the golden segments', () => {
  expect(makeVectors()).toEqual(vectors)
})
