import { describe, expect, it, test } from 'vitest'
import { columnKind, declareTypes, type DCParameterField } from '../../src/dc/index.ts'
import { schemaOf, typeOf } from './plain.ts'

test('each dclass becomes a constant with its columns and messages, inherited ones included', () => {
  const text = declareTypes(
    schemaOf(`
    // Metres.
    struct Vec3 {
      int16/100 x;  // to the east
      int16/100(-40 - 40) y;
      uint8 z;
    };
    // Anything with a place.
    dclass Node { Vec3 position broadcast ram; };
    dclass Avatar : Node {
      string(0-24) name required broadcast ram;
      int16/10%360 heading = 90 broadcast; // degrees
      uint8(0-100) health = 100 broadcast ram;
      uint16 path[][2];
      say(string(1-200) text, int64 at, Vec3 where, uint8) clsend;
      switch (uint8 kind) { case 1: string s; break; default: blob b; } extra[];
    };`),
  )
  expect(text).toBe(`// Generated from the DC file beside it. Do not edit.
import type { DClass, Message, Schema } from 'bitecs-pipes'

/**
 * Anything with a place.
 * \`dclass Node\`
 */
export declare const Node: DClass & {
  /**
   * Metres.
   * \`Vec3 position broadcast ram\`
   */
  readonly position: {
    /**
     * to the east
     * \`int16/100 x\`: -327.68 to 327.67 in steps of 0.01
     */
    readonly x: Float32Array
    /** \`int16/100(-40 - 40) y\`: -40 to 40 in steps of 0.01 */
    readonly y: Float32Array
    /** \`uint8 z\`: 0 to 255 */
    readonly z: Uint8Array
  }
}

/** \`dclass Avatar : Node\` */
export declare const Avatar: DClass & {
  /**
   * Metres.
   * \`Vec3 position broadcast ram\`
   */
  readonly position: {
    /**
     * to the east
     * \`int16/100 x\`: -327.68 to 327.67 in steps of 0.01
     */
    readonly x: Float32Array
    /** \`int16/100(-40 - 40) y\`: -40 to 40 in steps of 0.01 */
    readonly y: Float32Array
    /** \`uint8 z\`: 0 to 255 */
    readonly z: Uint8Array
  }
  /** \`string(0-24) name required broadcast ram\`: 0 to 24 bytes of UTF-8 */
  readonly name: string[]
  /**
   * degrees
   * \`int16/10%360 heading broadcast\`: 0 to 359.9 in steps of 0.1, wraps around at 360, default 90
   */
  readonly heading: Float32Array
  /** \`uint8(0-100) health broadcast ram\`: 0 to 100, default 100 */
  readonly health: Uint8Array
  /** \`uint16 path[][2]\` */
  readonly path: number[][][]
  /**
   * \`say(string(1-200) text, int64 at, Vec3 where, uint8) clsend\`
   * - text: 1 to 200 bytes of UTF-8
   * - arg3: 0 to 255
   */
  readonly say: Message<{ text: string; at: bigint; where: { x: number; y: number; z: number }; arg3: number }>
  /** \`switch extra[]\` */
  readonly extra: ({ kind: 1; s: string } | { kind: number; b: Uint8Array })[][]
}

declare const schema: Schema<{
  readonly Node: typeof Node
  readonly Avatar: typeof Avatar
}>
export default schema
`)
})

test('names that TypeScript or the file itself needs are exported under another hand', () => {
  const text = declareTypes(schemaOf('dclass Schema { }; dclass delete { }; /* a *\\/ b */ dclass Fine { };'))
  expect(text).toContain('declare const dc_Schema: DClass & {\n}\nexport { dc_Schema as Schema }')
  expect(text).toContain('export { dc_delete as delete }')
  expect(text).toContain('readonly delete: typeof dc_delete')
})

test('the key of a switch tells its cases apart', () => {
  const extra = (declaration: string) =>
    /extra: (.*)\n/.exec(declareTypes(schemaOf(`dclass A { ${declaration} extra; };`)))![1]
  expect(extra('switch (uint8 k) { case 1: case 2: string s; break; case 3: break; }')).toBe(
    '({ k: 1 | 2; s: string } | { k: 3 })[]',
  )
  expect(extra('switch (string k) { case "a": string s; break; default: break; }')).toBe(
    '({ k: "a"; s: string } | { k: string })[]',
  )
  expect(extra('switch (int64 k) { case -5: break; }')).toBe('{ k: -5n }[]')
  expect(extra('switch (uint8 k) { case 1: break; default: break; }')).toBe('{ k: number }[]')
  expect(extra('switch (f(uint8 a)) { case {1}: break; }')).toBe('{ f: { a: number } }[]')
})

describe('columns', () => {
  it.each([
    ['int8', 'Int8Array'],
    ['uint8', 'Uint8Array'],
    ['int16', 'Int16Array'],
    ['uint16', 'Uint16Array'],
    ['int32', 'Int32Array'],
    ['uint32', 'Uint32Array'],
    ['int64', 'BigInt64Array'],
    ['uint64', 'BigUint64Array'],
    ['float64', 'Float64Array'],
    ['float64/10', 'Float64Array'],
    ['char', 'Uint8Array'],
    ['int8/2', 'Float32Array'],
    ['uint16%360', 'Float32Array'],
    ['int32/1000', 'Float64Array'],
    ['int64/10', 'Float64Array'],
  ])('%s is a %s', (type, array) => {
    expect(columnKind((typeOf(`${type} v`) as DCParameterField).type)).toMatchObject({ kind: 'scalar', array })
  })

  it.each([
    'string v',
    'blob v',
    'uint8 v[]',
    'struct { uint8 a; string b; } v',
    'struct { } v',
    'struct { f(uint8 a); } v',
    'struct { uint8; } v',
  ])('%s is a list of values', declaration => {
    expect(columnKind((typeOf(declaration) as DCParameterField).type).kind).toBe('value')
  })

  it('are nested for structs of scalars', () => {
    expect(
      columnKind((typeOf('struct { uint8 a; struct { int16/10 c; } b; } v') as DCParameterField).type),
    ).toMatchObject({
      kind: 'struct',
      fields: [
        { name: 'a', column: { kind: 'scalar', array: 'Uint8Array' } },
        { name: 'b', column: { kind: 'struct', fields: [{ name: 'c', column: { array: 'Float32Array' } }] } },
      ],
    })
  })
})
