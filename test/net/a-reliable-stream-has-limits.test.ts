import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteReader, byteWriter, writeBytes, writeU16, writeU8, writeVarint } from '../../src/net/bytes.ts'
import { random } from '../../src/net/random.ts'
import {
  createReliableReceiver,
  createReliableSender,
  MAX_MESSAGE,
  readFragment,
  sendReliable,
} from '../../src/net/reliable.ts'

const FULL = 512

const fragment = (sequence: number, isLast: boolean, length: number) => {
  const writer = byteWriter()
  writeU16(writer, sequence & 0xffff)
  writeU8(writer, isLast ? 1 : 0)
  writeVarint(writer, length)
  writeBytes(writer, new Uint8Array(Math.min(length, 1000)))
  return byteReader(writer.bytes.slice(0, writer.length))
}

const fail = () => {
  throw new Error('nothing is complete')
}

test('a message that is too long, or one too many that waits, is refused', () => {
  const sender = createReliableSender()
  expect(sendReliable(sender, new Uint8Array(MAX_MESSAGE + 1))).toBe(false)
  expect(sender.queue.length).toBe(0)
  let queued = 0
  while (sendReliable(sender, new Uint8Array(MAX_MESSAGE))) queued += MAX_MESSAGE
  expect(queued).toBe(1024 * 1024)
})

test.each([
  ['one of more than 512 bytes', fragment(0, true, FULL + 1)],
  ['a short one that is not the last of its message', fragment(0, false, FULL - 1)],
  ['an empty one that is not the last of its message', fragment(0, false, 0)],
  ['one far ahead of the window', fragment(256, true, 1)],
  ['one with unknown flags', byteReader(Uint8Array.of(0, 0, 2, 0))],
  ['one whose bytes are missing', byteReader(Uint8Array.of(0, 0, 1, 5, 1, 2))],
  ['one that is cut in its head', byteReader(Uint8Array.of(0, 0))],
])('a fragment is refused: %s', (_, reader) => {
  expect(readFragment(createReliableReceiver(), reader, fail)).toBe(false)
})

test('a message without an end is refused before it fills the memory', () => {
  const receiver = createReliableReceiver()
  let sequence = 0
  while (readFragment(receiver, fragment(sequence, false, FULL), fail)) sequence++
  expect(sequence).toBe(MAX_MESSAGE / FULL)
  expect(receiver.parts.length).toBeLessThanOrEqual(MAX_MESSAGE / FULL + 1)
})

test('no fragments, however hostile, make a receiver keep more than its window and one message', () => {
  fc.assert(
    fc.property(fc.nat(), seed => {
      const chance = random(seed)
      const receiver = createReliableReceiver()
      for (let count = 0; count < 2000; count++) {
        const sequence = receiver.expected + Math.floor(chance() * 300) - 20
        const isLast = chance() < 0.01
        readFragment(receiver, fragment(sequence, isLast, isLast ? Math.floor(chance() * FULL) : FULL), () => {})
        expect(receiver.waiting.size).toBeLessThanOrEqual(256)
        expect(receiver.partBytes).toBeLessThanOrEqual(MAX_MESSAGE + FULL)
        if (receiver.partBytes > MAX_MESSAGE) break
      }
    }),
    { numRuns: 20 },
  )
})
