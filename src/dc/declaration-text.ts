import type {
  ClassDeclaration,
  Declarations,
  ExtensionDeclaration,
  Keyword,
  Limit,
  MemberDeclaration,
  NumberDeclaration,
  Parameters,
  SwitchDeclaration,
  TypeDeclaration,
  ArrayDeclaration,
  BytesDeclaration,
  DefaultDeclaration,
} from './declare.ts'
import { setExtension, type Extension } from './extension.ts'
import { HISTORICAL } from './schema.ts'

/** The text of some declarations, and what each of its lines declares: `Avatar.health`. */
export interface DeclarationText {
  readonly text: string
  /** By line, from 0. */
  readonly places: readonly string[]
}

/** The types of the prelude, as they stand in `dc/pipes.dc`. */
const EXTENSIONS: Record<Extension, string> = {
  float16: 'blob(2)',
  float32: 'blob(4)',
  quat32: 'blob(4)',
  quat48: 'blob(6)',
  bool: 'uint8(0-1)',
  DoId: 'uint32',
}

/** Settings that no declaration holds. */
export interface DeclarationOptions {
  /**
   * Keywords to declare besides the custom ones that fields use: one of Panda3D's own (`ram`) counts as custom from then on,
   * as after `keyword ram;`.
   */
  readonly keywords?: readonly Keyword[]
}

interface Printer {
  readonly declarations: Declarations
  /** Names of what was written so far. */
  readonly names: Map<object, string>
  readonly keywords: Set<string>
  /** Typedefs of the prelude that are used. */
  readonly extensions: Set<Extension>
  /** What is being written, for messages. */
  place: string
}

/**
 * Declarations as DC text, which Panda3D reads too.
 * @throws TypeError naming the declaration when a name is none, a class or type is used before it, or a default does not fit.
 */
export function declarationText(declarations: Declarations, options: DeclarationOptions = {}): DeclarationText {
  const printer: Printer = {
    declarations,
    names: new Map(),
    keywords: new Set(options.keywords),
    extensions: new Set(),
    place: '',
  }
  const lines: { text: string; place: string }[] = []
  for (const [name, declaration] of Object.entries(declarations)) {
    printer.place = checkName(printer, name)
    const known = printer.names.get(declaration)
    if (known) fail(printer, `is the same declaration as ${known}: give it one name`)
    lines.push(...topLevel(printer, name, declaration))
    printer.names.set(declaration, name)
  }
  const keywords = [...printer.keywords]
  for (const keyword of keywords) checkName({ ...printer, place: 'keyword ' }, keyword)
  const all = [
    ...(keywords.length ? [{ text: `keyword ${keywords.join(' ')};`, place: 'keywords' }] : []),
    ...Array.from(printer.extensions, name => ({ text: `typedef ${EXTENSIONS[name]} ${name};`, place: name })),
    ...lines,
  ]
  return { text: all.map(({ text }) => `${text}\n`).join(''), places: all.map(({ place }) => place) }
}

function fail(printer: Printer, what: string): never {
  throw new TypeError(`defineSchema: ${printer.place} ${what}.`)
}

function checkName(printer: Printer, name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new TypeError(
      `defineSchema: ${printer.place}${printer.place && ': '}${JSON.stringify(name)} is no name: use letters, digits and _.`,
    )
  return name
}

function topLevel(printer: Printer, name: string, declaration: TypeDeclaration): { text: string; place: string }[] {
  if (declaration?.kind === 'class') {
    const { isStruct, members, parents } = declaration as ClassDeclaration
    return [
      { text: `${isStruct ? 'struct' : 'dclass'} ${name}${heritage(printer, parents)} {`, place: name },
      ...entriesOf(members).map(([key, member]) => {
        printer.place = `${name}.${key}`
        return { text: `  ${memberText(printer, key, member)};`, place: printer.place }
      }),
      { text: '};', place: name },
    ]
  }
  if (declaration?.kind === 'switch')
    return [{ text: `${switchText(printer, declaration as SwitchDeclaration, name)};`, place: name }]
  return [{ text: `typedef ${parameterText(printer, declaration, name)};`, place: name }]
}

/** Named entries, or those of a list under empty names. */
const entriesOf = <T>(members: Readonly<Record<string, T>> | readonly T[]): [string, T][] =>
  Array.isArray(members) ? members.map(member => ['', member]) : Object.entries(members)

function heritage(printer: Printer, parents: readonly ClassDeclaration[]): string {
  const names = parents.map(parent => printer.names.get(parent) ?? undeclared(printer, parent, 'inherits from'))
  return names.length ? ` : ${names.join(', ')}` : ''
}

function undeclared(printer: Printer, declaration: TypeDeclaration, verb: string): never {
  const name = Object.keys(printer.declarations).find(key => printer.declarations[key] === declaration)
  return fail(
    printer,
    name
      ? `${verb} ${name}, which is declared after it: move ${name} up`
      : `${verb} a dclass that the schema does not name: give it to defineSchema, before this one`,
  )
}

function memberText(printer: Printer, name: string, member: MemberDeclaration): string {
  if (name) checkName(printer, name)
  switch (member?.kind) {
    case 'field':
      return parameterText(printer, member.type, name) + keywordText(printer, member.keywords)
    case 'message':
      return `${name}(${parametersText(printer, member.parameters)})${keywordText(printer, member.keywords)}`
    case 'molecule':
      return `${name} : ${member.names.map(each => checkName(printer, each)).join(', ')}`
    default:
      return parameterText(printer, member, name)
  }
}

const keywordText = (printer: Printer, keywords: readonly Keyword[]): string =>
  keywords
    .map(keyword => {
      if (!HISTORICAL.includes(keyword)) printer.keywords.add(keyword)
      return ` ${keyword}`
    })
    .join('')

const parametersText = (printer: Printer, parameters: Parameters): string =>
  entriesOf(parameters)
    .map(([name, type]) => parameterText(printer, type, name && checkName(printer, name)))
    .join(', ')

/** `type[sizes] name = default` */
function parameterText(printer: Printer, declaration: TypeDeclaration, name: string): string {
  const given = printer.names.has(declaration) ? undefined : asDefault(declaration)
  const type = given ? given.of : declaration
  return (
    typeText(printer, type) + (name && ` ${name}`) + (given ? ` = ${valueText(printer, given.of, given.value)}` : '')
  )
}

const asDefault = (declaration: TypeDeclaration): DefaultDeclaration | undefined =>
  declaration?.kind === 'default' ? (declaration as DefaultDeclaration) : undefined

function typeText(printer: Printer, type: TypeDeclaration): string {
  const name = printer.names.get(type)
  if (name) return name
  switch (type?.kind) {
    case 'number':
      return numberText(type as NumberDeclaration)
    case 'bytes': {
      const { base, sizes } = type as BytesDeclaration
      return base + (sizes.length ? `(${rangesText(sizes)})` : '')
    }
    case 'array': {
      // Brackets are read from the outermost one on, behind the innermost type.
      let element: TypeDeclaration = type,
        brackets = ''
      for (; element?.kind === 'array' && !printer.names.has(element); element = (element as ArrayDeclaration).element)
        brackets += `[${rangesText((element as ArrayDeclaration).sizes)}]`
      return typeText(printer, element) + brackets
    }
    case 'class': {
      const { isStruct, parents, members } = type as ClassDeclaration
      if (!isStruct) undeclared(printer, type, 'uses')
      const body = entriesOf(members).map(([key, member]) => `${memberText(printer, key, member)}; `)
      return `struct${heritage(printer, parents)} { ${body.join('')}}`
    }
    case 'switch':
      return switchText(printer, type as SwitchDeclaration, '')
    case 'extension': {
      const { name: extension } = type as ExtensionDeclaration
      printer.extensions.add(extension)
      return extension
    }
    case 'default':
      return fail(printer, 'has a default inside of a type: defaults belong to fields, parameters and named types')
    default:
      return fail(printer, 'is no DC type: use those of this package, such as uint8(0, 100)')
  }
}

function numberText({ base, options }: NumberDeclaration): string {
  const { divisor, modulus, ranges = [] } = options
  return (
    base +
    (divisor === undefined ? '' : `/${divisor}`) +
    (modulus === undefined ? '' : `%${numeral(modulus)}`) +
    (ranges.length ? `(${rangesText(ranges)})` : '')
  )
}

const rangesText = (ranges: readonly (readonly [Limit, Limit])[]): string =>
  // A sign right behind a number belongs to the next one: blanks keep them apart.
  ranges.map(([min, max]) => (min === max ? limit(min) : `${limit(min)} - ${limit(max)}`)).join(', ')

const limit = (end: Limit): string => (typeof end === 'string' ? textLiteral(end) : numeral(end))

function switchText(printer: Printer, { key, cases }: SwitchDeclaration, name: string): string {
  const [entry, ...more] = Object.entries(key)
  if (!entry || more.length) return fail(printer, 'needs one key: switchOn({ kind: uint8() }, ...)')
  const keyType = entry[1]
  const body = cases.map(({ values, fields }) => {
    const labels = values
      ? values.map(
          value =>
            `case ${keyType.kind === 'message' ? membersText(printer, keyType.parameters, value) : valueText(printer, keyType, value)}:`,
        )
      : ['default:']
    const parts = entriesOf(fields as Parameters).map(
      ([field, type]) => `${parameterText(printer, type, checkName(printer, field))};`,
    )
    return [...labels, ...parts, 'break;'].join(' ')
  })
  return `switch ${name && `${name} `}(${memberText(printer, entry[0], keyType)}) { ${body.join(' ')} }`
}

/** A value as DC text. What does not fit the type is left to the reader of the text, which says so. */
function valueText(printer: Printer, type: TypeDeclaration, value: unknown): string {
  if (type.kind === 'extension') return extensionText(printer, type as ExtensionDeclaration, value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) fail(printer, `has the default ${value}, which DC cannot write`)
    return numeral(value)
  }
  if (typeof value === 'string') return textLiteral(value)
  if (value instanceof Uint8Array)
    return `"${Array.from(value, byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`
  if (typeof value !== 'object' || value === null)
    return fail(printer, `has the default ${String(value)}, which is no DC value`)
  switch (type.kind) {
    case 'default':
      return valueText(printer, (type as DefaultDeclaration).of, value)
    case 'array':
      return `[${Array.from(value as Iterable<unknown>, each => valueText(printer, (type as ArrayDeclaration).element, each)).join(', ')}]`
    case 'class':
      return membersText(printer, inheritedMembers(type as ClassDeclaration), value)
    case 'switch': {
      const { key, cases } = type as SwitchDeclaration
      const [[name, keyType] = fail(printer, 'has no key')] = Object.entries(key)
      const chosen = (value as Record<string, unknown>)[name]
      const branch =
        cases.find(({ values }) => values?.some(each => String(each) === String(chosen))) ??
        cases.find(({ values }) => !values)
      return membersText(printer, { [name]: keyType, ...branch?.fields }, value)
    }
    default:
      return Array.isArray(value)
        ? `[${value.map(each => (typeof each === 'object' && each ? membersText(printer, [], each) : valueText(printer, type, each))).join(', ')}]`
        : fail(printer, 'has an object as the default of what is none')
  }
}

/** Floats and quaternions are blobs in DC: their defaults are written as bytes. */
function extensionText(printer: Printer, { name }: ExtensionDeclaration, value: unknown): string {
  if (name === 'bool' || name === 'DoId') return numeral(Number(value))
  const bytes = new Uint8Array(Number(/\d+/.exec(EXTENSIONS[name])![0]))
  const wrong = setExtension(new DataView(bytes.buffer), 0, name, value)
  if (wrong) fail(printer, `has a default that is no ${name}: give ${wrong}`)
  return `<${Array.from(bytes, byte => (byte + 0x100).toString(16).slice(1)).join('')}>`
}

/** A value by member names, or in their order, as a list in their order. */
function membersText(
  printer: Printer,
  members: Readonly<Record<string, MemberDeclaration>> | readonly MemberDeclaration[],
  value: unknown,
): string {
  const list = entriesOf(members).filter(([, member]) => member.kind !== 'molecule')
  const values = Object.values(value as object)
  const parts = list.map(([name, member], i) => {
    const key = name || `arg${i}`
    const part = Array.isArray(value) ? value[i] : (value as Record<string, unknown>)[key]
    if (part === undefined) return fail(printer, `has a default without ${key}`)
    return member.kind === 'message'
      ? membersText(printer, member.parameters, part)
      : valueText(printer, member.kind === 'field' ? member.type : (member as TypeDeclaration), part)
  })
  // The pairs of uint32uint8array are no declared class.
  return `{${(list.length ? parts : values.map(part => valueText(printer, { kind: 'number' } as TypeDeclaration, part))).join(', ')}}`
}

/** Inherited members first; own ones take the place of inherited ones of their name, at the end. */
function inheritedMembers(declaration: ClassDeclaration): Record<string, MemberDeclaration> {
  const own = declaration.members
  const all: Record<string, MemberDeclaration> = {}
  for (const parent of declaration.parents)
    for (const [name, member] of Object.entries(inheritedMembers(parent)))
      if (!(name in all) && !(name in own)) all[name] = member
  return Object.assign(all, Array.isArray(own) ? Object.fromEntries(own.map((member, i) => [`arg${i}`, member])) : own)
}

/** A number as a DC literal: reals have a point, and integers beyond what is exact are reals. */
function numeral(value: number | bigint): string {
  const text = String(value)
  if (typeof value === 'bigint' || Number.isSafeInteger(value) || text.includes('.')) return text
  return /e/.test(text) ? text.replace('e', '.e') : `${text}.`
}

/** A text as a DC string: what is not plain is written as bytes. */
const textLiteral = (text: string): string =>
  `"${text.replace(/["\\]/g, '\\$&').replace(/[\u0000-\u001f\u007f]/g, code => `\\x${code.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
