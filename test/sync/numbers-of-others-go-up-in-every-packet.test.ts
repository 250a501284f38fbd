import { writeField } from 'bitecs-pipes'
import { expect, test } from 'vitest'
import { createImpostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest } from '../support/worlds.ts'

const DC = `
struct Vec2 { int16 x; int16 y; };
dclass Lamp {
  Vec2 aim broadcast ram clsend;
  uint8 level broadcast ram clsend;
  uint8 secret airecv clsend;
};`
const BAD = { lag: 0.05, jitter: 0.04, loss: 0.25, reorder: 0.2, duplicate: 0.2 }

const stage = async (conditions = {}, seed = 1, server = {}) => {
  const worlds = createWorlds(DC, { conditions, seed, server })
  const [ada, ben] = [await worlds.join(), await worlds.join()]
  for (const guest of [ada, ben]) await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(worlds, 'Lamp', { level: 1 }, 1)
  worlds.until(() => [ada, ben].every(guest => seenBy(worlds, guest, eid) !== 0), 'both see it')
  worlds.run(60)
  const write = (guest: Guest, field: string, value: unknown) =>
    writeField(guest.client, seenBy(worlds, guest, eid), guest.schema.dclasses.Lamp[field], value as never)
  return { worlds, ada, ben, eid, write, Lamp: worlds.schema.dclasses.Lamp }
}

test.each([1, 2, 3, 4])('the newest stands in the end, and none undoes a newer one (seed %i)', async seed => {
  const { worlds, ada, ben, eid, write, Lamp } = await stage(BAD, seed)
  const levels: number[] = []
  worlds.game = () => {
    if (levels.at(-1) !== Lamp.level[eid]) levels.push(Lamp.level[eid])
  }
  for (let value = 2; value <= 200; value++) {
    write(ada, 'level', value)
    write(ada, 'aim', [value, -value])
    worlds.run(1)
  }
  worlds.run(120)
  expect(levels, 'never back').toEqual([...levels].sort((a, b) => a - b))
  expect([levels.at(-1), Lamp.aim.x[eid], Lamp.aim.y[eid]]).toEqual([200, 200, -200])
  const seen = seenBy(worlds, ben, eid)
  expect([ben.schema.dclasses.Lamp.level[seen], ben.schema.dclasses.Lamp.aim.y[seen]]).toEqual([200, -200])
  await worlds.end()
})

test('what one wrote before is not written again over what another wrote since', async () => {
  const { worlds, ada, ben, eid, write, Lamp } = await stage({ lag: 0.05, loss: 0.3 }, 5)
  for (let round = 0; round < 40; round++) {
    write(ada, 'level', 5)
    worlds.until(() => Lamp.level[eid] === 5, 'it arrives')
    // Ada's client may send it a few times more: it does not know yet.
    write(ben, 'level', 7)
    worlds.until(() => Lamp.level[eid] === 7, 'so does this')
    for (let frame = 0; frame < 40; frame++) {
      worlds.run(1)
      expect(Lamp.level[eid]).toBe(7)
    }
  }
  await worlds.end()
})

test('who loses sight of an object and sees it again writes on', async () => {
  const { worlds, ada, eid, write, Lamp } = await stage({ lag: 0.03 })
  for (let value = 2; value < 90; value++) {
    write(ada, 'level', value)
    worlds.run(2)
  }
  await worlds.settle(ada.client.interest.set([]))
  worlds.run(10)
  await worlds.settle(ada.client.interest.set([1]))
  worlds.run(10)
  write(ada, 'level', 200)
  worlds.run(30)
  expect(Lamp.level[eid]).toBe(200)
  await worlds.end()
})

test('they go up at the command rate, unreliably: no message is queued, and none counts as one', async () => {
  const { worlds, ada, eid, write, Lamp } = await stage({}, 1, { messageRate: 1, timeout: 1, resumeTime: 0 })
  worlds.run(60)
  const { stats } = ada.client
  const before = { ...stats }
  ada.play = () => {
    write(ada, 'level', (Lamp.level[eid] % 200) + 1)
    write(ada, 'secret', 9)
  }
  worlds.run(120)
  ada.play = () => {}
  expect(stats.packetsOut - before.packetsOut, 'at 30 packets a second for two seconds').toBeLessThanOrEqual(61)
  expect(clientOf(worlds, ada).violations).toEqual({
    malformed: 0,
    forbidden: 0,
    outOfRange: 0,
    flooded: 0,
    refused: 0,
  })
  expect(Lamp.secret[eid]).toBe(9)
  await worlds.end()
})

test('a limit of the field drops what is beyond it, each once', async () => {
  const limits = { 'Lamp.level': { rate: 1, burst: 3 } }
  const { worlds, ada, eid, write, Lamp } = await stage({}, 1, { limits })
  for (const value of [10, 20, 30, 40]) {
    write(ada, 'level', value)
    worlds.run(6)
  }
  expect([Lamp.level[eid], clientOf(worlds, ada).violations.flooded, ada.client.state]).toEqual([30, 1, 'connected'])
  worlds.run(90)
  write(ada, 'level', 50)
  worlds.run(6)
  expect(Lamp.level[eid]).toBe(50)
  await worlds.end()
})

test('an old version, whoever repeats it, is void', async () => {
  const { worlds, eid, Lamp } = await stage()
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  worlds.server.setZones(worlds.server.clients.get(impostor.welcome!.clientId)!, [1])
  worlds.run(4)
  const { doId } = worlds.schema.DistributedObject
  const field = worlds.schema.file.classes.at(-1)!.inherited.find((each: { name: string }) => each.name === 'level')!
  const write = (value: number, version: number) => {
    impostor.write(doId[eid]!, field.number, Uint8Array.of(value), version)
    worlds.run(4)
    return Lamp.level[eid]
  }
  expect([write(10, 200), write(20, 200), write(30, 100), write(40, 201), write(50, 255), write(60, 3)]).toEqual([
    10, 10, 10, 40, 50, 60,
  ])
  await worlds.end()
})
