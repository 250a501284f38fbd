import { expect, it } from 'vitest'
import { parseAnswer } from '../../src/net/geckos/answer.ts'

const head = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel']
const keys = ['a=ice-ufrag:abcd', 'a=ice-pwd:efgh', 'a=fingerprint:sha-256 00:11', 'a=setup:active', 'a=mid:0']
const body = (...lines: string[]) =>
  JSON.stringify({ type: 'answer', sdp: [...head, ...keys, ...lines, ''].join('\r\n') })
const own = { own: ['192.0.2.1'], foreign: 0 }
const candidate = (address: string) => `a=candidate:1 1 UDP 2122 ${address} 50000 typ host`

it('keeps an answer of one address as it is', () => {
  expect(parseAnswer(body(candidate('192.0.2.1'), candidate('192.0.2.1')), own)).toEqual({
    type: 'answer',
    sdp: `${[...head, ...keys, candidate('192.0.2.1'), candidate('192.0.2.1')].join('\r\n')}\r\n`,
    dropped: 0,
  })
  const sixth = { own: ['2001:db8::1'], foreign: 0 }
  expect(parseAnswer(body(candidate('2001:db8::1'), candidate('192.0.2.1')), sixth)!.dropped).toBe(1)
})

it('leaves out candidates with a name, those of other addresses, and what exceeds 32', () => {
  const named = [candidate('x.local'), candidate('evil.example'), 'a=candidate:', candidate('192.0.2.9')]
  const cleaned = parseAnswer(body(...named), own)!
  expect(cleaned.sdp).not.toContain('candidate')
  expect(cleaned.dropped).toBe(4)
  const many = Array.from({ length: 100 }, () => candidate('192.0.2.1'))
  expect(parseAnswer(body(...many), own)!.sdp.match(/a=candidate/g)!.length).toBe(32)
})

it('keeps as many of other addresses as it is told', () => {
  const others = Array.from({ length: 9 }, (_, index) => candidate(`198.51.100.${index}`))
  const { sdp, dropped } = parseAnswer(body(...others, candidate('192.0.2.1')), { own: ['192.0.2.1'], foreign: 2 })!
  expect(sdp.match(/a=candidate:1 1 UDP 2122 \S+/g)!.map(line => line.split(' ')[4])).toEqual([
    '198.51.100.0',
    '198.51.100.1',
    '192.0.2.1',
  ])
  expect(dropped).toBe(7)
})

it('refuses what is no answer of one datachannel section', () => {
  for (const text of [
    '',
    '{}',
    'null',
    '[]',
    '{"type":"answer","sdp":1}',
    body('m=audio 9 x 0'),
    body('nonsense'),
    body('a=\x07'),
  ]) {
    expect(parseAnswer(text, own), `for ${text.slice(-40)}`).toBeUndefined()
  }
})
