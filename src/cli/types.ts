import { declareTypes } from '../dc/index.ts'
import { keepTypes, staleTypes } from '../tools/index.ts'
import { reportErrors } from './check.ts'
import { readSchemas } from './sources.ts'
import { UsageError, type Terminal } from './terminal.ts'

export interface TypesOptions {
  readonly check?: boolean
  readonly nodenext?: boolean
  readonly stdout?: boolean
}

/** Writes the declaration files of the schemas, or tells which are out of date. True when all is well. */
export const types = (paths: readonly string[], options: TypesOptions, terminal: Terminal): boolean => {
  if (options.check && options.stdout) throw new UsageError('--check and --stdout exclude each other')
  const schemas = readSchemas(paths, {}, terminal)
  if (!reportErrors(schemas, terminal)) return false
  let isFine = true
  for (const { names, file } of schemas) {
    const [name = ''] = names
    if (options.stdout) terminal.out(declareTypes(file))
    else if (name === '<stdin>') throw new UsageError('the types of standard input need --stdout')
    else if (options.check)
      for (const stale of staleTypes(name, file, options.nodenext)) {
        isFine = false
        terminal.error(`${stale} is out of date: run pipes dc types ${name}\n`)
      }
    else for (const written of keepTypes(name, file, options.nodenext)) terminal.out(`${written}\n`)
  }
  return isFine
}
