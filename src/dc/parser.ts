import { addClass, parseClass, parseMethod } from './class-parser.ts'
import { createFile } from './compiled.ts'
import { accept, complainExpected, isTopLevel, nested, peek, syntaxError, take, type Hints } from './cursor.ts'
import { nearest } from './errors.ts'
import { extended } from './extension.ts'
import { hashFile } from './hash.ts'
import { tokenize, type Token, type Tokens } from './lexer.ts'
import type { DCError, DCFile, DCImport, DCParameterField, DCType } from './model.ts'
import { packDefault } from './packer.ts'
import {
  acceptName,
  complainUnknown,
  expectName,
  HISTORICAL,
  MAX_ERRORS,
  MAX_SIZE,
  recover,
  RESERVED,
  weigh,
  type Parser,
  type Schema,
} from './schema.ts'
import { schemaVersion, structureHash } from './structure.ts'
import { isPrimitive, parseParameterWithDefault, parseSwitch, PRIMITIVES, type NamedType } from './type-parser.ts'

/** Options of {@link parseDC}. */
export interface ParseOptions {
  /**
   * Whether undeclared types and base classes are errors. Default true. With false they are warnings, and stand-ins take
   * their place (and number) as in Panda3D.
   */
  readonly strict?: boolean
  /**
   * Whether each character of the texts stands for a byte of the file, as after `readFileSync(path, 'latin1')`. Default
   * false: the texts are decoded, and strings in them are UTF-8. Only a string that is no UTF-8 needs it.
   */
  readonly latin1?: boolean
}

/** What became of the texts. The file holds what could be understood; use it only when there are no errors. */
export interface ParseResult {
  readonly file: DCFile
  /** In the order of the text, at most a hundred. */
  readonly errors: readonly DCError[]
  readonly warnings: readonly DCError[]
}

/**
 * Reads a schema from one or several DC texts (several are one DCFile: numbers run on). Never throws for what a text
 * says: `errors` tells what is wrong with it, as much as can be told at once; `formatErrors` makes text of them.
 */
export function parseDC(
  texts: string | readonly { readonly name: string; readonly text: string }[],
  options: ParseOptions = {},
): ParseResult {
  const schema: Schema = {
    strict: options.strict ?? true,
    errors: [],
    warnings: [],
    classes: [],
    classNames: new Map(),
    switches: new Map(),
    typedefs: [],
    typeNames: new Map(),
    imports: [],
    flags: new Map(HISTORICAL.map((name, i) => [name, 1 << i])),
    keywords: new Set(),
    fields: [],
    missing: new Map(),
    lost: new Set(),
    size: 0,
  }
  for (const { name, text } of typeof texts === 'string' ? [{ name: 'dc', text: texts }] : texts)
    parseText(createParser(schema, name, tokenize(text, options.latin1)))
  const { classes, typedefs, imports, fields, errors, warnings } = schema
  const hash = schema.size > MAX_SIZE ? 0 : hashFile({ classes })
  if (errors.length === 0) for (const field of fields) if (field.kind === 'parameter') setInitial(field)
  const hash64 = schema.size > MAX_SIZE ? 0n : structureHash({ classes })
  const version = schemaVersion({ typedefs })
  const keywords = [...schema.keywords]
  const file = createFile({ classes, imports, keywords, typedefs, fields, hash, structureHash: hash64, version })
  return { file, errors: inOrder(errors, texts), warnings: inOrder(warnings, texts) }
}

/** Complaints in the order of the texts: some are only seen at the end of what they are about. */
function inOrder(errors: readonly DCError[], texts: string | readonly { readonly name: string }[]): DCError[] {
  const places = new Map(typeof texts === 'string' ? [] : texts.map(({ name }, i) => [name, i]))
  const place = ({ file }: DCError) => places.get(file) ?? 0
  return [...errors].sort((a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column)
}

function createParser(schema: Schema, file: string, tokens: Tokens): Parser {
  const report = (into: DCError[], severity: DCError['severity']) => (token: Token, message: string, hints?: Hints) => {
    const { line, column, length, start } = token
    const end = tokens.text.indexOf('\n', start),
      source = tokens.text.slice(start - column + 1, end < 0 ? undefined : end).replace(/\r$/, '')
    const error: DCError = { file, line, column, length: Math.max(1, length), message, severity, source, ...hints }
    if (into.length < MAX_ERRORS) into.push(error)
    if (into.length === MAX_ERRORS && into === schema.errors) parser.at = tokens.list.length - 1
    return error
  }
  const comments = (trailing: boolean, key: 'line' | 'endLine') =>
    new Map(tokens.comments.filter(comment => comment.trailing === trailing).map(comment => [comment[key], comment]))
  const parser: Parser = {
    ...tokens,
    schema,
    isStrict: schema.strict,
    at: 0,
    depth: 0,
    faulty: -1,
    owner: undefined,
    leading: comments(false, 'endLine'),
    trailing: comments(true, 'line'),
    complain: report(schema.errors, 'error'),
    warn: report(schema.warnings, 'warning'),
    isName: ({ kind, text }) => kind === 'id' && !RESERVED.has(text) && !isPrimitive(text) && !schema.flags.has(text),
    isReserved: ({ kind, text }) => kind === 'id' && (RESERVED.has(text) || isPrimitive(text)),
    lookUp: token => lookUp(parser, token),
    parseStruct: () => ({ kind: 'class', dclass: parseClass(parser) }),
    parseMethod: () => parseMethod(parser, acceptName(parser)?.text ?? ''),
    recover: (parse, skip) => recover(parser, parse, skip),
    weigh: (type, token) => weigh(parser, type, token),
  }
  for (const { nested } of tokens.comments)
    if (nested) parser.warn(nested, 'A comment seems to begin within this one: is the end of the first one missing?')
  return parser
}

function parseText(parser: Parser): void {
  while (peek(parser).kind !== 'end') {
    if (accept(parser, ';')) continue
    const start = parser.at
    recover(
      parser,
      () => parseDeclaration(parser),
      () => {
        // The rest of a broken declaration is not worth complaints: go on where one can begin.
        if (parser.at === start) take(parser)
        skipDeclaration(parser)
      },
    )
  }
}

/** To the next declaration, or behind the ';' of this one, past its braces. */
function skipDeclaration(parser: Parser): void {
  for (let level = 0; !beginsDeclaration(peek(parser));) {
    const { kind } = take(parser)
    if (kind === '{') level++
    else if (kind === '}') level = Math.max(0, level - 1)
    else if (kind === ';' && !level) return
  }
}

/** Structs and switches also begin fields: only at the margin are they taken for declarations. */
const beginsDeclaration = (token: Token): boolean =>
  isTopLevel(token) ||
  (token.kind === 'id' && token.column === 1 && (token.text === 'struct' || token.text === 'switch'))

const DECLARATIONS = ['dclass', 'struct', 'switch', 'typedef', 'keyword', 'import', 'from']

function parseDeclaration(parser: Parser): void {
  const token = peek(parser)
  let word = token.kind === 'id' ? token.text : ''
  if (!DECLARATIONS.includes(word)) {
    const suggestion = nearest(word, DECLARATIONS)
    complainExpected(parser, token, 'dclass, struct, switch, typedef, keyword, import or from', {
      ...(suggestion && { suggestion }),
    })
    // A mistyped word is read as what was meant, so that what it declares is known.
    if (!suggestion || peek(parser, 1).kind !== 'id') return take(parser) && skipDeclaration(parser)
    word = suggestion
  }
  switch (word) {
    case 'dclass':
    case 'struct':
      return declareClass(parser, word === 'struct')
    case 'switch':
      return declareSwitch(parser)
    case 'typedef':
      return parseTypedef(parser)
    case 'keyword':
      return parseKeywordList(parser)
    default:
      return parseImport(parser, word === 'from')
  }
}

function declareSwitch(parser: Parser): void {
  const { schema } = parser,
    token = peek(parser),
    name = peek(parser, 1),
    type = nested(parser, () => parseSwitch(parser))
  parser.weigh(type, token)
  if (!type.name) parser.complain(token, 'A switch needs a name here', { help: 'switch Name (uint8 key) { … };' })
  else if (schema.classNames.has(type.name) || schema.switches.has(type.name))
    parser.complain(name, `Duplicate class name: ${type.name}`, {
      help: 'classes, structs and switches share their names',
    })
  else {
    schema.switches.set(type.name, type)
    explainMissing(schema, type.name, token)
  }
}

/** Names up to the end of the list; nothing stands between them. */
function parseKeywordList(parser: Parser): void {
  const { schema } = parser
  take(parser)
  for (;;) {
    const { text } = peek(parser)
    if (!parser.isName(peek(parser)) && !schema.flags.has(text)) return
    take(parser)
    schema.flags.set(text, -1)
    schema.keywords.add(text)
    // The habit of other lists.
    if (peek(parser).kind === ',')
      syntaxError(parser, "a keyword or ';'", { help: 'keywords are listed with blanks between them' })
  }
}

/** import := 'import' modname | 'from' modname 'import' ( '*' | sym { ',' sym } ) */
function parseImport(parser: Parser, from: boolean): void {
  const path = (separator: string, part: () => string): string => {
    let text = part()
    while (accept(parser, separator)) text += separator + part()
    return text
  }
  const symbol = () => path('/', () => expectName(parser).text)
  take(parser)
  const module = path('.', symbol)
  const entry: DCImport & { symbols: string[] } = { module, symbols: [] }
  if (from) {
    const token = peek(parser)
    if (token.text !== 'import')
      syntaxError(
        parser,
        "'import'",
        token.kind === '-' ? { help: 'module names are identifiers, with . and / between them' } : {},
      )
    take(parser)
    if (accept(parser, '*')) entry.symbols.push('*')
    else
      do entry.symbols.push(symbol())
      while (accept(parser, ','))
  }
  parser.schema.imports.push(entry)
}

function parseTypedef(parser: Parser): void {
  const { schema } = parser
  take(parser)
  const { name, type, token, default: packed } = parseParameterWithDefault(parser)
  const old = schema.typeNames.get(name),
    typedef = { name, type: extended(name, type), ...(packed && { default: packed }) }
  if (!name) parser.complain(token, 'A typedef needs a name', { help: 'typedef type Name;' })
  else if (!old) {
    schema.typeNames.set(name, typedef)
    schema.typedefs.push(typedef)
  } else if (old.bogus) {
    const first = forgetMissing(schema, name)
    parser.complain(token, `typedef defined after its first reference: ${name}`, {
      help: first ? `move it above line ${first.line}, where it is used first` : 'move it above its first use',
    })
  } else parser.complain(token, `Duplicate typedef name: ${name}`)
}

/** Takes back the complaint about a name that was used before this place: there is a better one. */
function forgetMissing({ missing, errors }: Schema, name: string): DCError | undefined {
  const error = missing.get(name),
    at = error ? errors.indexOf(error) : -1
  if (at >= 0) errors.splice(at, 1)
  missing.delete(name)
  return error
}

/** A type that was complained about is declared after all: the complaint says where. */
function explainMissing({ missing }: Schema, name: string, { line }: Token): void {
  const error = missing.get(name)
  if (!error) return
  const draft: { help?: string; suggestion?: string } = error
  draft.help = `it is declared in line ${line}: move that above this line`
  delete draft.suggestion
  missing.delete(name)
}

const INSTEAD: Record<string, string> = {
  float32: 'use float64 or a divisor, as int16/100, or declare `typedef blob(4) float32;`',
  float: 'use float64 or a divisor, as int16/100',
  double: 'use float64',
  bool: 'use uint8(0-1), or declare `typedef uint8(0-1) bool;`',
  int: 'use int8, int16, int32 or int64',
  str: 'use string',
}

function lookUp(parser: Parser, token: Token): NamedType {
  const { schema } = parser,
    name = token.text
  let found = schema.typeNames.get(name)
  if (!found) {
    const dclass = schema.classNames.get(name),
      type: DCType | undefined = dclass ? { kind: 'class', dclass } : schema.switches.get(name)
    found = type ? { type } : { type: { kind: 'invalid' }, bogus: true }
    // Remembered like Panda3D's implicit typedef: a later declaration does not repair an earlier use.
    schema.typeNames.set(name, found)
    if (!type) complainMissingType(parser, token)
  }
  return { ...found, type: { ...found.type, typedefName: name } }
}

function complainMissingType(parser: Parser, token: Token): void {
  const { schema, owner } = parser,
    name = token.text,
    isOwn = owner?.name === name,
    help = isOwn ? 'it cannot contain itself' : (INSTEAD[name] ?? 'declare it above this line')
  const declared = [...schema.typeNames].filter(([, { bogus }]) => !bogus).map(([each]) => each)
  const candidates =
    isOwn || INSTEAD[name] ? [] : [...PRIMITIVES, ...declared, ...schema.classNames.keys(), ...schema.switches.keys()]
  const error = complainUnknown(parser, token, 'Undeclared type', candidates, help, schema.strict)
  if (error && !isOwn) schema.missing.set(name, error)
}

/** A class or struct at the top level: enters the name space and takes a number. */
function declareClass(parser: Parser, isStruct: boolean): void {
  const { schema } = parser,
    word = peek(parser),
    token = peek(parser, 1)
  const dclass = parseClass(parser, isStruct)
  const old = schema.classNames.get(dclass.name)
  if (!dclass.name) parser.complain(word, `A ${dclass.isStruct ? 'struct' : 'dclass'} needs a name here`)
  else if (old?.isPlaceholder) {
    const first = forgetMissing(schema, dclass.name)
    parser.complain(token, `Base class defined after its first reference: ${dclass.name}`, {
      help: first
        ? `move it above line ${first.line}, where it is a base`
        : 'move it above the classes that it is a base of',
    })
  } else if (old || schema.switches.has(dclass.name))
    parser.complain(token, `Duplicate class name: ${dclass.name}`, {
      help: 'classes, structs and switches share their names',
    })
  else {
    addClass(schema, dclass)
    explainMissing(schema, dclass.name, word)
  }
}

/** The model is read-only for everyone else; here it is still being made. */
function setInitial(field: DCParameterField): void {
  const draft: { initial: Uint8Array } = field
  try {
    draft.initial = field.default ?? packDefault(field)
  } catch {
    // Too large, or of an undeclared type: nothing can hold it.
  }
}
