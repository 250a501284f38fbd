import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { canonicalText, parseDC, structureOf } from '../../src/dc/index.ts'
import { answerInquiry, createFindings, createInquiry } from '../../src/net/inquiry.ts'
import { openPacket } from '../../src/net/packet.ts'
import { SHIP } from './session.ts'

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

/** The text of a fenced block. */
const block = (name: string) => page.split(`\`\`\`${name}\n`)[1]!.split('```')[0]!

const bytesOf = (name: string) => block(`bytes ${name}`).replaceAll(/#.*$/gm, '').replaceAll(/\s/g, '')

const ship = parseDC(SHIP).file

test('the canonical text and the hash that it shows are those of the schema', () => {
  expect(block('canonical')).toBe(canonicalText(ship))
  expect(page).toContain(`gives \`${ship.structureHash.toString(16)}\``)
})

test('the question and the answer that it shows are those of a client with another Ship', () => {
  const other = parseDC(SHIP.replace('uint8(0-100) health', 'uint16 health')).file
  const [question] = createInquiry(other, 0x80000000, ship).questions.values()
  const { packet } = question!
  const answer = answerInquiry(structureOf(ship), openPacket(packet).reader, packet.length, createFindings())!
  expect(Buffer.from(packet).toString('hex')).toBe(bytesOf('inquiry').padEnd(2 * 384, '0'))
  expect(Buffer.from(answer).toString('hex')).toBe(bytesOf('answer'))
})
