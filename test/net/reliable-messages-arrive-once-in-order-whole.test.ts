import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteReader, byteWriter, more } from '../../src/net/bytes.ts'
import { random } from '../../src/net/random.ts'
import {
  acknowledgeFragments,
  createReliableReceiver,
  createReliableSender,
  isDrained,
  loseFragments,
  readFragment,
  sendReliable,
  writeFragments,
} from '../../src/net/reliable.ts'

interface Conditions {
  readonly loss: number
  readonly duplicate: number
  /** Packets that may overtake one. */
  readonly shuffle: number
}

/** Sends messages through packets that get lost, doubled and shuffled; returns what arrives. */
const transfer = (messages: readonly Uint8Array[], conditions: Conditions, seed: number) => {
  const chance = random(seed)
  const sender = createReliableSender()
  const receiver = createReliableReceiver()
  const arrived: Uint8Array[] = []
  const link: { bytes: Uint8Array; numbers: number[]; time: number }[] = []
  let queued = 0
  let now = 0
  let mostWaiting = 0
  const deliver = () => {
    const [packet] = link.splice(Math.floor(chance() * Math.min(link.length, conditions.shuffle + 1)), 1)
    const reader = byteReader(packet!.bytes)
    while (more(reader)) {
      reader.position++
      if (!readFragment(receiver, reader, message => arrived.push(message)))
        throw new Error('a sound fragment was refused')
      mostWaiting = Math.max(mostWaiting, receiver.waiting.size)
    }
    acknowledgeFragments(sender, packet!.numbers)
  }
  while (queued < messages.length || !isDrained(sender)) {
    while (queued < messages.length && sender.queuedBytes < 100_000)
      expect(sendReliable(sender, messages[queued++]!)).toBe(true)
    now += 0.02
    const writer = byteWriter()
    const numbers = writeFragments(sender, writer, now, 0.1, 0, () => (writer.length += 1))
    if (numbers) {
      const packet = { bytes: writer.bytes.slice(0, writer.length), numbers, time: now }
      if (chance() < conditions.loss) {
        if (chance() < 0.5) loseFragments(sender, numbers, now)
      } else link.push(packet)
      if (chance() < conditions.duplicate) link.push(packet)
    }
    while (link.length > conditions.shuffle || (link.length > 0 && !numbers)) deliver()
  }
  while (link.length > 0) deliver()
  return { arrived, receiver, sender, mostWaiting }
}

const messageOf = (length: number, chance: () => number) =>
  Uint8Array.from({ length }, () => Math.floor(chance() * 256))

test('over a link that loses, doubles and shuffles packets', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 1100 }), fc.integer({ min: 0, max: 20_000 })), { maxLength: 15 }),
      fc.record({
        loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
        duplicate: fc.constantFrom(0, 0.2),
        shuffle: fc.nat(20),
      }),
      fc.nat(),
      (lengths, conditions, seed) => {
        const chance = random(seed)
        const messages = lengths.map(length => messageOf(length, chance))
        const { arrived, receiver, sender, mostWaiting } = transfer(messages, conditions, seed)
        expect(arrived.map(each => each.length)).toEqual(lengths)
        expect(arrived.every((each, index) => Buffer.compare(each, messages[index]!) === 0)).toBe(true)
        expect([receiver.waiting.size, receiver.partBytes, sender.queuedBytes]).toEqual([0, 0, 0])
        expect(mostWaiting).toBeLessThanOrEqual(256)
      },
    ),
    { numRuns: 60 },
  )
})

test('through the wrap of the 16-bit fragment numbers', () => {
  const count = 66_500
  const messages = Array.from({ length: count }, (_, index) =>
    Uint8Array.of(index & 255, (index >> 8) & 255, index >> 16),
  )
  const { arrived, receiver } = transfer(messages, { loss: 0.05, duplicate: 0.05, shuffle: 4 }, 3)
  expect(receiver.expected).toBe(count)
  expect(arrived.every((each, index) => (each[0]! | (each[1]! << 8) | (each[2]! << 16)) === index)).toBe(true)
  expect(arrived.length).toBe(count)
})
