import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { declareTypes, parseSchema } from '../../../src/dc/index.ts'
import { blocksOf, readPages, root, type Block } from './blocks.ts'
import { readmeBlocks } from './readme.ts'

// The code of a page becomes a program: blocks with the same name are one file, in the order of the page. `server*.ts` and
// `client*.ts` that make no server and no client go on with those of the start page, which are put before and after.

/** Where the programs are, each in `<page>/<side>/`; git ignores it. */
export const programs = join(root, 'test/docs/program')

/** What stands for vitest. */
const collector = join(root, 'test/docs/support/collect.ts')

/** Columns are per process and side, so each side has copies of all files. `one` is the server's. */
export const SIDES = ['one', 'ada', 'bob'] as const

/** Named imports of a file by module, each once, and the code without them. */
const takeImports = (code: string) => {
  const imports = new Map<string, Set<string>>()
  const body = code.replace(
    /^import (type )?(?:(\w+)(?:, | ))?(?:\{([^}]*)\} )?(?:from )?'([^']+)'\n/gm,
    (_, type = '', main, named, from) => {
      const names = imports.get(from) ?? new Set<string>()
      if (main) names.add(`default as ${main}`)
      for (const name of named?.split(',') ?? []) if (name.trim()) names.add(`${type}${name.trim()}`)
      imports.set(from, names)
      return ''
    },
  )
  return { imports, body }
}

const FRAME = `  client.receive(world)
  client.interpolate(world)
  client.send(world)`

/** The schema that a page's programs go on with: its first. */
interface Schema {
  readonly name: string
  readonly classes: readonly string[]
}

const serverAround = (body: string, { name, classes }: Schema): string => {
  const avatar = classes.includes('Avatar') && !body.includes('server.onJoin(')
  return `import { addComponent, addEntity, createWorld } from 'bitecs'
import { createServer, tickLoop } from 'bitecs-pipes/server'
import { geckos } from 'bitecs-pipes/geckos/server'
import schema, { ${classes.join(', ')} } from './${name}'
${body.includes('const world = ') ? '' : 'const world = createWorld()'}
${body.includes('createServer(') ? '' : 'const server = createServer(world, schema, { transport: geckos({ port: 9208 }) })'}
${body}
${
  avatar
    ? `server.onJoin(client => {
  const eid = addEntity(world)
  addComponent(world, eid, Avatar)
  server.place(eid, 1, client)
})`
    : ''
}
${
  body.includes('server.replicate(')
    ? ''
    : `tickLoop(server.tickRate, () => {
  server.receive(world)
  server.replicate(world)
})`
}
`
}

const clientAround = (body: string, { name, classes }: Schema): string => {
  const connect = `await client.connect({ name: import.meta.url.includes('/bob/') ? 'Bob' : 'Ada' })`
  // What waits for something goes on with a session; else handlers are there before it, as in the start page.
  const isLater = /^(?:const .* = )?await /m.test(body)
  return `import { createWorld } from 'bitecs'
import { createClient } from 'bitecs-pipes/client'
import { geckos } from 'bitecs-pipes/geckos/client'
import schema, { ${classes.join(', ')} } from './${name}'
${body.includes('const world = ') ? '' : 'const world = createWorld()'}
${body.includes('createClient(') ? '' : 'const client = createClient(world, schema, { transport: geckos({ port: 9208 }) })'}
${body.includes('client.receive(') ? '' : `setInterval(() => {\n${FRAME}\n}, 1000 / 60)`}
${isLater && !body.includes('client.connect(') ? connect : ''}
${body}
${isLater ? '' : `${connect}\nawait client.interest.set([1])`}
`
}

/** A file as it is run: complete, its imports merged, and all that it declares exported, dclasses too. */
const complete = (name: string, text: string, dc: Schema | undefined): string => {
  let code = text
  if (name.startsWith('server')) code = serverAround(text, dc!)
  if (name.startsWith('client')) code = clientAround(text, dc!)
  const { imports, body } = takeImports(code)
  const head = [...imports].map(([from, names]) => `import { ${[...names].join(', ')} } from '${from}'`)
  const declared = [...body.matchAll(/^(?:const|let|function|async function) (\w+)/gm)].map(([, word]) => word!)
  const shared = dc && /^(server|client)/.test(name) ? dc.classes : []
  if (imports.has(collector)) head.push(`export { tests } from '${collector}'`)
  return `${head.join('\n')}\n${body}\nexport { ${[...declared, ...shared].join(', ')} }\n`
}

const schemaOf = (blocks: readonly Block[]): Schema | undefined => {
  const block = blocks.find(({ language, name }) => language === 'dc' && name.endsWith('.dc'))
  if (!block) return undefined
  const { file, errors } = parseSchema(block.text)
  if (errors.length > 0) throw new Error(`${block.page}.md:${block.line}: ${errors[0]!.message}`)
  return { name: block.name, classes: file.classes.filter(({ isStruct }) => !isStruct).map(({ name }) => name) }
}

/** Blocks that are parts of programs: each has a name. */
export const isCode = ({ language }: Block): boolean => ['ts', 'js', 'dc'].includes(language)

/**
 * Writes the program of a page, for each side; returns the files that no other imports: those are to be run. Throws for a
 * block without a name.
 */
const writePage = (page: string, blocks: readonly Block[]): string[] => {
  const texts = new Map<string, string>()
  for (const { name, text, line } of blocks) {
    if (!name)
      throw new Error(`${page}.md:${line}: code needs the name of the file that it is a part of: \`\`\`ts [server.ts]`)
    texts.set(name, `${texts.get(name) ?? ''}${text}`)
  }
  const dc = schemaOf(blocks)
  const files = new Map<string, string>()
  for (const [name, text] of texts) {
    if (name.endsWith('.dc')) {
      files.set(name, text)
      files.set(`${name}.d.ts`, declareTypes(parseSchema(text).file))
      continue
    }
    // Tests are run by ours, and are not to be found by the runner.
    const code = text.replace("from 'vitest'", `from '${collector}'`).replace(/listen\(\d+/, 'listen(0')
    files.set(name.replace('.test.ts', '-test.ts'), complete(name, code, dc))
  }
  for (const side of SIDES) {
    mkdirSync(join(programs, page, side), { recursive: true })
    for (const [name, text] of files) writeFileSync(join(programs, page, side, name), text)
  }
  const imported = [...files.values()].join('\n')
  return [...files.keys()].filter(name => /(?<!\.d)\.[jt]s$/.test(name) && !imported.includes(`from './${name}'`))
}

/** Writes the programs of all pages; returns by page what is to be run. */
export const writePrograms = (): Map<string, string[]> => {
  rmSync(programs, { recursive: true, force: true })
  const files = new Map<string, string[]>()
  for (const [page, text] of readPages()) {
    const code = blocksOf(page, text).filter(isCode)
    if (code.length > 0) files.set(page, writePage(page, code))
  }
  writePage('README', readmeBlocks())
  const paths = (name: string) => [`../../../src/${name}.ts`]
  const entries = [
    'client',
    'server',
    'memory',
    'time',
    'schema',
    'testing',
    'vite',
    'node',
    'register',
    'devtools',
    'metrics',
  ]
  writeFileSync(
    join(programs, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../../tsconfig.json',
      // The sides are copies of each other: one is enough.
      include: ['**/ada/*.ts'],
      exclude: [],
      compilerOptions: {
        paths: {
          'bitecs-pipes': paths('index'),
          'bitecs-pipes/dc': paths('dc/index'),
          'bitecs-pipes/geckos/server': paths('geckos-server'),
          'bitecs-pipes/geckos/client': paths('geckos-client'),
          ...Object.fromEntries(entries.map(entry => [`bitecs-pipes/${entry}`, paths(entry)])),
        },
      },
    }),
  )
  return files
}
