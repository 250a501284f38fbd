import { reportErrors } from './check.ts'
import { readSchemas, type SchemaOptions } from './sources.ts'
import type { Terminal } from './terminal.ts'

export interface HashOptions extends SchemaOptions {
  readonly json?: boolean
}

const hex = (value: number | bigint, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`

/** Prints both hashes of each schema, as `0x00000002  0x0123456789abcdef  game.dc`. True unless one has errors. */
export const hash = (paths: readonly string[], options: HashOptions, terminal: Terminal): boolean => {
  const schemas = readSchemas(paths, options, terminal)
  if (!reportErrors(schemas, terminal)) return false
  const rows = schemas.map(({ names, file }) => ({
    files: names,
    hash: hex(file.hash, 8),
    structure: hex(file.structureHash, 16),
    version: file.version,
  }))
  if (options.json) terminal.out(`${JSON.stringify(rows, undefined, 2)}\n`)
  else for (const row of rows) terminal.out(`${row.hash}  ${row.structure}  ${row.files.join(' ')}\n`)
  return true
}
