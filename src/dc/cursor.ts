import type { Token, Tokens } from './lexer.ts'
import type { DCError } from './model.ts'

/** What a complaint can say besides its message. */
export type Hints = Partial<Pick<DCError, 'expected' | 'found' | 'suggestion' | 'help'>>

/** A place in the tokens, and where complaints go. */
export interface Cursor extends Tokens {
  at: number
  /** Levels of nesting around the current token. */
  depth: number
  /** Index of the token that the last syntax error was about, -1 at first: one is enough. */
  faulty: number
  complain(token: Token, message: string, hints?: Hints): unknown
}

const TOP_LEVEL: ReadonlySet<string> = new Set('dclass from import keyword typedef'.split(' '))
/** Brackets, inline structs and switches may nest this deep: no schema does, and the stack is not ours to overflow. */
const MAX_DEPTH = 64

/** Thrown by {@link syntaxError}, caught where the parser can go on. Never leaves this folder. */
export const SYNTAX = new Error('syntax error')

/** The next token. */
export const peek = (cursor: Cursor, ahead = 0): Token =>
  cursor.list[Math.min(cursor.at + ahead, cursor.list.length - 1)]!

/** Takes the next token. */
export function take(cursor: Cursor): Token {
  const token = peek(cursor)
  if (token.kind !== 'end') cursor.at++
  return token
}

/** Reports what stands here instead of what was expected, and gives up the current declaration. */
export function syntaxError(cursor: Cursor, expected: string, hints?: Hints): never {
  complainExpected(cursor, peek(cursor), expected, hints)
  throw SYNTAX
}

/** Reports at `place` that the next token is not what was expected. */
export function complainExpected(cursor: Cursor, place: Token, expected: string, hints?: Hints): void {
  if (cursor.faulty === cursor.at) return
  cursor.faulty = cursor.at
  const { kind, text } = peek(cursor)
  const found = text.length > 40 ? text.slice(0, 40) + '…' : text
  if (kind === 'error') cursor.complain(peek(cursor), text)
  else cursor.complain(place, `Syntax error: expected ${expected}, found ${found}`, { expected, found, ...hints })
}

/**
 * Where something is missing before the next token: behind the last one if a line ends there, as that is the line to
 * mend, else the next one itself.
 */
export function gap(cursor: Cursor): Token {
  const next = peek(cursor),
    last = cursor.list[cursor.at - 1]
  if (!last) return next
  const start = last.start + last.length
  if (cursor.text.lastIndexOf('\n', next.start - 1) < start) return next
  const lines = cursor.text.slice(last.start, start).split('\n'),
    inLine = lines.at(-1)!.length
  return {
    ...last,
    line: last.line + lines.length - 1,
    column: lines.length > 1 ? inLine + 1 : last.column + inLine,
    start,
    length: 1,
  }
}

/** Takes the next token if it is of this kind. */
export function accept(cursor: Cursor, kind: string): Token | undefined {
  return peek(cursor).kind === kind ? take(cursor) : undefined
}

/** Takes the next token, which must be of this kind. */
export function expect(cursor: Cursor, kind: string, name = `'${kind}'`): Token {
  return accept(cursor, kind) ?? syntaxError(cursor, name)
}

/** Runs a parser one level deeper. */
export function nested<T>(cursor: Cursor, parse: () => T): T {
  if (++cursor.depth > MAX_DEPTH) syntaxError(cursor, `at most ${MAX_DEPTH} levels of nesting`)
  const result = parse()
  cursor.depth--
  return result
}

/** Whether the token only begins declarations: a class must have ended before it, even if its brace is missing. */
export const isTopLevel = ({ kind, text }: Token): boolean => kind === 'end' || (kind === 'id' && TOP_LEVEL.has(text))

/** To behind the next ';' of this body, or to its '}', past nested ones. */
export function skipItem(cursor: Cursor): void {
  for (let level = 0; ;) {
    const token = peek(cursor)
    if (isTopLevel(token) || (token.kind === '}' && !level)) return
    take(cursor)
    if (token.kind === '{') level++
    else if (token.kind === '}') level--
    else if (token.kind === ';' && !level) return
  }
}
