import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createReader, unpackField, unpackType } from '../../src/dc/index.ts'
import { typeOf, unhex } from './plain.ts'

const declarations = [
  'uint8(0-5) v',
  'int64 v',
  'float64(0-1) v',
  'string v',
  'string(2-3) v',
  'blob32 v',
  'blob(0-2) v',
  'uint16 v[]',
  'string v[2]',
  'uint8 v[][]',
  'uint8 v[2][]',
  'uint32uint8array v',
  'struct { uint8 a; string b; uint16 c[]; } v[]',
  'v(uint8 a, string b, blob c[2])',
  'struct { } v[]',
  'struct { } v[4000000000]',
  'string(0) v[65535][65535]',
  'uint8 v[4000000000]',
  'blob(4000) v[]',
  'struct { } v[]',
  'switch (uint8 k) { case 1: uint8 a; break; case 2: string s; uint8 t[]; break; } v',
  'switch (string k) { case "a": uint8 a; default: uint64 d; } v[]',
  `uint8 v${'[]'.repeat(32)}`,
].map(declaration => typeOf(declaration))

test('no bytes make the unpacker throw, loop or allocate without bound', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...declarations),
      fc.uint8Array({ maxLength: 64 }),
      fc.boolean(),
      (field, bytes, leftOver) => {
        const { ok, value, reason, end } = unpackField(field, bytes, { leftOver })
        expect(ok).toBe(reason === '')
        expect(end).toBeLessThanOrEqual(bytes.length)
        if (!ok) expect(value).toBeUndefined()
      },
    ),
    { numRuns: 2000 },
  )
})

test('long hostile bytes are answered at once', () => {
  for (const field of declarations)
    for (const fill of [0, 1, 255])
      expect(typeof unpackField(field, new Uint8Array(20000).fill(fill)).ok).toBe('boolean')
})

test('no more elements are made than a list may have', () => {
  const list = typeOf('Item v[0-2]', 'struct Item { uint8 a; };')
  const bytes = Uint8Array.of(0xf0, 0xff, ...new Uint8Array(0xfff0))
  expect(unpackField(list, bytes)).toMatchObject({ ok: false, reason: 'count', end: 4 })
})

describe('the reason of a refusal', () => {
  it.each([
    ['int32 v', '010203', 'short'],
    ['string v', '0300aabb', 'short'],
    ['blob32 v', 'ffffffff00', 'short'],
    ['uint8 v[]', '0300aabb', 'short'],
    ['uint8(0-5) v', '06', 'range'],
    ['blob(0-2) v', '0300010203', 'range'],
    ['switch (uint8 k) { case 1: uint8 a; } v', '02', 'range'],
    ['uint8 v[0-2]', '0300010203', 'count'],
    ['struct { } v[]', '0300010203', 'count'],
    ['struct { } v[4000000000]', '', 'count'],
    ['uint8 v', '0102', 'left over'],
  ])('%s <- %s: %s', (declaration, bytes, reason) => {
    expect(unpackField(typeOf(declaration), unhex(bytes))).toMatchObject({ ok: false, value: undefined, reason })
  })
})

test('a part of a larger packet is read in place, and may be followed by more when asked', () => {
  const field = typeOf('uint16 v'),
    packet = unhex('ff0102030405')
  expect(unpackField(field, packet, { start: 1, end: 3 })).toEqual({ ok: true, value: 0x0201, end: 3, reason: '' })
  expect(unpackField(field, packet, { start: 1, leftOver: true })).toEqual({
    ok: true,
    value: 0x0201,
    end: 3,
    reason: '',
  })
  expect(unpackField(field, packet, { start: 5 }).reason).toBe('short')
  expect(unpackField(field, packet, { start: 1, end: 99, leftOver: true }).ok, 'an end beyond the bytes is cut').toBe(
    true,
  )
})

test('a blob does not keep the packet alive, nor change with it', () => {
  const packet = unhex('0200aabb'),
    { value } = unpackField(typeOf('blob v'), packet)
  packet.fill(0)
  expect(value).toEqual(unhex('aabb'))
})

test('after a failure a reader reads nothing more', () => {
  const reader = createReader(unhex('01'))
  expect(unpackType(typeOf('uint16 v'), reader)).toBeUndefined()
  expect(unpackType(typeOf('uint8 v'), reader)).toBeUndefined()
  expect(reader.failed).toBe('short')
})
