import { accept, expect, nested, peek, syntaxError, take, type Cursor } from './cursor.ts'
import type { Token } from './lexer.ts'
import {
  fixedByteSize,
  oneSize,
  type DCAtomicField,
  type DCCase,
  type DCError,
  type DCNumberBase,
  type DCNumberType,
  type DCParameter,
  type DCRange,
  type DCSwitchType,
  type DCType,
} from './model.ts'
import { LIMITS, scaledModulus } from './number.ts'
import { outOfRange, parseValue } from './text-value.ts'

/** A type as it can be looked up, with the default that its typedef declares. */
export interface NamedType {
  readonly type: DCType
  readonly default?: Uint8Array
  /** Stands for a name that was used before (or without) its declaration. */
  readonly bogus?: boolean
}

/** What the parser of types needs from that of declarations. */
export interface TypeCursor extends Cursor {
  /** Looks a name up: typedef, class, switch. Complains once about an undeclared one and answers the invalid type. */
  lookUp(token: Token): NamedType
  /** The struct whose keyword is the next token. */
  parseStruct(): DCType
  /** The method whose name (if any) and bracket come next; unnumbered. */
  parseMethod(): DCAtomicField
  /** Whether the token is an identifier: no reserved word and no communication keyword. */
  isName(token: Token): boolean
  complain(token: Token, message: string): DCError
  warn(token: Token, message: string): DCError
  /** Counts what packing, hashing and default values will have to visit for this type. */
  weigh(type: DCType, token: Token): void
}

const PRIMITIVE = /^(u?int(8|16|32|64)|float64|char|string|blob|blob32|(u?int(8|16|32)|uint32uint8)array)$/

/** Whether the word is the name of a built-in type. */
export const isPrimitive = (word: string): boolean => PRIMITIVE.test(word)

/** The greatest size that can be declared. */
const MAX_SIZE = 0xffffffff
/** Overlaps are found by comparing all pairs. */
const MAX_RANGES = 1000
/** The recursion of packing goes as deep. */
const MAX_BRACKETS = 32

/** An integer or a one-character string, as a number. */
function rangeEnd(cursor: Cursor, unsigned: boolean): number | bigint {
  const token = peek(cursor)
  if (token.kind === 'string') {
    take(cursor)
    const bytes = token.value as Uint8Array
    if (bytes.length !== 1) cursor.complain(token, 'Single character required')
    return BigInt(bytes[0] ?? 0)
  }
  if (token.kind === 'uint' || (!unsigned && (token.kind === 'int' || token.kind === 'real'))) {
    take(cursor)
    return inLimits(cursor, token, unsigned)
  }
  return syntaxError(cursor, unsigned ? 'an unsigned number' : 'a number')
}

/** The number of a token; 0 after a complaint about one that is too large. */
function inLimits(cursor: Cursor, token: Token, unsigned: boolean): number | bigint {
  const value = token.value as number | bigint
  if (!outOfRange(token) && !(unsigned && (value > MAX_SIZE || value < -MAX_SIZE))) return value
  cursor.complain(token, 'Number out of range')
  return 0n
}

/** Ranges up to the closing bracket, unscaled. `0-5` lexes as `0` and `-5`, which is why a negative number may follow. */
function parseRanges(cursor: Cursor, close: string, unsigned: boolean): DCRange[] {
  const ranges: DCRange[] = []
  while (!accept(cursor, close)) {
    if (ranges.length) expect(cursor, ',')
    const token = peek(cursor)
    const min = rangeEnd(cursor, unsigned)
    let max = min
    const next = peek(cursor)
    if (accept(cursor, '-')) max = rangeEnd(cursor, unsigned)
    else if ((next.kind === 'int' || (next.kind === 'real' && !unsigned)) && (next.value as number | bigint) < 0) {
      take(cursor)
      // Negating keeps a bigint a bigint.
      max = -(inLimits(cursor, next, unsigned) as number)
    }
    if (max < min || ranges.some(range => min <= range.max && max >= range.min))
      cursor.complain(token, 'Overlapping range')
    else if (ranges.length === MAX_RANGES) syntaxError(cursor, `at most ${MAX_RANGES} ranges`)
    else ranges.push({ min, max })
    if (peek(cursor).kind !== close && peek(cursor).kind !== ',') syntaxError(cursor, `',' or '${close}'`)
  }
  return ranges
}

/** A built-in type while its suffixes are read. */
interface Simple {
  readonly name: string
  /** What limits apply: that of the elements for the legacy arrays. */
  readonly base: DCNumberBase | undefined
  divisor: number
  modulus?: number
  /** Unscaled. */
  ranges: DCRange[]
}

const scaleEnd = ({ divisor }: Simple, base: DCNumberBase, end: number | bigint): number | bigint => {
  if (base === 'float64') return Number(end) * divisor
  if (!/64/.test(base)) return Math.floor(Number(end) * divisor + 0.5)
  if (typeof end === 'bigint') return end * BigInt(divisor)
  const scaled = Math.floor(end * divisor + 0.5)
  return Number.isFinite(scaled) ? BigInt(scaled) : BigInt(Math.sign(end)) << 99n
}

/** Ranges as the packer compares them: times the divisor, rounded. */
const scaledRanges = (simple: Simple, base: DCNumberBase): DCRange[] =>
  simple.ranges.map(({ min, max }) => ({ min: scaleEnd(simple, base, min), max: scaleEnd(simple, base, max) }))

const rangesFit = (simple: Simple): boolean => {
  const base = simple.base ?? (simple.name === 'blob32' ? 'uint32' : 'uint16')
  const [low, high] = LIMITS[base]
  return scaledRanges(simple, base).every(({ min, max }) => min >= low && max <= high)
}

/** Panda3D allows 1 to the greatest positive value plus 1. */
const modulusFits = (simple: Simple): boolean => {
  const modulus = simple.modulus!
  if (!(modulus > 0) || !simple.base || simple.name === 'uint32uint8array') return false
  const scaled = scaledModulus(simple as { divisor: number; modulus: number })
  if (!Number.isFinite(scaled) || simple.base === 'float64') return Number.isFinite(scaled)
  return scaled >= 1 && BigInt(scaled) - 1n <= BigInt(LIMITS[simple.base][1])
}

/** prim { '(' ranges ')' | '/' UINT | '%' number } */
function parseSimple(cursor: TypeCursor): Simple {
  const { text: name } = take(cursor),
    array = name.endsWith('array')
  const simple: Simple = {
    name,
    divisor: 1,
    ranges: [],
    base: /^(string|blob)/.test(name)
      ? undefined
      : name === 'uint32uint8array'
        ? 'uint32'
        : (name.replace('array', '') as DCNumberBase),
  }
  while (suffix(cursor, simple)) {
    if (array)
      cursor.warn(
        peek(cursor),
        `A range, divisor or modulus on ${name} is hashed but not applied: write ${simple.base} and []`,
      )
  }
  return simple
}

/** One suffix of a built-in type. False when there is none. */
function suffix(cursor: TypeCursor, simple: Simple): boolean {
  const token = peek(cursor)
  if (token.kind === '(') {
    take(cursor)
    simple.ranges = parseRanges(cursor, ')', false)
    if (!rangesFit(simple)) {
      cursor.complain(token, `Inappropriate range for type ${simple.name}`)
      simple.ranges = []
    }
    return true
  }
  return scaling(cursor, simple)
}

/** '/' UINT | '%' number. False when neither comes. */
function scaling(cursor: TypeCursor, simple: Simple | undefined): boolean {
  const { kind } = peek(cursor)
  if (kind !== '/' && kind !== '%') return false
  take(cursor)
  const token = peek(cursor)
  if (token.kind !== 'uint' && (kind === '/' || (token.kind !== 'int' && token.kind !== 'real'))) {
    syntaxError(cursor, kind === '/' ? 'an unsigned number' : 'a number')
  }
  take(cursor)
  const number = Number(token.value)
  if (outOfRange(token) || (kind === '/' && number > 0xffffffff)) cursor.complain(token, 'Number out of range')
  else if (!simple)
    cursor.complain(token, `A ${kind === '/' ? 'divisor' : 'modulus'} is only allowed on a primitive type`)
  else if (!simple.base || simple.base === 'char') cursor.complain(token, 'A divisor is only valid on a numeric type')
  else if (kind === '/') {
    const { divisor } = simple
    simple.divisor = number
    if (!number) cursor.complain(token, 'Invalid divisor')
    else if (simple.modulus !== undefined && !modulusFits(simple)) cursor.complain(token, 'Invalid modulus')
    else {
      if (!rangesFit(simple)) cursor.warn(token, `The range does not fit ${simple.name} with this divisor`)
      return true
    }
    simple.divisor = divisor
  } else {
    const { modulus } = simple
    simple.modulus = number
    if (!modulusFits(simple)) {
      cursor.complain(token, 'Invalid modulus')
      if (modulus === undefined) delete simple.modulus
      else simple.modulus = modulus
    }
  }
  return true
}

function simpleType(simple: Simple): DCType {
  const { name, base, divisor, modulus } = simple
  const factors = modulus === undefined ? { divisor } : { divisor, modulus }
  if (!base) {
    const sizes = scaledRanges(simple, 'uint32') as DCRange<number>[]
    return { kind: name as 'string', sizes }
  }
  const ranges = scaledRanges(simple, base)
  if (name === base) return { kind: 'number', base, ...factors, ranges }
  const element: DCType = name === 'uint32uint8array' ? PAIR : number(base)
  return { kind: 'array', element, sizes: [], prefixed: true, legacy: { name, ...factors, ranges } }
}

const number = (base: DCNumberBase): DCNumberType => ({ kind: 'number', base, divisor: 1, ranges: [] })

const PAIR_CLASS = {
  name: '',
  number: -1,
  isStruct: true,
  isPlaceholder: false,
  parents: [],
  fields: [],
  inherited: [],
  members: [],
}
/** The element of uint32uint8array: an unnamed struct of both. */
const PAIR: DCType = {
  kind: 'class',
  dclass: {
    ...PAIR_CLASS,
    members: [number('uint32'), number('uint8')].map(type => ({
      kind: 'parameter',
      name: '',
      type,
      number: -1,
      keywords: [],
      flags: 0,
      hasDefault: false,
      initial: new Uint8Array(),
      owner: PAIR_CLASS,
    })),
  },
}

/** '[' sizes ']' as often as it comes. */
function parseBrackets(cursor: Cursor, into: DCRange<number>[][]): void {
  while (accept(cursor, '[')) {
    const ranges = parseRanges(cursor, ']', true)
    if (into.length === MAX_BRACKETS) syntaxError(cursor, `at most ${MAX_BRACKETS} dimensions`)
    into.push(ranges.map(({ min, max }) => ({ min: Number(min), max: Number(max) })))
  }
}

/** param := type { '[' sizes ']' } [ IDENT { '/' UINT | '%' number | '[' sizes ']' } ], without its default. */
export function parseParameter(cursor: TypeCursor): DCParameter & { readonly token: Token } {
  const start = peek(cursor)
  let simple: Simple | undefined, named: NamedType | undefined
  if (start.kind === 'id' && isPrimitive(start.text)) simple = parseSimple(cursor)
  else if (start.kind === 'id' && start.text === 'struct') named = { type: nested(cursor, () => cursor.parseStruct()) }
  else if (start.kind === 'id' && start.text === 'switch') named = { type: nested(cursor, () => parseSwitch(cursor)) }
  else if (cursor.isName(start)) named = cursor.lookUp(take(cursor))
  else syntaxError(cursor, 'a type')

  const brackets: DCRange<number>[][] = []
  parseBrackets(cursor, brackets)
  const token = peek(cursor)
  let name = ''
  if (cursor.isName(token)) {
    name = take(cursor).text
    while (peek(cursor).kind === '[' || scaling(cursor, brackets.length ? undefined : simple))
      parseBrackets(cursor, brackets)
  }
  const base = simple ? simpleType(simple) : named!.type
  const fixed = fixedByteSize(base, true) !== undefined
  let type = base
  for (const sizes of brackets.reverse()) {
    // Panda3D creates each array around the innermost type, before later brackets go between them.
    const prefixed = oneSize(sizes) === undefined || !fixed
    const elementDefault = type === base && named?.default
    type = { kind: 'array', element: type, sizes, prefixed, ...(elementDefault && { elementDefault }) }
  }
  cursor.weigh(type, start)
  return {
    kind: 'parameter',
    name,
    type,
    token: name ? token : start,
    ...(!brackets.length && named?.default && { default: named.default }),
  }
}

/** A parameter and its `= value`. */
export function parseParameterWithDefault(cursor: TypeCursor): ReturnType<typeof parseParameter> {
  const parameter = parseParameter(cursor)
  if (!accept(cursor, '=')) return parameter
  const token = peek(cursor),
    packed = parseValue(cursor, parameter)
  if (packed) return { ...parameter, default: packed }
  if (parameter.type.kind !== 'invalid')
    cursor.complain(token, `Invalid default value for type${parameter.name && ` of ${parameter.name}`}`)
  return parameter
}

/** switch := 'switch' [IDENT] '(' key ')' '{' { ';' | 'case' value ':' | 'default' ':' | 'break' ';' | param ';' } '}' */
export function parseSwitch(cursor: TypeCursor): DCSwitchType {
  take(cursor)
  const name = cursor.isName(peek(cursor)) ? take(cursor).text : ''
  expect(cursor, '(')
  const isMethod = peek(cursor).kind === '(' || (cursor.isName(peek(cursor)) && peek(cursor, 1).kind === '(')
  const key = isMethod ? cursor.parseMethod() : strip(parseParameter(cursor))
  expect(cursor, ')')
  expect(cursor, '{')
  const cases: Branch[] = [],
    values = new Set<string>()
  let open: Branch[] = [],
    defaultCase: Branch | undefined,
    size = 0
  const begin = (branch: Branch): Branch => {
    open.push(branch)
    return branch
  }
  while (!accept(cursor, '}')) {
    const token = peek(cursor)
    switch (token.kind === 'id' ? token.text : token.kind) {
      case ';':
        take(cursor)
        break
      case 'case': {
        take(cursor)
        const at = peek(cursor),
          value = parseValue(cursor, key)
        expect(cursor, ':')
        if (!value) cursor.complain(at, 'Invalid value for switch parameter')
        else if (values.has(String(value))) cursor.complain(at, 'Duplicate case value')
        else cases.push(begin({ value, fields: [] }))
        values.add(String(value))
        break
      }
      case 'default':
        take(cursor)
        expect(cursor, ':')
        if (defaultCase) cursor.complain(token, 'Default case already defined')
        else defaultCase = begin({ fields: [] })
        break
      case 'break':
        take(cursor)
        expect(cursor, ';')
        open = []
        break
      default: {
        const field = strip(parseParameterWithDefault(cursor))
        expect(cursor, ';')
        if (!open.length) cursor.complain(token, 'case declaration required before first element')
        if ((size += open.length) > MAX_SWITCH)
          syntaxError(cursor, `at most ${MAX_SWITCH} fields in all cases together`)
        for (const branch of open) {
          if (field.name && [key, ...branch.fields].some(each => each.name === field.name))
            cursor.complain(token, `Duplicate field name: ${field.name}`)
          else branch.fields.push(field)
        }
      }
    }
  }
  return { kind: 'switch', name, key, cases: cases as readonly DCCase[], ...(defaultCase && { defaultCase }) }
}

/** A case while it is read. */
interface Branch {
  readonly value?: Uint8Array
  readonly fields: DCParameter[]
}

/** A field counts once for each case that falls through to it. */
const MAX_SWITCH = 10000

/** The parameter without the token that only messages need. */
export function strip({ kind, name, type, default: packed }: DCParameter): DCParameter {
  return { kind, name, type, ...(packed && { default: packed }) }
}
