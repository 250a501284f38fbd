import { diffSchemas, formatChanges } from '../dc/index.ts'
import { reportErrors } from './check.ts'
import { readSchemas } from './sources.ts'
import type { Terminal } from './terminal.ts'

export interface DiffOptions {
  readonly json?: boolean
}

/** Prints what changed between two schemas. True unless a change breaks clients that have the old one. */
export const diff = (before: string, after: string, options: DiffOptions, terminal: Terminal): boolean => {
  const [old, now] = readSchemas([before, after], {}, terminal)
  if (!reportErrors([old!, now!], terminal)) return false
  const changes = diffSchemas(old!.file, now!.file)
  const isFine = changes.every(({ breaking }) => !breaking)
  terminal.out(options.json ? `${JSON.stringify({ ok: isFine, changes }, undefined, 2)}\n` : formatChanges(changes))
  return isFine
}
