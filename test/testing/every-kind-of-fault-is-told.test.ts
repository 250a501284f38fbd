import { addComponent, addEntity, removeComponent, removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import { Alive, Generated, Owned } from 'bitecs-pipes/client'
import { createWorlds, differences, type Guest, type Worlds } from 'bitecs-pipes/testing'
import { MENAGERIE } from '../support/menagerie.ts'
import { clientOf, spawn } from '../support/worlds.ts'

/** Two players in zone 1; the first owns an avatar and an engine there, and a crate stands about. */
const settled = async () => {
  const worlds = createWorlds(MENAGERIE, { capacity: 64 })
  const [ada, bob] = [await worlds.join(), await worlds.join()]
  const avatar = spawn(
    worlds,
    'Avatar',
    { name: 'Ada', position: { x: 1.5 }, gold: 7, internal: 9 },
    1,
    clientOf(worlds, ada),
  )
  const crate = spawn(worlds, 'Crate', { weight: 2.5, serial: 5n, contents: [1, 2], bytes: Uint8Array.of(3) }, 1)
  const engine = spawn(
    worlds,
    'Engine',
    { thrust: 1.25, mode: { arg0: 1, item: { label: 'oil', count: 2 } } },
    1,
    clientOf(worlds, ada),
  )
  const elsewhere = spawn(worlds, 'Flag', { up: 1 }, 2)
  for (const guest of [ada, bob]) guest.client.interest.set([1]).catch(() => {})
  worlds.run(60)
  return { worlds, ada, bob, avatar, crate, engine, elsewhere }
}

type Scene = Awaited<ReturnType<typeof settled>>
const here = (worlds: Worlds, guest: Guest, eid: number) => worlds.seenBy(guest, eid)

const faults: [string, (scene: Scene) => Guest, RegExp][] = [
  [
    'a number that is one step off',
    ({ worlds, bob, avatar }) => {
      bob.schema.dclasses.Avatar.health[here(worlds, bob, avatar)]--
      return bob
    },
    /Avatar\): Avatar\.health is 99, the server has 100/,
  ],
  [
    'a number that differs in its last bit',
    ({ worlds, bob, crate }) => {
      const { weight } = bob.schema.dclasses.Crate
      weight[here(worlds, bob, crate)] = 2.5 + 2 ** -51
      return bob
    },
    /Crate\.weight is 2\.5000000000000004, the server has 2\.5/,
  ],
  [
    'the other zero',
    ({ worlds, bob, avatar }) => {
      bob.schema.dclasses.Avatar.position.y[here(worlds, bob, avatar)] = -0
      return bob
    },
    /Avatar\.position\.y is -0, the server has 0/,
  ],
  [
    'a 64-bit integer',
    ({ worlds, bob, crate }) => {
      bob.schema.dclasses.Crate.serial[here(worlds, bob, crate)] = 5n + 2n ** 60n
      return bob
    },
    /Crate\.serial is 1152921504606846981n, the server has 5n/,
  ],
  [
    'text',
    ({ worlds, bob, avatar }) => {
      bob.schema.dclasses.Avatar.name[here(worlds, bob, avatar)] = 'Eve'
      return bob
    },
    /Avatar\.name is "Eve", the server has "Ada"/,
  ],
  [
    'a list',
    ({ worlds, bob, crate }) => {
      bob.schema.dclasses.Crate.contents[here(worlds, bob, crate)] = [1, 2, 0]
      return bob
    },
    /Crate\.contents is \[1,2,0\], the server has \[1,2\]/,
  ],
  [
    'a blob',
    ({ worlds, bob, crate }) => {
      bob.schema.dclasses.Crate.bytes[here(worlds, bob, crate)] = Uint8Array.of(4)
      return bob
    },
    /Crate\.bytes is 1 bytes, the server has 1 bytes/,
  ],
  [
    'a switch',
    ({ worlds, bob, engine }) => {
      bob.schema.dclasses.Engine.mode[here(worlds, bob, engine)] = { arg0: 0, text: 'oil' }
      return bob
    },
    /Engine\.mode is .*text.*, the server has .*item/,
  ],
  [
    'a value that was never there',
    ({ worlds, bob, avatar }) => {
      bob.schema.dclasses.Avatar.motto[here(worlds, bob, avatar)] = undefined
      return bob
    },
    /Avatar\.motto is undefined, the server has ""/,
  ],
  [
    'what the owner wrote and the server does not know',
    ({ worlds, ada, avatar }) => {
      ada.schema.dclasses.Avatar.position.x[here(worlds, ada, avatar)] = 1.51
      return ada
    },
    /Avatar\.position\.x is 1\.50999.*, the server has 1\.5/,
  ],
  [
    "the owner's own, private number",
    ({ worlds, ada, avatar }) => {
      ada.schema.dclasses.Avatar.gold[here(worlds, ada, avatar)] = 8
      return ada
    },
    /Avatar\.gold is 8, the server has 7/,
  ],
  [
    "another's private number",
    ({ worlds, bob, avatar }) => {
      bob.schema.dclasses.Avatar.gold[here(worlds, bob, avatar)] = 7
      return bob
    },
    /Avatar\.gold, which this client may not see, is 7/,
  ],
  [
    'what never leaves the server',
    ({ worlds, ada, avatar }) => {
      ada.schema.dclasses.Avatar.internal[here(worlds, ada, avatar)] = 9
      return ada
    },
    /Avatar\.internal, which this client may not see, is 9/,
  ],
  [
    'text that never leaves the server',
    ({ worlds, bob, avatar }) => {
      bob.schema.dclasses.Avatar.notes[here(worlds, bob, avatar)] = 'psst'
      return bob
    },
    /Avatar\.notes, which this client may not see, is "psst"/,
  ],
  [
    'a zone',
    ({ worlds, bob, crate }) => {
      bob.schema.DistributedObject.zone[here(worlds, bob, crate)] = 3
      return bob
    },
    /\(Crate\): zone is 3, the server has 1/,
  ],
  [
    'an owner',
    ({ worlds, bob, crate }) => {
      bob.schema.DistributedObject.owner[here(worlds, bob, crate)] = 2
      return bob
    },
    /\(Crate\): owner is 2, the server has 0/,
  ],
  [
    'a tag too many',
    ({ worlds, bob, crate }) => {
      addComponent(bob.world, here(worlds, bob, crate), Owned)
      return bob
    },
    /\(Crate\): tag Owned is true, the server has false/,
  ],
  ...[Owned, Alive, Generated].map((tag, index): [string, (scene: Scene) => Guest, RegExp] => [
    `a tag too few (${['Owned', 'Alive', 'Generated'][index]})`,
    ({ worlds, ada, avatar }) => {
      removeComponent(ada.world, here(worlds, ada, avatar), tag)
      return ada
    },
    /tag \w+ is false, the server has true/,
  ]),
  [
    'another class',
    ({ worlds, bob, crate }) => {
      addComponent(bob.world, here(worlds, bob, crate), bob.schema.dclasses.Flag)
      return bob
    },
    /\(Crate\): tag Flag is true, the server has false/,
  ],
  [
    'an object that is missing',
    ({ worlds, bob, crate }) => {
      removeEntity(bob.world, here(worlds, bob, crate))
      return bob
    },
    /object \d+ \(Crate, zone 1, owner 0\) is missing/,
  ],
  [
    'an object that should not be here',
    ({ worlds, bob, elsewhere }) => {
      const eid = addEntity(bob.world)
      addComponent(bob.world, eid, bob.schema.dclasses.Flag)
      bob.schema.DistributedObject.doId[eid] = worlds.schema.DistributedObject.doId[elsewhere]!
      return bob
    },
    /object \d+ \(Flag, .*\) should not be here: at the server it is in zone 2/,
  ],
  [
    'an object that nobody knows',
    ({ bob }) => {
      const eid = addEntity(bob.world)
      addComponent(bob.world, eid, bob.schema.DistributedObject)
      bob.schema.DistributedObject.doId[eid] = 4711
      return bob
    },
    /object 4711 .* should not be here: at the server it no longer exists/,
  ],
  [
    'an object that is there twice',
    ({ worlds, bob, crate }) => {
      const eid = addEntity(bob.world)
      addComponent(bob.world, eid, bob.schema.dclasses.Crate)
      bob.schema.DistributedObject.doId[eid] = worlds.schema.DistributedObject.doId[crate]!
      return bob
    },
    /object \d+ is there twice/,
  ],
  [
    "a change of the server's that did not arrive",
    ({ worlds, bob, crate }) => {
      worlds.schema.dclasses.Crate.open[crate] = 1
      return bob
    },
    /Crate\.open is 0, the server has 1/,
  ],
]

test.each(faults)('the oracle tells of %s', async (_, inject, text) => {
  const scene = await settled()
  const { worlds, ada, bob } = scene
  for (const guest of [ada, bob]) expect(differences(worlds, guest), 'before the fault').toEqual([])
  const guest = inject(scene)
  expect(differences(worlds, guest).join('\n')).toMatch(text)
  await worlds.end()
})

test('a game may decide by itself who sees an object', async () => {
  const { worlds, bob, crate } = await settled()
  const isVisible = (eid: number, byZone: boolean) => byZone && eid !== crate
  expect(differences(worlds, bob, new Set([1]), { isVisible }).join()).toMatch(/Crate.*should not be here/)
  await worlds.end()
})

test('only so many differences are told', async () => {
  const { worlds, bob, crate } = await settled()
  for (let value = 0; value < 4; value++) worlds.schema.dclasses.Crate.position.x[crate] = 3
  worlds.schema.dclasses.Crate.open[crate] = 1
  expect(differences(worlds, bob, undefined, { most: 1 })).toHaveLength(1)
  expect(differences(worlds, bob)).toHaveLength(2)
  await worlds.end()
})
