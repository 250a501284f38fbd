import { expect, test } from 'vitest'
import { buildPacket, createDownlink, subscribe } from '../../src/net/downlink.ts'
import { receiveAcks } from '../../src/net/peer.ts'
import { addRow, createStore, startRound, writeRow, zoneOf } from '../../src/net/store.ts'
import { MAX_PACKET } from '../../src/net/transport.ts'
import { subscriptionsOf } from '../../src/net/subscriptions.ts'
import { readDC } from './support.ts'

const file = readDC('dclass Door { uint8 state broadcast; };')
const RATE = 30

test.each(['plain', 'range'] as const)(
  'doors of 200 zones that all move after so many ticks of rest are told in datagrams of their size (%s)',
  codec => {
    for (const rest of [100, 3_000_000, 2_000_000_000]) {
      const store = createStore(file, 64, codec)
      const downlink = createDownlink()
      let tick = 1
      let now = 1
      const places = Array.from({ length: 200 }, (_, index) => {
        subscribe(downlink, store, zoneOf(store, index + 1))
        return addRow(store, zoneOf(store, index + 1), store.layouts[0]!.interested, index + 1, tick)
      })
      /** The client gets and acknowledges everything. */
      const send = (ticks: number) => {
        for (let count = 0; count < ticks; count++) {
          startRound(store)
          const packet = buildPacket(downlink, store, tick, now, 1 / RATE, tick, RATE)!
          expect(packet.length).toBeLessThanOrEqual(MAX_PACKET)
          const { peer, onAcked, onLost } = downlink
          const ack = peer.nextSequence - 1
          receiveAcks(peer, ack & 0xffff, -1, -1, 0, peer.nextSequence & 0xff, now + 0.01, onAcked, onLost)
          tick = (tick + 1) >>> 0
          now += 1 / RATE
        }
      }
      const move = (state: number) => {
        for (const place of places) writeRow(place, Uint32Array.of(0, 0, state), 0, tick)
      }
      send(60)
      // Twice at some distance: the second baseline is far from the first.
      move(1)
      send(200)
      move(2)
      send(30)
      tick = (tick + rest) >>> 0
      move(3)
      send(30)
      const newest = (tick - 30) >>> 0
      expect(subscriptionsOf(downlink.subscriptions).every(({ acked }) => acked === newest)).toBe(true)
    }
  },
)
