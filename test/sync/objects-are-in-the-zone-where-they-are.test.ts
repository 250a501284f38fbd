import { addComponent, addEntity, observe, onRemove } from 'bitecs'
import { createGrid, createZoning, zoneAt } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
struct Vec3 { int16/10 x; int16/10 y; int16/10 z; };
dclass Node { Vec3 position broadcast ram ownsend; };
dclass Avatar : Node { string name required broadcast ram; };
dclass Rock : Node { uint8 size broadcast ram; };
`

const grid = createGrid({ cellSize: 100, columns: 8, rows: 8, firstZone: 10 })

const stage = (margin?: number) => {
  const worlds = createWorlds(DC)
  const { Node } = worlds.schema.dclasses
  const rezone = createZoning(worlds.server, worlds.schema, {
    grid,
    position: Node.position,
    ...(margin === undefined ? {} : { margin }),
  })
  worlds.game = () => rezone(worlds.world)
  const put = (name: string, x: number, y: number) =>
    spawn(worlds, name, { position: { x, y, z: 0 } }, zoneAt(grid, x, y))
  return { worlds, put, zone: worlds.schema.DistributedObject.zone, position: Node.position }
}

test('objects of every class with the position move to the zone where they walk', async () => {
  const { worlds, put, zone, position } = stage(5)
  const [avatar, rock] = [put('Avatar', 50, 50), put('Rock', 150, 50)]
  worlds.run(2)
  expect([zone[avatar], zone[rock]]).toEqual([10, 11])
  position.x[avatar] = 250
  position.y[rock] = 750
  worlds.run(2)
  expect([zone[avatar], zone[rock]]).toEqual([12, 67])
  await worlds.end()
})

test('a step over the border changes nothing, two do', async () => {
  const { worlds, put, zone, position } = stage(5)
  const eid = put('Avatar', 95, 50)
  const seen: number[] = []
  for (const x of [95, 104, 97, 105, 99, 105.1, 97, 95, 94]) {
    position.x[eid] = x
    worlds.run(2)
    seen.push(zone[eid]!)
  }
  expect(seen).toEqual([10, 10, 10, 10, 10, 11, 11, 11, 10])
  await worlds.end()
})

test('who walks to and fro on a border makes no traffic by it, and is one entity', async () => {
  const { worlds, put, zone, position } = stage()
  const eid = put('Avatar', 95, 50)
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([10, 11]))
  const before = seenBy(worlds, guest, eid)
  let removed = 0
  let moves = 0
  let last = zone[eid]
  observe(guest.world, onRemove(guest.schema.dclasses.Avatar), () => removed++)
  for (let step = 0; step < 100; step++) {
    position.x[eid] = step % 2 === 0 ? 103 : 97
    worlds.run(2)
    if (zone[eid] !== last) moves++
    last = zone[eid]
  }
  expect(moves, 'the zone never changed').toBe(0)
  position.x[eid] = 150
  worlds.run(10)
  expect(zone[eid], 'until it goes on').toBe(11)
  expect([removed, seenBy(worlds, guest, eid)], 'and it was the same entity all the while').toEqual([0, before])
  await worlds.end()
})

test('what is in no zone of the grid stays where it is', async () => {
  const { worlds, put, zone } = stage()
  const eid = put('Avatar', 50, 50)
  worlds.server.place(eid, 5)
  worlds.run(4)
  expect(zone[eid]).toBe(5)
  worlds.server.place(eid, 20)
  worlds.run(2)
  expect(zone[eid], 'in any of its zones it is the grid’s again').toBe(10)
  await worlds.end()
})

test('a new object is placed by where it is; one that was withdrawn stays away', async () => {
  const { worlds, put, zone, position } = stage()
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, worlds.schema.dclasses.Rock)
  position.x[eid] = 250
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([12]))
  worlds.run(10)
  expect([zone[eid], seenBy(worlds, guest, eid) !== 0]).toEqual([12, true])
  const gone = put('Rock', 50, 50)
  worlds.run(10)
  worlds.server.withdraw(gone)
  worlds.run(10)
  expect(zone[gone]).toBe(0)
  await worlds.end()
})

test('an owner is followed from cell to cell, whatever its client sends', async () => {
  const { worlds, put, zone } = stage()
  const guest = await worlds.join()
  const eid = put('Avatar', 50, 50)
  worlds.server.place(eid, 10, clientOf(worlds, guest))
  worlds.run(10)
  const own = seenBy(worlds, guest, eid)
  const { position } = guest.schema.dclasses.Node
  for (const [x, y, expected] of [
    [250, 50, 12],
    [3000, -3000, 17],
    [-3000, 3000, 66],
  ] as const) {
    position.x[own] = x
    position.y[own] = y
    worlds.run(20)
    expect(zone[eid], `at ${x}, ${y}`).toBe(expected)
  }
  expect(seenBy(worlds, guest, eid), 'it is the same entity still').toBe(own)
  expect([...guest.client.interest.zones]).toEqual([66])
  await worlds.end()
})

test('other axes, other terms, and mistakes', async () => {
  const { worlds, put, zone, position } = stage()
  const { Rock } = worlds.schema.dclasses
  const rezone = createZoning(worlds.server, worlds.schema, {
    grid,
    position,
    axes: ['x', 'z'],
    only: [Rock],
    margin: 0,
  })
  const [avatar, rock] = [put('Avatar', 50, 50), put('Rock', 50, 50)]
  for (const eid of [avatar, rock]) position.z[eid] = 450
  rezone(worlds.world)
  expect([zone[avatar], zone[rock]], 'only rocks, by x and z').toEqual([10, 42])
  const make = (options: object) => () => createZoning(worlds.server, worlds.schema, { grid, position, ...options })
  expect(make({ margin: -1 })).toThrow(/margin is -1: give a length of 0 or more/)
  expect(make({ axes: ['x', 'w'] })).toThrow(/no column "w": give a struct field such as Avatar.position/)
  expect(make({ position: undefined })).toThrow(/no column "x"/)
  await worlds.end()
})
