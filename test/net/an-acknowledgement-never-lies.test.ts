import { expect, test } from 'vitest'
import {
  createPeer,
  DECODED,
  markDecoded,
  receiveAcks,
  receiveSequence,
  sendSequence,
  type Peer,
} from '../../src/net/peer.ts'
import { random } from '../../src/net/random.ts'

/** A packet as it travels: what a header says of acknowledgements, and the number that the test knows it by. */
interface Flying {
  readonly due: number
  readonly number: number
  readonly sequence: number
  readonly ack: number
  readonly low: number
  readonly high: number
  readonly receivedAt: number
  readonly received: number
}

const INTERVAL = 0.02
const LAG = 0.05
const JITTER = 0.03

/** Two peers that send each other a packet each 20 ms over a bad link, and what really happened. */
const converse = (packets: number, seed: number, conditions: { loss: number; reorder: number; duplicate: number }) => {
  const chance = random(seed)
  const sides = [0, 1].map(() => ({
    peer: createPeer<number>() as Peer<number>,
    inbound: [] as Flying[],
    decoded: new Set<number>(),
    acked: new Set<number>(),
    lost: new Set<number>(),
    late: 0,
  }))
  const samples: number[] = []
  let refused = 0
  for (let step = 0; step < packets; step++) {
    const now = step * INTERVAL
    for (const [index, side] of sides.entries()) {
      const other = sides[1 - index]!
      const { peer } = side
      const arrived = side.inbound.filter(each => each.due <= now).sort((a, b) => a.due - b.due)
      side.inbound.splice(0, side.inbound.length, ...side.inbound.filter(each => each.due > now))
      for (const packet of arrived) {
        const sequence = receiveSequence(peer, packet.sequence, now)
        if (sequence < 0) continue
        expect(sequence, 'the internal number is the sender’s').toBe(packet.number)
        if (packet.receivedAt >= 0) {
          const isKnown = receiveAcks(
            peer,
            packet.ack,
            packet.low,
            packet.high,
            0,
            packet.received,
            now,
            (content, acked) => {
              if (acked !== content) throw new Error(`${acked} carried ${content}`)
              if (!other.decoded.has(content)) throw new Error(`${content} was acknowledged, never decoded`)
              if (side.acked.has(content)) throw new Error(`${content} was acknowledged twice`)
              if (side.lost.has(content)) side.late++
              side.acked.add(content)
            },
            content => {
              if (side.acked.has(content) || side.lost.has(content)) throw new Error('lost after its fate')
              side.lost.add(content)
            },
          )
          if (!isKnown) refused++
        }
        // One packet in ten cannot be decoded: its baseline is missing.
        if (chance() < 0.9) {
          markDecoded(peer, sequence)
          side.decoded.add(sequence)
        }
      }
      samples.push(peer.rtt)
      const number = sendSequence(peer, peer.nextSequence, now, content => side.lost.add(content))
      const packet = {
        number,
        sequence: number & 0xffff,
        ack: peer.newestReceived & 0xffff,
        low: peer.bits[DECODED]!,
        high: peer.bits[DECODED + 1]!,
        receivedAt: peer.newestReceived < 0 ? -1 : peer.newestReceivedTime,
        received: peer.received & 0xff,
      }
      const arrive = () => {
        const held = chance() < conditions.reorder ? chance() * 0.2 : 0
        other.inbound.push({ ...packet, due: now + LAG + (chance() * 2 - 1) * JITTER + held })
      }
      if (chance() >= conditions.loss) arrive()
      if (chance() < conditions.duplicate) arrive()
    }
  }
  return { sides, samples, refused }
}

test('over a bad link nothing is acknowledged that was not decoded, nothing twice, through the 16-bit wrap', () => {
  const packets = 70_500
  const { sides, refused } = converse(packets, 5, { loss: 0.1, reorder: 0.1, duplicate: 0.1 })
  for (const [index, { peer, acked, late, lost }] of sides.entries()) {
    expect(peer.nextSequence).toBe(packets)
    // All but those under way at the end: an acknowledgement is repeated in 64 packets.
    const decoded = sides[1 - index]!.decoded.size
    expect(decoded - acked.size).toBeLessThan(30)
    expect(late, 'acknowledgements that came after the packet was given up still count').toBeGreaterThan(10)
    expect([...acked].filter(sequence => lost.has(sequence)).length).toBe(late)
    expect(peer.duplicates).toBeGreaterThan(1000)
    // One packet in ten; that one in ten of the rest is not decoded is no loss.
    expect(peer.loss).toBeGreaterThan(0.01)
    expect(peer.loss).toBeLessThan(0.25)
  }
  expect(refused).toBe(0)
})

test('every packet has one fate at last: acknowledged or lost', () => {
  const { sides } = converse(3000, 8, { loss: 0.3, reorder: 0.2, duplicate: 0.2 })
  for (const { peer, acked, lost } of sides)
    for (let sequence = 0; sequence < peer.nextSequence - 256; sequence++)
      expect(acked.has(sequence) || lost.has(sequence), `packet ${sequence}`).toBe(true)
})

test('an acknowledgement of what was never sent changes nothing', () => {
  const peer = createPeer<number>()
  const fail = () => {
    throw new Error('nothing was sent')
  }
  expect(receiveAcks(peer, 0, 1, 0, 0, 1, 1, fail, fail)).toBe(false)
  for (let sequence = 0; sequence < 5; sequence++) sendSequence(peer, sequence, 0, fail)
  const before = structuredClone(peer)
  for (const ack of [5, 6, 100, 0x7fff, 0x8000, 0xffff])
    expect(receiveAcks(peer, ack, 0xffffffff, 0xffffffff, 0, 5, 1, fail, fail)).toBe(false)
  expect(peer).toEqual(before)
  const acked: number[] = []
  // Bits before the first packet name nothing.
  expect(receiveAcks(peer, 4, 0xffffffff, 0xffffffff, 0, 5, 1, content => acked.push(content), fail)).toBe(true)
  expect(acked).toEqual([4, 3, 2, 1, 0])
})
