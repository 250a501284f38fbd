import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseSchema, type DCFile } from '../../src/dc/index.ts'
import { readmeBlock } from '../readme/support.ts'

test('lobby.dc and its schema in TypeScript are the same', async () => {
  const { file } = parseSchema(await readmeBlock('Declare what is shared, in `lobby.dc`'))
  const folder = join(import.meta.dirname, '../../node_modules/.cache/readme-schema')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'schema.ts'), await readmeBlock('The same schema in TypeScript'))
  const { schema } = (await import(join(folder, 'schema.ts'))) as { schema: { file: DCFile } }
  expect(schema.file.hash).toBe(file.hash)
  expect(schema.file.structureHash).toBe(file.structureHash)
})
