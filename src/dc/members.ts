import type { DCAtomicField, DCCase, DCPackable, DCParameter, DCParameterField, DCSwitchType } from './model.ts'

/** A named part of a composite value. */
export type Member = DCParameter | DCParameterField | DCAtomicField

/** What a composite packs, in order; undefined for types without named parts. Of a switch, see {@link caseMembers}. */
export function membersOf(packable: DCPackable): readonly Member[] | undefined {
  switch (packable.kind) {
    case 'class':
      return packable.dclass.members
    case 'atomic':
    case 'molecular':
      return packable.parameters
    default:
      return undefined
  }
}

const KEYS = new WeakMap<readonly Member[], readonly string[]>()

/** The property names of the members in values: their own, `arg0`, `arg1` by position for unnamed and repeated ones. */
export function memberKeys(members: readonly Member[]): readonly string[] {
  let keys = KEYS.get(members)
  if (!keys) {
    const seen = new Set<string>()
    keys = members.map(({ name }, i) => {
      const key = name && !seen.has(name) ? name : `arg${i}`
      seen.add(key)
      return key
    })
    KEYS.set(members, keys)
  }
  return keys
}

const CASES = new WeakMap<DCCase, readonly Member[]>()

/** Key and fields of one case, as the members of one value. */
export function caseMembers(type: DCSwitchType, branch: DCCase): readonly Member[] {
  let members = CASES.get(branch)
  if (!members) CASES.set(branch, (members = [type.key, ...branch.fields]))
  return members
}

/** The case that a packed key selects: bytes [start, end). */
export function findCase(type: DCSwitchType, bytes: Uint8Array, start: number, end: number): DCCase | undefined {
  next: for (const branch of type.cases) {
    const value = branch.value!
    if (value.length !== end - start) continue
    for (let i = 0; i < value.length; i++) if (value[i] !== bytes[start + i]) continue next
    return branch
  }
  return type.defaultCase
}
