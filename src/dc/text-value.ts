import { accept, expect, nested, peek, SYNTAX, syntaxError, take, type Cursor } from './cursor.ts'
import { tokenize, type Token } from './lexer.ts'
import { caseMembers, findCase, membersOf, type Member } from './members.ts'
import { numberSize, type DCNumberType, type DCPackable, type DCRange, type DCSwitchType } from './model.ts'
import { describe, inRanges, scale, setScaled, wrapInteger } from './number.ts'
import { endPrefix, prefixSize } from './packer.ts'
import { createReader, unpackType } from './unpacker.ts'
import { reserve, writeBytes, written, type Writer } from './writer.ts'

/** The answer of {@link packText}. */
export interface PackedText {
  readonly ok: boolean
  /** Empty unless ok. */
  readonly bytes: Uint8Array
  /** What is wrong with the text or the value. Empty when ok. */
  readonly message: string
}

/** No DC value is longer than this, in bytes: repetitions like `0*4000000000` end here. */
const MAX_BYTES = 1 << 24
const MAX_REPEAT = 1 << 20

/** Hands out what the next value goes into; undefined when there is no more room. */
type Slots = (peekOnly?: boolean) => { readonly packable: DCPackable; readonly name: string } | undefined

/** Why a value does not fit its type, and where. */
export interface Misfit {
  readonly token: Token
  /** Empty when there is no more to say. */
  readonly why: string
}

interface Packing {
  readonly writer: Writer
  /** The first thing that did not fit; the text is still read to its end. */
  misfit?: Misfit
}

const misfit = (packing: Packing, token: Token, why = ''): void => {
  packing.misfit ??= { token, why }
}

/**
 * Packs a value written in DC, as a default is: `{1, "two", x = 3}` (DCPacker::parse_and_pack). With `latin1` each
 * character of the text stands for a byte, as with `parseDC`.
 * Never throws.
 */
export function packText(packable: DCPackable, text: string, options: { readonly latin1?: boolean } = {}): PackedText {
  let message = ''
  const cursor: Cursor = {
    ...tokenize(text, options.latin1),
    at: 0,
    depth: 0,
    faulty: -1,
    complain: (_, what) => {
      message ||= what
    },
  }
  try {
    const { bytes, misfit } = parseValue(cursor, packable)
    expect(cursor, 'end', 'the end of the value')
    if (bytes && !message) return { ok: true, bytes, message }
    message ||= `The value does not fit its type${misfit?.why && `: ${misfit.why}`}`
  } catch (error) {
    if (error !== SYNTAX) throw error
  }
  return { ok: false, bytes: new Uint8Array(0), message }
}

/** Reads one value at the cursor. Gives its bytes, or what does not fit; throws {@link SYNTAX} when it is no value at all. */
export function parseValue(
  cursor: Cursor,
  packable: DCPackable,
): { readonly bytes?: Uint8Array; readonly misfit?: Misfit } {
  let reason: Misfit | undefined
  const bytes = written(writer => {
    const packing: Packing = { writer }
    const token = peek(cursor)
    const name = 'name' in packable && packable.kind !== 'switch' ? packable.name : ''
    let root: ReturnType<Slots> = { packable, name }
    value(cursor, packing, peekOnly => {
      const slot = root
      if (!peekOnly) root = undefined
      return slot
    })
    if (root) misfit(packing, token)
    reason = packing.misfit
  })
  return reason ? { misfit: reason } : { bytes }
}

const CLOSING: Record<string, string> = { '{': '}', '[': ']', '(': ')' }
const LITERALS: ReadonlySet<string> = new Set(['int', 'uint', 'real', 'hex', 'string'])

/** value := [IDENT '='] ( literal | literal '*' UINT | list ) */
function value(cursor: Cursor, packing: Packing, slots: Slots): void {
  const named = peek(cursor)
  if (named.kind === 'id') {
    const expected = slots(true)?.name ?? ''
    if (peek(cursor, 1).kind !== '=') syntaxError(cursor, 'a value', { help: 'texts are written in quotes' })
    cursor.at += 2
    if (named.text !== expected)
      cursor.complain(named, `Got '${named.text}', expected '${expected}'`, {
        ...(expected && { suggestion: expected }),
      })
  }
  const token = peek(cursor),
    close = CLOSING[token.kind]
  if (close) {
    take(cursor)
    return nested(cursor, () => list(cursor, packing, slots, close, token))
  }
  if (!LITERALS.has(token.kind)) syntaxError(cursor, 'a value')
  take(cursor)
  if (outOfRange(token)) cursor.complain(token, 'Number out of range', { help: 'integers have at most 64 bits' })
  let times = 1
  if (token.kind !== 'string' && accept(cursor, '*')) times = Number(expect(cursor, 'uint', 'a count').value)
  if (times > MAX_REPEAT) misfit(packing, token, `it cannot be repeated more than ${MAX_REPEAT} times`)
  for (let i = 0; i < times && !packing.misfit; i++) {
    const slot = slots()
    if (!slot) misfit(packing, token, 'there are more values than the type has room for')
    else if (!literal(slot.packable, token, packing.writer)) misfit(packing, token, whyNot(slot.packable, token))
    else if (packing.writer.length > MAX_BYTES) misfit(packing, token, `it is larger than ${MAX_BYTES} bytes`)
  }
}

function list(cursor: Cursor, packing: Packing, slots: Slots, close: string, token: Token): void {
  const slot = slots()
  const container = !packing.misfit && slot ? open(slot.packable, packing) : undefined
  if (!slot) misfit(packing, token, 'there are more values than the type has room for')
  else if (!container) misfit(packing, token, `${kindOf(slot.packable)} is no list`)
  const inner = container?.slots ?? (() => undefined)
  if (accept(cursor, ',')) expect(cursor, close)
  else
    while (!accept(cursor, close)) {
      value(cursor, packing, inner)
      if (!accept(cursor, ',')) {
        if (!accept(cursor, close)) syntaxError(cursor, `',' or '${close}'`)
        break
      }
    }
  if (container && !packing.misfit) container.finish(token)
}

/** An integer literal that neither int64 nor uint64 can hold. */
export function outOfRange({ kind, value: n }: Token): boolean {
  return kind === 'uint'
    ? (n as bigint) >> 64n !== 0n
    : kind === 'int'
      ? BigInt.asIntN(64, n as bigint) !== n
      : kind === 'real' && !Number.isFinite(n)
}

/** Packs one literal. False when it does not fit. */
function literal(packable: DCPackable, token: Token, writer: Writer): boolean {
  if (packable.kind === 'parameter') return literal(packable.type, token, writer)
  const { value } = token
  if (token.kind === 'hex') {
    // Bytes that are packed already: only their size is checked, as a wrong one would shift all that follows.
    const reader = createReader(value as Uint8Array, 0, Infinity, 'sizes')
    unpackType(packable, reader)
    if (reader.failed || reader.at !== reader.end) return false
    writeBytes(writer, value as Uint8Array)
    return true
  }
  if (token.kind === 'string') return packString(packable, value as Uint8Array, writer)
  if (packable.kind !== 'number') return false
  const scaled =
    typeof value === 'bigint' ? scaleLiteral(packable, token.kind, value) : scale(packable, value as number)
  if (scaled === undefined) return false
  const at = reserve(writer, numberSize(packable))
  setScaled(writer.view, at, packable, scaled)
  return true
}

/** An integer as Panda3D scales it: the product with the divisor is a 64-bit integer, signed as the literal is. */
function scaleLiteral(type: DCNumberType, kind: string, value: bigint): number | bigint | undefined {
  const product = value * BigInt(type.divisor)
  return wrapInteger(type, kind === 'int' ? BigInt.asIntN(64, product) : BigInt.asUintN(64, product))
}

/** What is wrong with a literal that does not fit. */
function whyNot(packable: DCPackable, { kind, text, value }: Token): string {
  if (packable.kind === 'parameter') return whyNot(packable.type, { kind, text, value } as Token)
  if (kind === 'hex') return `these ${(value as Uint8Array).length} bytes are no packed ${kindOf(packable)}`
  if (packable.kind === 'number' && kind !== 'string') return `${text} is outside ${describe(packable)}`
  if (
    packable.kind === 'array' ||
    packable.kind === 'string' ||
    packable.kind === 'blob' ||
    packable.kind === 'blob32'
  ) {
    const isSized = kind === 'string' && (packable.kind !== 'array' || isByte(packable.element))
    if (isSized) return `it has ${(value as Uint8Array).length} bytes, and the type ${sizesOf(packable)}`
    return `${kindOf(packable)} is written ${packable.kind === 'array' ? 'as a list: [1, 2]' : 'in quotes'}`
  }
  if (packable.kind === 'number') return `a text is no ${packable.base}`
  return `${kindOf(packable)} is written as a list, of its parts in order: {1, 2}`
}

const sizesOf = ({ sizes }: { readonly sizes: readonly DCRange<number>[] }): string =>
  sizes.length
    ? `allows ${sizes.map(({ min, max }) => (min === max ? min : `${min}-${max}`)).join(', ')}`
    : 'at most 65535'

/** A type in words. */
function kindOf(packable: DCPackable): string {
  switch (packable.kind) {
    case 'parameter':
      return kindOf(packable.type)
    case 'number':
      return packable.base
    case 'array':
      return 'an array'
    case 'class':
      return packable.dclass.name || 'a struct'
    case 'switch':
      return 'a switch'
    case 'atomic':
    case 'molecular':
      return 'a method'
    default:
      return packable.kind
  }
}

const isByte = (type: DCPackable): type is DCNumberType => type.kind === 'number' && /^(char|u?int8)$/.test(type.base)

function packString(packable: DCPackable, bytes: Uint8Array, writer: Writer): boolean {
  if (isByte(packable)) {
    // Panda3D looks at its unsigned ranges here: those of int8 are not checked, and a divisor is not applied.
    if (bytes.length !== 1 || (packable.base !== 'int8' && !inRanges(packable.ranges, bytes[0]!))) return false
    writeBytes(writer, bytes)
    return true
  }
  let size
  if (packable.kind === 'string' || packable.kind === 'blob' || packable.kind === 'blob32') size = prefixSize(packable)
  else if (packable.kind === 'array' && isByte(packable.element) && !packable.legacy) size = packable.prefixed ? 2 : 0
  else return false
  const at = reserve(writer, size)
  writeBytes(writer, bytes)
  return endPrefix(writer, at, size) && inRanges(packable.sizes, bytes.length)
}

const CHAR: DCNumberType = { kind: 'number', base: 'char', divisor: 1, ranges: [] }
const BYTE: DCNumberType = { ...CHAR, base: 'uint8' }

/** Begins a list: what its values go into, and what to check and fill in behind them. */
function open(packable: DCPackable, packing: Packing): { slots: Slots; finish: (token: Token) => void } | undefined {
  if (packable.kind === 'parameter') return open(packable.type, packing)
  const { writer } = packing
  const members = membersOf(packable)
  if (members) return openMembers(members, packing)
  if (packable.kind === 'switch') return openSwitch(packable, packing)
  let element: DCPackable, size: number
  if (packable.kind === 'array') {
    element = packable.element
    size = packable.prefixed ? 2 : 0
  } else if (packable.kind === 'string' || packable.kind === 'blob' || packable.kind === 'blob32') {
    element = packable.kind === 'string' ? CHAR : BYTE
    size = prefixSize(packable)
  } else return undefined
  const at = reserve(writer, size)
  let count = 0
  return {
    slots(peekOnly) {
      if (!peekOnly) count++
      return { packable: element, name: '' }
    },
    finish(token) {
      if (!inRanges(packable.sizes, count))
        misfit(packing, token, `it has ${count} elements, and the type ${sizesOf(packable)}`)
      else if (!endPrefix(writer, at, size))
        misfit(packing, token, 'it is larger than the 65535 bytes of a length prefix')
    },
  }
}

function openMembers(members: readonly Member[], packing: Packing): { slots: Slots; finish: (token: Token) => void } {
  let i = 0
  return {
    slots(peekOnly) {
      const member = members[peekOnly ? i : i++]
      return member && { packable: member, name: member.name }
    },
    finish(token) {
      if (i !== members.length) misfit(packing, token, `it has ${i} values, and ${members.length} are needed`)
    },
  }
}

/** A switch hands out its key; when that is packed, the fields of the case that it selects. */
function openSwitch(type: DCSwitchType, packing: Packing): { slots: Slots; finish: (token: Token) => void } {
  const { writer } = packing,
    start = writer.length
  let i = 0,
    members: readonly Member[] | undefined
  const select = () => {
    if (i && !members) {
      const branch = findCase(type, writer.bytes, start, writer.length)
      members = branch ? caseMembers(type, branch) : []
    }
    return members ?? [type.key]
  }
  return {
    slots(peekOnly) {
      const member = select()[i]
      if (!peekOnly) i++
      return member && { packable: member, name: member.name }
    },
    finish(token) {
      if (!i || i !== select().length)
        misfit(
          packing,
          token,
          i && !select().length ? 'no case has this key' : `it has ${i} values, and its case needs ${select().length}`,
        )
    },
  }
}
