import {
  addComponent,
  addEntity,
  createWorld,
  hasComponent,
  observe,
  onAdd,
  query,
  removeEntity,
  type World,
} from 'bitecs'
import { Alive, Deleted, Disabled, Generated } from 'bitecs-pipes'
import { converge } from 'bitecs-pipes/testing'
import { expect, test } from 'vitest'
import { CLIENT_TRANSITIONS, SERVER_TRANSITIONS, transition, type LifecycleState } from '../../src/systems/lifecycle.ts'
import { MENAGERIE } from '../support/menagerie.ts'
import { transitionsInPage, watchLifecycle, type Witness } from '../support/witness.ts'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const ON_CLIENT = transitionsInPage('client')
const ON_SERVER = transitionsInPage('server')
const STATES = ['fresh', 'generated', 'alive', 'disabled', 'deleted'] as const

const DC = `
struct Vec2 { int16/10 x; int16/10 y; };
dclass Bird { Vec2 position broadcast ownsend; string(0-20) name broadcast; };
`

test('the page lists the transitions that the two machines allow', () => {
  const pairs = (side: Record<LifecycleState, readonly LifecycleState[]>) =>
    STATES.flatMap(from => side[from].map(to => `${from} > ${to}`)).sort()
  const between = (side: ReadonlySet<string>) => [...side].filter(name => !name.includes('none')).sort()
  expect(between(ON_CLIENT)).toEqual(pairs(CLIENT_TRANSITIONS))
  expect(between(ON_SERVER)).toEqual(pairs(SERVER_TRANSITIONS))
})

test('every other transition is refused, and changes nothing', () => {
  const world = createWorld()
  const tags = { Generated, Alive, Disabled, Deleted }
  const tagsOf = (eid: number) =>
    Object.entries(tags).flatMap(([name, tag]) => (hasComponent(world, eid, tag) ? name : []))
  let refused = 0
  for (const machine of [CLIENT_TRANSITIONS, SERVER_TRANSITIONS])
    for (const from of STATES)
      for (const to of STATES) {
        if (machine[from].includes(to)) continue
        const object = { eid: addEntity(world), doId: 1, state: from as LifecycleState }
        addComponent(world, object.eid, Generated)
        expect(
          transition(world, machine, object, to, () => {}),
          `${from} > ${to}`,
        ).toBe(false)
        expect(object.state).toBe(from)
        expect(tagsOf(object.eid)).toEqual(['Generated'])
        refused++
      }
  expect(refused).toBe(2 * 25 - 6 - 4)
})

for (const [link, conditions] of Object.entries({
  'a perfect link': {},
  'a link that loses, reorders and doubles': { lag: 0.05, jitter: 0.04, loss: 0.1, reorder: 0.1, duplicate: 0.1 },
}))
  test(`every state is reached on both sides over ${link}`, async () => {
    const worlds = createWorlds(DC, { conditions, client: { disabledTime: 3 } })
    const onServer = watchLifecycle(worlds.world, worlds.schema, ON_SERVER)
    const bystander = await worlds.join()
    const guest = await worlds.join()
    const onClient = watchLifecycle(guest.world, guest.schema, ON_CLIENT)
    const { client } = guest
    await worlds.settle(client.interest.set([1]))
    const bird = spawn(worlds, 'Bird', { name: 'first' }, 1)
    expect(onServer.statesOf(bird)).toEqual(['fresh'])
    const isSeen = () => seenBy(worlds, guest, bird) !== 0
    const isAlive = () => isSeen() && hasComponent(guest.world, seenBy(worlds, guest, bird), Alive)
    worlds.until(isAlive, 'it is alive')
    expect(onServer.statesOf(bird)).toEqual(['fresh', 'generated', 'alive'])
    const own = seenBy(worlds, guest, bird)
    const isDisabled = () => hasComponent(guest.world, own, Disabled)

    const ways: [string, () => unknown, () => unknown][] = [
      ['its zone is left', () => client.interest.set([]), () => client.interest.set([1])],
      ['it goes elsewhere', () => worlds.server.place(bird, 2), () => worlds.server.place(bird, 1)],
      ['it is withdrawn', () => worlds.server.withdraw(bird), () => worlds.server.place(bird, 1)],
      [
        'it is hidden',
        () => worlds.server.setVisibility(bird, 'never'),
        () => worlds.server.setVisibility(bird, 'zone'),
      ],
      [
        'it is hidden from this client',
        () => worlds.server.setVisibility(bird, 'never', clientOf(worlds, guest)),
        () => worlds.server.setVisibility(bird, 'always', clientOf(worlds, guest)),
      ],
    ]
    for (const [what, leave, come] of ways) {
      void leave()
      worlds.until(isDisabled, `${what}: disabled`)
      expect(isSeen(), `${what}: it is not here`).toBe(false)
      worlds.run(10)
      void come()
      worlds.until(isAlive, `${what}: alive again`)
      expect(seenBy(worlds, guest, bird), 'the same entity').toBe(own)
    }
    expect(onServer.counts.get('alive > disabled'), 'withdrawn').toBe(1)
    expect(onServer.counts.get('disabled > generated'), 'placed again').toBe(1)

    const second = spawn(worlds, 'Bird', { name: 'second' }, 1)
    worlds.until(() => seenBy(worlds, guest, second) !== 0, 'a second one')
    // Of what came and went in a moment nothing is known.
    worlds.run(60)
    const deleted: number[] = []
    observe(guest.world, onAdd(Deleted), eid => deleted.push(eid))
    const secondOwn = seenBy(worlds, guest, second)
    removeEntity(worlds.world, second)
    worlds.until(() => deleted.includes(secondOwn), 'deleted, with no time to wait', 1)

    worlds.server.setVisibility(bird, 'zone', clientOf(worlds, guest))
    worlds.server.place(bird, 2)
    worlds.until(isDisabled, 'disabled')
    worlds.run(60 * 2)
    expect(isDisabled(), 'its time is not over').toBe(true)
    worlds.run(60 + 5)
    expect(deleted, 'its time is over').toContain(own)

    const third = spawn(worlds, 'Bird', {}, 1)
    worlds.until(() => seenBy(worlds, guest, third) !== 0, 'a third one')
    removeEntity(worlds.world, bird)
    spawn(worlds, 'Bird', {}, 1)
    client.disconnect()
    worlds.run(2)
    expect(query(guest.world, [guest.schema.DistributedObject]).length, 'a session that ended').toBe(0)
    expect([onServer.complaints, onClient.complaints]).toEqual([[], []])
    for (const name of ON_CLIENT)
      if (name !== 'generated > disabled') expect(onClient.counts.get(name), name).toBeGreaterThan(0)
    expect(client.stats.faults).toBe(0)
    bystander.client.disconnect()
    await worlds.end()
  })

test('an object that leaves before it is whole was never alive, and is whole when it has all', async () => {
  const worlds = createWorlds('dclass Poster { uint8 size broadcast; blob picture broadcast; };', {
    client: { disabledTime: 60 },
  })
  const guest = await worlds.join()
  const { client } = guest
  const onClient = watchLifecycle(guest.world, guest.schema, ON_CLIENT)
  // Takes the better part of a second, by 96 KB a second.
  const poster = spawn(worlds, 'Poster', { picture: new Uint8Array(60_000).fill(7) }, 1)
  void client.interest.set([1])
  worlds.until(() => seenBy(worlds, guest, poster) !== 0, 'its numbers are here')
  const own = seenBy(worlds, guest, poster)
  worlds.server.place(poster, 2)
  worlds.until(() => hasComponent(guest.world, own, Disabled), 'disabled')
  expect(onClient.statesOf(own)).toEqual(['fresh', 'generated', 'disabled'])
  void client.interest.set([2])
  worlds.until(() => hasComponent(guest.world, own, Alive), 'alive')
  expect(onClient.statesOf(own)).toEqual(['fresh', 'generated', 'disabled', 'generated', 'alive'])
  expect(guest.schema.dclasses.Poster.picture[own]).toEqual(new Uint8Array(60_000).fill(7))
  expect(onClient.complaints).toEqual([])
  await worlds.end()
})

const SEEDS = Number(process.env.SEEDS ?? 24)

test(
  `whatever happens, observers see no other transition, and each client ends with the server's world (${SEEDS} seeds)`,
  async () => {
    const witnesses: Witness[] = []
    const watched = new WeakSet<World>()
    const total = new Map<string, number>()
    await converge(
      {
        schema: MENAGERIE,
        client: { disabledTime: 1.5, maxDisabled: 6 },
        start: ({ world, schema }) => void witnesses.push(watchLifecycle(world, schema, ON_SERVER)),
        joined: ({ world, schema }) => {
          if (watched.has(world)) return
          watched.add(world)
          witnesses.push(watchLifecycle(world, schema, ON_CLIENT))
        },
        rules: {
          withdraw: ({ world, schema, server }, dice) => {
            const placed = [...query(world, [schema.DistributedObject])].filter(
              eid => schema.DistributedObject.zone[eid] !== 0,
            )
            if (placed.length > 0) server.withdraw(dice.pick(placed))
          },
        },
      },
      {
        first: Number(process.env.SEED ?? 1),
        seeds: SEEDS,
        onSeed: seed => {
          for (const { complaints, counts } of witnesses.splice(0)) {
            if (complaints.length > 0) throw new Error(`seed ${seed}: ${complaints.slice(0, 5).join('\n')}`)
            for (const [name, count] of counts) total.set(name, (total.get(name) ?? 0) + count)
          }
        },
      },
    )
    // One is for large values, see above; the other for observers.
    const rare = ['generated > disabled', 'generated > none']
    const never = [...ON_CLIENT, ...ON_SERVER].filter(name => !total.has(name) && !rare.includes(name))
    expect(never, 'what did not happen').toEqual([])
  },
  Math.max(120_000, SEEDS * 1000),
)
