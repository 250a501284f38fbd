import type { DCClass, DCFile } from '../dc/index.ts'

/**
 * The views of an object, as in Panda3D: the `client`'s of everyone who sees it, the `owner`'s (`AvatarOV`) besides, and the
 * `server`'s (`AvatarAI`, or `AvatarUD`).
 */
export type View = 'client' | 'owner' | 'server'

export const VIEWS: readonly View[] = ['client', 'owner', 'server']

const SUFFIXES: Readonly<Record<string, View>> = { OV: 'owner', AI: 'server', UD: 'server' }

/** Views by class name. */
type Declared = ReadonlyMap<string, ReadonlySet<View>>

const KNOWN = new WeakMap<DCFile, { readonly declared: Declared | undefined }>()

/** The last name of a path, `Avatar/AI/OV` of `game.Avatar/AI/OV`. */
const lastOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1)

/** What the imports of a file declare; `undefined`: everything, as there are none or one of them is a star. */
const readImports = ({ imports }: DCFile): Declared | undefined => {
  const declared = new Map<string, Set<View>>()
  const declare = (name: string, view: View): void => {
    const views = declared.get(name)
    if (views) views.add(view)
    else declared.set(name, new Set([view]))
  }
  for (const { module, symbols } of imports) {
    if (symbols.includes('*')) return undefined
    for (const symbol of symbols.length > 0 ? symbols : [lastOf(module)]) {
      const [name = '', ...suffixes] = symbol.split('/')
      declare(name, 'client')
      // A class may be imported by its whole name, too.
      const view = SUFFIXES[name.slice(-2)]
      if (view) declare(name.slice(0, -2), view)
      for (const suffix of suffixes) if (SUFFIXES[suffix]) declare(name, SUFFIXES[suffix])
    }
  }
  return declared.size > 0 ? declared : undefined
}

/** Whether a file's imports declare a view of a class: `from lobby import Avatar/AI/OV`. Without imports they all are. */
export const hasView = (file: DCFile, { name }: DCClass, view: View): boolean => {
  let known = KNOWN.get(file)
  if (!known) KNOWN.set(file, (known = { declared: readImports(file) }))
  return !known.declared || known.declared.get(name)?.has(view) === true
}

/** The error for a view that no import declares. */
export const viewError = (where: string, file: DCFile, { name }: DCClass, view: View): TypeError => {
  const views: readonly View[] = [...VIEWS.filter(each => hasView(file, { name } as DCClass, each)), view]
  const wanted = `${name}${views.includes('server') ? '/AI' : ''}${views.includes('owner') ? '/OV' : ''}`
  const { module } = file.imports[0]!
  return new TypeError(
    `${where}: the schema's imports do not declare the ${view} view of ${name}: write \`from ${module.split('/')[0]} import ${wanted}\` ` +
      'in the DC file, or no imports at all, which allows every view.',
  )
}
