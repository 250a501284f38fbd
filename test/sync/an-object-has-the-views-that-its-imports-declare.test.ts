import { addEntity, hasComponent, Not, observe, onAdd, onSet, query, removeEntity, set } from 'bitecs'
import { Alive, createSchema, defineView, Disabled, loadSchema, Owned, useViews } from 'bitecs-pipes'
import { compileDC } from 'bitecs-pipes/dc'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const BODY = `
dclass Node { uint8 height broadcast; moved(uint8 by) broadcast; };
dclass Avatar : Node { string(0-20) name broadcast; said(string(0-20) text) broadcast; say(string(0-20) text) clsend; };
dclass Crate : Node { uint8 size broadcast; opened() broadcast; };
`
const IMPORTS = `
from game import Avatar/AI/OV, Node/AI/OV
from game import Crate/AI
`

const [Mesh, Plate, Camera, Input, Brain] = [{ name: 'Mesh' }, {}, {}, {}, {}]

const stage = async (dc: string, options: object = {}) => {
  const worlds = createWorlds(dc, { client: options })
  const [owner, other] = [await worlds.join(), await worlds.join()]
  for (const guest of [owner, other]) await worlds.settle(guest.client.interest.set([1]))
  return { worlds, owner, other }
}

const has = (world: object, eid: number, ...components: object[]) =>
  components.map(component => hasComponent(world as never, eid, component))

test('each side gets its components, the owner the ones of both views, and they follow the ownership', async () => {
  const { worlds, owner, other } = await stage(IMPORTS + BODY)
  const stops = [worlds, owner, other].map(side =>
    useViews(
      'server' in side ? side.server : side.client,
      defineView(side.schema.dclasses.Avatar, {
        client: [Mesh, Plate],
        owner: [Camera, Input, Plate],
        server: [Brain],
      }),
    ),
  )
  const avatar = spawn(worlds, 'Avatar', { name: 'a' }, 1, clientOf(worlds, owner))
  const crate = spawn(worlds, 'Crate', {}, 1)
  expect(has(worlds.world, avatar, Brain, Mesh, Camera), 'on the server').toEqual([true, false, false])
  expect(has(worlds.world, crate, Brain), 'of another class').toEqual([false])
  worlds.run(20)
  const [mine, theirs] = [seenBy(worlds, owner, avatar), seenBy(worlds, other, avatar)]
  const views = () => [
    has(owner.world, mine, Mesh, Plate, Camera, Input, Brain),
    has(other.world, theirs, Mesh, Plate, Camera, Input, Brain),
  ]
  const [asOwner, asOther] = [
    [true, true, true, true, false],
    [true, true, false, false, false],
  ]
  expect(views()).toEqual([asOwner, asOther])
  worlds.server.place(avatar, 1, clientOf(worlds, other))
  worlds.run(20)
  expect(views(), 'handed over: what both views have stays').toEqual([asOther, asOwner])
  worlds.server.place(avatar, 1, 0)
  worlds.run(20)
  expect(views(), 'taken back').toEqual([asOther, asOther])
  for (const stop of stops) stop()
  worlds.server.place(avatar, 1, clientOf(worlds, owner))
  worlds.run(20)
  expect(views(), 'stopped').toEqual([asOther, asOther])
  await worlds.end()
})

test('the views of a client end when it does not see the object, and come back with it', async () => {
  const { worlds, owner } = await stage(IMPORTS + BODY, { disabledTime: 10 })
  const { Avatar } = owner.schema.dclasses
  const Data = { color: [] as string[] }
  observe(owner.world, onSet(Data), (eid: number, { color }: { color: string }) => void (Data.color[eid] = color))
  useViews(owner.client, defineView(Avatar, { client: [set(Data, { color: 'red' })], owner: [Camera] }))
  const order: boolean[] = []
  observe(owner.world, onAdd(Avatar, Alive), eid => order.push(...has(owner.world, eid, Data, Camera)))
  const avatar = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, owner))
  worlds.run(20)
  const mine = seenBy(worlds, owner, avatar)
  expect(order, 'there before it is alive').toEqual([true, true])
  expect(Data.color[mine]).toBe('red')
  worlds.server.withdraw(avatar)
  worlds.until(() => hasComponent(owner.world, mine, Disabled), 'disabled')
  expect(has(owner.world, mine, Data, Camera)).toEqual([false, false])
  worlds.server.place(avatar, 1)
  worlds.until(() => hasComponent(owner.world, mine, Owned), 'back')
  expect(has(owner.world, mine, Data, Camera)).toEqual([true, true])
  removeEntity(worlds.world, avatar)
  worlds.run(20)
  // The same id, for something else.
  const next = addEntity(owner.world)
  expect(next).toBe(mine)
  expect(has(owner.world, next, Data, Camera)).toEqual([false, false])
  await worlds.end()
})

test('an entity that the game removes itself leaves no trace of its views', async () => {
  const { worlds, owner } = await stage(BODY)
  const { Avatar } = owner.schema.dclasses
  const bare = () => [...query(owner.world, [Avatar, Not(Mesh)])]
  expect(bare()).toEqual([])
  useViews(owner.client, defineView(Avatar, { client: [Mesh] }))
  const avatar = spawn(worlds, 'Avatar', {}, 1)
  worlds.run(20)
  removeEntity(owner.world, seenBy(worlds, owner, avatar))
  expect(bare()).toEqual([])
  await worlds.end()
})

test('objects that are there already get theirs at once', async () => {
  const { worlds, owner } = await stage(BODY)
  const avatar = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, owner))
  worlds.run(20)
  useViews(owner.client, defineView(owner.schema.dclasses.Node, { client: [Mesh], owner: [Camera] }))
  useViews(worlds.server, defineView(worlds.schema.dclasses.Node, { server: [Brain] }))
  expect(has(owner.world, seenBy(worlds, owner, avatar), Mesh, Camera)).toEqual([true, true])
  expect(has(worlds.world, avatar, Brain)).toEqual([true])
  await worlds.end()
})

test('handlers of a view hear of the objects that have it, and the owner has both', async () => {
  const { worlds, owner, other } = await stage(IMPORTS + BODY)
  const heard: string[] = []
  for (const [who, { client, schema }] of Object.entries({ owner, other }))
    for (const view of ['owner', 'client', undefined] as const)
      client.on(
        schema.dclasses.Node.moved,
        (_: number, { by }: { by: number }) => heard.push(`${who} ${view} ${by}`),
        view ? { view } : undefined,
      )
  const avatar = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, owner))
  const crate = spawn(worlds, 'Crate', {}, 1, clientOf(worlds, owner))
  const { Node } = worlds.schema.dclasses
  worlds.server.sendUpdate(avatar, Node.moved, { by: 1 })
  worlds.run(20)
  expect(heard.splice(0).sort()).toEqual([
    'other client 1',
    'other undefined 1',
    'owner client 1',
    'owner owner 1',
    'owner undefined 1',
  ])
  worlds.server.sendUpdate(crate, Node.moved, { by: 2 })
  worlds.run(20)
  expect(heard.splice(0).sort(), 'a Crate has no owner view').toEqual([
    'other client 2',
    'other undefined 2',
    'owner client 2',
    'owner undefined 2',
  ])
  worlds.server.place(avatar, 1, clientOf(worlds, other))
  worlds.run(20)
  worlds.server.sendUpdate(avatar, Node.moved, { by: 3 })
  worlds.run(20)
  expect(
    heard.filter(line => line.includes(' owner ')),
    'the view changes with the owner',
  ).toEqual(['other owner 3'])
  await worlds.end()
})

test("the server's handlers choose its view", async () => {
  const { worlds, owner } = await stage(IMPORTS + BODY)
  const said: string[] = []
  const stop = worlds.server.on(
    worlds.schema.dclasses.Avatar.say,
    (_, { text }: { text: string }) => void said.push(text),
    {
      view: 'server',
    },
  )
  const avatar = spawn(worlds, 'Avatar', {}, 1)
  worlds.run(20)
  const say = (text: string) => {
    owner.client.sendUpdate(seenBy(worlds, owner, avatar), owner.schema.dclasses.Avatar.say, { text })
    worlds.run(20)
  }
  say('hello')
  stop()
  say('nobody listens')
  expect(said).toEqual(['hello'])
  await worlds.end()
})

test('a view that no import declares is an error that says what to write', async () => {
  const { worlds, owner } = await stage(IMPORTS + BODY)
  const { Crate, Avatar } = owner.schema.dclasses
  expect(() => useViews(owner.client, defineView(Crate, { owner: [Camera] }))).toThrow(
    /imports do not declare the owner view of Crate: write `from game import Crate\/AI\/OV`/,
  )
  expect(() => owner.client.on(Crate.opened, () => {}, { view: 'owner' })).toThrow(/owner view of Crate/)
  expect(() => useViews(owner.client, defineView(worlds.schema.dclasses.Avatar, {}))).toThrow(/another schema/)
  expect(() => useViews({}, defineView(Avatar, {}))).toThrow(/what createClient\(\) or createServer\(\) returned/)
  // @ts-expect-error a page has no server's view
  owner.client.on(Avatar.said, () => {}, { view: 'server' })
  // @ts-expect-error nor is there such a one
  expect(() => defineView(Avatar, { pilot: [] })).toThrow(/no view "pilot": give client, owner, server/)
  expect(() => defineView(Avatar, { owner: Camera } as never)).toThrow(/owner is no list of components/)
  // What is for the other end is looked at all the same: both ends have one schema.
  expect(() => useViews(worlds.server, defineView(worlds.schema.dclasses.Crate, { owner: [] }))).toThrow(/owner view/)
  await worlds.end()
})

test.each([
  ['', ['client', 'owner', 'server']],
  ['from game import *', ['client', 'owner', 'server']],
  ['from game import Avatar', ['client']],
  ['from game import Avatar/OV', ['client', 'owner']],
  ['from game import Avatar/UD', ['client', 'server']],
  ['from game/AI import AvatarAI, AvatarOV', ['owner', 'server']],
  ['import game.Avatar/AI', ['client', 'server']],
  ['from game import Crate/AI/OV', []],
])('%s declares %j', async (imports, views) => {
  const text = `${imports}\n${BODY}`
  const { file } = createSchema(text)
  for (const schema of [createSchema(text), loadSchema(compileDC(file))]) {
    const worlds = createWorlds(schema)
    const guest = worlds.addGuest()
    const { Avatar } = schema.dclasses as Record<string, any>
    const declared = (['client', 'owner', 'server'] as const).filter(view => {
      try {
        useViews(guest.client, defineView(Avatar, { [view]: [] }))
        return true
      } catch {
        return false
      }
    })
    expect(declared).toEqual(views)
    await worlds.end()
  }
})

test('a component that two views have stays as long as one of them does, whoever defined it', async () => {
  const worlds = createWorlds('dclass Animal { uint8 age broadcast; }; dclass Bird : Animal { uint8 size broadcast; };')
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const [Mesh, Camera] = [{}, {}]
  const { Animal, Bird } = guest.schema.dclasses
  useViews(guest.client, defineView(Bird, { owner: [Mesh, Camera] }))
  const stop = useViews(guest.client, defineView(Animal, { client: [Mesh] }))
  const bird = spawn(worlds, 'Bird', {}, 1, clientOf(worlds, guest))
  worlds.run(20)
  const own = seenBy(worlds, guest, bird)
  const shown = () => [Mesh, Camera].map(component => hasComponent(guest.world, own, component))
  expect(shown()).toEqual([true, true])
  worlds.server.place(bird, 1, 0)
  worlds.run(20)
  expect(shown(), 'the client view still has it').toEqual([true, false])
  stop()
  worlds.server.place(bird, 1, clientOf(worlds, guest))
  worlds.run(20)
  worlds.server.place(bird, 1, 0)
  worlds.run(20)
  expect(shown(), 'none has it').toEqual([false, false])
  await worlds.end()
})
