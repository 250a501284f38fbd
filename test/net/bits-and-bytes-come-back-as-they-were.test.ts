import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitReader, bitWriter, readBits, writeBits, writtenBytes } from '../../src/net/bits.ts'
import {
  byteReader,
  byteWriter,
  readBytes,
  readF32,
  readText,
  readU16,
  readU32,
  readU8,
  readVarint,
  varintSize,
  writeBytes,
  writeF32,
  writeText,
  writeU16,
  writeU32,
  writeU8,
  writeVarint,
} from '../../src/net/bytes.ts'

const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const field = fc.tuple(fc.integer({ min: 0, max: 32 }), uint32)

test('bits of any size come back, whatever stood in the buffer before', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 80 }), fields => {
      const writer = bitWriter(1)
      writer.bytes.fill(0xff)
      for (const [count, value] of fields) writeBits(writer, value, count)
      const bytes = writtenBytes(writer)
      expect(bytes.length).toBe(Math.ceil(fields.reduce((sum, [count]) => sum + count, 0) / 8))
      const reader = bitReader(bytes)
      for (const [count, value] of fields) expect(readBits(reader, count)).toBe(value % 2 ** count)
      expect(readBits(reader, reader.end - reader.position)).toBe(0)
      expect(reader.failed).toBe(false)
    }),
  )
})

test('whole bytes come back', () => {
  fc.assert(
    fc.property(
      uint32,
      fc.float(),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.uint8Array(),
      (number, float, text, bytes) => {
        const writer = byteWriter()
        writeU8(writer, number & 0xff)
        writeU16(writer, number & 0xffff)
        writeU32(writer, number)
        writeF32(writer, float)
        const before = writer.length
        writeVarint(writer, number)
        expect(writer.length - before).toBe(varintSize(number))
        writeText(writer, text)
        writeBytes(writer, bytes)
        const reader = byteReader(writer.bytes.slice(0, writer.length))
        expect(readU8(reader)).toBe(number & 0xff)
        expect(readU16(reader)).toBe(number & 0xffff)
        expect(readU32(reader)).toBe(number)
        expect(readF32(reader)).toBe(float)
        expect(readVarint(reader)).toBe(number)
        expect(readText(reader)).toBe(text)
        expect(readBytes(reader, bytes.length)).toEqual(bytes)
        expect([reader.failed, reader.position]).toEqual([false, reader.end])
      },
    ),
  )
})
