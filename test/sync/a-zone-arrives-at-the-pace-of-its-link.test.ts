import { query } from 'bitecs'
import { Alive } from 'bitecs-pipes/client'
import { expect, test } from 'vitest'
import { clientOf, createWorlds, spawn, type Guest, type Worlds } from '../support/worlds.ts'

const DC =
  'dclass Crate { string label required broadcast ram; uint32 weight broadcast ram; uint32 mark broadcast ram; };'

const COUNT = 250

/** A zone with much in it, and one with something that moves. */
const stage = async (server: object, conditions: object = { lag: 0.03 }, seed = 1) => {
  const worlds = createWorlds(DC, { server, conditions, seed })
  for (let count = 0; count < COUNT; count++)
    spawn(worlds, 'Crate', { label: `crate number ${count} of many`, weight: count * 7919, mark: count * 104729 }, 1)
  const busy = spawn(worlds, 'Crate', { label: 'busy' }, 2)
  worlds.game = () => worlds.schema.dclasses.Crate.weight[busy]++
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([2]))
  return { worlds, guest, busy }
}

const alive = (guest: Guest) => query(guest.world, [guest.schema.dclasses.Crate, Alive]).length

/** Seconds until the zone is there, and the most bytes and datagrams that were sent in any half second and tick. */
const arrive = async (worlds: Worlds, guest: Guest) => {
  const sent: { time: number; bytes: number }[] = []
  worlds.network.tap = (direction, packet) => {
    if (direction === 'down') sent.push({ time: worlds.now(), bytes: packet.length })
  }
  const start = worlds.now()
  await worlds.settle(guest.client.interest.add([1]), 60)
  worlds.run(1)
  const within = (seconds: number, what: (one: { bytes: number }) => number) =>
    Math.max(
      ...sent.map(({ time }) =>
        sent.reduce((sum, one) => sum + (one.time >= time && one.time < time + seconds ? what(one) : 0), 0),
      ),
    )
  return {
    seconds: worlds.now() - start,
    bytes: within(0.5, one => one.bytes),
    datagrams: within(1 / 60, () => 1),
  }
}

test('a budget paces it, and the promise waits for all of it', async () => {
  const { worlds, guest } = await stage({ maxBytesPerSecond: 8_000 })
  const { seconds, bytes } = await arrive(worlds, guest)
  expect(alive(guest), 'everything is there when the promise says so').toBe(COUNT + 1)
  expect(seconds, 'it took the time that the budget asks for').toBeGreaterThan(0.8)
  expect(bytes, 'in no half second more than the budget and its burst').toBeLessThan(8_000 * 0.5 + 8_000 * 0.25 + 1_200)
  await worlds.end()
})

test('the rest of the world goes on meanwhile', async () => {
  const { worlds, guest, busy } = await stage({ maxBytesPerSecond: 8_000 })
  const { Crate } = guest.schema.dclasses
  const own = worlds.seenBy(guest, busy)
  let last = Crate.weight[own]
  let still = 0
  let longest = 0
  guest.play = () => {
    still = Crate.weight[own] === last ? still + 1 : 0
    longest = Math.max(longest, still)
    last = Crate.weight[own]
  }
  await arrive(worlds, guest)
  expect(longest / 60, 'seconds that the busy one stood still').toBeLessThan(0.5)
  await worlds.end()
})

test.each([1, 2, 8])('packetsPerSend is how many datagrams go at once (%i)', async packetsPerSend => {
  const { worlds, guest } = await stage({ packetsPerSend, maxBytesPerSecond: 1e9 })
  const { datagrams } = await arrive(worlds, guest)
  expect(datagrams).toBeLessThanOrEqual(packetsPerSend)
  expect(datagrams, 'and it makes use of it').toBeGreaterThan(packetsPerSend / 2 - 0.5)
  await worlds.end()
})

test('with more at once it is there sooner', async () => {
  const times: number[] = []
  for (const packetsPerSend of [1, 8]) {
    const { worlds, guest } = await stage({ packetsPerSend, maxBytesPerSecond: 1e9 })
    times.push((await arrive(worlds, guest)).seconds)
    await worlds.end()
  }
  expect(times[1]).toBeLessThan(times[0]! / 2)
})

test.each([1, 2, 3])(
  'also over a link that loses a fifth, with zones asked for one after the other (seed %i)',
  async seed => {
    const conditions = { lag: 0.05, jitter: 0.03, loss: 0.2, reorder: 0.1 }
    const { worlds, guest } = await stage({ maxBytesPerSecond: 20_000 }, conditions, seed)
    const { interest } = guest.client
    const order: string[] = []
    const note = (name: string) => () => void order.push(name)
    const first = interest.add([1]).then(note('first'))
    worlds.run(5)
    const second = interest.add([3]).then(note('second'))
    const third = interest.set([1]).then(note('third'))
    await worlds.settle(Promise.all([first, second, third]), 60)
    worlds.run(1)
    expect(order, 'answers come in the order of requests').toEqual(['first', 'second', 'third'])
    expect(alive(guest)).toBe(COUNT)
    await worlds.end()
  },
)

test('a request that is overtaken by another one is answered all the same', async () => {
  const { worlds, guest } = await stage({ maxBytesPerSecond: 8_000 })
  const { interest } = guest.client
  const first = interest.add([1])
  worlds.run(12)
  const second = interest.set([2])
  expect(await worlds.settle(first), 'granted, though it was taken back before it was complete').toEqual({
    granted: [1],
    refused: [],
  })
  await worlds.settle(second)
  worlds.run(2)
  expect(alive(guest)).toBe(1)
  expect([...clientOf(worlds, guest).zones]).toEqual([2])
  await worlds.end()
})
