import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { encodeChallenge, encodeResponse } from '../../src/net/challenge.ts'
import { encodeResume } from '../../src/net/resume.ts'
import { REASONS, TOKEN } from '../../src/net/hello.ts'
import { recordSession, SHIP } from './session.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('PROTOCOL.md')

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')

/** The bytes of each `hex` block of the page, by its name. */
const blocks = new Map(
  [...page.matchAll(/^```hex (\S+)\n(.*?)^```/gms)].map(([, name, body]) => [
    name!,
    body!.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''),
  ]),
)

test('the datagrams that it shows are those of the session that it tells', async () => {
  expect(page).toContain(`\`\`\`dc${SHIP}\`\`\``)
  const { up, down } = await recordSession()
  const nonce = 0x80000000
  const refusals = down.filter(packet => packet[0] === 0xb3)
  const byes = up.filter(packet => packet[0] === 0xb5)
  expect(Object.fromEntries(blocks)).toEqual({
    hello: hex(up[0]),
    welcome: hex(down[0]),
    first: hex(down[1]),
    answer: hex(up[1]),
    keyframes: hex(down[2]),
    segment: hex(down[2]?.subarray(45, 55)),
    interest: hex(up[2]),
    'interest-done': hex(down[3]),
    upload: hex(up[9]),
    delta: hex(down[8]),
    deferred: hex(down[9]),
    hit: hex(down[10]),
    resume: hex(encodeResume({ nonce, clientId: 1, token: down[0]!.subarray(-TOKEN) })),
    challenge: hex(encodeChallenge({ nonce, timeLimit: 5, bytes: Uint8Array.of(0xc0, 0xff, 0xee, 0) })),
    response: hex(encodeResponse({ nonce, bytes: Uint8Array.of(0x0d, 0xf0) })),
    bye: hex(byes[0]),
    refuse: hex(refusals[0]),
  })
  expect(byes.length).toBe(3)
})

test('the bits of the segment that it explains are the bytes that it shows', () => {
  const rows = page.slice(page.indexOf('| bits (first one left) |')).split('\n\n')[0]!.split('\n').slice(2)
  // `10000000` × 1, `00000000` × 3
  const bits = rows
    .flatMap(row => [...row.split('|')[1]!.matchAll(/`([01]+)`(?: × (\d))?/g)])
    .map(([, run, times]) => run!.repeat(Number(times ?? 1)))
    .join('')
  const bytes = bits.match(/.{8}/g)!.map(byte => parseInt([...byte].reverse().join(''), 2))
  expect([hex(Uint8Array.from(bytes)), bits.length]).toEqual([blocks.get('segment'), bytes.length * 8])
})

test('the constants that it names have these values in the source', () => {
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| ([\d.]+) \| (\w+) \|$/gm)]
  expect(rows.length).toBeGreaterThan(15)
  for (const [, name, value, file] of rows) {
    const [, source] = new RegExp(`const ${name} = ([\\d_.* ]+)`).exec(read(`src/net/${file}.ts`)) ?? []
    const product = source?.split('*').reduce((all, factor) => all * Number(factor.replaceAll('_', '')), 1)
    expect(product, name).toBe(Number(value))
  }
})

test('the reasons are in the order of their numbers', () => {
  const [, names] = /^\| \| (version .*) \|$/m.exec(page)!
  expect(names!.split(' | ')).toEqual([...REASONS])
})
