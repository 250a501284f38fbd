import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { declareTypes, parseSchema } from '../../src/dc/index.ts'

const root = join(import.meta.dirname, '../..')

/** What tsc has to say of a project, but for the sources that it imports: `npm run types` reads those. */
const complaintsOf = (project: string): string[] => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', project], {
    cwd: root,
    encoding: 'utf8',
  })
  return `${stdout}${stderr}`.split('\n').filter(line => line.trim() && !/^(src\/| )/.test(line))
}

test('columns, arguments and handlers have their types, from DC and from TypeScript', () => {
  const path = join(import.meta.dirname, 'game.dc')
  const { file, errors } = parseSchema(readFileSync(path, 'utf8'))
  expect(errors).toEqual([])
  expect(readFileSync(`${path}.d.ts`, 'utf8'), 'npx pipes dc types test/types').toBe(declareTypes(file))
  expect(complaintsOf(import.meta.dirname)).toEqual([])
})

test("the types are found by Node's module resolution too", () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipes-types-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
    const { file } = parseSchema('dclass Avatar { uint8 health; };')
    // The package itself is not what this is about.
    const text = declareTypes(file, './pipes.js')
    writeFileSync(join(folder, 'game.d.dc.ts'), text)
    writeFileSync(
      join(folder, 'pipes.d.ts'),
      'export interface DClass {}\nexport interface Schema<C> { dclasses: C }\n',
    )
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(
      join(folder, 'main.ts'),
      `import schema, { Avatar } from './game.dc'
       export const health: Uint8Array = Avatar.health
       // @ts-expect-error no such field
       schema.dclasses.Avatar.helth`,
    )
    const compilerOptions = {
      module: 'nodenext',
      strict: true,
      target: 'es2022',
      allowArbitraryExtensions: true,
      types: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    expect(complaintsOf(folder)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
