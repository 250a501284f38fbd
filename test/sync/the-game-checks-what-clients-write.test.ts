import { writeField } from 'bitecs-pipes'
import type { Violation } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn, type Guest } from '../support/worlds.ts'

const DC = `
struct Vec2 { int16/10 x; int16/10 y; };
dclass Ship {
  Vec2 position broadcast ram ownsend;
  int16/10 heading broadcast ram ownsend;
  quat32 turn broadcast ownsend;
  float64 heat ownrecv ownsend;
  DoId target broadcast ownsend;
  string(0-20) name broadcast ram ownsend;
  uint8(0-9) lamp broadcast ram clsend;
  uint8 hull broadcast ram;
};`
const BAD = { lag: 0.05, jitter: 0.03, loss: 0.2, duplicate: 0.1 }

const stage = async (conditions = {}, seed = 1) => {
  const told: Violation[] = []
  const errors: string[] = []
  const worlds = createWorlds(DC, {
    conditions,
    seed,
    server: {
      onViolation: (_, violation) => void told.push(violation),
      onError: (error, where) => errors.push(`${where}: ${(error as Error).message}`),
    },
  })
  const [owner, other] = [await worlds.join(), await worlds.join()]
  for (const guest of [owner, other]) await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(
    worlds,
    'Ship',
    { position: { x: 1, y: 2 }, heading: 5, name: 'Argo', lamp: 1 },
    1,
    clientOf(worlds, owner),
  )
  worlds.until(() => [owner, other].every(guest => seenBy(worlds, guest, eid) !== 0), 'both see it')
  worlds.run(60)
  const of = (guest: Guest) => ({ Ship: guest.schema.dclasses.Ship, at: seenBy(worlds, guest, eid) })
  /** Everything that anybody but the owner is ever shown of the position and the name. */
  const shown = new Set<string>()
  worlds.game = () => {
    const { Ship, at } = of(other)
    shown.add(`${Ship.position.x[at]} ${Ship.position.y[at]} ${Ship.name[at]}`)
  }
  return {
    worlds,
    owner,
    other,
    eid,
    Ship: worlds.schema.dclasses.Ship,
    mine: of(owner),
    theirs: of(other),
    told,
    errors,
    shown,
  }
}

test.each([1, 2, 3])('what it refuses is overruled at the owner and never shown to anybody (seed %i)', async seed => {
  const { worlds, owner, eid, Ship, mine, theirs, told, shown } = await stage(BAD, seed)
  const asked: unknown[] = []
  worlds.server.validate(Ship.position, (id, value, client) => {
    asked.push([id, client.id, Object.keys(value as object)])
    return (value as { x: number }).x > 100 ? undefined : value
  })
  mine.Ship.position.x[mine.at] = 500
  mine.Ship.heading[mine.at] = 7
  worlds.run(120)
  expect([Ship.position.x[eid], Ship.position.y[eid], Ship.heading[eid]], 'the rest of it was taken').toEqual([1, 2, 7])
  expect([mine.Ship.position.x[mine.at], mine.Ship.heading[mine.at]]).toEqual([1, 7])
  expect(theirs.Ship.heading[theirs.at]).toBe(7)
  expect([...shown].filter(text => text.startsWith('500'))).toEqual([])
  expect(asked[0]).toEqual([eid, clientOf(worlds, owner).id, ['x', 'y']])
  expect(told[0]).toEqual({ kind: 'refused', detail: 'check', field: 'Ship.position', object: eid, action: 'ignore' })
  expect(clientOf(worlds, owner).violations.refused).toBe(told.length)
  mine.Ship.position.x[mine.at] = 3
  worlds.run(60)
  expect([Ship.position.x[eid], theirs.Ship.position.x[theirs.at]], 'the owner goes on').toEqual([3, 3])
  await worlds.end()
})

test('what it corrects reaches the owner, too, who may keep sending the other value', async () => {
  const { worlds, owner, eid, Ship, mine, theirs, told, shown } = await stage(BAD)
  // Changed in place, as vectors are.
  worlds.server.validate(Ship.position, (_, value) => {
    const position = value as { x: number; y: number }
    position.x = Math.min(position.x, 10)
    return position
  })
  owner.play = () => {
    mine.Ship.position.x[mine.at]! += 1
    mine.Ship.position.y[mine.at] = 4
  }
  worlds.run(240)
  owner.play = () => {}
  worlds.run(120)
  const all = [Ship.position.x[eid], mine.Ship.position.x[mine.at], theirs.Ship.position.x[theirs.at]]
  expect([all, Ship.position.y[eid]]).toEqual([[10, 10, 10], 4])
  expect(Math.max(...[...shown].map(text => Number(text.split(' ')[0])))).toBe(10)
  expect(told).toEqual([])
  await worlds.end()
})

test('a string too: refused, or corrected', async () => {
  const { worlds, eid, Ship, mine, theirs, told, shown } = await stage(BAD)
  worlds.server.validate(Ship.name, (_, name) =>
    name === '' ? undefined : (name as string).replaceAll('rude', '****'),
  )
  const names = () => [Ship.name[eid], mine.Ship.name[mine.at], theirs.Ship.name[theirs.at]]
  mine.Ship.name[mine.at] = 'rude boat'
  worlds.run(120)
  expect(names()).toEqual(['**** boat', '**** boat', '**** boat'])
  mine.Ship.name[mine.at] = ''
  worlds.run(120)
  expect(names()).toEqual(['**** boat', '**** boat', '**** boat'])
  expect([...shown].filter(text => text.includes('rude') || text.endsWith(' '))).toEqual([])
  expect(told.map(({ kind, field }) => `${kind} ${field}`)).toEqual(['refused Ship.name'])
  mine.Ship.name[mine.at] = 'Beagle'
  worlds.run(120)
  expect(names()).toEqual(['Beagle', 'Beagle', 'Beagle'])
  await worlds.end()
})

test('rotations, wide numbers, entities, and what others write by `clsend`, each as columns hold it', async () => {
  const { worlds, eid, other, Ship, mine, theirs, told } = await stage()
  const seen: unknown[] = []
  for (const field of ['turn', 'heat', 'target', 'lamp'])
    worlds.server.validate(Ship[field], (_, value) => {
      seen.push([field, value])
      return field === 'lamp' && value === 9 ? undefined : field === 'lamp' ? (value as number) + 1 : value
    })
  mine.Ship.turn.x[mine.at] = 1
  mine.Ship.turn.w[mine.at] = 0
  mine.Ship.heat[mine.at] = 0.1
  mine.Ship.target[mine.at] = mine.at
  const lamp = (value: number) => writeField(other.client, theirs.at, theirs.Ship.lamp, value)
  lamp(3)
  worlds.run(30)
  expect(seen).toEqual(
    expect.arrayContaining([
      ['turn', { x: 1, y: 0, z: 0, w: 0 }],
      ['heat', 0.1],
      ['target', eid],
      ['lamp', 3],
    ]),
  )
  expect(seen, 'each once').toHaveLength(4)
  expect([Ship.heat[eid], Ship.target[eid], Ship.lamp[eid], theirs.Ship.lamp[theirs.at]]).toEqual([0.1, eid, 4, 4])
  lamp(9)
  worlds.run(30)
  expect([Ship.lamp[eid], theirs.Ship.lamp[theirs.at], told.map(({ field }) => field)]).toEqual([4, 4, ['Ship.lamp']])
  await worlds.end()
})

test('a check that throws or answers nonsense is reported, and what stands, stands', async () => {
  const { worlds, eid, Ship, mine, errors, told } = await stage()
  const stop = worlds.server.validate(Ship.heading, () => 1e9)
  mine.Ship.heading[mine.at] = 6
  worlds.run(30)
  expect([Ship.heading[eid], mine.Ship.heading[mine.at], told]).toEqual([5, 5, []])
  expect(errors).toEqual([expect.stringMatching(/^validate Ship\.heading: .*1000000000 is outside/)])
  stop()
  worlds.server.validate(Ship.heat, () => NaN)
  mine.Ship.heat[mine.at] = 6
  worlds.run(30)
  expect([Ship.heat[eid], mine.Ship.heat[mine.at]], 'NaN would keep its owner from sending anything').toEqual([0, 0])
  expect(errors.splice(1)).toEqual(['validate Ship.heat: Ship.heat: what the check answers is not finite.'])
  worlds.server.validate(Ship.heading, () => {
    throw new Error('oops')
  })
  mine.Ship.heading[mine.at] = 7
  worlds.run(30)
  expect([Ship.heading[eid], mine.Ship.heading[mine.at], errors[1]]).toEqual([5, 5, 'validate Ship.heading: oops'])
  expect(() => worlds.server.validate(Ship.hull, value => value)).toThrow(
    'Ship.hull has neither `ownsend` nor `clsend`',
  )
  expect(() => worlds.server.validate(new Uint8Array(3), (_, value) => value)).toThrow('the columns of no field')
  await worlds.end()
})
