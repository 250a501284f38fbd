import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPipes } from '../../src/cli/program.ts'
import type { Modules } from '../../src/cli/terminal.ts'

/** What a call of `pipes` printed and how it ended. */
export interface Call {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Calls `pipes` in this process. `modules` imports what it has to import. */
export const pipes = async (args: readonly string[], input = '', modules?: () => Promise<Modules>): Promise<Call> => {
  let out = '',
    error = ''
  const terminal = {
    out: (text: string) => void (out += text),
    error: (text: string) => void (error += text),
    input: () => input,
    ...(modules && { modules }),
  }
  const code = await runPipes(args, terminal, '1.2.3')
  return { code, out, error }
}

/** A folder with these files, until `remove`. */
export const folderOf = (files: Readonly<Record<string, string>>) => {
  const path = mkdtempSync(join(tmpdir(), 'pipes-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return { file: (name: string) => join(path, name), path, remove: () => rmSync(path, { recursive: true }) }
}
