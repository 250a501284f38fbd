import { loadDC, parseDC, type DCFile } from '../dc/index.ts'
import { schemaOf, type AnyClasses, type Schema, type SchemaOptions } from './schema.ts'

const parse = (text: string, name: string): DCFile => {
  const { file, errors } = parseDC([{ name, text }])
  if (errors.length === 0) return file
  const lines = errors.slice(0, 20).map(error => `  ${error.file}:${error.line}:${error.column} ${error.message}`)
  throw new SyntaxError(
    `The DC text has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}:\n${lines.join('\n')}`,
  )
}

/**
 * Makes the components of a DC text: one tag per dclass, typed arrays per parameter field. `name` is what errors call
 * the text. Throws a `SyntaxError` that lists every error of the text.
 */
export const createSchema = <Classes = AnyClasses>(
  text: string,
  { name = 'schema.dc', ...options }: SchemaOptions & { readonly name?: string } = {},
): Schema<Classes> => schemaOf(parse(text, name), options)

/** Makes the components of a schema that the vite plugin compiled, so that the page need not carry the parser. */
export const loadSchema = <Classes = AnyClasses>(compiled: string, options: SchemaOptions = {}): Schema<Classes> =>
  schemaOf(loadDC(compiled), options)
