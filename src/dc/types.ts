import { columnKind, type Column } from './columns.ts'
import { isQuaternion } from './extension.ts'
import { memberKeys, membersOf, type Member } from './members.ts'
import {
  isBig,
  type DCCase,
  type DCClass,
  type DCField,
  type DCFile,
  type DCNumberType,
  type DCParameter,
  type DCRange,
  type DCSwitchType,
  type DCType,
} from './model.ts'
import { dequantise, LIMITS, scaledModulus } from './number.ts'
import { createReader, unpackType } from './unpacker.ts'

/** Words that TypeScript does not take as the name of a constant, and the names that the generated file itself uses. */
const TAKEN = /* @__PURE__ */ new RegExp(
  '^(DClass|Message|Schema|schema|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|' +
    'extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|' +
    'return|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|with|yield|eval|arguments)$',
)

/**
 * TypeScript declarations of a schema, to stand beside `lobby.dc` as `lobby.dc.d.ts`: one constant per dclass with its columns
 * and messages, and the schema as default export.
 * @param module where `DClass`, `Message` and `Schema` come from.
 */
export function declareTypes(file: DCFile, module = 'bitecs-pipes'): string {
  const classes = file.classes.filter(dclass => !dclass.isStruct && !dclass.isPlaceholder)
  const local = (name: string): string => {
    let free = name
    while (TAKEN.test(free) || (free !== name && file.classByName(free))) free = `dc_${free}`
    return free
  }
  const imports = ['DClass', ...(classes.some(hasMethods) ? ['Message'] : []), 'Schema']
  return [
    '// Generated from the DC file beside it. Do not edit.',
    `import type { ${imports.join(', ')} } from '${module}'`,
    ...classes.map(dclass => `\n${declareClass(dclass, local(dclass.name))}`),
    '',
    'declare const schema: Schema<{',
    ...classes.map(({ name }) => `  readonly ${name}: typeof ${local(name)}`),
    '}>',
    'export default schema',
    '',
  ].join('\n')
}

const hasMethods = (dclass: DCClass): boolean => dclass.inherited.some(({ kind }) => kind !== 'parameter')

function declareClass(dclass: DCClass, local: string): string {
  const parents = dclass.parents.map(({ name }) => name).join(', ')
  const lines = [
    doc(dclass.comment, [`\`dclass ${dclass.name}${parents && ` : ${parents}`}\``], ''),
    `${local === dclass.name ? 'export ' : ''}declare const ${local}: DClass & {`,
  ]
  for (const field of dclass.inherited)
    lines.push(documentation(field, '  '), `  readonly ${field.name}: ${fieldType(field)}`)
  lines.push('}')
  if (local !== dclass.name) lines.push(`export { ${local} as ${dclass.name} }`)
  return lines.join('\n')
}

const fieldType = (field: DCField): string =>
  field.kind === 'parameter'
    ? columnType(columnKind(field.type), field.type, '  ')
    : `Message<${objectType(field.parameters)}>`

function columnType(column: Column, type: DCType, indent: string): string {
  switch (column.kind) {
    case 'scalar':
      return column.array
    case 'struct': {
      if (column.extension) return `{ ${column.fields.map(({ name }) => `readonly ${name}: Float32Array`).join('; ')} }`
      const members = type.kind === 'class' ? type.dclass.members : []
      const inner = `${indent}  `
      const parts = column.fields.flatMap(({ name, column: part }, i) => {
        // A struct of columns has named fields only, in this order.
        const member = members[i] as DCField & DCParameter
        return [documentation(member, inner), `${inner}readonly ${name}: ${columnType(part, member.type, inner)}`]
      })
      return ['{', ...parts, `${indent}}`].join('\n')
    }
    default:
      return `${valueType(column.type)}[]`
  }
}

/** Comment (a struct's own, if the field has none), declaration, and what that means in units of the value. */
function documentation(field: DCField, indent: string): string {
  const comment =
    field.comment ?? (field.kind === 'parameter' && field.type.kind === 'class' ? field.type.dclass.comment : undefined)
  const declaration = `\`${declarationOf(field)}\``
  if (field.kind === 'parameter') return doc(comment, [withFacts(declaration, field)], indent)
  const keys = memberKeys(field.parameters)
  const parameters = field.parameters.map((parameter, i) => withFacts(`- ${keys[i]}`, parameter))
  return doc(comment, [declaration, ...parameters.filter((line, i) => line !== `- ${keys[i]}`)], indent)
}

/** `...: 0 to 359.9 in steps of 0.1, wraps around at 360`, and the default, where there is anything to say. */
function withFacts(text: string, { type, default: packed }: DCParameter): string {
  const facts = type.kind === 'number' ? numberFacts(type) : sizeFacts(type)
  const value = packed && literalOf(type, packed)
  if (value) facts.push(`default ${value}`)
  return facts.length ? `${text}: ${facts.join(', ')}` : text
}

function numberFacts(type: DCNumberType): string[] {
  const { base, divisor, modulus } = type
  if (type.extension) return [type.extension === 'bool' ? 'true or false' : 'the id of an entity, 0 for none']
  if (base === 'float64' && !type.ranges.length) return modulus === undefined ? [] : [`wraps around at ${modulus}`]
  // Limits of 64 bits tell nobody anything.
  if (isBig(type) && !type.ranges.length) return []
  const [min, max] = LIMITS[base]
  const wraps = modulus !== undefined && base !== 'float64' && !type.ranges.length
  const ranges = type.ranges.length
    ? type.ranges
    : [{ min: wraps ? 0 : min, max: wraps ? scaledModulus({ divisor, modulus }) - 1 : max }]
  const steps = divisor === 1 || base === 'float64' ? '' : ` in steps of ${Number((1 / divisor).toPrecision(6))}`
  return [
    rangesInWords(ranges.map(range => ({ min: dequantise(type, range.min), max: dequantise(type, range.max) }))) +
      steps,
    ...(modulus === undefined ? [] : [`wraps around at ${modulus}`]),
  ]
}

function sizeFacts(type: DCType): string[] {
  if (type.kind === 'array' && type.sizes.length && !type.legacy) return [`${rangesInWords(type.sizes)} elements`]
  return (type.kind === 'string' || type.kind === 'blob' || type.kind === 'blob32') &&
    type.sizes.length &&
    !type.extension
    ? [`${rangesInWords(type.sizes)} bytes${type.kind === 'string' ? ' of UTF-8' : ''}`]
    : []
}

const rangesInWords = (ranges: readonly DCRange[]): string =>
  ranges.map(({ min, max }) => (min === max ? `${min}` : `${min} to ${max}`)).join(' or ')

/** A packed value as TypeScript writes it; undefined for what has no literal. */
function literalOf(type: DCType, packed: Uint8Array): string | undefined {
  if (type.kind !== 'number' && type.kind !== 'string') return undefined
  const value = unpackType(type, createReader(packed))
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

/** The type of a value as the packer takes and gives it. */
function valueType(type: DCType): string {
  switch (type.kind) {
    case 'number':
      return type.extension === 'bool' ? 'boolean' : isBig(type) ? 'bigint' : 'number'
    case 'string':
      return 'string'
    case 'blob':
    case 'blob32':
      if (!type.extension) return 'Uint8Array'
      return isQuaternion(type.extension) ? '[x: number, y: number, z: number, w: number]' : 'number'
    case 'array':
      return `${valueType(type.element)}[]`
    case 'class':
      return objectType(membersOf(type)!)
    case 'switch':
      return switchType(type)
    default:
      return 'never'
  }
}

/** One object type for each set of fields, with the keys that select it: `{ kind: 1 | 2; text: string }`. */
function switchType(type: DCSwitchType): string {
  const keyType = memberType(type.key)
  const shapes = new Map<string, { branch: DCCase; keys: Set<string> }>()
  for (const branch of [...type.cases, ...(type.defaultCase ? [type.defaultCase] : [])]) {
    const fields = objectType([type.key, ...branch.fields])
    const shape = shapes.get(fields) ?? { branch, keys: new Set() }
    shapes.set(fields, shape)
    const literal = branch.value && type.key.kind === 'parameter' ? literalOf(type.key.type, branch.value) : undefined
    shape.keys.add(literal ?? keyType)
  }
  const types = [...shapes.values()].map(({ branch, keys }) =>
    objectType([type.key, ...branch.fields], keys.has(keyType) ? keyType : [...keys].join(' | ')),
  )
  return types.length > 1 ? `(${types.join(' | ')})` : (types[0] ?? 'never')
}

const memberType = (member: Member): string =>
  member.kind === 'parameter' ? valueType(member.type) : objectType(member.parameters)

/** `{ x: number; y: number }`; `first` takes the place of the first member's type. */
function objectType(members: readonly Member[], first?: string): string {
  if (!members.length) return '{}'
  const keys = memberKeys(members)
  return `{ ${members.map((member, i) => `${keys[i]}: ${i === 0 && first ? first : memberType(member)}`).join('; ')} }`
}

/** A JSDoc block: the DC comment, then what the declaration says. */
function doc(comment: string | undefined, declaration: readonly string[], indent: string): string {
  const lines = [...(comment?.split(/\r?\n/) ?? []), ...declaration].map(line =>
    line.replaceAll('*/', '*\\/').trimEnd(),
  )
  return lines.length === 1
    ? `${indent}/** ${lines[0]} */`
    : [`${indent}/**`, ...lines.map(line => `${indent} * ${line}`.trimEnd()), `${indent} */`].join('\n')
}

/** A field as DC text, without its default: `int16/10%360 heading broadcast ram`. */
export function declarationOf(field: DCField): string {
  const body =
    field.kind === 'parameter'
      ? parameterText(field)
      : field.kind === 'atomic'
        ? `${field.name}(${field.parameters.map(parameterText).join(', ')})`
        : `${field.name} : ${field.atomics.map(({ name }) => name).join(', ')}`
  return [body, ...(field.kind === 'molecular' ? [] : field.keywords)].join(' ')
}

const parameterText = ({ type, name }: { readonly type: DCType; readonly name: string }): string => {
  let base = type,
    brackets = ''
  for (; base.kind === 'array' && !base.typedefName && !base.legacy; base = base.element)
    brackets += `[${rangeText(base.sizes)}]`
  return typeText(base) + (name && ` ${name}`) + brackets
}

function typeText(type: DCType): string {
  if (type.typedefName) return type.typedefName
  switch (type.kind) {
    case 'number': {
      const value = (scaled: number | bigint) => dequantise({ ...type, base: 'float64' }, scaled)
      const ranges = type.ranges.map(({ min, max }) => ({ min: value(min), max: value(max) }))
      return (
        type.base +
        (type.divisor === 1 ? '' : `/${type.divisor}`) +
        (type.modulus === undefined ? '' : `%${type.modulus}`) +
        (ranges.length ? `(${rangeText(ranges)})` : '')
      )
    }
    case 'array':
      return type.legacy!.name
    case 'class':
      return `struct${type.dclass.name && ` ${type.dclass.name}`}`
    case 'switch':
      return `switch${type.name && ` ${type.name}`}`
    case 'invalid':
      return 'undeclared'
    default:
      return type.kind + (type.sizes.length ? `(${rangeText(type.sizes)})` : '')
  }
}

const rangeText = (ranges: readonly DCRange[]): string =>
  ranges
    .map(({ min, max }) => (min === max ? `${min}` : min < 0 || max < 0 ? `${min} - ${max}` : `${min}-${max}`))
    .join(', ')
