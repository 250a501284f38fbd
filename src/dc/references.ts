import { caseMembers, findCase, memberKeys, membersOf, type Member } from './members.ts'
import type { DCCase, DCPackable, DCSwitchType } from './model.ts'
import { packAny } from './packer.ts'
import { createWriter } from './writer.ts'

const KNOWN = new WeakMap<DCPackable, boolean>()

/** Whether a `DoId` is somewhere in values of this type. */
export const hasReferences = (packable: DCPackable): boolean => {
  let known = KNOWN.get(packable)
  if (known === undefined) KNOWN.set(packable, (known = findReferences(packable)))
  return known
}

const findReferences = (packable: DCPackable): boolean => {
  switch (packable.kind) {
    case 'number':
      return packable.extension === 'DoId'
    case 'parameter':
      return hasReferences(packable.type)
    case 'array':
      return hasReferences(packable.element)
    case 'switch':
      return [
        { fields: [packable.key] },
        ...packable.cases,
        ...(packable.defaultCase ? [packable.defaultCase] : []),
      ].some(({ fields }) => fields.some(hasReferences))
    case 'class':
    case 'atomic':
    case 'molecular':
      return membersOf(packable)!.some(hasReferences)
    default:
      return false
  }
}

/**
 * A value with each of its `DoId`s replaced by what `map` makes of it; the value itself when it has none. What is not of the
 * type is left as it is: packing tells what is wrong with it.
 */
export const mapReferences = (packable: DCPackable, value: unknown, map: (id: number) => number): unknown => {
  if (!hasReferences(packable)) return value
  switch (packable.kind) {
    case 'number':
      return typeof value === 'number' ? map(value) : value
    case 'parameter':
      return mapReferences(packable.type, value, map)
    case 'array':
      return isList(value) ? Array.from(value, each => mapReferences(packable.element, each, map)) : value
    case 'switch':
      return mapSwitch(packable, value, map)
    default:
      return mapMembers(membersOf(packable)!, value, map)
  }
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)

const mapMembers = (members: readonly Member[], value: unknown, map: (id: number) => number): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value))
    return value.map((each, at) => (members[at] ? mapReferences(members[at], each, map) : (each as unknown)))
  const mapped: Record<string, unknown> = { ...value }
  memberKeys(members).forEach((key, at) => {
    if (Object.hasOwn(mapped, key)) mapped[key] = mapReferences(members[at]!, mapped[key], map)
  })
  return mapped
}

/** The key, which may be a reference itself, selects the fields that come with it. */
const mapSwitch = (type: DCSwitchType, value: unknown, map: (id: number) => number): unknown => {
  if (typeof value !== 'object' || value === null) return value
  const branch = caseOf(type, value)
  return mapMembers(branch ? caseMembers(type, branch) : [type.key], value, map)
}

const caseOf = (type: DCSwitchType, value: object): DCCase | undefined => {
  const writer = createWriter()
  const [name] = memberKeys([type.key])
  try {
    packAny(type.key, Array.isArray(value) ? value[0] : (value as Record<string, unknown>)[name!], writer)
  } catch {
    return undefined
  }
  return findCase(type, writer.bytes, 0, writer.length)
}
