import type { DCFile } from './model.ts'

/**
 * A schema as text, for bundles that shall not carry the parser: every object of the model once, its parts by index.
 * Comments are left out. Bytes and bigints are `['b', hex]` and `['n', digits]`.
 */
export function compileDC(file: DCFile): string {
  const { fieldByNumber: _, classByName: __, ...lists } = file
  const values: unknown[] = [lists]
  const places = new Map<unknown, number>()
  const place = (value: unknown): number => {
    let at = places.get(value)
    if (at === undefined) places.set(value, (at = values.push(value) - 1))
    return at
  }
  const nodes: unknown[] = []
  // A queue, not recursion: the model is as deep as it has classes.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'bigint') nodes.push(['n', String(value)])
    else if (value instanceof Uint8Array)
      nodes.push(['b', Array.from(value, byte => (byte + 256).toString(16).slice(1)).join('')])
    else if (Array.isArray(value)) nodes.push(value.map(place))
    else if (typeof value === 'object') {
      nodes.push(
        Object.fromEntries(
          Object.entries(value!)
            .filter(([key]) => key !== 'comment')
            .map(([key, part]) => [key, place(part)]),
        ),
      )
    } else nodes.push(value)
  }
  return JSON.stringify(nodes)
}

/** The schema that {@link compileDC} wrote. The text is trusted: it comes from one's own build. */
export function loadDC(text: string): DCFile {
  const nodes = JSON.parse(text) as unknown[]
  const values = nodes.map((node): unknown => {
    if (typeof node !== 'object') return node
    if (!Array.isArray(node)) return {}
    return node[0] === 'n'
      ? BigInt(node[1])
      : node[0] === 'b'
        ? Uint8Array.from(node[1].match(/../g) ?? [], pair => parseInt(pair as string, 16))
        : []
  })
  nodes.forEach((node, i) => {
    if (typeof node !== 'object' || typeof values[i] !== 'object' || values[i] instanceof Uint8Array) return
    for (const [key, at] of Object.entries(node as Record<string, number>))
      (values[i] as Record<string, unknown>)[key] = values[at]
  })
  return createFile(values[0] as Parameters<typeof createFile>[0])
}

/** Adds the look-ups to the lists of a schema. */
export function createFile(lists: Omit<DCFile, 'fieldByNumber' | 'classByName'>): DCFile {
  const names = new Map(lists.classes.map(dclass => [dclass.name, dclass]))
  return { ...lists, fieldByNumber: number => lists.fields[number], classByName: name => names.get(name) }
}
