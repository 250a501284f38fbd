import { expect, test } from 'vitest'
import { planOf } from '../../src/net/codec/plan.ts'
import { MOST_BYTES, mostSlots } from '../../src/net/segment-size.ts'
import type { CodecShape } from '../../src/net/codec/shape.ts'
import { builtInTables, codecOf } from '../../src/net/codec/tables.ts'
import { random } from '../../src/net/random.ts'
import { decodeCase, emptyState, encodeCase, leftOf, type Case } from './support.ts'

const shapes = ([1, 7, 96, 130, 1000, 8000] as const).map((rowBits): CodecShape => {
  const words = Array.from({ length: Math.ceil(rowBits / 32) }, (_, word) => {
    const bits = Math.min(32, rowBits - word * 32)
    return { kind: 'linear' as const, bits, span: 2 ** bits - 1 }
  })
  return { slots: mostSlots(rowBits), words, defaults: new Uint32Array(words.length) }
})

const noise = (shape: CodecShape, seed: number) => {
  const chance = random(seed)
  const state = emptyState(shape)
  state.ids.forEach((_, slot) => (state.ids[slot] = 1 + chance() * 0xfffffffe))
  state.rows.forEach((_, at) => (state.rows[at] = chance() * (shape.words[at % shape.words.length]!.span + 1)))
  return state
}

test('a full group of noise takes one segment, as a keyframe and when every object was replaced', () => {
  for (const shape of shapes) {
    expect(shape.slots).toBeGreaterThan(0)
    const plan = planOf(shape)
    for (const hasBase of [false, true]) {
      const given: Case = {
        codec: codecOf(plan, builtInTables([plan]), 0),
        next: noise(shape, 1),
        base: hasBase ? noise(shape, 2) : undefined,
        before: hasBase ? noise(shape, 3) : undefined,
        ticksBase: 6,
        ticksBefore: 1,
        zones: Array.from({ length: shape.slots }, (_, slot) => 0xffffffff - slot),
      }
      const bytes = encodeCase(given)
      expect(bytes.length).toBeLessThanOrEqual(MOST_BYTES)
      const next = emptyState(shape)
      const left: [number, number | undefined][] = []
      expect(decodeCase(given, bytes, next, (doId, zone) => left.push([doId, zone]))).toBe(true)
      expect(next).toEqual(given.next)
      // Where objects went is left out when there is no room for it.
      expect(left.map(([doId]) => doId)).toEqual(leftOf(given).map(([doId]) => doId))
    }
  }
})

test('groups that could not fit are refused when they are planned', () => {
  const word = { kind: 'still' as const, bits: 32, span: 0xffffffff }
  const words = Array.from({ length: 40 }, () => word)
  expect(() => planOf({ slots: 64, words, defaults: new Uint32Array(40) })).toThrow(/64 rows of 1280 bits/)
  expect(mostSlots(9000)).toBe(0)
})
