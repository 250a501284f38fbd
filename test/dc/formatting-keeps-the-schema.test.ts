import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileDC, formatDC, parseDC } from '../../src/dc/index.ts'
import { schemaPairs } from './random-schema.ts'
import accepts from './vectors/accepts.json' with { type: 'json' }

const format = (text: string): string => {
  const { text: formatted, problem } = formatDC(text)
  expect(problem, text).toBeUndefined()
  return formatted
}

/** Formats, and checks all that must hold of any text. */
const check = (text: string): string => {
  const formatted = format(text)
  expect(format(formatted), text).toBe(formatted)
  const [before, after] = [text, formatted].map(each => parseDC(each, { strict: false }))
  expect(after!.file.hash, formatted).toBe(before!.file.hash)
  expect(compileDC(after!.file), formatted).toBe(compileDC(before!.file))
  return formatted
}

test('any schema is the same after formatting, and formatting again changes nothing', () => {
  fc.assert(
    fc.property(schemaPairs, ({ dc }) => void check(dc)),
    { numRuns: 100 },
  )
})

test("Panda3D's own texts are the same after formatting", () => {
  for (const { dc } of accepts) check(dc)
  expect(accepts.length).toBeGreaterThan(30)
})

test('the schemas of the examples are in the style', () => {
  for (const name of ['lobby', 'terminal']) {
    const text = readFileSync(join(import.meta.dirname, `../../dc/${name}.dc`), 'utf8')
    expect(format(text)).toBe(text)
  }
})

test('text that is no DC is left alone, with the line to look at', () => {
  expect(formatDC('dclass A {\n  uint8 x;\n')).toEqual({
    text: 'dclass A {\n  uint8 x;\n',
    problem: { line: 1, message: '{ is never closed' },
  })
  expect(formatDC('dclass A {\n  uint8 x);\n};').problem).toEqual({ line: 2, message: ') closes nothing that is open' })
  expect(formatDC('dclass A {\n  string s = "x;\n};').problem).toEqual({ line: 2, message: 'No DC: "\\"x;\\n};"' })
  expect(formatDC('/* ').problem?.line).toBe(1)
  expect(format('dclass A { uint8 x };'), 'a forgotten semicolon stays an error').toBe('dclass A { uint8 x };\n')
})

test('no text makes it throw', () => {
  const scraps =
    'dclass struct switch case default typedef import from a 1 -2 0.5 "s" <00> { } ( ) [ ] ; : , = * / % . - /*c*/'.split(
      ' ',
    )
  const scrap = fc.constantFrom(...scraps, '// c\n', '\n')
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 30 }), list => {
      const { text, problem } = formatDC(list.join(' '))
      if (!problem) expect(formatDC(text).problem).toBeUndefined()
    }),
    { numRuns: 1000 },
  )
})

test('comments, short bodies and single blank lines stay where they are', () => {
  const text = `\ufeff// file

// about A
dclass   A:B , C{ // body

/* block
 * of lines */ uint8 x ; // behind


  int16/ 10 %360 y [ 0 - 5 ] [] = [ 1,2 ]   required broadcast;;
  f ( string( 1 - 200 ) text , /* why */ int8(-5 -1) a,int8(-5 - 3) b ) clsend
    ; /* last */
  g:f , f;
  struct{uint8 a;uint8 b;} pair = {1,{2}*3};
  switch(uint8 k){case 1:string s; break;
    // the rest
    default: blob b = <0000>; }z [];
  // nothing more
}
keyword a  b
from m.n import X / AI ,Y
import z
// end
struct Vec2{int16/10 x;int16/10 y;};typedef uint8 T`
  expect(format(text)).toBe(`// file

// about A
dclass A : B, C { // body
  /* block
   * of lines */
  uint8 x; // behind

  int16/10%360 y[0-5][] = [1, 2] required broadcast;
  f(string(1-200) text, /* why */ int8(-5 - 1) a, int8(-5 - 3) b) clsend; /* last */
  g : f, f;
  struct { uint8 a; uint8 b; } pair = {1, {2}*3};
  switch (uint8 k) {
    case 1:
      string s;
      break;
    // the rest
    default:
      blob b = <0000>;
  } z[];
  // nothing more
};
keyword a b;
from m.n import X/AI, Y
import z
// end
struct Vec2 { int16/10 x; int16/10 y; };
typedef uint8 T;
`)
})

test('line ends stay those of the file', () => {
  const text = '// a\r\ndclass A {\r\n  /* b\r\n   * c */\r\n  string s = "x\\\r\ny";\r\n};\r\n'
  expect(check(text)).toBe(text)
  expect(check(text.replace('dclass', 'dclass  '))).toBe(text)
})

test('long lines are broken between parameters', () => {
  const parameters = Array.from({ length: 12 }, (_, i) => `uint16 parameter${i}`).join(', ')
  const formatted = format(`dclass A { f(${parameters}) broadcast; };`)
  expect(formatted.split('\n').every(line => line.length <= 100)).toBe(true)
  expect(formatted.split('\n')).toHaveLength(6)
  expect(format(formatted)).toBe(formatted)
})
