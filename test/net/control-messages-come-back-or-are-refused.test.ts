import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteReader, readU8, type ByteReader } from '../../src/net/bytes.ts'
import {
  decodeInterest,
  decodeInterestDone,
  decodeZones,
  encodeInterest,
  encodeInterestDone,
  encodeZones,
  INTEREST_OPERATIONS,
  MAX_ZONES,
} from '../../src/net/interest.ts'
import {
  decodeFieldUpdate,
  decodeReliableMessage,
  decodeUnreliableMessage,
  encodeFieldUpdate,
  encodeReliableMessage,
  encodeUnreliableMessage,
} from '../../src/net/message.ts'
import { Control } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import { decodeValue, encodeValue } from '../../src/net/values.ts'
import { anyLayout, anySeed, mutate } from './support.ts'

const uint16 = fc.integer({ min: 0, max: 0xffff })
const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const zones = fc.array(uint32, { maxLength: MAX_ZONES })
const message = fc.record({ doId: uint32, field: uint16, packed: fc.uint8Array({ maxLength: 600 }) })

/** Decodes the whole, every cut of it and some mutants; only the whole must come back. */
const check = <T>(bytes: Uint8Array, control: number, decode: (reader: ByteReader) => T, expected: T, seed: number) => {
  const open = (each: Uint8Array) => {
    const reader = byteReader(each)
    return { control: readU8(reader), value: decode(reader) }
  }
  expect(open(bytes)).toEqual({ control, value: expected })
  const chance = random(seed)
  for (let count = 0; count < 10; count++) open(mutate(bytes, chance))
  for (let length = 0; length < Math.min(bytes.length, 40); length++) open(bytes.subarray(0, length))
}

test('requests for zones, lists of zones and their answers', () => {
  fc.assert(
    fc.property(
      uint16,
      fc.constantFrom(...INTEREST_OPERATIONS),
      zones,
      uint32,
      anySeed,
      (request, operation, zones, tick, seed) => {
        const asked = { request, operation, zones }
        check(encodeInterest(asked), Control.interest, decodeInterest, asked, seed)
        check(encodeZones(tick, zones), Control.zones, decodeZones, { tick, zones }, seed)
        check(
          encodeInterestDone(request, zones),
          Control.interestDone,
          decodeInterestDone,
          { request, refused: zones },
          seed,
        )
        for (const bytes of [encodeInterest(asked).subarray(1, -1), encodeInterest(asked).subarray(1, 4)])
          expect(decodeInterest(byteReader(bytes))).toBeUndefined()
      },
    ),
  )
})

test('more zones than twice the limit are refused before they are read', () => {
  const request = { request: 1, operation: 'set', zones: Array.from({ length: MAX_ZONES * 2 + 1 }, () => 1) } as const
  expect(decodeInterest(byteReader(encodeInterest(request).subarray(1)))).toBeUndefined()
})

test('messages, sent once and reliable', () => {
  fc.assert(
    fc.property(message, anySeed, (message, seed) => {
      check(encodeReliableMessage(message), Control.message, decodeReliableMessage, message, seed)
      const update = { ...message, epoch: seed & 0xff }
      check(encodeFieldUpdate(message, seed & 0xff), Control.field, decodeFieldUpdate, update, seed)
      const bytes = encodeUnreliableMessage(message)
      expect(decodeUnreliableMessage(byteReader(bytes))).toEqual(message)
      for (let length = 0; length < bytes.length; length += 1 + (bytes.length >> 4))
        expect(decodeUnreliableMessage(byteReader(bytes.subarray(0, length)))).toBeUndefined()
    }),
  )
})

test('value fields', () => {
  fc.assert(
    fc.property(anyLayout, uint32, fc.uint8Array(), anySeed, (layout, doId, packed, seed) => {
      const set = {
        doId,
        layout,
        packed: [new Uint8Array(), packed],
        fromOwner: [],
        epochs: [0, seed & 0xff],
        zone: undefined,
        isAlive: true,
      }
      const expected = { doId, audience: layout.audience, index: 1, epoch: seed & 0xff, packed }
      check(encodeValue(set, 1), Control.values, decodeValue, expected, seed)
    }),
  )
})
