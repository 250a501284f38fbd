import { printOf, structureOf, type ClassStructure, type DCFile, type SchemaStructure } from '../dc/index.ts'
import {
  byteWriter,
  bytesLeft,
  more,
  readText,
  readU16,
  readU32,
  readU8,
  textSize,
  varintSize,
  writeText,
  writeU16,
  writeU32,
  writeU8,
  type ByteReader,
  type ByteWriter,
} from './bytes.ts'
import { Kind } from './packet.ts'
import {
  identityOf,
  olderOf,
  type SchemaDifference,
  type SchemaIdentity,
  type SchemaMismatch,
} from './schema-mismatch.ts'
import { MAX_PACKET } from './transport.ts'

/*
 * After a refusal for another schema the client asks what differs, in two steps: hashes of its classes, page by page in the
 * order of their keys; then the declarations of those that differ. Each question is answered by itself, from nothing but the
 * server's own schema, with at most three times its bytes.
 */

/** Most bytes of an answer for each of its question. */
export const MAX_GROWTH = 3
/** A question about classes is filled up to so many bytes, which buys the answer a whole datagram. */
const PADDED = 384
/** Classes that one question names. */
const PAGE_CLASSES = 128
/** Questions that one inquiry asks. */
const MAX_QUESTIONS = 32
/** Questions, repeated ones too, that a server answers on one connection. */
export const MAX_ANSWERS = 96
/** Differences that either side keeps. */
const MAX_DIFFERENCES = 64
/** Longest name and longest declaration that travel, in characters. */
const MAX_NAME = 64
const MAX_TEXT = 160
/** Differences that a message names. */
const MAX_NAMED = 8

const Step = { classes: 1, fields: 2 } as const
const What = { differs: 0, missingAtClient: 1, missingAtServer: 2 } as const

/** What is known so far. */
export interface Findings {
  readonly differences: Map<string, SchemaDifference>
  /** Classes that differ; true once their fields were compared. */
  readonly suspects: Map<string, boolean>
  isComplete: boolean
}

export const createFindings = (): Findings => ({ differences: new Map(), suspects: new Map(), isComplete: true })

const find = (findings: Findings, difference: SchemaDifference): void => {
  const key = `${difference.class}.${difference.field ?? ''}`
  if (findings.differences.size < MAX_DIFFERENCES) findings.differences.set(key, difference)
  else if (!findings.differences.has(key)) findings.isComplete = false
}

const suspect = (findings: Findings, name: string, isCompared: boolean): void => {
  if (findings.suspects.size < MAX_DIFFERENCES || findings.suspects.has(name))
    findings.suspects.set(name, isCompared || findings.suspects.get(name) === true)
  else findings.isComplete = false
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}~` : text)

/** Text of the other side, which may be anything: short, and of printable characters. */
const readWords = (reader: ByteReader, length: number): string =>
  readText(reader)
    .slice(0, length)
    .replaceAll(/[^ -~]/g, '?')

const fits = (writer: ByteWriter, text: string): boolean =>
  bytesLeft(writer) >= varintSize(textSize(text)) + textSize(text)

const finished = (writer: ByteWriter): Uint8Array => writer.bytes.slice(0, writer.length)

/** What a name stands by on the wire. */
const keyOf = ({ name }: { readonly name: string }): number => printOf(cut(name, MAX_NAME))

const byKey = <T extends { readonly name: string }>(list: readonly T[]): T[] =>
  [...list].sort((a, b) => keyOf(a) - keyOf(b))

/** A writer for at most so many bytes, begun with what every question and answer begins with. */
const begin = (kind: number, nonce: number, step: number, bytes: number): ByteWriter => {
  const writer = byteWriter(Math.min(bytes, MAX_PACKET))
  writeU8(writer, kind)
  writeU32(writer, nonce)
  writeU8(writer, step)
  return writer
}

/** A question that waits for its answer. */
interface Question {
  readonly packet: Uint8Array
  /** The class whose fields it tells, if it does. */
  readonly dclass: ClassStructure | undefined
}

/** The client's side of the exchange. */
export interface Inquiry {
  readonly structure: SchemaStructure
  readonly nonce: number
  readonly here: SchemaIdentity
  readonly there: SchemaIdentity
  readonly findings: Findings
  /** By what their answers repeat. */
  readonly questions: Map<string, Question>
  /** Questions that were asked so far. */
  asked: number
}

/** Begins an inquiry: its first questions are `inquiry.questions`. */
export const createInquiry = (file: DCFile, nonce: number, there: SchemaIdentity): Inquiry => {
  const structure = structureOf(file)
  const here = identityOf(file)
  const inquiry = { structure, nonce, here, there, findings: createFindings(), questions: new Map(), asked: 0 }
  const classes = byKey(structure.classes)
  for (let at = 0, from = 0; at === 0 || at < classes.length; at += PAGE_CLASSES) {
    const page = classes.slice(at, at + PAGE_CLASSES)
    const to = at + PAGE_CLASSES < classes.length ? keyOf(page.at(-1)!) : 0xffffffff
    const writer = begin(Kind.inquiry, nonce, Step.classes, MAX_PACKET)
    writeU32(writer, from)
    writeU32(writer, to)
    writeU8(writer, page.length)
    for (const dclass of page) {
      writeU32(writer, keyOf(dclass))
      writeU32(writer, dclass.print)
    }
    // The buffer is zeros behind what was written.
    writer.length = Math.max(writer.length, PADDED)
    ask(inquiry, `${from}`, { packet: finished(writer), dclass: undefined })
    from = to + 1
  }
  return inquiry
}

const ask = (inquiry: Inquiry, key: string, question: Question): void => {
  if (inquiry.asked >= MAX_QUESTIONS) inquiry.findings.isComplete = false
  else {
    inquiry.asked++
    inquiry.questions.set(key, question)
  }
}

/** Asks about the fields of a class, in as many questions as they take; of a class that the server lacks, tells the header. */
const askFields = (inquiry: Inquiry, dclass: ClassStructure, fields: ClassStructure['fields']): void => {
  const sorted = byKey(fields)
  let at = 0
  let from = 0
  do {
    const writer = begin(Kind.inquiry, inquiry.nonce, Step.fields, MAX_PACKET)
    writeText(writer, cut(dclass.name, MAX_NAME))
    writeText(writer, cut(dclass.header, MAX_TEXT))
    writeU32(writer, from)
    const rest = writer.length
    writeU32(writer, 0xffffffff)
    writeU8(writer, 0)
    let count = 0
    for (; at < sorted.length && count < 255; at++, count++) {
      const { name, print, text } = sorted[at]!
      const short = cut(text, MAX_TEXT)
      if (bytesLeft(writer) < 4 + 2 * 5 + textSize(short) + textSize(name)) break
      writeU32(writer, print)
      writeText(writer, cut(name, MAX_NAME))
      writeText(writer, short)
    }
    const to = at < sorted.length ? keyOf(sorted[at - 1]!) : 0xffffffff
    writer.view.setUint32(rest, to, true)
    writer.view.setUint8(rest + 4, count)
    ask(inquiry, `${keyOf(dclass)}:${from}`, { packet: finished(writer), dclass })
    from = to + 1
  } while (at < sorted.length)
}

/**
 * Answers a question from the server's schema, `size` bytes of it including the kind byte that was read already, and notes what
 * it learns. `undefined` when it cannot be read.
 */
export const answerInquiry = (
  structure: SchemaStructure,
  reader: ByteReader,
  size: number,
  findings: Findings,
): Uint8Array | undefined => {
  const nonce = readU32(reader)
  const step = readU8(reader)
  const budget = size * MAX_GROWTH
  if (reader.failed) return undefined
  if (step === Step.classes) return answerClasses(structure, reader, nonce, budget, findings)
  return step === Step.fields ? answerFields(structure, reader, nonce, budget, findings) : undefined
}

const answerClasses = (
  structure: SchemaStructure,
  reader: ByteReader,
  nonce: number,
  budget: number,
  findings: Findings,
): Uint8Array | undefined => {
  const from = readU32(reader)
  const to = readU32(reader)
  const count = readU8(reader)
  const prints = new Map<number, number>()
  for (let at = 0; at < count; at++) prints.set(readU32(reader), readU32(reader))
  if (reader.failed) return undefined
  const writer = begin(Kind.answer, nonce, Step.classes, budget)
  writeU32(writer, from)
  const entries = beginEntries(writer)
  for (const dclass of structure.classes) {
    const { print, name, header } = dclass
    const key = keyOf(dclass)
    if (key < from || key > to) continue
    const other = prints.get(key)
    prints.delete(key)
    if (other === print) continue
    if (other === undefined) find(findings, { class: name, here: header })
    else suspect(findings, name, false)
    const text = other === undefined ? cut(header, MAX_TEXT) : undefined
    writeEntry(entries, key, other === undefined ? What.missingAtClient : What.differs, text)
  }
  for (const key of prints.keys()) writeEntry(entries, key, What.missingAtServer)
  return finished(writer)
}

/** A list whose length counts what no longer fits, too. */
interface Entries {
  readonly writer: ByteWriter
  /** Where its length stands. */
  readonly at: number
  isFull: boolean
}

const beginEntries = (writer: ByteWriter): Entries => {
  writeU16(writer, 0)
  return { writer, at: writer.length - 2, isFull: false }
}

const writeEntry = (entries: Entries, key: number, what: number, ...texts: (string | undefined)[]): void => {
  const { writer, at } = entries
  writer.view.setUint16(at, writer.view.getUint16(at, true) + 1, true)
  const start = writer.length
  if (!entries.isFull && bytesLeft(writer) >= 5) {
    writeU32(writer, key)
    writeU8(writer, what)
    const isWhole = texts.every(text => {
      if (text === undefined) return true
      if (!fits(writer, text)) return false
      writeText(writer, text)
      return true
    })
    if (isWhole) return
  }
  writer.length = start
  entries.isFull = true
}

const answerFields = (
  structure: SchemaStructure,
  reader: ByteReader,
  nonce: number,
  budget: number,
  findings: Findings,
): Uint8Array | undefined => {
  const name = readWords(reader, MAX_NAME)
  const header = readWords(reader, MAX_TEXT)
  const from = readU32(reader)
  const to = readU32(reader)
  const count = readU8(reader)
  const others = new Map<number, { name: string; print: number; text: string }>()
  for (let at = 0; at < count && !reader.failed; at++) {
    const print = readU32(reader)
    const field = readWords(reader, MAX_NAME)
    others.set(keyOf({ name: field }), { name: field, print, text: readWords(reader, MAX_TEXT) })
  }
  if (reader.failed) return undefined
  const writer = begin(Kind.answer, nonce, Step.fields, budget)
  writeU32(writer, keyOf({ name }))
  writeU32(writer, from)
  const entries = beginEntries(writer)
  const dclass = structure.classes.find(each => cut(each.name, MAX_NAME) === name)
  if (!dclass) {
    find(findings, { class: name, there: header })
    return finished(writer)
  }
  suspect(findings, dclass.name, true)
  if (from === 0 && cut(dclass.header, MAX_TEXT) !== header) {
    find(findings, { class: name, here: dclass.header, there: header })
    writeEntry(entries, 0, What.differs, cut(dclass.header, MAX_TEXT))
  }
  for (const field of dclass.fields) {
    const key = keyOf(field)
    if (key < from || key > to) continue
    const other = others.get(key)
    others.delete(key)
    if (other?.print === field.print) continue
    const text = cut(field.text, MAX_TEXT)
    find(findings, { class: name, field: field.name, here: field.text, ...(other && { there: other.text }) })
    if (other) writeEntry(entries, key, What.differs, text)
    else writeEntry(entries, key, What.missingAtClient, cut(field.name, MAX_NAME), text)
  }
  for (const [key, other] of others) {
    find(findings, { class: name, field: other.name, there: other.text })
    writeEntry(entries, key, What.missingAtServer)
  }
  return finished(writer)
}

/** Takes an answer, behind its kind byte. New questions may follow from it; without any left the inquiry is over. */
export const takeAnswer = (inquiry: Inquiry, reader: ByteReader): void => {
  const nonce = readU32(reader)
  const step = readU8(reader)
  if (reader.failed || nonce !== inquiry.nonce) return
  if (step === Step.classes) takeClasses(inquiry, reader)
  else if (step === Step.fields) takeFields(inquiry, reader)
}

/** The question that an answer is for; once. */
const questionOf = (inquiry: Inquiry, key: string, reader: ByteReader): Question | undefined => {
  const question = reader.failed ? undefined : inquiry.questions.get(key)
  inquiry.questions.delete(key)
  return question
}

const takeClasses = (inquiry: Inquiry, reader: ByteReader): void => {
  const from = readU32(reader)
  const total = readU16(reader)
  const { structure, findings } = inquiry
  if (!questionOf(inquiry, `${from}`, reader)) return
  let count = 0
  for (; more(reader); count++) {
    const key = readU32(reader)
    const what = readU8(reader)
    if (what === What.missingAtClient) {
      const there = readWords(reader, MAX_TEXT)
      // `dclass Avatar : Node`
      if (!reader.failed) find(findings, { class: there.split(' ')[1] ?? there, there })
      continue
    }
    const dclass = structure.classes.find(each => keyOf(each) === key)
    if (reader.failed || !dclass) continue
    if (what === What.missingAtServer) find(findings, { class: dclass.name, here: dclass.header })
    else suspect(findings, dclass.name, false)
    askFields(inquiry, dclass, what === What.missingAtServer ? [] : dclass.fields)
  }
  if (reader.failed || count < total) findings.isComplete = false
}

const takeFields = (inquiry: Inquiry, reader: ByteReader): void => {
  const classKey = readU32(reader)
  const from = readU32(reader)
  const total = readU16(reader)
  const { findings } = inquiry
  const dclass = questionOf(inquiry, `${classKey}:${from}`, reader)?.dclass
  if (!dclass) return
  const { name } = dclass
  if (findings.suspects.has(name)) suspect(findings, name, true)
  let count = 0
  for (; more(reader); count++) {
    const key = readU32(reader)
    const what = readU8(reader)
    const missing = what === What.missingAtClient ? readWords(reader, MAX_NAME) : undefined
    const there = what === What.missingAtServer ? undefined : readWords(reader, MAX_TEXT)
    if (reader.failed) break
    const field = dclass.fields.find(each => keyOf(each) === key)
    if (key === 0 && what === What.differs) find(findings, { class: name, here: dclass.header, there: there! })
    else if (missing !== undefined) find(findings, { class: name, field: missing, there: there! })
    else if (field)
      find(findings, { class: name, field: field.name, here: field.text, ...(there !== undefined && { there }) })
  }
  if (reader.failed || count < total) findings.isComplete = false
}

/** What came out. `isOver`: whether everything that was asked was answered, as far as this side knows. */
export const mismatchOf = (
  here: SchemaIdentity,
  there: SchemaIdentity,
  findings: Findings,
  isOver: boolean,
): SchemaMismatch => {
  const differences = [...findings.differences.values()]
  const known = new Set(differences.map(difference => difference.class))
  let isComplete = findings.isComplete && isOver
  for (const [name, isCompared] of findings.suspects) {
    if (known.has(name)) continue
    if (isCompared && isComplete) differences.push({ class: name, isReordered: true })
    else isComplete = false
  }
  const isSame = here.structureHash === there.structureHash
  if (differences.length === 0 && isComplete && !isSame) differences.push({ isReordered: true })
  return { here, there, older: olderOf(here, there), differences, isComplete }
}

/** A mismatch in words: `other` is who the other side is, `the server` or `the client`. */
export const describeMismatch = (
  { here, there, older, differences, isComplete }: SchemaMismatch,
  other: string,
): string => {
  const named = differences.slice(0, MAX_NAMED).map(difference => describeDifference(difference, other))
  const rest = differences.length - named.length
  if (rest > 0) named.push(`${rest} more ${rest === 1 ? 'difference' : 'differences'}`)
  if (here.structureHash === there.structureHash)
    named.push("only Panda3D's hash differs: one side declares a keyword that Panda3D has anyway")
  else if (!isComplete) named.push(differences.length > 0 ? 'there may be more' : 'what differs could not be found out')
  if (older) {
    const mine = other === 'the server' ? 'this client' : 'this server'
    const [low, high] = [Math.min(here.version, there.version), Math.max(here.version, there.version)]
    named.push(`${older === 'here' ? mine : other} is older (${low} < ${high})`)
  }
  return named.join('; ')
}

const describeDifference = (
  { class: dclass, field, here, there, isReordered }: SchemaDifference,
  other: string,
): string => {
  if (isReordered)
    return dclass === undefined ? 'classes in another order' : `${dclass} has its fields in another order`
  const name = field === undefined ? `class ${dclass}` : `${dclass}.${field}`
  if (here === undefined)
    return `${name} missing here${field === undefined ? '' : ` (${cut(there!, MAX_TEXT)} at ${other})`}`
  if (there === undefined)
    return `${name} missing at ${other}${field === undefined ? '' : ` (${cut(here, MAX_TEXT)} here)`}`
  return `${name} is "${cut(here, MAX_TEXT)}" here, "${cut(there, MAX_TEXT)}" at ${other}`
}
