import { readFileSync } from 'node:fs'
import { formatErrors, parseSchema, type ParseOptions, type ParseResult } from '../dc/index.ts'

/** What is in one or several files that are one schema. */
export interface DCFileResult extends ParseResult {
  /** The texts, in the order of the paths. */
  readonly texts: readonly string[]
}

/**
 * Reads files that are one schema, in this order. Errors name them as `names` does, or by their paths. Throws when a file cannot be read.
 */
export const readFiles = (
  paths: readonly string[],
  options: ParseOptions = {},
  names: readonly string[] = paths,
): DCFileResult => {
  const texts = paths.map(path => readFileSync(path, 'utf8'))
  return {
    texts,
    ...parseSchema(
      texts.map((text, i) => ({ name: names[i]!, text })),
      options,
    ),
  }
}

/** The errors as one text, with each line and a caret below what is wrong. */
export const fileErrors = ({ errors }: Pick<ParseResult, 'errors'>): string => formatErrors(errors)
