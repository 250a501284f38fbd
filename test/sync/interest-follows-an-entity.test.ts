import { query } from 'bitecs'
import { Alive, Owned } from 'bitecs-pipes/client'
import { createFollow, createGrid, createZoning, zoneAt, zonesAround } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
struct Vec2 { int16/10 x; int16/10 y; };
dclass Avatar { Vec2 position broadcast ram ownsend; };
dclass Tree { uint8 kind broadcast ram; };
`

const LOBBY = 1
const grid = createGrid({ cellSize: 100, columns: 12, rows: 12, firstZone: 10 })

/** A tree in each cell, an avatar of each guest's, and zones by position. */
const forest = async (conditions = {}, server = {}) => {
  const worlds = createWorlds(DC, { conditions, server })
  const { schema, world } = worlds
  const { Avatar } = schema.dclasses
  const rezone = createZoning(worlds.server, schema, { grid, position: Avatar.position })
  worlds.game = () => rezone(world)
  const trees = Array.from({ length: 144 }, (_, index) => spawn(worlds, 'Tree', { kind: 1 }, 10 + index))
  spawn(worlds, 'Tree', { kind: 2 }, LOBBY)
  const enter = (guest: Guest, x: number, y: number) =>
    spawn(worlds, 'Avatar', { position: { x, y } }, zoneAt(grid, x, y), clientOf(worlds, guest))
  return { worlds, trees, enter, rezone }
}

const followOnClient = (guest: Guest, margin = 25) => {
  const { Avatar } = guest.schema.dclasses
  const follow = createFollow(guest.client, guest.schema, {
    grid,
    position: Avatar.position,
    radius: 150,
    margin,
    always: [LOBBY],
  })
  guest.play = () => follow(guest.world)
}

const zonesOf = (guest: Guest) => [...guest.client.interest.zones].sort((a, b) => a - b)
const trees = (guest: Guest) => query(guest.world, [guest.schema.dclasses.Tree, Alive]).length
/** Walks a guest's avatar there, 5 units in each frame. */
const walk = (worlds: Worlds, guest: Guest, x: number, each: () => void) => {
  const { position } = guest.schema.dclasses.Avatar
  const [eid] = query(guest.world, [guest.schema.dclasses.Avatar, Owned])
  while (Math.abs(position.x[eid!] - x) > 1) {
    position.x[eid!] += Math.sign(x - position.x[eid!]) * Math.min(5, Math.abs(x - position.x[eid!]))
    worlds.run(1)
    each()
  }
}

test('a client asks for the zones around its avatar, and those that it always sees', async () => {
  const { worlds, enter } = await forest({ lag: 0.05, loss: 0.1 })
  const guest = await worlds.join()
  // It walks 300 units a second, and a zone takes 0.1 s there and back, more when something is lost.
  followOnClient(guest, 90)
  worlds.run(30)
  expect(zonesOf(guest), 'without an avatar only the latter').toEqual([LOBBY])
  const eid = enter(guest, 550, 550)
  worlds.run(60)
  expect(zonesOf(guest)).toEqual([LOBBY, ...zonesAround(grid, 550, 550, 240)])
  let least = Infinity
  let missing = 0
  walk(worlds, guest, 950, () => {
    least = Math.min(least, trees(guest))
    const { zones } = guest.client.interest
    const { position } = guest.schema.dclasses.Avatar
    const own = seenBy(worlds, guest, eid)
    if (!zonesAround(grid, position.x[own], position.y[own], 150).every(zone => zones.has(zone))) missing++
  })
  worlds.run(60)
  expect(missing, 'what it sees of the world was there all the time, early enough for the lag').toBe(0)
  expect(least, 'and trees with it').toBeGreaterThan(9)
  expect(zonesOf(guest).length, 'what is far was dropped').toBeLessThan(1 + 7 * 7)
  await worlds.end()
})

test('walking along a border asks for nothing new', async () => {
  const { worlds, enter } = await forest()
  const guest = await worlds.join()
  let requests = 0
  const { set } = guest.client.interest
  guest.client.interest.set = zones => (requests++, set(zones))
  followOnClient(guest)
  enter(guest, 590, 550)
  worlds.run(30)
  walk(worlds, guest, 610, () => {})
  const before = requests
  for (let time = 0; time < 20; time++) for (const x of [585, 610]) walk(worlds, guest, x, () => {})
  expect(requests).toBe(before)
  expect(before, 'once for the lobby, and for each change of what is near').toBeLessThan(5)
  await worlds.end()
})

test('who has no avatar any more goes on seeing where it was; a new session starts anew', async () => {
  const { worlds, enter } = await forest()
  const guest = await worlds.join()
  followOnClient(guest)
  const eid = enter(guest, 550, 550)
  worlds.run(30)
  const before = zonesOf(guest)
  worlds.server.place(eid, zoneAt(grid, 550, 550), 0)
  worlds.run(60)
  expect(zonesOf(guest)).toEqual(before)
  guest.client.disconnect()
  worlds.run(5)
  await worlds.settle(guest.client.connect())
  worlds.run(30)
  expect(zonesOf(guest), 'the same follower asks again').toEqual([LOBBY])
  await worlds.end()
})

test('a server gives each client the zones around its objects, whatever it asks for', async () => {
  const { worlds, enter, rezone } = await forest({ lag: 0.03, loss: 0.1 }, { allowZone: () => false })
  const { Avatar } = worlds.schema.dclasses
  const options = { grid, position: Avatar.position, radius: 100, margin: 20, always: [LOBBY] }
  const follow = createFollow(worlds.server, worlds.schema, options)
  worlds.game = () => {
    rezone(worlds.world)
    follow(worlds.world)
  }
  const [ada, bob] = [await worlds.join(), await worlds.join()]
  enter(ada, 150, 150)
  enter(bob, 850, 850)
  const second = enter(bob, 250, 850)
  expect(await worlds.settle(ada.client.interest.set([100])), 'asking is no use').toMatchObject({ granted: [] })
  worlds.run(30)
  expect(zonesOf(ada)).toEqual([LOBBY, ...zonesAround(grid, 150, 150, 120)])
  const both = [...zonesAround(grid, 850, 850, 120), ...zonesAround(grid, 250, 850, 120)]
  expect(zonesOf(bob), 'several objects see several places').toEqual([LOBBY, ...both].sort((a, b) => a - b))
  worlds.server.place(second, zoneAt(grid, 250, 850), 0)
  worlds.run(30)
  expect(zonesOf(bob), 'an object that is taken away takes its zones along').toEqual([
    LOBBY,
    ...zonesAround(grid, 850, 850, 120),
  ])
  walk(worlds, ada, 450, () => {})
  worlds.run(30)
  expect(zonesOf(ada)).toEqual([LOBBY, ...zonesAround(grid, 450, 150, 120)])
  await worlds.end()
})

test('radii that reach too far are errors that say what to do', async () => {
  const { worlds } = await forest()
  const guest = worlds.addGuest()
  const { position } = guest.schema.dclasses.Avatar
  const large = createGrid({ cellSize: 10, columns: 100, rows: 100 })
  const make = (options: object) => () =>
    createFollow(guest.client, guest.schema, { grid: large, position, radius: 10, ...options })
  expect(make({})).not.toThrow()
  expect(make({ radius: 200 })).toThrow(
    /reaches up to 1764 zones, more than 256: make them smaller, or the cells larger/,
  )
  expect(make({ radius: -1 })).toThrow(/radius is -1/)
  expect(make({ position: {} })).toThrow(/no column "x"/)
  await worlds.end()
})
