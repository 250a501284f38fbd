import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatErrors } from './dc/index.ts'
import { moduleOf, readFiles } from './tools/index.ts'

interface Context {
  readonly parentURL?: string
}

const isDC = (url: string | undefined): boolean => /\.dc(\?.*)?$/.test(url ?? '')

/** Node's hook: what a `.dc` module imports is this very package, wherever the file is. */
export const resolve = <Result>(
  specifier: string,
  context: Context,
  nextResolve: (specifier: string, context: Context) => Result,
): Result =>
  nextResolve(
    specifier,
    specifier === 'bitecs-pipes' && isDC(context.parentURL) ? { ...context, parentURL: import.meta.url } : context,
  )

/** Node's hook: the JavaScript of a `.dc` file. Throws a `SyntaxError` that shows every error of the text. */
export const load = <Result>(
  url: string,
  context: unknown,
  nextLoad: (url: string, context: unknown) => Result,
): Result | { format: 'module'; shortCircuit: true; source: string } => {
  if (!isDC(url) || !url.startsWith('file:')) return nextLoad(url, context)
  const path = fileURLToPath(url)
  const { file, errors } = readFiles([path])
  if (errors.length > 0) throw new SyntaxError(`${relative('', path)} has errors:\n\n${formatErrors(errors)}`)
  return { format: 'module', shortCircuit: true, source: moduleOf(file) }
}
