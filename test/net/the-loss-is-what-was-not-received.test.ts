import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPeer, DECODED, markDecoded, receiveAcks, receiveSequence, sendSequence } from '../../src/net/peer.ts'
import { random } from '../../src/net/random.ts'

const nothing = () => {}

interface Link {
  readonly loss: number
  /** Share that is received and cannot be decoded. */
  readonly undecoded: number
  readonly duplicate: number
  /** Packets by which one may be overtaken. */
  readonly shuffle: number
  /** Share of answers that are lost. */
  readonly ackLoss: number
}

/** The sender's estimate over a link, sampled, and the true share. */
const measure = (packets: number, seed: number, link: Link) => {
  const chance = random(seed)
  const sender = createPeer<undefined>()
  const receiver = createPeer<undefined>()
  const under: number[] = []
  const estimates: number[] = []
  let lost = 0
  const arrive = (low: number, now: number) => {
    const sequence = receiveSequence(receiver, low, now)
    if (sequence >= 0 && chance() >= link.undecoded) markDecoded(receiver, sequence)
  }
  for (let count = 0; count < packets; count++) {
    const now = count * 0.03
    const low = sendSequence(sender, undefined, now, nothing) & 0xffff
    if (chance() < link.loss) lost++
    else under.push(low)
    if (chance() < link.duplicate) under.push(low)
    while (under.length > link.shuffle) arrive(under.splice(Math.floor(chance() * under.length), 1)[0]!, now)
    if (receiver.newestReceived < 0 || chance() < link.ackLoss) continue
    const { newestReceived, bits, received } = receiver
    receiveAcks(
      sender,
      newestReceived & 0xffff,
      bits[DECODED]!,
      bits[DECODED + 1]!,
      0,
      received & 0xff,
      now,
      nothing,
      nothing,
    )
    if (count > 300) estimates.push(sender.loss)
  }
  return {
    estimate: estimates.reduce((sum, each) => sum + each, 0) / estimates.length,
    truth: lost / packets,
    estimates,
  }
}

test('it follows the share that is lost, through wraps of its 8-bit count, lost answers, doubles and packets out of order', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.constantFrom(0, 0.01, 0.05, 0.2, 0.5),
      fc.constantFrom(0, 0.2),
      fc.nat(8),
      fc.constantFrom(0, 0.3),
      (seed, loss, duplicate, shuffle, ackLoss) => {
        // A double of a lost packet makes it a received one.
        const { estimate, truth } = measure(3000, seed, { loss, undecoded: 0, duplicate, shuffle, ackLoss })
        expect(Math.abs(estimate - truth * (1 - duplicate))).toBeLessThan(0.03)
      },
    ),
    { numRuns: 30 },
  )
})

test('packets that came and could not be decoded are none of it', () => {
  const { estimates } = measure(3000, 7, { loss: 0, undecoded: 0.6, duplicate: 0, shuffle: 0, ackLoss: 0 })
  expect(Math.max(...estimates)).toBe(0)
})

test('a client that claims to have received more than it was sent, or counts backwards, makes it no less than 0 nor more than 1', () => {
  const chance = random(3)
  const sender = createPeer<undefined>()
  for (let sequence = 0; sequence < 2000; sequence++) {
    sendSequence(sender, undefined, sequence * 0.03, nothing)
    const claim = Math.floor(chance() * 256)
    receiveAcks(sender, sequence & 0xffff, -1, -1, 0, claim, sequence * 0.03, nothing, nothing)
    expect(sender.loss).toBeGreaterThanOrEqual(0)
    expect(sender.loss).toBeLessThanOrEqual(1)
  }
})

test('answers from before a newer one say nothing', () => {
  const sender = createPeer<undefined>()
  for (let sequence = 0; sequence < 100; sequence++) sendSequence(sender, undefined, 0, nothing)
  receiveAcks(sender, 99, -1, -1, 0, 100, 1, nothing, nothing)
  for (let sequence = 0; sequence < 99; sequence++) receiveAcks(sender, sequence, 0, 0, 0, 1, 1, nothing, nothing)
  expect(sender.loss).toBe(0)
})
