import type { Token, Tokens } from './lexer.ts'

/** A place in the tokens, and where complaints go. */
export interface Cursor extends Tokens {
  at: number
  /** Levels of nesting around the current token. */
  depth: number
  complain(token: Token, message: string): unknown
}

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
export function syntaxError(cursor: Cursor, expected: string): never {
  const token = peek(cursor)
  cursor.complain(
    token,
    token.kind === 'error'
      ? token.text
      : `Syntax error: expected ${expected}, found ${token.text.length > 40 ? token.text.slice(0, 40) + '…' : token.text}`,
  )
  throw SYNTAX
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
