import { columnKind, type Column } from './columns.ts'
import { memberKeys, membersOf, type Member } from './members.ts'
import { isBig, type DCClass, type DCField, type DCFile, type DCRange, type DCType } from './model.ts'
import { dequantise } from './number.ts'

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
    doc(dclass.comment, `dclass ${dclass.name}${parents && ` : ${parents}`}`, ''),
    `${local === dclass.name ? 'export ' : ''}declare const ${local}: DClass & {`,
  ]
  for (const field of dclass.inherited) {
    lines.push(doc(field.comment, declarationOf(field), '  '), `  readonly ${field.name}: ${fieldType(field)}`)
  }
  lines.push('}')
  if (local !== dclass.name) lines.push(`export { ${local} as ${dclass.name} }`)
  return lines.join('\n')
}

const fieldType = (field: DCField): string =>
  field.kind === 'parameter' ? columnType(columnKind(field.type)) : `Message<${objectType(field.parameters)}>`

function columnType(column: Column): string {
  switch (column.kind) {
    case 'scalar':
      return column.array
    case 'struct':
      return `{ ${column.fields.map(({ name, column: part }) => `readonly ${name}: ${columnType(part)}`).join('; ')} }`
    default:
      return `${valueType(column.type)}[]`
  }
}

/** The type of a value as the packer takes and gives it. */
function valueType(type: DCType): string {
  switch (type.kind) {
    case 'number':
      return isBig(type) ? 'bigint' : 'number'
    case 'string':
      return 'string'
    case 'blob':
    case 'blob32':
      return 'Uint8Array'
    case 'array':
      return `${valueType(type.element)}[]`
    case 'class':
      return objectType(membersOf(type)!)
    case 'switch': {
      const cases = [...type.cases, ...(type.defaultCase ? [type.defaultCase] : [])]
      const shapes = [...new Set(cases.map(({ fields }) => objectType([type.key, ...fields])))]
      return shapes.length > 1 ? `(${shapes.join(' | ')})` : (shapes[0] ?? 'never')
    }
    default:
      return 'never'
  }
}

function objectType(members: readonly Member[]): string {
  if (!members.length) return '{}'
  const keys = memberKeys(members)
  return `{ ${members.map((member, i) => `${keys[i]}: ${member.kind === 'parameter' ? valueType(member.type) : objectType(member.parameters)}`).join('; ')} }`
}

/** A JSDoc block: the DC comment, then the DC declaration. */
function doc(comment: string | undefined, declaration: string, indent: string): string {
  const lines = [...(comment?.split(/\r?\n/) ?? []), `\`${declaration}\``].map(line =>
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
