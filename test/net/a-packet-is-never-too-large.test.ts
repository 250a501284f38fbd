import { expect, test } from 'vitest'
import { byteWriter, writeU16, writeU32, writeU8, writeVarint } from '../../src/net/bytes.ts'
import { closePacket, openPacket, writer } from '../../src/net/state-chunk.ts'
import { MAX_PACKET } from '../../src/net/transport.ts'

test('what is written beyond the end is lost, and the length tells', () => {
  const four = byteWriter(4)
  writeU16(four, 0xbeef)
  writeU32(four, 1)
  writeU8(four, 2)
  writeVarint(four, 300)
  expect([...four.bytes]).toEqual([0xef, 0xbe, 1, 0])
  expect(four.length).toBe(9)
})

test('a packet is refused that did not fit', () => {
  openPacket()
  writer.length = MAX_PACKET
  expect(closePacket).not.toThrow()
  writeU8(writer, 1)
  expect(closePacket).toThrow(new RangeError(`A packet of ${MAX_PACKET + 1} bytes was built.`))
  writer.length = 0
})
