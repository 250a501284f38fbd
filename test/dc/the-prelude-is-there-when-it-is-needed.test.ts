import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  columnKind,
  compileDC,
  initialValue,
  loadDC,
  packField,
  packText,
  parseDC,
  parseSchema,
  PRELUDE,
  unpackField,
  type DCFile,
  type ParseResult,
} from '../../src/dc/index.ts'

const read = ({ file, errors }: ParseResult): DCFile => {
  expect(errors).toEqual([])
  return file
}

const fieldOf = (file: DCFile, name: string) => {
  const field = file.classes.flatMap(dclass => dclass.inherited).find(each => each.name === name)!
  return field as Extract<typeof field, { kind: 'parameter' }>
}

const GAME = `
dclass Thing {
  float32 mass = <0000803f> broadcast;
  float16 heat broadcast interp_linear;
  quat32 turn broadcast interp_quat;
  quat48 aim broadcast predicted;
  bool isOpen = 1 broadcast;
  DoId target broadcast;
  float32 path[] broadcast;
  say(quat48 facing, float16 loudness, bool isLoud, DoId to) broadcast unreliable;
};`

test('the shipped file is what the parser reads, and stands alone', () => {
  expect(PRELUDE.text).toBe(readFileSync(new URL('../../dc/pipes.dc', import.meta.url), 'utf8'))
  const file = read(parseDC([PRELUDE]))
  expect([file.classes, file.fields, file.hash], 'Panda3D takes it for empty').toEqual([[], [], parseDC('').file.hash])
})

test('a schema that uses it has the hashes of prelude and schema together', () => {
  const implied = read(parseSchema(GAME))
  const together = read(parseDC([PRELUDE, { name: 'game.dc', text: GAME }]))
  expect([implied.hash, implied.structureHash]).toEqual([together.hash, together.structureHash])
  // What Panda3D sees, written without it.
  const blobs = GAME.replaceAll('float32', 'blob(4)')
    .replaceAll('float16', 'blob(2)')
    .replaceAll('quat32', 'blob(4)')
    .replaceAll('quat48', 'blob(6)')
    .replaceAll('bool', 'uint8(0-1)')
    .replaceAll('DoId', 'uint32')
  const plain = read(parseDC(`keyword unreliable interp_linear interp_quat predicted; ${blobs}`))
  expect(implied.hash).toBe(plain.hash)
  expect(implied.structureHash).not.toBe(plain.structureHash)
})

test('a schema that stands alone is read alone', () => {
  const alone = 'keyword unreliable; dclass A { uint8 predicted; honk(uint8 interp_none) unreliable; };'
  expect(read(parseSchema(alone)).hash).toBe(read(parseDC(alone)).hash)
  const plain = 'keyword interp_linear; dclass A { int16/10 x broadcast interp_linear; };'
  const both = read(parseDC([PRELUDE, { name: 'plain.dc', text: plain }]))
  expect([both.hash, both.structureHash], 'what is not used is in no hash').toEqual([
    read(parseSchema(plain)).hash,
    read(parseSchema(plain)).structureHash,
  ])
  const legacy = 'typedef uint8 bool; typedef blob DoId; dclass A { bool b; DoId d; };'
  expect(read(parseSchema(legacy)).typedefs.map(({ name }) => name)).toEqual(['bool', 'DoId'])
  expect(fieldOf(read(parseSchema(legacy)), 'b').type, 'another shape is another type').not.toHaveProperty('extension')
})

test('a schema that declares one of the types declares all that it uses', () => {
  const some = 'typedef blob(4) float32; dclass A { float32 x; DoId d; };'
  expect(parseSchema(some).errors.map(({ message }) => message)).toMatchObject([expect.stringContaining('DoId')])
  const all = 'typedef blob(4) float32; typedef uint32 DoId; dclass A { float32 x; DoId d; };'
  expect(read(parseSchema(all)).structureHash).toBe(read(parseSchema('dclass A { float32 x; DoId d; };')).structureHash)
})

test('it can be left out, and a mistake is told as one of the schema', () => {
  expect(parseSchema(GAME, { prelude: false }).errors.length).toBeGreaterThan(0)
  const { errors } = parseSchema([{ name: 'game.dc', text: 'dclass A { float32 x;\n flaot32 y; };' }])
  expect(errors).toMatchObject([{ file: 'game.dc', line: 2 }])
  expect(errors[0]!.message).toContain('flaot32')
})

test('an alias is the same type under another name', () => {
  const file = read(parseSchema('typedef float32 Metres; typedef DoId Friend; dclass A { Metres x; Friend f[2]; };'))
  expect(fieldOf(file, 'x').type).toMatchObject({ typedefName: 'Metres', extension: 'float32' })
  expect(fieldOf(file, 'f').type).toMatchObject({ element: { typedefName: 'Friend', extension: 'DoId' } })
  const direct = read(
    parseSchema('typedef blob(4) Metres; typedef uint32 Friend; dclass A { Metres x; Friend f[2]; };'),
  )
  expect(direct.hash).toBe(file.hash)
  expect(direct.structureHash).not.toBe(file.structureHash)
})

test('values are numbers, quaternions and truths; bytes are what Panda3D packs', () => {
  const file = read(parseSchema(GAME))
  expect(
    ['mass', 'heat', 'turn', 'aim', 'isOpen', 'target', 'path'].map(name => initialValue(fieldOf(file, name))),
  ).toEqual([1, 0, [0, 0, 0, 1], [0, 0, 0, 1], true, 0, []])
  const roundTrip = (name: string, value: unknown) =>
    unpackField(fieldOf(file, name), packField(fieldOf(file, name), value))
  expect(roundTrip('mass', 1 / 3).value).toBe(Math.fround(1 / 3))
  expect([...packField(fieldOf(file, 'mass'), 1.5)]).toEqual([0, 0, 0xc0, 0x3f])
  expect(roundTrip('heat', 0.1).value).toBe(0.0999755859375)
  expect(roundTrip('path', Float32Array.of(1, 2.5)).value).toEqual([1, 2.5])
  expect(roundTrip('turn', [0, 0, 0, 2]).value).toEqual([0, 0, 0, 1])
  expect(roundTrip('isOpen', 1).value).toBe(true)
  const said = { facing: new Float32Array([1, 0, 0, 0]), loudness: 2, isLoud: false, to: 7 }
  expect(roundTrip('say', said).value).toEqual({ ...said, facing: [1, 0, 0, 0] })
  expect([...packField(fieldOf(file, 'turn'), [1, 0, 0, 0])], 'x is left out').toEqual([0, 0, 0, 0x40])
})

test('columns are Float32Arrays, of a quaternion four; a compiled schema has the same', () => {
  const file = read(parseSchema(GAME))
  const loaded = loadDC(compileDC(file))
  const columns = (of: DCFile) =>
    ['mass', 'heat', 'turn', 'aim', 'isOpen', 'target', 'path'].map(name => {
      const column = columnKind(fieldOf(of, name).type)
      if (column.kind === 'struct') return column.fields.map(({ name: part }) => part).join('')
      return column.kind === 'scalar' ? column.array : column.kind
    })
  const expected = ['Float32Array', 'Float32Array', 'xyzw', 'xyzw', 'Uint8Array', 'Uint32Array', 'value']
  expect([columns(file), columns(loaded)]).toEqual([expected, expected])
  expect(unpackField(fieldOf(loaded, 'mass'), Uint8Array.of(0, 0, 0xc0, 0x3f)).value).toBe(1.5)
})

test('what Panda3D sees can be had, too', () => {
  const file = read(parseSchema(GAME))
  const mass = fieldOf(file, 'mass')
  const bytes = Uint8Array.of(1, 2, 3, 4)
  expect(packField(mass, bytes)).toEqual(bytes)
  expect(unpackField(mass, bytes, { panda: true }).value).toEqual(bytes)
  expect(packText(mass, '1.5').ok, 'Panda3D takes no number for a blob').toBe(false)
  expect(packText(mass, '<0000c03f>').bytes).toEqual(Uint8Array.of(0, 0, 0xc0, 0x3f))
})

test('values and bytes that do not fit are refused', () => {
  const file = read(parseSchema(GAME))
  for (const [name, value, message] of [
    ['mass', 'much', /Thing.mass: expected a number, got "much"/],
    ['mass', 1e39, /Thing.mass: 1e\+39 does not fit float32/],
    ['heat', 65520, /Thing.heat: 65520 does not fit float16: expected a number from -65504 to 65504/],
    ['turn', [0, 0, 1], /Thing.turn: expected a quaternion \[x, y, z, w\] of finite numbers, got an array of 3/],
    ['aim', [0, 0, NaN, 1], /Thing.aim: expected a quaternion/],
    ['isOpen', 2, /Thing.isOpen: 2 is outside uint8/],
    ['target', true, /Thing.target: expected a uint32 number/],
    ['say', { facing: [0, 0, 0, 1], loudness: 'x', isLoud: true, to: 0 }, /Thing.say.loudness: expected a number/],
  ] as const)
    expect(() => packField(fieldOf(file, name), value), `${name} ${value}`).toThrow(message)
  expect(unpackField(fieldOf(file, 'aim'), Uint8Array.of(0, 0, 0, 0, 0, 0x80)).reason, 'a bit without meaning').toBe(
    'range',
  )
  expect(unpackField(fieldOf(file, 'isOpen'), Uint8Array.of(2)).reason).toBe('range')
  expect(unpackField(fieldOf(file, 'mass'), Uint8Array.of(0, 0, 0)).reason).toBe('short')
})
