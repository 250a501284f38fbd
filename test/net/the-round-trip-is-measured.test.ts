import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clearance, createPeer, receiveAcks, resendTimeout, sendSequence } from '../../src/net/peer.ts'
import { random } from '../../src/net/random.ts'

const nothing = () => {}

test('the estimate is the round trip without the time that the other end held the packet', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 0, max: 40 }),
      fc.nat(),
      (milliseconds, jitter, seed) => {
        const chance = random(seed)
        const peer = createPeer<undefined>()
        const rtt = milliseconds / 1000
        for (let sequence = 0; sequence < 200; sequence++) {
          const sent = sequence * 0.02
          sendSequence(peer, undefined, sent, nothing)
          const hold = chance() * 0.03
          const extra = (chance() * jitter) / 1000
          receiveAcks(peer, sequence & 0xffff, 1, 0, hold, sequence + 1, sent + rtt + extra + hold, nothing, nothing)
        }
        expect(peer.rtt).toBeGreaterThanOrEqual(rtt * 0.999)
        expect(peer.rtt).toBeLessThanOrEqual(rtt + jitter / 1000 + 0.0001)
        expect(peer.minRtt).toBeGreaterThanOrEqual(rtt - 1e-9)
        expect(resendTimeout(peer)).toBeGreaterThanOrEqual(0.06)
        expect(resendTimeout(peer)).toBeLessThanOrEqual(Math.max(0.4, peer.rtt * 1.25))
      },
    ),
    { numRuns: 60 },
  )
})

test('a hold time that cannot be is no sample', () => {
  const peer = createPeer<undefined>()
  sendSequence(peer, undefined, 0, nothing)
  expect(receiveAcks(peer, 0, 1, 0, 6.5, 1, 0.1, nothing, nothing)).toBe(true)
  expect([peer.rtt, peer.newestAcked]).toEqual([0, 0])
  // The longest one that travels may have been longer.
  sendSequence(peer, undefined, 0, nothing)
  expect(receiveAcks(peer, 1, 1, 0, 6.5535, 2, 7, nothing, nothing)).toBe(true)
  expect([peer.rtt, peer.newestAcked]).toEqual([0, 1])
})

test('a sender whose packets stay unanswered stops, but for some probes and then one each 0.2 s, and goes on with the first answer', () => {
  const peer = createPeer<undefined>()
  let sent = 0
  const trySend = (now: number) => {
    if (clearance(peer, now, 0.03) === 'wait') return
    sendSequence(peer, undefined, now, nothing)
    sent++
  }
  trySend(0)
  receiveAcks(peer, 0, 1, 0, 0, 1, 0.05, nothing, nothing)
  for (let now = 0.1; now < 5.1; now += 0.02) trySend(now)
  // 0.05 + 0.03 + 0.05 s at full rate, then probes: further apart each time, until it is 0.2 s.
  expect(sent).toBeGreaterThan(6 + 20)
  expect(sent).toBeLessThan(8 + 40)
  receiveAcks(peer, (peer.nextSequence - 1) & 0xffff, 1, 0, 0, 2, 5.12, nothing, nothing)
  expect(clearance(peer, 5.13, 0.03)).toBe('go')
})

test.each([60, 126, 127, 128, 132, 140, 200])(
  'a link whose round trip is as long as %i sends is sent only so much that every answer counts',
  sends => {
    const rate = 60
    const peer = createPeer<undefined>()
    const flying: { sequence: number; at: number }[] = []
    let acked = 0
    let late = 0
    for (let step = 0; step < 3000; step++) {
      const now = step / rate
      while (flying[0] && flying[0].at <= step) {
        const { sequence } = flying.shift()!
        const before = acked
        receiveAcks(peer, sequence & 0xffff, -1, -1, 0, (sequence + 1) & 0xff, now, () => acked++, nothing)
        if (acked === before) late++
      }
      if (clearance(peer, now, 1 / rate) === 'go')
        flying.push({ sequence: sendSequence(peer, undefined, now, nothing), at: step + sends })
    }
    expect(acked).toBeGreaterThan(1000)
    expect(late, 'answers to packets that were given up').toBeLessThan(20)
  },
)
