import { hasReferences } from '../dc/index.ts'
import { touch, type ServerClass, type ServerState } from './server-state.ts'

/** What of a class holds entities: their network ids come and go without a change of the column. */
interface References {
  readonly columns: readonly Uint32Array[]
  /** Of each column its place among the owner-written words, or -1. */
  readonly uploads: readonly number[]
  /** Whether a list, struct or switch has some in it. */
  readonly hasLists: boolean
}

const KNOWN = new WeakMap<ServerClass, References>()

const referencesOf = (serverClass: ServerClass): References => {
  let known = KNOWN.get(serverClass)
  if (!known) KNOWN.set(serverClass, (known = findReferences(serverClass)))
  return known
}

const findReferences = ({ interested, owner, upload }: ServerClass): References => {
  const bindings = owner ? [interested, owner] : [interested]
  const found = bindings.flatMap(({ columns, layout }) =>
    layout.words.flatMap((word, index) => (word.isReference ? [{ column: columns[index]!, layout, index }] : [])),
  )
  return {
    columns: found.map(({ column }) => column as Uint32Array),
    uploads: found.map(
      ({ layout, index }) => upload?.words.findIndex(word => word.layout === layout && word.index === index) ?? -1,
    ),
    hasLists: bindings.some(({ layout }) => layout.values.some(hasReferences)),
  }
}

/** No column names this entity any more: bitECS may give its id to another one, which nobody meant. */
export const clearReferences = (state: ServerState, eid: number): void => {
  for (const serverClass of state.serverClasses) {
    const { columns, uploads } = referencesOf(serverClass)
    columns.forEach((column, index) => {
      for (let at = 0; at < serverClass.objects.length; at++) {
        if (column[serverClass.eids[at]!] !== eid) continue
        column[serverClass.eids[at]!] = 0
        const object = serverClass.objects[at]!
        // The game did not write that: it does not overrule the owner.
        if (uploads[index]! >= 0) object.expected![uploads[index]!] = 0
        touch(object)
      }
    })
  }
}

/** Has the capture look at objects that name an entity which became an object since the last one. */
export const touchReferrers = (state: ServerState): void => {
  const { appeared } = state
  if (appeared.size === 0) return
  for (const serverClass of state.serverClasses) {
    const { columns, hasLists } = referencesOf(serverClass)
    if (columns.length === 0 && !hasLists) continue
    for (let at = 0; at < serverClass.objects.length; at++)
      if (hasLists || columns.some(column => appeared.has(column[serverClass.eids[at]!]!)))
        touch(serverClass.objects[at]!)
  }
  appeared.clear()
}
