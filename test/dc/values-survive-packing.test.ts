import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createReader,
  createWriter,
  fixedByteSize,
  packField,
  packFieldSlowly,
  packType,
  unpackField,
  unpackType,
  type DCParameterField,
} from '../../src/dc/index.ts'
import { hex, schemaOf, typeOf } from './plain.ts'

/** A type in DC, and values of it. */
interface Sample {
  readonly type: string
  /** Brackets behind the name. */
  readonly brackets?: string
  readonly value: fc.Arbitrary<unknown>
}

const integer = (type: string, min: number, max: number): Sample => ({ type, value: fc.integer({ min, max }) })

const scalars: Sample[] = [
  integer('int8', -128, 127),
  integer('int16', -32768, 32767),
  integer('int32', -(2 ** 31), 2 ** 31 - 1),
  integer('uint8', 0, 255),
  integer('uint16', 0, 65535),
  integer('uint32', 0, 2 ** 32 - 1),
  integer('char', 0, 255),
  integer('uint8(3-9, 20)', 3, 9),
  integer('uint16%360', 0, 359),
  { type: 'int64', value: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) },
  { type: 'uint64(5 - 18446744073709551615)', value: fc.bigInt({ min: 5n, max: (1n << 64n) - 1n }) },
  { type: 'float64', value: fc.double({ noNaN: true }) },
  { type: 'int16/100', value: fc.integer({ min: -32768, max: 32767 }).map(n => n / 100) },
  { type: 'int16/10%360', value: fc.integer({ min: 0, max: 3599 }).map(n => n / 10) },
  { type: 'uint32/1000(0-4000)', value: fc.integer({ min: 0, max: 4000000 }).map(n => n / 1000) },
  { type: 'string', value: fc.string({ unit: 'binary' }) },
  { type: 'string(0-20)', value: fc.string({ unit: 'binary-ascii', maxLength: 20 }) },
  { type: 'blob', value: fc.uint8Array() },
  { type: 'blob(4)', value: fc.uint8Array({ minLength: 4, maxLength: 4 }) },
  { type: 'blob32', value: fc.uint8Array() },
  { type: 'int16array', value: fc.array(fc.integer({ min: -32768, max: 32767 })) },
  {
    type: 'uint32uint8array',
    value: fc.array(fc.record({ arg0: fc.nat(), arg1: fc.nat(255) }, { noNullPrototype: true })),
  },
]

const brackets: { text: string; min: number; max: number }[] = [
  { text: '[]', min: 0, max: 6 },
  { text: '[3]', min: 3, max: 3 },
  { text: '[0, 2-4]', min: 2, max: 4 },
]

const { type: sample } = fc.letrec<{ type: Sample; array: Sample; struct: Sample; switch: Sample; scalar: Sample }>(
  tie => ({
    scalar: fc.constantFrom(...scalars),
    type: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('scalar'),
      tie('array'),
      tie('struct'),
      tie('switch'),
    ),
    array: fc.tuple(tie('type'), fc.constantFrom(...brackets)).map(([element, { text, min, max }]) => ({
      type: element.type,
      brackets: text + (element.brackets ?? ''),
      value: fc.array(element.value, { minLength: min, maxLength: max }),
    })),
    struct: fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map(members => ({
      type: `struct { ${members.map(({ type, brackets: behind = '' }, i) => `${type} m${i}${behind};`).join(' ')} }`,
      value: fc.record(Object.fromEntries(members.map(({ value }, i) => [`m${i}`, value])), { noNullPrototype: true }),
    })),
    switch: fc.tuple(tie('type'), tie('type')).map(([one, two]) => ({
      type: `switch (uint8 key) { case 1: ${one.type} one${one.brackets ?? ''}; break; default: ${two.type} two${two.brackets ?? ''}; }`,
      value: fc.oneof(
        fc.record({ key: fc.constant(1), one: one.value }, { noNullPrototype: true }),
        fc.record({ key: fc.integer({ min: 2, max: 255 }), two: two.value }, { noNullPrototype: true }),
      ),
    })),
  }),
)

test('what is packed comes back, for every type and value', () => {
  fc.assert(
    fc.property(
      sample.chain(each => fc.tuple(fc.constant(`${each.type} v${each.brackets ?? ''}`), each.value)),
      ([declaration, value]) => {
        const field = typeOf(declaration)
        const bytes = packField(field, value)
        expect(packFieldSlowly(field, value), 'without a plan').toEqual(bytes)
        expect(unpackField(field, bytes)).toEqual({ ok: true, value, end: bytes.length, reason: '' })
        const size = fixedByteSize(field)
        if (size !== undefined) expect(bytes.length).toBe(size)
      },
    ),
    { numRuns: 400 },
  )
})

test('values packed one behind the other are read one behind the other', () => {
  fc.assert(
    fc.property(
      fc.array(
        sample.chain(each => fc.tuple(fc.constant(`${each.type} v${each.brackets ?? ''}`), each.value)),
        { maxLength: 4 },
      ),
      values => {
        const types = values.map(([declaration]) => (typeOf(declaration) as DCParameterField).type)
        const writer = createWriter()
        types.forEach((type, i) => packType(type, values[i]![1], writer))
        const reader = createReader(writer.bytes, 0, writer.length)
        expect(types.map(type => unpackType(type, reader))).toEqual(values.map(([, value]) => value))
        expect([reader.at, reader.failed]).toEqual([writer.length, ''])
      },
    ),
    { numRuns: 100 },
  )
})

test('methods take their arguments by name or in order and give them by name', () => {
  const {
    classes: [T],
  } = schemaOf('dclass T { say(string, uint8 volume, uint8 pitch = 7); both : say, say; };')
  const [say, both] = T!.fields
  const bytes = packField(say!, { arg0: 'hi', volume: 3, pitch: 9 })
  expect(hex(bytes)).toBe('020068690309')
  expect(packField(say!, ['hi', 3, 9])).toEqual(bytes)
  expect(unpackField(say!, bytes).value).toEqual({ arg0: 'hi', volume: 3, pitch: 9 })
  expect(hex(packField(say!, { arg0: '', volume: 3 })), 'the declared default stands in').toBe('00000307')
  const twice = packField(both!, ['a', 1, 2, 'b', 3, 4])
  expect(unpackField(both!, twice).value, 'repeated names are told apart').toEqual({
    arg0: 'a',
    volume: 1,
    pitch: 2,
    arg3: 'b',
    arg4: 3,
    arg5: 4,
  })
})

test('with a writer, fields are appended and the result is a view of their bytes', () => {
  const field = typeOf('string v'),
    writer = createWriter()
  packField(field, 'one', writer)
  expect(hex(packField(field, 'two', writer))).toBe('030074776f')
  expect(writer.length).toBe(10)
})

test('text that is not UTF-8 becomes replacement characters, or its bytes when asked', () => {
  const field = typeOf('string v'),
    bytes = Uint8Array.of(2, 0, 0xff, 0x41)
  expect(unpackField(field, bytes).value).toBe('\ufffdA')
  expect(unpackField(field, bytes, { rawText: true }).value).toEqual(Uint8Array.of(0xff, 0x41))
})

test('arrays of bytes take typed arrays, arrays of char take text', () => {
  expect(hex(packField(typeOf('uint8 v[]'), Uint8Array.of(1, 2)))).toBe('02000102')
  expect(hex(packField(typeOf('char v[]'), 'ab'))).toBe('02006162')
  expect(hex(packField(typeOf('char v'), 'a'))).toBe('61')
})
