import { addComponent, addEntity } from 'bitecs'
import type { Client, ClientOptions, LiveClientOptions } from 'bitecs-pipes/client'
import { memoryNetwork } from 'bitecs-pipes/memory'
import type { LiveServerOptions, Server } from 'bitecs-pipes/server'
import { createDriftClock, createTickClock } from 'bitecs-pipes/time'
import { describe, expect, test } from 'vitest'
import { clientOf, createWorlds, drain, spawn, type Guest } from '../support/worlds.ts'

const DC = `
  dclass Thing { int32 x broadcast; blob bytes broadcast; say(string(1-20) text) clsend; };
`

const stage = (server = {}, client = {}) =>
  createWorlds(DC, { conditions: { lag: 0.02 }, server: { tickRate: 30, onError: () => {}, ...server }, client })

/** Signs a guest in and says why it failed, or that it did not. */
const outcome = (worlds: ReturnType<typeof stage>, guest: Guest) =>
  worlds.settle(
    guest.client.connect().then(
      () => 'in',
      error => error.reason,
    ),
  )

describe('of the server', () => {
  test('lower limits of the rates bind those who are there, and higher ones give them what they had asked for', async () => {
    const worlds = stage()
    const fast = await worlds.join(undefined, { updateRate: 30 })
    const slow = await worlds.join(undefined, { updateRate: 10 })
    const rates = () => [fast, slow].map(({ client }) => client.rates.updateRate)
    expect(rates()).toEqual([30, 10])
    worlds.server.configure({ maxUpdateRate: 15 })
    expect(
      [fast, slow].map(guest => clientOf(worlds, guest).updateRate),
      'at once',
    ).toEqual([15, 10])
    worlds.until(() => fast.client.rates.updateRate === 15, 'the client hears of it')
    worlds.server.configure({ minUpdateRate: 12 })
    worlds.until(() => slow.client.rates.updateRate === 12, 'and the other one')
    worlds.server.configure({ minUpdateRate: 1, maxUpdateRate: 255 })
    worlds.until(() => String(rates()) === '30,10', 'both have what they asked for')
    const late = await worlds.join(undefined, { updateRate: 25 })
    expect(late.client.rates.updateRate).toBe(25)
    await worlds.end()
  })

  test('a password is for who comes next', async () => {
    const worlds = stage()
    const guest = await worlds.join()
    worlds.server.configure({ password: 'sesame' })
    expect(await outcome(worlds, worlds.addGuest())).toBe('password')
    expect(await outcome(worlds, worlds.addGuest({ password: 'sesame' }))).toBe('in')
    worlds.run(60)
    expect(guest.client.state).toBe('connected')
    worlds.server.configure({ password: '' })
    expect(await outcome(worlds, worlds.addGuest())).toBe('in')
    await worlds.end()
  })

  test('fewer places than clients send nobody away', async () => {
    const worlds = stage()
    const guests = [await worlds.join(), await worlds.join()]
    worlds.server.configure({ maxClients: 1 })
    worlds.run(60)
    expect(guests.map(({ client }) => client.state)).toEqual(['connected', 'connected'])
    expect(await outcome(worlds, worlds.addGuest())).toBe('full')
    worlds.server.configure({ maxClients: 3 })
    expect(await outcome(worlds, worlds.addGuest())).toBe('in')
    await worlds.end()
  })

  test('a client is sent no more bytes than its new limit', async () => {
    const worlds = stage()
    const guest = await worlds.join()
    const client = clientOf(worlds, guest)
    const eid = spawn(worlds, 'Thing', {}, 1)
    await worlds.settle(guest.client.interest.set([1]))
    const { bytes } = worlds.schema.dclasses.Thing
    worlds.game = () => {
      bytes[eid] = new Uint8Array(1000).fill((bytes[eid]?.[0] ?? 0) + 1)
    }
    const bytesIn = () => {
      const before = client.stats.bytesOut
      worlds.run(120)
      return (client.stats.bytesOut - before) / 2
    }
    expect(bytesIn()).toBeGreaterThan(15_000)
    worlds.server.configure({ maxBytesPerSecond: 4096 })
    worlds.run(30)
    expect(client.stats.budget).toBeLessThanOrEqual(4096)
    expect(bytesIn()).toBeLessThan(5500)
    worlds.server.configure({ maxBytesPerSecond: 96 * 1024 })
    worlds.run(600)
    expect(client.stats.budget, 'up again, by and by').toBeGreaterThan(15_000)
    await worlds.end()
  })

  test('what clients may send is counted anew, and the policy is the new one', async () => {
    const worlds = stage({ messageRate: 1000 })
    const guest = await worlds.join()
    const eid = spawn(worlds, 'Thing', {}, 1)
    await worlds.settle(guest.client.interest.set([1]))
    worlds.run(30)
    const say = (times: number) => {
      const seen = worlds.seenBy(guest, eid)
      for (let count = 0; count < times; count++)
        guest.client.sendUpdate(seen, worlds.schema.dclasses.Thing.say, { text: 'hi' })
    }
    const client = clientOf(worlds, guest)
    say(100)
    worlds.run(60)
    expect(client.violations.flooded).toBe(0)
    worlds.server.configure({ limits: { 'Thing.say': { rate: 1, burst: 5 } }, violationPolicy: { flooded: 'ignore' } })
    say(20)
    worlds.run(60)
    expect(client.violations.flooded, 'beyond the limit of the field').toBeGreaterThanOrEqual(14)
    expect(guest.client.state, 'by the new policy').toBe('connected')
    worlds.server.configure({ limits: {}, violationPolicy: {}, messageRate: 1, timeout: 1 })
    say(20)
    worlds.until(
      () => guest.client.state === 'closed',
      'by the usual policy, a flood of more than 1 a second is the end',
    )
    await worlds.end()
  })

  test('silence is the end of a session after the new time', async () => {
    const worlds = stage({ timeout: 60, resumeTime: 0 }, { resumeTime: 0 })
    const guest = await worlds.join()
    const left: string[] = []
    worlds.server.onLeave((_client, reason) => left.push(reason))
    worlds.network.conditions.up.loss = 1
    worlds.run(180)
    expect(left).toEqual([])
    worlds.server.configure({ timeout: 2 })
    worlds.run(4)
    expect(left).toEqual(['timeout'])
    expect(guest.client.state).toBe('closed')
    await worlds.end()
  })

  test('zones are counted by the new limit, and linger as long as it says', async () => {
    const worlds = stage()
    const guest = await worlds.join()
    await worlds.settle(guest.client.interest.set([1, 2, 3]))
    worlds.server.configure({ maxZones: 2 })
    worlds.run(30)
    expect(guest.client.interest.zones.size, 'nothing is taken away').toBe(3)
    expect(await worlds.settle(guest.client.interest.add([4]))).toEqual({ granted: [], refused: [4] })
    worlds.server.configure({ maxZones: 3, linger: 30 })
    await worlds.settle(guest.client.interest.set([1]))
    worlds.run(60)
    expect([...clientOf(worlds, guest).zones].sort()).toEqual([1, 2, 3])
    worlds.server.configure({ linger: 0 })
    await worlds.settle(guest.client.interest.set([]))
    expect(clientOf(worlds, guest).zones.has(1)).toBe(false)
    await worlds.end()
  })

  test('pings are as far apart as it says now', async () => {
    const worlds = stage({ pingInterval: 60 })
    const client = clientOf(worlds, await worlds.join())
    worlds.run(60)
    const first = client.stats.ping
    worlds.network.conditions.up.lag = 0.2
    worlds.run(120)
    expect(client.stats.ping).toBe(first)
    worlds.server.configure({ pingInterval: 0.05 })
    worlds.run(120)
    expect(client.stats.ping).toBeGreaterThan(first + 0.1)
    await worlds.end()
  })

  test('what makes no sense, or cannot change, is an error, and changes nothing', async () => {
    const worlds = stage({ timeout: 10 })
    const guest = await worlds.join(undefined, { updateRate: 20 })
    const wrong = (options: object) => () =>
      worlds.server.configure({ maxUpdateRate: 5, ...options } as LiveServerOptions)
    expect(wrong({ tickRate: 60 })).toThrow('server.configure: tickRate does not change while running')
    expect(wrong({ maxClients: 0 })).toThrow('maxClients is 0: give 1 to 65535 clients.')
    expect(wrong({ maxClients: 1.5 })).toThrow('maxClients is 1.5: give a whole number of clients.')
    expect(wrong({ maxClients: '24' })).toThrow('maxClients is "24": give 1 to 65535 clients.')
    expect(wrong({ password: 7 })).toThrow('password is 7: give a string.')
    expect(wrong({ password: 'ü'.repeat(33) })).toThrow('password takes 66 bytes: give at most 64.')
    expect(wrong({ minUpdateRate: 6 })).toThrow('minUpdateRate is 6, more than maxUpdateRate, which is 5.')
    expect(wrong({ timeout: 1093 })).toThrow(/timeout is 1093 seconds .* at 30 ticks a second: give less than 1092\.2/)
    expect(wrong({ limits: { 'Thing.hay': { rate: 1 } } })).toThrow('the schema has no field "Thing.hay"')
    expect(wrong({ 'sv-max-clients': 3 })).toThrow(
      'server.configure has no option sv-max-clients: is maxClients meant?',
    )
    expect(wrong({ colour: 'red' })).toThrow('server.configure has no option colour.')
    expect(clientOf(worlds, guest).updateRate).toBe(20)
    worlds.server.configure({ maxUpdateRate: undefined } as object)
    expect(clientOf(worlds, guest).updateRate).toBe(20)
    await worlds.end()
  })
})

describe('of a client', () => {
  test('a fixed delay is as many packets as it says now, and playout has its new options', async () => {
    const worlds = stage({}, { interp: 0.05, updateRate: 20 })
    const guest = await worlds.join()
    const eid = spawn(worlds, 'Thing', {}, 1)
    await worlds.settle(guest.client.interest.set([1]))
    worlds.game = () => {
      worlds.schema.dclasses.Thing.x[eid]++
    }
    const delay = () => {
      worlds.run(600)
      return guest.client.stats.playoutDelay
    }
    const two = delay()
    guest.client.configure({ interpRatio: 8 })
    const eight = delay()
    expect(eight - two, 'six packets more, 20 a second').toBeCloseTo(0.3, 1)
    guest.client.configure({ playout: { mode: 'adaptive' } })
    expect(delay()).toBeLessThan(eight - 0.2)
    await worlds.end()
  })

  test('what is changed while it connects is asked for all the same', async () => {
    const worlds = stage()
    const guest = worlds.addGuest({ updateRate: 20 })
    const connecting = guest.client.connect()
    await drain()
    worlds.run(1)
    expect(guest.client.state, 'the server has not answered yet').toBe('connecting')
    guest.client.configure({ updateRate: 7, interp: 0.25 })
    await worlds.settle(connecting)
    worlds.until(() => guest.client.rates.updateRate === 7, 'the rate is granted')
    expect(guest.client.rates.interp).toBe(0.25)
    expect(clientOf(worlds, guest)).toMatchObject({ updateRate: 7, interp: 0.25 })
    await worlds.end()
  })

  test('a password is for the next connection', async () => {
    const worlds = stage({ password: 'sesame' })
    const guest = worlds.addGuest()
    expect(await outcome(worlds, guest)).toBe('password')
    guest.client.configure({ password: 'sesame' })
    expect(await outcome(worlds, guest)).toBe('in')
    await worlds.end()
  })

  test('the silence of a server is the end after the new time', async () => {
    const worlds = stage({}, { timeout: 60, resumeTime: 0 })
    const guest = await worlds.join()
    worlds.network.conditions.down.loss = 1
    worlds.run(180)
    expect(guest.client.state).toBe('connected')
    guest.client.configure({ timeout: 2 })
    worlds.run(2)
    expect(guest.client.state).toBe('closed')
    await worlds.end()
  })

  test('what makes no sense, or cannot change, is an error, and changes nothing', async () => {
    const worlds = stage()
    const guest = await worlds.join()
    const wrong = (options: object) => () => guest.client.configure({ updateRate: 5, ...options } as LiveClientOptions)
    expect(wrong({ transport: {} })).toThrow('client.configure: transport does not change while running')
    expect(wrong({ interp: 1.5 })).toThrow('interp is 1.5: give 0 to 1 seconds.')
    expect(wrong({ playout: { quantile: 2 } })).toThrow('quantile is 2: give 0 to 1')
    expect(wrong({ playout: { mode: 'slow' } })).toThrow('mode is "slow": give adaptive or fixed.')
    expect(wrong({ cmdrate: 100 })).toThrow('client.configure has no option cmdrate: is commandRate meant?')
    worlds.run(60)
    expect(guest.client.rates.updateRate).toBe(20)
    await worlds.end()
  })
})

test('what makes no sense is an error when it is made', () => {
  const server = (options: object) => () => createWorlds(DC, { server: options })
  expect(server({ tickRate: 60, timeout: 600 })).toThrow('give less than 546.1')
  expect(server({ minUpdateRate: 30, maxUpdateRate: 20 })).toThrow('minUpdateRate is 30, more than maxUpdateRate')
  expect(server({ detect: 'guess' })).toThrow('detect is "guess": give compare or mark.')
  expect(server({ priority: 3 })).toThrow('priority is 3: give a function.')
  expect(server({ tickrate: 66 })).toThrow('createServer has no option tickrate: is tickRate meant?')
  const client = (options: object) => () => stage().addGuest(options as ClientOptions)
  expect(client({ commandRate: 256 })).toThrow('commandRate is 256: give 1 to 255 packets a second.')
  expect(client({ playout: { gain: -1 } })).toThrow('gain is -1')
  expect(client({ interp_ratio: 2 })).toThrow('createClient has no option interp_ratio: is interpRatio meant?')
  expect(() => createDriftClock(66, { clockDriftMaxMs: -1 })).toThrow('clockDriftMaxMs is -1: give 0 to')
  expect(() => createDriftClock(66, { clockCorrectionAdjustmentMinOffset: 91 })).toThrow('which is 90')
  expect(() => createTickClock({} as never, { mode: 'guess' as never })).toThrow('give echo or window')
})

test('types tell too what may change, and that what travels may not be undefined', () => {
  const types = (server: Server, client: Client): void => {
    server.configure({ maxClients: 3, limits: {}, violationPolicy: { forbidden: 'kick' } })
    client.configure({ interp: 0.1, playout: { mode: 'fixed' } })
    // @ts-expect-error it does not change while running
    server.configure({ tickRate: 60 })
    // @ts-expect-error it does not change while running
    client.configure({ transport: memoryNetwork().client() })
    // @ts-expect-error left out, or a number
    server.configure({ maxClients: undefined })
  }
  expect(types).toBeTypeOf('function')
})

test('everything that panda3d-pipes is set to can be set here', async () => {
  const server = {
    tickRate: 66,
    maxUpdateRate: 255,
    minUpdateRate: 1,
    maxClients: 24,
    snapshotHistory: 50,
    password: 'pw',
  }
  const client = { updateRate: 20, commandRate: 100, interp: 0.1, interpRatio: 2, pingInterval: 0.5, password: 'pw' }
  const worlds = createWorlds(DC, { server, client, frameRate: 66 })
  const guest = await worlds.join()
  expect(guest.client.tickRate).toBe(66)
  expect(guest.client.rates).toMatchObject({ updateRate: 20, commandRate: 100 })
  expect(clientOf(worlds, guest).interp).toBeCloseTo(0.1)
  const eid = addEntity(worlds.world)
  addComponent(worlds.world, eid, worlds.schema.dclasses.Thing)
  worlds.server.place(eid, 1)
  await worlds.settle(guest.client.interest.set([1]))
  expect(worlds.seenBy(guest, eid)).toBeGreaterThan(0)
  await worlds.end()
})

test('a client gives up before it could take one tick for another', async () => {
  const worlds = createWorlds(DC, {
    server: { tickRate: 1000, timeout: 20, resumeTime: 0 },
    client: { timeout: 3600, resumeTime: 0 },
    frameRate: 10,
  })
  const guest = await worlds.join()
  worlds.network.conditions.down.loss = 1
  worlds.run(325)
  expect(guest.client.state).toBe('connected')
  worlds.run(10)
  expect(guest.client.state, 'after 32,767 ticks').toBe('closed')
  await worlds.end()
})
