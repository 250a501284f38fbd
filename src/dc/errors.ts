import type { DCError } from './model.ts'

/** Columns of source text that are shown around a complaint. */
const WINDOW = 100
/** Names longer than this are not compared: no one mistypes them. */
const MAX_NAME = 64
/** Letters that may be wrong. */
const MAX_DISTANCE = 3
/** Candidates of fitting length that are compared: the text may have been made to have very many. */
const MAX_COMPARED = 2000

/**
 * The candidate that a mistyped word most likely stands for; undefined when none is near: up to three letters, and no more
 * than a third of them, to change, add, drop or swap, or the same but for upper and lower case.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_NAME) return undefined
  let best: string | undefined,
    least = Math.min(MAX_DISTANCE, Math.max(1, Math.floor(word.length / 3))) + 1,
    compared = 0
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= least) continue
    if (++compared > MAX_COMPARED) break
    const distance = candidate.toLowerCase() === word.toLowerCase() ? 0.5 : editDistance(word, candidate, least)
    // One letter for another is a name of its own: `x` is no mistyped `y`.
    if (distance < least && distance < candidate.length) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** Letters to change, add, drop or swap with their neighbour (optimal string alignment); `limit` or more when there are as many. */
function editDistance(a: string, b: string, limit: number): number {
  const reach = Math.ceil(limit)
  let before: number[] = [],
    last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = Array<number>(b.length + 1).fill(reach)
    let low = i
    row[0] = i
    // Further from the diagonal there are more than the limit.
    for (let j = Math.max(1, i - reach); j <= Math.min(b.length, i + reach); j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(change, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row[j] = cost
      low = Math.min(low, cost)
    }
    if (low >= limit) return limit
    before = last
    last = row
  }
  return last[b.length]!
}

/**
 * A complaint as text, with the line and a caret under what it is about:
 *
 *     game.dc:3:5: error: Undeclared type: flaot64
 *       3 |     flaot64 speed;
 *         |     ^^^^^^^ did you mean float64?
 */
export function formatError(error: DCError): string {
  const { file, line, column, severity, message, suggestion, help } = error
  const number = String(line),
    margin = ' '.repeat(number.length)
  const { text, start, length } = windowOf(error)
  // Tabs stay tabs, so that the caret is below its letter whatever they are shown as.
  const indent = text.slice(0, start).replace(/[^\t]/g, ' ')
  const hint = suggestion ? ` did you mean ${suggestion}?` : help ? ` ${help}` : ''
  const lines = [
    `${file}:${line}:${column}: ${severity}: ${message}`,
    `  ${number} | ${text}`.trimEnd(),
    `  ${margin} | ${indent}${'^'.repeat(length)}${hint}`,
  ]
  if (suggestion && help) lines.push(`  ${margin} = ${help}`)
  return lines.join('\n')
}

/** Complaints as text, a blank line between them. */
export const formatErrors = (errors: readonly DCError[]): string => errors.map(formatError).join('\n\n')

/** The part of the line that is shown: all of it unless it is long, then what is around the complaint. */
function windowOf({ source, column, length }: DCError): { text: string; start: number; length: number } {
  const at = Math.min(column - 1, source.length),
    // Control characters would move what follows them.
    clean = (text: string) => text.replace(/[^\t\P{Cc}]/gu, '\ufffd')
  if (source.length <= WINDOW * 1.5)
    return { text: clean(source), start: at, length: Math.max(1, Math.min(length, source.length - at)) }
  const from = Math.max(0, Math.min(at - WINDOW / 2, source.length - WINDOW)),
    to = Math.min(source.length, from + WINDOW)
  const before = from > 0 ? '…' : ''
  return {
    text: clean(before + source.slice(from, to) + (to < source.length ? '…' : '')),
    start: before.length + at - from,
    length: Math.max(1, Math.min(length, to - at)),
  }
}
