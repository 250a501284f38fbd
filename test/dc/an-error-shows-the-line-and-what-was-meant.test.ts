import { describe, expect, it, test } from 'vitest'
import { formatError, formatErrors, nearest, parseDC } from '../../src/dc/index.ts'

const shown = (text: string, options = {}) => formatErrors(parseDC([{ name: 'a.dc', text }], options).errors)
const short = (text: string) =>
  parseDC(text).errors.map(({ line, column, length, message, suggestion }) =>
    [`${line}:${column}+${length}`, message, ...(suggestion ? [`(${suggestion})`] : [])].join(' '),
  )

test('an error is plain data: place, span, line, what was expected and found', () => {
  const { errors } = parseDC([{ name: 'a.dc', text: 'dclass A {\r\n\tuint8 x\r\n};' }])
  expect(JSON.parse(JSON.stringify(errors))).toEqual([
    {
      file: 'a.dc',
      line: 2,
      column: 9,
      length: 1,
      message: "Syntax error: expected ';', found }",
      severity: 'error',
      source: '\tuint8 x',
      expected: "';'",
      found: '}',
    },
  ])
})

test('as text it shows the line, a caret under the words, and a suggestion', () => {
  expect(shown('dclass Avatar {\n\tflaot64 speed;\n  uint8 health = 300;\n};')).toBe(
    [
      'a.dc:2:2: error: Undeclared type: flaot64',
      '  2 | \tflaot64 speed;',
      '    | \t^^^^^^^ did you mean float64?',
      '',
      'a.dc:3:18: error: Invalid default value for type of health',
      '  3 |   uint8 health = 300;',
      '    |                  ^^^ 300 is outside uint8 (0 to 255)',
    ].join('\n'),
  )
})

test('of a long line only what is around the error is shown', () => {
  const line = `dclass A { ${' '.repeat(400)}Nope y; ${' '.repeat(400)} };`
  const [, source, caret] = shown(line).split('\n')
  expect(source!.length).toBeLessThan(120)
  expect(source!.slice(caret!.indexOf('^'), caret!.indexOf('^') + 4)).toBe('Nope')
})

test('a line of control characters does not spoil the terminal', () => {
  expect(formatError(parseDC('dclass A { \u001b[31m };').errors[0]!)).not.toContain('\u001b')
})

describe('near misses', () => {
  it.each([
    ['dclass A { unit8 x; };', 'uint8'],
    ['dclass A { Uint8 x; };', 'uint8'],
    ['dclass A { uint8(0-5) x; unit16(0-5) y; };', 'uint16'],
    ['struct Item { uint8 x; }; dclass A { Itme x; };', 'Item'],
    ['typedef uint8 Level; dclass A { f(Levle x); };', 'Level'],
    ['switch Kind (uint8 k) { case 1: uint8 x; }; dclass A { Kinds x; };', 'Kind'],
    ['dclass Avatar {}; dclass B : Avater {};', 'Avatar'],
    ['struct Item {}; struct Sword : Itm {};', 'Item'],
    ['dclass A { uint8 x broadcst; };', 'broadcast'],
    ['keyword unreliable; dclass A { f() unrelaible; };', 'unreliable'],
    ['dclass A { setX(uint8 x); m : setx; };', 'setX'],
    ['dclass A { setX(uint8 x); }; dclass B : A { setY(); m : setY, sexX; };', 'setX'],
    ['dclas A {};', 'dclass'],
    ['strcut A {};', 'struct'],
    ['typdef uint8 A;', 'typedef'],
    ['struct P { uint8 left; }; dclass A { P p = {lef = 5}; };', 'left'],
  ])('%s: did you mean %s?', (text, suggestion) => {
    expect(parseDC(text).errors.map(error => error.suggestion)).toEqual([suggestion])
  })

  it('are only near', () => {
    expect(parseDC('dclass A { Something x; };').errors[0]).toMatchObject({ help: 'declare it above this line' })
    expect(nearest('x', ['y', 'z'])).toBeUndefined()
    expect(nearest('health', ['heatlh', 'wealth'])).toBe('heatlh')
    expect(nearest('a'.repeat(1000), ['a'.repeat(999)])).toBeUndefined()
  })

  it('name what DC has instead', () => {
    const helps = (type: string) => parseDC(`dclass A { ${type} x; };`).errors.map(({ help }) => help)
    expect(helps('float32')).toEqual([expect.stringContaining('float64')])
    expect(helps('bool')).toEqual([expect.stringContaining('uint8(0-1)')])
  })
})

describe('one mistake is one error', () => {
  it.each([
    [
      'a field without its semicolon is there',
      'dclass A {\n f(uint8 x) ram\n g(uint8 y) ram;\n m : f, g;\n};',
      ['2:16+1'],
    ],
    ['a broken typedef', 'typedef uint8%% T;\ndclass A { T x; f(T y, T z); };', ['1:15+1']],
    ['a broken field', 'dclass A { f(uint8 5); m : f; };', ['1:20+1']],
    ['a mistyped declaration', 'dclas A { uint8 x; };\ndclass B : A { A a; };', ['1:1+5']],
    ['a broken list of bases', 'dclass A : 5 { uint8 x; };\ndclass B : A {};', ['1:12+1']],
    ['an undeclared type, used often', 'dclass A { Nope a; Nope b; f(Nope c); };', ['1:12+4']],
    ['an undeclared base, used often', 'dclass A : Nope { m : lost; };\ndclass B : Nope {};', ['1:12+4']],
    ['a missing brace', 'dclass A {\n uint8 x;\n\nstruct B {\n uint8 y;\n};\ndclass C { B b; };', ['2:10+1']],
    ['the end of the file', 'dclass A { f(struct { uint8 x', ['1:30+1']],
    ['a missing case', 'switch S (uint8 k) { uint8 a; uint8 b; case 1: uint8 c; };', ['1:22+5']],
    ['a bad case', 'switch S (uint8 k) { case 300: uint8 a; uint8 b; break; case 1: uint8 c; };', ['1:27+3']],
    ['a reserved word for a name', 'dclass A { uint8 default = 5; uint8 y; };', ['1:18+7']],
    ['a keyword for a name', 'dclass A { f(uint8 ram, uint8 db); };', ['1:20+3', '1:31+2']],
    ['a range behind the name', 'dclass A { uint8 x(0-5); uint8 y; };', ['1:19+1']],
    ['a declared-below struct', 'dclass A { Late x; Late y; };\nstruct Late { uint8 z; };', ['1:12+4']],
    ['a declared-below typedef', 'dclass A { Late x; };\ntypedef uint8 Late;', ['2:15+4']],
  ])('%s', (_, text, places) => {
    expect(short(text).map(line => line.split(' ')[0])).toEqual(places)
  })
})

test('a reserved word for a name comes with one that is free', () => {
  for (const text of ['dclass A { uint8 from; };', 'dclass A { f(uint8 from); };']) {
    const [error] = parseDC(text).errors
    expect(error?.help, text).toBe('choose another name, such as from_')
    expect(parseDC(text.replace('from', 'from_')).errors).toEqual([])
  }
})

test('what is declared too late says where it is', () => {
  expect(parseDC('dclass A { Late x; };\n\nstruct Late { uint8 z; };').errors[0]?.help).toBe(
    'it is declared in line 3: move that above this line',
  )
  expect(parseDC('dclass A { Late x; };\n\ntypedef uint8 Late;').errors[0]?.help).toBe(
    'move it above line 1, where it is used first',
  )
})

test('errors are in the order of the text, and end at a hundred', () => {
  expect(short('dclass A {};\ndclass A {\n uint8 x = 300;\n Nope y;\n};').map(line => line.split(':')[0])).toEqual([
    '2',
    '3',
    '4',
  ])
  const { errors } = parseDC(`dclass A {\n${Array.from({ length: 300 }, (_, i) => `uint8 x${i} = 300;\n`).join('')}};`)
  expect(errors).toHaveLength(100)
})

test('a default that does not fit says why, at the part that does not', () => {
  const why = (type: string) => {
    const error = parseDC(`struct P { uint8 a; string(0-3) b; }; dclass A { ${type}; };`).errors[0]!
    return [error.source.slice(error.column - 1, error.column - 1 + error.length), error.help]
  }
  expect(why('P x = {1, "long"}')).toEqual(['"long"', 'it has 4 bytes, and the type allows 0-3'])
  expect(why('P x = {1}')).toEqual(['{', 'it has 1 values, and 2 are needed'])
  expect(why('P x = {1, "a", 3}')).toEqual(['3', 'there are more values than the type has room for'])
  expect(why('P x = 5')).toEqual(['5', 'P is written as a list, of its parts in order: {1, 2}'])
  expect(why('uint8 x[2] = [1]')).toEqual(['[', 'it has 1 elements, and the type allows 2'])
  expect(why('uint8 x = "ab"')).toEqual(['"ab"', 'a text is no uint8'])
  expect(why('uint8 x = [1]')).toEqual(['[', 'uint8 is no list'])
  expect(why('int16/10 x = 4000')).toEqual(['4000', '4000 is outside int16/10 (-3276.8 to 3276.7)'])
  expect(why('blob(4) x = <00>')).toEqual(['<00>', 'these 1 bytes are no packed blob'])
})

test('warnings have the same form', () => {
  const { warnings } = parseDC('/* one /* two */ dclass A { uint16array(0-5) x; };')
  expect(warnings.map(({ severity, column, length }) => [severity, column, length])).toEqual([
    ['warning', 8, 2],
    ['warning', 40, 1],
  ])
  expect(formatErrors(warnings)).toContain('dc:1:8: warning: ')
})
