import { isIP } from 'node:net'

/** An SDP answer, checked and cleaned: what may be handed to the native parser. */
export interface Answer {
  type: 'answer'
  sdp: string
}

/** Characters; Chromium's and Firefox' answers take 500 to 3000. */
const MAX_SDP = 16_384
/** More than the addresses of any real client; each one makes the server send connectivity checks to it. */
const MAX_CANDIDATES = 32

const LINE = /^[a-z]=[^\0-\x1f\x7f]*$/
const NEEDED = ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:']

/** `a=candidate:<foundation> <component> <protocol> <priority> <address> <port> typ ...` with a literal IP address. */
const hasLiteralAddress = (line: string): boolean => isIP(line.split(' ', 6)[4] ?? '') !== 0

/**
 * Checks the body of `POST .../remote-description`; undefined when it is not an answer for one datachannel section.
 * Candidates with a name instead of an address are left out: each would cost a resolver thread, and a browser that hides
 * behind an mDNS name is learnt from its own connectivity checks.
 */
export const parseAnswer = (body: string): Answer | undefined => {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { type, sdp } = value as { type?: unknown; sdp?: unknown }
  if (type !== 'answer' || typeof sdp !== 'string' || sdp.length > MAX_SDP || !sdp.startsWith('v=0')) return undefined

  const lines = sdp.split(/\r?\n/).filter(line => line !== '')
  if (!lines.every(line => LINE.test(line))) return undefined
  const sections = lines.filter(line => line.startsWith('m='))
  if (sections.length !== 1 || !sections[0]!.startsWith('m=application ')) return undefined
  if (!NEEDED.every(prefix => lines.some(line => line.startsWith(prefix)))) return undefined

  let candidates = 0
  const kept = lines.filter(line => {
    if (line.startsWith('a=end-of-candidates')) return false
    return !line.startsWith('a=candidate:') || (hasLiteralAddress(line) && ++candidates <= MAX_CANDIDATES)
  })
  return { type, sdp: `${kept.join('\r\n')}\r\n` }
}
