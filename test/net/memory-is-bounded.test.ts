import { expect, test } from 'vitest'
import { queueUnreliable } from '../../src/net/outgoing.ts'
import { ENTRY } from '../../src/net/downlink-state.ts'
import { HISTORY } from '../../src/net/frames.ts'
import { encodeUnreliableMessage } from '../../src/net/message.ts'
import { random } from '../../src/net/random.ts'
import { leaveGroup, setZones } from '../../src/net/replica.ts'
import { removeRow, sweepZones, zoneOf, type Place } from '../../src/net/store.ts'
import { createDuo, isUpToDate, type Duo } from './duo.ts'

const DC = 'keyword unreliable; dclass Thing { uint16 a broadcast; said() broadcast unreliable; };'

/** Everything of both ends that could grow. */
const sizes = ({ store, downlink, session }: Duo) => {
  const groups = [...store.zones.values()].flatMap(zone => zone.groups)
  const { replica } = session
  return {
    serverFrames: Math.max(0, ...groups.map(group => group.history.frames.length)),
    segments: Math.max(0, ...groups.map(group => group.segments.length)),
    encoded: store.writer.bytes.length,
    sent: downlink.peer.contents.length,
    contents: Math.max(0, ...downlink.peer.contents.map(each => (each?.entries.length ?? 0) / ENTRY)),
    spare: downlink.spare.length,
    messages: downlink.messages.length,
    clientGroups: replica.groups.size,
    clientFrames: Math.max(0, ...[...replica.groups.values()].map(group => group.history.frames.length)),
    moves: [...replica.groups.values()].reduce((sum, group) => sum + group.movedTo.size, 0),
    left: replica.leftZones.size + replica.leftGroups.size + replica.droppedGroups.length,
    held: session.held.length,
    waiting: session.messages.length,
    objects: session.objects.size,
  }
}

test('through minutes of coming and going, stalls and losses, nothing grows beyond what the world needs', async () => {
  const duo = await createDuo(DC, { rate: 30, zones: [1, 2, 3] })
  const chance = random(5)
  let objects: Place[] = []
  let nextId = 1
  duo.change = tick => {
    objects = objects.filter(place => {
      if (chance() < 0.9) return true
      removeRow(place, tick, chance() < 0.5 ? 1 + Math.floor(chance() * 3) : undefined)
      return false
    })
    while (objects.length < 60) objects.push(duo.add(1 + Math.floor(chance() * 3), nextId++))
    for (const place of objects) duo.put(place, 2, tick & 0xffff)
    queueUnreliable(duo.downlink, encodeUnreliableMessage({ doId: 1, field: 1, packed: new Uint8Array() }))
    if (tick % 256 === 0) sweepZones(duo.store, tick, () => false)
  }
  // Good times, bad times, and times when nobody hears anybody.
  const weather = (step: number) => (step % 600 < 300 ? 0.01 : step % 600 < 500 ? 0.3 : 1)
  const worst: Record<string, number> = {}
  for (let step = 0; step < 1800; step++) {
    const fate = () => (chance() < weather(step) ? 'lost' : 1 + Math.floor(chance() * 3))
    duo.fate = fate
    duo.upFate = fate
    duo.step()
    if (step % 5 > 0) continue
    for (const [name, size] of Object.entries(sizes(duo))) worst[name] = Math.max(worst[name] ?? 0, size)
  }
  expect(nextId).toBeGreaterThan(5000)
  const groups = ['1', '2', '3'].reduce((sum, id) => sum + zoneOf(duo.store, Number(id)).groups.length, 0)
  expect(groups).toBeLessThan(30)
  expect(worst['serverFrames']).toBeLessThanOrEqual(HISTORY)
  expect(worst['clientFrames']).toBeLessThanOrEqual(HISTORY)
  expect(worst['segments'], 'baselines of a group in a tick: there is one client').toBe(1)
  expect(worst['encoded']).toBeLessThanOrEqual(65_536)
  expect(worst['sent']).toBeLessThanOrEqual(256)
  expect(worst['spare']).toBeLessThanOrEqual(256)
  expect(worst['contents']).toBeLessThan(60)
  expect(worst['messages']).toBeLessThanOrEqual(256)
  expect(worst['clientGroups']).toBeLessThan(30)
  expect(worst['moves'], 'departures that nobody has looked at').toBeLessThan(2000)
  expect(worst['held']).toBeLessThanOrEqual(32)
  expect(worst['left']).toBeLessThan(30)
  duo.change = () => {}
  duo.fate = () => 1
  duo.upFate = () => 1
  duo.run(120)
  expect([isUpToDate(duo), duo.wrong, duo.session.replica.desyncs]).toEqual([true, [], 0])
  expect([duo.session.held.length, duo.downlink.messages.length]).toEqual([0, 0])
  duo.end()
})

test('a server that names ever other zones and groups in the same tick makes a client remember only so many', async () => {
  const duo = await createDuo(DC, { rate: 30 })
  duo.run(30)
  const { replica } = duo.session
  let most = 0
  for (let round = 0; round < 40; round++) {
    const zones = Array.from({ length: 1000 }, (_, index) => 10 + round * 1000 + index)
    setZones(replica, zones, duo.tick)
    for (let group = 0; group < 1000; group++)
      leaveGroup(replica, { tick: duo.tick, doId: 7, group: 10 + round * 1000 + group, isGone: true, isDeleted: false })
    most = Math.max(most, replica.leftZones.size, replica.leftGroups.size)
  }
  expect(most).toBeLessThanOrEqual(8200)
  expect(replica.leftZones.size).toBeGreaterThan(8000)
  expect(replica.zones.size).toBe(1000)
  duo.end()
})
