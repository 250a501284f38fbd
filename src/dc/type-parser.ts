import {
  accept,
  complainExpected,
  expect,
  gap,
  isTopLevel,
  nested,
  peek,
  skipItem,
  syntaxError,
  take,
  type Cursor,
  type Hints,
} from './cursor.ts'
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
import { outOfRange, parseValue, type Misfit } from './text-value.ts'

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
  /** Whether the token is a word of the language: never a name, and no communication keyword either. */
  isReserved(token: Token): boolean
  complain(token: Token, message: string, hints?: Hints): DCError
  warn(token: Token, message: string, hints?: Hints): DCError
  /** Whether undeclared types are errors. */
  readonly isStrict: boolean
  /** Runs a parser; after a syntax error, whatever finds the place to go on from. */
  recover(parse: () => void, skip: () => void): void
  /** Counts what packing, hashing and default values will have to visit for this type. */
  weigh(type: DCType, token: Token): void
}

/** The names of the built-in types. */
export const PRIMITIVES: ReadonlySet<string> = new Set(
  (
    'int8 int16 int32 int64 uint8 uint16 uint32 uint64 float64 char string blob blob32 ' +
    'int8array int16array int32array uint8array uint16array uint32array uint32uint8array'
  ).split(' '),
)

/** Whether the word is the name of a built-in type. */
export const isPrimitive = (word: string): boolean => PRIMITIVES.has(word)

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
    if (bytes.length !== 1)
      cursor.complain(token, 'Single character required', { help: `this string has ${bytes.length} bytes` })
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
  cursor.complain(token, 'Number out of range', {
    help: unsigned ? `sizes are at most ${MAX_SIZE}` : 'integers have at most 64 bits',
  })
  return 0n
}

/** Ranges up to the closing bracket, unscaled. `0-5` lexes as `0` and `-5`, which is why a negative number may follow. */
function parseRanges(cursor: Cursor, close: string, unsigned: boolean): DCRange[] {
  const ranges: DCRange[] = []
  if (accept(cursor, close)) return ranges
  // Panda3D's grammar takes a comma before the first one.
  accept(cursor, ',')
  do {
    const token = peek(cursor)
    const min = rangeEnd(cursor, unsigned)
    let max = min
    const next = peek(cursor)
    if (accept(cursor, '-')) max = rangeEnd(cursor, unsigned)
    else if ((next.kind === 'int' || (next.kind === 'real' && !unsigned)) && (next.value as number | bigint) < 0) {
      take(cursor)
      // Negating keeps a bigint a bigint.
      max = -(inLimits(cursor, next, unsigned) as number)
    } else if (next.kind === 'int' || next.kind === 'real') {
      syntaxError(cursor, `'-', ',' or '${close}'`, {
        help: 'a sign that touches its number is part of it: write blanks, as (-5 - 0)',
      })
    }
    const before = ranges.find(range => min <= range.max && max >= range.min)
    if (max < min) cursor.complain(token, 'Overlapping range', { help: `${max} is less than ${min}` })
    else if (before)
      cursor.complain(token, 'Overlapping range', { help: `${before.min} to ${before.max} is in the list already` })
    else if (ranges.length === MAX_RANGES) syntaxError(cursor, `at most ${MAX_RANGES} ranges`)
    else ranges.push({ min, max })
    if (peek(cursor).kind !== close && peek(cursor).kind !== ',') syntaxError(cursor, `',' or '${close}'`)
  } while (accept(cursor, ','))
  expect(cursor, close)
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

/** One end of a range as Panda3D keeps it: read as a double, times the divisor, rounded half up. */
const scaleEnd = ({ divisor }: Simple, base: DCNumberBase, end: number | bigint): number | bigint => {
  const scaled = Number(end) * divisor
  if (base === 'float64') return scaled
  const rounded = Math.floor(scaled + 0.5)
  if (!is64Base(base)) return rounded
  if (!Number.isFinite(rounded)) return BigInt(Math.sign(scaled)) << 99n
  // The double next to the greatest 64-bit number is beyond it.
  const exact = typeof end === 'bigint' ? end * BigInt(divisor) : undefined,
    max = LIMITS[base][1] as bigint
  return exact !== undefined && exact <= max && BigInt(rounded) > max ? max : BigInt(rounded)
}

const is64Base = (base: DCNumberBase): boolean => base === 'int64' || base === 'uint64'

/** Ranges as the packer compares them. Those that rounding made overlap another are dropped, as in Panda3D. */
const scaledRanges = (simple: Simple, base: DCNumberBase): DCRange[] => {
  const ranges: DCRange[] = []
  for (const range of simple.ranges) {
    const min = scaleEnd(simple, base, range.min),
      max = scaleEnd(simple, base, range.max)
    if (!ranges.some(each => min <= each.max && max >= each.min)) ranges.push({ min, max })
  }
  return ranges
}

/** The limits of what a range can say: those of the number, or of the length prefix. */
const limitsOf = (simple: Simple): DCNumberBase => simple.base ?? (simple.name === 'blob32' ? 'uint32' : 'uint16')

const rangesFit = (simple: Simple): boolean => {
  if (simple.name === 'uint32uint8array') return false
  const base = limitsOf(simple),
    [low, high] = LIMITS[base]
  return simple.ranges.every(
    range => scaleEnd(simple, base, range.min) >= low && scaleEnd(simple, base, range.max) <= high,
  )
}

/** Panda3D allows 1 to the greatest positive value plus 1. */
const modulusFits = (simple: Simple): boolean => {
  const modulus = simple.modulus!
  if (!(modulus > 0) || !simple.base || simple.name === 'uint32uint8array') return false
  const scaled = scaledModulus(simple as { divisor: number; modulus: number })
  if (!Number.isFinite(scaled) || simple.base === 'float64') return Number.isFinite(scaled)
  return (scaled >= 1 || simple.base === 'uint64') && BigInt(scaled) - 1n <= BigInt(LIMITS[simple.base][1])
}

/** prim { '(' ranges ')' | '/' UINT | '%' number } */
function parseSimple(cursor: TypeCursor): Simple {
  const { text: name } = take(cursor),
    array = name.endsWith('array')
  const simple: Simple = {
    name,
    divisor: 1,
    ranges: [],
    base:
      name === 'string' || name === 'blob' || name === 'blob32'
        ? undefined
        : name === 'uint32uint8array'
          ? 'uint32'
          : array
            ? (name.slice(0, -5) as DCNumberBase)
            : (name as DCNumberBase),
  }
  for (let token = peek(cursor); suffix(cursor, simple); token = peek(cursor)) {
    if (array)
      cursor.warn(token, `A range, divisor or modulus on ${name} is hashed but not applied`, {
        help: name === 'uint32uint8array' ? 'leave it out' : `write ${simple.base} and [] instead`,
      })
  }
  return simple
}

/** One suffix of a built-in type. False when there is none. */
function suffix(cursor: TypeCursor, simple: Simple): boolean {
  const token = peek(cursor)
  if (token.kind !== '(') return scaling(cursor, simple, false)
  take(cursor)
  simple.ranges = parseRanges(cursor, ')', false)
  if (!rangesFit(simple)) {
    const [low, high] = LIMITS[limitsOf(simple)]
    cursor.complain(token, `Inappropriate range for type ${simple.name}`, {
      help:
        simple.name === 'uint32uint8array'
          ? 'it takes none'
          : `${simple.base ? 'it holds' : 'its length is'} ${low} to ${high}${simple.divisor === 1 ? '' : `, after the divisor ${simple.divisor}`}`,
    })
    simple.ranges = []
  }
  return true
}

/** '/' UINT | '%' number, behind the type or the name. False when neither comes. */
function scaling(cursor: TypeCursor, simple: Simple | undefined, behindName: boolean): boolean {
  const { kind } = peek(cursor)
  if (kind !== '/' && kind !== '%') return false
  take(cursor)
  const token = peek(cursor)
  if (token.kind !== 'uint' && (kind === '/' || (token.kind !== 'int' && token.kind !== 'real'))) {
    syntaxError(cursor, kind === '/' ? 'an unsigned number' : 'a number')
  }
  take(cursor)
  const number = Number(token.value),
    what = kind === '/' ? 'divisor' : 'modulus'
  if (outOfRange(token) || (kind === '/' && number > 0xffffffff)) {
    const help = kind === '/' ? 'a divisor is at most 4294967295' : 'integers have at most 64 bits'
    cursor.complain(token, 'Number out of range', { help })
  } else if (!simple)
    cursor.complain(token, `A ${what} is only allowed on a primitive type`, {
      help: 'put it where the type is declared, or directly behind a built-in type',
    })
  else if (!simple.base || simple.base === 'char') cursor.complain(token, `A ${what} is only valid on a numeric type`)
  else if (kind === '/') setDivisor(cursor, simple, token, number, behindName)
  else {
    const { modulus } = simple
    simple.modulus = number
    if (!modulusFits(simple)) {
      cursor.complain(token, 'Invalid modulus', { help: modulusHelp(simple) })
      if (modulus === undefined) delete simple.modulus
      else simple.modulus = modulus
    }
  }
  return true
}

function setDivisor(cursor: TypeCursor, simple: Simple, token: Token, number: number, behindName: boolean): void {
  const { divisor } = simple
  simple.divisor = number
  if (!number) cursor.complain(token, 'Invalid divisor', { help: 'nothing can be divided by 0' })
  else if (simple.modulus !== undefined && !modulusFits(simple)) {
    // Panda3D does not look behind the name.
    const report = behindName ? cursor.warn : cursor.complain
    report(token, 'Invalid modulus', { help: modulusHelp(simple) })
    if (behindName) return
  } else {
    if (!rangesFit(simple)) cursor.warn(token, `The range does not fit ${simple.name} with this divisor`)
    return
  }
  simple.divisor = divisor
}

const modulusHelp = ({ name, base, divisor }: Simple): string =>
  base === undefined || base === 'float64' || name === 'uint32uint8array'
    ? `${name} takes no such modulus`
    : `modulus * divisor is 1 to ${BigInt(LIMITS[base][1]) + 1n} for ${name}${divisor === 1 ? '' : `, and the divisor is ${divisor}`}`

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

/** A parameter, and what only its reader needs. */
interface ReadParameter extends DCParameter {
  /** The name, or the beginning where there is none. */
  readonly token: Token
  /** Whether a name stands behind the type: an unnamed inline struct or switch lends its own. */
  readonly isNamed: boolean
}

/** param := type { '[' sizes ']' } [ IDENT { '/' UINT | '%' number | '[' sizes ']' } ], without its default. */
export function parseParameter(cursor: TypeCursor): ReadParameter {
  const start = peek(cursor)
  let simple: Simple | undefined,
    named: NamedType | undefined,
    name = ''
  if (start.kind === 'id' && isPrimitive(start.text)) simple = parseSimple(cursor)
  else if (start.kind === 'id' && start.text === 'struct') {
    const type = nested(cursor, () => cursor.parseStruct())
    named = { type }
    if (type.kind === 'class') name = type.dclass.name
  } else if (start.kind === 'id' && start.text === 'switch') {
    const type = nested(cursor, () => parseSwitch(cursor))
    named = { type }
    name = type.name
  } else if (cursor.isName(start)) {
    named = cursor.lookUp(take(cursor))
    // The name was complained about: nothing more about what only a built-in type can have.
    if (named.bogus && cursor.isStrict) skipSuffixes(cursor)
  } else syntaxError(cursor, 'a type')

  const brackets: DCRange<number>[][] = []
  parseBrackets(cursor, brackets)
  const token = peek(cursor),
    isNamed = cursor.isName(token) || refuseReserved(cursor, token)
  if (isNamed) {
    name = take(cursor).text
    while (peek(cursor).kind === '[' || scaling(cursor, brackets.length ? undefined : simple, true))
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
    token: isNamed ? token : start,
    isNamed,
    ...(!brackets.length && named?.default && { default: named.default }),
  }
}

/** Complains about a reserved word that stands for a name. */
function refuseReserved(cursor: TypeCursor, token: Token): boolean {
  if (!cursor.isReserved(token) || !/^[;=,)[]$/.test(peek(cursor, 1).kind)) return false
  cursor.complain(token, `Syntax error: expected a name, found the reserved word ${token.text}`, {
    expected: 'a name',
    found: token.text,
    help: `choose another name, such as ${token.text}_`,
  })
  return true
}

/** What may stand behind the built-in type that an unknown name was meant for. */
function skipSuffixes(cursor: TypeCursor): void {
  for (let token = peek(cursor); /^[/%(]$/.test(token.kind); token = peek(cursor)) {
    take(cursor)
    if (token.kind !== '(') take(cursor)
    else while (!/^[);{}]$/.test(peek(cursor).kind) && !isTopLevel(peek(cursor))) take(cursor)
    if (token.kind === '(') accept(cursor, ')')
  }
}

/** A parameter and its `= value`. */
export function parseParameterWithDefault(cursor: TypeCursor): ReadParameter {
  const parameter = parseParameter(cursor)
  if (!accept(cursor, '=')) return parameter
  const token = peek(cursor),
    { bytes, misfit } = parseValue(cursor, parameter)
  if (bytes) return { ...parameter, default: bytes }
  if (!isUnknown(parameter.type))
    complainMisfit(cursor, token, misfit, `Invalid default value for type${parameter.name && ` of ${parameter.name}`}`)
  return parameter
}

/** Whether the type, or that of its elements, is not declared: what fits it, nobody knows. */
const isUnknown = (type: DCType): boolean =>
  type.kind === 'array'
    ? isUnknown(type.element)
    : type.kind === 'invalid' || (type.kind === 'class' && type.dclass.isPlaceholder)

function complainMisfit(cursor: TypeCursor, token: Token, misfit: Misfit | undefined, message: string): void {
  cursor.complain(misfit?.token ?? token, message, misfit?.why ? { help: misfit.why } : {})
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
  const draft: SwitchDraft = { key, cases: [], values: new Set(), open: [], isOrphaned: false, size: 0 }
  while (!accept(cursor, '}')) {
    if (accept(cursor, ';')) continue
    if (isTopLevel(peek(cursor))) syntaxError(cursor, `'}' at the end of switch ${name}`.trim())
    cursor.recover(
      () => parseSwitchItem(cursor, draft),
      () => skipItem(cursor),
    )
  }
  const { cases, defaultCase } = draft
  return { kind: 'switch', name, key, cases: cases as readonly DCCase[], ...(defaultCase && { defaultCase }) }
}

/** A switch while it is read. */
interface SwitchDraft {
  readonly key: DCParameter | DCAtomicField
  readonly cases: Branch[]
  /** Packed keys that were seen, as text. */
  readonly values: Set<string>
  /** Cases that the next field belongs to. */
  open: Branch[]
  /** Whether the case that the next field belongs to was complained about. */
  isOrphaned: boolean
  defaultCase?: Branch
  /** Fields of all cases together. */
  size: number
}

/** A case while it is read. */
interface Branch {
  readonly value?: Uint8Array
  readonly fields: DCParameter[]
}

/** A field counts once for each case that falls through to it. */
const MAX_SWITCH = 10000

function parseSwitchItem(cursor: TypeCursor, draft: SwitchDraft): void {
  const token = peek(cursor)
  switch (token.kind === 'id' ? token.text : token.kind) {
    case 'case':
      return parseCase(cursor, draft)
    case 'default':
      take(cursor)
      expect(cursor, ':')
      if (draft.defaultCase) {
        cursor.complain(token, 'Default case already defined')
        draft.isOrphaned = true
      } else draft.open.push((draft.defaultCase = { fields: [] }))
      return
    case 'break':
      take(cursor)
      draft.open = []
      draft.isOrphaned = false
      return endItem(cursor)
    default: {
      const field = parseParameterWithDefault(cursor)
      endItem(cursor)
      addToCases(cursor, draft, strip(field), token, field.token)
    }
  }
}

/** Takes the ';' behind a field of a switch. One that is missing at the end of a line is complained about, and no more. */
function endItem(cursor: TypeCursor): void {
  if (accept(cursor, ';')) return
  const place = gap(cursor)
  if (place === peek(cursor)) syntaxError(cursor, "';'")
  complainExpected(cursor, place, "';'")
}

function parseCase(cursor: TypeCursor, { key, cases, values, open }: SwitchDraft): void {
  take(cursor)
  const at = peek(cursor),
    { bytes, misfit } = parseValue(cursor, key)
  expect(cursor, ':')
  // A refused case is open too: its fields are not to blame.
  const branch: Branch = { ...(bytes && { value: bytes }), fields: [] }
  open.push(branch)
  if (!bytes) {
    const isKnown = key.kind === 'atomic' || !isUnknown(key.type)
    if (isKnown || !cursor.isStrict) complainMisfit(cursor, at, misfit, 'Invalid value for switch parameter')
  } else if (values.has(String(bytes))) cursor.complain(at, 'Duplicate case value')
  else cases.push(branch)
  values.add(String(bytes))
}

function addToCases(cursor: TypeCursor, draft: SwitchDraft, field: DCParameter, token: Token, nameToken: Token): void {
  const { open, key } = draft
  if (!open.length && !draft.isOrphaned) {
    cursor.complain(token, 'case declaration required before first element', { help: 'case value:  or  default:' })
    draft.isOrphaned = true
  }
  if ((draft.size += open.length) > MAX_SWITCH)
    syntaxError(cursor, `at most ${MAX_SWITCH} fields in all cases together`)
  let isDuplicate = false
  for (const branch of open) {
    if (field.name && [key, ...branch.fields].some(each => each.name === field.name)) isDuplicate = true
    else branch.fields.push(field)
  }
  if (isDuplicate)
    cursor.complain(nameToken, `Duplicate field name: ${field.name}`, {
      help:
        key.name === field.name ? 'the key has that name' : 'the case before falls through to here: end it with break;',
    })
}

/** The parameter without the token that only messages need. */
export function strip({ kind, name, type, default: packed }: DCParameter): DCParameter {
  return { kind, name, type, ...(packed && { default: packed }) }
}
