import { formatError, type DCError } from '../dc/index.ts'
import { readSchemas, type SchemaOptions } from './sources.ts'
import type { Terminal } from './terminal.ts'

export interface CheckOptions extends SchemaOptions {
  readonly denyWarnings?: boolean
  readonly json?: boolean
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Prints what is wrong with the schemas. True when nothing is. */
export const check = (paths: readonly string[], options: CheckOptions, terminal: Terminal): boolean => {
  const schemas = readSchemas(paths, options, terminal)
  const errors = schemas.reduce((sum, schema) => sum + schema.errors.length, 0)
  const warnings = schemas.reduce((sum, schema) => sum + schema.warnings.length, 0)
  const isFine = errors === 0 && (warnings === 0 || !options.denyWarnings)
  if (options.json) {
    const schemasOut = schemas.map(({ names, errors: own, warnings: others }) => ({
      files: names,
      errors: own,
      warnings: others,
    }))
    terminal.out(`${JSON.stringify({ ok: isFine, errors, warnings, schemas: schemasOut }, undefined, 2)}\n`)
    return isFine
  }
  const place = (a: DCError, b: DCError) => a.line - b.line || a.column - b.column
  for (const schema of schemas)
    for (const name of new Set([...schema.names, ...schema.errors.map(({ file }) => file)])) {
      const own = [...schema.errors, ...schema.warnings].filter(({ file }) => file === name).sort(place)
      for (const error of own) terminal.error(`${formatError(error)}\n\n`)
    }
  const files = schemas.reduce((sum, { names }) => sum + names.length, 0)
  const summary = `${counted(files, 'file')}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`
  ;(isFine ? terminal.out : terminal.error)(summary)
  return isFine
}

/** Prints the errors of schemas that cannot be worked with. True when there are none. */
export const reportErrors = (
  schemas: readonly { readonly errors: readonly DCError[] }[],
  terminal: Terminal,
): boolean => {
  const errors = schemas.flatMap(schema => schema.errors)
  for (const error of errors) terminal.error(`${formatError(error)}\n\n`)
  return errors.length === 0
}
