import { query } from 'bitecs'
import { expect, test } from 'vitest'
import { newestFrame } from '../../src/net/frames.ts'
import { resync } from '../../src/net/downlink.ts'
import { subscriptionsOf } from '../../src/net/subscriptions.ts'
import { clientStates } from '../../src/systems/client-state.ts'
import { createWorlds, spawn } from '../support/worlds.ts'
import { createDuo, isUpToDate } from './duo.ts'

const DC = 'dclass Thing { uint16 a broadcast; uint16 b broadcast; };'

const stage = async () => {
  const duo = await createDuo(DC, { rate: 30, lag: 2, upLag: 2, zones: [1, 2] })
  const place = duo.add(1, 1)
  const other = duo.add(2, 2)
  duo.change = tick => {
    duo.put(place, 2, tick & 0xffff)
    duo.put(other, 2, tick & 0xffff)
  }
  duo.run(60)
  return { duo, id: place.group.id }
}

test('a client that asks for a group is sent a keyframe of it, and of no other', async () => {
  const { duo, id } = await stage()
  const before = duo.sent.length
  resync(duo.downlink, id)
  duo.run(1)
  expect(
    duo.sent
      .at(-1)!
      .entries.filter(({ group }) => group === id)
      .map(({ isKeyframe }) => isKeyframe),
  ).toEqual([true])
  duo.run(30)
  const keyframes = duo.sent.slice(before).flatMap(({ entries }) => entries.filter(({ isKeyframe }) => isKeyframe))
  expect(new Set(keyframes.map(({ group }) => group))).toEqual(new Set([id]))
  // What was acknowledged of before counts for nothing: nothing names an older frame than the keyframe's.
  const [first] = duo.sent.slice(before).filter(({ entries }) => entries.some(({ isKeyframe }) => isKeyframe))
  for (const { tick, entries } of duo.sent.slice(before))
    for (const { group, age, span, isKeyframe } of entries)
      if (group === id && !isKeyframe) expect(tick - age - span).toBeGreaterThanOrEqual(first!.tick)
  duo.change = () => {}
  duo.run(20)
  expect([isUpToDate(duo), duo.wrong]).toEqual([true, []])
  duo.end()
})

test('to ask for a group that is not there does nothing', async () => {
  const { duo } = await stage()
  const before = subscriptionsOf(duo.downlink.subscriptions)
  for (const id of [0, 999, 0xffffffff]) resync(duo.downlink, id)
  expect(subscriptionsOf(duo.downlink.subscriptions)).toEqual(before)
  const sent = duo.sent.length
  duo.run(10)
  const entries = duo.sent.slice(sent).flatMap(({ entries }) => entries)
  expect(entries.length).toBeGreaterThan(0)
  expect(entries.filter(({ isKeyframe }) => isKeyframe)).toEqual([])
  duo.end()
})

test('one that forgot a group without a word has it back within seconds, and the rest goes on meanwhile', async () => {
  const { duo, id } = await stage()
  const { groups } = duo.session.replica
  const [another] = [...groups.keys()].filter(each => each !== id)
  groups.delete(id)
  const from = duo.now
  let slowest = 0
  while (!groups.has(id) && duo.now - from < 10) {
    duo.step()
    slowest = Math.max(slowest, duo.tick - newestFrame(groups.get(another!)!.history)!.tick)
  }
  expect(duo.now - from, 'seconds').toBeLessThan(2)
  expect(slowest, 'ticks that the other group was behind').toBeLessThan(10)
  duo.change = () => {}
  duo.run(20)
  expect([isUpToDate(duo), duo.wrong]).toEqual([true, []])
  duo.end()
})

test('when a wrong group is sent anew, the world shows what is right, smoothed fields too', async () => {
  const worlds = createWorlds(
    `keyword interp_linear;
    dclass Thing { int16/10 x broadcast interp_linear; uint8 kind broadcast; };`,
    { conditions: { lag: 0.03 } },
  )
  const eids = [1, 2, 3].map(index => spawn(worlds, 'Thing', { x: index, kind: index }, 1))
  const guest = await worlds.join()
  await worlds.settle(guest.client.interest.set([1]))
  worlds.run(90)
  const { Thing } = worlds.schema.dclasses
  const there = guest.schema.dclasses.Thing
  const [group] = clientStates.get(guest.client)!.session!.replica.groups.values()
  const frame = newestFrame(group!.history)!
  for (let at = 2; at < frame.rows.length; at += group!.layout.width) {
    frame.rows[at]! += 100
    frame.rows[at + 1]! += 100
  }
  group!.isDirty = true
  worlds.run(30)
  const shown = () => [...query(guest.world, [there])].map(eid => [there.x[eid]!, there.kind[eid]!] as const)
  expect(
    shown().every(([, kind]) => kind > 100),
    'the world is wrong',
  ).toBe(true)
  // Another object changes: only then is the group compared.
  Thing.kind[eids[2]!] = 9
  worlds.run(120)
  expect(guest.client.stats.desyncs).toBe(1)
  expect(worlds.clientOf(guest).stats.resyncs).toBe(1)
  expect(
    shown()
      .map(([x, kind]) => [Math.round(x * 10) / 10, kind])
      .sort(([a], [b]) => a! - b!),
  ).toEqual([
    [1, 1],
    [2, 2],
    [3, 9],
  ])
  await worlds.end()
})
