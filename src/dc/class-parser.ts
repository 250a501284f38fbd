import {
  accept,
  complainExpected,
  expect,
  gap,
  isTopLevel,
  nested,
  peek,
  skipItem,
  SYNTAX,
  syntaxError,
  take,
} from './cursor.ts'
import { nearest } from './errors.ts'
import type { Token } from './lexer.ts'
import type { DCAtomicField, DCClass, DCField, DCMolecularField, DCParameterField } from './model.ts'
import {
  acceptName,
  acceptReserved,
  complainUnknown,
  createClass,
  expectName,
  grow,
  recover,
  type ClassDraft,
  type Draft,
  type Parser,
  type Schema,
} from './schema.ts'
import { parseParameterWithDefault, PRIMITIVES, strip } from './type-parser.ts'
import { weightOf } from './weight.ts'

/** Enters a class into the name space and gives it its number. */
export function addClass(schema: Schema, dclass: ClassDraft): void {
  if (!dclass.isStruct) dclass.number = schema.classes.length
  schema.classes.push(dclass)
  schema.classNames.set(dclass.name, dclass)
}

/** 'dclass' [IDENT] [':' IDENT {',' IDENT}] '{' { ';' | field ';' } '}' */
export function parseClass(parser: Parser, isStruct = true): ClassDraft {
  const start = parser.at,
    outer = parser.owner
  take(parser)
  const dclass = createClass((acceptName(parser) ?? acceptReserved(parser))?.text ?? '', isStruct)
  recover(
    parser,
    () => {
      if (!accept(parser, ':')) return
      do parseBase(parser, dclass)
      while (accept(parser, ','))
      if (peek(parser).kind !== '{') syntaxError(parser, "',' or '{'")
    },
    () => {
      // The body can be read without knowing what it is based on.
      while (!/^[{};]$/.test(peek(parser).kind) && !isTopLevel(peek(parser))) take(parser)
    },
  )
  const brace = expect(parser, '{')
  const comment = commentOf(parser, start, brace)
  if (comment) dclass.comment = comment
  parser.owner = dclass
  parseBody(parser, dclass, brace)
  parser.owner = outer
  inherit(parser, dclass)
  return dclass
}

/** Fields up to the closing brace. */
function parseBody(parser: Parser, dclass: ClassDraft, brace: Token): void {
  while (!accept(parser, '}')) {
    if (accept(parser, ';')) continue
    if (isTopLevel(peek(parser)) || isNextStruct(parser, dclass)) {
      const what = `${dclass.isStruct ? 'struct' : 'dclass'} ${dclass.name}`.trim()
      complainExpected(parser, gap(parser), `'}' at the end of ${what}`, { help: `its '{' is in line ${brace.line}` })
      break
    }
    recover(
      parser,
      () => parseField(parser, dclass),
      () => skipItem(parser),
    )
  }
}

/**
 * Whether a struct at the margin is not meant for a field, but the first declaration behind a dclass without its brace: it
 * has no field name.
 */
function isNextStruct(parser: Parser, dclass: DCClass): boolean {
  const { text, column } = peek(parser)
  if (dclass.isStruct || text !== 'struct' || column !== 1) return false
  let ahead = 1
  for (let level = 0; ; ahead++) {
    const token = peek(parser, ahead)
    if (isTopLevel(token)) return true
    if (token.kind === '{') level++
    else if (token.kind === '}' && --level <= 0) break
  }
  return peek(parser, ahead + 1).kind === ';'
}

function parseBase(parser: Parser, dclass: ClassDraft): void {
  const { schema } = parser,
    token = expectName(parser, 'the name of a base class'),
    name = token.text
  let base = schema.classNames.get(name)
  const isKnown = base && !base.isPlaceholder
  if (!base && !dclass.isStruct) {
    const stand = { ...createClass(name, false), isPlaceholder: true }
    UNCERTAIN.add(stand)
    addClass(schema, stand)
    base = stand
  }
  // Once is enough, but for a struct a warning is not.
  const isTold = schema.missing.has(name) && (schema.strict || !dclass.isStruct)
  if (!isKnown && !isTold) {
    const candidates = schema.classes
      .filter(each => each.isStruct === dclass.isStruct && !each.isPlaceholder)
      .map(each => each.name)
    const help = dclass.name === name ? 'a class cannot be its own base' : 'declare it above this line'
    const what = dclass.isStruct ? 'Undeclared base struct' : 'Undeclared base class'
    const error = complainUnknown(parser, token, what, candidates, help, dclass.isStruct || schema.strict)
    if (error) schema.missing.set(name, error)
  }
  if (!base) return
  if (base.isStruct === dclass.isStruct) dclass.parents.push(base)
  else if (isKnown)
    parser.complain(token, `struct name ${dclass.isStruct ? 'required' : 'not allowed'}: ${name}`, {
      help: `a ${dclass.isStruct ? 'struct inherits from structs' : 'dclass inherits from dclasses'} only`,
    })
}

/** The initial value of a field until it is worked out. */
const NOTHING = new Uint8Array(0)

function parseField(parser: Parser, dclass: ClassDraft): void {
  const start = parser.at,
    token = peek(parser),
    next = peek(parser, 1).kind
  const named = parser.isName(token)
  let field: Draft<DCAtomicField> | Draft<DCMolecularField> | Draft<DCParameterField>,
    at = token
  if (token.kind === '(' || (named && next === '(')) {
    if (named) refuseRangeOfUnknown(parser, token)
    field = parseMethod(parser, acceptName(parser)?.text ?? '')
    if (!field.name) parser.complain(token, 'Field name required')
  } else if (named && next === ':') field = parseMolecule(parser, dclass)
  else {
    const parameter = parseParameterWithDefault(parser)
    at = parameter.token
    field = {
      ...strip(parameter),
      number: -1,
      keywords: [],
      flags: 0,
      owner: dclass,
      hasDefault: parameter.default !== undefined,
      initial: NOTHING,
    }
    if (!parameter.isNamed && !dclass.isStruct) {
      const behind = peek(parser),
        isKeyword = behind.kind === 'id' && parser.schema.flags.has(behind.text)
      parser.complain(behind, 'Unnamed parameters are not allowed on a dclass', {
        help: isKeyword ? `${behind.text} is a keyword, and so no name` : 'give it a name behind its type',
      })
    }
  }
  parseKeywords(parser, field, dclass.isStruct || field.kind === 'molecular')
  const comment = commentOf(parser, start, endField(parser, dclass.isStruct || field.kind === 'molecular'))
  if (comment) field.comment = comment
  addField(parser, dclass, field, at)
}

/** `unit8(0-5) x` looks like a method, but no method has numbers for parameters. */
function refuseRangeOfUnknown(parser: Parser, token: Token): void {
  if (!/^(uint|int|real|string|-)$/.test(peek(parser, 2).kind)) return
  const suggestion = nearest(token.text, PRIMITIVES)
  const hints = suggestion ? { suggestion } : { help: 'only built-in types take a range' }
  parser.complain(token, `Undeclared type: ${token.text}`, hints)
  throw SYNTAX
}

/** Takes the ';' behind a field. One that is missing is complained about, and the field is kept. */
function endField(parser: Parser, isWithoutKeywords: boolean): Token {
  const { schema } = parser,
    last = parser.list[parser.at - 1]!,
    end = accept(parser, ';')
  if (end) return end
  let word = peek(parser),
    isUnknown = false
  // Words on the same line that begin no field are mistyped keywords.
  const isKeyword = () =>
    parser.isName(word) &&
    word.line === last.line &&
    !/^[(:]$/.test(peek(parser, 1).kind) &&
    !schema.typeNames.has(word.text) &&
    !schema.classNames.has(word.text)
  while (!isWithoutKeywords && isKeyword()) {
    complainUnknown(parser, word, 'Unknown keyword', schema.flags.keys(), `declare it before: keyword ${word.text};`)
    isUnknown = true
    take(parser)
    while (schema.flags.has(peek(parser).text)) take(parser)
    word = peek(parser)
  }
  const behind = accept(parser, ';')
  if (behind) return behind
  const place = gap(parser)
  if (!isUnknown || place !== word)
    complainExpected(parser, place, "';'", word.kind === '(' ? { help: 'a range stands directly behind the type' } : {})
  // A field on a line of its own is not to blame; whatever else stands here is part of this one.
  if (place === word) skipItem(parser)
  return last
}

function addField(parser: Parser, dclass: ClassDraft, field: Draft<DCField>, token: Token): void {
  const { name } = field,
    { fields } = parser.schema
  const isConstructor = name && name === dclass.name && field.kind === 'atomic'
  if (name && (NAMES.get(dclass)?.has(name) || (name === dclass.name && !isConstructor)))
    return void parser.complain(token, `Duplicate field name: ${name}`, {
      help: `${dclass.name || 'this struct'} has a field of that name already`,
    })
  if (isConstructor && !dclass.isStruct)
    return void parser.complain(token, 'A non-network field cannot be stored on a dclass', {
      help: 'only structs have constructors: give the method another name than the class',
    })
  if (name) NAMES.set(dclass, (NAMES.get(dclass) ?? new Map<string, DCField>()).set(name, field as DCField))
  if (isConstructor) {
    dclass.constructorField = field as DCAtomicField
    return
  }
  field.number = fields.length
  fields.push(field as DCField)
  dclass.fields.push(field as DCField)
}

/** Own fields by name, of the classes being read. */
const NAMES = new WeakMap<object, Map<string, DCField>>()

/** Keywords behind a field. */
function parseKeywords(parser: Parser, field: Draft<DCField>, forbidden: boolean): void {
  const { flags, keywords } = parser.schema
  let seen: Set<string> | undefined
  for (let token = peek(parser); token.kind === 'id' && flags.has(token.text); token = peek(parser)) {
    take(parser)
    if (forbidden)
      parser.complain(token, 'Communication keywords are not allowed here', {
        help:
          field.kind === 'molecular'
            ? 'a molecule has those of its methods'
            : `${token.text} is a keyword: neither a name, nor of use on the fields of structs`,
      })
    else if (!(seen ??= new Set()).has(token.text)) {
      seen.add(token.text)
      field.keywords.push(token.text)
      field.flags |= flags.get(token.text)!
      keywords.add(token.text)
    }
  }
}

/** '(' [ param {',' param} ] ')' behind the name. */
export function parseMethod(parser: Parser, name: string): Draft<DCAtomicField> {
  if (!parser.owner) parser.complain(peek(parser), 'Cannot define a method outside of a struct or class')
  const method: Draft<DCAtomicField> = {
    kind: 'atomic',
    name,
    number: -1,
    keywords: [],
    flags: 0,
    owner: parser.owner ?? createClass('', false),
    parameters: [],
  }
  expect(parser, '(')
  if (accept(parser, ')')) return method
  nested(parser, () => {
    do {
      method.parameters.push(strip(parseParameterWithDefault(parser)))
      // A keyword behind a type is meant for a name.
      if (peek(parser).kind === 'id' && parser.schema.flags.has(peek(parser).text)) acceptReserved(parser)
    } while (accept(parser, ','))
  })
  if (!accept(parser, ')')) syntaxError(parser, "',' or ')'")
  return method
}

/** IDENT ':' IDENT {',' IDENT} */
function parseMolecule(parser: Parser, dclass: ClassDraft): Draft<DCMolecularField> {
  const field: Draft<DCMolecularField> = {
    kind: 'molecular',
    name: take(parser).text,
    number: -1,
    keywords: [],
    flags: 0,
    owner: dclass,
    atomics: [],
    parameters: [],
  }
  take(parser)
  do {
    const token = expectName(parser, 'the name of a method'),
      atomic = findField(dclass, token.text)
    if (atomic?.kind === 'atomic') addAtomic(parser, field, atomic, token)
    else if (atomic)
      parser.complain(token, `Not an atomic field: ${token.text}`, {
        help: `a molecule is made of methods, and this is a ${atomic.kind === 'molecular' ? 'molecule' : 'value'}`,
      })
    else if (dclass.parents.some(parent => UNCERTAIN.has(parent))) {
      // It may be one of the undeclared base: a stand-in takes its place and number, as in Panda3D.
      const stand: DCAtomicField = {
        kind: 'atomic',
        name: token.text,
        number: -1,
        keywords: [],
        flags: 0,
        owner: dclass,
        parameters: [],
      }
      STANDS.add(stand)
      addField(parser, dclass, stand as Draft<DCField>, token)
      field.atomics.push(stand)
    } else {
      const methods = [...(NAMES.get(dclass)?.values() ?? []), ...dclass.parents.flatMap(parent => parent.inherited)]
      const candidates = methods.filter(each => each.kind === 'atomic').map(each => each.name)
      complainUnknown(parser, token, 'Unknown field', candidates, `declare it above, in ${dclass.name} or a base of it`)
    }
  } while (accept(parser, ','))
  return field
}

/** Classes with an undeclared base somewhere above, and the undeclared ones. */
const UNCERTAIN = new WeakSet<DCClass>()
/** Constructors that a struct has and inherits, by name. */
const CONSTRUCTORS = new WeakMap<DCClass, Map<string, DCAtomicField>>()
/** Methods that molecules suppose in an undeclared base. They have no keywords to compare. */
const STANDS = new WeakSet<DCAtomicField>()

function addAtomic(parser: Parser, field: Draft<DCMolecularField>, atomic: DCAtomicField, token: Token): void {
  const first = STANDS.has(atomic) ? undefined : field.atomics.find(each => !STANDS.has(each))
  if (!first && !STANDS.has(atomic)) {
    field.keywords = [...atomic.keywords]
    field.flags = atomic.flags
  } else if (first && !isSameSet(first.keywords, atomic.keywords)) {
    const words = (keywords: readonly string[]) => keywords.join(' ') || 'none'
    parser.complain(token, `Mismatched keywords in molecule between ${first.name} and ${atomic.name}`, {
      help: `${first.name} has ${words(first.keywords)}, ${atomic.name} has ${words(atomic.keywords)}`,
    })
  }
  grow(parser, token, weightOf(atomic).size)
  field.atomics.push(atomic)
  field.parameters.push(...atomic.parameters)
}

/** Neither list has duplicates. */
function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  if (a.every((word, i) => b[i] === word)) return true
  const words = new Set(b)
  return a.every(word => words.has(word))
}

const findField = (dclass: DCClass, name: string): DCField | undefined => {
  const own = NAMES.get(dclass)?.get(name)
  if (own) return own
  for (const parent of dclass.parents) {
    const field = parent.inherited.find(each => each.name === name) ?? CONSTRUCTORS.get(parent)?.get(name)
    if (field) return field
  }
  return undefined
}

/** Fills in the inherited list: parents in order, the first of equal names, own fields instead of theirs, by number. */
function inherit(parser: Parser, dclass: ClassDraft): void {
  const own = NAMES.get(dclass),
    seen = new Set<string>()
  const constructors = new Map<string, DCAtomicField>()
  for (const parent of dclass.parents) {
    if (UNCERTAIN.has(parent)) UNCERTAIN.add(dclass)
    for (const [name, field] of CONSTRUCTORS.get(parent) ?? [])
      if (!constructors.has(name)) constructors.set(name, field)
    grow(parser, peek(parser), parent.inherited.length)
    for (const field of parent.inherited) {
      if (!field.name || seen.has(field.name) || own?.has(field.name)) continue
      seen.add(field.name)
      dclass.inherited.push(field)
    }
  }
  // Own fields have the greatest numbers, and one parent's are in order already.
  if (dclass.parents.length > 1) dclass.inherited.sort((a, b) => a.number - b.number)
  for (const field of dclass.fields) dclass.inherited.push(field)
  const members = dclass.inherited.filter(field => field.kind !== 'molecular')
  if (dclass.constructorField) constructors.set(dclass.name, dclass.constructorField)
  if (constructors.size) CONSTRUCTORS.set(dclass, constructors)
  dclass.members = dclass.constructorField ? [dclass.constructorField, ...members] : members
}

/** The comment directly above the declaration that begins at this token, or behind its last one on that line. */
function commentOf(parser: Parser, start: number, last: Token): string | undefined {
  const first = parser.list[start]!,
    before = parser.list[start - 1]
  const alone = !before || before.line < first.line
  const lines: string[] = []
  let comment = alone ? (parser.leading.get(first.line) ?? parser.leading.get(first.line - 1)) : undefined
  for (; comment; comment = parser.leading.get(comment.line - 1)) lines.unshift(comment.text)
  const behind = parser.trailing.get(last.line)
  if (behind && peek(parser).line > last.line) lines.push(behind.text)
  return lines.join('\n') || undefined
}
