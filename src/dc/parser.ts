import { addClass, parseClass, parseMethod } from './class-parser.ts'
import { createFile } from './compiled.ts'
import { accept, nested, peek, syntaxError, take } from './cursor.ts'
import { extended } from './extension.ts'
import { hashFile } from './hash.ts'
import { tokenize, type Token, type Tokens } from './lexer.ts'
import type { DCError, DCFile, DCImport, DCParameterField, DCType } from './model.ts'
import { packDefault } from './packer.ts'
import {
  acceptName,
  expectName,
  HISTORICAL,
  MAX_ERRORS,
  MAX_SIZE,
  recover,
  RESERVED,
  TOP_LEVEL,
  weigh,
  type Parser,
  type Schema,
} from './schema.ts'
import { schemaVersion, structureOf } from './structure.ts'
import { isPrimitive, parseParameterWithDefault, parseSwitch, type NamedType } from './type-parser.ts'

/** Options of {@link parseDC}. */
export interface ParseOptions {
  /**
   * Whether undeclared types and base classes are errors. Default true. With false they are warnings, and stand-ins take
   * their place (and number) as in Panda3D.
   */
  readonly strict?: boolean
}

/** What became of the texts. The file holds what could be understood; use it only when there are no errors. */
export interface ParseResult {
  readonly file: DCFile
  readonly errors: readonly DCError[]
  readonly warnings: readonly DCError[]
}

/**
 * Reads a schema from one or several DC texts (several are one DCFile: numbers run on). Never throws for what a text
 * says: `errors` tells what is wrong with it, with several of them where reading can go on.
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
    missingBases: new Map(),
    size: 0,
  }
  for (const { name, text } of typeof texts === 'string' ? [{ name: 'dc', text: texts }] : texts)
    parseText(createParser(schema, name, tokenize(text)))
  const { classes, typedefs, imports, fields, errors, warnings } = schema
  const hash = schema.size > MAX_SIZE ? 0 : hashFile({ classes })
  if (errors.length === 0) for (const field of fields) if (field.kind === 'parameter') setInitial(field)
  const structureHash = schema.size > MAX_SIZE ? 0n : structureOf({ classes }).hash
  const version = schemaVersion({ typedefs })
  const keywords = [...schema.keywords]
  const file = createFile({ classes, imports, keywords, typedefs, fields, hash, structureHash, version })
  return { file, errors, warnings }
}

function createParser(schema: Schema, file: string, tokens: Tokens): Parser {
  const report =
    (into: DCError[]) =>
    ({ line, column }: Token, message: string) => {
      const error = { file, line, column, message }
      if (into.length < MAX_ERRORS) into.push(error)
      if (into.length === MAX_ERRORS && into === schema.errors) parser.at = tokens.list.length - 1
      return error
    }
  const comments = (trailing: boolean, key: 'line' | 'endLine') =>
    new Map(tokens.comments.filter(comment => comment.trailing === trailing).map(comment => [comment[key], comment]))
  const parser: Parser = {
    ...tokens,
    schema,
    at: 0,
    depth: 0,
    owner: undefined,
    leading: comments(false, 'endLine'),
    trailing: comments(true, 'line'),
    complain: report(schema.errors),
    warn: report(schema.warnings),
    isName: ({ kind, text }) => kind === 'id' && !RESERVED.test(text) && !isPrimitive(text) && !schema.flags.has(text),
    lookUp: token => lookUp(parser, token),
    parseStruct: () => ({ kind: 'class', dclass: parseClass(parser) }),
    parseMethod: () => parseMethod(parser, acceptName(parser)?.text ?? ''),
    weigh: (type, token) => weigh(parser, type, token),
  }
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
        while (!beginsDeclaration(peek(parser))) take(parser)
      },
    )
  }
}

/** Structs and switches also begin fields: only at the margin are they taken for declarations. */
const beginsDeclaration = ({ kind, text, column }: Token): boolean =>
  kind === 'end' || (kind === 'id' && (TOP_LEVEL.test(text) || (column === 1 && /^(struct|switch)$/.test(text))))

function parseDeclaration(parser: Parser): void {
  const { schema } = parser,
    token = peek(parser)
  switch (token.kind === 'id' ? token.text : '') {
    case 'dclass':
    case 'struct':
      return declareClass(parser)
    case 'switch': {
      const name = peek(parser, 1),
        type = nested(parser, () => parseSwitch(parser))
      parser.weigh(type, token)
      if (!type.name) parser.complain(token, 'A switch needs a name here')
      else if (schema.classNames.has(type.name) || schema.switches.has(type.name))
        parser.complain(name, `Duplicate class name: ${type.name}`)
      else schema.switches.set(type.name, type)
      return
    }
    case 'typedef':
      return parseTypedef(parser)
    case 'import':
    case 'from':
      return parseImport(parser)
    case 'keyword': {
      take(parser)
      for (;;) {
        const { text } = peek(parser)
        if (!parser.isName(peek(parser)) && !schema.flags.has(text)) return
        take(parser)
        schema.flags.set(text, -1)
        schema.keywords.add(text)
      }
    }
    default:
      syntaxError(parser, 'dclass, struct, switch, typedef, keyword, import or from')
  }
}

/** import := 'import' modname | 'from' modname 'import' ( '*' | sym { ',' sym } ) */
function parseImport(parser: Parser): void {
  const path = (separator: string, part: () => string): string => {
    let text = part()
    while (accept(parser, separator)) text += separator + part()
    return text
  }
  const symbol = () => path('/', () => expectName(parser).text)
  const from = take(parser).text === 'from',
    module = path('.', symbol)
  const entry: DCImport & { symbols: string[] } = { module, symbols: [] }
  if (from) {
    if (peek(parser).text !== 'import') syntaxError(parser, "'import'")
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
  if (!name) parser.complain(token, 'A typedef needs a name')
  else if (old)
    parser.complain(
      token,
      `${old.bogus ? 'typedef defined after its first reference' : 'Duplicate typedef name'}: ${name}`,
    )
  else {
    schema.typeNames.set(name, typedef)
    schema.typedefs.push(typedef)
  }
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
    if (!type) {
      const why =
        parser.owner?.name === name
          ? `${name} cannot contain itself`
          : name === 'float32'
            ? 'DC has none: use float64 or a divisor, int16/100'
            : name === 'bool'
              ? 'DC has none: use uint8(0-1)'
              : 'declare it above this line'
      ;(schema.strict ? parser.complain : parser.warn)(token, `Undeclared type: ${name} (${why})`)
    }
  }
  return { ...found, type: { ...found.type, typedefName: name } }
}

/** A class or struct at the top level: enters the name space and takes a number. */
function declareClass(parser: Parser): void {
  const { schema } = parser,
    token = peek(parser, 1)
  const dclass = parseClass(parser)
  const old = schema.classNames.get(dclass.name)
  if (!dclass.name) parser.complain(token, `A ${dclass.isStruct ? 'struct' : 'dclass'} needs a name here`)
  else if (old?.isPlaceholder) {
    const missing = schema.missingBases.get(dclass.name),
      at = missing ? schema.errors.indexOf(missing) : -1
    if (at >= 0) schema.errors.splice(at, 1)
    parser.complain(token, `Base class defined after its first reference: ${dclass.name}`)
  } else if (old || schema.switches.has(dclass.name)) parser.complain(token, `Duplicate class name: ${dclass.name}`)
  else addClass(schema, dclass)
}

/** The model is read-only for everyone else; here it is still being made. */
function setInitial(field: DCParameterField): void {
  const draft: { initial: Uint8Array } = field
  try {
    draft.initial = packDefault(field)
  } catch {
    // Too large, or of an undeclared type: nothing can hold it.
  }
}
