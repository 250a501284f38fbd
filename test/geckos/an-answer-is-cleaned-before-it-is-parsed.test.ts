import { expect, it } from 'vitest'
import { parseAnswer } from '../../src/net/geckos/answer.ts'

const head = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel']
const keys = ['a=ice-ufrag:abcd', 'a=ice-pwd:efgh', 'a=fingerprint:sha-256 00:11', 'a=setup:active', 'a=mid:0']
const body = (...lines: string[]) =>
  JSON.stringify({ type: 'answer', sdp: [...head, ...keys, ...lines, ''].join('\r\n') })
const candidate = (address: string) => `a=candidate:1 1 UDP 2122 ${address} 50000 typ host`

it('keeps an answer as it is', () => {
  expect(parseAnswer(body(candidate('192.0.2.1'), candidate('2001:db8::1')))).toEqual({
    type: 'answer',
    sdp: `${[...head, ...keys, candidate('192.0.2.1'), candidate('2001:db8::1')].join('\r\n')}\r\n`,
  })
})

it('leaves out candidates with a name, and what exceeds 32', () => {
  expect(parseAnswer(body(candidate('x.local'), candidate('evil.example'), 'a=candidate:'))!.sdp).not.toContain(
    'candidate',
  )
  const many = Array.from({ length: 100 }, (_, index) => candidate(`192.0.2.${index}`))
  expect(parseAnswer(body(...many))!.sdp.match(/a=candidate/g)!.length).toBe(32)
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
    expect(parseAnswer(text), `for ${text.slice(-40)}`).toBeUndefined()
  }
})
