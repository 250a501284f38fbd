import { expect, test } from 'vitest'
import { encodeQuaternion } from '../../src/dc/index.ts'
import type { GroupState } from '../../src/net/codec/model.ts'
import { planOf } from '../../src/net/codec/plan.ts'
import type { CodecShape, CodecWord } from '../../src/net/codec/shape.ts'
import { builtInTables, codecOf } from '../../src/net/codec/tables.ts'
import { decodeCase, emptyState, encodeCase } from './support.ts'

const SLOTS = 32

const sizeOf = (
  words: readonly CodecWord[],
  rowAt: (slot: number, tick: number) => readonly number[],
  ticks: number[],
) => {
  const shape: CodecShape = { slots: SLOTS, words, defaults: new Uint32Array(words.length) }
  const plan = planOf(shape)
  const [before, base, next] = ticks.map((tick): GroupState => {
    const state = emptyState(shape)
    for (let slot = 0; slot < SLOTS; slot++) {
      state.ids[slot] = slot + 1
      state.rows.set(rowAt(slot, tick), slot * words.length)
    }
    return state
  })
  const given = {
    codec: codecOf(plan, builtInTables([plan]), 0),
    next: next!,
    base,
    before,
    ticksBase: ticks[2]! - ticks[1]!,
    ticksBefore: ticks[1]! - ticks[0]!,
    zones: [],
  }
  const bytes = encodeCase(given)
  const decoded = emptyState(shape)
  expect(decodeCase(given, bytes, decoded)).toBe(true)
  expect(decoded).toEqual(next)
  return (bytes.length * 8) / SLOTS
}

test('an object that goes on as it did takes some two bits a number', () => {
  const linear: CodecWord = { kind: 'linear', bits: 16, span: 0xffff }
  expect(
    sizeOf([linear, linear], (slot, tick) => [1000 + 9 * tick * slot, 30000 - 5 * tick * slot], [3, 4, 10]),
  ).toBeLessThan(12)
  expect(
    sizeOf([linear, linear], (slot, tick) => [1000 + 9 * tick * slot, 30000 - 5 * tick * slot], [0, 4, 5]),
  ).toBeLessThan(8)
})

test('angles go on round the full turn', () => {
  const angle: CodecWord = { kind: 'angle', bits: 12, span: 3599 }
  const steady = sizeOf([angle], (slot, tick) => [(3590 + slot + 11 * tick) % 3600], [0, 1, 3])
  expect(steady).toBeLessThan(6)
})

test('rotations go on turning, whichever of their components is left out', () => {
  const words: CodecWord[] = [
    { kind: 'quaternion', bits: 2, span: 3 },
    ...Array.from({ length: 3 }, (): CodecWord => ({ kind: 'component', bits: 15, span: 0x7fff })),
  ]
  const rowAt = (slot: number, tick: number): number[] => {
    const half = 0.02 * slot + 0.05 * tick
    const axis = [0.6, 0, 0.8]
    const row = [0, 0, 0, 0]
    const [x, y, z] = axis.map(part => part * Math.sin(half))
    encodeQuaternion(x!, y!, z!, Math.cos(half), 15, row)
    return row
  }
  const bits = [
    [0, 1, 7],
    [0, 4, 10],
    [0, 3, 5],
    [40, 41, 47],
  ].map(ticks => sizeOf(words, rowAt, ticks))
  // Of 47 bits; a step of 15 bits is 0.00004, and six times the error of two of them is a few steps.
  for (const size of bits) expect(size).toBeLessThan(24)
})

test('groups in which nothing moves take bytes only for what changed', () => {
  const word: CodecWord = { kind: 'still', bits: 8, span: 255 }
  expect(
    sizeOf([word, word, word], (slot, tick) => [slot, tick === 2 && slot === 5 ? 9 : 8, 7], [0, 1, 2]),
  ).toBeLessThan(2)
})
