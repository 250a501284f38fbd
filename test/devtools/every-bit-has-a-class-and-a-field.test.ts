import { query } from 'bitecs'
import { expect, test } from 'vitest'
import { Owned } from 'bitecs-pipes/client'
import { totalsOf, watchClient, type Ledger } from 'bitecs-pipes/devtools'
import { spawn } from '../support/worlds.ts'
import { openScene } from './scene.ts'

const bytesOf = (ledger: Ledger): number => totalsOf(ledger).reduce((sum, { bits }) => sum + bits, 0) / 8

const find = (ledger: Ledger, dclass: string, field: string): number => ledger.get(`${dclass}.${field}`)?.bits ?? 0

for (const codec of ['range', 'plain'] as const)
  test(`${codec}: what crossed adds up, both ways, and is booked where it belongs`, async () => {
    const { worlds, Avatar } = await openScene({ lag: 0.03, jitter: 0.01, loss: 0.03, duplicate: 0.02 }, { codec })
    const guest = worlds.addGuest()
    const monitor = watchClient(guest.client)
    await worlds.settle(guest.client.connect())
    const own = spawn(worlds, 'Avatar', { name: 'me' }, 1, worlds.clientOf(guest))
    await worlds.settle(guest.client.interest.set([1]))
    const mine = guest.schema.dclasses.Avatar as any
    guest.play = () => {
      monitor.update()
      for (const eid of query(guest.world, [mine, Owned])) mine.position.x[eid] += 0.5
    }
    for (let second = 0; second < 8; second++) {
      worlds.server.sendUpdate(own, Avatar.said, { text: `a line of some length, the ${second}th` })
      guest.client.sendUpdate(query(guest.world, [mine, Owned])[0]!, mine.say, { text: 'hello' })
      worlds.run(60)
    }
    const { down, up } = monitor.account
    expect(bytesOf(down), 'every byte that came').toBeCloseTo(guest.client.stats.bytesIn, 6)
    expect(bytesOf(up), 'every byte that went').toBeCloseTo(guest.client.stats.bytesOut, 6)

    const position = find(down, 'Avatar', 'position')
    expect(position, 'what moves takes most').toBeGreaterThan(0.4 * (down.get('Avatar.(objects)')!.bits + position))
    expect(find(down, 'Avatar', 'health')).toBeGreaterThan(100)
    expect(find(down, 'Avatar', 'health')).toBeLessThan(position / 4)
    expect(find(down, 'Avatar', 'name'), 'strings of 21 creatures').toBeGreaterThan(21 * 10 * 8)
    expect(find(down, 'Avatar', 'said')).toBeGreaterThan(8 * 35 * 8)
    expect(find(down, 'Rock', 'size')).toBeGreaterThan(100)
    expect(find(up, 'Avatar', 'say')).toBeGreaterThan(8 * 6 * 8)
    expect(find(up, 'Avatar', 'position')).toBeGreaterThan(8 * 20 * 32)
    // Of rows alone: a field's information is never more than the bytes that carried it.
    for (const ledger of [down, up])
      for (const { dclass, field, bits } of ledger.values()) expect(bits, `${dclass}.${field}`).toBeGreaterThan(-64)

    expect(monitor.samples.length).toBeGreaterThan(30)
    const last = monitor.samples.at(-1)!
    expect(last.rtt).toBeGreaterThan(0.055)
    expect(last.baselineAge).toBeGreaterThan(0.03)
    expect(last.idealBuffer).toBeGreaterThan(0)
    expect(Math.abs(last.buffer - last.idealBuffer)).toBeLessThan(0.05)
    expect(last.clockDrift).toBeLessThan(0.01)
    expect(Number.isFinite(last.clockOffset)).toBe(true)
    await worlds.end()
  })

test('a page that stops watching has its client as it was', async () => {
  const { worlds } = await openScene()
  const guest = await worlds.join()
  const before = { ...guest.client.stats }
  const monitor = watchClient(guest.client)
  monitor.link.down.loss = 1
  worlds.run(60)
  expect(guest.client.stats.bytesIn, 'the link is cut').toBe(before.bytesIn)
  monitor.stop()
  worlds.run(60)
  expect(guest.client.stats.bytesIn).toBeGreaterThan(before.bytesIn)
  await worlds.end()
})
