/**
 * DC schemas in Node without a bundler. `readDC` reads a file; `node --import bitecs-pipes/register server.js` makes
 * `import schema, { Avatar } from './game.dc'` work.
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSchema, type AnyClasses, type Schema, type SchemaOptions } from './components/index.ts'

/** A module that a `.dc` import is. */
export interface DCModule {
  readonly default: Schema<any>
}

/** The module of a file that TypeScript knows nothing of. */
export interface AnyModule extends DCModule {
  readonly default: Schema<AnyClasses>
}

const pathOf = (file: string | URL): string => (typeof file === 'string' ? file : fileURLToPath(file))

/**
 * Reads a schema from a `.dc` file, or from several that are one: `readDC(new URL('./game.dc', import.meta.url))`. With the
 * generated types and `import type * as game from './game.dc'`, `readDC<typeof game>(...)` knows its classes.
 * @throws SyntaxError that shows every error of the text, Error when a file cannot be read.
 */
export const readDC = <Module extends DCModule = AnyModule>(
  files: string | URL | readonly (string | URL)[],
  options: SchemaOptions = {},
): Module['default'] => {
  const paths = (Array.isArray(files) ? files : [files]).map(pathOf)
  const texts = paths.map(path => ({ name: relative('', path), text: readFileSync(path, 'utf8') }))
  return createSchema(texts, options) as Module['default']
}
