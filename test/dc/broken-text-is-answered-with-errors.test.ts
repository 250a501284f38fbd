import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { packText, parseDC } from '../../src/dc/index.ts'
import { typeOf } from './plain.ts'

const messages = (text: string, options?: { strict: boolean }) =>
  parseDC(text, options).errors.map(({ line, message }) => `${line}: ${message}`)

test('every error names file, line and column, and reading goes on behind it', () => {
  const { errors } = parseDC([
    { name: 'a.dc', text: 'dclass A {\n  uint8 x = 256;\n  Nope y;\n  uint8 z\n  uint8 w;\n  uint8 x;\n};' },
    { name: 'b.dc', text: 'typedef uint8%-5 T;\n  dclass B : Missing { m : A; };' },
  ])
  expect(errors.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)).toEqual([
    'a.dc:2:13: Invalid default value for type of x',
    'a.dc:3:3: Undeclared type: Nope',
    "a.dc:4:10: Syntax error: expected ';', found uint8",
    'a.dc:6:9: Duplicate field name: x',
    'b.dc:1:15: Invalid modulus',
    'b.dc:2:14: Undeclared base class: Missing',
  ])
})

describe('text that ends too early', () => {
  it.each([
    ['dclass A { string s = "abc', 'Unterminated string'],
    ['dclass A { string s = "abc\n"; };', 'Unterminated string'],
    ["dclass A { string s = 'a\\", 'Unterminated string'],
    ['dclass A { /* and so on', 'Unterminated comment'],
    ['dclass A { uint8 x;', "expected '}'"],
    ['dclass A', "expected '{'"],
    ['dclass A { f(uint8', "expected ',' or ')'"],
    ['dclass A { blob b = <0a1>; };', 'even number of digits'],
  ])('%j', (text, message) => {
    expect(messages(text).join()).toContain(message)
  })
})

test('a missing brace does not swallow the next class', () => {
  const { file, errors } = parseDC('dclass A {\n uint8 x;\n\ndclass B {\n uint8 y;\n};')
  expect(errors).toHaveLength(1)
  expect(file.classByName('B')?.fields.map(({ name }) => name)).toEqual(['y'])
})

test('a byte order mark is skipped, other strange characters are errors', () => {
  expect(parseDC('\ufeffdclass A {};').file.classes).toHaveLength(1)
  expect(messages('dclass \u00c4 {};')[0]).toMatch(/Unexpected character/)
  expect(messages('dclass A {\f};')[0]).toMatch(/Unexpected character/)
})

test('an undeclared base of a struct is an error, strict or not', () => {
  const text = 'dclass A { Foo x; }; struct B : Foo {};'
  expect(messages(text)).toEqual(['1: Undeclared type: Foo'])
  expect(messages(text, { strict: false })).toEqual(['1: Undeclared base struct: Foo'])
})

test('a base declared too late is told so, once', () => {
  expect(messages('dclass T : D {};\ndclass D {};')).toEqual(['2: Base class defined after its first reference: D'])
})

test('a struct cannot contain itself', () => {
  expect(messages('struct S { S next; };')).toEqual(['1: Undeclared type: S'])
})

test('a switch by a method needs a class around it, and its fields names of their own', () => {
  expect(messages('switch S (f(uint8 a)) { case (1): uint8 x; };')).toEqual([
    '1: Cannot define a method outside of a struct or class',
  ])
  expect(messages('switch S (uint8 k) { case 1: uint8 k; };')).toEqual(['1: Duplicate field name: k'])
})

test('without strict, undeclared names are warnings and stand-ins take their places', () => {
  const { file, errors, warnings } = parseDC('dclass A : Gone {\n Nope x;\n m : lost;\n};', { strict: false })
  expect(errors).toEqual([])
  expect(warnings.map(({ line }) => line)).toEqual([1, 2])
  expect(file.classes.map(({ name, number, isPlaceholder }) => [name, number, isPlaceholder])).toEqual([
    ['Gone', 0, true],
    ['A', 1, false],
  ])
  expect(file.fields.map(({ name, number }) => [name, number])).toEqual([
    ['x', 0],
    ['lost', 1],
    ['m', 2],
  ])
})

/** Milliseconds. What is not linear in these texts would take minutes. */
const PATIENCE = 30_000

describe('text made to exhaust a parser is refused soon', () => {
  const doubled = (n: number, line: (i: number) => string) => Array.from({ length: n }, (_, i) => line(i)).join('\n')
  it.each([
    ['deep structs', 'dclass A { ' + 'struct { '.repeat(50000)],
    ['deep values', `dclass A { uint8 x[] = ${'['.repeat(50000)}`],
    ['deep brackets', `dclass A { uint8 x${'[]'.repeat(50000)}; };`],
    ['deep typedefs', `typedef uint8 T0;\n${doubled(5000, i => `typedef T${i} T${i + 1}[];`)}`],
    ['deep switches', 'dclass A { ' + 'switch (uint8 k) { case 1: '.repeat(10000)],
    [
      'doubling structs',
      `struct S0 { uint8 x; };\n${doubled(60, i => `struct S${i + 1} { S${i} a; S${i} b; };`)}\ndclass A { S60 s; };`,
    ],
    [
      'endless bases',
      `dclass A0 { uint8 x0; };\n${doubled(6000, i => `dclass A${i + 1} : A${i} { uint8 x${i + 1}; };`)}`,
    ],
    ['endless repetition', 'dclass A { uint8 x[] = [1*4000000000]; };'],
    ['endless empty repetition', 'dclass A { blob x[] = [<>*4000000000]; };'],
    ['endless digits', `dclass A { uint64 x = ${'9'.repeat(500000)}; };`],
    ['endless errors', 'dclass A { ' + 'x; '.repeat(50000) + '};'],
    ['endless cases', `switch S (uint32 k) {\n${doubled(20000, i => `case ${i}: uint8 f${i};`)}\n};`],
    ['endless ranges', `dclass A { uint32(${doubled(20000, i => `${i * 2},`)} 100000) x; };`],
    ['endless comments', '/*'.repeat(100000)],
    ['endless quotes', '"'.repeat(100000)],
    ['endless structs at the margin', `dclass A {\n${'struct;\n'.repeat(50000)}};`],
    [
      'near misses without end',
      `${doubled(5000, i => `dclass ${name(i)} {};`)}\ndclass X { ${doubled(100, i => `${name(i)}zz x${i};`)} };`,
    ],
  ])(
    '%s',
    (_, text) => {
      expect(parseDC(text).errors).not.toEqual([])
    },
    PATIENCE,
  )

  it.each([
    [
      'keywords without end',
      `keyword ${doubled(20000, i => `k${i}`)}; dclass A { uint8 x ${doubled(20000, i => `k${i}`)}; };`,
    ],
    [
      'two bases each',
      doubled(300, i => `dclass A${i}${i > 1 ? ` : A${i - 1}, A${i - 2}` : ''} { f${i}(); m${i} : f${i}; };`),
    ],
    ['comments in comments', '/* /* */\n'.repeat(50000)],
  ])(
    '%s is read',
    (_, text) => {
      expect(parseDC(text).errors).toEqual([])
    },
    PATIENCE,
  )
})

/** As long as the longest names that are compared, and much alike. */
const name = (i: number): string => ('a'.repeat(40) + i).padStart(60, 'b')

test('numbers beyond all limits are errors wherever they stand', () => {
  const huge = [
    '9'.repeat(400),
    `-${'9'.repeat(400)}`,
    '1.e999',
    '-1.e999',
    '0.e999',
    '1.e308',
    '-1.e308',
    '18446744073709551616',
    '4294967296',
    '0x',
    '-0',
  ]
  const places = [
    'uint8(#)',
    'int64(#)',
    'int64(0 - #)',
    'int64(0#)',
    'float64(#)',
    'float64/4000000000(#)',
    'int64/4000000000(#)',
    'string(#)',
    'blob32(0 - #)',
    'uint8/#',
    'uint8%#',
    'float64%#',
    'float64/4000000000%#',
    'uint64/4000000000%#',
    'uint8[#]',
    'uint8[0#]',
    'uint8[0-#]',
  ]
  for (const type of places)
    for (const number of huge) {
      const text = `dclass A { ${type.replace('#', number)} x; ${type.replace('#', number)} y = ${number}; ${type.replace('#', number)} z = 1; };`
      expect(() => parseDC(text), text).not.toThrow()
    }
})

test('no text makes the parser throw', () => {
  const words = [
    'dclass',
    'struct',
    'switch',
    'typedef',
    'keyword',
    'import',
    'from',
    'case',
    'default',
    'break',
    'uint8',
    'int16',
    'string',
    'blob',
    'char',
    'float64',
    'A',
    'B',
    'x',
    'ram',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ';',
    ':',
    ',',
    '=',
    '*',
    '/',
    '%',
    '-',
    '-5',
    '1.5',
    '0x1f',
    '7',
    '"s"',
    '<0a>',
    '"',
    '/*',
    '//\n',
    '@',
  ]
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom(...words), { maxLength: 60 }).map(list => list.join(' ')),
      ),
      text => {
        for (const strict of [true, false])
          for (const error of parseDC(text, { strict }).errors) expect(error.line).toBeGreaterThan(0)
      },
    ),
    { numRuns: 1000 },
  )
})

test('no value text makes the packer throw', () => {
  const fields = [
    'uint8 v',
    'string(2-5) v',
    'int16/10 v[2]',
    'struct { uint8 a; string b; } v',
    'v(uint8 a, int64 b)',
    'uint32uint8array v',
    'switch (uint8 k) { case 1: uint8 a; break; default: string s; } v',
  ].map(declaration => typeOf(declaration))
  const words = [
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    ',',
    '1',
    '-1',
    '2.5',
    '"ab"',
    '<0102>',
    '*',
    '3',
    'a',
    '=',
    'k',
    '256',
    '9'.repeat(40),
  ]
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.array(fc.constantFrom(...words), { maxLength: 20 }), (field, list) => {
      const { ok, bytes, message } = packText(field, list.join(' '))
      expect(ok ? bytes.length >= 0 : message.length > 0 && bytes.length === 0).toBe(true)
    }),
    { numRuns: 1000 },
  )
})
