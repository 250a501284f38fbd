import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dequantise, packField, quantise, type DCNumberType, type DCParameterField } from '../../src/dc/index.ts'
import { typeOf } from './plain.ts'

const number = (type: string): DCNumberType => (typeOf(`${type} v`) as DCParameterField).type as DCNumberType

test('halves round up, after the modulus', () => {
  expect(quantise(number('int8'), 2.5)).toBe(3)
  expect(quantise(number('int8'), -1.5)).toBe(-1)
  expect(quantise(number('int16/10%360'), -0.05)).toBe(3600)
  expect(quantise(number('int16/10%360'), 370.5)).toBe(105)
  expect(quantise(number('int16/100'), -1.234)).toBe(-123)
  expect(Object.is(quantise(number('int8'), -0.2), 0), 'there is no negative zero').toBe(true)
})

test('a modulus keeps the value below it, and an integer takes an integer modulus', () => {
  expect(quantise(number('float64%360'), -1e-20)).toBe(0)
  expect(quantise(number('float64%1.5'), 2)).toBe(0.5)
  expect(quantise(number('float64%1.5'), 2n), 'as Panda3D does').toBe(0)
  expect(quantise(number('uint16%360'), -725)).toBe(355)
})

test('64-bit integers are bigints, exactly', () => {
  expect(quantise(number('int64'), (1n << 63n) - 1n)).toBe((1n << 63n) - 1n)
  expect(quantise(number('uint64'), 7)).toBe(7n)
  expect(quantise(number('int64/1000'), 1.5)).toBe(1500n)
  expect(dequantise(number('int64'), 5n)).toBe(5n)
  expect(dequantise(number('int64/1000'), 1500n)).toBe(1.5)
})

test('limits are those of the base and of the declared ranges, in scaled integers', () => {
  expect(() => quantise(number('int32'), 2 ** 31, ['Avatar', 'x'])).toThrow(/^Avatar\.x: 2147483648 is outside int32/)
  expect(quantise(number('int16/10(-5 - 5)'), 5.04)).toBe(50)
  expect(() => quantise(number('int16/10(-5 - 5)'), 5.05)).toThrow(RangeError)
})

test('a quantised value is reproduced exactly, whatever column held it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('int8/7', 'int16/100', 'int16/10%360', 'uint16/30', 'int32/1000', 'uint32/7'),
      fc.nat(10000),
      (text, seed) => {
        const type = number(text),
          scaled = seed % (text === 'int8/7' ? 128 : text.includes('%') ? 3600 : 10001)
        const value = dequantise(type, scaled) as number
        expect(quantise(type, value)).toBe(scaled)
        if (/8|16/.test(type.base)) expect(quantise(type, Math.fround(value)), 'in a Float32Array').toBe(scaled)
      },
    ),
    { numRuns: 2000 },
  )
})

test('quantising and packing agree', () => {
  const field = typeOf('int16/100 v') as DCParameterField
  fc.assert(
    fc.property(fc.double({ min: -327, max: 327, noNaN: true }), value => {
      const bytes = packField(field, value)
      expect(new DataView(bytes.buffer, bytes.byteOffset).getInt16(0, true)).toBe(
        quantise(field.type as DCNumberType, value),
      )
    }),
  )
})
