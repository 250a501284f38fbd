import { isDeepStrictEqual } from 'node:util'
import {
  columnReader,
  compileDC,
  createReader,
  formatErrors,
  formatPacked,
  hashFile,
  isBig,
  loadDC,
  memberKeys,
  membersOf,
  packField,
  packText,
  parseDC,
  unpackField,
  unpackType,
  type DCField,
  type DCPackable,
  type ReadColumns,
} from '../../src/dc/index.ts'
import { createThreadClock } from '../geckos/support/thread-clock.ts'
import { largeText, random } from './large.ts'
import accepts from './vectors/accepts.json' with { type: 'json' }

type Random = (n: number) => number

const cpu = createThreadClock()

/** No case may take longer, in milliseconds of CPU time: a hang would. */
const TOO_LONG = 3000

/** What {@link fuzz} did. */
export interface FuzzReport {
  /** Cases of each kind, and what became of them. */
  readonly counts: Record<string, number>
  /** The longest case in milliseconds. */
  slowest: number
  /** The first case that went wrong, if any: what, and how to see it again. */
  failure?: string
}

/** Feeds so many hostile texts, value texts, bytes and values to the parser and the packers. */
export function fuzz(cases: number, seed: number): FuzzReport {
  const report: FuzzReport = { counts: {}, slowest: 0 },
    count = (name: string) => (report.counts[name] = (report.counts[name] ?? 0) + 1)
  const kinds = [fuzzText, fuzzText, fuzzBytes, fuzzBytes, fuzzBytes, fuzzValue, fuzzValue, fuzzValueText]
  for (let i = 0; i < cases; i++) {
    const next = random(seed * 1_000_003 + i),
      kind = kinds[i % kinds.length]!,
      start = cpu()
    try {
      count(kind(next))
    } catch (error) {
      report.failure = `seed ${seed}, case ${i}: ${error instanceof Error ? error.stack : String(error)}`
    }
    const time = cpu() - start
    report.slowest = Math.max(report.slowest, time)
    if (time > TOO_LONG) report.failure ??= `seed ${seed}, case ${i}: took ${time} ms`
    if (report.failure) break
  }
  return report
}

function check(isRight: boolean, what: string, ...details: unknown[]): asserts isRight {
  if (!isRight) throw new Error(`${what}: ${details.map(each => JSON.stringify(each, bigints)).join(' | ')}`)
}

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

// --- texts

const WORDS = (
  'dclass struct switch typedef keyword import from case default break uint8 int16 uint64 string blob blob32 char float64 ' +
  'uint16array uint32uint8array A B x y Thing1 Pair Level ram broadcast required unreliable { } ( ) [ ] ; : , = * / % - . ' +
  '-5 +7 1.5 .5 1e5 0x1f 7 256 4294967296 18446744073709551615 99999999999999999999999999 "s" \'c\' "\\x00" <0a> <0> <> ' +
  '" \' < /* */ // @ \ufeff \u00e9 \ud83d\ude00 \0 \f'
).split(' ')
WORDS.push('\n', '\t', ' ', '\n\n')

/** Blocks of declarations, as mutations are made of. */
const BLOCKS = largeText(1200, 7)
  .split(/\n(?=\/\*|\/\/)/)
  .concat(accepts.map(({ dc }) => dc))
const HEADER = largeText(0, 1)

/** Some blocks of good text, with some edits. */
function mutatedText(next: Random): string {
  const first = next(BLOCKS.length)
  let text = (next(3) ? HEADER : '') + BLOCKS.slice(first, first + (next(4) ? 1 : 2)).join('\n')
  for (let edits = next(6); edits > 0; edits--) {
    const at = next(text.length + 1),
      cut = next(4) ? next(6) : next(200),
      word = () => WORDS[next(WORDS.length)]!
    const insert =
      next(3) === 0
        ? ''
        : next(8) === 0
          ? text.slice(next(text.length + 1)).slice(0, next(80))
          : Array.from({ length: 1 + next(3) }, word).join(next(2) ? ' ' : '')
    text = text.slice(0, at) + insert + text.slice(next(2) ? at : at + cut)
  }
  return text
}

const anyText = (next: Random): string => {
  if (next(6)) return mutatedText(next)
  if (next(3)) return Array.from({ length: next(60) }, () => WORDS[next(WORDS.length)]!).join(next(2) ? ' ' : '')
  return String.fromCharCode(...Array.from({ length: next(80) }, () => (next(4) ? next(128) : next(65536))))
}

function fuzzText(next: Random): string {
  const text = anyText(next),
    options = { strict: next(2) === 0, latin1: next(4) === 0 }
  const { file, errors, warnings } = parseDC([{ name: 'f.dc', text }], options)
  const lines = text.split('\n')
  for (const each of [...errors, ...warnings]) {
    const { line, column, length, source, message } = each
    check(line >= 1 && line <= lines.length && column >= 1 && length >= 1 && message !== '', 'place', each, text)
    const isFirst = line === 1 && lines[0]!.startsWith('\ufeff')
    check(source === lines[line - 1]!.slice(isFirst ? 1 : 0).replace(/\r$/, ''), 'source', each, text)
    check(column <= source.length + 1 || source.startsWith('\xef\xbb\xbf'), 'column', each, text)
  }
  check(errors.length <= 100 && warnings.length <= 100, 'too many', errors.length)
  check(errors.length === 0 || formatErrors(errors).includes(errors[0]!.message), 'format', text)
  check(file.hash >>> 0 === file.hash, 'hash', file.hash)
  if (next(4) === 0) {
    const strict = parseDC(text, { ...options, strict: true }),
      lax = parseDC(text, { ...options, strict: false })
    check(strict.errors.length > 0 || lax.errors.length === 0, 'strict is the stricter', text)
    check(strict.errors.length > 0 || strict.file.hash === lax.file.hash, 'same hash', text)
    const isOnlyLax = lax.errors.length === 0 && strict.errors.length > 0
    check(!isOnlyLax || lax.warnings.some(({ message }) => message.startsWith('Undeclared')), 'warned of', text)
  }
  if (errors.length) return 'texts with errors'
  if (next(8) === 0) {
    check(hashFile(loadDC(compileDC(file))) === file.hash, 'compiled', text)
    for (const field of file.fields)
      if (field.kind === 'parameter' && field.initial.length)
        check(unpackField(field, field.initial, { panda: true }).ok || !options.strict, 'initial', field.name, text)
  }
  return 'texts without'
}

// --- bytes and values

const EXTRA = `
  typedef blob(4) float32; typedef blob(2) float16; typedef blob(4) quat32; typedef blob(6) quat48; typedef uint8(0-1) bool;
  struct Deep { float32 a; bool b; int64(-5 - 5) c; uint64 d; float64(0-1) e; int16/10%360 f; char g; };
  dclass Fuzzed {
    move(int16/10 x, int16%360/10 h, uint8(0-100, 200) p, uint32 t); Deep deep; Deep deeps[]; quat32 q; quat48 r; float16 half;
    say(string(1-20) text, string free, char[4] tag); blob(2-6) key; blob32 large; uint16 grid[2][3]; string names[2];
    switch (uint8 kind) { case 1: uint8 a; break; case 2: string s; uint8 t[]; break; default: Deep d; } choice;
    struct { } nothing[]; uint8 endless[4000000000]; struct { string a; switch (string k) { case "a": uint8 a; } b[]; } odd[];
    int8/3 third; uint64/1000 time; int64%1000 turn; float64/8 eighth; uint8 bytes[0-3]; int32 fixed[4];
  };`
const FIELDS: readonly DCField[] = [
  ...parseDC(EXTRA).file.fields,
  ...parseDC(EXTRA).file.fields,
  ...parseDC(largeText(600, 3)).file.fields,
  ...accepts.flatMap(({ dc }) => parseDC(dc, { strict: false }).file.fields),
]

function anyBytes(next: Random, field: DCField): Uint8Array {
  const bytes = next(3) ? Array.from(goodBytes(next, field)) : Array.from({ length: next(40) }, () => next(256))
  for (let edits = next(4); edits > 0; edits--) {
    const at = next(bytes.length + 1)
    if (next(3) === 0) bytes.splice(at, next(4))
    else if (next(2)) bytes.splice(at, 0, next(256))
    else bytes[at] = [0, 1, 2, 127, 128, 255, next(256)][next(7)]!
  }
  return Uint8Array.from(bytes.slice(0, 5000))
}

/** Bytes of a good value, if the packer knows one. */
function goodBytes(next: Random, field: DCField): Uint8Array {
  try {
    return packField(field, goodValue(next, field, 0))
  } catch {
    return new Uint8Array(next(12))
  }
}

/** A value that probably fits. */
function goodValue(next: Random, packable: DCPackable, depth: number): unknown {
  switch (packable.kind) {
    case 'parameter':
      return goodValue(next, packable.type, depth)
    case 'number': {
      const range = packable.ranges[0]
      const scaled = range
        ? Number(range.min) + next(Math.min(1000, Number(range.max) - Number(range.min) + 1))
        : next(128)
      return isBig(packable) ? BigInt(Math.trunc(scaled)) : scaled / packable.divisor
    }
    case 'string':
      return 'aé😀z'.repeat(8).slice(0, packable.sizes[0]?.min ?? next(9))
    case 'blob':
    case 'blob32':
      return packable.extension?.startsWith('quat')
        ? [0, 0.6, 0, 0.8]
        : packable.extension
          ? next(100) / 8
          : new Uint8Array(packable.sizes[0]?.min ?? next(9))
    case 'array':
      return Array.from({ length: depth > 3 ? 0 : Math.min(8, packable.sizes[0]?.min ?? next(4)) }, () =>
        goodValue(next, packable.element, depth + 1),
      )
    case 'switch': {
      const cases = [...packable.cases, ...(packable.defaultCase ? [packable.defaultCase] : [])],
        branch = cases[next(cases.length)]
      if (!branch) return {}
      const key = branch.value
        ? unpackField(packable.key, branch.value).value
        : goodValue(next, packable.key, depth + 1)
      const names = memberKeys([packable.key, ...branch.fields])
      return Object.fromEntries(
        names.map((name, i) => [name, i ? goodValue(next, branch.fields[i - 1]!, depth + 1) : key]),
      )
    }
    case 'invalid':
      return 0
    default: {
      const members = membersOf(packable)!,
        values = members.map(member => goodValue(next, member, depth + 1))
      if (next(4) === 0) return values
      return Object.fromEntries(memberKeys(members).map((key, i) => [key, values[i]]))
    }
  }
}

function fuzzBytes(next: Random): string {
  const field = FIELDS[next(FIELDS.length)]!,
    bytes = anyBytes(next, field),
    leftOver = next(2) === 0
  const { ok, value, end, reason } = unpackField(field, bytes, { leftOver })
  check(ok === (reason === '') && (ok || value === undefined) && end >= 0 && end <= bytes.length, 'verdict', bytes)
  // As part of something larger it is the same.
  const reader = createReader(bytes),
    part = unpackType(field, reader)
  check(
    reader.failed === (reason === 'left over' ? '' : reason) && reader.at === end,
    'part',
    field.name,
    reason,
    bytes,
  )
  if (ok) check(isDeepStrictEqual(part, value), 'value', field.name, part, value)
  // What Panda3D would do, and text, must not throw either.
  unpackField(field, bytes, { leftOver, panda: true, rawText: true })
  formatPacked(field, bytes, { names: next(2) === 0 })
  checkColumns(field, bytes, ok || reason === 'left over')
  if (!ok) return 'bytes refused'
  if (!isLossy(field, value)) {
    const again = packField(field, value)
    check(isDeepStrictEqual(unpackField(field, again).value, value), 'again', field.name, value, again)
    check(isDeepStrictEqual(again, bytes.slice(0, end)), 'same bytes', field.name, again, bytes)
  }
  return 'bytes accepted'
}

/** Reading into columns gives the same verdict and the same numbers, and leaves the columns alone otherwise. */
function checkColumns(field: DCField, bytes: Uint8Array, ok: boolean): void {
  const columns = columnsFor(field)
  if (!columns) return
  const end = columnReader(field, columns)(bytes, 0, bytes.length, 1)
  check(end >= 0 === ok, 'columns verdict', field.name, end, bytes)
  const row = rowOf(columns, 1)
  const expected = ok ? unpackField(field, bytes, { leftOver: true }).value : rowOf(columnsFor(field)!, 1)
  check(isDeepStrictEqual(asRow(row), asRow(expected)), 'columns', field.name, row, expected)
}

const asRow = (value: unknown): unknown =>
  typeof value === 'boolean'
    ? Number(value)
    : typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
      ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, asRow(part)]))
      : value

/** Columns of two rows, typed arrays where they can be; undefined where a part is a switch, which needs too much to compare. */
function columnsFor(packable: DCPackable): ReadColumns | undefined {
  switch (packable.kind) {
    case 'parameter':
      return columnsFor(packable.type)
    case 'number':
      return isBig(packable)
        ? packable.base === 'int64'
          ? new BigInt64Array(2)
          : new BigUint64Array(2)
        : new Float64Array(2)
    case 'class':
    case 'atomic':
    case 'molecular': {
      const members = membersOf(packable)!,
        parts = members.map(columnsFor)
      if (parts.includes(undefined)) return undefined
      return Object.fromEntries(memberKeys(members).map((key, i) => [key, parts[i]!]))
    }
    case 'invalid':
      return undefined
    default:
      return [undefined, undefined]
  }
}

const rowOf = (columns: ReadColumns, row: number): unknown =>
  Array.isArray(columns) || ArrayBuffer.isView(columns)
    ? (columns as unknown[])[row]
    : Object.fromEntries(Object.entries(columns).map(([key, part]) => [key, rowOf(part, row)]))

/** Whether packing need not give the same bytes back: a modulus, a quaternion, NaN, or text that was no UTF-8. */
function isLossy(packable: DCPackable, value: unknown): boolean {
  return (
    hasPart(packable, part => {
      if (part.kind === 'number')
        return (
          part.modulus !== undefined ||
          (part.base === 'float64' && part.divisor !== 1) ||
          (part.base.endsWith('64') && part.divisor !== 1)
        )
      return 'extension' in part && part.extension !== undefined
    }) ||
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'bigint' ? 0 : Number.isNaN(each) ? '\ufffd' : each,
    )?.includes('\ufffd')
  )
}

function hasPart(packable: DCPackable, test: (part: DCPackable) => boolean): boolean {
  if (packable.kind === 'parameter') return hasPart(packable.type, test)
  if (packable.kind === 'array') return hasPart(packable.element, test)
  if (packable.kind === 'switch') {
    const cases = [...packable.cases, ...(packable.defaultCase ? [packable.defaultCase] : [])]
    return hasPart(packable.key, test) || cases.some(each => each.fields.some(field => hasPart(field, test)))
  }
  const members = membersOf(packable)
  return members ? members.some(member => hasPart(member, test)) : test(packable)
}

/** Values that no field, or not every field, takes. */
const HOSTILE: readonly unknown[] = [
  NaN,
  Infinity,
  -Infinity,
  -0,
  2 ** 53,
  -(2 ** 63),
  2 ** 64,
  1e308,
  0.5,
  -1,
  256,
  1n << 64n,
  -1n,
  3n,
  true,
  '',
  'text',
  '\ud800',
  'x'.repeat(70_000),
  null,
  undefined,
  [],
  [1, 2],
  [[]],
  {},
  { x: 1 },
  { __proto__: null, a: 1 },
  new Uint8Array(3),
  new Float64Array(3),
  new Uint8Array(70_000),
  Array(100).fill(1),
  new Map(),
  new Date(0),
  Symbol('s'),
  () => 1,
]

function fuzzValue(next: Random): string {
  const field = FIELDS[next(FIELDS.length)]!
  let value = goodValue(next, field, 0)
  for (let edits = next(3); edits > 0; edits--) value = spoiled(next, value)
  let bytes: Uint8Array
  try {
    bytes = packField(field, value)
  } catch (error) {
    check(error instanceof TypeError || error instanceof RangeError, 'kind of error', String(error))
    const { message } = error as Error
    check(message.startsWith(`${field.owner.name}.${field.name}`), 'place', message)
    return 'values refused'
  }
  const answer = unpackField(field, bytes)
  check(answer.ok, 'packed, but not to be unpacked', field.name, bytes, answer.reason)
  return 'values accepted'
}

/** The value with one of its parts replaced. */
function spoiled(next: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || next(3) === 0)
    return HOSTILE[next(HOSTILE.length)]
  const keys = Object.keys(value)
  if (!keys.length || next(8) === 0)
    return Object.assign(Array.isArray(value) ? [...(value as unknown[])] : { ...value }, { odd: 1 })
  const key = keys[next(keys.length)]!
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>
  copy[key] = spoiled(next, copy[key])
  return copy
}

const VALUE_WORDS = '{ } [ ] ( ) , , 1 -1 2.5 300 1e5 "ab" \'\' <0102> <> * 3 4000000000 a = x = k - / 0x "'.split(' ')

function fuzzValueText(next: Random): string {
  const field = FIELDS[next(FIELDS.length)]!
  let text = next(3) ? (formatPacked(field, goodBytes(next, field)) ?? '') : ''
  for (let edits = next(4); edits > 0; edits--) {
    const at = next(text.length + 1)
    text = text.slice(0, at) + VALUE_WORDS[next(VALUE_WORDS.length)]! + ' ' + text.slice(at + next(3))
  }
  const { ok, bytes, message } = packText(field, text, { latin1: next(2) === 0 })
  check(ok ? message === '' : message !== '' && bytes.length === 0, 'answer', text, message)
  // Of the right size. Bytes in hex, and letters for int8, may be out of range, as in Panda3D.
  const reader = createReader(bytes, 0, bytes.length, 'sizes')
  unpackType(field, reader)
  if (ok) check(!reader.failed && reader.at === bytes.length, 'packed, but not of that size', field.name, text, bytes)
  return ok ? 'value texts accepted' : 'value texts refused'
}
