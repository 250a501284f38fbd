import { expect, test } from 'vitest'
import { newestFrame } from '../../src/net/frames.ts'
import { random } from '../../src/net/random.ts'
import { createDuo, isUpToDate, type Duo } from './duo.ts'

const DC = 'dclass Thing { uint16 a broadcast; uint16 b broadcast; };'

/** Objects of two groups, some of which change in every tick. */
const stage = async (options: Parameters<typeof createDuo>[1] = {}) => {
  const duo = await createDuo(DC, { rate: 30, ...options })
  const places = Array.from({ length: 100 }, (_, index) => duo.add(1, index + 1))
  const chance = random(3)
  duo.change = tick => {
    for (const place of places) if (chance() < 0.2) duo.put(place, 2 + (tick & 1), Math.floor(chance() * 0x10000))
  }
  duo.run(90)
  expect(duo.session.replica.groups.size).toBe(2)
  return { duo, places, chance }
}

/** Breaks one word of every frame that the client holds of its first group: a fault that no packet could make. */
const corrupt = (duo: Duo, chance: () => number) => {
  const [group] = duo.session.replica.groups.values()
  const at = 2 + Math.floor(chance() * group!.layout.slots) * group!.layout.width
  for (const frame of group!.history.frames) frame.rows[at]! ^= 1 << Math.floor(chance() * 16)
  return group!.id
}

test.each([1, 2, 3, 4])(
  'a wrong word is noticed within a second or so, counted, and gone a moment later (%i)',
  async seed => {
    const { duo, places } = await stage()
    // Otherwise it might be put right by chance before anyone looks.
    const [still] = places
    const chance = random(seed)
    duo.change = tick => {
      for (const place of places) if (place !== still && chance() < 0.2) duo.put(place, 3, tick & 0xffff)
    }
    duo.run(10)
    const [group] = duo.session.replica.groups.values()
    for (const frame of group!.history.frames) frame.rows[still!.slot * group!.layout.width + 2]! ^= 1 << seed
    const at = duo.now
    const { replica } = duo.session
    while (replica.desyncs === 0 && duo.now < at + 5) duo.step()
    expect(duo.now - at, 'seconds until it is noticed').toBeLessThan(1.3)
    expect(replica.desyncs).toBe(1)
    const before = duo.sent.length
    duo.run(15)
    const keyframes = duo.sent.slice(before).flatMap(({ entries }) => entries.filter(each => each.isKeyframe))
    expect(
      keyframes.map(each => each.group),
      'one keyframe, of that group alone',
    ).toEqual([group!.id])
    duo.change = () => {}
    duo.run(30)
    expect([isUpToDate(duo), replica.desyncs, duo.client.stats.desyncs]).toEqual([true, 1, 1])
    duo.end()
  },
)

test('a client that is broken again and again is mended again and again', async () => {
  const { duo, chance } = await stage()
  const groups = new Set<number>()
  for (let round = 0; round < 10; round++) {
    groups.add(corrupt(duo, chance))
    duo.run(60)
  }
  expect(duo.session.replica.desyncs).toBeGreaterThan(5)
  duo.change = () => {}
  duo.run(60)
  expect(isUpToDate(duo)).toBe(true)
  duo.end()
})

test('a hash that was lost comes again, also of a group at rest', async () => {
  const { duo } = await stage()
  duo.change = () => {}
  duo.run(90)
  const { replica } = duo.session
  for (const { history } of replica.groups.values()) for (const frame of history.frames) frame.rows[3]! ^= 1
  for (const group of duo.store.zones.get(1)!.groups) duo.put({ group, slot: 5 }, 2, 9)
  // The first packets with hashes are lost; the state that was in them comes again in any case.
  const audits = () => duo.sent.slice(before).reduce((sum, packet) => sum + packet.audits.length, 0)
  const before = duo.sent.length
  duo.fate = packet => (packet.audits.length > 0 && audits() < 5 ? 'lost' : 1)
  duo.run(300)
  expect([replica.desyncs, isUpToDate(duo)]).toEqual([2, true])
  duo.end()
})

test('groups that are found wrong in one packet are all mended, also when nothing of them changes any more', async () => {
  const { duo } = await stage()
  duo.change = () => {}
  duo.run(90)
  const { replica } = duo.session
  const broken = [...replica.groups.values()]
  for (const { history } of broken) for (const frame of history.frames) frame.rows[3]! ^= 1
  const places = duo.store.zones.get(1)!.groups.map(group => ({ group, slot: 5 }))
  for (const place of places) duo.put(place, 2, 9)
  duo.run(60)
  expect([replica.desyncs, duo.heard.length]).toEqual([broken.length, broken.length])
  expect([isUpToDate(duo), replica.undecodable]).toEqual([true, 0])
  duo.end()
})

test('each group that changes is compared once a second, not more often', async () => {
  const { duo } = await stage()
  const before = duo.sent.length
  duo.run(300)
  const audits = duo.sent.slice(before).flatMap(({ audits, at }) => audits.map(each => ({ ...each, at })))
  for (const id of duo.session.replica.groups.keys()) {
    const own = audits.filter(({ group }) => group === id).map(({ at }) => at)
    expect(own.length, 'in 10 s').toBeGreaterThanOrEqual(9)
    expect(own.length).toBeLessThanOrEqual(10)
  }
  // And none at rest, once both are compared.
  duo.change = () => {}
  duo.run(60)
  const quiet = duo.sent.length
  duo.run(90)
  expect(duo.sent.slice(quiet).flatMap(({ audits }) => audits)).toEqual([])
  duo.end()
})

test.each([0, 0.02, 0.2])(
  'an honest run never finds anything, at %d loss and with packets out of order',
  async loss => {
    const { duo, chance } = await stage()
    const fate = () => (chance() < loss ? 'lost' : 1 + Math.floor(chance() * 6))
    duo.fate = fate
    duo.upFate = fate
    duo.run(400)
    expect(duo.sent.reduce((sum, { audits }) => sum + audits.length, 0)).toBeGreaterThan(20)
    expect([duo.session.replica.desyncs, duo.wrong, duo.heard]).toEqual([0, [], []])
    expect(newestFrame([...duo.session.replica.groups.values()][0]!.history)!.tick).toBeGreaterThan(duo.tick - 20)
    duo.end()
  },
)
