// Read by `tsc` only: see `every-value-has-its-type.test.ts`.
import { createWorld } from 'bitecs'
import { expectTypeOf } from 'vitest'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { createClient } from 'bitecs-pipes/client'
import { createServer } from 'bitecs-pipes/server'
import {
  array,
  blob,
  bool,
  char,
  dclass,
  defineSchema,
  doId,
  field,
  float32,
  float64,
  int16,
  int32,
  int64,
  int8,
  message,
  molecule,
  otherwise,
  quat48,
  string,
  struct,
  switchOn,
  uint16,
  uint64,
  uint8,
  uint32uint8array,
  when,
  withDefault,
} from 'bitecs-pipes/schema'

const Color = withDefault(uint8(0, 25), 1)
const Vec2 = struct({ x: int16({ divisor: 10 }), y: int16({ divisor: 10 }) })
const Vec3 = struct(Vec2, { z: float64() })
const Item = struct({ kind: Color, name: string(0, 24) })
const Extra = switchOn(
  { kind: uint8() },
  when(1, { text: string() }),
  when([2, 3], { data: blob(), at: Vec2 }),
  otherwise({}),
)

const Node = dclass({
  /** Where it is. */
  position: field(Vec2, 'broadcast', 'ram'),
  heading: field(int16({ divisor: 10, modulus: 360 }), 'broadcast'),
  touch: message({}, 'clsend'),
})
const Named = dclass({ name: field(string(0, 24), 'required'), heading: uint8() })
const Avatar = dclass([Node, Named], {
  health: field(withDefault(uint8(0, 100), 100), 'broadcast', 'ram'),
  place: Vec3,
  color: Color,
  money: int64(),
  debt: int64({ divisor: 100 }),
  total: uint64(0n, 10n),
  exact: int32({ divisor: 1 }),
  fine: int32(-100, 100, { divisor: 1000 }),
  small: int8({ divisor: 2 }),
  letter: char('a', 'z'),
  items: array(Item, 0, 10),
  path: array(array(uint16(), 2)),
  pairs: uint32uint8array(),
  extra: Extra,
  icon: blob(),
  say: message({ text: string(1, 200), at: int64(), where: Vec2, items: array(Item) }, 'clsend', 'my_keyword'),
  unnamed: message([uint8(), string()]),
  open: bool(),
  target: doId(),
  shot: message({ by: doId(), speed: float32(), turn: quat48(), fast: bool() }, 'unreliable'),
  setX: message({ x: uint8() }),
  setY: message({ y: string() }),
  setXY: molecule('setX', 'setY'),
})

export const schema = defineSchema({ Color, Vec2, Vec3, Item, Node, Named, Avatar }, { capacity: 100 })
const { dclasses } = schema

expectTypeOf<keyof typeof dclasses>().toEqualTypeOf<'Node' | 'Named' | 'Avatar'>()
type A = typeof dclasses.Avatar
expectTypeOf<A['position']['x']>().toEqualTypeOf<Float32Array>()
expectTypeOf<A['place']>().toEqualTypeOf<{
  readonly x: Float32Array
  readonly y: Float32Array
  readonly z: Float64Array
}>()
// The first parent's is inherited.
expectTypeOf<A['heading']>().toEqualTypeOf<Float32Array>()
expectTypeOf<A['name']>().toEqualTypeOf<string[]>()
expectTypeOf<A['health']>().toEqualTypeOf<Uint8Array>()
expectTypeOf<A['color']>().toEqualTypeOf<Uint8Array>()
expectTypeOf<A['money']>().toEqualTypeOf<BigInt64Array>()
expectTypeOf<A['debt']>().toEqualTypeOf<Float64Array>()
expectTypeOf<A['total']>().toEqualTypeOf<BigUint64Array>()
expectTypeOf<A['exact']>().toEqualTypeOf<Int32Array>()
expectTypeOf<A['fine']>().toEqualTypeOf<Float64Array>()
expectTypeOf<A['small']>().toEqualTypeOf<Float32Array>()
expectTypeOf<A['letter']>().toEqualTypeOf<Uint8Array>()
expectTypeOf<A['items']>().toEqualTypeOf<{ kind: number; name: string }[][]>()
expectTypeOf<A['path']>().toEqualTypeOf<number[][][]>()
expectTypeOf<A['pairs']>().toEqualTypeOf<{ arg0: number; arg1: number }[][]>()
expectTypeOf<A['extra']>().toEqualTypeOf<
  ({ kind: 1; text: string } | { kind: 2 | 3; data: Uint8Array; at: { x: number; y: number } } | { kind: number })[]
>()
expectTypeOf<A['open']>().toEqualTypeOf<Uint8Array>()
expectTypeOf<A['target']>().toEqualTypeOf<Uint32Array>()
expectTypeOf<A['icon']>().toEqualTypeOf<Uint8Array[]>()

const world = createWorld()
const network = memoryNetwork()
const server = createServer(world, schema, { transport: network.server })
const client = createClient(world, schema, { transport: network.client() })
const { Avatar: avatar } = dclasses
server.on(avatar.say, (eid, args, from) => {
  expectTypeOf(eid).toEqualTypeOf<number>()
  expectTypeOf(from.id).toEqualTypeOf<number>()
  expectTypeOf(args).toEqualTypeOf<{
    text: string
    at: bigint
    where: { x: number; y: number }
    items: { kind: number; name: string }[]
  }>()
})
server.on(avatar.shot, (_, args) =>
  expectTypeOf(args).toEqualTypeOf<{
    by: number
    speed: number
    turn: [x: number, y: number, z: number, w: number]
    fast: boolean
  }>(),
)
server.on(avatar.touch, (_, args) => expectTypeOf(args).toEqualTypeOf<{}>())
client.on(avatar.unnamed, (_, args) => expectTypeOf(args).toEqualTypeOf<{ arg0: number; arg1: string }>())
client.on(avatar.setXY, (_, args) => expectTypeOf(args).toEqualTypeOf<{ x: number; y: string }>())

client.sendUpdate(1, avatar.setXY, { x: 1, y: 'two' })
// @ts-expect-error y is a text
client.sendUpdate(1, avatar.setXY, { x: 1, y: 2 })
// @ts-expect-error an argument is missing
client.sendUpdate(1, avatar.setXY, { x: 1 })
// @ts-expect-error there is no z
client.sendUpdate(1, avatar.setXY, { x: 1, y: 'two', z: 3 })
// @ts-expect-error a field is no message
server.sendUpdate(1, avatar.health, 3)
// @ts-expect-error no such field
void avatar.nothing
// @ts-expect-error a default must fit its type
withDefault(uint8(), 'one')
// @ts-expect-error bigints are for 64 bits
withDefault(uint8(), 1n)
// @ts-expect-error a struct is no base of a dclass
dclass(Vec2, {})
// @ts-expect-error a message is no type
array(message({}))
expectTypeOf(dclasses.Node.position).toEqualTypeOf(dclasses.Avatar.position)
