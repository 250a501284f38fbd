import { hasComponent, removeEntity } from 'bitecs'
import { Owned } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, seenBy, spawn } from '../support/worlds.ts'

const DC = `
struct Item { string label; uint16 count; };
dclass Avatar {
  string(0-40) name broadcast ram ownsend;
  blob face broadcast ram ownsend;
  Item bag[] broadcast ram ownsend;
  string(0-40) diary ownrecv ownsend;
  uint8 level broadcast ram;
};
`
const LAG = { lag: 0.1, jitter: 0.03 }
const BAD = { lag: 0.05, jitter: 0.03, loss: 0.2 }

/** An owner, another who sees the object, and what each of them and the server hold. */
const stage = async (conditions = {}, seed = 1, isOwned = true) => {
  const worlds = createWorlds(DC, { conditions, seed })
  const [owner, other] = [await worlds.join(), await worlds.join()]
  for (const guest of [owner, other]) await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, isOwned ? clientOf(worlds, owner) : 0)
  worlds.run(60)
  const server = worlds.schema.dclasses.Avatar
  const [own, others] = [owner.schema.dclasses.Avatar, other.schema.dclasses.Avatar]
  const [mine, theirs] = [seenBy(worlds, owner, eid), seenBy(worlds, other, eid)]
  const names = () => ({ server: server.name[eid], owner: own.name[mine], other: others.name[theirs] })
  return { worlds, owner, other, eid, server, own, others, mine, theirs, names }
}

const everywhere = (name: string) => ({ server: name, owner: name, other: name })

test('a string, blob or list that the server writes is taken over by the owner', async () => {
  const { worlds, server, eid, own, mine, names } = await stage(LAG)
  server.name[eid] = 'Eve'
  server.face[eid] = Uint8Array.of(1, 2)
  server.bag[eid] = [{ label: 'rope', count: 3 }]
  server.diary[eid] = 'found'
  worlds.run(60)
  expect(names(), 'the string').toEqual(everywhere('Eve'))
  expect([own.face[mine], own.bag[mine], own.diary[mine]], 'the others').toEqual([
    Uint8Array.of(1, 2),
    [{ label: 'rope', count: 3 }],
    'found',
  ])

  own.name[mine] = 'Eva'
  own.face[mine] = Uint8Array.of(3)
  own.bag[mine] = []
  own.diary[mine] = 'mine'
  worlds.run(60)
  expect(names(), 'and the owner writes on').toEqual(everywhere('Eva'))
  expect([server.face[eid], server.bag[eid], server.diary[eid]]).toEqual([Uint8Array.of(3), [], 'mine'])
  await worlds.end()
})

test('a list that the server changes in place is taken over as well', async () => {
  const { worlds, server, eid, own, mine } = await stage(LAG)
  own.bag[mine] = [{ label: 'rope', count: 3 }]
  worlds.run(60)
  server.bag[eid][0].count = 2
  worlds.run(60)
  expect(own.bag[mine]).toEqual([{ label: 'rope', count: 2 }])
  await worlds.end()
})

test.each([0, 2, 5, 8, 11, 14])('even when a newer one of its own is on its way (%i frames)', async frames => {
  const { worlds, server, eid, own, mine, names } = await stage(LAG)
  own.name[mine] = 'on its way'
  worlds.run(frames)
  server.name[eid] = 'censored'
  worlds.run(90)
  // Which of the two was first is for the link to say; that all agree is not.
  expect(names()).toEqual(everywhere(server.name[eid]))
  if (frames < 6) expect(server.name[eid], 'what was sent before the owner knew is void').toBe('censored')
  own.name[mine] = 'again'
  worlds.run(60)
  expect(names(), 'and the owner writes on').toEqual(everywhere('again'))
  await worlds.end()
})

test.each([1, 2, 3, 4])('when both write all the time, all agree in the end (seed %i)', async seed => {
  const { worlds, owner, server, eid, own, mine, names } = await stage(BAD, seed)
  let step = 0
  worlds.game = () => {
    if (step++ % 7 === 0) server.name[eid] = `server ${step}`
  }
  owner.play = () => {
    if (step % 3 === 0) own.name[mine] = `owner ${step}`
  }
  worlds.run(600)
  worlds.game = owner.play = () => {}
  worlds.run(240)
  expect(names()).toEqual(everywhere(server.name[eid]))
  await worlds.end()
})

test('a handler that writes it back is obeyed', async () => {
  const { worlds, server, eid, own, mine, names } = await stage(LAG)
  worlds.game = () => {
    if (server.name[eid].includes('rude')) server.name[eid] = 'polite'
  }
  own.name[mine] = 'rude'
  worlds.run(60)
  expect(names()).toEqual(everywhere('polite'))
  own.name[mine] = 'rude again'
  worlds.run(60)
  expect(names(), 'the same answer a second time').toEqual(everywhere('polite'))
  await worlds.end()
})

test('who is given an object in the tick of a write has what was written', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { worlds, owner, server, eid, mine, names } = await stage(BAD, seed, false)
    server.name[eid] = 'new'
    if (seed % 2 === 0) worlds.run(2)
    worlds.server.place(eid, 1, clientOf(worlds, owner))
    worlds.run(180)
    expect(hasComponent(owner.world, mine, Owned)).toBe(true)
    expect(names(), `seed ${seed}`).toEqual(everywhere('new'))
    await worlds.end()
  }
})

test.each([1, 2, 3])('who loses an object sees what the server has (seed %i)', async seed => {
  const { worlds, other, server, eid, own, mine, others, theirs, names } = await stage(BAD, seed)
  own.name[mine] = 'too late'
  worlds.server.place(eid, 1, 0)
  worlds.run(120)
  expect(server.name[eid], 'what was on its way is void').toBe('Ada')
  expect(names(), 'once it is taken').toEqual(everywhere('Ada'))
  worlds.server.place(eid, 1, clientOf(worlds, other))
  worlds.run(60)
  others.name[theirs] = 'theirs'
  worlds.run(120)
  expect(names(), 'and once it is given to another').toEqual(everywhere('theirs'))

  server.name[eid] = 'overruled'
  worlds.server.place(eid, 1, 0)
  worlds.run(120)
  expect(names(), 'a write in the tick of the change of owner').toEqual(everywhere('overruled'))
  await worlds.end()
})

test('what was on its way when an object changed hands is void, even if it comes back at once', async () => {
  const { worlds, owner, eid, own, mine, names } = await stage({ lag: 0.1 })
  own.name[mine] = 'too late'
  worlds.server.place(eid, 1, 0)
  worlds.run(2)
  worlds.server.place(eid, 1, clientOf(worlds, owner))
  worlds.run(60)
  expect(names()).toEqual(everywhere('Ada'))
  own.name[mine] = 'in time'
  worlds.run(60)
  expect(names(), 'and the owner writes on').toEqual(everywhere('in time'))
  await worlds.end()
})

test('who goes on writing until it hears of its loss sees what the server has', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { worlds, owner, eid, own, mine, names } = await stage({ ...BAD, loss: 0.3, reorder: 0.3 }, seed)
    let step = 0
    owner.play = () => {
      if (hasComponent(owner.world, mine, Owned)) own.name[mine] = `late ${step++}`
    }
    worlds.run(30)
    worlds.server.place(eid, 1, 0)
    worlds.run(180)
    expect(names(), `seed ${seed}`).toEqual(everywhere(names().server))
    await worlds.end()
  }
})

test.each([1, 2, 3])('what the server does not write stays as the owner left it (seed %i)', async seed => {
  const { worlds, owner, server, eid, own, mine, names } = await stage({ ...BAD, reorder: 0.2 }, seed)
  const pulled: unknown[] = []
  let step = 0
  let written = { name: own.name[mine], bag: own.bag[mine] }
  worlds.game = () => {
    server.level[eid] = step % 200
  }
  owner.play = () => {
    step++
    if (own.name[mine] !== written.name || own.bag[mine] !== written.bag) pulled.push([step, own.name[mine], written])
    if (step % 4 !== 0) return
    written = { name: `n${step}`, bag: [{ label: `l${step}`, count: step }] }
    own.name[mine] = written.name
    own.bag[mine] = written.bag
  }
  worlds.run(600)
  owner.play = () => {}
  worlds.run(120)
  expect(pulled, 'no echo took it back').toEqual([])
  expect(names()).toEqual(everywhere(written.name))
  expect(server.bag[eid]).toEqual(written.bag)
  expect(worlds.server.violations).toEqual({ malformed: 0, forbidden: 0, outOfRange: 0, flooded: 0, refused: 0 })
  await worlds.end()
})

test('a string that only its owner sees is overruled as well, beside strings that all see', async () => {
  const worlds = createWorlds(`dclass Avatar {
    string(0-40) label broadcast ram;
    string(0-40) diary ownrecv ownsend;
  };`)
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { label: 'Ada' }, 1, clientOf(worlds, guest))
  worlds.run(30)
  const [server, own] = [worlds.schema.dclasses.Avatar, guest.schema.dclasses.Avatar]
  const mine = seenBy(worlds, guest, eid)
  own.diary[mine] = 'first'
  worlds.run(30)
  expect(server.diary[eid], 'the owner writes').toBe('first')
  server.diary[eid] = 'torn out'
  worlds.run(30)
  expect(own.diary[mine], 'the server overrules').toBe('torn out')
  own.diary[mine] = 'second'
  worlds.run(30)
  expect(server.diary[eid], 'and the owner writes on').toBe('second')
  await worlds.end()
})

test.each([1, 2, 3])('all fields of an object are taken over, however far apart they arrive (seed %i)', async seed => {
  const { worlds, server, eid, own, mine } = await stage(BAD, seed)
  own.face[mine] = new Uint8Array(8000).fill(7)
  worlds.run(120)
  // The owner is told all of its fields anew: the face takes several packets between the name and the bag.
  server.bag[eid] = [{ label: 'rope', count: 3 }]
  worlds.until(() => own.bag[mine].length === 1, 'the owner is told', 30)
  expect(own.bag[mine]).toEqual([{ label: 'rope', count: 3 }])
  own.bag[mine] = []
  worlds.until(() => server.bag[eid].length === 0, 'and the owner writes on', 30)
  worlds.run(60)
  expect([own.bag[mine], server.bag[eid]]).toEqual([[], []])
  await worlds.end()
})

test('an owned object that vanishes for a moment comes back with what its owner wrote last', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.1 } })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1, clientOf(worlds, guest))
  worlds.run(60)
  const [server, own] = [worlds.schema.dclasses.Avatar, guest.schema.dclasses.Avatar]
  own.name[seenBy(worlds, guest, eid)] = 'newest'
  worlds.run(3)
  // The name is on its way. The entity comes back with the object's next change, from what the server told last.
  removeEntity(guest.world, seenBy(worlds, guest, eid))
  server.level[eid] = 1
  worlds.run(60)
  expect(server.name[eid]).toBe('newest')
  expect(own.name[seenBy(worlds, guest, eid)]).toBe('newest')
  await worlds.end()
})
