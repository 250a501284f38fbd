import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDC, structureOf, type DCFile } from '../../src/dc/index.ts'
import {
  answerInquiry,
  createFindings,
  createInquiry,
  describeMismatch,
  MAX_GROWTH,
  mismatchOf,
  takeAnswer,
} from '../../src/net/inquiry.ts'
import { Kind, openPacket } from '../../src/net/packet.ts'
import { random } from '../../src/net/random.ts'
import { MAX_PACKET } from '../../src/net/transport.ts'
import { anySeed, mutate } from './support.ts'

const read = (text: string): DCFile => {
  const { file, errors } = parseDC(text)
  expect(errors).toEqual([])
  return file
}

const identity = ({ hash, structureHash, version }: DCFile) => ({ hash, structureHash, version })

/** Client and server without a network: what each of them learns. */
const exchange = (client: DCFile, server: DCFile) => {
  const inquiry = createInquiry(client, 7, identity(server))
  const findings = createFindings()
  let packets = 0
  while (inquiry.questions.size > 0) {
    const { packet } = [...inquiry.questions.values()][0]!
    expect(packet.length).toBeLessThanOrEqual(MAX_PACKET)
    const question = openPacket(packet)
    expect(question.kind).toBe(Kind.inquiry)
    const answer = answerInquiry(structureOf(server), question.reader, packet.length, findings)!
    expect(answer.length).toBeLessThanOrEqual(Math.min(MAX_PACKET, MAX_GROWTH * packet.length))
    takeAnswer(inquiry, openPacket(answer).reader)
    expect(++packets, 'rounds end').toBeLessThanOrEqual(32)
  }
  const here = mismatchOf(identity(client), identity(server), inquiry.findings, true)
  const there = mismatchOf(identity(server), identity(client), findings, true)
  return { packets, client: here, server: there }
}

const BASE = `
struct Vec2 { int16/10 x; int16/10 y; };
dclass Node { Vec2 position broadcast; };
dclass Avatar : Node { uint8 health = 100 broadcast; string name broadcast; say(string text) clsend; };
dclass Chest { uint16 gold; };
`
const VERSIONS = (version: number) => `typedef uint16 SchemaVersion = ${version};`

test('both sides learn the class, the field, both declarations, and who is older', () => {
  const { client, server, packets } = exchange(
    read(`${VERSIONS(3)} ${BASE}`),
    read(
      VERSIONS(4) +
        BASE.replace('uint8 health', 'uint16 health')
          .replace('string name broadcast;', 'uint8 level;')
          .replace('dclass Chest', 'dclass Bag { }; dclass Box'),
    ),
  )
  expect(packets).toBe(3)
  const health = { class: 'Avatar', field: 'health' }
  const texts = ['uint8 health = 100 broadcast', 'uint16 health = 100 broadcast'] as const
  expect(new Set(client.differences)).toEqual(
    new Set([
      { ...health, here: texts[0], there: texts[1] },
      { class: 'Avatar', field: 'name', here: 'string name broadcast' },
      { class: 'Avatar', field: 'level', there: 'uint8 level' },
      { class: 'Bag', there: 'dclass Bag' },
      { class: 'Box', there: 'dclass Box' },
      { class: 'Chest', here: 'dclass Chest' },
    ]),
  )
  expect(new Set(server.differences)).toEqual(
    new Set(
      client.differences.map(({ here, there, ...place }) => ({
        ...place,
        ...(there && { here: there }),
        ...(here && { there: here }),
      })),
    ),
  )
  expect([client.isComplete, server.isComplete, client.older, server.older]).toEqual([true, true, 'here', 'there'])
  const text = describeMismatch(client, 'the server')
  expect(text).toContain(
    'Avatar.health is "uint8 health = 100 broadcast" here, "uint16 health = 100 broadcast" at the server',
  )
  expect(text).toContain('Avatar.name missing at the server (string name broadcast here)')
  expect(text).toContain('class Bag missing here')
  expect(text).toContain('this client is older (3 < 4)')
  expect(describeMismatch(server, 'the client')).toContain('the client is older (3 < 4)')
})

test('a header, an order, an unnamed field', () => {
  const differences = (from: string, to: string, base = BASE) =>
    exchange(read(base), read(base.replace(from, to))).client.differences
  expect(differences('dclass Avatar : Node', 'dclass Avatar')).toEqual([
    { class: 'Avatar', here: 'dclass Avatar : Node', there: 'dclass Avatar' },
  ])
  expect(differences('int16/10 x; int16/10 y;', 'int16/10 y; int16/10 x;')).toEqual([
    { class: 'Vec2', isReordered: true },
  ])
  expect(differences('dclass Chest { uint16 gold; };', '').map(({ class: name }) => name)).toEqual(['Chest'])
  const swapped = exchange(read('dclass A { }; dclass B { };'), read('dclass B { }; dclass A { };'))
  expect([swapped.client.differences, swapped.server.differences]).toEqual([
    [{ isReordered: true }],
    [{ isReordered: true }],
  ])
  expect(describeMismatch(swapped.client, 'the server')).toBe('classes in another order')
  expect(differences('uint8; ', 'int8; ', 'struct S { uint8; uint8; };')).toEqual([
    { class: 'S', field: '#0', here: 'uint8', there: 'int8' },
  ])
})

test('of large schemas it finds all that a bounded exchange can hold, and says when there is more', () => {
  const large = (type: (index: number) => string, count = 700) =>
    read(
      Array.from({ length: count }, (_, index) => `dclass Class${index} { ${type(index)} value; uint8 other; };`).join(
        '\n',
      ),
    )
  const one = exchange(
    large(() => 'uint8'),
    large(index => (index === 333 ? 'uint16' : 'uint8')),
  )
  expect(one.client.differences).toEqual([
    { class: 'Class333', field: 'value', here: 'uint8 value', there: 'uint16 value' },
  ])
  expect([one.client.isComplete, one.server.isComplete]).toEqual([true, true])
  const all = exchange(
    large(() => 'uint8'),
    large(() => 'uint16'),
  )
  expect(all.client.isComplete).toBe(false)
  expect(all.client.differences.length).toBeGreaterThan(5)
  expect(describeMismatch(all.client, 'the server')).toContain('there may be more')
  const wide = (type: string) =>
    read(
      `dclass A { ${Array.from({ length: 400 }, (_, index) => `${index === 399 ? type : 'uint8'} field${index};`).join(' ')} };`,
    )
  expect(exchange(wide('uint8'), wide('int8')).client.differences, 'of one class of many fields, too').toEqual([
    { class: 'A', field: 'field399', here: 'uint8 field399', there: 'int8 field399' },
  ])
})

type Classes = { name: string; fields: [string, string][] }[]

test('it finds exactly what differs, in any two schemas', () => {
  const dclass = fc.record({
    name: fc.constantFrom('A', 'B', 'C', 'D'),
    fields: fc.uniqueArray(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('uint8', 'string', 'int8[]')), {
      selector: ([name]) => name,
      maxLength: 3,
    }),
  })
  const schema = fc.uniqueArray(dclass, { selector: ({ name }) => name, maxLength: 4 })
  const text = (classes: Classes) =>
    classes
      .map(({ name, fields }) => `dclass ${name} { ${fields.map(([field, type]) => `${type} ${field};`).join('')} };`)
      .join('')
  const places = (classes: Classes, others: Classes) =>
    classes.flatMap(({ name, fields }) => {
      const other = others.find(each => each.name === name)
      if (!other) return [name]
      return fields
        .filter(field => !other.fields.some(each => String(each) === String(field)))
        .map(([field]) => `${name}.${field}`)
    })
  fc.assert(
    fc.property(schema, schema, (one, other) => {
      const { client, server } = exchange(read(text(one)), read(text(other)))
      const found = ({ differences }: typeof client) =>
        differences
          .filter(({ isReordered }) => !isReordered)
          .map(({ class: name, field }) => (field ? `${name}.${field}` : name))
          .sort()
      const wanted = [...new Set([...places(one, other), ...places(other, one)])].sort()
      expect([found(client), found(server)]).toEqual([wanted, wanted])
      expect(client.isComplete && server.isComplete).toBe(true)
      const isSame = client.here.structureHash === client.there.structureHash
      expect(client.differences.length === 0).toBe(isSame)
    }),
    { numRuns: 300 },
  )
})

test('questions and answers that are broken, or of somebody else, are survived and bounded', () => {
  const [client, server] = [read(BASE), read(BASE.replace(/int/g, 'uint').replaceAll('uuint', 'int'))]
  fc.assert(
    fc.property(anySeed, fc.uint8Array({ maxLength: 200 }), (seed, noise) => {
      const chance = random(seed)
      const inquiry = createInquiry(client, 7, identity(server))
      const findings = createFindings()
      for (let step = 0; step < 20 && inquiry.questions.size > 0; step++) {
        const { packet } = [...inquiry.questions.values()][0]!
        for (const question of [packet, mutate(packet, chance), Uint8Array.from([Kind.inquiry, ...noise])]) {
          const answer = answerInquiry(structureOf(server), openPacket(question).reader, question.length, findings)
          expect(answer?.length ?? 0).toBeLessThanOrEqual(MAX_GROWTH * question.length)
          if (answer) takeAnswer(inquiry, openPacket(mutate(answer, chance)).reader)
        }
        takeAnswer(inquiry, openPacket(Uint8Array.from([Kind.answer, ...noise])).reader)
      }
      expect(inquiry.asked).toBeLessThanOrEqual(32)
      for (const each of [inquiry.findings, findings]) {
        expect(each.differences.size).toBeLessThanOrEqual(64)
        const text = describeMismatch(mismatchOf(identity(client), identity(server), each, false), 'the server')
        expect(text).toMatch(/^[ -~]*$/)
        expect(text.length).toBeLessThan(8 * 600)
      }
    }),
    { numRuns: 200 },
  )
})
