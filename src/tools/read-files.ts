import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { parseSchema, type ParseResult } from '../dc/index.ts'

/** Reads files that are one schema, in this order. Errors name them from the current folder. Throws when a file cannot be read. */
export const readFiles = (paths: readonly string[]): ParseResult =>
  parseSchema(paths.map(path => ({ name: relative('', path), text: readFileSync(path, 'utf8') })))
