import { readFile, writeFile } from 'node:fs/promises'
import type { Plugin } from 'vite'
import { compileDC, parseDC, type DCFile } from './dc/index.ts'
import { declareTypes } from './dc/types.ts'

export interface PipesOptions {
  /** Entity ids must stay below this: the length of every column. Default 10,000. */
  readonly capacity?: number
  /** Whether `lobby.dc.d.ts` is kept beside `lobby.dc`, so that TypeScript knows its fields. Default true. */
  readonly types?: boolean
}

const moduleOf = (file: DCFile, capacity: number | undefined): string => {
  const names = file.classes.filter(dclass => !dclass.isStruct && !dclass.isPlaceholder).map(dclass => dclass.name)
  // Names may be JavaScript's reserved words; as export names these are legal.
  const locals = names.map((dclass, index) => `const $${index} = schema.dclasses[${JSON.stringify(dclass)}]`)
  const exported = names.map((dclass, index) => `$${index} as ${dclass}`)
  return [
    `import { loadSchema } from 'bitecs-pipes'`,
    `const schema = loadSchema(${JSON.stringify(compileDC(file))}, ${JSON.stringify({ capacity })})`,
    ...locals,
    `export { ${exported.join(', ')} }`,
    'export default schema',
  ].join('\n')
}

const keepTypes = async (path: string, file: DCFile): Promise<void> => {
  const wanted = declareTypes(file)
  const present = await readFile(`${path}.d.ts`, 'utf8').catch(() => '')
  if (present !== wanted) await writeFile(`${path}.d.ts`, wanted)
}

/**
 * The vite plugin: `import schema, { Avatar } from './game.dc'` in pages, servers and tests. Errors of the DC text show
 * in the overlay with file, line and column; the generated `game.dc.d.ts` follows every change.
 */
export const pipes = ({ capacity, types = true }: PipesOptions = {}): Plugin => ({
  name: 'bitecs-pipes',
  async load(id) {
    const path = id.split('?')[0]!
    if (!path.endsWith('.dc')) return undefined
    const text = await readFile(path, 'utf8')
    const name = path.split('/').at(-1)!
    const { file, errors } = parseDC([{ name, text }])
    const first = errors[0]
    if (first) {
      const all = errors.slice(0, 20).map(error => `${error.line}:${error.column} ${error.message}`)
      this.error({ message: all.join('\n'), loc: { file: path, line: first.line, column: first.column - 1 } })
    }
    if (types) await keepTypes(path, file)
    this.addWatchFile(path)
    return { code: moduleOf(file, capacity), map: null, moduleType: 'js' }
  },
})
