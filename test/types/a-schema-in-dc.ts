// Read by `tsc` only: see `every-value-has-its-type.test.ts`.
import { createWorld } from 'bitecs'
import { createClient } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { readDC } from 'bitecs-pipes/node'
import { createServer } from 'bitecs-pipes/server'
import { expectTypeOf } from 'vitest'
import schema, { Avatar, Node } from './game.dc'
import type * as game from './game.dc'

expectTypeOf(Avatar.position.x).toEqualTypeOf<Float32Array>()
expectTypeOf(Avatar.position).toEqualTypeOf(Node.position)
expectTypeOf(Avatar.name).toEqualTypeOf<string[]>()
expectTypeOf(Avatar.health).toEqualTypeOf<Uint8Array>()
expectTypeOf(Avatar.money).toEqualTypeOf<BigInt64Array>()
expectTypeOf(Avatar.debt).toEqualTypeOf<Float64Array>()
expectTypeOf(Avatar.exact).toEqualTypeOf<Float64Array>()
expectTypeOf(Avatar.icon).toEqualTypeOf<Uint8Array[]>()
expectTypeOf(Avatar.open).toEqualTypeOf<Uint8Array>()
expectTypeOf(Avatar.target).toEqualTypeOf<Uint32Array>()
expectTypeOf(Avatar.items).toEqualTypeOf<{ kind: number; name: string }[][]>()
expectTypeOf(Avatar.path).toEqualTypeOf<number[][][]>()
expectTypeOf(Avatar.extra).toEqualTypeOf<
  ({ kind: 1; text: string } | { kind: 2 | 3; data: Uint8Array } | { kind: number })[]
>()
expectTypeOf(schema.dclasses.Avatar).toEqualTypeOf(Avatar)
expectTypeOf<keyof typeof schema.dclasses>().toEqualTypeOf<'Node' | 'Avatar'>()
// @ts-expect-error no such field
void Avatar.helth
// @ts-expect-error columns stay where they are
Avatar.health = new Uint8Array(1)
// @ts-expect-error a number, not a text
Avatar.health[1] = 'full'

const world = createWorld()
const network = memoryNetwork()
const server = createServer(world, schema, { transport: network.server })
const client = createClient(world, schema, { transport: network.client() })

server.on(Avatar.say, (eid, { text, where }, from) => {
  expectTypeOf(eid).toEqualTypeOf<number>()
  expectTypeOf(text).toEqualTypeOf<string>()
  expectTypeOf(where).toEqualTypeOf<{ x: number; y: number }>()
  server.sendUpdate(eid, Avatar.said, { name: Avatar.name[eid]!, text, items: [{ kind: 1, name: 'hat' }] }, from)
})
server.on(Avatar.shot, (_, args) =>
  expectTypeOf(args).toEqualTypeOf<{
    by: number
    speed: number
    turn: [x: number, y: number, z: number, w: number]
    fast: boolean
  }>(),
)
client.on(Avatar.setXY, (_, args) => expectTypeOf(args).toEqualTypeOf<{ x: number; y: string }>())
// @ts-expect-error the handler's parameters are the message's
server.on(Avatar.say, (_eid, { txt }) => txt)
// @ts-expect-error a handler cannot choose its own
server.on(Avatar.say, (_eid: number, args: { text: number }) => args)
// @ts-expect-error an argument is missing
server.sendUpdate(1, Avatar.said, { name: 'Ada', text: 'hi' })
// @ts-expect-error no arguments at all
server.sendUpdate(1, Avatar.said, {})
// @ts-expect-error an argument is of another type
server.sendUpdate(1, Avatar.said, { name: 'Ada', text: 5, items: [] })
// @ts-expect-error a surplus argument
client.sendUpdate(1, Avatar.say, { text: 'hi', where: { x: 1, y: 2 }, loud: true })
// @ts-expect-error a field is no message
server.on(Avatar.health, () => {})

expectTypeOf(readDC<typeof game>('game.dc')).toEqualTypeOf(schema)
// Without its types, everything goes.
const unknown = readDC('game.dc').dclasses
expectTypeOf(unknown['Avatar']!.health).toBeAny()
