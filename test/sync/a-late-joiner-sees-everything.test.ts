import { observe, onAdd, query, removeEntity } from 'bitecs'
import { Alive, Generated } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
keyword interp_linear;
struct Vec3 { int16/100 x; int16/100 y; };
dclass Avatar {
  Vec3 position broadcast ram interp_linear;
  string name required broadcast ram;
  uint8 badges[] broadcast ram;
  uint8(5-100) health = 80 broadcast ram;
};
`

test('whoever comes late sees each object whole in the moment it appears', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.08, jitter: 0.05, loss: 0.2, reorder: 0.2, duplicate: 0.1 } })
  const eids = Array.from({ length: 40 }, (_, index) =>
    spawn(worlds, 'Avatar', { name: `n${index}`, position: { x: index + 1, y: -1 }, badges: [index, 7] }, 1),
  )
  worlds.run(300)
  const guest = worlds.addGuest()
  const { Avatar } = guest.schema.dclasses
  const seen: unknown[] = []
  observe(guest.world, onAdd(Avatar, Alive), eid => {
    seen.push([
      Avatar.name[eid],
      Avatar.position.x[eid],
      Avatar.position.y[eid],
      Avatar.badges[eid],
      Avatar.health[eid],
    ])
  })
  const isShown = { zero: false }
  guest.play = () => {
    for (const eid of query(guest.world, [Avatar, Generated])) if (Avatar.position.x[eid] === 0) isShown.zero = true
  }
  await worlds.settle(guest.client.connect())
  await worlds.settle(guest.client.interest.set([1]))
  expect(seen, 'onAdd(Avatar, Alive) sees every object once').toHaveLength(40)
  expect(seen, 'with its strings, structs, lists and numbers').toEqual(
    expect.arrayContaining(eids.map((_, index) => [`n${index}`, index + 1, -1, [index, 7], 80])),
  )
  expect(isShown.zero, 'no frame shows an object at the origin').toBe(false)
  await worlds.end()
})

test('what was changed, moved and removed before is seen as it is, not as it was', async () => {
  const worlds = createWorlds(DC)
  const { Avatar } = worlds.schema.dclasses
  const [kept, gone, far] = ['kept', 'gone', 'far'].map(name => spawn(worlds, 'Avatar', { name }, 1)) as [
    number,
    number,
    number,
  ]
  worlds.run(30)
  Avatar.name[kept] = 'renamed'
  Avatar.health[kept] = 6
  removeEntity(worlds.world, gone)
  worlds.server.place(far, 2)
  worlds.run(30)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const here = [...query(guest.world, [guest.schema.dclasses.Avatar, Alive])]
  expect(here, 'only what is in the zone now').toEqual([seenBy(worlds, guest, kept)])
  expect(guest.schema.dclasses.Avatar.name[here[0]!], 'under its new name').toBe('renamed')
  expect(guest.schema.dclasses.Avatar.health[here[0]!], 'with its new health').toBe(6)
  await worlds.end()
})
