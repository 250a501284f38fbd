/** What a token is: a class of literals, `end`, `error` (its text says why), or the punctuation character itself. */
export interface Token {
  readonly kind: string
  /** The source text; of an `error` the message. */
  readonly text: string
  /** bigint of `uint` and `int`, number of `real`, bytes of `string` and `hex`. */
  readonly value: bigint | number | Uint8Array | undefined
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Index of its first character in the text. */
  readonly start: number
  /** UTF-16 code units in the text. */
  readonly length: number
}

/** A comment, kept for the declaration that it stands before or behind. */
export interface Comment {
  readonly line: number
  readonly endLine: number
  /** Without the comment marks. */
  readonly text: string
  /** Whether a token stands before it on its line. */
  readonly trailing: boolean
  /** Where another comment seems to begin within it, as when its end was forgotten. */
  readonly nested?: Token
}

/** The tokens of one text. The last one is always `end`. */
export interface Tokens {
  readonly text: string
  readonly list: readonly Token[]
  readonly comments: readonly Comment[]
}

const ESCAPE = /\\(?:x([\da-fA-F]{0,2})|0([0-6]{0,3})|[1-9](\d{0,3})|(\r\n|[^]))/y
const CONTROL: Record<string, number> = { a: 7, n: 10, r: 13, t: 9 }
const utf8 = new TextEncoder()

const LETTER = 1,
  DIGIT = 2,
  HEX = 4,
  PUNCTUATION = 8,
  SPACE = 16
/** What an ASCII character may be part of. */
const CLASS = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code)
  CLASS[code] =
    (/[A-Za-z_]/.test(char) ? LETTER : 0) |
    (/\d/.test(char) ? DIGIT : 0) |
    (/[\da-fA-F]/.test(char) ? HEX : 0) |
    (/[{}()[\];:,=*/%.-]/.test(char) ? PUNCTUATION : 0) |
    (/[ \t\r\n]/.test(char) ? SPACE : 0)
}
/** One string for each of them, so that comparing kinds compares pointers. */
const CHARACTERS = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
const LINE_FEED = 10,
  DOUBLE_QUOTE = 34,
  QUOTE = 39,
  STAR = 42,
  PLUS = 43,
  MINUS = 45,
  POINT = 46,
  SLASH = 47,
  ZERO = 48,
  LESS = 60,
  GREATER = 62,
  SMALL_X = 120

/**
 * Cuts a text into tokens. Never fails: what is not DC becomes an `error` token. A leading byte order mark is skipped.
 * With `latin1` each character stands for a byte of the file, and strings hold these bytes; else they are UTF-8.
 */
export function tokenize(text: string, latin1 = false): Tokens {
  const list: Token[] = [],
    comments: Comment[] = [],
    { length } = text
  // U+FEFF, or its three bytes in a text that was read as latin1.
  let at = /^(\ufeff|\xef\xbb\xbf)?/.exec(text)![0].length,
    line = 1,
    lineStart = at,
    start = at,
    endOfLast = 0

  /** Whether the character at an index is of a class. */
  const is = (index: number, mask: number): boolean => {
    const code = text.charCodeAt(index)
    return code < 128 && (CLASS[code]! & mask) !== 0
  }
  /** Counts the lines of text[start, at). */
  const countLines = () => {
    for (let i = text.indexOf('\n', start); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) {
      line++
      lineStart = i + 1
    }
  }
  const push = (kind: string, source: string, value?: Token['value']) => {
    list.push({ kind, text: source, value, line, column: start - lineStart + 1, start, length: at - start })
    endOfLast = line
  }
  const comment = (source: string, nested?: Token) => {
    const first = line
    countLines()
    const kept = { line: first, endLine: line, text: source.trim(), trailing: endOfLast === first }
    comments.push(nested ? { ...kept, nested } : kept)
  }
  const lineComment = () => {
    const end = text.indexOf('\n', at)
    at = end < 0 ? length : end
    comment(text.slice(start + 2, at).replace(/^\/+/, ''))
  }
  const blockComment = () => {
    const end = text.indexOf('*/', start + 2)
    if (end < 0) {
      at = length
      push('error', 'Unterminated comment')
      return countLines()
    }
    at = end + 2
    const inner = text.indexOf('/*', start + 2),
      isNested = inner >= 0 && inner < end
    const lines = isNested ? text.slice(start, inner).split('\n') : ['']
    const nested: Token | undefined = isNested
      ? {
          kind: 'comment',
          text: '/*',
          value: undefined,
          line: line + lines.length - 1,
          column: lines.length > 1 ? lines.at(-1)!.length + 1 : inner - lineStart + 1,
          start: inner,
          length: 2,
        }
      : undefined
    comment(
      text
        .slice(start + 2, end)
        .replace(/^\*+/, '')
        .replace(/^[ \t]*\*[ \t]?/gm, ''),
      nested,
    )
  }
  /** [+-]?digits, 0x, or a real, which needs a point. */
  const number = () => {
    const signed = !is(at, DIGIT) && text.charCodeAt(at) !== POINT
    if (!signed && text.charCodeAt(at) === ZERO && text.charCodeAt(at + 1) === SMALL_X) {
      at += 2
      while (is(at, HEX)) at++
      return push('uint', text.slice(start, at), toBigInt(at === start + 2 ? '0' : text.slice(start, at)))
    }
    if (signed) at++
    while (is(at, DIGIT)) at++
    if (text.charCodeAt(at) === POINT) {
      at++
      while (is(at, DIGIT)) at++
      if (text[at] === 'e' || text[at] === 'E') {
        const sign = text[at + 1] === '+' || text[at + 1] === '-' ? 1 : 0
        if (is(at + 1 + sign, DIGIT)) {
          at += 1 + sign
          while (is(at, DIGIT)) at++
        }
      }
      const source = text.slice(start, at)
      return push('real', source, pstrtod(source))
    }
    const source = text.slice(start, at)
    if (!signed) push('uint', source, toBigInt(source))
    else push('int', source, source[0] === '-' ? -toBigInt(source.slice(1)) : toBigInt(source.slice(1)))
  }
  const hex = () => {
    at++
    while (is(at, HEX)) at++
    const digits = text.slice(start + 1, at)
    if (text.charCodeAt(at) !== GREATER) return push('error', 'A hex literal holds hex digits only, up to its >')
    at++
    if (digits.length % 2) return push('error', 'A hex literal needs an even number of digits')
    const bytes = new Uint8Array(digits.length / 2)
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.slice(i * 2, i * 2 + 2), 16)
    push('hex', text.slice(start, at), bytes)
  }
  const quoted = (quote: string) => {
    const bytes: number[] = []
    at = readString(text, at + 1, quote, bytes, latin1)
    if (text[at] === quote) {
      at++
      push('string', text.slice(start, at), Uint8Array.from(bytes))
    } else push('error', 'Unterminated string')
    countLines()
  }

  while (at < length) {
    start = at
    const code = text.charCodeAt(at),
      kind = code < 128 ? CLASS[code]! : 0
    if (kind & SPACE) {
      at++
      if (code === LINE_FEED) {
        line++
        lineStart = at
      }
    } else if (kind & LETTER) {
      do at++
      while (is(at, LETTER | DIGIT))
      push('id', text.slice(start, at))
    } else if (
      kind & DIGIT ||
      (code === POINT && is(at + 1, DIGIT)) ||
      ((code === MINUS || code === PLUS) &&
        (is(at + 1, DIGIT) || (text.charCodeAt(at + 1) === POINT && is(at + 2, DIGIT))))
    )
      number()
    else if (code === SLASH && text.charCodeAt(at + 1) === SLASH) lineComment()
    else if (code === SLASH && text.charCodeAt(at + 1) === STAR) blockComment()
    else if (code === DOUBLE_QUOTE || code === QUOTE) quoted(CHARACTERS[code]!)
    else if (code === LESS) hex()
    else if (kind & PUNCTUATION) {
      at++
      push(CHARACTERS[code]!, CHARACTERS[code]!)
    } else {
      const char = String.fromCodePoint(text.codePointAt(at)!)
      at += char.length
      push('error', `Unexpected character ${JSON.stringify(char)}`)
    }
  }
  start = at
  push('end', 'the end of the file')
  return { text, list, comments }
}

/** Decodes from behind the quote up to the closing one, or to what ends an unterminated string; returns where it stopped. */
function readString(text: string, at: number, quote: string, bytes: number[], latin1: boolean): number {
  const add = (char: string) => {
    const code = char.codePointAt(0)!
    if (code < 0x80 || (latin1 && code < 0x100)) bytes.push(code)
    else for (const byte of utf8.encode(char)) bytes.push(byte)
  }
  while (at < text.length && text[at] !== quote && text[at] !== '\n') {
    if (text[at] === '\\') {
      ESCAPE.lastIndex = at
      const match = ESCAPE.exec(text)
      if (!match) return text.length
      const [, hex, octal, decimal, char] = match
      at = ESCAPE.lastIndex
      // Half of a character outside the basic plane: only the backslash goes.
      if (char !== undefined && /[\ud800-\udbff]/.test(char)) at--
      else if (char !== undefined && !CONTROL[char]) for (const each of char) add(each)
      else
        bytes.push(
          char
            ? CONTROL[char]!
            : hex !== undefined
              ? parseInt(hex || '0', 16)
              : octal !== undefined
                ? parseInt(octal || '0', 8)
                : +decimal!,
        )
    } else {
      const char = String.fromCodePoint(text.codePointAt(at)!)
      add(char)
      at += char.length
    }
  }
  return at
}

/** Digits beyond any 64-bit number are not worth a big multiplication: they are out of range anyway. */
const toBigInt = (digits: string): bigint => BigInt(digits.length > 999 ? '9'.repeat(99) : digits)

/**
 * Panda3D's own reading of a decimal (dtoolbase/pstrtod.cxx): not correctly rounded, and both ends must agree on the bytes.
 * `text` matches the lexer's REAL.
 */
export function pstrtod(text: string): number {
  const [, sign, whole, fraction, exponent] = /^([+-]?)(\d*)\.?(\d*)(?:[eE](.*))?$/.exec(text)!
  let value = 0,
    scale = 0.1
  for (const digit of whole!) value = value * 10 + +digit
  for (const digit of fraction!) {
    value += +digit * scale
    scale *= 0.1
  }
  const power = +(exponent ?? 0)
  if (power) {
    // Number('1e5') is the correctly rounded power that C's pow gives; Math.pow is not.
    const factor = +`1e${Math.abs(power)}`
    value = power < 0 ? value / factor : value * factor
  }
  return sign === '-' ? -value : value
}
