import { describe, expect, it, test } from 'vitest'
import {
  fieldByName,
  formatPacked,
  packDefault,
  packField,
  packText,
  parseDC,
  unpackField,
} from '../../src/dc/index.ts'
import { fieldOf, hex, schemaOf, typeOf, unhex } from './plain.ts'

// What Panda3D's parser and packer do where neither the grammar nor the vectors say it: read from its source.

const hashOf = (text: string): number => schemaOf(text).hash
const errorsOf = (text: string): string[] => parseDC(text).errors.map(({ message }) => message)

describe('names', () => {
  test('an unnamed inline struct or switch lends its name to the field, the parameter and the typedef', () => {
    const file = schemaOf(`
      struct S { struct Inner { uint8 x; }; switch Choice (uint8 k) { case 1: uint8 a; }; };
      typedef struct Point { int16 x; int16 y; };
      dclass A { f(struct Arg { uint8 x; }); Point p; };`)
    const S = file.classByName('S')!
    expect(S.fields.map(({ name }) => name)).toEqual(['Inner', 'Choice'])
    expect(file.typedefs.map(({ name }) => name)).toEqual(['Point'])
    expect(fieldByName(file.classByName('A')!, 'f')).toMatchObject({ parameters: [{ name: 'Arg' }] })
    expect(errorsOf('struct S { struct X { uint8 a; }; struct X { uint8 b; }; };')).toEqual(['Duplicate field name: X'])
    expect(errorsOf('dclass A { struct X { uint8 a; }; };')).toEqual(['Unnamed parameters are not allowed on a dclass'])
  })

  test('a molecule may name the constructor of a struct, and that of its base', () => {
    const file = schemaOf('struct S { S(uint8 a); f(uint8 b); m : S, f; }; struct T : S { m2 : S, f; };')
    expect(file.classByName('T')!.fields[0]).toMatchObject({ parameters: [{ name: 'a' }, { name: 'b' }] })
  })

  test('a method supposed in an undeclared base becomes a field of the class, once', () => {
    const { file } = parseDC('dclass A : Gone { f(uint8 x) ram; m : lost, f; n : lost; };', { strict: false })
    const A = file.classByName('A')!
    expect(A.fields.map(({ name, number }) => [name, number])).toEqual([
      ['f', 0],
      ['lost', 1],
      ['m', 2],
      ['n', 3],
    ])
    expect(fieldByName(A, 'm')?.keywords, 'those of the first real method').toEqual(['ram'])
  })

  test('many classes above each other with two bases each are read at once', () => {
    const text = Array.from({ length: 200 }, (_, i) =>
      i < 2 ? `dclass C${i} {};` : `dclass C${i} : C${i - 1}, C${i - 2} { f${i}(); m${i} : f${i}; };`,
    ).join('\n')
    expect(parseDC(text).errors).toEqual([])
    expect(parseDC(text.replace('dclass C0 {}', 'dclass C0 : Gone {}'), { strict: false }).errors).toEqual([])
  })
})

describe('ranges', () => {
  it.each([
    ['a comma before the first', 'uint8(,0-5) v', 'uint8(0-5) v'],
    ['those that rounding makes the same', 'uint8(0.2, 0.4) v', 'uint8(0) v'],
    ['read as doubles', 'int64(0 - 9007199254740993) v', 'int64(0 - 9007199254740992) v'],
    ['of doubles beyond an int', 'float64(0 - 3000000000) v', 'float64(0 - 9000000000) v'],
    ['a modulus beyond an int', 'uint32%3000000000 v', 'uint32%4294967296 v'],
    ['a modulus that is cut', 'float64%2.75 v', 'float64%2.25 v'],
  ])('%s hash alike: %s', (_, one, other) => {
    expect(hashOf(`dclass A { ${one}; };`)).toBe(hashOf(`dclass A { ${other}; };`))
  })

  test('uint32uint8array takes none', () => {
    expect(errorsOf('dclass A { uint32uint8array(0-5) v; };')).toEqual([
      'Inappropriate range for type uint32uint8array',
    ])
    expect(errorsOf('dclass A { uint32uint8array%5 v; };')).toEqual(['Invalid modulus'])
    expect(errorsOf('dclass A { uint32uint8array/5 v; };')).toEqual([])
  })

  test('a divisor behind the name is not weighed against the modulus', () => {
    expect(errorsOf('dclass A { uint8%100/10 v; };')).toEqual(['Invalid modulus'])
    const { errors, warnings } = parseDC('dclass A { uint8%100 v/10; };')
    expect([errors.length, warnings.length]).toEqual([0, 1])
  })

  test('the limits of 64 bits can be ranges', () => {
    expect(packText(typeOf('uint64(0 - 18446744073709551615) v'), '18446744073709551615').ok).toBe(true)
    expect(packText(typeOf('int64(-9223372036854775808 - 9223372036854775807) v'), '9223372036854775807').ok).toBe(true)
  })
})

describe('defaults', () => {
  it.each([
    ['the range of a legacy array of unsigned integers is its least count', 'uint8array(3-5) v', '0300000000'],
    ['that of signed ones is not', 'int8array(3-5) v', '0000'],
    [
      'a default deep in a case makes the key choose its own case',
      'switch (uint8 k) { case 1: uint8 a; break; case 0: struct { uint16 x = 7; } b; } v',
      '000700',
    ],
    [
      'as does one of the default case',
      'switch (uint8 k) { case 1: uint8 a; break; default: uint8 b[2] = [4, 5]; } v',
      '000405',
    ],
    [
      'without any, the first case is taken',
      'switch (uint8 k) { case 1: uint8 a; break; case 0: uint16 b; } v',
      '0100',
    ],
  ])('%s', (_, declaration, bytes) => {
    expect(hex(packDefault(typeOf(declaration)))).toBe(bytes)
  })
})

describe('a product with the divisor is a 64-bit integer', () => {
  it.each([
    ['uint32/1000 v', '18446744073709552', '80010000'],
    ['int16/10%360 v', '1844674407370955162', '0400'],
    ['int64/10 v', '-9223372036854775807', '0a00000000000000'],
    ['float64/10 v', '1844674407370955162', '0000000000001040'],
  ])('%s = %s', (declaration, text, bytes) => {
    expect(hex(packText(typeOf(declaration), text).bytes)).toBe(bytes)
  })

  test('but a caller is told of it', () => {
    expect(() => packField(typeOf('int64/10 v'), -9223372036854775807n)).toThrow('T.v: -9223372036854775807')
  })
})

describe('strings', () => {
  test('of a text whose characters are bytes keep these', () => {
    const text = 'dclass A { string s = "\xc3\xa9\xff"; }; // \xe9'
    expect(hex(packDefault(parseDC(text, { latin1: true }).file.fields[0]!))).toBe('0300c3a9ff')
    expect(hex(packDefault(parseDC(text).file.fields[0]!)), 'else they are UTF-8').toBe('0600c383c2a9c3bf')
    expect(hex(packText(typeOf('string v'), '"\xff"', { latin1: true }).bytes)).toBe('0100ff')
  })

  test('outside the basic plane survive a backslash', () => {
    expect(hex(packText(typeOf('string v'), '"\\😀"').bytes)).toBe('0400f09f9880')
  })

  test('an array of char is unpacked as a string, whatever its size says', () => {
    const field = typeOf('char v[2-3]')
    expect(unpackField(field, unhex('010061'), { panda: true })).toMatchObject({ ok: true, value: [0x61] })
    expect(unpackField(field, unhex('010061'))).toMatchObject({ ok: false, reason: 'count' })
  })
})

describe('packed values as text', () => {
  it.each([
    ['uint8 v', '05', '5'],
    ['int64 v', 'ffffffffffffffff', '-1'],
    ['uint64 v', 'ffffffffffffffff', '18446744073709551615'],
    ['int16/100 v', '39ff', '-1.99'],
    ['int32/1000 v', '40420f00', '1000'],
    ['int32/1000 v', '4170ffff', '-36.799'],
    ['float64 v', '00000000006af840', '100000'],
    ['float64 v', '00000000086af840', '100000'],
    ['float64 v', '00000000186af840', '100002'],
    ['float64 v', '0000000080842e41', '1e+06'],
    ['float64 v', 'f168e388b5f8e43e', '1e-05'],
    ['float64 v', '000000000000f0ff', '-inf'],
    ['float64 v', '0000000000000080', '-0'],
    ['char v', '22', '"\\""'],
    ['char v[3]', '610a7f', '"a\\x0a\\x7f"'],
    ['string v', '040061225c09', '"a\\"\\\\\\x09"'],
    ['blob v', '0200aabb', '<0200aabb>'],
    ['blob(2) v', 'aabb', '<aabb>'],
    ['uint8array v', '02000102', '[1, 2]'],
    ['uint32uint8array v', '05000100000002', '[{1, 2}]'],
    ['struct { uint8 a; string b; } v[]', '0600010000020000', '[{1, ""}, {2, ""}]'],
    ['switch (uint8 k) { case 1: uint8 a; break; default: string s; } v', '0107', '(1, 7)'],
    ['v(uint8 a, uint8 b)', '0102', '(1, 2)'],
  ])('%s <- %s: %s', (declaration, bytes, text) => {
    const field = typeOf(declaration)
    expect(formatPacked(field, unhex(bytes))).toBe(text)
  })

  test('can be packed again, with names too', () => {
    const field = typeOf('v(uint8 a, struct { string b; int16 c[]; } d)')
    const { bytes } = packText(field, '(5, {"x", [1, -2]})')
    const text = formatPacked(field, bytes, { names: true })
    expect(text).toBe('(a = 5, d = {b = "x", c = [1, -2]})')
    expect(packText(field, text!).bytes).toEqual(bytes)
  })

  test('of bytes that are no value there is none', () => {
    expect(formatPacked(typeOf('uint16 v'), unhex('01'))).toBeUndefined()
    expect(formatPacked(typeOf('uint16 v'), unhex('010203'))).toBeUndefined()
    expect(formatPacked(typeOf('switch (uint8 k) { case 1: uint8 a; } v'), unhex('02'))).toBeUndefined()
    expect(formatPacked(typeOf('uint8 v[2-3]'), unhex('010001'))).toBeUndefined()
  })
})

test('declarations as the schemas of large games have them', () => {
  const file = schemaOf(`
    from game.uberdog.MailManager/AI/UD import MailManager/AI/UD
    typedef uint8 bool; typedef int16 pair16[2];
    struct FriendEntry { uint32 friendId; uint8 friendCode; }
    dclass Player {
      setFriends(FriendEntry[] = []) ownrecv required db airecv;
      setInventory(blob = [0 * 7, 1, 0 * 6, 2]) required;
      setBest(uint32/1000 [6] = [0 * 6]) required;
      setTricks(pair16 [] = []) required; setLists(uint32[] []) ownrecv;
      setAnimState(char [0-1024], int16/1000, int16) broadcast;
      setH(int16%360/10 h) broadcast; setName(string = "Avatar") required;
      setAsGM(bool = 0) required; uint32[] AV_SET required db; uint32 AV_SET2[] db;
    };`)
  const defaultOf = (name: string) => hex(packDefault(fieldOf2(name)))
  const fieldOf2 = (name: string) => fieldByName(file.classByName('Player')!, name)!
  expect(defaultOf('setInventory')).toBe('0f00' + '00'.repeat(7) + '01' + '00'.repeat(6) + '02')
  expect(defaultOf('setBest')).toBe('00'.repeat(24))
  expect(defaultOf('setName')).toBe('0600' + hex(new TextEncoder().encode('Avatar')))
  expect(fieldOf('dclass A { f(uint32[] []); };', 'A', 'f')).toMatchObject({
    parameters: [{ type: { kind: 'array', element: { kind: 'array' } } }],
  })
})
