import { addComponent, addEntity, removeEntity } from 'bitecs'
import { expect, test } from 'vitest'
import {
  clientOf,
  createWorlds,
  seenBy,
  spawn,
  type Guest,
  type Worlds,
  type WorldsOptions,
} from '../support/worlds.ts'

const DC = `
struct Order { DoId target; uint8 amount; };
dclass Unit {
  string(0-16) name broadcast;
  DoId target broadcast;
  Order order broadcast;
  DoId friends[] broadcast;
  DoId secret ownrecv;
  DoId aim broadcast ownsend;
  uint16 course broadcast ownsend;
  DoId squad[] broadcast ownsend;
  switch Goal (uint8 kind) { case 0: break; case 1: DoId whom; break; } goal broadcast;
  shot(DoId by, Order orders[]) broadcast;
  attack(DoId whom) ownsend;
};
`

const start = async (options: WorldsOptions = {}) => {
  const worlds = createWorlds(DC, options)
  // Ids of entities differ from side to side, and from network ids.
  for (let count = 0; count < 7; count++) addEntity(worlds.world)
  const guest = await worlds.join()
  for (let count = 0; count < 3; count++) addEntity(guest.world)
  return { worlds, guest, Unit: worlds.schema.dclasses.Unit, Here: guest.schema.dclasses.Unit }
}

const unit = (worlds: Worlds, name: string, zone: number, owner?: Guest) =>
  spawn(worlds, 'Unit', { name }, zone, owner && clientOf(worlds, owner))

test('fields name the entity here; it is fixed up when the object appears, and 0 when it vanishes', async () => {
  const { worlds, guest, Unit, Here } = await start()
  const [hunter, prey] = [unit(worlds, 'hunter', 1), unit(worlds, 'prey', 2)]
  Unit.target[hunter] = prey
  Unit.order.target[hunter] = prey
  Unit.order.amount[hunter] = 3
  Unit.friends[hunter] = [hunter, prey]
  Unit.goal[hunter] = { kind: 1, whom: prey }
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(8)
  const here = seenBy(worlds, guest, hunter)
  const seen = () => [Here.target[here], Here.order.target[here], Here.friends[here], Here.goal[here]]
  expect(seen(), 'out of sight').toEqual([0, 0, [here, 0], { kind: 1, whom: 0 }])
  expect(Here.order.amount[here]).toBe(3)
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.run(8)
  const preyHere = seenBy(worlds, guest, prey)
  expect(preyHere).toBeGreaterThan(0)
  expect(preyHere, 'ids differ from side to side').not.toBe(prey)
  expect(seen(), 'in sight').toEqual([preyHere, preyHere, [here, preyHere], { kind: 1, whom: preyHere }])
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(8)
  expect(seen(), 'out of sight again').toEqual([0, 0, [here, 0], { kind: 1, whom: 0 }])
  await worlds.settle(guest.client.interest.set([1, 2]))
  worlds.run(8)
  expect(Here.target[here]).toBe(seenBy(worlds, guest, prey))
  removeEntity(worlds.world, prey)
  const other = unit(worlds, 'other', 2)
  expect(other, 'bitECS gives the id to another entity').toBe(prey)
  expect(Unit.target[hunter], 'which nobody meant').toBe(0)
  worlds.run(8)
  expect([Here.target[here], Here.order.target[here]]).toEqual([0, 0])
  await worlds.end()
})

test('an entity may be named before it is an object', async () => {
  for (const detect of ['compare', 'mark'] as const) {
    const { worlds, guest, Unit, Here } = await start({ server: { detect } })
    const hunter = unit(worlds, 'hunter', 1)
    const later = addEntity(worlds.world)
    Unit.target[hunter] = later
    worlds.server.markDirty(hunter)
    await worlds.settle(guest.client.interest.set([1]))
    worlds.run(6)
    const here = seenBy(worlds, guest, hunter)
    expect(Here.target[here]).toBe(0)
    addComponent(worlds.world, later, Unit)
    worlds.server.place(later, 1)
    worlds.run(8)
    expect(Here.target[here], detect).toBe(seenBy(worlds, guest, later))
    expect(Here.target[here]).toBeGreaterThan(0)
    await worlds.end()
  }
})

test('the owner names entities of its own world', async () => {
  const { worlds, guest, Unit, Here } = await start()
  const [mine, other, hidden] = [unit(worlds, 'mine', 1, guest), unit(worlds, 'other', 1), unit(worlds, 'hidden', 9)]
  Unit.secret[mine] = other
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(8)
  const [me, target] = [seenBy(worlds, guest, mine), seenBy(worlds, guest, other)]
  expect(Here.secret[me], 'what only the owner gets').toBe(target)
  Here.aim[me] = target
  Here.squad[me] = [target, me]
  worlds.run(10)
  expect([Unit.aim[mine], Unit.squad[mine]]).toEqual([other, [other, mine]])
  // The server names what the owner does not see: that is no change by the owner.
  Unit.aim[mine] = hidden
  Unit.squad[mine] = [hidden, other]
  worlds.run(10)
  expect([Here.aim[me], Here.squad[me]]).toEqual([0, [0, target]])
  worlds.run(30)
  expect([Unit.aim[mine], Unit.squad[mine]], 'nothing is sent back').toEqual([hidden, [hidden, other]])
  await worlds.settle(guest.client.interest.set([1, 9]))
  worlds.run(8)
  const hiddenHere = seenBy(worlds, guest, hidden)
  expect([Here.aim[me], Here.squad[me]]).toEqual([hiddenHere, [hiddenHere, target]])
  // The owner names it itself, and loses sight of it.
  Here.aim[me] = target
  worlds.run(10)
  Here.aim[me] = hiddenHere
  worlds.run(10)
  expect(Unit.aim[mine]).toBe(hidden)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(30)
  expect([Here.aim[me], Unit.aim[mine]]).toEqual([0, hidden])
  Here.aim[me] = me
  worlds.run(10)
  expect(Unit.aim[mine]).toBe(mine)
  Here.aim[me] = 0
  worlds.run(10)
  expect(Unit.aim[mine], 'none').toBe(0)
  // What it aims at goes: that overrules nothing of what the owner writes meanwhile.
  Here.aim[me] = target
  worlds.run(10)
  removeEntity(worlds.world, other)
  Here.course[me] = 77
  worlds.run(10)
  expect([Unit.aim[mine], Here.aim[me], Unit.course[mine], Here.course[me]]).toEqual([0, 0, 77, 77])
  await worlds.end()
})

test('so do messages, both ways; one that is no object is refused', async () => {
  const { worlds, guest, Unit, Here } = await start()
  const [mine, other, hidden] = [unit(worlds, 'mine', 1, guest), unit(worlds, 'other', 1), unit(worlds, 'hidden', 9)]
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(8)
  const [me, target] = [seenBy(worlds, guest, mine), seenBy(worlds, guest, other)]
  const heard: unknown[] = []
  guest.client.on(Here.shot, (eid, args) => heard.push([eid, args]))
  worlds.server.on(Unit.attack, (eid, args) => heard.push([eid, args]))
  const orders = [
    { target: hidden, amount: 1 },
    { target: mine, amount: 2 },
  ]
  worlds.server.sendUpdate(mine, Unit.shot, { by: other, orders })
  guest.client.sendUpdate(me, Here.attack, { whom: target })
  worlds.run(10)
  expect(heard).toContainEqual([
    me,
    {
      by: target,
      orders: [
        { target: 0, amount: 1 },
        { target: me, amount: 2 },
      ],
    },
  ])
  expect(heard).toContainEqual([mine, { whom: other }])
  expect(orders[0]!.target, 'what was given is left alone').toBe(hidden)
  const nobody = addEntity(worlds.world)
  expect(() => worlds.server.sendUpdate(mine, Unit.shot, { by: nobody, orders: [] })).toThrow(
    `Unit.shot: entity ${nobody} is no distributed object here; 0 is none.`,
  )
  expect(() => guest.client.sendUpdate(me, Here.attack, { whom: 9999 })).toThrow('Unit.attack: entity 9999')
  expect(() => guest.client.sendUpdate(me, Here.attack, { whom: 'you' })).toThrow(/Unit.attack.whom: expected/)
  guest.client.sendUpdate(me, Here.attack, { whom: 0 })
  worlds.run(10)
  expect(heard.at(-1)).toEqual([mine, { whom: 0 }])
  await worlds.end()
})

test('over a bad link every side ends up with what the server means', async () => {
  for (const seed of [1, 2, 3]) {
    const { worlds, guest, Unit, Here } = await start({ seed, conditions: { loss: 0.2, lag: 0.04, jitter: 0.03 } })
    const units = Array.from({ length: 6 }, (_, index) => unit(worlds, `u${index}`, 1 + (index % 3)))
    await worlds.settle(guest.client.interest.set([1, 2, 3]))
    for (let step = 0; step < 40; step++) {
      const from = step % units.length
      const to = (step * 7 + seed) % units.length
      Unit.target[units[from]!] = units[to]!
      Unit.friends[units[to]!] = [units[from]!, units[to]!]
      worlds.server.place(units[to]!, 1 + ((step * 5) % 4))
      if (step % 9 === 8) {
        removeEntity(worlds.world, units[from]!)
        units[from] = unit(worlds, `n${step}`, 1 + (step % 3))
      }
      worlds.run(5)
    }
    worlds.run(120)
    for (const eid of units) {
      const here = seenBy(worlds, guest, eid)
      if (here === 0) continue
      expect(Here.target[here], Here.name[here]).toBe(seenBy(worlds, guest, Unit.target[eid]))
      expect(Here.friends[here]).toEqual(Unit.friends[eid].map((each: number) => seenBy(worlds, guest, each)))
    }
    await worlds.end()
  }
})
