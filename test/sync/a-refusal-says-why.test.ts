import { createWorld, query } from 'bitecs'
import { createSchema } from 'bitecs-pipes'
import { createClient } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { createImpostor } from '../support/impostor.ts'
import { createWorlds, drain, seenBy, spawn, type Worlds } from '../support/worlds.ts'

const DC = 'dclass Crate { string label required broadcast ram; };'

/** Somebody honest gets in and sees what is there. */
const isUsable = async (worlds: Worlds, options = {}) => {
  const guest = await worlds.join({}, options)
  await worlds.settle(guest.client.interest.set([1]))
  const seen = query(guest.world, [guest.schema.dclasses.Crate]).length
  guest.client.disconnect()
  worlds.run(10)
  return seen === 1
}

test('a wrong password', async () => {
  const worlds = createWorlds(DC, { server: { password: 'sesame' } })
  spawn(worlds, 'Crate', { label: 'inside' }, 1)
  const guest = worlds.addGuest({ password: 'open' })
  await expect(worlds.settle(guest.client.connect()), 'has a reason and a text').rejects.toMatchObject({
    name: 'ConnectError',
    reason: 'password',
    message: 'Wrong password.',
  })
  expect(guest.client.state, 'and the client is closed').toBe('closed')
  expect(worlds.server.clients.size, 'nobody was let in').toBe(0)
  expect(await isUsable(worlds, { password: 'sesame' }), 'the right one works').toBe(true)
  await worlds.end()
})

test('another schema', async () => {
  const worlds = createWorlds(DC)
  spawn(worlds, 'Crate', { label: 'inside' }, 1)
  const client = createClient(createWorld(), createSchema<any>(DC.replace('string', 'blob')), {
    transport: worlds.network.client(),
    now: worlds.now,
  })
  await expect(worlds.settle(client.connect()), 'is told what to do').rejects.toMatchObject({
    reason: 'schema',
    message: expect.stringContaining('both must be built from the same .dc file'),
  })
  expect(await isUsable(worlds)).toBe(true)
  await worlds.end()
})

test('a full server, until somebody leaves', async () => {
  const worlds = createWorlds(DC, { server: { maxClients: 1 } })
  spawn(worlds, 'Crate', { label: 'inside' }, 1)
  const first = await worlds.join()
  const second = worlds.addGuest()
  await expect(worlds.settle(second.client.connect())).rejects.toMatchObject({
    reason: 'full',
    message: 'The server is full.',
  })
  first.client.disconnect()
  worlds.run(10)
  await worlds.settle(second.client.connect())
  expect(second.client.state, 'the same client gets in on the next try').toBe('connected')
  second.client.disconnect()
  worlds.run(10)
  expect(await isUsable(worlds)).toBe(true)
  await worlds.end()
})

test('another protocol version', async () => {
  const worlds = createWorlds(DC)
  spawn(worlds, 'Crate', { label: 'inside' }, 1)
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello({ version: 99 })
  worlds.run(4)
  expect(impostor.refusals, 'is refused in words').toMatchObject([
    { nonce: 7, reason: 'version', text: expect.stringMatching(/another protocol version.*reload it, or update/) },
  ])
  expect(impostor.welcome, 'and not welcomed').toBeUndefined()
  expect(await isUsable(worlds)).toBe(true)
  await worlds.end()
})

test('a second sign-in on a connection that has one', async () => {
  const worlds = createWorlds(DC)
  spawn(worlds, 'Crate', { label: 'inside' }, 1)
  let joins = 0
  worlds.server.onJoin(() => joins++)
  const impostor = await createImpostor(worlds.network, worlds.schema, worlds.now)
  impostor.hello()
  impostor.hello()
  worlds.run(4)
  expect([impostor.welcome?.clientId, impostor.refusals.length, joins], 'a repeated hello is welcomed again').toEqual([
    1, 0, 1,
  ])
  impostor.hello({ nonce: 8 })
  worlds.run(4)
  expect(impostor.refusals, 'another one is not').toMatchObject([{ nonce: 8, reason: 'signed-in' }])
  expect([joins, worlds.server.clients.size], 'the first session goes on').toEqual([1, 1])
  expect(await isUsable(worlds)).toBe(true)
  await worlds.end()
})

test('a server that does not answer, or that is not there', async () => {
  const worlds = createWorlds(DC, { conditions: { loss: 1 } })
  const guest = worlds.addGuest({ timeout: 2 })
  await expect(worlds.settle(guest.client.connect())).rejects.toMatchObject({
    reason: 'timeout',
    message: expect.stringContaining('does not answer'),
  })
  expect(worlds.now(), 'after the timeout').toBeGreaterThan(2)
  expect(worlds.now(), 'and not much later').toBeLessThan(2.5)
  await worlds.server.close()
  await expect(guest.client.connect()).rejects.toMatchObject({
    reason: 'unreachable',
    message: expect.stringContaining('nobody listens'),
  })
})

test('connect() twice', async () => {
  const worlds = createWorlds(DC)
  const { client } = worlds.addGuest()
  const first = client.connect()
  await expect(client.connect(), 'while connecting').rejects.toThrow(/connect\(\) was called while connecting/)
  await worlds.settle(first)
  await expect(client.connect(), 'while connected').rejects.toThrow(/disconnect\(\) first/)
  expect([client.state, worlds.server.clients.size], 'the first one is unharmed').toEqual(['connected', 1])
  await worlds.end()
})

test('disconnect() while connect() is under way', async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.2 } })
  const { client } = worlds.addGuest()
  const promise = client.connect()
  await drain()
  worlds.run(3)
  client.disconnect()
  await expect(worlds.settle(promise), 'before there is an answer').rejects.toMatchObject({ reason: 'lost' })
  expect(client.state).toBe('closed')
  worlds.run(120)
  expect(worlds.server.clients.size, 'nobody stays behind on the server').toBe(0)
  await worlds.end()
})

test('data that is too long is an error before anything is sent', async () => {
  const worlds = createWorlds(DC)
  const { client } = worlds.addGuest()
  await expect(client.connect({ name: 'x'.repeat(600) })).rejects.toThrow(
    /more than 512: send only what the server needs/,
  )
  await worlds.settle(client.connect({ name: 'x' }))
  expect(client.state, 'and it can be tried again').toBe('connected')
  await worlds.end()
})

test('after disconnect() the client can come back, and sees nothing of before', async () => {
  const worlds = createWorlds(DC)
  const guest = await worlds.join()
  const { client } = guest
  const { Crate } = guest.schema.dclasses
  const old = spawn(worlds, 'Crate', { label: 'old' }, 1)
  await worlds.settle(client.interest.set([1]))
  expect(query(guest.world, [Crate])).toHaveLength(1)
  client.disconnect()
  expect([client.state, client.clientId], 'it is over at once').toEqual(['closed', 0])
  worlds.run(1)
  expect(query(guest.world, [Crate]), 'the objects go with the next receive').toHaveLength(0)
  worlds.run(10)
  await worlds.settle(client.connect())
  expect(client.clientId, 'back as somebody new').toBe(2)
  worlds.run(20)
  expect(query(guest.world, [Crate]), 'who has to ask again').toHaveLength(0)
  await worlds.settle(client.interest.set([1]))
  expect([...query(guest.world, [Crate])], 'and sees it again').toEqual([seenBy(worlds, guest, old)])

  // No frame between the two: a page in the background.
  client.disconnect()
  await expect(Promise.all([client.connect(), client.connect()])).rejects.toThrow(/while connecting/)
  client.disconnect()
  worlds.run(30)
  expect(query(guest.world, [Crate]), 'nothing of two sessions ago is left').toHaveLength(0)
  await worlds.end()
})

/** A transport that opens when the test says so, and what became of it. */
const slowTransport = (worlds: Worlds) => {
  const inner = worlds.network.client()
  const doors: (() => void)[] = []
  const seen = { calls: 0, open: 0 }
  return {
    seen,
    open: () => doors.shift()!(),
    transport: {
      async connect() {
        seen.calls++
        await new Promise<void>(resolve => doors.push(resolve))
        const connection = await inner.connect()
        const { close } = connection
        seen.open++
        connection.close = () => {
          seen.open--
          close()
        }
        return connection
      },
    },
  }
}

test('disconnect() while the transport is opening', async () => {
  const worlds = createWorlds(DC)
  spawn(worlds, 'Crate', { label: 'inside' }, 1)
  const slow = slowTransport(worlds)
  const { client } = worlds.addGuest({ transport: slow.transport })
  const ended: unknown[] = []
  client.onDisconnect(reason => ended.push(reason))
  const first = client.connect()
  first.catch(() => {})
  await drain()
  expect(client.state).toBe('connecting')
  client.disconnect()
  expect(client.state, 'it is over at once').toBe('closed')

  // The second attempt overtakes the first one, whose connection opens late.
  const second = client.connect()
  await drain()
  slow.open()
  await expect(first).rejects.toMatchObject({ name: 'ConnectError', reason: 'lost' })
  expect([client.state, slow.seen.open], 'the second one is not disturbed, the late connection closed').toEqual([
    'connecting',
    0,
  ])
  slow.open()
  await worlds.settle(second)
  worlds.run(60)
  expect([client.state, slow.seen.calls, slow.seen.open, worlds.server.clients.size]).toEqual(['connected', 2, 1, 1])
  client.disconnect()
  worlds.run(60)
  expect([client.state, slow.seen.open, worlds.server.clients.size, ended]).toEqual(['closed', 0, 0, ['closed']])
  expect(await isUsable(worlds)).toBe(true)
  await worlds.end()
})

test('data that no hello can hold is an error before anything is opened', async () => {
  const worlds = createWorlds(DC)
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const inner = worlds.network.client()
  let calls = 0
  const transport = {
    connect() {
      calls++
      return inner.connect()
    },
  }
  const { client } = worlds.addGuest({ transport })
  for (const [data, complaint] of [
    [{ name: 'x'.repeat(600) }, /more than 512/],
    // Bytes count, not letters.
    [{ name: '漢'.repeat(200) }, /more than 512/],
    [cyclic, /circular|cyclic/i],
    [{ big: 1n }, /BigInt/],
  ] as const) {
    await expect(client.connect(data)).rejects.toThrow(complaint)
    expect([client.state, calls], String(complaint)).toEqual(['idle', 0])
  }
  await worlds.settle(client.connect({ name: 'x'.repeat(490) }))
  expect([client.state, calls, worlds.server.clients.size], 'and it can be tried again').toEqual(['connected', 1, 1])
  await worlds.end()
})
