import type { DCClass, DCField, DCType } from './model.ts'

/** What visiting a type costs, and how deep it goes. */
export interface Weight {
  readonly size: number
  readonly depth: number
}
const WEIGHTS = new WeakMap<DCType | DCClass, Weight>()
const LEAF: Weight = { size: 1, depth: 1 }

/** `text` counts what the hash reads besides the parts: names and case values, in bytes. */
const sum = (parts: readonly Weight[], text = 0): Weight => ({
  size: parts.reduce((total, { size }) => total + size, 1 + (text >> 3)),
  depth: parts.reduce((deepest, { depth }) => Math.max(deepest, depth), 0) + 1,
})

/** The weight of anything in the model; remembered, as types are shared. */
export function weightOf(
  of: DCType | DCClass | DCField | { readonly kind: 'parameter'; readonly type: DCType },
): Weight {
  if ('kind' in of) {
    switch (of.kind) {
      case 'parameter':
        return weightOf(of.type)
      case 'atomic':
      case 'molecular':
        return sum(of.parameters.map(weightOf), of.name.length)
      case 'array':
      case 'switch':
      case 'class':
        break
      default:
        return LEAF
    }
  }
  let weight = WEIGHTS.get(of)
  if (!weight) {
    weight = !('kind' in of)
      ? sum([...of.inherited, ...of.members].map(weightOf), of.name.length)
      : of.kind === 'array'
        ? sum([weightOf(of.element)])
        : of.kind === 'class'
          ? weightOf(of.dclass)
          : sum([
              weightOf(of.key),
              ...of.cases.map(each => sum([weightOf(of.key), ...each.fields.map(weightOf)], each.value!.length)),
              ...(of.defaultCase?.fields ?? []).map(weightOf),
            ])
    WEIGHTS.set(of, weight)
  }
  return weight
}
