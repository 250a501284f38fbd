import { accept, expect, nested, peek, take } from './cursor.ts'
import type { Token } from './lexer.ts'
import type { DCAtomicField, DCClass, DCField, DCMolecularField, DCParameterField } from './model.ts'
import {
  acceptName,
  createClass,
  expectName,
  grow,
  recover,
  TOP_LEVEL,
  type ClassDraft,
  type Draft,
  type Parser,
  type Schema,
} from './schema.ts'
import { parseParameterWithDefault, strip } from './type-parser.ts'
import { weightOf } from './weight.ts'

/** Enters a class into the name space and gives it its number. */
export function addClass(schema: Schema, dclass: ClassDraft): void {
  if (!dclass.isStruct) dclass.number = schema.classes.length
  schema.classes.push(dclass)
  schema.classNames.set(dclass.name, dclass)
}

/** 'dclass' [IDENT] [':' IDENT {',' IDENT}] '{' { ';' | field ';' } '}' */
export function parseClass(parser: Parser): ClassDraft {
  const start = parser.at,
    isStruct = take(parser).text === 'struct',
    outer = parser.owner
  const dclass = createClass(acceptName(parser)?.text ?? '', isStruct)
  if (accept(parser, ':')) {
    do parseBase(parser, dclass)
    while (accept(parser, ','))
  }
  const brace = expect(parser, '{')
  const comment = commentOf(parser, start, brace)
  if (comment) dclass.comment = comment
  parser.owner = dclass
  while (!accept(parser, '}')) {
    const token = peek(parser)
    if (token.kind === ';') take(parser)
    else if (token.kind === 'end' || (token.kind === 'id' && TOP_LEVEL.test(token.text))) {
      parser.complain(
        token,
        `Syntax error: expected '}' at the end of ${dclass.name || 'the struct'}, found ${token.text}`,
      )
      break
    } else
      recover(
        parser,
        () => parseField(parser, dclass),
        () => skipField(parser),
      )
  }
  parser.owner = outer
  inherit(parser, dclass)
  return dclass
}

/** To behind the next ';' of this body, or to its '}', past nested ones. */
function skipField(parser: Parser): void {
  for (let level = 0; ;) {
    const { kind, text } = peek(parser)
    if (kind === 'end' || (kind === 'id' && TOP_LEVEL.test(text)) || (kind === '}' && !level)) return
    take(parser)
    if (kind === '{') level++
    else if (kind === '}') level--
    else if (kind === ';' && !level) return
  }
}

function parseBase(parser: Parser, dclass: ClassDraft): void {
  const { schema } = parser,
    token = expectName(parser),
    name = token.text
  let base = schema.classNames.get(name)
  if (!base && !dclass.isStruct) {
    const stand = { ...createClass(name, false), isPlaceholder: true }
    addClass(schema, stand)
    base = stand
    const error = (schema.strict ? parser.complain : parser.warn)(
      token,
      `Undeclared base class: ${name} (declare it above this line)`,
    )
    if (schema.strict) schema.missingBases.set(name, error)
  }
  if (base?.isStruct !== dclass.isStruct)
    parser.complain(token, `struct name ${dclass.isStruct ? 'required' : 'not allowed'}: ${name}`)
  else dclass.parents.push(base)
}

function parseField(parser: Parser, dclass: ClassDraft): void {
  const start = parser.at,
    token = peek(parser),
    next = peek(parser, 1).kind
  const named = parser.isName(token)
  let field: Draft<DCAtomicField> | Draft<DCMolecularField> | Draft<DCParameterField>,
    at = token
  if (token.kind === '(' || (named && next === '(')) {
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
      initial: new Uint8Array(),
    }
    if (!field.name && !dclass.isStruct) parser.complain(peek(parser), 'Unnamed parameters are not allowed on a dclass')
  }
  parseKeywords(parser, field, dclass.isStruct || field.kind === 'molecular')
  const comment = commentOf(parser, start, expect(parser, ';'))
  if (comment) field.comment = comment
  addField(parser, dclass, field, at)
}

function addField(parser: Parser, dclass: ClassDraft, field: Draft<DCField>, token: Token): void {
  const { name } = field,
    { fields } = parser.schema
  const isConstructor = name && name === dclass.name && field.kind === 'atomic'
  if (name && (NAMES.get(dclass)?.has(name) || (name === dclass.name && !isConstructor)))
    return void parser.complain(token, `Duplicate field name: ${name}`)
  if (isConstructor && !dclass.isStruct)
    return void parser.complain(token, 'A non-network field cannot be stored on a dclass')
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
  for (let token = peek(parser); token.kind === 'id' && flags.has(token.text); token = peek(parser)) {
    take(parser)
    if (forbidden) parser.complain(token, 'Communication keywords are not allowed here')
    else if (!field.keywords.includes(token.text)) {
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
    do method.parameters.push(strip(parseParameterWithDefault(parser)))
    while (accept(parser, ','))
  })
  expect(parser, ')')
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
    const token = expectName(parser),
      atomic = findField(dclass, token.text)
    if (atomic?.kind === 'atomic') addAtomic(parser, field, atomic, token)
    else if (atomic) parser.complain(token, `Not an atomic field: ${token.text}`)
    else if (!hasPlaceholder(dclass)) parser.complain(token, `Unknown field: ${token.text}`)
    else {
      // It may be one of the undeclared base: a stand-in takes its number, as in Panda3D.
      const stand: DCAtomicField = {
        kind: 'atomic',
        name: token.text,
        number: parser.schema.fields.length,
        keywords: [],
        flags: 0,
        owner: dclass,
        parameters: [],
      }
      parser.schema.fields.push(stand)
      field.atomics.push(stand)
    }
  } while (accept(parser, ','))
  return field
}

function addAtomic(parser: Parser, field: Draft<DCMolecularField>, atomic: DCAtomicField, token: Token): void {
  const first = field.atomics[0]
  if (!first) {
    field.keywords = [...atomic.keywords]
    field.flags = atomic.flags
  } else if (String([...first.keywords].sort()) !== String([...atomic.keywords].sort())) {
    parser.complain(token, `Mismatched keywords in molecule between ${first.name} and ${atomic.name}`)
  }
  grow(parser, token, weightOf(atomic).size)
  field.atomics.push(atomic)
  field.parameters.push(...atomic.parameters)
}

const findField = (dclass: DCClass, name: string): DCField | undefined => {
  const own = NAMES.get(dclass)?.get(name)
  if (own) return own
  for (const parent of dclass.parents) {
    const field = parent.inherited.find(each => each.name === name)
    if (field) return field
  }
  return undefined
}

const hasPlaceholder = (dclass: DCClass): boolean =>
  dclass.parents.some(parent => parent.isPlaceholder || hasPlaceholder(parent))

/** Fills in the inherited list: parents in order, the first of equal names, own fields instead of theirs, by number. */
function inherit(parser: Parser, dclass: ClassDraft): void {
  const own = NAMES.get(dclass),
    seen = new Set<string>()
  for (const parent of dclass.parents) {
    grow(parser, peek(parser), parent.inherited.length)
    for (const field of parent.inherited) {
      if (!field.name || seen.has(field.name) || own?.has(field.name)) continue
      seen.add(field.name)
      dclass.inherited.push(field)
    }
  }
  dclass.inherited = [...dclass.inherited, ...dclass.fields].sort((a, b) => a.number - b.number)
  const members = dclass.inherited.filter(field => field.kind !== 'molecular')
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
