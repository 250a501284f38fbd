import { expect, test } from 'vitest'
import { buildPacket, createDownlink, subscribe } from '../../src/net/downlink.ts'
import { receiveAcks } from '../../src/net/peer.ts'
import { random } from '../../src/net/random.ts'
import { addRow, createStore, startRound, writeRow, zoneOf } from '../../src/net/store.ts'
import { readDC } from './support.ts'

const file = readDC('dclass Thing { uint32 a broadcast; uint32 b broadcast; uint32 c broadcast; };')

test('clients whose baselines are all their own cost as many segments as they are sent, not as many as there are', () => {
  const store = createStore(file, 64, 'range')
  const zone = zoneOf(store, 1)
  const chance = random(4)
  const any = () => Math.floor(chance() * 0x1_0000_0000)
  const places = Array.from({ length: 8000 }, (_, index) =>
    addRow(store, zone, store.layouts[0]!.interested, index + 1, 1),
  )
  const clients = Array.from({ length: 10 }, () => {
    const downlink = createDownlink(96 * 1024)
    subscribe(downlink, store, zone)
    return { downlink, acked: new Set<number>() }
  })
  let segments = 0
  let sent = 0
  let packets = 0
  for (let tick = 2; tick < 150; tick++) {
    const now = tick / 30
    for (const place of places)
      if (chance() < (tick < 60 ? 0.001 : 0.3)) writeRow(place, Uint32Array.of(0, 0, any(), any(), any()), 0, tick)
    startRound(store)
    const before = store.stats.segments
    for (const { downlink } of clients) {
      // Each has its own pace, and so its own baselines.
      if (tick > 60 && chance() < 0.5) continue
      const { peer, onAcked, onLost } = downlink
      if (!buildPacket(downlink, store, tick, now, 1 / 30, tick, 30)) continue
      const sequence = peer.nextSequence - 1
      packets++
      sent += peer.contents[sequence % peer.contents.length]!.count
      // Each acknowledges what it likes.
      const bits = chance() < 0.5 ? any() | 1 : 1
      receiveAcks(peer, sequence & 0xffff, bits, any(), 0, (sequence + 1) & 0xff, now + 0.01, onAcked, onLost)
    }
    segments += store.stats.segments - before
  }
  expect(sent).toBeGreaterThan(1000)
  expect(segments / packets, 'encoded, per datagram, of 200 groups').toBeLessThan(sent / packets + 16)
})
