// Writes the golden vectors anew, after a change of the format: `node scripts/run.mjs test/codec/vectors/make.ts`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeVectors } from './cases.ts'

const lines = makeVectors().map(vector => JSON.stringify(vector))
writeFileSync(join(import.meta.dirname, 'segments.json'), `[\n${lines.join(',\n')}\n]\n`)
