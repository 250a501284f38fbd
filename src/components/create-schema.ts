import { formatErrors, loadDC, parseSchema, type DCFile, type DCText } from '../dc/index.ts'
import { schemaOf, type AnyClasses, type Schema, type SchemaOptions } from './schema.ts'

/** Errors that are told at once: the rest usually follows from them. */
const MAX_ERRORS = 20

const parse = (texts: readonly DCText[]): DCFile => {
  const { file, errors } = parseSchema(texts)
  if (errors.length === 0) return file
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`
  throw new SyntaxError(`The DC text has ${count}:\n\n${formatErrors(errors.slice(0, MAX_ERRORS))}`)
}

/**
 * Makes the components of a DC text, or of several that are one schema: one tag per dclass, typed arrays per parameter field.
 * `name` is what errors call a single text. Throws a `SyntaxError` that shows every error of the text.
 */
export const createSchema = <Classes = AnyClasses>(
  text: string | readonly DCText[],
  { name = 'schema.dc', ...options }: SchemaOptions & { readonly name?: string } = {},
): Schema<Classes> => schemaOf(parse(typeof text === 'string' ? [{ name, text }] : text), options)

/** Makes the components of a schema that the vite plugin compiled, so that the page need not carry the parser. */
export const loadSchema = <Classes = AnyClasses>(compiled: string, options: SchemaOptions = {}): Schema<Classes> =>
  schemaOf(loadDC(compiled), options)
