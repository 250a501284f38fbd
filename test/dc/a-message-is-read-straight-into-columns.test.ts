import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnReader, packField, unpackField, type ReadColumns } from '../../src/dc/index.ts'
import { fieldOf, typeOf, unhex } from './plain.ts'

test('the arguments of a method go into the row of their columns', () => {
  const field = fieldOf(
    'typedef uint8(0-1) bool; struct Vec { int16/100 x; int16/100 y; }; dclass A { hit(uint32 who, Vec at, bool hard, int64 score) clsend; };',
    'A',
    'hit',
  )
  const columns = {
    who: new Uint32Array(3),
    at: { x: new Float32Array(3), y: new Float64Array(3) },
    hard: new Uint8Array(3),
    score: new BigInt64Array(3),
  }
  const read = columnReader(field, columns)
  const bytes = packField(field, { who: 4_000_000_000, at: { x: 1.5, y: -2.25 }, hard: 1, score: -(1n << 60n) })
  const packet = Uint8Array.of(7, ...bytes, 9)
  expect(read(packet, 1, packet.length, 2), 'the end of the value').toBe(packet.length - 1)
  expect([columns.who[2], columns.at.x[2], columns.at.y[2], columns.hard[2], columns.score[2]]).toEqual([
    4_000_000_000,
    1.5,
    -2.25,
    1,
    -(1n << 60n),
  ])
  expect([columns.who[1], columns.score[1]], 'other rows are as they were').toEqual([0, 0n])
})

test('bytes that are no value change nothing', () => {
  const field = fieldOf('dclass A { hit(uint32 who, uint8(0-100, 200) damage, int64(-5 - 5) score); };', 'A', 'hit')
  const columns = { who: new Uint32Array(1), damage: new Float64Array(1), score: new BigInt64Array(1) }
  const read = columnReader(field, columns)
  const good = packField(field, { who: 1, damage: 200, score: -5n })
  for (const [place, byte] of [
    [4, 101],
    [5, 6],
    [12, 0],
  ] as const) {
    const bytes = good.slice()
    bytes[place] = byte
    expect(read(bytes, 0, bytes.length, 0)).toBe(-1)
  }
  expect(read(good, 0, good.length - 1, 0), 'too short').toBe(-1)
  expect(read(good, 0, 1e9, 0), 'an end beyond the bytes').toBe(good.length)
  expect(read(good.subarray(1), 0, 1e9, 0), 'bytes that end before').toBe(-1)
  expect([columns.who[0], columns.damage[0], columns.score[0]]).toEqual([1, 200, -5n])
})

test('a part that no typed array holds has a plain array', () => {
  const field = fieldOf('dclass A { say(uint8 volume, string(0-5) text, uint16 path[]); };', 'A', 'say')
  const columns = { volume: new Uint8Array(2), text: [] as unknown[], path: [] as unknown[] }
  const read = columnReader(field, columns)
  const bytes = packField(field, { volume: 5, text: 'héy', path: [1, 2] })
  expect(read(bytes, 0, bytes.length, 1)).toBe(bytes.length)
  expect([columns.volume[1], columns.text[1], columns.path[1]]).toEqual([5, 'héy', [1, 2]])
  expect(read(unhex('0606006161616161610000'), 0, 99, 1), 'a text that is too long').toBe(-1)
  expect([columns.volume[1], columns.text[1]]).toEqual([5, 'héy'])
  expect(columnReader(field, [])(bytes, 0, bytes.length, 0), 'the whole in one array').toBe(bytes.length)
})

test('a fixed array of numbers, and a quaternion, lie in a row of one typed array', () => {
  const grid = new Uint16Array(6)
  expect(columnReader(typeOf('uint16 v[3]'), grid)(unhex('010002000300'), 0, 6, 1)).toBe(6)
  expect([...grid]).toEqual([0, 0, 0, 1, 2, 3])
  for (const type of ['typedef blob(4) quat32;', 'typedef blob(6) quat48;']) {
    const field = typeOf(`${type.match(/quat\d+/)![0]} v`, type),
      column = new Float32Array(8)
    const bytes = packField(field, [0.1, -0.7, 0.3, 0.2])
    expect(columnReader(field, column)(bytes, 0, bytes.length, 1)).toBe(bytes.length)
    expect([...column.subarray(4)]).toEqual(unpackField(field, bytes).value)
    const parts = { x: new Float32Array(2), y: new Float32Array(2), z: new Float32Array(2), w: new Float32Array(2) }
    expect(columnReader(field, parts)(bytes, 0, bytes.length, 1)).toBe(bytes.length)
    expect(Object.values(parts).map(([, number]) => number)).toEqual(unpackField(field, bytes).value)
    expect(() => columnReader(field, { x: parts.x })).toThrow('v.y: there is no column')
  }
})

test('a number is in its column what it is unpacked as', () => {
  const types = [
    'int8',
    'uint16/10',
    'int32/1000',
    'uint32',
    'int64/1000',
    'uint64%1000',
    'float64',
    'float64/8',
    'char',
  ]
  const floats = 'typedef blob(2) float16; typedef blob(4) float32;'
  fc.assert(
    fc.property(
      fc.constantFrom(...types, 'float16', 'float32'),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      (type, bytes) => {
        const field = typeOf(`${type} v`, floats),
          column = new Float64Array(1)
        const { ok, value, end } = unpackField(field, bytes, { leftOver: true })
        expect(columnReader(field, column)(bytes, 0, 8, 0)).toBe(ok ? end : -1)
        if (ok) expect(column[0]).toBe(value)
      },
    ),
    { numRuns: 500 },
  )
})

test('columns that do not fit are the caller’s mistake', () => {
  const field = fieldOf('dclass A { f(uint8 a, string b, int64/10 c); };', 'A', 'f')
  const bind = (columns: ReadColumns) => () => columnReader(field, columns)
  expect(bind({ a: new Uint8Array(1), c: [] })).toThrow('f.b: there is no column')
  expect(bind({ a: new Uint8Array(1), b: new Uint8Array(1), c: [] })).toThrow('f.b: a typed array holds numbers')
  expect(bind({ a: new BigInt64Array(1), b: [], c: [] })).toThrow('f.a: a column of 64-bit integers')
  expect(bind({ a: [], b: [], c: new BigInt64Array(1) })).toThrow('f.c: a column of 64-bit integers')
  expect(bind({ a: [], b: {}, c: [] })).toThrow('f.b: an object of columns is for structs')
  expect(bind(new Uint8Array(1))).toThrow('f: a typed array holds numbers')
})
