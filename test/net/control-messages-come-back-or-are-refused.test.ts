import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteReader, byteWriter, readU8, type ByteReader } from '../../src/net/bytes.ts'
import {
  decodeInterest,
  decodeInterestDone,
  decodeLeave,
  decodePlaced,
  decodeResync,
  decodeZones,
  encodeInterest,
  encodeInterestDone,
  encodeLeave,
  encodePlaced,
  encodeResync,
  encodeZones,
  INTEREST_OPERATIONS,
  MAX_ZONES,
} from '../../src/net/interest.ts'
import {
  decodeFieldUpdate,
  decodeReliableMessage,
  decodeUnreliableMessage,
  decodeWrite,
  encodeFieldUpdate,
  encodeReliableMessage,
  encodeUnreliableMessage,
  encodeWrite,
  writeSize,
} from '../../src/net/message.ts'
import type { Layout } from '../../src/net/layout.ts'
import { Control } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import { decodeRates, encodeRates } from '../../src/net/rates.ts'
import {
  openValues,
  readValues,
  valueSize,
  writeValue,
  type ValueMessage,
  type ValueSet,
} from '../../src/net/values.ts'
import { anyLayout, anySeed, mutate } from './support.ts'

const uint16 = fc.integer({ min: 0, max: 0xffff })
const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const zones = fc.array(uint32, { maxLength: MAX_ZONES })
const message = fc.record({ doId: uint32, field: uint16, packed: fc.uint8Array({ maxLength: 600 }) })

const valueSet = (doId: number, layout: Layout, index: number, packed: Uint8Array, epoch: number): ValueSet => ({
  doId,
  layout,
  packed: index === 0 ? [packed] : [new Uint8Array(), packed],
  fromOwner: [],
  epochs: index === 0 ? [epoch] : [0, epoch],
  zone: undefined,
  isAlive: true,
})

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
      const write = { ...message, version: seed & 0xff }
      const writer = byteWriter(message.packed.length + 32)
      encodeWrite(writer, write)
      const written = writer.bytes.subarray(0, writer.length)
      expect(decodeWrite(byteReader(written))).toEqual(write)
      expect(writeSize(write), 'with its chunk byte').toBe(written.length + 1)
      for (let length = 0; length < written.length; length += 1 + (written.length >> 4))
        expect(decodeWrite(byteReader(written.subarray(0, length)))).toBeUndefined()
    }),
  )
})

test('value fields, several to a message', () => {
  const value = fc.tuple(
    uint32,
    fc.constantFrom(0, 1),
    fc.uint8Array({ maxLength: 60 }),
    fc.integer({ min: 0, max: 255 }),
  )
  fc.assert(
    fc.property(anyLayout, fc.array(value, { maxLength: 8 }), anySeed, (layout, values, seed) => {
      const writer = byteWriter(1000)
      openValues(writer)
      let lastId = 0
      for (const [doId, index, packed, epoch] of values) {
        const before = writer.length
        const set = valueSet(doId, layout, index, packed, epoch)
        writeValue(writer, set, index, lastId)
        expect(writer.length - before).toBeLessThanOrEqual(valueSize(set, index))
        lastId = doId
      }
      const bytes = writer.bytes.slice(0, writer.length)
      const decode = (reader: ByteReader) => {
        const found: ValueMessage[] = []
        return { found, isSound: readValues(reader, each => found.push(each)) }
      }
      const found = values.map(([doId, index, packed, epoch]) => ({
        doId,
        audience: layout.audience,
        index,
        epoch,
        packed,
      }))
      check(bytes, Control.values, decode, { found, isSound: true }, seed)
    }),
  )
})

test('what the game asks of a link, which groups to start again, which objects went or are elsewhere', () => {
  fc.assert(
    fc.property(uint32, uint32, uint32, fc.boolean(), anySeed, (tick, doId, number, isGone, seed) => {
      check(encodeResync(number), Control.resync, decodeResync, number, seed)
      const placed = { tick, doId, zone: number }
      check(encodePlaced(placed), Control.placed, decodePlaced, placed, seed)
      const left = { tick, doId, group: number, isGone, isDeleted: isGone && (number & 1) === 1 }
      check(encodeLeave(left), Control.leave, decodeLeave, left, seed)
      const rates = { updateRate: 1 + (tick & 127), commandRate: 1 + (doId & 127), interp: (number & 15) / 16 }
      check(encodeRates(rates), Control.rates, decodeRates, rates, seed)
      for (const [bytes, decode] of [
        [encodeResync(number), decodeResync],
        [encodePlaced(placed), decodePlaced],
        [encodeLeave(left), decodeLeave],
        [encodeRates(rates), decodeRates],
      ] as const)
        expect(decode(byteReader(bytes.subarray(1, -1))), 'cut short').toBeUndefined()
      expect(decodeResync(byteReader(Uint8Array.of(...encodeResync(number).subarray(1), 0)))).toBeUndefined()
      const strange = encodeLeave(left)
      strange[strange.length - 1] = 3
      expect(decodeLeave(byteReader(strange.subarray(1))), 'an unknown flag').toBeUndefined()
    }),
  )
})
