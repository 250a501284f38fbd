import type { Server, ServerClient } from 'bitecs-pipes/server'
import { dclass, defineSchema, field, float64, int16, int64, message, string, struct } from 'bitecs-pipes/schema'
import { expectTypeOf, test } from 'vitest'

const Vec2 = struct({ x: int16(), y: int16() })
const { dclasses } = defineSchema({
  Vec2,
  Ship: dclass({
    position: field(Vec2, 'broadcast', 'ownsend'),
    heat: field(float64(), 'broadcast', 'ownsend'),
    age: field(int64(), 'broadcast', 'clsend'),
    name: field(string(), 'broadcast', 'ownsend'),
    setFlag: message({ flag: string() }, 'required', 'broadcast'),
  }),
})

test('values by the names of their columns, arguments by those of the schema', () => {
  const { Ship } = dclasses
  // Never run: the types are what counts.
  const check = (server: Server, ada: ServerClient) => {
    server.validate(Ship.position, (_, position) => {
      expectTypeOf(position).toEqualTypeOf<{ x: number; y: number }>()
      position.x = Math.min(position.x, 5)
      return position
    })
    server.validate(Ship.heat, (_, heat, client) => (client.id === 1 ? undefined : heat))
    server.validate(Ship.age, (_, age) => {
      expectTypeOf(age).toEqualTypeOf<bigint>()
      return age + 1n
    })
    server.validate(Ship.name, (_, name) => {
      expectTypeOf(name).toEqualTypeOf<string>()
      return name.trim()
    })
    // @ts-expect-error a number is no text
    server.validate(Ship.name, () => 5)
    server.provide(Ship.setFlag, () => ({ flag: 'Jolly Roger' }))
    // @ts-expect-error it has no such argument
    server.provide(Ship.setFlag, () => ({ flagg: '' }))
    for (const to of [ada, [ada], 'owner', 'interested', { except: ada }, { except: ['owner', ada] }] as const)
      server.sendUpdate(1, Ship.setFlag, { flag: '' }, to)
    // @ts-expect-error there is no such target
    server.sendUpdate(1, Ship.setFlag, { flag: '' }, 'everyone')
  }
  expectTypeOf(check).toBeFunction()
})
