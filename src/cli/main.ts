#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { runPipes } from './program.ts'

const { version } = createRequire(import.meta.url)('bitecs-pipes/package.json') as { version: string }

process.exitCode = await runPipes(
  process.argv.slice(2),
  {
    out: text => void process.stdout.write(text),
    error: text => void process.stderr.write(text),
    input: () => readFileSync(0, 'utf8'),
  },
  version,
)
