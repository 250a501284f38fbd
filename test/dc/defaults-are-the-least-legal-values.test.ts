import { describe, expect, it, test } from 'vitest'
import { defaultValue, packDefault } from '../../src/dc/index.ts'
import { hex, typeOf } from './plain.ts'

describe('without a declared default', () => {
  it.each<[string, string, unknown]>([
    ['uint8 v', '00', 0],
    ['int8(3-5) v', '03', 3],
    ['int16/10(1-5) v', '0a00', 1],
    ['int64 v', '0000000000000000', 0n],
    ['string v', '0000', ''],
    ['blob(2-6) v', '02000000', new Uint8Array(2)],
    ['string(3) v', '000000', '\0\0\0'],
    ['uint8(4-5) v[2-3]', '02000404', [4, 4]],
    ['struct { uint8 a = 7; string b; } v', '070000', { a: 7, b: '' }],
    ['switch (uint8 k) { case 3: uint8 a; break; default: uint16 b; } v', '0300', { k: 3, a: 0 }],
    ['v(uint8 a, uint8 b = 4)', '0004', { a: 0, b: 4 }],
  ])('%s', (declaration, bytes, value) => {
    const field = typeOf(declaration)
    expect(hex(packDefault(field))).toBe(bytes)
    expect(defaultValue(field)).toEqual(value)
  })
})

test('a declared default is packed once, when the text is read', () => {
  expect(typeOf('int16/100 v = 1.5')).toMatchObject({ hasDefault: true, default: Uint8Array.of(150, 0) })
  expect(typeOf('float64 v = 0.3'), 'as Panda3D reads decimals').toMatchObject({
    default: Uint8Array.of(0x34, 0x33, 0x33, 0x33, 0x33, 0x33, 0xd3, 0x3f),
  })
  expect(typeOf('uint8 v')).toMatchObject({ hasDefault: false })
  expect(hex(packDefault(typeOf('L v[2]', 'typedef uint8 L = 9;'))), 'of a typedef, in each element').toBe('0909')
})

test('a default too large to be meant is refused', () => {
  expect(() => packDefault(typeOf('uint8 v[4000000000]'))).toThrow(RangeError)
  expect(() => packDefault(typeOf('struct { } v[65535][65535]'))).toThrow(RangeError)
  expect(() => packDefault(typeOf('blob32(4000000000) v'))).toThrow(RangeError)
})
