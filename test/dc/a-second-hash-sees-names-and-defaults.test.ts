import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText, compileDC, loadDC, parseDC } from '../../src/dc/index.ts'

const read = (text: string) => {
  const { file, errors } = parseDC(text)
  expect(errors).toEqual([])
  return file
}

/** FNV-1a as its authors give it, on integers of any size: slow, and not ours. */
const fnv = (text: string): bigint => {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

const ALL = `
keyword interp_linear unreliable;
typedef uint8(0-25) Color = 3;
typedef int16/100(-40 - 40)[2] Pair;
struct Vec2 { int16/10 x; int16/10 y; };
struct Mix {
  Mix(uint8 seed);
  Color colors[3];
  Pair pairs[2][];
  switch Kind (uint8 kind) { case 1: string text; case 2: break; default: uint8 other = 4; } kind;
  struct Inner { float64(0.1-0.5) share; } inner;
  int64(-5 - 9223372036854775807) large = -3;
  int16array/10(0-5) old;
};
dclass Node { Vec2 position broadcast ram interp_linear; int16/10%360 heading = 90; };
dclass Avatar : Node {
  string(0-24) name = "Ada" required broadcast ram;
  blob long = <${'4b00' + '00'.repeat(75)}>;
  say(string(1-200) text, Color color = 7) clsend unreliable;
  step(int8 by) clsend unreliable;
  both : say, step;
};
`

test('it is FNV-1a of a text that anybody can write down', () => {
  const file = read(ALL)
  expect(canonicalText(file)).toBe(
    `struct Vec2
0 int16/10 x
1 int16/10 y
struct Mix
-1 Mix(uint8 seed)
2 (Color{uint8(0..25)} = 3)[3] colors
3 Pair{int16/100(-40..40)[2]}[2][] pairs
4 switch Kind (uint8 kind) { case <01>: string text; case <02>: default: uint8 other = 4; } kind
6 struct Inner { float64(0.1..0.5) share; } inner
7 int64(-5..9223372036854775807) large = -3
8 int16array/10(0..5) old
dclass Node
9 Vec2 position broadcast interp_linear ram
10 int16/10%360 heading = 90
dclass Avatar : Node
11 string(0..24) name = <0300416461> broadcast ram required
12 blob long = <77 bytes ${fnv('4b00' + '00'.repeat(75))
      .toString(16)
      .padStart(16, '0')}>
13 say(string(1..200) text, Color{uint8(0..25)} color = 7) clsend unreliable
14 step(int8 by) clsend unreliable
15 both : say, step
`,
  )
  expect(file.structureHash).toBe(fnv(canonicalText(file)))
})

test('a compiled schema has the same one', () => {
  const file = read(`${ALL} typedef uint16 SchemaVersion = 300;`)
  const loaded = loadDC(compileDC(file))
  expect([loaded.hash, loaded.structureHash, loaded.version]).toEqual([file.hash, file.structureHash, 300])
  expect(canonicalText(loaded)).toBe(canonicalText(file))
})

test("it sees what Panda3D's hash does not", () => {
  const base = 'struct P { int8 x; int8 y; }; dclass A { P at; uint8 b = 1; set(uint8 to); };'
  const same = read(base)
  for (const [from, to] of [
    ['int8 x; int8 y', 'int8 y; int8 x'],
    ['uint8 b', 'uint8 b[]'],
    ['b = 1', 'b = 2'],
    ['uint8 b', 'uint8 c'],
    ['uint8 to', 'uint8 by'],
  ] as const) {
    const other = read(base.replace(from, to).replace('[] = 1', '[]'))
    expect(other.hash, `Panda3D takes ${to} for ${from}`).toBe(same.hash)
    expect(other.structureHash, to).not.toBe(same.structureHash)
  }
  const named = read(`typedef uint8 T; ${base.replace('uint8 b', 'T b')}`)
  expect([named.hash === same.hash, named.structureHash === same.structureHash]).toEqual([true, false])
})

test('what is not used, and what is only written otherwise, is not in it', () => {
  const plain = read('dclass A { int16/100 x broadcast ram; };')
  for (const text of [
    'keyword unused; typedef uint8 T; switch S (uint8 k) { case 1: break; }; dclass A { int16/100 x broadcast ram; };',
    'from a import b/AI dclass A { // a comment\n int16 x /100 ram broadcast; }',
    'typedef uint16 SchemaVersion = 9; dclass A { int16/100 x broadcast ram broadcast; };',
  ])
    expect(read(text).structureHash, text).toBe(plain.structureHash)
})

test('each order and number is in it', () => {
  const names = ['A', 'B', 'C']
  const order = fc.shuffledSubarray(names, { minLength: 3 })
  const text = (classes: string[]) => classes.map(name => `dclass ${name} { uint8 ${name.toLowerCase()}; };`).join('')
  fc.assert(
    fc.property(order, order, (first, second) => {
      const isSame = String(first) === String(second)
      expect(read(text(first)).structureHash === read(text(second)).structureHash).toBe(isSame)
    }),
    { numRuns: 30 },
  )
})

test('a version is a typedef that nothing uses', () => {
  expect(read('dclass A { };').version).toBe(0)
  expect(read('typedef uint16 SchemaVersion = 4;').version).toBe(4)
  expect(read('typedef uint32 SchemaVersion = 4294967295;').version).toBe(0xffffffff)
  expect(read('typedef string SchemaVersion = "four";').version, 'one that is no number counts as none').toBe(0)
  expect(read('typedef uint16 SchemaVersion;').version).toBe(0)
})
