import { expect, test } from 'vitest'
import { buildPacket, createDownlink, onDownAcked, onDownLost, subscribe } from '../../src/net/downlink.ts'
import { Chunk, HEADER } from '../../src/net/packet.ts'
import { addRow, createStore, writeRow, zoneOf } from '../../src/net/store.ts'
import { readDC } from './support.ts'

const file = readDC('dclass Thing { uint16 a broadcast; };')

test('after eight losses in a row a group is sent whole, without its baseline, until something of it arrives', () => {
  const store = createStore(file)
  const layout = store.layouts[0]!.interested
  const zone = zoneOf(store, 1)
  const place = addRow(store, zone, layout, 7, 1)
  const downlink = createDownlink()
  subscribe(downlink, zone, () => [])
  let tick = 1
  let now = 0
  /** Sends the next change; returns the packet's record and whether its first segment is a keyframe. */
  const send = () => {
    tick++
    now += 0.05
    writeRow(
      place,
      Uint32Array.from({ length: layout.width }, (_, word) => (word === 2 ? tick : 0)),
      tick,
    )
    // As if the link answered: only what is acknowledged matters here, not the ack clock.
    downlink.peer.newestAcked = downlink.peer.nextSequence - 1
    const packet = buildPacket(downlink, store, tick, now, 1)!
    expect(packet[HEADER], 'the packet starts with a segment').toBe(Chunk.segment)
    const sent = downlink.peer.sent.find(each => each?.sequence === downlink.peer.nextSequence - 1)!
    return { sent, isKeyframe: (packet[HEADER + 1]! & 1) === 1 }
  }
  const first = send()
  expect(first.isKeyframe, 'nothing is known of the client yet').toBe(true)
  onDownAcked(downlink, first.sent)
  for (let loss = 0; loss < 8; loss++) {
    const { sent, isKeyframe } = send()
    expect(isKeyframe, `send ${loss} trusts the baseline`).toBe(false)
    onDownLost(downlink, sent)
  }
  const rescue = send()
  expect(rescue.isKeyframe, 'now the baseline is in doubt').toBe(true)
  onDownAcked(downlink, rescue.sent)
  expect(send().isKeyframe, 'and trusted again').toBe(false)
})
