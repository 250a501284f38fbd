/** The answer of {@link formatDC}. */
export interface Formatted {
  /** The text in the common style; as it was when it cannot be formatted. */
  readonly text: string
  /** Why it was not formatted, with the line (from 1); undefined when it was. */
  readonly problem?: { readonly line: number; readonly message: string }
}

/** A token or comment with what stood before it. */
interface Piece {
  readonly kind: 'word' | 'number' | 'text' | 'mark' | 'line comment' | 'block comment'
  readonly text: string
  readonly line: number
  /** Line ends between this piece and the one before it. */
  readonly newlines: number
}

/** Blocks: pieces between braces that hold statements, not values. */
interface Block {
  readonly kind: 'block'
  readonly isSwitch: boolean
  /** Whether it was written on one line, without comments. */
  readonly isShort: boolean
  readonly statements: readonly Statement[]
}

/** A declaration, field or case label up to its end, with the comments around it. */
interface Statement {
  readonly isSpaced: boolean
  /** Comments on lines of their own before it; alone at the end of a block. */
  readonly leading: readonly Piece[]
  readonly parts: readonly (Piece | Block)[]
  /** `;`, `:` behind a case label, or nothing behind an import. */
  readonly end: string
  /** Comments behind it on its last line. */
  readonly trailing: readonly Piece[]
}

const PIECE =
  /[ \t\r\n]+|(\/\/[^\n]*)|(\/\*[^]*?\*\/)|([A-Za-z_]\w*)|([+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|0x[\da-fA-F]*|[+-]?\d+)|("(?:\\(?:\r\n|[^])|[^"\\\n])*"|'(?:\\(?:\r\n|[^])|[^'\\\n])*'|<[\da-fA-F]*>)|([{}()[\];:,=*%.-]|\/(?!\*))/y
const OPENING = /^[{([]$/
const CLOSING: Record<string, string> = { '{': '}', '(': ')', '[': ']' }
const TOP = /^(dclass|struct|switch|typedef|keyword|import|from)$/
const WIDTH = 100
const INDENT = '  '

type Comment = Piece & { readonly kind: 'line comment' | 'block comment' }

const isComment = (part: Piece | Block): part is Comment =>
  part.kind === 'line comment' || part.kind === 'block comment'

/**
 * Puts a DC text into the common style: a field a line, two blanks a level, `uint8(0-100)`. Comments stay where they belong, short
 * bodies on one line stay short, and the schema stays the same: only blanks, range signs and semicolons between declarations change.
 */
export function formatDC(text: string): Formatted {
  const source = text.replace(/^(\ufeff|\xef\xbb\xbf)/, '')
  const pieces = cut(source)
  if (!Array.isArray(pieces)) return { text, problem: pieces }
  const problem = balance(pieces)
  if (problem) return { text, problem }
  const statements = readStatements({ pieces, at: 0 }, 'top')
  const lines = statements.map((statement, i) => printStatement(statement, '', i === 0)).join('')
  const formatted = source.includes('\r\n') ? lines.replace(/(?<!\r)\n/g, '\r\n') : lines
  const after = cut(formatted)
  if (!Array.isArray(after) || meaning(after) !== meaning(pieces))
    return {
      text,
      problem: { line: 1, message: 'Formatting would change what the text says: please report this file' },
    }
  return { text: formatted }
}

function cut(text: string): Piece[] | { line: number; message: string } {
  const pieces: Piece[] = []
  let line = 1,
    newlines = 0
  for (let at = 0; at < text.length;) {
    PIECE.lastIndex = at
    const match = PIECE.exec(text)
    if (!match) return { line, message: `No DC: ${JSON.stringify(text.slice(at, at + 10))}` }
    const [whole, lineComment, blockComment, word, number, literal] = match
    at += whole.length
    const lines = whole.split('\n').length - 1
    if (/^[ \t\r\n]/.test(whole)) newlines += lines
    else {
      const kind = lineComment
        ? 'line comment'
        : blockComment
          ? 'block comment'
          : word
            ? 'word'
            : number
              ? 'number'
              : literal
                ? 'text'
                : 'mark'
      pieces.push({ kind, text: lineComment ? whole.trimEnd() : whole, line, newlines })
      newlines = 0
    }
    line += lines
  }
  return pieces
}

function balance(pieces: readonly Piece[]): { line: number; message: string } | undefined {
  const open: Piece[] = []
  for (const piece of pieces) {
    if (piece.kind !== 'mark') continue
    if (OPENING.test(piece.text)) open.push(piece)
    else if (/^[})\]]$/.test(piece.text)) {
      const last = open.pop()
      // The bracket kinds of a value may be mixed in DC only as pairs.
      if (!last || CLOSING[last.text] !== piece.text)
        return { line: piece.line, message: `${piece.text} closes nothing that is open` }
    }
  }
  const left = open.pop()
  return left && { line: left.line, message: `${left.text} is never closed` }
}

/** What the tokens say: without comments, semicolons and the two ways to write a range. */
const meaning = (pieces: readonly Piece[]): string =>
  pieces
    .filter(piece => !isComment(piece) && piece.text !== ';')
    .map(({ kind, text }) => (kind === 'number' && text[0] === '-' ? `- ${text.slice(1)}` : text))
    .join(' ')

interface Reading {
  readonly pieces: readonly Piece[]
  at: number
}

/** Statements up to the closing brace, which is left, or the end. */
function readStatements(reading: Reading, where: 'top' | 'class' | 'switch'): Statement[] {
  const { pieces } = reading
  const statements: Statement[] = []
  for (;;) {
    const leading: Piece[] = []
    let piece = pieces[reading.at]
    const isSpaced = (piece?.newlines ?? 0) > 1
    for (; piece && (isComment(piece) || piece.text === ';'); piece = pieces[++reading.at])
      if (isComment(piece)) leading.push(piece)
    if (!piece || (piece.kind === 'mark' && piece.text === '}')) {
      if (leading.length) statements.push({ isSpaced, leading, parts: [], end: '', trailing: [] })
      return statements
    }
    const { parts, end } = readParts(reading, where)
    const trailing: Piece[] = []
    for (piece = pieces[reading.at]; piece && isComment(piece) && !piece.newlines; piece = pieces[++reading.at])
      trailing.push(piece)
    statements.push({ isSpaced, leading, parts, end, trailing })
  }
}

/** One statement, with its end taken. */
function readParts(reading: Reading, where: 'top' | 'class' | 'switch'): { parts: (Piece | Block)[]; end: string } {
  const { pieces } = reading
  const first = pieces[reading.at]!.text
  const isLabel = where === 'switch' && (first === 'case' || first === 'default')
  const parts: (Piece | Block)[] = []
  let depth = 0,
    // Behind `=` and `case`, braces are those of values: up to where the depth falls below this.
    valueDepth = isLabel ? 0 : Infinity,
    isSwitch = false,
    hasImport = first === 'import',
    previous = ''
  const end = where !== 'top' || !/^(import|from)$/.test(first) ? ';' : ''
  for (let piece = pieces[reading.at]; piece; piece = pieces[reading.at]) {
    const { text, kind } = piece
    const isMark = kind === 'mark'
    if (isMark && !depth) {
      if (text === ';') {
        reading.at++
        return { parts, end: ';' }
      }
      // A forgotten semicolon is an error to be told, not to be mended in silence.
      if (text === '}') return { parts, end: '' }
      if (text === ':' && isLabel) {
        reading.at++
        return { parts, end: ':' }
      }
    }
    if (where === 'top' && !depth && parts.length && kind === 'word' && TOP.test(text)) {
      const belongs = previous === 'typedef' || (text === 'import' && !hasImport && first === 'from')
      // A comment before the next declaration is that one's.
      if (!belongs) return { parts: giveBack(reading, parts), end }
      hasImport ||= text === 'import'
    }
    if (isMark && text === '{' && valueDepth > depth) {
      const block = readBlock(reading, isSwitch)
      parts.push(block)
      previous = '}'
      if (where === 'top' && !depth && first !== 'typedef') {
        for (let next = reading.at; pieces[next]; next++) {
          if (pieces[next]!.text === ';') {
            reading.at = next + 1
            break
          }
          if (!isComment(pieces[next]!) || pieces[next]!.newlines) break
        }
        return { parts, end }
      }
      continue
    }
    if (isMark && OPENING.test(text)) depth++
    else if (isMark && /^[})\]]$/.test(text)) {
      depth--
      if (depth < valueDepth && !isLabel) valueDepth = Infinity
    } else if (isMark && text === '=') valueDepth = depth
    else if (isMark && text === ',' && depth === valueDepth && !isLabel) valueDepth = Infinity
    else if (text === 'switch') isSwitch = true
    else if (text === 'struct' || text === 'dclass') isSwitch = false
    if (!isComment(piece)) previous = text
    parts.push(piece)
    reading.at++
  }
  return { parts: giveBack(reading, parts), end }
}

/** Comments at the end of a statement without a semicolon, but for those on its last line, belong to what follows. */
function giveBack(reading: Reading, parts: (Piece | Block)[]): (Piece | Block)[] {
  let count = parts.length
  while (count && isComment(parts[count - 1]!)) count--
  reading.at -= parts.length - count
  return parts.slice(0, count)
}

function readBlock(reading: Reading, isSwitch: boolean): Block {
  const start = reading.at++
  const statements = readStatements(reading, isSwitch ? 'switch' : 'class')
  const inner = reading.pieces.slice(start + 1, ++reading.at)
  const isShort = inner.every(piece => !piece.newlines && !isComment(piece))
  return { kind: 'block', isSwitch, isShort, statements }
}

const isLabel = ({ end }: Statement): boolean => end === ':'

function printStatement(statement: Statement, indent: string, isFirst: boolean): string {
  const { leading, parts, end, trailing } = statement
  let out = statement.isSpaced && !isFirst ? '\n' : ''
  leading.forEach((comment, i) => {
    if (i && comment.newlines > 1) out += '\n'
    out += `${indent}${commentText(comment, indent)}\n`
  })
  if (!parts.length) return out
  const last = leading.at(-1)
  const before = firstNewlines(parts)
  if (last && before > 1) out += '\n'
  out += indent + printParts(parts, end, indent)
  for (const comment of trailing) out += ` ${commentText(comment, indent)}`
  return `${out}\n`
}

const firstNewlines = ([first]: readonly (Piece | Block)[]): number =>
  first && first.kind !== 'block' ? first.newlines : 0

/** The lines of a block comment keep their place relative to its star column. */
const commentText = ({ text }: Piece, indent: string): string =>
  text
    .split('\n')
    .map((line, i) => (i === 0 ? line.trimEnd() : /^\s*\*/.test(line) ? `${indent} ${line.trim()}` : line.trimEnd()))
    .join('\n')

/** A statement without its indentation, on one line if it fits and no comment or long body breaks it. */
function printParts(parts: readonly (Piece | Block)[], end: string, indent: string): string {
  const short = parts.every(part => part.kind !== 'line comment' && (part.kind !== 'block' || part.isShort))
  if (short) {
    const line = `${join(parts, block => shortBlock(block))}${end}`
    if (indent.length + line.length <= WIDTH) return line
  }
  const text = `${join(parts, block => longBlock(block, indent), indent)}${end}`
  return fill(text, indent)
}

function shortBlock({ statements }: Block): string {
  if (!statements.length) return '{}'
  return `{ ${statements.map(({ parts, end }) => join(parts, shortBlock) + end).join(' ')} }`
}

function longBlock({ statements, isSwitch }: Block, indent: string): string {
  if (!statements.length) return '{}'
  let inCase = false
  const body = statements.map((statement, i) => {
    const isCase = isSwitch && isLabel(statement)
    const [opening, rest] = i === 0 ? splitOpening(statement) : [[], statement]
    // A comment before the next label is that label's.
    const deep = isSwitch && inCase && !isCase && statement.parts.length > 0
    inCase ||= isCase
    const text = printStatement(rest, indent + INDENT + (deep ? INDENT : ''), i === 0)
    return opening.map(comment => ` ${commentText(comment, indent)}`).join('') + (i === 0 ? '\n' : '') + text
  })
  return `{${body.join('')}${indent}}`
}

/** Comments behind the opening brace on its line. */
function splitOpening(statement: Statement): [Piece[], Statement] {
  let count = 0
  while (statement.leading[count] && !statement.leading[count]!.newlines) count++
  return [statement.leading.slice(0, count), { ...statement, leading: statement.leading.slice(count) }]
}

/** Where a long line may be broken; no DC text holds it, as it is no token. */
const BREAK = '\u0000'

/** Parts in a row, with the blanks that the style puts between them. `indent` is given when the line may be broken. */
function join(parts: readonly (Piece | Block)[], printBlock: (block: Block) => string, indent?: string): string {
  let out = '',
    previous: Piece | undefined,
    isSwitchHead = false,
    isValue = parts[0]?.kind === 'word' && parts[0].text === 'case',
    depth = 0,
    valueDepth = 0
  const list = normaliseRanges(parts)
  list.forEach((part, i) => {
    if (part.kind === 'block') {
      out += `${out && !out.endsWith('\n') ? ' ' : ''}${printBlock(part)}`
      previous = { kind: 'mark', text: '}', line: 0, newlines: 0 }
      isSwitchHead = false
      return
    }
    const comment = isComment(part)
    if (part.kind === 'mark' && OPENING.test(part.text)) depth++
    if (previous) {
      const gap =
        isComment(previous) || comment ? ' ' : gapBetween(previous, part, isSwitchHead && depth === 1, isValue)
      if (previous.kind === 'line comment') out += `\n${indent ?? ''}${INDENT}${INDENT}`
      else out += gap && previous.text === ',' && indent !== undefined ? BREAK : gap
    }
    out += comment ? commentText(part, indent ?? '') : part.text
    if (part.kind === 'mark' && /^[})\]]$/.test(part.text)) {
      depth--
      if (depth < valueDepth) isValue = false
    }
    if (part.text === '=' && part.kind === 'mark') {
      isValue = true
      valueDepth = depth
    }
    if (part.text === ',' && isValue && depth === valueDepth && parts[0]?.kind === 'word' && parts[0].text !== 'case')
      isValue = false
    if (part.text === 'switch') isSwitchHead = true
    else if (part.kind === 'mark' && part.text === '(' && i && depth === 1) isSwitchHead = false
    previous = part
  })
  if (previous?.kind === 'line comment') out += `\n${indent ?? ''}${INDENT}${INDENT}`
  return out
}

/** The blank between two tokens, if any. */
function gapBetween(a: Piece, b: Piece, isSwitchHead: boolean, isValue: boolean): string {
  const first = a.kind === 'mark' ? a.text : ''
  const second = b.kind === 'mark' ? b.text : ''
  if (/^[)\],;]$/.test(second)) return ''
  if (second === '}') return ''
  if (/^[([]$/.test(first) || first === '{') return ''
  if (second === '*' && a.kind === 'word') return ' '
  if (/^[/%.*]$/.test(first) || /^[/%.*]$/.test(second)) return ''
  if (first === ',' || first === '=' || second === '=' || first === '-' || second === '-') return ' '
  if (second === ':' || first === ':') return isValue && second === ':' ? '' : ' '
  if (second === '(') return isSwitchHead || isValue ? ' ' : ''
  if (second === '[') return isValue ? ' ' : ''
  // A range like `0-100`: the sign belongs to the second number.
  if (a.kind !== 'word' && b.kind === 'number' && b.text[0] === '-' && first !== ')' && first !== ']') return ''
  return ' '
}

const SIMPLE = /^(\d{1,15}|\d{1,15}\.\d*|\d*\.\d+)$/
const isPositive = (text: string): boolean => SIMPLE.test(text) && Number(text) > 0

/** Ranges in one form: `0-100` between plain numbers, `-5 - 5` between others. */
function normaliseRanges(parts: readonly (Piece | Block)[]): (Piece | Block)[] {
  const out: (Piece | Block)[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!,
      before = out.at(-1),
      next = parts[i + 1]
    const follows = before && (before.kind === 'number' || before.kind === 'text')
    if (part.kind === 'mark' && part.text === '-' && follows && next?.kind === 'number') {
      if (before.kind === 'number' && SIMPLE.test(before.text) && isPositive(next.text)) {
        out.push({ ...next, text: `-${next.text}` })
        i++
      } else out.push(part)
    } else if (part.kind === 'number' && part.text[0] === '-' && follows) {
      // A negative zero ends no range: that error is not ours to mend either.
      const isRange = Number(part.text) !== 0
      if (!isRange || (before.kind === 'number' && SIMPLE.test(before.text) && isPositive(part.text.slice(1))))
        out.push(part)
      else out.push({ ...part, kind: 'mark', text: '-' }, { ...part, text: part.text.slice(1), newlines: 0 })
    } else out.push(part)
  }
  return out
}

/** Breaks what is too long where it may be broken. */
function fill(text: string, indent: string): string {
  let column = indent.length,
    out = ''
  const chunks = text.split(BREAK)
  chunks.forEach((chunk, i) => {
    const firstLine = chunk.split('\n', 1)[0]!
    if (i) {
      if (column + 1 + firstLine.length > WIDTH) {
        out += `\n${indent}${INDENT}${INDENT}`
        column = indent.length + 4
      } else {
        out += ' '
        column++
      }
    }
    out += chunk
    const lastLine = chunk.slice(chunk.lastIndexOf('\n') + 1)
    column = chunk.includes('\n') ? lastLine.length : column + chunk.length
  })
  return out
}
