import { addComponent, addEntity, hasComponent, observe, onAdd, onRemove, query, removeEntity } from 'bitecs'
import { Alive, Deleted, Disabled, Fresh, Generated, Owned } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
dclass Animal { uint8 age broadcast; };
dclass Bird : Animal {
  uint16 height broadcast ownsend;
  string name broadcast;
  sing(uint8 tone) broadcast ram;
  call(uint8 tone) clsend broadcast;
  greet(uint8 tone = 1) required broadcast;
  wave(uint8 tone = 2) required broadcast;
};`

const TAGS = { Fresh, Generated, Alive, Disabled, Deleted, Owned }
const NAMES = [...Object.keys(TAGS), 'Animal', 'Bird', 'DistributedObject']
const HOOKS = { onAdd, onRemove }

const componentOf = ({ schema }: Worlds | Guest, name: string): object =>
  (TAGS as Record<string, object>)[name] ??
  (name === 'DistributedObject' ? schema.DistributedObject : schema.dclasses[name])

/** An object comes, changes its owner, goes, returns and ends. */
const liveThrough = (worlds: Worlds, guest: Guest): void => {
  const bird = spawn(worlds, 'Bird', { height: 3, name: 'Kes' }, 1, clientOf(worlds, guest))
  worlds.run(12)
  worlds.server.place(bird, 1, 0)
  worlds.run(12)
  worlds.server.place(bird, 2)
  worlds.run(12)
  worlds.server.place(bird, 1)
  worlds.run(12)
  removeEntity(worlds.world, bird)
  worlds.run(12)
}

const stage = async (disabledTime: number) => {
  const errors: string[] = []
  const onError = (error: unknown, where: string) => errors.push(`${where}: ${(error as Error).message}`)
  const worlds = createWorlds(DC, { client: { disabledTime, onError }, server: { onError } })
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const left = () => query(guest.world, [guest.schema.DistributedObject]).length
  return { worlds, guest, errors, left }
}

for (const disabledTime of [0, 3])
  test(`on a client, of whatever tag or class, disabledTime ${disabledTime}`, async () => {
    for (const [hook, on] of Object.entries(HOOKS))
      for (const name of NAMES) {
        const { worlds, guest, errors, left } = await stage(disabledTime)
        let count = 0
        observe(guest.world, on(componentOf(guest, name)), eid => {
          // Those that come back for it are removed again, but not for ever.
          if (count++ < 40) removeEntity(guest.world, eid)
        })
        liveThrough(worlds, guest)
        const what = `${hook}(${name})`
        if (name !== 'Disabled' && name !== 'Deleted') expect(count, what).toBeGreaterThan(0)
        expect([count < 40, errors, left(), guest.client.stats.faults], what).toEqual([true, [], 0, 0])
        await worlds.end()
      }
  })

for (const disabledTime of [0, 3])
  test(`one that throws is told, and stops nothing, disabledTime ${disabledTime}`, async () => {
    for (const [hook, on] of Object.entries(HOOKS))
      for (const name of NAMES) {
        const { worlds, guest, errors, left } = await stage(disabledTime)
        let count = 0
        observe(guest.world, on(componentOf(guest, name)), () => {
          count++
          throw new Error('oops')
        })
        liveThrough(worlds, guest)
        const what = `${hook}(${name})`
        expect([errors.length, left(), guest.client.stats.faults], what).toEqual([count, 0, 0])
        await worlds.end()
      }
  })

test('on the server, of the tags that come and go within replicate', async () => {
  for (const name of ['Generated', 'Alive', 'Disabled']) {
    const { worlds, guest, errors } = await stage(0)
    let count = 0
    observe(worlds.world, onAdd(componentOf(worlds, name)), eid => {
      count++
      removeEntity(worlds.world, eid)
    })
    const owners: number[] = []
    worlds.server.onOwner(eid => owners.push(eid))
    const bird = spawn(worlds, 'Bird', {}, 1, clientOf(worlds, guest))
    worlds.run(10)
    if (name === 'Disabled') worlds.server.withdraw(bird)
    worlds.run(30)
    expect([count, errors, query(worlds.world, [worlds.schema.dclasses.Bird]).length], name).toEqual([1, [], 0])
    expect(owners, 'of one that is gone no owner is told').toHaveLength(name === 'Disabled' ? 1 : 0)
    expect(seenBy(worlds, guest, bird)).toBe(0)
    await worlds.end()
  }
})

test('an entity that takes the id of one that an observer removed is left alone', async () => {
  for (const tag of [Deleted, Disabled]) {
    const { worlds, guest, errors } = await stage(0)
    const Grave = {}
    observe(guest.world, onAdd(tag), eid => {
      removeEntity(guest.world, eid)
      addComponent(guest.world, addEntity(guest.world), Grave)
    })
    const bird = spawn(worlds, 'Bird', {}, 1)
    worlds.until(() => seenBy(worlds, guest, bird) !== 0, 'it is here')
    const own = seenBy(worlds, guest, bird)
    removeEntity(worlds.world, bird)
    worlds.run(30)
    const graves = [...query(guest.world, [Grave])]
    expect([graves, hasComponent(guest.world, own, Grave), errors]).toEqual([[own], true, []])
    await worlds.end()
  }
})

test('handlers behind one that removed the entity are not called, on either side', async () => {
  const { worlds, guest, errors } = await stage(0)
  const { Bird } = guest.schema.dclasses
  const heard: string[] = []
  guest.client.on(Bird.greet, eid => {
    heard.push('greet')
    removeEntity(guest.world, eid)
  })
  guest.client.on(Bird.greet, () => heard.push('greet again'))
  guest.client.on(Bird.wave, () => heard.push('wave'))
  observe(guest.world, onAdd(Alive), () => heard.push('alive'))
  spawn(worlds, 'Bird', {}, 1)
  worlds.run(20)
  expect(heard).toEqual(['greet'])

  const friend = await worlds.join({}, {})
  await worlds.settle(friend.client.interest.set([1]))
  const Theirs = friend.schema.dclasses.Bird
  const bird = spawn(worlds, 'Bird', {}, 1)
  worlds.until(() => seenBy(worlds, friend, bird) !== 0, 'it is here')
  const called: string[] = []
  worlds.server.on(worlds.schema.dclasses.Bird.call, eid => {
    called.push('first')
    removeEntity(worlds.world, eid)
  })
  worlds.server.on(worlds.schema.dclasses.Bird.call, () => called.push('second'), { view: 'server' })
  friend.client.sendUpdate(seenBy(worlds, friend, bird), Theirs.call, { tone: 1 })
  worlds.run(20)
  expect([called, errors]).toEqual([['first'], []])
  await worlds.end()
})

test('a handler that ends the session is the last one of it', async () => {
  const { worlds, guest, errors } = await stage(0)
  const { Bird } = guest.schema.dclasses
  const bird = spawn(worlds, 'Bird', {}, 1)
  worlds.until(() => seenBy(worlds, guest, bird) !== 0, 'it is here')
  worlds.run(10)
  const heard: number[] = []
  guest.client.on<{ tone: number }>(Bird.sing, (_, { tone }) => {
    heard.push(tone)
    guest.client.disconnect()
  })
  guest.client.on<{ tone: number }>(Bird.sing, (_, { tone }) => heard.push(tone))
  for (const tone of [1, 2]) worlds.server.sendUpdate(bird, worlds.schema.dclasses.Bird.sing, { tone })
  worlds.run(20)
  expect([heard, errors, query(guest.world, [Bird]).length]).toEqual([[1], [], 0])
  await worlds.end()
})
