import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CODECS } from '../../src/net/codec.ts'
import {
  decodeChallenge,
  decodeResponse,
  encodeChallenge,
  encodeResponse,
  MAX_CHALLENGE,
  MAX_RESPONSE,
} from '../../src/net/challenge.ts'
import { decodeResume, encodeResume } from '../../src/net/resume.ts'
import {
  decodeBye,
  decodeHello,
  decodeRefusal,
  decodeWelcome,
  encodeBye,
  encodeHello,
  encodeRefusal,
  encodeWelcome,
  REASONS,
  TOKEN,
} from '../../src/net/hello.ts'
import { Kind, openPacket, PROTOCOL_VERSION } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import { MAX_PACKET } from '../../src/net/transport.ts'
import { anySeed, mutate } from './support.ts'

const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const rate = fc.integer({ min: 1, max: 255 })
const reason = fc.constantFrom(...REASONS)
const text = (bytes: number) =>
  fc.string({ unit: 'grapheme' }).filter(each => new TextEncoder().encode(each).length <= bytes)
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true })

const identity = fc.record({
  hash: uint32,
  structureHash: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  version: uint32,
})
const hello = fc.record({
  nonce: uint32,
  schema: identity,
  updateRate: rate,
  commandRate: rate,
  interp: float32,
  password: text(64),
  data: text(512),
})
const token = fc.uint8Array({ minLength: TOKEN, maxLength: TOKEN })
const welcome = fc
  .record({
    nonce: uint32,
    clientId: fc.integer({ min: 1, max: 0xffff }),
    tickRate: fc.integer({ min: 1, max: 1000 }),
    tick: uint32,
    updateRate: rate,
    commandRate: rate,
    codec: fc.constantFrom(...CODECS),
    resumeTime: fc.constantFrom(0, 0.5, 30),
    token,
  })
  .map(given => (given.resumeTime === 0 ? { ...given, token: new Uint8Array(0) } : given))
const resume = fc.record({ nonce: uint32, clientId: fc.integer({ min: 0, max: 0xffff }), token })
const challenge = fc.record({
  nonce: uint32,
  timeLimit: fc.integer({ min: 1, max: 255 }),
  bytes: fc.uint8Array({ maxLength: MAX_CHALLENGE }),
})
const response = fc.record({ nonce: uint32, bytes: fc.uint8Array({ maxLength: MAX_RESPONSE }) })
const proof = fc.oneof(
  resume.map(each => ({ told: { version: PROTOCOL_VERSION, ...each } as object, bytes: encodeResume(each) })),
  challenge.map(each => ({ told: each as object, bytes: encodeChallenge(each) })),
  response.map(each => ({ told: each as object, bytes: encodeResponse(each) })),
)

/** The kind, and what the codec of that kind makes of the rest. */
const decode = (packet: Uint8Array): unknown => {
  const { kind, reader } = openPacket(packet)
  if (kind === Kind.hello) return decodeHello(reader)
  if (kind === Kind.welcome) return decodeWelcome(reader)
  if (kind === Kind.resume) return decodeResume(reader)
  if (kind === Kind.challenge) return decodeChallenge(reader)
  if (kind === Kind.response) return decodeResponse(reader)
  return kind === Kind.refuse ? decodeRefusal(reader) : decodeBye(reader)
}

test('hello, welcome, refusal and goodbye come back as they were', () => {
  fc.assert(
    fc.property(hello, welcome, reason, text(120), (hello, welcome, reason, text) => {
      expect(decode(encodeHello(hello))).toEqual({ version: PROTOCOL_VERSION, ...hello })
      expect(decode(encodeWelcome(welcome))).toEqual(welcome)
      const refusal = { nonce: hello.nonce, reason, text }
      for (const each of [refusal, { ...refusal, schema: hello.schema }])
        expect(decode(encodeRefusal(each))).toEqual(each)
      expect(decode(encodeBye(reason))).toBe(reason)
      expect(encodeHello(hello).length).toBeLessThanOrEqual(MAX_PACKET)
    }),
  )
})

test('a cut one is refused', () => {
  fc.assert(
    fc.property(hello, welcome, reason, text(120), (hello, welcome, reason, text) => {
      for (const whole of [encodeHello(hello), encodeWelcome(welcome), encodeRefusal({ nonce: 1, reason, text })])
        for (let length = 1; length < whole.length; length++) expect(decode(whole.subarray(0, length))).toBeUndefined()
    }),
    { numRuns: 30 },
  )
})

test('so do what a client shows and is asked; cut, they are refused, and so is what goes on too long', () => {
  fc.assert(
    fc.property(proof, ({ told, bytes }) => {
      expect(decode(bytes)).toEqual(told)
      expect(bytes.length).toBeLessThanOrEqual(MAX_PACKET)
      for (let length = 1; length < bytes.length; length++) expect(decode(bytes.subarray(0, length))).toBeUndefined()
      expect(decode(Uint8Array.from([...bytes, 0]))).toBeUndefined()
    }),
    { numRuns: 60 },
  )
})

test('a mutated one is understood or refused, never a reason to throw', () => {
  fc.assert(
    fc.property(hello, welcome, proof, reason, text(120), anySeed, (hello, welcome, proof, reason, text, seed) => {
      const chance = random(seed)
      for (const whole of [
        encodeHello(hello),
        encodeWelcome(welcome),
        encodeRefusal({ nonce: 1, reason, text }),
        encodeBye(reason),
        proof.bytes,
      ])
        for (let count = 0; count < 10; count++) decode(mutate(whole, chance))
    }),
  )
})

test('a refusal keeps within its budget: the text is cut', () => {
  fc.assert(
    fc.property(
      hello,
      reason,
      text(300),
      fc.integer({ min: 23, max: 200 }),
      ({ nonce, schema }, reason, text, budget) => {
        const packet = encodeRefusal({ nonce, reason, text, schema }, budget)
        expect(packet.length).toBeLessThanOrEqual(Math.min(budget, 7 + 120 + 16))
        expect(decode(packet)).toMatchObject({ nonce, reason, schema })
      },
    ),
  )
})

test('a hello of another version is read as far as its nonce, whatever follows', () => {
  fc.assert(
    fc.property(uint32, fc.uint8Array({ maxLength: 60 }), (nonce, rest) => {
      const packet = Uint8Array.from([
        Kind.hello,
        PROTOCOL_VERSION + 1,
        ...new Uint8Array(Uint32Array.of(nonce).buffer),
        ...rest,
      ])
      expect(decode(packet)).toMatchObject({ version: PROTOCOL_VERSION + 1, nonce })
    }),
  )
})

test('what the game gives to connect is measured in bytes', () => {
  const schema = { hash: 1, structureHash: 1n, version: 0 }
  const given = { nonce: 1, schema, updateRate: 20, commandRate: 30, interp: 0, password: '', data: '' }
  expect(() => encodeHello({ ...given, data: 'ü'.repeat(257) })).toThrow('514 bytes')
  expect(() => encodeHello({ ...given, password: 'ü'.repeat(33) })).toThrow('64 bytes')
})
