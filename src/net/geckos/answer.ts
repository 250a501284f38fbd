import { isIP } from 'node:net'

/** An SDP answer, checked and cleaned: what may be handed to the native parser. */
export interface Answer {
  type: 'answer'
  sdp: string
  /** Candidates that were left out. */
  dropped: number
}

/** To which addresses an answer may make the server send its connectivity checks. */
export interface Reach {
  /** Where the request came from (nobody can pretend to be there, for it takes a TCP connection), and this machine itself. */
  own: readonly string[]
  /** How many others may be named, such as that of a TURN server. Each costs whoever is there about 500 bytes. */
  foreign: number
}

/** Characters; Chromium's and Firefox' answers take 500 to 3000. */
const MAX_SDP = 16_384
/** More than the sockets of any real client. */
const MAX_CANDIDATES = 32

/** Of the kinds of lines that browsers and WebRTC libraries write. */
const LINE = /^[vostcbma]=[^\0-\x1f\x7f]*$/
const NEEDED = ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:']

/** The address of `a=candidate:<foundation> <component> <protocol> <priority> <address> <port> typ ...`. */
const addressOf = (line: string): string => line.split(' ', 6)[4] ?? ''

/**
 * Checks the body of `POST .../remote-description`; undefined when it is not an answer for one datachannel section.
 * Candidates with a name instead of an address are left out: each would cost a resolver thread. So are those out of `reach`: the
 * server would send its checks, several times the bytes of the request, to somebody who never asked. Who is left out is learnt
 * from its own connectivity checks, as a browser that hides behind an mDNS name is.
 */
export const parseAnswer = (body: string, { own, foreign }: Reach): Answer | undefined => {
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
  let others = 0
  let dropped = 0
  const isReached = (address: string): boolean =>
    isIP(address) !== 0 && (own.includes(address) || ++others <= foreign) && ++candidates <= MAX_CANDIDATES
  const kept = lines.filter(line => {
    if (line.startsWith('a=end-of-candidates')) return false
    if (!line.startsWith('a=candidate:') || isReached(addressOf(line))) return true
    dropped++
    return false
  })
  return { type, sdp: `${kept.join('\r\n')}\r\n`, dropped }
}
