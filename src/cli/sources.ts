import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseSchema, type ParseResult } from '../dc/index.ts'
import { UsageError, type Terminal } from './terminal.ts'

/** A DC text and where it is from. */
export interface Source {
  /** As the user wrote it; `<stdin>` for standard input. */
  readonly name: string
  readonly text: string
}

/** What `--together` and `--loose` say. */
export interface SchemaOptions {
  readonly together?: boolean
  readonly loose?: boolean
}

/** `.dc` files under a folder, without those of packages, in the order of their names. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return /^(node_modules|\..*)$/.test(entry.name) ? [] : filesOf(path)
      return entry.name.endsWith('.dc') ? [path] : []
    })

/** The texts of the files, of those in folders, and of standard input (`-`). Throws a `UsageError` for what cannot be read. */
export const readSources = (paths: readonly string[], terminal: Terminal): Source[] =>
  paths.flatMap(path => {
    if (path === '-') return [{ name: '<stdin>', text: terminal.input() }]
    try {
      if (!statSync(path).isDirectory()) return [{ name: path, text: readFileSync(path, 'utf8') }]
      const files = filesOf(path)
      if (files.length === 0) throw new UsageError(`${path}: there is no .dc file in this folder`)
      return files.map(name => ({ name, text: readFileSync(name, 'utf8') }))
    } catch (error) {
      if (error instanceof UsageError) throw error
      const { code, message } = error as NodeJS.ErrnoException
      throw new UsageError(`${path}: ${code === 'ENOENT' ? 'no such file' : message}`)
    }
  })

/** A schema that was read, under the names of its files. */
export interface ReadSchema extends ParseResult {
  readonly names: readonly string[]
}

/** Each source as a schema of its own, or all as one. */
export const readSchemas = (
  paths: readonly string[],
  { together = false, loose = false }: SchemaOptions,
  terminal: Terminal,
): ReadSchema[] => {
  const sources = readSources(paths, terminal)
  const groups = together ? [sources] : sources.map(source => [source])
  return groups.map(group => ({ names: group.map(({ name }) => name), ...parseSchema(group, { strict: !loose }) }))
}
