import { writeField } from 'bitecs-pipes'
import type { ServerClient, ServerOptions, Violation } from 'bitecs-pipes/server'
import { expect, test } from 'vitest'
import { packField } from '../../src/dc/index.ts'
import { encodeInterest } from '../../src/net/interest.ts'
import { createImpostor, type Impostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC = `
keyword unreliable;
dclass Avatar {
  int16/10 x broadcast ram ownsend;
  string(0-20) mood broadcast ram ownsend;
  uint8(0-9) lamp broadcast ram clsend;
  string(0-9) label broadcast ram clsend ownsend;
  float32 heat[] broadcast ownsend;
  blob photo airecv ownsend;
  say(string(0-20) text) ownsend;
  knock(uint8(0-9) times) clsend;
  blink(uint8 eye) clsend unreliable;
  warm(float32 much) clsend;
};`

/** A server with an object in zone 1, and an impostor that sees it, and owns it if `isOwner`. */
const stage = async (server: Partial<ServerOptions> = {}, isOwner = false) => {
  const told: [number, Violation][] = []
  const errors: string[] = []
  const worlds = createWorlds(DC, {
    server: {
      onViolation: (client, violation) => void told.push([client.id, violation]),
      onError: (error, where) => errors.push(`${where}: ${(error as Error).message}`),
      ...server,
    },
  })
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  const client = worlds.server.clients.get(impostor.welcome!.clientId)!
  worlds.server.setZones(client, [1])
  const eid = spawn(worlds, 'Avatar', { x: 1, lamp: 1 }, 1, isOwner ? client : 0)
  worlds.run(10)
  const doId = worlds.schema.DistributedObject.doId[eid]!
  const { Avatar } = worlds.schema.dclasses
  const field = (name: string) => worlds.schema.file.classes[0]!.inherited.find((each: any) => each.name === name)!
  const message = (name: string, args: object) =>
    impostor.message(
      doId,
      field(name).number,
      packField(field(name), args).slice(),
      field(name).keywords.includes('unreliable') ? 'unreliable' : 'reliable',
    )
  const left: string[] = []
  worlds.server.onLeave((_, reason) => left.push(reason))
  return { worlds, impostor, client, eid, doId, Avatar, field, message, told, errors, left }
}

test('a violation is counted, by server and client, and told with its kind, field, object and why', async () => {
  const { worlds, impostor, client, eid, doId, field, message, told, left } = await stage()
  message('say', { text: 'I am the owner' })
  impostor.message(doId + 1000, field('knock').number, Uint8Array.of(1))
  impostor.message(doId, field('knock').number, Uint8Array.of(10))
  impostor.message(doId, field('knock').number, Uint8Array.of(1, 2))
  impostor.message(doId, field('knock').number, Uint8Array.of(1), 'unreliable')
  impostor.message(doId, 9999, Uint8Array.of(1))
  impostor.upload(doId, 1, Uint8Array.of(1, 0))
  impostor.connection.send(Uint8Array.of(0xff, 1, 2, 3))
  worlds.run(4)
  const action = 'ignore'
  const expected = [
    { kind: 'forbidden', detail: 'not-owner', field: 'Avatar.say', object: eid, action },
    { kind: 'forbidden', detail: 'unknown-object', field: 'Avatar.knock', object: 0, action },
    { kind: 'outOfRange', detail: 'value', field: 'Avatar.knock', object: eid, action },
    { kind: 'outOfRange', detail: 'value', field: 'Avatar.knock', object: eid, action },
    { kind: 'malformed', detail: 'channel', field: 'Avatar.knock', object: eid, action },
    { kind: 'malformed', detail: 'field', field: undefined, object: eid, action },
    { kind: 'forbidden', detail: 'not-owner', field: 'Avatar.x', object: eid, action },
    { kind: 'malformed', detail: 'datagram', field: undefined, object: 0, action },
  ]
  expect(told).toEqual(expected.map(violation => [client.id, violation]))
  expect(client.violations).toEqual({ malformed: 3, forbidden: 3, outOfRange: 2, flooded: 0, refused: 0 })
  expect(worlds.server.violations).toEqual(client.violations)
  expect(left, 'nobody has to go for that').toEqual([])
  await worlds.end()
})

test('a policy kicks, the hook has the last word, and warnings become rare', async () => {
  const strict = await stage({ violationPolicy: { forbidden: 'kick' } })
  strict.message('say', { text: '' })
  strict.message('say', { text: '' })
  strict.worlds.run(4)
  expect([strict.left, strict.client.violations.forbidden, strict.told.length]).toEqual([['kicked'], 1, 1])
  await strict.worlds.end()

  const patient = await stage({
    violationPolicy: { forbidden: 'kick' },
    onViolation: client => (client.violations.forbidden < 3 ? 'ignore' : undefined),
  })
  for (const expected of [[], [], ['kicked']]) {
    patient.message('say', { text: '' })
    patient.worlds.run(4)
    expect(patient.left).toEqual(expected)
  }
  await patient.worlds.end()

  const warning = await stage({ violationPolicy: { outOfRange: 'warn' }, onViolation: () => {} })
  for (let count = 0; count < 25; count++) {
    warning.impostor.message(warning.doId, warning.field('knock').number, Uint8Array.of(10))
    warning.worlds.run(2)
  }
  const text = 'client 1: outOfRange (Avatar.knock, value)'
  expect(warning.errors).toEqual([`${text}, 1 by now`, `${text}, 10 by now`])
  await warning.worlds.end()
})

test('a hook that throws is reported, and the policy holds', async () => {
  const { worlds, message, errors, left } = await stage({
    onViolation: () => {
      throw new Error('oops')
    },
  })
  message('say', { text: '' })
  worlds.run(4)
  expect([errors, left]).toEqual([['onViolation: oops'], []])
  await worlds.end()
})

test('a field has a rate of its own: reliable messages beyond it end the session, unreliable ones are dropped', async () => {
  const limits = { 'Avatar.knock': { rate: 2, burst: 5 }, 'Avatar.blink': { rate: 2, burst: 5 } }
  const { worlds, client, eid, message, told, left, Avatar } = await stage({ limits })
  const heard = { knock: 0, blink: 0 }
  worlds.server.on(Avatar.knock, () => void heard.knock++)
  worlds.server.on(Avatar.blink, () => void heard.blink++)
  for (let count = 0; count < 8; count++) message('blink', { eye: 1 })
  for (let count = 0; count < 5; count++) message('knock', { times: 1 })
  worlds.run(4)
  expect([heard, left]).toEqual([{ knock: 5, blink: 5 }, []])
  expect(client.violations.flooded).toBe(3)
  worlds.run(60)
  for (let count = 0; count < 2; count++) message('knock', { times: 1 })
  worlds.run(4)
  expect([heard.knock, left], 'two more a second').toEqual([7, []])
  message('knock', { times: 1 })
  worlds.run(4)
  expect([heard.knock, left]).toEqual([7, ['flooded']])
  const violation = { kind: 'flooded', detail: 'field-rate', field: 'Avatar.knock', object: 0, action: 'kick' }
  expect(told.at(-1)?.[1]).toEqual(violation)
  expect(worlds.schema.DistributedObject.doId[eid], 'the object was not its').toBeGreaterThan(0)
  await worlds.end()
})

test('`*` is the limit of every field that has none of its own', async () => {
  const limits = { 'Avatar.knock': { rate: 1, burst: 3 }, '*': { rate: 1, burst: 2 } }
  const { worlds, client, message, Avatar } = await stage({ limits })
  const heard = { knock: 0, blink: 0 }
  worlds.server.on(Avatar.knock, () => void heard.knock++)
  worlds.server.on(Avatar.blink, () => void heard.blink++)
  for (let count = 0; count < 3; count++) message('knock', { times: 1 })
  for (let count = 0; count < 3; count++) message('blink', { eye: 1 })
  worlds.run(4)
  expect([heard, client.violations.flooded]).toEqual([{ knock: 3, blink: 2 }, 1])
  await worlds.end()
})

test('who may stay though it floods hears what became of its values and requests', async () => {
  const worlds = createWorlds(DC, {
    server: {
      messageBytes: 1,
      messageRate: 10_000,
      interestRate: 1,
      timeout: 3,
      violationPolicy: { flooded: 'ignore' },
    },
  })
  const owner = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { mood: 'calm' }, 1, clientOf(worlds, owner))
  worlds.run(30)
  const { Avatar } = owner.schema.dclasses
  const mine = seenBy(worlds, owner, eid)
  const requests = Array.from({ length: 9 }, (_, at) => owner.client.interest.add([2 + at]))
  const results = await worlds.settle(Promise.all(requests))
  expect(
    results.map(({ granted }) => granted.length),
    'what a dead link holds back',
  ).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0])
  expect(results.at(-1), 'and some too many').toMatchObject({ granted: [], refused: [10] })
  // Five large blobs and some messages use up its bytes.
  for (let count = 1; count <= 5; count++) {
    Avatar.photo[mine] = new Uint8Array(60_000).fill(count)
    worlds.until(() => worlds.schema.dclasses.Avatar.photo[eid][0] === count, 'it arrives')
  }
  const exhaust = (text: string) => {
    const before = worlds.server.violations.flooded
    worlds.until(() => {
      for (let count = 0; count < 20; count++) owner.client.sendUpdate(mine, Avatar.say, { text })
      return worlds.server.violations.flooded > before
    }, 'no more of this size')
    worlds.run(10)
  }
  exhaust('x'.repeat(20))
  exhaust('')
  Avatar.mood[mine] = 'angry'
  worlds.run(60)
  expect([worlds.schema.dclasses.Avatar.mood[eid], Avatar.mood[mine]], 'both sides agree').toEqual(['calm', 'calm'])
  expect(owner.client.state).toBe('connected')
  await worlds.end()
})

test('a value beyond the rate of its field is overruled when the policy lets the owner stay', async () => {
  const worlds = createWorlds(DC, {
    server: {
      limits: { 'Avatar.mood': { rate: 0.5, burst: 2 } },
      violationPolicy: { flooded: 'ignore' },
      detect: 'mark',
    },
  })
  const owner = await worlds.join()
  const eid = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, owner))
  worlds.run(30)
  const mine = seenBy(worlds, owner, eid)
  const { mood } = owner.schema.dclasses.Avatar
  for (const text of ['a', 'b', 'c']) {
    mood[mine] = text
    worlds.run(10)
  }
  worlds.run(20)
  expect([worlds.schema.dclasses.Avatar.mood[eid], mood[mine]], 'both sides agree').toEqual(['b', 'b'])
  worlds.run(200)
  mood[mine] = 'd'
  worlds.run(20)
  expect(worlds.schema.dclasses.Avatar.mood[eid]).toBe('d')
  await worlds.end()
})

test('a limit is for a message or the columns of a field, as everything else is', async () => {
  const worlds = createWorlds(DC, { server: { detect: 'mark', violationPolicy: { flooded: 'ignore' } } })
  const { Avatar } = worlds.schema.dclasses
  const limit = { rate: 0.5, burst: 2 }
  worlds.server.configure({
    limits: new Map([
      [Avatar.mood, limit],
      [Avatar.say, limit],
    ]),
  })
  const owner = await worlds.join()
  const eid = spawn(worlds, 'Avatar', {}, 1, clientOf(worlds, owner))
  worlds.run(30)
  const mine = seenBy(worlds, owner, eid)
  for (const text of ['a', 'b', 'c']) {
    owner.schema.dclasses.Avatar.mood[mine] = text
    worlds.run(10)
  }
  worlds.run(20)
  expect([Avatar.mood[eid], worlds.server.violations.flooded]).toEqual(['b', 1])
  expect(() => worlds.server.configure({ limits: [[Avatar.x, limit]] })).toThrow(/Avatar\.x is a number/)
  expect(() => worlds.server.configure({ limits: [[{ field: {} } as never, limit]] })).toThrow(/no field/)
  await worlds.end()
})

test('interest requests have a rate of their own', async () => {
  const { worlds, impostor, left, told } = await stage({ interestRate: 2, timeout: 1 })
  const ask = (count: number) => {
    for (let request = 0; request < count; request++)
      impostor.reliable(encodeInterest({ request, operation: 'set', zones: [request + 1] }))
    worlds.run(4)
  }
  ask(10)
  expect(left, 'five seconds of them at once: what a dead link holds back').toEqual([])
  ask(1)
  expect([left, told.at(-1)?.[1].detail]).toEqual([['flooded'], 'interest'])
  await worlds.end()
})

test('more datagrams than any honest client sends are dropped unread', async () => {
  const { worlds, impostor, client } = await stage()
  for (let round = 0; round < 30; round++) {
    for (let count = 0; count < 200; count++) impostor.connection.send(Uint8Array.of(0xff))
    worlds.run(2)
  }
  const { malformed, flooded } = client.violations
  expect(malformed + flooded).toBe(6000)
  expect(malformed, 'four seconds of 512, and one more').toBeLessThan(2700)
  await worlds.end()
})

test('NaN and infinity are refused in messages and lists too, and told to the sender', async () => {
  const { worlds, impostor, doId, Avatar, field } = await stage({}, true)
  const heard: unknown[] = []
  worlds.server.on(Avatar.warm, (_, args) => heard.push(args))
  const nan = new Uint8Array(new Float32Array([NaN]).buffer)
  const infinity = new Uint8Array(new Float32Array([Infinity]).buffer)
  impostor.message(doId, field('warm').number, nan)
  impostor.message(doId, field('warm').number, infinity)
  impostor.field(doId, field('heat').number, Uint8Array.of(4, 0, ...nan))
  worlds.run(4)
  expect([heard, worlds.server.violations.outOfRange]).toEqual([[], 3])

  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  const { warm } = guest.schema.dclasses.Avatar
  const seen = guest.client.entityOf(doId)
  expect(() => guest.client.sendUpdate(seen, warm, { much: NaN })).toThrow(/Avatar\.warm: not all numbers are finite/)
  await worlds.end()
})

interface Change {
  readonly worlds: Worlds
  readonly eid: number
  readonly client: ServerClient
}

const LATE: [string, boolean, (change: Change) => void][] = [
  ['the owner changed', true, ({ worlds, eid }) => worlds.server.place(eid, 1, 0)],
  [
    'the owner changed twice',
    true,
    ({ worlds, eid }) => {
      worlds.server.place(eid, 2, 0)
      worlds.run(4)
      worlds.server.place(eid, 3, 0)
    },
  ],
  ['the object left its zones', false, ({ worlds, eid }) => worlds.server.place(eid, 2)],
  ['the object left every zone', false, ({ worlds, eid }) => void (worlds.schema.DistributedObject.zone[eid] = 0)],
  ['its object left every zone', true, ({ worlds, eid }) => void (worlds.schema.DistributedObject.zone[eid] = 0)],
  ['the zone was taken away', false, ({ worlds, client }) => worlds.server.setZones(client, [])],
  ['the object was hidden', false, ({ worlds, eid }) => worlds.server.setVisibility(eid, 'never')],
]

/** Says nothing for longer than any link may, but for what keeps a session. */
const keepQuiet = (worlds: Worlds, impostor: Impostor) => {
  for (let second = 0; second < 16; second++) {
    impostor.reliable(encodeInterest({ request: 0, operation: 'add', zones: [9] }))
    worlds.run(60)
  }
}

test('so is what was sent before an object with its own rule was hidden from one client', async () => {
  const { worlds, client, eid, message, impostor } = await stage()
  worlds.server.setVisibility(eid, 'always', client)
  keepQuiet(worlds, impostor)
  worlds.server.setVisibility(eid, 'never', client)
  worlds.run(4)
  message('knock', { times: 1 })
  worlds.run(4)
  expect(client.violations.forbidden).toBe(0)
  keepQuiet(worlds, impostor)
  message('knock', { times: 1 })
  worlds.run(4)
  expect(client.violations.forbidden).toBe(1)
  await worlds.end()
})

test.each(LATE)('what was sent before %s is late, not forbidden, for a while', async (_name, isOwner, change) => {
  const { worlds, client, eid, message, impostor, told } = await stage({}, isOwner)
  worlds.run(60)
  change({ worlds, eid, client })
  worlds.run(4)
  const attempt = () => {
    if (isOwner) message('say', { text: '' })
    else message('knock', { times: 1 })
    worlds.run(4)
  }
  attempt()
  expect(client.violations.forbidden).toBe(0)
  keepQuiet(worlds, impostor)
  attempt()
  expect(client.violations.forbidden, 'then it is').toBe(1)
  const why = _name.endsWith('every zone') ? 'unplaced' : isOwner ? 'not-owner' : 'not-interested'
  expect(told.map(([, { detail }]) => detail)).toEqual([why])
  await worlds.end()
})

test('numbers go up as uploads of their owner, or as `clsend` writes, and in no other way', async () => {
  const dc = 'dclass Lamp { uint8(0-9) on broadcast clsend ownsend; string(0-9) label broadcast clsend; };'
  const worlds = createWorlds(dc, { server: { messageRate: 5, timeout: 1 } })
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  worlds.run(4)
  const client = worlds.server.clients.get(impostor.welcome!.clientId)!
  worlds.server.setZones(client, [1])
  const other = await worlds.join()
  const [mine, theirs] = [client, clientOf(worlds, other)].map(owner => spawn(worlds, 'Lamp', {}, 1, owner))
  worlds.run(4)
  const { Lamp } = worlds.schema.dclasses
  const { doId } = worlds.schema.DistributedObject
  const numberOf = (name: string) =>
    worlds.schema.file.classes[0]!.inherited.find((field: { name: string }) => field.name === name)!.number
  impostor.upload(doId[theirs!]!, 1, Uint8Array.of(5))
  worlds.run(4)
  expect([Lamp.on[theirs!], client.violations.forbidden], "an upload is the owner's").toEqual([0, 1])
  impostor.field(doId[mine!]!, numberOf('on'), Uint8Array.of(5), 1)
  impostor.field(doId[mine!]!, numberOf('on'), Uint8Array.of(5), 0)
  impostor.write(doId[mine!]!, numberOf('on'), Uint8Array.of(5))
  worlds.run(4)
  expect([Lamp.on[mine!], client.violations.malformed], 'not past the epoch of its object').toEqual([0, 2])
  impostor.upload(doId[mine!]!, 1, Uint8Array.of(5))
  impostor.write(doId[theirs!]!, numberOf('on'), Uint8Array.of(6))
  worlds.run(4)
  expect([Lamp.on[mine!], Lamp.on[theirs!]]).toEqual([5, 6])
  impostor.write(doId[theirs!]!, numberOf('on'), Uint8Array.of(10))
  impostor.write(doId[theirs!]!, numberOf('on'), Uint8Array.of(1, 2))
  impostor.field(doId[theirs!]!, numberOf('label'), Uint8Array.of(1, 0, 0xff), 0)
  worlds.run(4)
  expect([Lamp.on[theirs!], Lamp.label[theirs!], client.violations.outOfRange]).toEqual([6, '', 3])
  impostor.write(doId[theirs!]!, numberOf('label'), Uint8Array.of(1, 0, 65))
  impostor.field(doId[theirs!]!, numberOf('on'), Uint8Array.of(7), 0)
  worlds.run(4)
  expect([Lamp.on[theirs!], Lamp.label[theirs!], client.violations.malformed], 'and not in each other’s way').toEqual([
    6,
    '',
    4,
  ])
  for (let count = 0; count < 30; count++) impostor.field(doId[theirs!]!, numberOf('label'), Uint8Array.of(1, 0, 65), 0)
  worlds.run(4)
  expect([client.violations.flooded, worlds.server.clients.has(client.id)], 'texts count as messages').toEqual([
    1,
    false,
  ])
  await worlds.end()
})

test('what was sent to an object that has gone is late', async () => {
  const { worlds, client, eid, message } = await stage({}, true)
  const { removeEntity } = await import('bitecs')
  removeEntity(worlds.world, eid)
  worlds.run(4)
  message('say', { text: '' })
  worlds.run(4)
  expect(client.violations).toEqual({ malformed: 0, forbidden: 0, outOfRange: 0, flooded: 0, refused: 0 })
  await worlds.end()
})

const meet = async () => {
  const worlds = createWorlds(DC)
  const [owner, other, stranger] = [await worlds.join(), await worlds.join(), await worlds.join()]
  for (const guest of [owner, other]) await worlds.settle(guest.client.interest.set([1]))
  const eid = spawn(worlds, 'Avatar', { lamp: 1, label: 'a' }, 1, clientOf(worlds, owner))
  worlds.run(30)
  const at = (guest: Guest, name: string) => guest.schema.dclasses.Avatar[name][seenBy(worlds, guest, eid)]
  const write = (guest: Guest, name: string, value: unknown) =>
    writeField(guest.client, seenBy(worlds, guest, eid), guest.schema.dclasses.Avatar[name], value as never)
  return { worlds, owner, other, stranger, eid, at, write, server: worlds.schema.dclasses.Avatar }
}

test('whoever sees an object writes its `clsend` fields, and everyone who sees it sees that', async () => {
  const { worlds, owner, other, eid, at, write, server } = await meet()
  write(other, 'lamp', 7)
  expect(at(other, 'lamp'), 'it shows when the server says so').toBe(1)
  worlds.run(30)
  expect([server.lamp[eid], at(owner, 'lamp'), at(other, 'lamp')]).toEqual([7, 7, 7])
  write(owner, 'lamp', 3)
  worlds.run(30)
  expect([server.lamp[eid], at(owner, 'lamp'), at(other, 'lamp')], 'its owner too').toEqual([3, 3, 3])
  expect(() => write(other, 'lamp', 10)).toThrow(/Avatar\.lamp: 10 is outside uint8/)
  expect(() => write(other, 'x', 1)).toThrow(/Avatar\.x is not `clsend`/)
  expect(() => write(owner, 'label', '')).toThrow(/this client owns the entity: write Avatar\.label/)
  expect(() => writeField(other.client, 0, other.schema.dclasses.Avatar.lamp, 1)).toThrow(/no distributed object/)
  await worlds.end()
})

test('a `clsend ownsend` field that another client writes overrules its owner, who goes on from there', async () => {
  const { worlds, owner, other, eid, at, write, server } = await meet()
  const mine = seenBy(worlds, owner, eid)
  owner.schema.dclasses.Avatar.label[mine] = 'mine'
  worlds.run(30)
  write(other, 'label', 'theirs')
  worlds.run(30)
  expect([server.label[eid], at(owner, 'label'), at(other, 'label')]).toEqual(['theirs', 'theirs', 'theirs'])
  owner.schema.dclasses.Avatar.label[mine] = 'again'
  worlds.run(30)
  expect([server.label[eid], at(owner, 'label'), at(other, 'label')]).toEqual(['again', 'again', 'again'])
  expect(worlds.server.violations).toEqual({ malformed: 0, forbidden: 0, outOfRange: 0, flooded: 0, refused: 0 })
  await worlds.end()
})

test('what a former owner sent as such is not taken for a `clsend` write', async () => {
  const { worlds, impostor, eid, doId, field, Avatar } = await stage({}, true)
  worlds.server.place(eid, 1, 0)
  worlds.run(4)
  impostor.field(doId, field('label').number, Uint8Array.of(1, 0, 97), 1)
  worlds.run(4)
  expect(Avatar.label[eid]).toBe('')
  impostor.field(doId, field('label').number, Uint8Array.of(1, 0, 98), 0)
  worlds.run(4)
  expect(Avatar.label[eid], 'what it writes as any client is').toBe('b')
  await worlds.end()
})

test.each([
  [{ limits: { 'Avatar.nothing': { rate: 1 } } }, /no field "Avatar\.nothing"/],
  [{ limits: { 'Avatar.x': { rate: 1 } } }, /Avatar\.x is a number/],
  [{ limits: [[undefined, { rate: 1 }]] }, /no field "that was given": give Avatar\.say/],
  [{ limits: [['Avatar.say']] }, /limits\['Avatar\.say'\]\.rate is undefined/],
  [{ limits: { 'Avatar.say': { rate: 0 } } }, /limits\['Avatar\.say'\]\.rate is 0/],
  [
    { violationPolicy: { forbidden: 'shout' } },
    /violationPolicy: forbidden: shout; give malformed, .* as ignore, warn, kick/,
  ],
  [{ interestRate: 0 }, /interestRate is 0/],
] as [any, RegExp][])('an option that makes no sense is told: %o', (server, message) => {
  expect(() => createWorlds(DC, { server })).toThrow(message)
})
