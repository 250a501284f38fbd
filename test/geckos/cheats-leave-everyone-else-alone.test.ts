import { createWorld, query } from 'bitecs'
import { createClient, Owned } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { randomBytes } from 'node:crypto'
import { packField } from '../../src/dc/index.ts'
import { byteWriter, writeBytes, writeU16, writeU8, writeVarint } from '../../src/net/bytes.ts'
import { encodeResume } from '../../src/net/resume.ts'
import { encodeInterest } from '../../src/net/interest.ts'
import { Chunk } from '../../src/net/packet.ts'
import { createPeer } from '../../src/net/peer.ts'
import { encodeRates } from '../../src/net/rates.ts'
import { approach, claim, infiltrate, schema, type Cheat } from './support/cheat.ts'
import { HIDDEN, PASSWORD, type GameStatus } from './support/game.ts'
import { startGame, type ServerProcess } from './support/server-process.ts'
import { closeStock, connectStock, sendRaw } from './support/stock-client.ts'
import { until } from './support/until.ts'

// One server process and one honest player outlive all of it; each attack comes over real geckos.io and WebRTC.

let server: ServerProcess<GameStatus>
let honest: Awaited<ReturnType<typeof join>>
const ends: (() => void)[] = []

const look = () => server.status()
const { Avatar, Rock } = schema.file.classes.reduce<Record<string, any>>(
  (all, dclass) => ({ ...all, [dclass.name]: dclass }),
  {},
)
const field = (dclass: any, name: string) => dclass.inherited.find((each: any) => each.name === name)
const pack = (dclass: any, name: string, value: unknown): [number, Uint8Array] => {
  const found = field(dclass, name)
  return [found.number, packField(found, value as never).slice()]
}

/** A player as a game has it: it sees zone 1. */
const join = async (port: number) => {
  const world = createWorld()
  const client = createClient(world, schema, { transport: geckos({ port }), password: PASSWORD })
  await client.connect()
  void client.interest.set([1])
  const timer = setInterval(() => {
    client.receive(world)
    client.send(world)
  }, 20)
  ends.push(() => clearInterval(timer))
  const me = () => query(world, [schema.dclasses.Avatar, Owned])[0]
  await until('its avatar', me)
  return { client, me: me()!, doId: () => schema.DistributedObject.doId[me()!]! }
}

let place = 0
/** The honest player still plays: where it goes, the server sees it. */
const stillPlays = async () => {
  place = (place + 1) % 1000
  schema.dclasses.Avatar.x[honest.me] = place
  await until('the server to see where the honest player went', async () =>
    (await look()).objects.some(({ doId, x }) => doId === honest.doId() && x === place),
  )
  expect(honest.client.state).toBe('connected')
}
const violationsOf = async ({ id }: Cheat) => (await look()).clients.find(each => each.id === id)?.violations
const reasonOf = async ({ id }: Cheat) => (await look()).left.find(([each]) => each === id)?.[1]
const fieldChunk = (sequence: number, isLast: boolean, bytes: Uint8Array): Uint8Array => {
  const writer = byteWriter()
  writeU8(writer, Chunk.fragment)
  writeU16(writer, sequence & 0xffff)
  writeU8(writer, isLast ? 1 : 0)
  writeVarint(writer, bytes.length)
  writeBytes(writer, bytes)
  return writer.bytes.slice(0, writer.length)
}

beforeAll(async () => {
  server = await startGame({ server: { messageRate: 10, interestRate: 2, maxClients: 64, resumeTime: 1 } })
  honest = await join(server.port)
})
afterAll(async () => {
  for (const end of ends) end()
  server?.dispose()
})

it('spoofed ownership, fields of hidden objects, and what no client may write', async () => {
  const cheat = await infiltrate(server.port)
  const { objects } = await look()
  const hidden = objects.find(({ zone }) => zone === HIDDEN)!.doId
  const before = (await look()).heard
  cheat.reliable(encodeInterest({ request: 1, operation: 'set', zones: [HIDDEN] }))
  cheat.upload(honest.doId(), 1, Uint8Array.of(9, 9))
  cheat.field(honest.doId(), ...pack(Avatar, 'mood', 'mine'), 0)
  cheat.message(honest.doId(), ...pack(Avatar, 'say', { text: 'I am the owner' }))
  cheat.field(honest.doId(), ...pack(Avatar, 'health', 0), 0)
  cheat.field(hidden, ...pack(Rock, 'lock', 9), 0)
  cheat.message(hidden, ...pack(Rock, 'knock', { times: 1 }))
  cheat.message(0xfffffff, ...pack(Rock, 'knock', { times: 1 }))
  cheat.message(0, ...pack(Rock, 'knock', { times: 1 }))
  await until('eight refusals', async () => (await violationsOf(cheat))?.forbidden === 8)
  const after = await look()
  expect(after.heard, 'no handler heard of it').toEqual(before)
  expect(after.objects.find(({ doId }) => doId === honest.doId())).toMatchObject({ health: 100 })
  expect(after.objects.find(({ doId }) => doId === hidden)).toMatchObject({ lock: 0, zone: HIDDEN })
  await stillPlays()
  cheat.connection.close()
})

it('acknowledgements for packets that were never sent', async () => {
  const cheat = await infiltrate(server.port)
  for (const newest of [20_000, 32_000, 40_000, 65_535]) cheat.packet(claim(newest))
  await until('four malformed datagrams', async () => (await violationsOf(cheat))?.malformed === 4)
  await stillPlays()
  cheat.connection.close()
})

it('a client clock that lies', async () => {
  const cheat = await infiltrate(server.port)
  await until('datagrams of the server', () => cheat.received > 3)
  for (const hold of [0, 6, -5, 1e9]) cheat.packet(claim(1, hold), undefined, 0x8000)
  await stillPlays()
  const { stats } = (await look()).clients.find(({ id }) => id === cheat.id)!
  for (const name of ['ping', 'rtt', 'jitter', 'loss'] as const)
    expect(stats[name] >= 0 && stats[name] < 5, `${name} is ${stats[name]}`).toBe(true)
  cheat.connection.close()
})

it('rates of 0, 255 and NaN', async () => {
  const granted = async (cheat: Cheat) => {
    const { updateRate, commandRate, interp } = (await look()).clients.find(({ id }) => id === cheat.id)!
    return { updateRate, commandRate, interp }
  }
  const { impostor } = await approach(server.port)
  await until('a welcome', () => {
    impostor.hello({ password: PASSWORD, updateRate: 0, commandRate: 0, interp: NaN })
    return impostor.welcome
  })
  expect(impostor.welcome).toMatchObject({ updateRate: 1, commandRate: 1 })
  impostor.connection.close()
  const cheat = await infiltrate(server.port)
  cheat.reliable(encodeRates({ updateRate: 255, commandRate: 255, interp: NaN }))
  await until('the highest rates', async () => (await granted(cheat)).commandRate === 255)
  expect(await granted(cheat), 'no more updates than ticks').toEqual({ updateRate: 30, commandRate: 255, interp: 0 })
  cheat.reliable(encodeRates({ updateRate: 0, commandRate: 0, interp: -Infinity }))
  await until('the lowest rates', async () => (await granted(cheat)).commandRate === 1)
  expect(await granted(cheat)).toEqual({ updateRate: 1, commandRate: 1, interp: 0 })
  await stillPlays()
  cheat.connection.close()
})

it('datagrams that are repeated', async () => {
  const cheat = await infiltrate(server.port)
  await until('its avatar', async () => (await look()).objects.some(({ owner }) => owner === cheat.id))
  const { doId } = (await look()).objects.find(({ owner }) => owner === cheat.id)!
  const { heard } = await look()
  cheat.message(doId, ...pack(Avatar, 'say', { text: 'once' }))
  cheat.message(doId, ...pack(Avatar, 'wave', { hand: 1 }), 'unreliable')
  const recorded = cheat.sent.slice()
  for (let copy = 0; copy < 5; copy++) for (const packet of recorded) cheat.connection.send(packet)
  cheat.message(doId, ...pack(Avatar, 'say', { text: 'twice' }))
  await until('the second message', async () => (await look()).heard.say >= heard.say + 2)
  await stillPlays()
  const { say, wave } = (await look()).heard
  expect([say - heard.say, wave - heard.wave], 'each message was heard once').toEqual([2, 1])
  expect((await look()).clients.filter(({ id }) => id === cheat.id).length, 'and it joined once').toBe(1)
  cheat.connection.close()
})

it('interest churn: objects that are generated over and over', async () => {
  const cheat = await infiltrate(server.port)
  for (let request = 0; request < 60; request++)
    cheat.reliable(encodeInterest({ request, operation: 'set', zones: request % 2 ? [1, 2] : [3, 4] }))
  await until('the end of its session', async () => (await reasonOf(cheat)) === 'flooded')
  await until('its connection to be closed', () => cheat.isClosed)
  await stillPlays()
})

it('messages without end', async () => {
  const cheat = await infiltrate(server.port)
  const { doId } = (await look()).objects.find(({ zone, lock }) => zone === 1 && lock === 0)!
  for (let count = 0; count < 250; count++) cheat.message(doId, ...pack(Rock, 'knock', { times: 1 }))
  await until('the end of its session', async () => (await reasonOf(cheat)) === 'flooded')
  await stillPlays()
})

it('fragments: far ahead, short ones, and a message that never ends', async () => {
  const first = new Uint8Array(512)
  const attacks: ((cheat: Cheat) => void)[] = [
    cheat => cheat.packet(createPeer(), fieldChunk(300, true, first)),
    cheat => cheat.packet(createPeer(), fieldChunk(0, false, Uint8Array.of(1))),
    cheat => {
      for (let sequence = 0; sequence < 520; sequence += 2)
        cheat.packet(
          createPeer(),
          Uint8Array.from([...fieldChunk(sequence, false, first), ...fieldChunk(sequence + 1, false, first)]),
        )
    },
  ]
  for (const attack of attacks) {
    const cheat = await infiltrate(server.port)
    attack(cheat)
    await until('the end of its session', async () => (await reasonOf(cheat)) === 'malformed')
  }
  // Every second one, so that all wait for those between.
  const cheat = await infiltrate(server.port)
  for (let sequence = 1; sequence < 256; sequence += 2) cheat.packet(createPeer(), fieldChunk(sequence, false, first))
  await stillPlays()
  expect(await reasonOf(cheat), 'a window of them is what a lossy link may make').toBeUndefined()
  cheat.connection.close()
})

it('never acknowledging', async () => {
  const cheat = await infiltrate(server.port, { isDeaf: true })
  cheat.reliable(encodeInterest({ request: 1, operation: 'set', zones: [1, 2, 3, 4] }))
  // As an honest one at 20 a second, but without acknowledgements.
  const timer = setInterval(() => cheat.packet(createPeer()), 50)
  ends.push(() => clearInterval(timer))
  await until('some datagrams', () => cheat.bytesIn > 500)
  // An honest one is sent 20 a second; who does not answer is asked now and then whether it is there.
  await until('the server to send probes only', async () => {
    const before = cheat.datagramsIn
    const start = performance.now()
    await new Promise(resolve => setTimeout(resolve, 500))
    return (cheat.datagramsIn - before) / (performance.now() - start) < 8 / 1000
  })
  await stillPlays()
  clearInterval(timer)
  expect(await reasonOf(cheat)).toBeUndefined()
  cheat.connection.close()
})

it('amplification: a stranger is sent at most three times what it sent', async () => {
  const attempts: ((stranger: Awaited<ReturnType<typeof approach>>['impostor']) => void)[] = [
    stranger => stranger.hello({ password: 'guess' }),
    stranger => stranger.hello({ password: PASSWORD, version: 77 }),
    stranger => stranger.hello({ schema: { hash: 1, structureHash: 2n, version: 3 } }),
    stranger => stranger.connection.send(Uint8Array.of(0xb1, 9, 1, 2, 3, 4)),
    stranger => stranger.connection.send(Uint8Array.of(0xb6, 1, 2, 3, 4, 1)),
    stranger => stranger.connection.send(Uint8Array.of(0xc0, 0, 0, 0, 0)),
  ]
  const strangers = await Promise.all(
    attempts.map(async attempt => {
      const stranger = await approach(server.port)
      for (let count = 0; count < 5; count++) attempt(stranger.impostor)
      return stranger
    }),
  )
  await stillPlays()
  await until('those that are refused to be told', () => strangers[0]!.impostor.refusals.length > 0)
  for (const { impostor, sent, tally } of strangers) {
    const bytesOut = sent.reduce((sum, { length }) => sum + length, 0)
    expect(tally.bytesIn, `${tally.bytesIn} bytes for ${bytesOut}`).toBeLessThanOrEqual(bytesOut * 3)
    impostor.connection.close()
  }
})

it('the session of somebody else, with guessed tokens', async () => {
  const strangers = await Promise.all(Array.from({ length: 5 }, () => approach(server.port)))
  for (const { impostor } of strangers)
    for (let guess = 0; guess < 20; guess++)
      impostor.connection.send(encodeResume({ nonce: guess, clientId: honest.client.clientId, token: randomBytes(16) }))
  await until('each to be refused', () => strangers.every(({ impostor }) => impostor.refusals.length > 0))
  for (const { impostor } of strangers) {
    expect(impostor.welcome).toBeUndefined()
    expect(new Set(impostor.refusals.map(({ reason }) => reason))).toEqual(new Set(['expired']))
  }
  await stillPlays()
  await until('each to be closed', () => strangers.every(({ tally }) => tally.isClosed))
})

it('who signs in and goes at once, again and again', async () => {
  const { stats } = await look()
  for (let round = 0; round < 2; round++) {
    const strangers = await Promise.all(Array.from({ length: 5 }, () => approach(server.port)))
    for (const [index, { impostor }] of strangers.entries()) {
      impostor.hello({ password: PASSWORD })
      if (index % 2) impostor.hello({ password: PASSWORD, nonce: 8 })
      impostor.connection.close()
    }
  }
  await until('all of them, and their objects, to be gone', async () => {
    const now = await look()
    return now.stats.opened - stats.opened >= 10 && now.clients.length === 1 && now.objects.every(isRockOrOurs)
  })
  await stillPlays()
})
const isRockOrOurs = ({ owner, doId }: GameStatus['objects'][number]) => owner === 0 || doId === honest.doId()

it('text and odd bytes beside a session', async () => {
  const channel = await connectStock(server.port)
  for (const frame of ['null', '{"rawMessage":1}', '']) sendRaw(channel, frame)
  for (const size of [1, 2, 1150, 5000]) sendRaw(channel, new Uint8Array(size).fill(0xc7))
  await until('them to be counted', async () => (await look()).stats.droppedText > 0)
  await stillPlays()
  closeStock(channel)
})

it('nothing of it was an error of the server, which exits by itself', async () => {
  expect((await look()).errors).toEqual([])
  honest.client.disconnect()
  expect(await server.close(), server.stderr()).toEqual({ code: 0, signal: null })
})
