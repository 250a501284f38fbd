import { expect, test } from 'vitest'
import { byteReader, readU8 } from '../../src/net/bytes.ts'
import { decodeRates, encodeRates } from '../../src/net/rates.ts'
import { clientOf, createWorlds, spawn } from '../support/worlds.ts'

const DC = 'keyword interp_linear; dclass Thing { int32/1000 x broadcast interp_linear; };'

const stage = async () => {
  const worlds = createWorlds(DC, { conditions: { lag: 0.04 }, server: { minUpdateRate: 5, maxUpdateRate: 25 } })
  const guest = await worlds.join(undefined, { updateRate: 20 })
  const eid = spawn(worlds, 'Thing', {}, 1)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.game = () => {
    worlds.schema.dclasses.Thing.x[eid] += 0.1
  }
  return { worlds, guest, client: clientOf(worlds, guest) }
}

/** Packets a second, both ways. */
const packets = (
  worlds: Awaited<ReturnType<typeof stage>>['worlds'],
  stats: { packetsIn: number; packetsOut: number },
) => {
  const { packetsIn, packetsOut } = { ...stats }
  worlds.run(240)
  return { down: (stats.packetsOut - packetsOut) / 4, up: (stats.packetsIn - packetsIn) / 4 }
}

test('a client asks for other rates and gets what the server allows', async () => {
  const { worlds, guest, client } = await stage()
  guest.client.configure({ updateRate: 10, commandRate: 15 })
  worlds.until(() => guest.client.rates.updateRate === 10, 'the answer')
  expect(client.updateRate).toBe(10)
  const slow = packets(worlds, client.stats)
  expect(slow.down).toBeCloseTo(10, -0.5)
  expect(slow.up).toBeCloseTo(15, -0.5)
  guest.client.configure({ updateRate: 200 })
  worlds.until(() => guest.client.rates.updateRate === 25, 'no more than the server allows')
  guest.client.configure({ updateRate: 1 })
  worlds.until(() => guest.client.rates.updateRate === 5, 'no less either')
  expect(client.commandRate, 'what was not asked for stays').toBe(15)
  await worlds.end()
})

test('what the game gives is made whole, as it travels: a fraction neither stops nor slows the link', async () => {
  const { worlds, guest, client } = await stage()
  worlds.server.setRates(client, { updateRate: 19.6, commandRate: 12.5 })
  worlds.run(60)
  expect([client.updateRate, client.commandRate]).toEqual([20, 13])
  expect(guest.client.rates).toMatchObject({ updateRate: 20, commandRate: 13 })
  const { down, up } = packets(worlds, client.stats)
  expect(down).toBeCloseTo(20, -0.5)
  expect(up).toBeCloseTo(13, -0.5)
  worlds.server.setRates(client, { updateRate: NaN, commandRate: Infinity })
  worlds.run(60)
  expect([client.updateRate, client.commandRate]).toEqual([5, 255])
  await worlds.end()
})

test('interpolation becomes fixed, and follows the link again', async () => {
  const { worlds, guest, client } = await stage()
  worlds.run(300)
  const adaptive = guest.client.stats.playoutDelay
  guest.client.configure({ interp: 0.4 })
  worlds.run(600)
  expect(client.interp).toBeCloseTo(0.4)
  expect(guest.client.stats.playoutDelay).toBeGreaterThan(0.4)
  guest.client.configure({ interp: 0 })
  worlds.run(600)
  expect(client.interp).toBe(0)
  expect(guest.client.stats.playoutDelay).toBeCloseTo(adaptive, 1)
  await worlds.end()
})

test('the server changes them for one client', async () => {
  const { worlds, guest, client } = await stage()
  worlds.server.setRates(client, { updateRate: 7, interp: 5 })
  worlds.until(() => guest.client.rates.updateRate === 7, 'the client hears of it')
  expect(guest.client.rates.interp, 'clamped').toBe(1)
  expect(client.interp).toBe(1)
  worlds.server.kick(client)
  expect(() => worlds.server.setRates(client, { updateRate: 7 })).toThrow('not connected')
  await worlds.end()
})

test('what makes no sense is refused here, and clamped there', () => {
  const back = (bytes: Uint8Array) => {
    const reader = byteReader(bytes)
    readU8(reader)
    return decodeRates(reader)
  }
  expect(back(encodeRates({ updateRate: 30, commandRate: 60, interp: 0.25 }))).toEqual({
    updateRate: 30,
    commandRate: 60,
    interp: 0.25,
  })
  for (const interp of [NaN, -1, -Infinity])
    expect(back(encodeRates({ updateRate: 0, commandRate: 0, interp }))).toEqual({
      updateRate: 1,
      commandRate: 1,
      interp: 0,
    })
  expect(back(encodeRates({ updateRate: 1, commandRate: 1, interp: Infinity }))?.interp).toBe(1)
  expect(back(encodeRates({ updateRate: 1, commandRate: 1, interp: 0 }).subarray(0, 4))).toBeUndefined()
})

test('a client tells its caller', async () => {
  const { worlds, guest } = await stage()
  expect(() => guest.client.configure({ updateRate: 0 })).toThrow('updateRate is 0')
  expect(() => guest.client.configure({ interp: 2 })).toThrow('interp is 2')
  await worlds.end()
})
