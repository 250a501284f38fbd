import { accept, expect, nested, peek, SYNTAX, syntaxError, take, type Cursor } from './cursor.ts'
import { tokenize, type Token } from './lexer.ts'
import { caseMembers, findCase, membersOf, type Member } from './members.ts'
import { numberSize, type DCNumberType, type DCPackable, type DCSwitchType } from './model.ts'
import { inRanges, scale, setScaled } from './number.ts'
import { createWriter, endPrefix, prefixSize, reserve, writeBytes, type Writer } from './packer.ts'
import { createReader, unpackType } from './unpacker.ts'

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

interface Packing {
  readonly writer: Writer
  /** False once a value did not fit; the text is still read to its end. */
  ok: boolean
}

/**
 * Packs a value written in DC, as a default is: `{1, "two", x = 3}` (DCPacker::parse_and_pack).
 * Never throws.
 */
export function packText(packable: DCPackable, text: string): PackedText {
  let message = ''
  const cursor: Cursor = {
    ...tokenize(text),
    at: 0,
    depth: 0,
    complain: (_, what) => {
      message ||= what
    },
  }
  try {
    const bytes = parseValue(cursor, packable)
    expect(cursor, 'end', 'the end of the value')
    if (bytes && !message) return { ok: true, bytes, message }
  } catch (error) {
    if (error !== SYNTAX) throw error
  }
  return { ok: false, bytes: new Uint8Array(0), message: message || 'The value does not fit its type' }
}

/** Reads one value at the cursor. Undefined when it does not fit; throws {@link SYNTAX} when it is no value at all. */
export function parseValue(cursor: Cursor, packable: DCPackable): Uint8Array | undefined {
  const packing = { writer: createWriter(), ok: true }
  const name = 'name' in packable && packable.kind !== 'switch' ? packable.name : ''
  let root: ReturnType<Slots> = { packable, name }
  value(cursor, packing, peekOnly => {
    const slot = root
    if (!peekOnly) root = undefined
    return slot
  })
  return packing.ok && !root ? packing.writer.bytes.slice(0, packing.writer.length) : undefined
}

const CLOSING: Record<string, string> = { '{': '}', '[': ']', '(': ')' }

/** value := [IDENT '='] ( literal | literal '*' UINT | list ) */
function value(cursor: Cursor, packing: Packing, slots: Slots): void {
  const named = peek(cursor)
  if (named.kind === 'id') {
    take(cursor)
    expect(cursor, '=')
    const expected = slots(true)?.name ?? ''
    if (named.text !== expected) cursor.complain(named, `Got '${named.text}', expected '${expected}'`)
  }
  const token = take(cursor),
    close = CLOSING[token.kind]
  if (close) return nested(cursor, () => list(cursor, packing, slots, close))
  if (!/^(int|uint|real|hex|string)$/.test(token.kind)) {
    cursor.at -= token.kind === 'end' ? 0 : 1
    syntaxError(cursor, 'a value')
  }
  if (outOfRange(token)) cursor.complain(token, 'Number out of range')
  let times = 1
  if (token.kind !== 'string' && accept(cursor, '*')) times = Number(expect(cursor, 'uint', 'a count').value)
  if (times > MAX_REPEAT) packing.ok = false
  for (let i = 0; i < times && packing.ok; i++) {
    const slot = slots()
    if (!slot || !literal(slot.packable, token, packing.writer) || packing.writer.length > MAX_BYTES) packing.ok = false
  }
}

function list(cursor: Cursor, packing: Packing, slots: Slots, close: string): void {
  const slot = slots()
  const container = packing.ok && slot ? open(slot.packable, packing) : undefined
  if (!container) packing.ok = false
  const inner = container?.slots ?? (() => undefined)
  if (accept(cursor, ',')) expect(cursor, close)
  else
    while (!accept(cursor, close)) {
      value(cursor, packing, inner)
      if (!accept(cursor, ',')) {
        expect(cursor, close)
        break
      }
    }
  if (container && packing.ok) container.finish()
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
  const scaled = scale(packable, value as number | bigint)
  if (scaled === undefined) return false
  const at = reserve(writer, numberSize(packable))
  setScaled(writer.view, at, packable, scaled)
  return true
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
function open(packable: DCPackable, packing: Packing): { slots: Slots; finish: () => void } | undefined {
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
    finish() {
      if (!inRanges(packable.sizes, count) || !endPrefix(writer, at, size)) packing.ok = false
    },
  }
}

function openMembers(members: readonly Member[], packing: Packing): { slots: Slots; finish: () => void } {
  let i = 0
  return {
    slots(peekOnly) {
      const member = members[peekOnly ? i : i++]
      return member && { packable: member, name: member.name }
    },
    finish() {
      if (i !== members.length) packing.ok = false
    },
  }
}

/** A switch hands out its key; when that is packed, the fields of the case that it selects. */
function openSwitch(type: DCSwitchType, packing: Packing): { slots: Slots; finish: () => void } {
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
    finish() {
      if (!i || i !== select().length) packing.ok = false
    },
  }
}
