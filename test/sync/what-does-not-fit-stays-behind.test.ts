import { addEntity, query } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { createImpostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  int16/10 x broadcast ram;
  uint8 hits broadcast ram;
  string(0-8) name broadcast ram;
  string note broadcast ram;
  string(0-8) diary ownrecv;
  uint8(0-9) gear ownrecv;
  uint8 rank ownrecv;
};
`

const stage = async () => {
  const errors: string[] = []
  const worlds = createWorlds(DC, { server: { onError: (error, where) => errors.push(`${where}: ${error}`) } })
  const [owner, other] = [await worlds.join(), await worlds.join()]
  for (const guest of [owner, other]) await worlds.settle(guest.client.interest.set([1, 2]))
  const eid = spawn(
    worlds,
    'Avatar',
    { x: 5, hits: 50, name: 'Ada', diary: 'dear', gear: 3 },
    1,
    clientOf(worlds, owner),
  )
  worlds.run(30)
  return { worlds, owner, other, eid, errors, server: worlds.schema.dclasses.Avatar }
}

const look = (worlds: Worlds, guest: Guest, eid: number) => {
  const at = seenBy(worlds, guest, eid)
  const { Avatar } = guest.schema.dclasses
  const { zone, owner } = guest.schema.DistributedObject
  return {
    x: Avatar.x[at],
    hits: Avatar.hits[at],
    name: Avatar.name[at],
    note: Avatar.note[at],
    zone: zone[at],
    owner: owner[at],
    alive: query(guest.world, [Alive]).includes(at as never),
  }
}

const own = (worlds: Worlds, guest: Guest, eid: number) => {
  const at = seenBy(worlds, guest, eid)
  const { diary, gear, rank } = guest.schema.dclasses.Avatar
  return { diary: diary[at], gear: gear[at], rank: rank[at] }
}

const MISFITS: [string, object, RegExp][] = [
  [
    'a number out of range',
    { x: 1e9 },
    /replicate, entity \d+: RangeError: Avatar\.x: 1000000000 is outside int16\/10/,
  ],
  ['a number that is none', { x: NaN }, /Avatar\.x: NaN/],
  ['a string that is too long', { name: 'far too long' }, /Avatar\.name/],
  ['a string that is none', { name: 7 }, /TypeError: Avatar\.name: .*7/],
  ['a string of the owner that is too long', { diary: 'far too long' }, /Avatar\.diary/],
  ['a number of the owner out of range', { gear: 10 }, /Avatar\.gear: 10 is outside uint8 \(0 to 9\)/],
]

test.each(MISFITS)('%s: the rest of the object goes on, and it is told once', async (_name, misfit, complaint) => {
  const { worlds, owner, other, eid, errors, server } = await stage()
  for (const [field, value] of Object.entries(misfit)) server[field][eid] = value
  server.hits[eid] = 51
  server.note[eid] = 'went on'
  server.rank[eid] = 4
  worlds.server.place(eid, 2)
  worlds.run(30)
  const shown = { x: 5, hits: 51, name: 'Ada', note: 'went on', zone: 2, owner: owner.client.clientId, alive: true }
  for (const guest of [owner, other])
    expect(look(worlds, guest, eid), 'it moved, with the last value that did fit').toEqual(shown)
  expect(own(worlds, owner, eid), 'the same for what its owner alone sees').toEqual({ diary: 'dear', gear: 3, rank: 4 })
  expect(errors, 'the game was told').toEqual([expect.stringMatching(complaint)])

  worlds.server.place(eid, 1, clientOf(worlds, other))
  server.hits[eid] = 52
  worlds.run(30)
  const { clientId } = other.client
  for (const guest of [owner, other])
    expect(look(worlds, guest, eid), 'it changes hands').toEqual({ ...shown, hits: 52, zone: 1, owner: clientId })
  expect(own(worlds, other, eid), 'and the new owner sees the same').toEqual({ diary: 'dear', gear: 3, rank: 4 })
  worlds.run(300)
  expect(errors, 'not again and again').toHaveLength(1)
  await worlds.end()
})

test('another misfit is told anew, and so is one that comes back after it was mended', async () => {
  const { worlds, other, eid, errors, server } = await stage()
  for (const x of [1e6, 2e6]) {
    server.x[eid] = x
    worlds.run(30)
  }
  expect(errors).toEqual([expect.stringContaining('1000000'), expect.stringContaining('2000000')])
  server.x[eid] = 6
  worlds.run(30)
  expect(look(worlds, other, eid).x, 'once mended it is shown').toBe(6)
  server.x[eid] = 2e6
  worlds.run(30)
  expect(errors).toHaveLength(3)
  expect(look(worlds, other, eid).x).toBe(6)
  await worlds.end()
})

test.each(MISFITS)('%s: an object that was never whole is seen with its default', async (_name, misfit) => {
  const { worlds, owner, other, errors } = await stage()
  const eid = spawn(worlds, 'Avatar', { hits: 9, ...misfit }, 1, clientOf(worlds, owner))
  worlds.run(30)
  for (const guest of [owner, other])
    expect(look(worlds, guest, eid)).toMatchObject({ x: 0, hits: 9, name: '', zone: 1, alive: true })
  expect(own(worlds, owner, eid)).toMatchObject({ diary: '', gear: 0 })
  expect(errors).toHaveLength(1)
  await worlds.end()
})

test.each(MISFITS)('%s: nothing is sent for it while nothing changes', async (_name, misfit) => {
  const { worlds, owner, eid, server } = await stage()
  const bytes = () => {
    const before = worlds.network.stats.down.bytes
    worlds.run(300)
    return worlds.network.stats.down.bytes - before
  }
  worlds.run(30)
  const idle = bytes()
  for (const [field, value] of Object.entries(misfit)) server[field][eid] = value
  worlds.server.place(eid, 2, clientOf(worlds, owner))
  worlds.run(30)
  expect(bytes(), 'bytes in five seconds').toBeLessThan(idle * 1.05)
  await worlds.end()
})

test('a blob of 300 KB is complained of and disconnects nobody', async () => {
  const errors: string[] = []
  const worlds = createWorlds('dclass Crate { blob32 photo broadcast ram; uint8 open broadcast ram; };', {
    server: { onError: error => errors.push(String(error)) },
  })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Crate', { photo: Uint8Array.of(1) }, 1)
  await worlds.settle(guest.client.interest.set([1]))
  const { Crate } = worlds.schema.dclasses
  Crate.photo[eid] = new Uint8Array(300_000)
  Crate.open[eid] = 1
  worlds.run(120)
  const { Crate: Seen } = guest.schema.dclasses
  const seen = seenBy(worlds, guest, eid)
  expect(errors).toEqual([expect.stringMatching(/RangeError: Crate\.photo: 300004 bytes .*shorter/)])
  expect(guest.client.state).toBe('connected')
  expect([Seen.photo[seen], Seen.open[seen]]).toEqual([Uint8Array.of(1), 1])
  Crate.photo[eid] = new Uint8Array(200_000).fill(3)
  worlds.until(() => Seen.photo[seen].length === 200_000, 'one that fits arrives', 60)
  await worlds.end()
})

test.each([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])('%s from the bytes of a hostile owner is refused', async (_name, value) => {
  const worlds = createWorlds('dclass Avatar { float64 exact broadcast ram ownsend; };')
  const eid = spawn(worlds, 'Avatar', { exact: 1 }, 1)
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  worlds.server.place(eid, 1, worlds.server.clients.get(impostor.welcome!.clientId)!)
  worlds.run(4)
  const doId = worlds.schema.DistributedObject.doId[eid]!
  const upload = (number: number) => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, number, true)
    for (let epoch = 0; epoch < 256; epoch++) impostor.upload(doId, epoch, bytes)
    worlds.run(4)
  }
  upload(value)
  expect(worlds.server.violations.outOfRange).toBe(1)
  expect(worlds.schema.dclasses.Avatar.exact[eid]).toBe(1)
  upload(2.5)
  expect(worlds.schema.dclasses.Avatar.exact[eid], 'the same bytes of a number are fine').toBe(2.5)
  await worlds.end()
})

test('text that is no UTF-8 is refused, and the server goes on', async () => {
  const worlds = createWorlds(`dclass Avatar {
    string(0-24) name broadcast ram ownsend;
    uint8 level broadcast ram ownsend;
  };`)
  const other = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1)
  await worlds.settle(other.client.interest.set([1]))
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  worlds.server.place(eid, 1, worlds.server.clients.get(impostor.welcome!.clientId)!)
  worlds.run(4)
  const { Avatar } = worlds.schema.dclasses
  const doId = worlds.schema.DistributedObject.doId[eid]!
  const name = worlds.schema.file.classes[0]!.inherited.find((field: { name: string }) => field.name === 'name')!.number
  impostor.field(doId, name, Uint8Array.of(24, 0, ...new Uint8Array(24).fill(0xff)))
  worlds.run(4)
  expect(worlds.server.violations.outOfRange).toBe(1)
  expect(Avatar.name[eid], 'the name stays').toBe('Ada')
  impostor.field(doId, name, Uint8Array.of(3, 0, 69, 118, 101))
  worlds.run(4)
  expect(Avatar.name[eid], 'text is taken').toBe('Eve')

  worlds.server.place(eid, 2, 0)
  worlds.run(30)
  expect(seenBy(worlds, other, eid), 'the object moves').toBe(0)
  for (let epoch = 0; epoch < 256; epoch++) impostor.upload(doId, epoch, Uint8Array.of(99))
  worlds.run(30)
  expect(Avatar.level[eid], 'and its former owner writes it no more').toBe(0)
  await worlds.end()
})

test('a client with too few entity ids is told once, and what fits goes on', async () => {
  const worlds = createWorlds('dclass Crate { uint8 open broadcast ram; };', { capacity: 50 })
  const errors: string[] = []
  const guest = await worlds.join({}, { onError: (error, where) => errors.push(`${where}: ${error}`) })
  for (let count = 0; count < 30; count++) addEntity(guest.world)
  const eids = Array.from({ length: 40 }, () => spawn(worlds, 'Crate', { open: 1 }, 1))
  await worlds.settle(guest.client.interest.set([1]))
  for (const eid of eids) worlds.schema.dclasses.Crate.open[eid] = 2
  worlds.run(120)
  expect(errors).toEqual([expect.stringMatching(/^receive: RangeError: .*capacity of 50/)])
  const seen = [...query(guest.world, [guest.schema.dclasses.Crate])]
  expect(seen.length, 'those that fit are here').toBe(19)
  expect(seen.map(eid => guest.schema.dclasses.Crate.open[eid])).toEqual(seen.map(() => 2))
  expect(addEntity(guest.world), 'the rest takes no ids').toBeLessThan(52)
  await worlds.end()
})
