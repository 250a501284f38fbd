import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteWriter } from '../../src/net/bytes.ts'
import { expandTick, HEADER, Kind, openPacket, patchSequence, readHeader, writeHeader } from '../../src/net/packet.ts'
import { createPeer, markDecoded, receiveSequence, type Peer } from '../../src/net/peer.ts'

const writer = byteWriter()

const write = (peer: Peer<unknown>, tick: number, now: number, sequence: number): Uint8Array => {
  writeHeader(writer, peer, tick, now)
  patchSequence(writer, sequence)
  return writer.bytes.slice(0, writer.length)
}

const read = (bytes: Uint8Array) => {
  const { kind, reader } = openPacket(bytes)
  return { kind, header: readHeader(reader), isWhole: !reader.failed && reader.position === reader.end }
}

/** A peer that has received packets 0..count - 1 but for some, and decoded most. */
const peerOf = (count: number, missing: ReadonlySet<number>, undecoded: ReadonlySet<number>) => {
  const peer = createPeer<unknown>()
  for (let sequence = 0; sequence < count; sequence++) {
    if (missing.has(sequence)) continue
    receiveSequence(peer, sequence & 0xffff, sequence)
    if (!undecoded.has(sequence)) markDecoded(peer, sequence)
  }
  return peer
}

test('before anything was received it has 5 bytes', () => {
  const bytes = write(createPeer(), 0x12345678, 1, 0x1ffff)
  expect([...bytes]).toEqual([Kind.data, 0xff, 0xff, 0x78, 0x56])
  expect(read(bytes)).toEqual({
    kind: Kind.data,
    header: { sequence: 0xffff, tick: 0x5678, ack: 0, ackLow: -1, ackHigh: -1, hold: -1, received: 0 },
    isWhole: true,
  })
})

test('10 bytes when all of the last 64 packets arrived, one more when one of the last 8 did not, and so on', () => {
  const sizes = [undefined, 299, 293, 292, 285, 268, 267, 236, 235].map(
    lost => write(peerOf(300, new Set(lost === undefined ? [] : [lost]), new Set()), 1, 300, 0).length,
  )
  // The newest packet that was received is 298 when 299 is lost: then nothing is missing yet.
  expect(sizes).toEqual([10, 10, 11, 11, 14, 14, 18, 18, 10])
  expect(Math.max(...sizes)).toBe(HEADER)
})

test('whatever was received and decoded comes out again, and what was before the first packet counts as there', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.uniqueArray(fc.nat(199), { maxLength: 12 }),
      fc.uniqueArray(fc.nat(199), { maxLength: 4 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.double({ min: 0, max: 20, noNaN: true }),
      (count, lost, undecoded, tick, hold) => {
        const missing = new Set(lost.filter(each => each !== count - 1))
        const peer = peerOf(count, missing, new Set(undecoded))
        const { header, isWhole } = read(write(peer, tick, count - 1 + hold, 7))
        expect([isWhole, header.sequence, header.tick, header.ack]).toEqual([true, 7, tick & 0xffff, count - 1])
        expect(header.received).toBe((count - [...missing].filter(each => each < count).length) & 0xff)
        expect(header.hold).toBeCloseTo(Math.min(6.5535, hold), 4)
        const isUndecoded = (sequence: number) => missing.has(sequence) || undecoded.includes(sequence)
        for (let index = 0; index < 64; index++) {
          const bit = ((index < 32 ? header.ackLow >>> index : header.ackHigh >>> (index - 32)) & 1) === 1
          expect(bit, `packet ${count - 1 - index}`).toBe(!isUndecoded(count - 1 - index))
        }
      },
    ),
  )
})

test('a tick of 16 bits stands for the one nearest to what is known, across wraps', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: -0x8000, max: 0x7fff }),
      (reference, ahead) => {
        const tick = (reference + ahead) >>> 0
        expect(expandTick(tick & 0xffff, reference)).toBe(tick)
      },
    ),
  )
})

test('every cut of it is noticed', () => {
  const bytes = write(peerOf(300, new Set([240]), new Set()), 1, 300, 0)
  for (let length = 1; length < bytes.length; length++) {
    const { reader } = openPacket(bytes.subarray(0, length))
    readHeader(reader)
    expect(reader.failed, `${length} bytes`).toBe(true)
  }
})
