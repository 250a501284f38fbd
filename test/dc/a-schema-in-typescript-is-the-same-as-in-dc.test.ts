import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fileOf } from '../../src/components/index.ts'
import { compileDC, defaultValue, parseDC, parseSchema, PRELUDE, type DCParameterField } from '../../src/dc/index.ts'
import {
  array,
  bool,
  dclass,
  defineSchema,
  doId,
  field,
  float16,
  float32,
  float64,
  int16,
  int64,
  message,
  molecule,
  quat32,
  quat48,
  string,
  struct,
  toDC,
  uint8,
  withDefault,
} from '../../src/schema.ts'
import { schemaPairs } from './random-schema.ts'

test('any schema has the same model and hash, whichever way it was declared', () => {
  let classes = 0
  fc.assert(
    fc.property(schemaPairs, ({ dc, declarations, keywords }) => {
      const { file, errors } = parseDC(dc)
      expect(errors, dc).toEqual([])
      const declared = fileOf(declarations, { keywords })
      expect(declared.hash, dc).toBe(file.hash)
      expect(declared.structureHash, dc).toBe(file.structureHash)
      expect(compileDC(declared)).toBe(compileDC(file))
      classes += file.classes.length
    }),
    { numRuns: 150 },
  )
  expect(classes, 'the schemas are not all empty').toBeGreaterThan(100)
})

const hashOf = (dc: string): number => {
  const { file, errors } = parseDC(dc)
  expect(errors).toEqual([])
  return file.hash
}

test('a schema in TypeScript reads like one in DC, and can be written as such', () => {
  const Vec2 = struct({ x: int16({ divisor: 10 }), y: int16({ divisor: 10 }) })
  const Color = withDefault(uint8(0, 25), 1)
  const Node = dclass({ position: field(Vec2, 'broadcast', 'ram', 'interp_linear') })
  const Avatar = dclass(Node, {
    name: field(string(0, 24), 'required'),
    heading: int16({ divisor: 10, modulus: 360 }),
    color: Color,
    path: array(array(Vec2), 2),
    home: withDefault(Vec2, { y: 1.5, x: -2 }),
    tiny: withDefault(float64(), 1e-7),
    huge: withDefault(float64(), 1e25),
    big: int64(-(2n ** 63n), -1n),
    setX: message({ x: uint8() }, 'ownsend'),
    setText: message([string()], 'ownsend'),
    setAll: molecule('setX', 'setText'),
  })
  const text = toDC({ Vec2, Color, Node, Avatar })
  expect(text).toBe(`keyword interp_linear;
struct Vec2 {
  int16/10 x;
  int16/10 y;
};
typedef uint8(0 - 25) Color = 1;
dclass Node {
  Vec2 position broadcast ram interp_linear;
};
dclass Avatar : Node {
  string(0 - 24) name required;
  int16/10%360 heading;
  Color color;
  Vec2[2][] path;
  Vec2 home = {-2, 1.5};
  float64 tiny = 1.e-7;
  float64 huge = 1.e+25;
  int64(-9223372036854775808 - -1) big;
  setX(uint8 x) ownsend;
  setText(string) ownsend;
  setAll : setX, setText;
};
`)
  const schema = defineSchema({ Vec2, Color, Node, Avatar }, { capacity: 7 })
  expect(schema.hash).toBe(hashOf(text))
  expect(schema.dclasses.Avatar.position.x).toBeInstanceOf(Float32Array)
  expect(schema.dclasses.Avatar.position.x).toHaveLength(7)
  expect(schema.dclasses.Avatar.position).toBe(schema.dclasses.Node.position)
  expect(schema.dclasses.Avatar.setAll.field.kind).toBe('molecular')
})

test('types of the prelude are those of the prelude', () => {
  const A = dclass({
    speed: withDefault(float32(), 1.5),
    half: float16(),
    turn: withDefault(quat48(), [0, 0, 0, 1]),
    spin: quat32(),
    open: withDefault(bool(), true),
    target: doId(),
    shot: message({ by: doId(), turn: quat32(), fast: bool() }, 'unreliable'),
  })
  const turn = /quat48 turn = (<.*>);/.exec(toDC({ A }))![1]
  const { file, errors } = parseSchema(`dclass A {
    float32 speed = <0000c03f>;
    float16 half;
    quat48 turn = ${turn};
    quat32 spin;
    bool open = 1;
    DoId target;
    shot(DoId by, quat32 turn, bool fast) unreliable;
  };`)
  expect(errors).toEqual([])
  const declared = fileOf({ A })
  const field = declared.fields[2] as DCParameterField
  expect(defaultValue(field)).toEqual([0, 0, 0, 1])
  expect(declared.hash).toBe(file.hash)
  expect(declared.structureHash).toBe(file.structureHash)
  expect(PRELUDE.text, 'the same typedefs').toContain('typedef blob(6) quat48;')
  // The columns that the types in declare.ts promise.
  const { dclasses } = defineSchema({ A }, { capacity: 3 })
  const kinds = Object.entries(dclasses.A).map(([name, column]) => [name, column.constructor.name])
  expect(Object.fromEntries(kinds)).toEqual({
    speed: 'Float32Array',
    half: 'Float32Array',
    turn: 'Object',
    spin: 'Object',
    open: 'Uint8Array',
    target: 'Uint32Array',
    shot: 'Object',
  })
})

test('a keyword of Panda3D can be declared anew, and is hashed as any other then', () => {
  const A = dclass({ x: field(uint8(), 'ram') })
  expect(fileOf({ A }).hash).toBe(hashOf('dclass A { uint8 x ram; };'))
  expect(fileOf({ A }, { keywords: ['ram'] }).hash).toBe(hashOf('keyword ram; dclass A { uint8 x ram; };'))
  expect(fileOf({ A }).hash).not.toBe(fileOf({ A }, { keywords: ['ram'] }).hash)
})

test('a method named as its struct is the constructor', () => {
  const Vec2 = struct({ Vec2: message({ x: uint8(), y: uint8() }), z: uint8() })
  expect(fileOf({ Vec2 }).classByName('Vec2')!.constructorField?.parameters).toHaveLength(2)
})

test('mistakes are told by class and field', () => {
  const Node = dclass({ x: uint8() })
  const Late = dclass(Node, {})
  expect(() => fileOf({ Late, Node })).toThrow('Late inherits from Node, which is declared after it: move Node up')
  expect(() => fileOf({ Late })).toThrow('Late inherits from a dclass that the schema does not name')
  expect(() => fileOf({ A: Node, B: Node })).toThrow('B is the same declaration as A')
  expect(() => fileOf({ 'my class': Node })).toThrow('"my class" is no name')
  expect(() => fileOf({ A: dclass({ 'a;b': uint8() }) })).toThrow('A.a;b: "a;b" is no name')
  expect(() => fileOf({ A: dclass({ a: field(uint8(), 'x; y') }) })).toThrow('"x; y" is no name')
  expect(() => fileOf({ A: dclass({ a: array(withDefault(uint8(), 1)) }) })).toThrow(
    'A.a has a default inside of a type',
  )
  expect(() => fileOf({ A: dclass({ a: withDefault(float64(), NaN) }) })).toThrow('A.a has the default NaN')
  expect(() => fileOf({ A: dclass({ a: 5 as any }) })).toThrow('A.a is no DC type')
  expect(() => fileOf({ A: dclass({ ok: uint8(), health: uint8(0, 500) }) })).toThrow(
    /^The schema has an error:\n {2}A\.health: Inappropriate range for type uint8.*, in `uint8\(0 - 500\) health;`$/,
  )
  expect(() => fileOf({ A: dclass({ health: withDefault(uint8(0, 5), 9) }) })).toThrow(
    'A.health: Invalid default value',
  )
  expect(() => fileOf({ A: dclass({ setX: message({ ram: uint8() }) }) })).toThrow('A.setX: ')
})
