import { writeFileSync } from 'node:fs'
import { formatDC } from '../dc/index.ts'
import { readSources } from './sources.ts'
import { UsageError, type Terminal } from './terminal.ts'

export interface FormatOptions {
  readonly check?: boolean
  readonly write?: boolean
}

/** Prints, checks or writes the texts in the common style. True when all could be, or are. */
export const format = (paths: readonly string[], options: FormatOptions, terminal: Terminal): boolean => {
  if (options.check && options.write) throw new UsageError('--check and --write exclude each other')
  const sources = readSources(paths, terminal)
  if (!options.check && !options.write && sources.length > 1)
    throw new UsageError(`${sources.length} files: say --check or --write`)
  let isFine = true
  for (const { name, text } of sources) {
    const { text: formatted, problem } = formatDC(text)
    if (problem) {
      isFine = false
      terminal.error(`${name}:${problem.line}: ${problem.message}\n`)
    } else if (options.check) {
      if (formatted === text) continue
      isFine = false
      terminal.error(`${name} is not in the common style: run pipes dc format --write ${name}\n`)
    } else if (options.write && name !== '<stdin>') {
      if (formatted === text) continue
      writeFileSync(name, formatted)
      terminal.out(`${name}\n`)
    } else terminal.out(formatted)
  }
  return isFine
}
