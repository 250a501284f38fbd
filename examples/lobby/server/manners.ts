import { fitText } from 'bitecs-pipes/server'
import { CHAT_LENGTH, LOOKS, NAME_LENGTH } from '../garden.ts'

const MESSAGES_AT_ONCE = 4
const SECONDS_PER_MESSAGE = 1.2

/** One line of printable text of at most `bytes`, or '' when nothing of it is left. */
function tidy(value: unknown, bytes: number): string {
  if (typeof value !== 'string') return ''
  const printable = value.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
  return fitText(printable.replace(/\s+/g, ' ').trim(), bytes).trim()
}

/** A name that nobody here has yet. `data` is whatever the client passed to `connect`. */
export function nameFor(data: unknown, taken: ReadonlySet<string>): string {
  const wanted = tidy(field(data, 'name'), NAME_LENGTH - 4) || 'Guest'
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted} ${n}`
    if (!taken.has(name)) return name
  }
}

export function lookFor(data: unknown): number {
  const look = field(data, 'look')
  return typeof look === 'number' && Number.isInteger(look) && look >= 0 && look < LOOKS
    ? look
    : Math.floor(Math.random() * LOOKS)
}

const field = (data: unknown, key: string): unknown =>
  typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[key] : undefined

/** Decides what is passed on of what players say: tidied, and not too much of it. */
export function chatManners(): (speaker: number, text: string, now: number) => string {
  // Per speaker, the time from which the allowance is full again.
  const fullAt = new Map<number, number>()
  return (speaker, text, now) => {
    const said = tidy(text, CHAT_LENGTH)
    const at = Math.max(fullAt.get(speaker) ?? 0, now) + SECONDS_PER_MESSAGE
    if (!said || at - now > MESSAGES_AT_ONCE * SECONDS_PER_MESSAGE) return ''
    fullAt.set(speaker, at)
    return said
  }
}
