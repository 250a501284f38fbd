import { isTopLevel, peek, SYNTAX, syntaxError, take } from './cursor.ts'
import { nearest } from './errors.ts'
import type { Comment, Token } from './lexer.ts'
import type { DCClass, DCError, DCField, DCType, DCTypedef } from './model.ts'
import type { NamedType, TypeCursor } from './type-parser.ts'
import { weightOf } from './weight.ts'

/** A part of the model while it is read. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] }
/** A class while it is read. */
export type ClassDraft = Draft<DCClass>

/** Everything that outlives one text. */
export interface Schema {
  readonly strict: boolean
  readonly errors: DCError[]
  readonly warnings: DCError[]
  readonly classes: DCClass[]
  readonly classNames: Map<string, DCClass>
  readonly switches: Map<string, DCType>
  readonly typedefs: DCTypedef[]
  readonly typeNames: Map<string, NamedType>
  readonly imports: { module: string; symbols: string[] }[]
  /** Every keyword that may be used, with its flag: a historical bit, or -1 when the text declares it. */
  readonly flags: Map<string, number>
  readonly keywords: Set<string>
  readonly fields: DCField[]
  /** Complaints about types and bases that may still be declared below. */
  readonly missing: Map<string, DCError>
  /** Words of declarations that could not be read: whoever uses them is not to blame. */
  readonly lost: Set<string>
  /** Nodes that visiting all types takes. */
  size: number
}

/** The parser of one text. */
export interface Parser extends TypeCursor {
  readonly schema: Schema
  readonly leading: Map<number, Comment>
  readonly trailing: Map<number, Comment>
  /** The class whose body is being read. */
  owner: ClassDraft | undefined
}

/** Panda3D's built-in keywords; the place is the bit of the flag. */
export const HISTORICAL = ['required', 'broadcast', 'ownrecv', 'ram', 'db', 'clsend', 'clrecv', 'ownsend', 'airecv']
/** Words that are never names. `__proto__` is ours: values are plain objects. */
export const RESERVED: ReadonlySet<string> = new Set(
  'dclass struct from import keyword typedef switch case default break __proto__'.split(' '),
)
/** After so many complaints nothing more is read. */
export const MAX_ERRORS = 100
/** Words of lost declarations that are kept. */
const MAX_LOST = 10000

/** Small structs doubled thirty times are a billion nodes to hash; no schema comes near this many. */
export const MAX_SIZE = 1 << 19
const MAX_TYPE_DEPTH = 128

/** An empty class. */
export const createClass = (name: string, isStruct: boolean): ClassDraft => ({
  name,
  number: -1,
  isStruct,
  isPlaceholder: false,
  parents: [],
  fields: [],
  inherited: [],
  members: [],
})

/** Takes the next token if it is a name. */
export const acceptName = (parser: Parser): Token | undefined =>
  parser.isName(peek(parser)) ? take(parser) : undefined

/** Takes the next token, which must be a name. Reserved words are taken for names after a complaint. */
export function expectName(parser: Parser, what = 'a name'): Token {
  return acceptName(parser) ?? acceptReserved(parser) ?? syntaxError(parser, what)
}

/** Takes a word that can be no name, but stands where only one can, and complains about it. */
export function acceptReserved(parser: Parser): Token | undefined {
  const token = peek(parser)
  if (token.kind !== 'id' || parser.isName(token) || isTopLevel(token)) return undefined
  const kind = parser.schema.flags.has(token.text) ? 'keyword' : 'reserved word'
  parser.complain(token, `Syntax error: expected a name, found the ${kind} ${token.text}`, {
    expected: 'a name',
    found: token.text,
    help:
      kind === 'keyword'
        ? 'keywords are no names, once declared: choose another'
        : `choose another name, such as ${token.text}_`,
  })
  return take(parser)
}

/** Runs a parser; after a syntax error, whatever finds the place to go on from. What was passed over is lost. */
export function recover(parser: Parser, parse: () => void, skip: () => void): void {
  const { depth, owner, at } = parser
  try {
    parse()
  } catch (error) {
    if (error !== SYNTAX) throw error
    parser.depth = depth
    parser.owner = owner
    skip()
    lose(parser, at, parser.at)
  }
}

/** Remembers the names in tokens [from, to): they may have been declarations. */
function lose({ list, schema: { lost } }: Parser, from: number, to: number): void {
  for (let i = from; i < to && lost.size < MAX_LOST; i++) if (list[i]!.kind === 'id') lost.add(list[i]!.text)
}

/** The complaint (a warning if not `strict`) about an undeclared name; none if its declaration was lost to an error before. */
export function complainUnknown(
  parser: Parser,
  token: Token,
  message: string,
  candidates: Iterable<string>,
  help?: string,
  strict = true,
): DCError | undefined {
  if (parser.schema.lost.has(token.text)) return undefined
  const suggestion = nearest(token.text, candidates)
  const report = strict ? parser.complain : parser.warn
  return report(token, `${message}: ${token.text}`, suggestion ? { suggestion } : help ? { help } : {})
}

/** Refuses types that are too deep or too large to visit. */
export function weigh(parser: Parser, type: DCType, token: Token): void {
  const { size, depth } = weightOf(type)
  grow(parser, token, depth > MAX_TYPE_DEPTH ? Infinity : size)
}

/** Counts nodes; beyond the limit nothing more is read. */
export function grow(parser: Parser, token: Token, size: number): void {
  const { schema } = parser,
    before = schema.size
  schema.size += size
  if (schema.size <= MAX_SIZE) return
  if (before <= MAX_SIZE)
    parser.complain(token, 'The schema is too large: types are nested too deeply or repeated too often')
  parser.at = parser.list.length - 1
  throw SYNTAX
}
