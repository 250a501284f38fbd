import { expect, test } from 'vitest'
import { clientOf, createWorlds, FRAME, spawn } from '../support/worlds.ts'

const DC = 'dclass Avatar { string name required broadcast ram; uint16 steps broadcast ram; };'

const stage = async (conditions: object) => {
  const worlds = createWorlds(DC, { conditions })
  const guest = await worlds.join()
  const eid = spawn(worlds, 'Avatar', { name: 'Ada' }, 1)
  await worlds.settle(guest.client.interest.set([1]))
  worlds.game = () => {
    worlds.schema.dclasses.Avatar.steps[eid]++
  }
  return { worlds, guest, ends: [guest.client.stats, clientOf(worlds, guest).stats] as const }
}

test.each([0.02, 0.05, 0.15])('round trip of a lag of %d s each way', async lag => {
  const { worlds, ends } = await stage({ lag })
  worlds.run(300)
  for (const [index, { rtt }] of ends.entries()) {
    const side = ['client', 'server'][index]
    expect(rtt, `${side}: not less than the link`).toBeGreaterThanOrEqual(lag * 2 - 0.001)
    expect(rtt, `${side}: not more than the link, and a frame at each end`).toBeLessThan(lag * 2 + FRAME * 2 + 0.001)
  }
  await worlds.end()
})

test('a lossless link shows no loss, a lossy one about as much as it has', async () => {
  const { worlds, ends } = await stage({ lag: 0.05, jitter: 0.01 })
  worlds.run(600)
  expect(
    ends.map(({ loss }) => loss),
    'none',
  ).toEqual([0, 0])
  const sums = [0, 0]
  Object.assign(worlds.network.conditions.down, { loss: 0.1 })
  Object.assign(worlds.network.conditions.up, { loss: 0.1 })
  worlds.run(600)
  for (let second = 0; second < 20; second++) {
    worlds.run(60)
    ends.forEach(({ loss }, index) => (sums[index]! += loss / 20))
  }
  for (const [index, loss] of sums.entries()) {
    const side = ['client', 'server'][index]
    expect(loss, `${side}: at least half of it`).toBeGreaterThan(0.05)
    expect(loss, `${side}: at most twice as much`).toBeLessThan(0.2)
  }
  await worlds.end()
})

test('traffic, objects and zones are counted', async () => {
  const { worlds, guest, ends } = await stage({ lag: 0.05 })
  worlds.run(300)
  const [client, server] = ends
  expect(client.packetsInPerSecond, 'datagrams a second from the server').toBeCloseTo(20, -0.5)
  expect(client.packetsOutPerSecond, 'and to it').toBeCloseTo(30, -0.5)
  expect(server.packetsOutPerSecond, 'the server says the same').toBeCloseTo(20, -0.5)
  expect(client.bytesIn, 'bytes that came are bytes that were sent, but for those under way').toBeGreaterThan(
    server.bytesOut * 0.97,
  )
  expect([guest.client.stats.objects, guest.client.stats.zones], 'objects and zones').toEqual([1, 1])
  expect(guest.client.stats.playoutDelay, 'what is shown is a little behind the server').toBeGreaterThan(0.05)
  expect(guest.client.stats.playoutDelay, 'but not by much').toBeLessThan(0.25)
  expect([guest.client.stats.malformed, guest.client.stats.undecodable]).toEqual([0, 0])
  await worlds.end()
})
