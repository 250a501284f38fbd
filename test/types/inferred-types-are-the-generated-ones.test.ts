import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileOf } from '../../src/components/index.ts'
import { declareTypes, type DCField } from '../../src/dc/index.ts'
import type { Declarations } from '../../src/schema.ts'
import { schemaPairs } from '../dc/random-schema.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'node_modules/.cache/inferred-types')

/** The TypeScript that makes some declarations: what a person would have typed. */
const sourceOf = (declarations: Declarations): string => {
  const names = new Map<unknown, string>()
  const record = (members: object): string =>
    Array.isArray(members)
      ? `[${members.map(source).join(', ')}]`
      : `{ ${Object.entries(members)
          .map(([name, each]) => `${name}: ${source(each)}`)
          .join(', ')} }`
  const value = (given: unknown): string =>
    given instanceof Uint8Array
      ? `new Uint8Array([${given.join()}])`
      : Array.isArray(given)
        ? `[${given.map(value).join(', ')}]`
        : typeof given === 'object' && given
          ? `{ ${Object.entries(given)
              .map(([name, each]) => `${name}: ${value(each)}`)
              .join(', ')} }`
          : JSON.stringify(given)
  const call = (name: string, ...args: string[]) => `t.${name}(${args.filter(Boolean).join(', ')})`
  const source = (declaration: any): string => {
    const known = names.get(declaration)
    if (known) return known
    const { sizes, keywords = [] } = declaration
    const words = keywords.map((keyword: string) => JSON.stringify(keyword))
    const sized = sizes?.length ? `{ sizes: ${JSON.stringify(sizes)} }` : ''
    switch (declaration.kind) {
      case 'number':
        return call(
          declaration.base,
          declaration.base.startsWith('uint32uint8') ? '' : JSON.stringify(declaration.options),
        )
      case 'bytes':
        return call(declaration.base, sized)
      case 'array':
        return call('array', source(declaration.element), sized)
      case 'default':
        // The generator writes 64-bit defaults as numbers, where the types want bigints.
        return call('withDefault', source(declaration.of), `${value(declaration.value)} as never`)
      case 'field':
        return call('field', source(declaration.type), ...words)
      case 'message':
        return call('message', record(declaration.parameters), ...words)
      case 'molecule':
        return call('molecule', ...declaration.names.map((name: string) => JSON.stringify(name)))
      case 'class': {
        const parents = declaration.parents.map(source)
        const heritage = parents.length > 1 ? `[${parents.join(', ')}]` : (parents[0] ?? '')
        return call(declaration.isStruct ? 'struct' : 'dclass', heritage, record(declaration.members))
      }
      case 'switch': {
        const cases = declaration.cases.map(({ values, fields }: any) =>
          values ? call('when', JSON.stringify(values), record(fields)) : call('otherwise', record(fields)),
        )
        return call('switchOn', record(declaration.key), ...cases)
      }
    }
    throw new Error(`What is ${declaration.kind}?`)
  }
  const lines = Object.entries(declarations).map(([name, declaration]) => {
    const line = `export const ${name} = ${source(declaration)}`
    names.set(declaration, name)
    return line
  })
  return [`import * as t from 'bitecs-pipes/schema'`, ...lines].join('\n')
}

/** A line that only type-checks if both know the field as the same; `any` would agree with everything. */
const same = (dclass: string, { name, kind }: DCField, at: number): string => {
  const [a, b] = [`D["${dclass}"]["${name}"]`, `G${at}["${dclass}"]["${name}"]`]
  const [left, right] = kind === 'parameter' ? [a, b] : [`Arguments<${a}>`, `Arguments<${b}>`]
  return `true satisfies Same<${left}, ${right}>`
}

test('what TypeScript infers of declarations is what is generated for the same DC text', () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const pairs = fc.sample(schemaPairs, 30)
  let fields = 0
  pairs.forEach(({ declarations, keywords }, at) => {
    const file = fileOf(declarations, { keywords })
    const lines = file.classes
      .filter(({ isStruct }) => !isStruct)
      .flatMap(({ name, inherited }) => inherited.map(field => same(name, field, at)))
    fields += lines.length
    writeFileSync(join(folder, `generated${at}.d.ts`), declareTypes(file))
    writeFileSync(
      join(folder, `schema${at}.ts`),
      [
        sourceOf(declarations),
        `import type generated from './generated${at}.d.ts'`,
        `import type { Arguments, Same } from './same.ts'`,
        `const schema = t.defineSchema({ ${Object.keys(declarations).join(', ')} })`,
        `type D = typeof schema.dclasses`,
        `type G${at} = typeof generated.dclasses`,
        ...lines,
      ].join('\n'),
    )
  })
  writeFileSync(
    join(folder, 'same.ts'),
    `import type { Message } from 'bitecs-pipes'
     type IsAny<T> = 0 extends 1 & T ? true : false
     export type Arguments<M> = M extends Message<infer A> ? A : never
     export type Same<A, B> =
       IsAny<A> extends true ? 'any' : [A] extends [B] ? ([B] extends [A] ? true : ['missing in', A]) : ['missing in', B]`,
  )
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../../tsconfig.json',
      include: ['*.ts'],
      exclude: [],
    }),
  )
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', folder],
    { cwd: root, encoding: 'utf8' },
  )
  expect(`${stdout}${stderr}`.split('\n').filter(line => line.trim() && !/^(src\/| )/.test(line))).toEqual([])
  expect(fields, 'there was something to compare').toBeGreaterThan(50)
})
