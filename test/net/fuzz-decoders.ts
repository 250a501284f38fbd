import { bitReader } from '../../src/net/bits.ts'
import { byteReader, byteWriter, writeF32, writeU16, writeU32, writeU8, writeVarint } from '../../src/net/bytes.ts'
import { parseTables, TABLE_HEADER, type Tables } from '../../src/net/codec/tables.ts'
import { createCounts, trainTablesNow } from '../../src/net/codec/train.ts'
import { planOf } from '../../src/net/codec/plan.ts'
import * as codecMessages from '../../src/net/codec/messages.ts'
import * as challenge from '../../src/net/challenge.ts'
import type { Frame } from '../../src/net/frames.ts'
import { parseAnswer } from '../../src/net/geckos/answer.ts'
import * as hello from '../../src/net/hello.ts'
import { answerInquiry, createFindings, createInquiry, takeAnswer } from '../../src/net/inquiry.ts'
import * as interest from '../../src/net/interest.ts'
import * as message from '../../src/net/message.ts'
import { openPacket, readHeader } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import * as resume from '../../src/net/resume.ts'
import * as rates from '../../src/net/rates.ts'
import { createReliableReceiver, readFragment } from '../../src/net/reliable.ts'
import { identityOf } from '../../src/net/schema-mismatch.ts'
import { decodeSegment } from '../../src/net/segment.ts'
import { readValues } from '../../src/net/values.ts'
import { structureOf } from '../../src/dc/index.ts'
import { createThreadClock } from '../geckos/support/thread-clock.ts'
import { randomShape } from '../codec/support.ts'
import { frameOf, laterFrame, LAYOUTS, mutate, randomFrame, readDC, segmentOf } from './support.ts'

/** What a fuzzer did. */
export interface FuzzReport {
  /** Cases that a decoder took for sound; the others were refused. */
  accepted: number
  /** Milliseconds of CPU time of the slowest case. */
  slowest: number
  /** The first case that went wrong: what, and its bytes. */
  failure?: string
}

type Chance = () => number
const cpu = createThreadClock()
/** Reads bytes, and gives what it took for sound, or undefined or false. */
type Decoder = (bytes: Uint8Array) => unknown

const below = (chance: Chance, most: number): number => Math.floor(chance() * most)
const pick = <T>(chance: Chance, items: readonly T[]): T => items[below(chance, items.length)]!

/** Each function `decodeX(reader)` of a module, so that none is forgotten that will be written. */
const decodersOf = (modules: Record<string, Record<string, unknown>>): [string, Decoder][] =>
  Object.entries(modules).flatMap(([module, exports]) =>
    Object.entries(exports)
      .filter(([name, value]) => name.startsWith('decode') && typeof value === 'function')
      .map(([name, decode]): [string, Decoder] => [
        `${module}.${name}`,
        bytes => (decode as (reader: unknown) => unknown)(byteReader(bytes)),
      ]),
  )

const file = readDC(`
  dclass A { uint8 x broadcast; string(0-9) name broadcast; };
  dclass B : A { int16/10 y broadcast; hit(uint8 damage) ownsend; };
  struct S { uint8 a; };`)
const structure = structureOf(file)

const DECODERS: [string, Decoder][] = [
  ...decodersOf({ hello, resume, challenge, interest, message, rates, codecMessages }),
  [
    'header',
    bytes => {
      const { reader } = openPacket(bytes)
      const header = readHeader(reader)
      return !reader.failed && header
    },
  ],
  [
    'fragment',
    bytes => {
      const receiver = createReliableReceiver()
      const reader = byteReader(bytes)
      const messages: Uint8Array[] = []
      while (reader.position < reader.end && readFragment(receiver, reader, each => messages.push(each)));
      return messages
    },
  ],
  [
    'values',
    bytes => {
      const taken: unknown[] = []
      return readValues(byteReader(bytes), each => taken.push(each.packed)) && taken
    },
  ],
  ['inquiry', bytes => answerInquiry(structure, byteReader(bytes), bytes.length, createFindings())?.slice(0, 0)],
  [
    'answer',
    bytes => {
      const inquiry = createInquiry(file, bytes[0]! | (bytes[1]! << 8), identityOf(file))
      takeAnswer(inquiry, byteReader(bytes))
      return inquiry.findings.differences.size <= 64 && inquiry.questions.size <= 64
    },
  ],
]

/** Bytes as a message might have them: numbers of all sizes, and counts that match what follows, more or less. */
const plausible = (chance: Chance): Uint8Array => {
  const writer = byteWriter(1150)
  for (let parts = 1 + below(chance, 8); parts > 0; parts--) {
    const luck = below(chance, 9)
    if (luck === 0) writeU8(writer, below(chance, 256))
    else if (luck === 1) writeU8(writer, below(chance, 4))
    else if (luck === 2) writeU16(writer, chance() < 0.5 ? below(chance, 8) : below(chance, 0x10000))
    else if (luck === 3) writeU32(writer, chance() < 0.5 ? below(chance, 99) : below(chance, 2 ** 32))
    else if (luck === 4) writeF32(writer, pick(chance, [NaN, Infinity, -1, 0, 0.1, 1e30]))
    else if (luck === 5) writeVarint(writer, below(chance, 2 ** below(chance, 33)))
    else {
      const length = below(chance, pick(chance, [4, 40, 130]))
      writeVarint(writer, chance() < 0.9 ? length : below(chance, 2 ** 32))
      for (let at = 0; at < length; at++) writeU8(writer, below(chance, chance() < 0.5 ? 128 : 256))
    }
  }
  return writer.bytes.slice(0, writer.length)
}

/** Sound messages of several kinds, without the byte that says which. */
const sound = (chance: Chance): Uint8Array => {
  const zones = Array.from({ length: below(chance, 9) }, () => below(chance, 2 ** 32))
  const packed = Uint8Array.from({ length: below(chance, 60) }, () => below(chance, 256))
  const update = { doId: below(chance, 2 ** 32), field: below(chance, 300), packed }
  const schema = { hash: below(chance, 2 ** 32), structureHash: 7n, version: below(chance, 9) }
  const makers: (() => Uint8Array)[] = [
    () =>
      hello.encodeHello({ nonce: 7, schema, updateRate: 20, commandRate: 30, interp: 0, password: 'p', data: '{}' }),
    () => hello.encodeRefusal({ nonce: 7, reason: pick(chance, hello.REASONS), text: 'No.', schema }),
    () => interest.encodeInterest({ request: 1, operation: pick(chance, interest.INTEREST_OPERATIONS), zones }),
    () => interest.encodeZones(9, zones),
    () => rates.encodeRates({ updateRate: 20, commandRate: 30, interp: 0.1 }),
    () => message.encodeReliableMessage(update),
    () => codecMessages.encodeTables(1, packed),
  ]
  return pick(chance, makers)().subarray(1)
}

/** How many bytes a decoded thing holds on to, about. */
const weightOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + 1 + weightOf(each), 0)
  if (typeof value === 'object' && value !== null) return weightOf(Object.values(value))
  return 1
}

/** Runs `cases` of `decode` over what `make` gives, and checks what it took for sound. */
const run = (
  cases: number,
  make: (index: number) => { name: string; bytes: Uint8Array; decode: Decoder; check: (value: unknown) => boolean },
): FuzzReport => {
  const report: FuzzReport = { accepted: 0, slowest: 0 }
  for (let index = 0; index < cases && !report.failure; index++) {
    const { name, bytes, decode, check } = make(index)
    const tell = (what: string) => (report.failure = `${name}, ${what}: ${Buffer.from(bytes).toString('hex')}`)
    const start = cpu()
    try {
      const value = decode(bytes)
      if (value !== undefined && value !== false) {
        report.accepted++
        if (!check(value)) tell('took what is out of bounds')
      }
    } catch (error) {
      tell(`threw ${String(error)}`)
    }
    report.slowest = Math.max(report.slowest, cpu() - start)
  }
  return report
}

/** Every decoder of handshakes, control and game messages, fragments and inquiries, over noise and mutations. */
export const fuzzMessages = (cases: number, seed: number): FuzzReport => {
  const chance = random(seed)
  return run(cases, () => {
    const [name, decode] = pick(chance, DECODERS)
    const luck = chance()
    const bytes =
      luck < 0.4 ? mutate(sound(chance), chance) : luck < 0.8 ? plausible(chance) : mutate(plausible(chance), chance)
    return { name, bytes, decode, check: value => weightOf(value) <= 64 + bytes.length * 3 }
  })
}

/** Segments of the plain codec. */
export const fuzzPlainSegments = (cases: number, seed: number): FuzzReport => {
  const chance = random(seed)
  let layout = LAYOUTS[0]!
  let base: Frame | undefined
  let bytes = new Uint8Array()
  let frame = frameOf(layout)
  return run(cases, index => {
    if (index % 100 === 0) {
      layout = pick(chance, LAYOUTS)
      const before = randomFrame(layout, 0.7, chance)
      base = chance() < 0.3 ? undefined : before
      bytes = new Uint8Array(segmentOf(layout, base, laterFrame(layout, before, chance), () => 7))
      frame = frameOf(layout)
    }
    let left = 0
    return {
      name: 'segment',
      bytes: mutate(bytes, chance),
      decode: mutated => decodeSegment(bitReader(mutated), layout, base, frame, () => left++),
      check: () => left <= layout.slots && frame.rows.every((word, at) => word <= layout.spans[at % layout.width]!),
    }
  })
}

/** Trained tables of the range coder. */
export const fuzzTables = (cases: number, seed: number): FuzzReport => {
  const chance = random(seed)
  let plans = [planOf(randomShape(chance))]
  let bytes = new Uint8Array()
  return run(cases, index => {
    if (index % 100 === 0) {
      const plan = planOf(randomShape(chance))
      const counts = createCounts(plan)
      for (let count = 0; count < 300; count++)
        counts[(below(chance, plan.contexts) << 6) + below(chance, 52)]! += 1 + below(chance, 999)
      plans = [plan]
      bytes = new Uint8Array(trainTablesNow(plans, [counts], { distributions: 1 + below(chance, 9) }))
    }
    const body = mutate(bytes.subarray(TABLE_HEADER), chance)
    return {
      name: 'tables',
      bytes: Uint8Array.from([...bytes.subarray(0, TABLE_HEADER), ...body]),
      decode: each => parseTables(each, plans),
      check: value => (value as Tables).cumulative.byteLength <= 1 << 20,
    }
  })
}

const SDP = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:efgh',
  'a=fingerprint:sha-256 00:11',
  'a=setup:active',
  'a=mid:0',
  'a=candidate:1 1 UDP 2122 192.0.2.1 50000 typ host',
  'a=candidate:2 1 UDP 2122 198.51.100.1 5 typ host',
]

/** Bodies of the signalling. */
export const fuzzAnswers = (cases: number, seed: number): FuzzReport => {
  const chance = random(seed)
  const own = ['192.0.2.1']
  return run(cases, () => {
    const lines = SDP.flatMap(line => (chance() < 0.05 ? [] : chance() < 0.1 ? [line, line] : [line]))
    const body = JSON.stringify({ type: chance() < 0.95 ? 'answer' : 'offer', sdp: `${lines.join('\r\n')}\r\n` })
    const bytes = chance() < 0.4 ? Buffer.from(body) : mutate(Buffer.from(body), chance)
    return {
      name: 'answer',
      bytes,
      decode: each => parseAnswer(Buffer.from(each).toString(), { own, foreign: 0 }),
      check: answer => {
        const { sdp } = answer as { sdp: string }
        return !/^a=candidate:(?!\S* \S+ \S+ \S+ 192\.0\.2\.1 )/m.test(sdp) && !/[\0-\x09\x0b\x0c\x0e-\x1f]/.test(sdp)
      },
    }
  })
}
