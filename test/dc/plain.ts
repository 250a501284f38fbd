import {
  fieldByName,
  memberKeys,
  membersOf,
  parseDC,
  type DCField,
  type DCFile,
  type DCPackable,
  type DCSwitchType,
  type Member,
} from '../../src/dc/index.ts'

/** The schema of a text that must be right. */
export function schemaOf(text: string): DCFile {
  const { file, errors } = parseDC(text)
  if (errors.length)
    throw new Error(errors.map(({ line, column, message }) => `${line}:${column}: ${message}`).join('\n'))
  return file
}

/** One field of it. */
export function fieldOf(text: string, dclass: string, name: string): DCField {
  const field = fieldByName(schemaOf(text).classByName(dclass)!, name)
  if (!field) throw new Error(`No field ${name}`)
  return field
}

/** The field `v` of `dclass T`, with whatever must be declared before it. */
export const typeOf = (declaration: string, before = ''): DCField =>
  fieldOf(`${before} dclass T { ${declaration}; };`, 'T', 'v')

export const hex = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

export const unhex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], pair => parseInt(pair, 16))

/** A value (unpacked with `rawText`) as the vectors write it: texts and blobs as hex, composites as lists, 64-bit integers as text. */
export function plain(packable: DCPackable, value: unknown): unknown {
  switch (packable.kind) {
    case 'number':
      return packable.base === 'char'
        ? { string: hex([value as number]) }
        : typeof value === 'bigint'
          ? String(value)
          : value
    case 'string':
      return { string: hex(value as Uint8Array) }
    case 'blob':
    case 'blob32':
      return { blob: hex(value as Uint8Array) }
    case 'array': {
      const { element } = packable
      return element.kind === 'number' && element.base === 'char'
        ? { string: hex(value as number[]) }
        : (value as unknown[]).map(each => plain(element, each))
    }
    case 'parameter':
      return plain(packable.type, value)
    case 'switch':
      return plainMembers(caseOf(packable, value as object), value)
    default:
      return plainMembers(membersOf(packable)!, value)
  }
}

function plainMembers(members: readonly Member[], value: unknown): unknown[] {
  const keys = memberKeys(members)
  return members.map((member, i) => plain(member, (value as Record<string, unknown>)[keys[i]!]))
}

function caseOf(type: DCSwitchType, value: object): readonly Member[] {
  const cases = [...type.cases, ...(type.defaultCase ? [type.defaultCase] : [])].map(({ fields }) => [
    type.key,
    ...fields,
  ])
  return cases.find(members => String(memberKeys(members)) === String(Object.keys(value)))!
}
