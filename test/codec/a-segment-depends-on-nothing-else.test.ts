import { expect, test } from 'vitest'
import { encodeSegment } from '../../src/net/codec/encode.ts'
import type { GroupState } from '../../src/net/codec/model.ts'
import { encodeCase, randomCase } from './support.ts'

/** Slots that differ between two states, as two words of bits. */
const differing = (a: GroupState, b: GroupState): [number, number] => {
  const width = a.rows.length / a.ids.length
  const words: [number, number] = [0, 0]
  a.ids.forEach((id, slot) => {
    const isSame = (_: number, at: number) => a.rows[slot * width + at] === b.rows[slot * width + at]
    if (id !== b.ids[slot] || !Array.from({ length: width }, (_, at) => at).every(at => isSame(0, at)))
      words[slot < 32 ? 0 : 1]! |= 1 << (slot & 31)
  })
  return words
}

const cases = Array.from({ length: 60 }, (_, seed) => randomCase(seed + 1))

test('which slots are said to differ beside those that do, and what was encoded before, change no byte', () => {
  const expected = cases.map(encodeCase)
  for (let index = cases.length - 1; index >= 0; index--) {
    const { codec, next, base, before, ticksBase, ticksBefore, zones } = cases[index]!
    if (!base) continue
    const bytes = new Uint8Array(1200)
    const changed = differing(next, base)
    const active = before ? differing(base, before) : [0, 0]
    const size = encodeSegment(
      codec,
      bytes,
      50,
      next,
      base,
      before,
      ticksBase,
      ticksBefore,
      changed[0],
      changed[1],
      active[0]!,
      active[1]!,
      slot => zones[slot],
    )
    expect(bytes.slice(50, 50 + size), `case ${index}`).toEqual(expected[index])
  }
})

test('a segment that does not fit is not written', () => {
  for (const { codec, next, base, before, ticksBase, ticksBefore, zones } of cases.slice(0, 20)) {
    const encode = (bytes: Uint8Array) =>
      encodeSegment(codec, bytes, 4, next, base, before, ticksBase, ticksBefore, -1, -1, -1, -1, slot => zones[slot])
    const size = encode(new Uint8Array(2000))
    expect(encode(new Uint8Array(4 + size))).toBe(size)
    const short = new Uint8Array(4 + size - 1)
    expect(encode(short)).toBe(-1)
    expect(short).toEqual(new Uint8Array(4 + size - 1))
  }
})
