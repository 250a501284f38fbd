import { query } from 'bitecs'
import type { Connection } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import { describe, expect, test } from 'vitest'
import { encodeResume } from '../../src/net/resume.ts'
import { encodeBye } from '../../src/net/hello.ts'
import { Kind } from '../../src/net/packet.ts'
import { clientStates } from '../../src/systems/client-state.ts'
import { turn } from '../../src/testing/worlds.ts'
import { createBreakable } from '../support/breakable.ts'
import { createImpostor } from '../support/impostor.ts'
import { clientOf, createWorlds, seenBy, spawn, type Worlds } from '../support/worlds.ts'

const DC = `
dclass Avatar {
  string name required broadcast ram ownsend;
  int16 x broadcast ownsend;
  uint32 score broadcast;
  uint16 gold ownrecv;
  say(uint32 number) clsend;
  said(uint32 number) broadcast;
};
`

const stage = async (server = {}, client = {}) => {
  const worlds = createWorlds(DC, { server })
  const line = createBreakable(worlds.network)
  const guest = worlds.addGuest({ transport: line.transport, ...client })
  await worlds.settle(guest.client.connect({ name: 'Ada' }))
  const other = await worlds.join({ name: 'Bob' })
  const events: string[] = []
  const told = (what: string) => () => void events.push(what)
  worlds.server.onLeave((_client, reason) => events.push(`server: left, ${reason}`))
  worlds.server.onSuspend((_client, reason) => events.push(`server: suspended, ${reason}`))
  worlds.server.onResume(told('server: resumed'))
  guest.client.onSuspend(reason => events.push(`client: suspended, ${reason}`))
  guest.client.onResume(told('client: resumed'))
  guest.client.onDisconnect(reason => events.push(`client: over, ${reason}`))
  await worlds.settle(Promise.all([guest.client.interest.set([1]), other.client.interest.set([1])]))
  const eid = spawn(worlds, 'Avatar', { name: 'Ada', gold: 7 }, 1, clientOf(worlds, guest))
  worlds.until(() => seenBy(worlds, guest, eid) !== 0, 'the owner sees its object')
  worlds.run(10)
  const mine = seenBy(worlds, guest, eid)
  const heard: { up: number[]; down: number[] } = { up: [], down: [] }
  worlds.server.on<{ number: number }>(worlds.schema.dclasses.Avatar.say, (_eid, { number }) => heard.up.push(number))
  guest.client.on<{ number: number }>(guest.schema.dclasses.Avatar.said, (_eid, { number }) => heard.down.push(number))
  const { Avatar } = guest.schema.dclasses
  return { worlds, line, guest, other, eid, mine, Avatar, heard, events }
}

/** Runs frames, and lets promises go on between them, until it holds. */
const until = async (worlds: Worlds, condition: () => boolean, what: string, seconds = 20) => {
  const end = worlds.now() + seconds
  for (await turn(); !condition(); await turn()) {
    if (worlds.now() > end) throw new Error(`not within ${seconds} s: ${what}`)
    worlds.run(2)
  }
}

const pass = async (worlds: Worlds, seconds: number) => {
  for (const end = worlds.now() + seconds; worlds.now() < end; await turn()) worlds.run(6)
}

/** Both sides go on as if nothing had happened: messages, state and what the owner writes. */
const goesOn = async ({ worlds, guest, eid, mine, Avatar, heard }: Awaited<ReturnType<typeof stage>>) => {
  heard.up.length = heard.down.length = 0
  guest.client.sendUpdate(mine, Avatar.say, { number: 1000 })
  worlds.server.sendUpdate(eid, worlds.schema.dclasses.Avatar.said, { number: 2000 })
  worlds.schema.dclasses.Avatar.score[eid] = 77
  Avatar.x[mine] = -5
  await pass(worlds, 1)
  return [heard.up, heard.down, Avatar.score[mine], worlds.schema.dclasses.Avatar.x[eid], seenBy(worlds, guest, eid)]
}
const asBefore = (mine: number) => [[1000], [2000], 77, -5, mine]

describe('the session goes on', () => {
  const ways = {
    'a connection that breaks': async ({ line, worlds }: Awaited<ReturnType<typeof stage>>, seconds: number) => {
      line.isReachable = false
      line.cut()
      await pass(worlds, seconds)
      line.isReachable = true
    },
    'one that falls silent': async ({ line, worlds }: Awaited<ReturnType<typeof stage>>, seconds: number) => {
      line.isReachable = false
      line.silence()
      await pass(worlds, seconds)
      line.isReachable = true
    },
  }
  test.each(Object.keys(ways) as (keyof typeof ways)[])('after %s', async way => {
    const all = await stage()
    const { worlds, line, guest, other, eid, mine, Avatar, heard, events } = all
    const id = guest.client.clientId
    let sent = 0
    worlds.game = () => {
      worlds.server.sendUpdate(eid, worlds.schema.dclasses.Avatar.said, { number: sent })
      worlds.schema.dclasses.Avatar.score[eid] = sent
    }
    guest.play = () => {
      if (guest.client.state === 'closed' || sent >= 8 * 30) return
      guest.client.sendUpdate(mine, Avatar.say, { number: sent++ })
      Avatar.x[mine] = sent
    }
    await ways[way](all, 8)
    expect(guest.client.state, 'it tries to come back').toBe('reconnecting')
    expect(guest.client.clientId).toBe(id)
    expect(worlds.server.clients.get(id)?.isSuspended, 'the server keeps its place').toBe(true)
    expect(seenBy(worlds, other, eid), 'others see its object still').not.toBe(0)
    expect(query(guest.world, [Avatar]), 'and it does').toHaveLength(1)
    worlds.game = () => {}
    await until(worlds, () => guest.client.state === 'connected', 'it comes back', 8)
    guest.play = () => {}
    await pass(worlds, 3)
    expect(guest.client.clientId, 'as the same').toBe(id)
    expect(worlds.server.clients.get(id)?.isSuspended).toBe(false)
    expect(heard.up, 'up: each once, in order').toEqual(Array.from({ length: sent }, (_, number) => number))
    expect(heard.down.length, 'down: a message in each tick').toBeGreaterThan(200)
    expect(heard.down, 'each once, in order').toEqual([...heard.down].sort((a, b) => a - b))
    expect(worlds.schema.dclasses.Avatar.x[eid], 'what the owner wrote').toBe(sent)
    expect(line.connections.length, 'over another connection').toBeGreaterThan(1)
    expect([guest.client.stats.loss, clientOf(worlds, guest).stats.loss], 'an outage is no lossy link').toEqual([0, 0])
    expect(await goesOn(all)).toEqual(asBefore(mine))
    const reason = way === 'one that falls silent' ? 'timeout' : 'closed'
    expect(events.filter(each => each.startsWith('client'))).toEqual([
      `client: suspended, ${reason}`,
      'client: resumed',
    ])
    expect(events.filter(each => each.startsWith('server'))).toEqual([
      `server: suspended, ${reason}`,
      'server: resumed',
    ])
    expect([guest.client.stats.desyncs, guest.client.stats.malformed]).toEqual([0, 0])
    expect(worlds.server.violations).toMatchObject({
      malformed: 0,
      forbidden: 0,
      outOfRange: 0,
      flooded: 0,
      refused: 0,
    })
    await worlds.end()
  })

  test('over its own connection, when that comes to life first', async () => {
    const all = await stage()
    const { worlds, line, guest, mine, events } = all
    line.isReachable = false
    line.silence()
    await pass(worlds, 6.5)
    expect(guest.client.state).toBe('reconnecting')
    Object.assign(line.links[0]!, { loss: 0 })
    await until(worlds, () => guest.client.state === 'connected', 'it is heard again', 3)
    await pass(worlds, 1)
    expect(line.connections, 'no other was needed').toHaveLength(1)
    expect([...events].sort()).toEqual([
      'client: resumed',
      'client: suspended, timeout',
      'server: resumed',
      'server: suspended, timeout',
    ])
    expect(await goesOn(all)).toEqual(asBefore(mine))
    await worlds.end()
  })

  test('when only the client noticed that it was lost', async () => {
    const all = await stage()
    const { worlds, line, guest, mine, events } = all
    const { connections } = line
    connections[0]!.onClose()
    await until(worlds, () => guest.client.state === 'connected' && connections.length === 2, 'it comes back', 3)
    await pass(worlds, 1)
    expect(events).toEqual(['client: suspended, closed', 'client: resumed'])
    expect(await goesOn(all)).toEqual(asBefore(mine))
    await worlds.end()
  })

  test.each([1, 2, 3])('again and again, over links that lose every third datagram (seed %i)', async seed => {
    const all = await stage({}, {})
    const { worlds, line, guest, eid, mine, Avatar, heard, events } = all
    for (const conditions of [...line.links, line.conditions])
      Object.assign(conditions, { loss: 0.3, jitter: 0.01 * seed })
    let sent = 0
    let told = 0
    for (let round = 0; round < 8; round++) {
      guest.play = () => guest.client.sendUpdate(mine, Avatar.say, { number: sent++ })
      worlds.game = () => void worlds.server.sendUpdate(eid, worlds.schema.dclasses.Avatar.said, { number: told++ })
      await pass(worlds, 0.3 + 0.1 * ((round * seed) % 5))
      guest.play = worlds.game = () => {}
      if (guest.client.state === 'connected') line.cut()
    }
    await until(worlds, () => guest.client.state === 'connected', 'it comes back')
    await pass(worlds, 5)
    expect(heard.up).toEqual(Array.from({ length: sent }, (_, number) => number))
    expect(heard.down).toEqual(Array.from({ length: told }, (_, number) => number))
    expect(events.filter(each => /left|over/.test(each))).toEqual([])
    await worlds.end()
  })
})

test('what was said before the outage is as late as that: no violation', async () => {
  const { worlds, line, guest, eid, mine, Avatar } = await stage()
  line.isReachable = false
  line.cut()
  await pass(worlds, 1)
  guest.client.sendUpdate(mine, Avatar.say, { number: 1 })
  Avatar.name[mine] = 'Eve'
  worlds.server.place(eid, 2, 0)
  await pass(worlds, 20)
  line.isReachable = true
  await until(worlds, () => guest.client.state === 'connected', 'it comes back', 8)
  await pass(worlds, 3)
  expect(worlds.server.violations).toMatchObject({ malformed: 0, forbidden: 0, outOfRange: 0, flooded: 0, refused: 0 })
  expect(worlds.schema.dclasses.Avatar.name[eid], 'nor does it count').toBe('Ada')
  expect(seenBy(worlds, guest, eid)).toBe(0)
  await worlds.end()
})

test('what was said meanwhile is not held against the sender', async () => {
  const { worlds, line, guest, mine, Avatar, heard, events } = await stage({ messageRate: 10 })
  line.isReachable = false
  line.cut()
  let sent = 0
  for (; sent < 150; sent++) {
    guest.client.sendUpdate(mine, Avatar.say, { number: sent })
    worlds.run(6)
  }
  line.isReachable = true
  await until(worlds, () => guest.client.state === 'connected', 'it comes back', 8)
  await pass(worlds, 3)
  expect([heard.up.length, worlds.server.violations.flooded]).toEqual([150, 0])
  expect(events.filter(each => /left|over/.test(each))).toEqual([])
  await worlds.end()
})

test('a session that is waited for costs no datagrams, and counts for maxClients', async () => {
  const { worlds, line, guest } = await stage({ maxClients: 2 })
  const client = clientOf(worlds, guest)
  line.isReachable = false
  line.cut()
  await pass(worlds, 1)
  const before = client.stats.packetsOut
  await pass(worlds, 10)
  expect(client.stats.packetsOut - before).toBe(0)
  await expect(worlds.settle(worlds.addGuest().client.connect())).rejects.toMatchObject({ reason: 'full' })
  await worlds.end()
})

test.each(['hangs up', 'is silent'])('who %s before it was heard as a client is not waited for', async what => {
  const { worlds, events } = await stage()
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  if (what === 'hangs up') impostor.connection.close()
  await pass(worlds, 6)
  expect([worlds.server.clients.size, events]).toEqual([
    2,
    [`server: left, ${what === 'hangs up' ? 'closed' : 'timeout'}`],
  ])
  await worlds.end()
})

test('who still says hello, as it has not heard the welcome or cannot read the rest yet, is there', async () => {
  const { worlds, events } = await stage()
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  for (let seconds = 0; seconds < 8; seconds++) {
    impostor.hello()
    await pass(worlds, 1)
  }
  expect([worlds.server.clients.size, events]).toEqual([3, []])
  await pass(worlds, 5)
  expect([worlds.server.clients.size, events]).toEqual([2, ['server: left, timeout']])
  await worlds.end()
})

test('over a network so slow that a connection takes 8 seconds to open', async () => {
  const { worlds, line, guest, events } = await stage()
  const { transport } = line
  const { connect } = transport
  const opening: { due: number; open: () => void }[] = []
  Object.assign(transport, {
    connect: () =>
      new Promise((resolve, reject) => {
        opening.push({ due: worlds.now() + 8, open: () => void Promise.resolve(connect()).then(resolve, reject) })
      }),
  })
  guest.play = () => {
    while (opening[0] && opening[0].due < worlds.now()) opening.shift()!.open()
  }
  line.silence()
  await until(worlds, () => guest.client.state === 'reconnecting', 'it is lost', 8)
  await until(worlds, () => guest.client.state === 'connected', 'it comes back', 12)
  await pass(worlds, 12)
  expect([guest.client.state, ...events.filter(each => /left|over/.test(each))]).toEqual(['connected'])
  expect([line.connections.length, worlds.server.clients.size], 'another one was opened besides, for nothing').toEqual([
    3, 2,
  ])
  await worlds.end()
})

test('who could not come back because the server slept may do so when it wakes', async () => {
  let [time, slept] = [0, 0]
  const { worlds, line, guest, events } = await stage({ now: () => time + slept })
  worlds.game = () => void (time = worlds.now())
  line.isReachable = false
  line.cut()
  await pass(worlds, 2)
  expect(events).toContain('server: suspended, closed')
  slept = 60
  line.isReachable = true
  await until(worlds, () => guest.client.state === 'connected', 'it comes back', 8)
  expect(events.filter(each => /left|over/.test(each))).toEqual([])
  await worlds.end()
})

test('who does not come back in time has left', async () => {
  const { worlds, line, guest, other, eid, events } = await stage({ resumeTime: 3 })
  line.isReachable = false
  line.cut()
  await pass(worlds, 2.9)
  expect(events).toEqual(['client: suspended, closed', 'server: suspended, closed'])
  expect(seenBy(worlds, other, eid)).not.toBe(0)
  await pass(worlds, 0.5)
  expect(events.slice(2).sort()).toEqual(['client: over, timeout', 'server: left, closed'])
  expect([guest.client.state, worlds.server.clients.size, seenBy(worlds, other, eid)]).toEqual(['closed', 1, 0])
  line.isReachable = true
  await worlds.settle(guest.client.connect())
  expect(guest.client.state, 'and may sign in anew').toBe('connected')
  await worlds.end()
})

test('a server that has forgotten the session says so', async () => {
  const { worlds, line, guest, events } = await stage({ resumeTime: 3 })
  const { session } = clientStates.get(guest.client)!
  session!.welcome = { ...session!.welcome!, resumeTime: 60 }
  line.isReachable = false
  line.cut()
  await pass(worlds, 4)
  line.isReachable = true
  await until(worlds, () => guest.client.state === 'closed', 'it is refused', 8)
  expect(events.at(-1)).toBe('client: over, expired')
  await worlds.end()
})

test.each([
  ['the server', { resumeTime: 0 }, {}],
  ['the client', {}, { resumeTime: 0 }],
])('with resumeTime 0 of %s a broken connection is the end', async (_who, server, client) => {
  const { worlds, line, guest, events } = await stage(server, client)
  line.cut()
  await pass(worlds, 1)
  expect(guest.client.state).toBe('closed')
  expect(events[0]).toBe('client: over, closed')
  await worlds.end()
})

test('disconnect(), kick() and close() end a session that is suspended too', async () => {
  for (const end of ['disconnect', 'kick', 'close'] as const) {
    const { worlds, line, guest, events } = await stage()
    const client = clientOf(worlds, guest)
    line.isReachable = false
    line.silence()
    await pass(worlds, 6)
    expect(client.isSuspended).toBe(true)
    if (end === 'disconnect') {
      Object.assign(line.links[0]!, { loss: 0 })
      guest.client.disconnect()
      expect(events.at(-1)).toBe('client: over, closed')
    } else if (end === 'kick') worlds.server.kick(client)
    else await worlds.server.close()
    await pass(worlds, 0.5)
    expect(events.at(-1)).toBe(
      { disconnect: 'server: left, closed', kick: 'server: left, kicked', close: 'server: left, closed' }[end],
    )
    guest.client.disconnect()
    await worlds.end()
  }
})

test('while it comes back, connect() is refused and disconnect() stops it', async () => {
  const { worlds, line, guest } = await stage()
  line.isReachable = false
  line.cut()
  await expect(guest.client.connect()).rejects.toMatchObject({ reason: 'signed-in' })
  line.isReachable = true
  guest.client.disconnect()
  await pass(worlds, 3)
  expect([guest.client.state, line.connections.length]).toEqual(['closed', 1])
  await worlds.end()
})

describe('nobody else can take a session over', () => {
  /** Every resume that the client sent. */
  const overheard = async () => {
    const all = await stage()
    const resumes: Uint8Array[] = []
    all.worlds.network.tap = (direction, packet) => {
      if (direction === 'up' && packet[0] === Kind.resume) resumes.push(packet)
    }
    await pass(all.worlds, 1)
    all.line.cut()
    await until(all.worlds, () => all.guest.client.state === 'connected', 'it comes back', 3)
    await pass(all.worlds, 1)
    return { ...all, resumes }
  }

  test('by the same resume again: its token counts no more', async () => {
    const all = await overheard()
    const { worlds, guest, mine, resumes } = all
    const thief = await createImpostor(worlds.network, worlds.schema, worlds.now)
    thief.connection.send(resumes[0]!)
    thief.connection.send(resumes[0]!)
    await pass(worlds, 0.2)
    expect(
      thief.refusals.map(({ reason }) => reason),
      'refused, and told again',
    ).toEqual(['expired', 'expired'])
    expect([thief.welcome, thief.received]).toEqual([undefined, 0])
    expect(worlds.server.violations.forbidden, 'counted').toBe(1)
    expect(guest.client.state).toBe('connected')
    expect(await goesOn(all)).toEqual(asBefore(mine))
    await worlds.end()
  })

  test('by guessing: a connection has one guess', async () => {
    const all = await overheard()
    const { worlds, guest, mine } = all
    const { clientId, token } = clientStates.get(guest.client)!.session!.welcome!
    const thief = await createImpostor(worlds.network, worlds.schema, worlds.now)
    const guess = (bytes: Uint8Array) => thief.connection.send(encodeResume({ nonce: 1, clientId, token: bytes }))
    guess(token.map((byte, index) => (index === 15 ? byte ^ 1 : byte)))
    guess(token)
    await pass(worlds, 0.2)
    expect(thief.refusals.map(({ reason }) => reason)).toEqual(['expired', 'expired'])
    expect(thief.welcome).toBeUndefined()
    expect(await goesOn(all)).toEqual(asBefore(mine))
    await worlds.end()
  })

  test('by a connection that is another client already', async () => {
    const all = await overheard()
    const { worlds, guest, mine } = all
    const { clientId, token } = clientStates.get(guest.client)!.session!.welcome!
    const thief = await createImpostor(worlds.network, worlds.schema, worlds.now)
    thief.hello()
    await pass(worlds, 0.1)
    thief.connection.send(encodeResume({ nonce: 9, clientId, token }))
    await pass(worlds, 0.1)
    expect(thief.refusals.at(-1)).toMatchObject({ nonce: 9, reason: 'signed-in' })
    expect(await goesOn(all)).toEqual(asBefore(mine))
    await worlds.end()
  })

  test('nor does what comes late of the old connection, a goodbye too, do any harm', async () => {
    const ends: Connection[] = []
    const network = memoryNetwork({ now: () => worlds.now() })
    const worlds: Worlds = createWorlds(DC, {
      server: {
        transport: {
          listen: onConnection => network.server.listen(end => (ends.push(end), onConnection(end))),
          close: () => network.server.close(),
        },
      },
    })
    worlds.network.deliver = () => network.deliver()
    const sent: Uint8Array[] = []
    network.tap = (direction, packet) => {
      if (direction === 'up') sent.push(packet)
    }
    const line = createBreakable(network)
    const guest = worlds.addGuest({ transport: line.transport })
    await worlds.settle(guest.client.connect())
    const left: string[] = []
    worlds.server.onLeave((_client, reason) => left.push(reason))
    worlds.server.onSuspend((_client, reason) => left.push(reason))
    await pass(worlds, 1)
    // The client's end alone knows.
    line.connections[0]!.onClose()
    await until(worlds, () => guest.client.state === 'connected', 'it comes back', 3)
    await pass(worlds, 1)
    expect(ends).toHaveLength(2)
    const { packetsIn } = clientOf(worlds, guest).stats
    for (const packet of [...sent, encodeBye('closed')]) ends[0]!.onPacket(packet)
    ends[0]!.onClose(true)
    line.connections[0]!.onPacket(encodeBye('kicked'))
    line.connections[0]!.onClose()
    worlds.run(2)
    expect(clientOf(worlds, guest).stats.packetsIn - packetsIn, 'it is not even counted').toBeLessThan(4)
    await pass(worlds, 1)
    expect([left, guest.client.state, line.connections.length]).toEqual([[], 'connected', 2])
    await worlds.end()
  })
})

test('a welcome that got lost is asked for again, by the token from before it too', async () => {
  const { worlds, line, guest, events } = await stage()
  let lost = 0
  const { connections } = line
  const deaf = () => {
    const connection = connections.at(-1)!
    const { onPacket } = connection
    connection.onPacket = packet => (packet[0] === Kind.welcome && lost++ < 2 ? undefined : onPacket(packet))
  }
  line.cut()
  await until(worlds, () => connections.length === 2, 'another connection', 2)
  deaf()
  await until(worlds, () => lost === 2, 'it was welcomed twice', 2)
  // The server has gone over to it by now; it breaks before the client knows.
  connections[1]!.close()
  connections[1]!.onClose()
  await until(worlds, () => guest.client.state === 'connected', 'it comes back', 5)
  await pass(worlds, 1)
  expect(events.filter(each => /left|over/.test(each))).toEqual([])
  expect(connections.length).toBe(3)
  await worlds.end()
})

test('a try that is given up, for no welcome came over it, is hung up and no goodbye', async () => {
  const network = memoryNetwork({ now: () => worlds.now() })
  // As over WebRTC: the server knows that the other end took the connection down.
  const heard = (end: Connection): Connection => {
    const connection: Connection = { ...end }
    end.onPacket = packet => connection.onPacket(packet)
    end.onClose = () => connection.onClose(true)
    return connection
  }
  const worlds: Worlds = createWorlds(DC, {
    server: {
      transport: {
        listen: onConnection => network.server.listen(end => onConnection(heard(end))),
        close: () => network.server.close(),
      },
    },
  })
  worlds.network.deliver = () => network.deliver()
  const line = createBreakable(network)
  const guest = worlds.addGuest({ transport: line.transport })
  await worlds.settle(guest.client.connect())
  const left: string[] = []
  worlds.server.onLeave((_client, reason) => left.push(reason))
  await pass(worlds, 1)
  const { clientId } = guest.client
  const { connections } = line
  connections[0]!.onClose()
  await until(worlds, () => connections.length === 2, 'another connection', 2)
  let welcomes = 0
  connections[1]!.onPacket = packet => void (packet[0] === Kind.welcome && welcomes++)
  await until(worlds, () => connections.length === 3, 'the next one', 10)
  expect(welcomes).toBeGreaterThan(0)
  await until(worlds, () => guest.client.state !== 'reconnecting', 'it comes back', 5)
  await pass(worlds, 1)
  expect([left, guest.client.state, guest.client.clientId]).toEqual([[], 'connected', clientId])
  await worlds.end()
})

test('of two tries that cross, whichever welcome the client heard counts', async () => {
  const { worlds, line, guest } = await stage()
  const { clientId, token } = clientStates.get(guest.client)!.session!.welcome!
  line.isReachable = false
  line.silence()
  await pass(worlds, 1)
  const attempt = async (shown: Uint8Array) => {
    const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
    impostor.connection.send(encodeResume({ nonce: 5, clientId, token: shown }))
    await pass(worlds, 0.2)
    return impostor.welcome?.token
  }
  const first = await attempt(token)
  const second = await attempt(token)
  expect([first, second], 'neither is refused').toEqual([expect.any(Uint8Array), expect.any(Uint8Array)])
  expect(first, 'nor is either token the old one').not.toEqual(token)
  expect(await attempt(first!)).toBeDefined()
  await worlds.end()
})
