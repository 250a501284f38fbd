import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitReader, readBits } from '../../src/net/bits.ts'
import {
  byteReader,
  more,
  readBytes,
  readF32,
  readText,
  readU16,
  readU32,
  readU8,
  readVarint,
} from '../../src/net/bytes.ts'

test('bits past the end are zeros, and the reader says that it failed', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 12 }),
      fc.array(fc.integer({ min: 0, max: 32 }), { maxLength: 20 }),
      (bytes, counts) => {
        const reader = bitReader(bytes)
        let total = 0
        for (const count of counts) {
          const value = readBits(reader, count)
          total += count
          if (total > bytes.length * 8) expect([value * count, reader.failed]).toEqual([0, true])
          else expect(reader.failed).toBe(false)
          if (reader.failed) break
        }
      },
    ),
  )
})

const READS = [
  readU8,
  readU16,
  readU32,
  readF32,
  readVarint,
  (reader: Parameters<typeof readU8>[0]) => readBytes(reader, 3).length,
  (reader: Parameters<typeof readU8>[0]) => readText(reader).length,
]

test('any reads of any bytes end, stay inside, and yield nothing once they failed', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 24 }),
      fc.array(fc.nat(READS.length - 1), { maxLength: 30 }),
      (bytes, reads) => {
        // A view into a larger buffer: what lies behind it is not ours to read.
        const buffer = new Uint8Array(bytes.length + 32).fill(0xee)
        buffer.set(bytes, 16)
        const reader = byteReader(buffer.subarray(16, 16 + bytes.length))
        for (const read of reads) {
          const hadFailed = reader.failed
          const value = READS[read]!(reader)
          if (hadFailed) expect([value, reader.failed, more(reader)]).toEqual([0, true, false])
          expect(reader.position).toBeLessThanOrEqual(reader.end)
        }
      },
    ),
  )
})

test('a varint of more than 32 bits is refused', () => {
  for (const bytes of [
    [0xff, 0xff, 0xff, 0xff, 0x1f],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0],
  ]) {
    const reader = byteReader(Uint8Array.from(bytes))
    readVarint(reader)
    expect(reader.failed).toBe(true)
  }
})
