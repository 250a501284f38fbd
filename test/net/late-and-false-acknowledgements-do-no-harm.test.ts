import { expect, test } from 'vitest'
import { ACKED, LOST, sentStateOf, receiveAcks } from '../../src/net/peer.ts'
import { random } from '../../src/net/random.ts'
import { ticksSince } from '../../src/net/ticks.ts'
import { subscriptionsOf } from '../../src/net/subscriptions.ts'
import { createDuo, isUpToDate } from './duo.ts'

const DC = 'dclass Thing { uint16 a broadcast; };'

test('whatever order answers come in, the server counts on frames that the client has, and never on older ones than before', async () => {
  const duo = await createDuo(DC, { rate: 30, zones: [1, 2], firstTick: 0xffffffff - 100 })
  const chance = random(2)
  const places = [1, 2].map(zone => duo.add(zone, zone))
  duo.change = tick => {
    for (const place of places) if (chance() < 0.8) duo.put(place, 2, tick & 0xffff)
  }
  duo.fate = () => (chance() < 0.15 ? 'lost' : 1 + Math.floor(chance() * 10))
  // Answers up to two seconds late: packets were given up as lost by then.
  duo.upFate = () => (chance() < 0.2 ? 'lost' : chance() < 0.2 ? [1, 1 + Math.floor(chance() * 60)] : 1)
  const decoded = new Map<number, Set<number>>()
  const before = new Map<number, number>()
  let late = 0
  for (let step = 0; step < 600; step++) {
    duo.step()
    for (const { id, history } of duo.session.replica.groups.values()) {
      const ticks = decoded.get(id) ?? new Set()
      decoded.set(id, ticks)
      for (const { tick } of history.frames) ticks.add(tick)
    }
    for (const { group, acked, losses } of subscriptionsOf(duo.downlink.subscriptions)) {
      if (losses > 0) late++
      if (acked < 0) continue
      if (!decoded.get(group.id)?.has(acked)) throw new Error(`${acked} of group ${group.id} was never decoded`)
      expect(ticksSince(acked, before.get(group.id) ?? acked)).toBeGreaterThanOrEqual(0)
      before.set(group.id, acked)
    }
  }
  expect(late).toBeGreaterThan(50)
  duo.change = () => {}
  duo.fate = () => 1
  duo.upFate = () => 1
  duo.run(90)
  expect([isUpToDate(duo), duo.wrong, duo.session.replica.undecodable >= 0]).toEqual([true, [], true])
  duo.end()
})

test('an answer that comes after its packet was given up still counts', async () => {
  const duo = await createDuo(DC, { rate: 30 })
  const place = duo.add(1, 1)
  duo.run(30)
  duo.put(place, 2, 5)
  // The packet arrives, its answers do not; those to later ones, which tell of it too, are cut.
  const { peer, onAcked, onLost } = duo.downlink
  duo.upFate = () => 'lost'
  duo.step()
  const { sequence, tick, entries } = duo.sent.at(-1)!
  expect(entries.length).toBe(1)
  duo.run(5)
  receiveAcks(peer, (sequence + 4) & 0xffff, 0b01111, 0, 0, 99, duo.now, onAcked, onLost)
  const known = () => subscriptionsOf(duo.downlink.subscriptions)[0]!
  expect([sentStateOf(peer, sequence), known().losses]).toEqual([LOST, 1])
  receiveAcks(peer, sequence & 0xffff, 1, 0, 0, 95, duo.now, onAcked, onLost)
  expect([sentStateOf(peer, sequence), known().losses]).toEqual([ACKED, 0])
  expect(known().acked).toBe(tick - entries[0]!.age)
  duo.end()
})

test('a client that acknowledges what it was never sent, or never had, harms itself alone', async () => {
  const duo = await createDuo(DC, { rate: 30 })
  const place = duo.add(1, 1)
  duo.change = tick => duo.put(place, 2, tick & 0xffff)
  duo.run(30)
  const { peer, onAcked, onLost, subscriptions } = duo.downlink
  const before = subscriptionsOf(subscriptions)[0]!.acked
  for (const ahead of [0, 1, 100, 0x7000])
    expect(receiveAcks(peer, (peer.nextSequence + ahead) & 0xffff, -1, -1, 0, 0, duo.now, onAcked, onLost)).toBe(false)
  expect(subscriptionsOf(subscriptions)[0]!.acked).toBe(before)
  // A lie: all of it is here. What builds on that cannot be decoded, until packets that are lost have told the truth.
  duo.fate = () => 'lost'
  for (let step = 0; step < 30; step++) {
    duo.step()
    receiveAcks(peer, (peer.nextSequence - 1) & 0xffff, -1, -1, 0, step, duo.now, onAcked, onLost)
  }
  duo.fate = () => 1
  duo.run(150)
  duo.change = () => {}
  duo.run(30)
  expect([isUpToDate(duo), duo.wrong]).toEqual([true, []])
  duo.end()
})
