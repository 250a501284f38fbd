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
}

/** A comment, kept for the declaration that it stands before or behind. */
export interface Comment {
  readonly line: number
  readonly endLine: number
  /** Without the comment marks. */
  readonly text: string
  /** Whether a token stands before it on its line. */
  readonly trailing: boolean
}

/** The tokens of one text. The last one is always `end`. */
export interface Tokens {
  readonly list: readonly Token[]
  readonly comments: readonly Comment[]
}

const SPACE_OR_TOKEN =
  /([ \t\r\n]+)|\/\/([^\n]*)|\/\*([^]*?)\*\/|([A-Za-z_]\w*)|([+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?)|(0x[\da-fA-F]*|\d+)|([+-]\d+)|<([\da-fA-F]*)>|([^])/y
const ESCAPE = /\\(?:x([\da-fA-F]{0,2})|0([0-6]{0,3})|[1-9](\d{0,3})|(\r\n|[^]))/y
const CONTROL: Record<string, number> = { a: 7, n: 10, r: 13, t: 9 }
const utf8 = new TextEncoder()

/** Cuts a text into tokens. Never fails: what is not DC becomes an `error` token. A leading byte order mark is skipped. */
export function tokenize(text: string): Tokens {
  const list: Token[] = [],
    comments: Comment[] = []
  // U+FEFF, or its three bytes in a text that was read as latin1.
  let at = /^(\ufeff|\xef\xbb\xbf)?/.exec(text)![0].length,
    line = 1,
    lineStart = at,
    start = at,
    endOfLast = 0

  /** Counts the lines of text[start, at). */
  const countLines = () => {
    for (let i = start; i < at; i++)
      if (text.charCodeAt(i) === 10) {
        line++
        lineStart = i + 1
      }
  }
  const push = (kind: string, source: string, value?: Token['value']) => {
    list.push({ kind, text: source, value, line, column: start - lineStart + 1 })
    countLines()
    endOfLast = line
  }
  const comment = (source: string) => {
    const first = line
    countLines()
    comments.push({ line: first, endLine: line, text: source.trim(), trailing: endOfLast === first })
  }

  while (at < text.length) {
    start = at
    SPACE_OR_TOKEN.lastIndex = at
    const match = SPACE_OR_TOKEN.exec(text)!
    at = SPACE_OR_TOKEN.lastIndex
    const [whole, space, lineComment, blockComment, word, real, uint, int, hex, other] = match
    if (space) countLines()
    else if (lineComment !== undefined) comment(lineComment.replace(/^\/+/, ''))
    else if (blockComment !== undefined) comment(blockComment.replace(/^\*+/, '').replace(/^[ \t]*\*[ \t]?/gm, ''))
    else if (word) push('id', word)
    else if (real) push('real', real, pstrtod(real))
    else if (uint) push('uint', uint, toBigInt(uint === '0x' ? '0' : uint))
    else if (int) push('int', int, int[0] === '-' ? -toBigInt(int.slice(1)) : toBigInt(int.slice(1)))
    else if (hex !== undefined) {
      if (hex.length % 2) push('error', 'A hex literal needs an even number of digits')
      else
        push(
          'hex',
          whole,
          Uint8Array.from(hex.match(/../g) ?? [], pair => parseInt(pair, 16)),
        )
    } else if (other === '"' || other === "'") {
      const bytes: number[] = []
      at = readString(text, at, other, bytes)
      if (text[at] === other) {
        at++
        push('string', text.slice(start, at), Uint8Array.from(bytes))
      } else push('error', 'Unterminated string')
    } else if (other === '/' && text[at] === '*') {
      at = text.length
      push('error', 'Unterminated comment')
    } else if (/[{}()[\];:,=*/%.-]/.test(other!)) push(other!, other!)
    else push('error', `Unexpected character ${JSON.stringify(other)}`)
  }
  start = at
  push('end', 'the end of the file')
  return { list, comments }
}

/** Decodes from behind the quote up to the closing one, or to what ends an unterminated string; returns where it stopped. */
function readString(text: string, at: number, quote: string, bytes: number[]): number {
  while (at < text.length && text[at] !== quote && text[at] !== '\n') {
    if (text[at] === '\\') {
      ESCAPE.lastIndex = at
      const match = ESCAPE.exec(text)
      if (!match) return text.length
      const [, hex, octal, decimal, char] = match
      at = ESCAPE.lastIndex
      if (char !== undefined && !CONTROL[char]) for (const byte of utf8.encode(char)) bytes.push(byte)
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
      const code = text.codePointAt(at)!
      if (code < 0x80) bytes.push(code)
      else for (const byte of utf8.encode(String.fromCodePoint(code))) bytes.push(byte)
      at += code > 0xffff ? 2 : 1
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
