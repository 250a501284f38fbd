import fc from 'fast-check'
import { expect, test } from 'vitest'
import { floatBits, floatValue, halfBits, halfValue, MAX_HALF } from '../../src/dc/half.ts'

const isNaNBits = (bits: number) => (bits & 0x7fff) > 0x7c00

test('each of the 65,536 half floats comes back', () => {
  const lost = []
  for (let bits = 0; bits < 0x10000; bits++) if (!isNaNBits(bits) && halfBits(halfValue(bits)) !== bits) lost.push(bits)
  expect(lost).toEqual([])
  expect([halfBits(NaN), halfValue(0x7e00), halfValue(0xffff)]).toEqual([0x7e00, NaN, NaN])
})

test('they have the values that the standard names', () => {
  for (const [bits, value] of [
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, MAX_HALF],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x3555, 0.333251953125],
    [0x7c00, Infinity],
    [0x8000, -0],
  ] as const)
    expect([halfValue(bits), halfBits(value)]).toEqual([value, bits])
  expect([halfBits(65519.9), halfBits(65520), halfBits(2 ** -25), halfBits(2 ** -25 * 1.01)]).toEqual([
    0x7bff, 0x7c00, 0, 1,
  ])
})

test('a number becomes the nearest one, ties the even one', () => {
  fc.assert(
    fc.property(fc.double({ min: -MAX_HALF, max: MAX_HALF, noNaN: true }), value => {
      const bits = halfBits(value)
      const error = Math.abs(halfValue(bits) - value)
      const neighbours = [bits - 1, bits + 1].filter(
        each => each >= 0 && !isNaNBits(each) && (each & 0x7fff) !== 0x7c00,
      )
      for (const each of neighbours) {
        if (Math.sign(halfValue(each)) === -Math.sign(value)) continue
        const other = Math.abs(halfValue(each) - value)
        expect(other >= error && (other > error || bits % 2 === 0)).toBe(true)
      }
      expect(halfBits(-value)).toBe(bits ^ 0x8000)
    }),
    { numRuns: 2000 },
  )
})

test('a float32 is its 32 bits', () => {
  fc.assert(
    fc.property(fc.float(), value => {
      expect(floatValue(floatBits(value))).toBe(value)
      expect(floatBits(value)).toBe(new Uint32Array(Float32Array.of(value).buffer)[0])
    }),
  )
})
