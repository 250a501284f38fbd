import { addComponent, addEntity, hasComponent, observe, onAdd, onRemove, query, removeEntity, set } from 'bitecs'
import { Owned } from 'bitecs-pipes/client'
import type { ServerClient, ServerOptions } from 'bitecs-pipes/server'
import { describe, expect, test } from 'vitest'
import { createBreakable } from '../support/breakable.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  string name required broadcast ram;
  int16 x broadcast ownsend;
  string secret ownrecv;
  uint32 pin ownrecv;
};
dclass Chest : Avatar { uint8 coins broadcast; };
`

const stage = async (options: Partial<ServerOptions> = {}) => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.02 }, server: { codec: 'plain', ...options } })
  const line = createBreakable(worlds.network)
  const ada = worlds.addGuest({ transport: line.transport })
  await worlds.settle(ada.client.connect({ name: 'Ada' }))
  const bob = await worlds.join({ name: 'Bob' })
  await worlds.settle(Promise.all([ada.client.interest.set([1]), bob.client.interest.set([1])]))
  /** What each client was sent so far, as text. */
  const sent: Record<string, string> = {}
  worlds.network.tap = (direction, packet, client) => {
    if (direction === 'down') sent[client] = (sent[client] ?? '') + Buffer.from(packet).toString('latin1')
  }
  return { worlds, line, ada, bob, sent }
}

const ownerOf = (worlds: Worlds, eid: number) => worlds.schema.DistributedObject.owner[eid]!
const owns = (worlds: Worlds, guest: Guest, eid: number) => {
  const own = seenBy(worlds, guest, eid)
  return own === 0 ? undefined : hasComponent(guest.world, own, Owned)
}

describe('when its session is over, an object', () => {
  const leave = async (options: Partial<ServerOptions>) => {
    const { worlds, ada, bob } = await stage(options)
    const avatar = spawn(worlds, 'Avatar', { name: 'mine' }, 1, clientOf(worlds, ada))
    const chest = spawn(worlds, 'Chest', { name: 'chest' }, 1, clientOf(worlds, ada))
    const fresh = addEntity(worlds.world)
    addComponent(worlds.world, fresh, set(worlds.schema.dclasses.Avatar, { name: 'in no zone' }))
    worlds.schema.DistributedObject.owner[fresh] = ada.client.clientId
    const others = spawn(worlds, 'Avatar', { name: 'other' }, 1, clientOf(worlds, bob))
    worlds.run(20)
    ada.client.disconnect()
    worlds.run(20)
    const left = [avatar, chest, fresh, others].map(eid =>
      hasComponent(worlds.world, eid, worlds.schema.DistributedObject) ? ownerOf(worlds, eid) : 'gone',
    )
    // Of an object that nobody owns any more the others hear that, too.
    const { owner } = bob.schema.DistributedObject
    const shown = [avatar, chest, others].map(eid => {
      const seen = seenBy(worlds, bob, eid)
      return seen === 0 ? undefined : owner[seen]
    })
    await worlds.end()
    return [left, shown]
  }

  test('is removed, if nothing is said', async () => {
    expect(await leave({})).toEqual([
      ['gone', 'gone', 'gone', 2],
      [undefined, undefined, 2],
    ])
  })

  test.each(['compare', 'mark'] as const)('is kept (detect: %s)', async detect => {
    expect(await leave({ whenOwnerLeaves: 'keep', detect })).toEqual([
      [0, 0, 0, 2],
      [0, 0, 2],
    ])
  })

  test('has the fate that the game says, by its class or otherwise, and may be handed over', async () => {
    const asked: unknown[] = []
    const result = await leave({
      whenOwnerLeaves: (eid, client, reason) => {
        asked.push([client.data.name, reason])
        return asked.length === 1 ? 'remove' : asked.length === 2 ? ({ id: 2 } as ServerClient) : 'keep'
      },
    })
    expect(asked.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => ['Ada', 'closed']))
    expect(result).toEqual([
      ['gone', 2, 0, 2],
      [undefined, 2, 2],
    ])
  })

  test("is the server's when the heir is not there, and removed when the game fails to say", async () => {
    const errors: string[] = []
    const onError = (error: unknown, where: string) => void errors.push(`${where}: ${String(error)}`)
    expect((await leave({ onError, whenOwnerLeaves: (_eid, client) => client }))[0]).toEqual([0, 0, 0, 2])
    expect(errors[0]).toMatch(/whenOwnerLeaves: Error: Client 1 is not connected: entity \d+ stays with the server/)
    const fail = () => {
      throw new Error('no will')
    }
    expect((await leave({ onError, whenOwnerLeaves: fail }))[0]).toEqual(['gone', 'gone', 'gone', 2])
    expect(errors.at(-1)).toBe('whenOwnerLeaves: Error: no will')
  })

  test('that onLeave gave to somebody, or removed, is not asked about', async () => {
    let asked = 0
    const { worlds, ada, bob } = await stage({ whenOwnerLeaves: () => (asked++, 'remove') })
    const avatar = spawn(worlds, 'Avatar', { name: 'mine' }, 1, clientOf(worlds, ada))
    const chest = spawn(worlds, 'Chest', { name: 'chest' }, 1, clientOf(worlds, ada))
    const heir = clientOf(worlds, bob)
    const stop = worlds.server.onLeave(() => {
      worlds.server.place(avatar, 1, heir)
      removeEntity(worlds.world, chest)
    })
    worlds.run(20)
    ada.client.disconnect()
    worlds.run(20)
    stop()
    expect([asked, ownerOf(worlds, avatar), owns(worlds, bob, avatar)]).toEqual([0, 2, true])
    await worlds.end()
  })

  test('stays while the session may come back', async () => {
    const { worlds, line, ada, bob } = await stage({ resumeTime: 2 })
    const avatar = spawn(worlds, 'Avatar', { name: 'mine' }, 1, clientOf(worlds, ada))
    worlds.run(20)
    line.isReachable = false
    line.cut()
    worlds.run(110)
    expect([ownerOf(worlds, avatar), owns(worlds, bob, avatar)]).toEqual([1, false])
    worlds.run(30)
    expect(query(worlds.world, [worlds.schema.dclasses.Avatar])).toHaveLength(0)
    await worlds.end()
  })
})

test('given, handed over and taken back: both sides are told, and an owner alone writes', async () => {
  const { worlds, ada, bob } = await stage()
  const told: string[] = []
  worlds.server.onOwner((eid, owner, before) => told.push(`server: ${before} -> ${owner} ${eid === avatar}`))
  for (const [name, guest] of Object.entries({ ada, bob })) {
    observe(guest.world, onAdd(guest.schema.dclasses.Avatar, Owned), () => told.push(`${name} owns`))
    observe(guest.world, onRemove(Owned), () => told.push(`${name} owns no more`))
  }
  const avatar: number = spawn(worlds, 'Avatar', { name: 'mine' }, 1, clientOf(worlds, ada))
  worlds.run(20)
  worlds.server.place(avatar, 1, clientOf(worlds, bob))
  worlds.run(20)
  expect(owns(worlds, ada, avatar)).toBe(false)
  const at = (guest: Guest) => seenBy(worlds, guest, avatar)
  ada.schema.dclasses.Avatar.x[at(ada)] = 1
  bob.schema.dclasses.Avatar.x[at(bob)] = 2
  worlds.run(20)
  expect(worlds.schema.dclasses.Avatar.x[avatar]).toBe(2)
  worlds.schema.DistributedObject.owner[avatar] = 0
  worlds.run(20)
  expect(told).toEqual([
    'server: 0 -> 1 true',
    'ada owns',
    'server: 1 -> 2 true',
    ...(told[3] === 'bob owns' ? ['bob owns', 'ada owns no more'] : ['ada owns no more', 'bob owns']),
    'server: 2 -> 0 true',
    'bob owns no more',
  ])
  expect(worlds.server.violations.forbidden).toBe(0)
  await worlds.end()
})

test('what is for the owner alone goes to the new one, and not to the old one, on the bytes', async () => {
  const { worlds, ada, bob, sent } = await stage()
  const { Avatar } = worlds.schema.dclasses
  const [toAda, toBob] = ['memory:1', 'memory:2']
  const has = (client: string, text: string) => sent[client]!.includes(text)
  const avatar = spawn(worlds, 'Avatar', { name: 'mine', secret: 'alpha-1', pin: 1111 }, 1, clientOf(worlds, ada))
  worlds.run(20)
  expect([has(toAda, 'alpha-1'), has(toBob, 'alpha-1')]).toEqual([true, false])
  // In one tick, in that order and in the other.
  Avatar.secret[avatar] = 'beta-2'
  worlds.server.place(avatar, 1, clientOf(worlds, bob))
  worlds.run(20)
  expect([has(toAda, 'beta-2'), has(toBob, 'beta-2'), has(toBob, 'alpha-1')]).toEqual([false, true, false])
  const pins = () => [ada, bob].map(guest => guest.schema.dclasses.Avatar.pin[seenBy(worlds, guest, avatar)])
  const secrets = () => [ada, bob].map(guest => guest.schema.dclasses.Avatar.secret[seenBy(worlds, guest, avatar)])
  expect(pins()[1]).toBe(1111)
  Avatar.secret[avatar] = 'gamma-3'
  Avatar.pin[avatar] = 3333
  worlds.run(20)
  expect([has(toAda, 'gamma-3'), has(toBob, 'gamma-3')]).toEqual([false, true])
  expect([pins()[0] === 3333, pins()[1], secrets()[1]]).toEqual([false, 3333, 'gamma-3'])
  Avatar.secret[avatar] = 'delta-4'
  worlds.server.place(avatar, 1, 0)
  worlds.run(20)
  expect([has(toAda, 'delta-4'), has(toBob, 'delta-4')], 'nobody is the owner').toEqual([false, false])
  await worlds.end()
})

test('an owner that comes back is not sent what was for the owner alone when it was none any more', async () => {
  const { worlds, line, ada, bob, sent } = await stage()
  const { Avatar } = worlds.schema.dclasses
  const avatar = spawn(worlds, 'Avatar', { name: 'mine', secret: 'alpha-1', pin: 1 }, 1, clientOf(worlds, ada))
  worlds.run(20)
  line.isReachable = false
  line.cut()
  worlds.run(20)
  Avatar.secret[avatar] = 'beta-2'
  worlds.run(4)
  worlds.server.place(avatar, 1, clientOf(worlds, bob))
  Avatar.secret[avatar] = 'gamma-3'
  Avatar.pin[avatar] = 3
  worlds.run(20)
  line.isReachable = true
  const resumed = new Promise<void>(resolve => ada.client.onResume(resolve))
  await worlds.settle(resumed)
  worlds.run(60)
  const all = Object.entries(sent)
    .filter(([client]) => client !== 'memory:2')
    .map(([, text]) => text)
    .join('')
  expect([all.includes('beta-2'), all.includes('gamma-3'), sent['memory:2']!.includes('gamma-3')]).toEqual([
    false,
    false,
    true,
  ])
  expect([owns(worlds, ada, avatar), owns(worlds, bob, avatar)]).toEqual([false, true])
  expect(ada.schema.dclasses.Avatar.pin[seenBy(worlds, ada, avatar)]).not.toBe(3)
  await worlds.end()
})
