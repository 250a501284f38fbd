import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { HotUpdateOptions, Plugin } from 'vite'
import { formatError, formatErrors, parseSchema, type DCError } from './dc/index.ts'
import { keepTypes, moduleOf } from './tools/index.ts'

export interface PipesOptions {
  /** Entity ids must stay below this: the length of every column. Default 10,000. */
  readonly capacity?: number
  /**
   * Whether `lobby.dc.d.ts` is kept beside `lobby.dc`, so that TypeScript knows its fields (or `lobby.d.dc.ts`, if that is
   * there: `pipes dc types --nodenext` makes it). Default true.
   */
  readonly types?: boolean
}

/** What Vite's overlay and its terminal show of an error. */
interface Problem {
  readonly message: string
  readonly loc: { readonly file: string; readonly line: number; readonly column: number }
  /** The line with a caret, then the other errors. */
  readonly frame: string
}

const problemOf = (path: string, errors: readonly DCError[]): Problem => {
  const [first, ...others] = errors as [DCError, ...DCError[]]
  const more = others.length === 0 ? '' : ` (and ${others.length} more ${others.length === 1 ? 'error' : 'errors'})`
  // Vite trims the frame: its first line must not be indented, or the caret would lose its place.
  const frame = formatError(first)
    .split('\n')
    .slice(1)
    .map(line => line.replace(/^ {2}/, ''))
    .join('\n')
  return {
    message: first.message + more,
    // From 1, as editors count: Vite shows and opens it as it is, because the frame is ours.
    loc: { file: path, line: first.line, column: first.column },
    frame: [frame, ...(others.length === 0 ? [] : [formatErrors(others.slice(0, 19))])].join('\n\n'),
  }
}

/** The path of an id that is a DC module; undefined for others, and for `game.dc?raw` and the like. */
const pathOf = (id: string): string | undefined => {
  const [path = '', query = ''] = id.split('?')
  return path.endsWith('.dc') && !/(^|&)(raw|url|inline|no-inline)(&|=|$)/.test(query) ? path : undefined
}

/**
 * The vite plugin: `import schema, { Avatar } from './game.dc'` in pages, servers and tests. A change of the file reloads what
 * imports it. Its errors show in the overlay and the terminal with file, line, column and a caret, and the page goes on with the
 * schema it has. The generated `game.dc.d.ts` follows every change; it is not written when it is up to date.
 */
export const pipes = ({ capacity, types = true }: PipesOptions = {}): Plugin => {
  let root = process.cwd()
  const parse = (path: string, text: string) => {
    const { file, errors, warnings } = parseSchema([{ name: relative(root, path), text }])
    const problem = errors.length > 0 ? problemOf(path, errors) : undefined
    if (types && !problem) keepTypes(path, file)
    return { file, problem, warnings }
  }
  return {
    name: 'bitecs-pipes',
    configResolved(config) {
      root = config.root
    },
    async load(id) {
      const path = pathOf(id)
      if (!path) return undefined
      this.addWatchFile(path)
      const { file, problem, warnings } = parse(path, await readFile(path, 'utf8'))
      for (const warning of warnings) this.warn(formatError(warning))
      if (problem) this.error(problem)
      return { code: moduleOf(file, capacity), map: null, moduleType: 'js' }
    },
    async hotUpdate({ type, file: path, modules, server, read }: HotUpdateOptions) {
      if (!path.endsWith('.dc') || type === 'delete' || modules.length === 0) return undefined
      const { problem } = parse(path, await read())
      if (!problem) return undefined
      // Told once, not for each environment.
      if (this.environment.name === 'client') {
        const { message, loc, frame } = problem
        server.config.logger.error(`${relative(root, path)}:${loc.line}:${loc.column}: ${message}\n${frame}`, {
          timestamp: true,
        })
        server.environments.client.hot.send({
          type: 'error',
          err: { plugin: 'bitecs-pipes', id: path, stack: '', ...problem },
        })
      }
      // What runs goes on with the schema that it has.
      return []
    },
  }
}
