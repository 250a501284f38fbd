import { expect, test } from 'vitest'
import { fieldByName, hashFile, parseDC } from '../../src/dc/index.ts'
import { schemaOf } from './plain.ts'

test('field numbers run over all classes, structs and files; class numbers are places in the list', () => {
  const { file, errors } = parseDC([
    { name: 'a.dc', text: 'struct S { uint8 x; }; dclass A { S s; f(struct { uint8 y; } inline); m : f; };' },
    { name: 'b.dc', text: 'dclass B : A { uint8 z; };' },
  ])
  expect(errors).toEqual([])
  expect(file.fields.map(({ name, number, owner }) => `${number} ${owner.name}.${name}`)).toEqual([
    '0 S.x',
    '1 A.s',
    '2 .y',
    '3 A.f',
    '4 A.m',
    '5 B.z',
  ])
  expect(file.classes.map(({ name, number }) => [name, number])).toEqual([
    ['S', -1],
    ['A', 1],
    ['B', 2],
  ])
  expect(file.fieldByNumber(5)).toBe(file.classByName('B')?.fields[0])
  expect(file.fieldByNumber(99)).toBeUndefined()
  expect(hashFile(file)).toBe(file.hash)
})

test('a class inherits the fields that it does not declare itself, sorted by number', () => {
  const file = schemaOf(
    'dclass A { uint8 a; uint8 b; }; dclass B { uint16 b; uint16 c; }; dclass C : B, A { uint32 c; };',
  )
  const { inherited } = file.classByName('C')!
  expect(inherited.map(({ name, owner }) => `${owner.name}.${name}`)).toEqual(['A.a', 'B.b', 'C.c'])
  expect(fieldByName(file.classByName('C')!, 'b')?.owner.name).toBe('B')
})

test('keywords are kept in order of declaration, and reserved from then on', () => {
  const file = schemaOf('keyword unreliable interp_linear; dclass A { uint8 x ram unreliable broadcast ram; };')
  expect(file.fields[0]?.keywords).toEqual(['ram', 'unreliable', 'broadcast'])
  expect(file.keywords).toEqual(['unreliable', 'interp_linear', 'ram', 'broadcast'])
  expect(parseDC('keyword angle; dclass A { int16 angle; };').errors[0]?.message).toBe(
    'Unnamed parameters are not allowed on a dclass',
  )
  expect(parseDC('dclass A { f(int16 ram); };').errors).toHaveLength(1)
})

test('imports name modules and symbols', () => {
  expect(schemaOf('import a.b/AI\nfrom lobby import Avatar/AI/OV, Node\nfrom z import *').imports).toEqual([
    { module: 'a.b/AI', symbols: [] },
    { module: 'lobby', symbols: ['Avatar/AI/OV', 'Node'] },
    { module: 'z', symbols: ['*'] },
  ])
})

test('a comment belongs to the declaration below it, or before it on the line', () => {
  const file = schemaOf(`
    // not this one

    /**
     * Who plays.
     * Two lines.
     */
    dclass Avatar { // in the lobby
      // where it stands,
      // in metres
      int16 x;
      int16 y; /* up */
      int16 a; int16 b; // only b
      // dangling
    };
    dclass Other {};`)
  const [avatar, other] = file.classes
  expect(avatar!.comment).toBe('Who plays.\nTwo lines.\nin the lobby')
  expect(avatar!.fields.map(({ comment }) => comment)).toEqual([
    'where it stands,\nin metres',
    'up',
    undefined,
    'only b',
  ])
  expect(other!.comment).toBeUndefined()
})

test('types say all that was declared, ranges in scaled integers', () => {
  const file = schemaOf(
    'typedef uint8(1-5) Level = 3; dclass A { int16/100(-40 - 40)%30 x; Level y; Level z[0-2]; uint64(0 - 18446744073709551615) w; };',
  )
  const [x, y, z, w] = file.fields.map(field => (field.kind === 'parameter' ? field : undefined))
  expect(x?.type).toEqual({
    kind: 'number',
    base: 'int16',
    divisor: 100,
    modulus: 30,
    ranges: [{ min: -4000, max: 4000 }],
  })
  expect(y).toMatchObject({
    type: { base: 'uint8', typedefName: 'Level' },
    hasDefault: true,
    default: Uint8Array.of(3),
  })
  expect(z).toMatchObject({
    type: { kind: 'array', element: { typedefName: 'Level' }, sizes: [{ min: 0, max: 2 }], prefixed: true },
    hasDefault: false,
  })
  expect(w).toMatchObject({ type: { ranges: [{ min: 0n, max: (1n << 64n) - 1n }] } })
  expect(file.typedefs.map(({ name }) => name)).toEqual(['Level'])
})

test('a legacy array with a divisor is accepted with a warning', () => {
  const { errors, warnings } = parseDC('dclass A { int16array/10 x; };')
  expect(errors).toEqual([])
  expect(warnings[0]).toMatchObject({
    severity: 'warning',
    message: 'A range, divisor or modulus on int16array is hashed but not applied',
    help: 'write int16 and [] instead',
  })
})
