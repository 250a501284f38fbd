import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parseSync } from 'vite'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/**
 * What each folder may import besides itself: other folders, through their `index.ts` if they have one, and packages. A folder inside
 * another one is part of it, unless it is listed itself: then it may import the outer one, which may not import it.
 */
const layers: Record<string, { folders: string[]; packages: string[] }> = {
  'src/dc': { folders: [], packages: [] },
  'src/components': { folders: ['src/dc'], packages: ['bitecs', 'gl-matrix'] },
  'src/net': { folders: ['src/dc'], packages: ['gl-matrix'] },
  'src/net/geckos': {
    folders: ['src/net', 'src/dc'],
    packages: ['node:', '@geckos.io/client', '@geckos.io/server', 'node-datachannel'],
  },
  'src/tools': { folders: ['src/dc'], packages: ['node:'] },
  'src/cli': { folders: ['src/dc', 'src/tools'], packages: ['node:', 'commander'] },
  'src/systems': { folders: ['src/dc', 'src/components', 'src/net'], packages: ['bitecs', 'gl-matrix'] },
  // Looks into a client, which need not know of it.
  'src/devtools': {
    folders: ['src/dc', 'src/components', 'src/net', 'src/systems'],
    packages: ['bitecs', 'lit-html', 'src/client.ts'],
  },
  // A test is a user of both ends.
  'src/testing': {
    folders: ['src/dc', 'src/components', 'src/net', 'src/devtools'],
    packages: ['bitecs', 'src/client.ts', 'src/server.ts'],
  },
}

/** TypeScript files under a folder of the project, as `src/dc/index.ts`. */
const sourcesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(file => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))

/** What a file imports or re-exports, types too: `src/dc/index.ts` for a relative import, else the name of the package. */
function importsOf(file: string): string[] {
  const { module } = parseSync(file, readFileSync(join(root, file), 'utf8'))
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
  ]
  return specifiers.map(name => (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name))
}

/** The innermost listed folder of a file; entry points and packages have none. */
const layerOf = (name: string): string | undefined =>
  Object.keys(layers)
    .filter(folder => name.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0]

for (const [folder, { folders, packages }] of Object.entries(layers)) {
  test(`${folder} imports ${[...folders, ...packages].join(', ') || 'nothing'} only`, () => {
    const isAllowed = (name: string): boolean => {
      const layer = layerOf(name)
      if (layer === folder) return true
      if (layer && folders.includes(layer)) {
        const isOuter = folder.startsWith(`${layer}/`)
        return isOuter || name === `${layer}/index.ts` || !existsSync(join(root, layer, 'index.ts'))
      }
      return packages.some(allowed => name === allowed || (allowed.endsWith(':') && name.startsWith(allowed)))
    }
    const offences = sourcesOf(folder)
      .filter(file => layerOf(file) === folder)
      .flatMap(file =>
        importsOf(file)
          .filter(name => !isAllowed(name))
          .map(name => `${file} imports ${name}`),
      )
    expect(offences, `${folder} has imports that its layer forbids`).toEqual([])
  })
}

test('examples use the public imports only', () => {
  const offences = sourcesOf('examples').flatMap(file =>
    importsOf(file)
      .filter(name => name.startsWith('src/'))
      .map(name => `${file} imports ${name}`),
  )
  expect(offences, 'examples must do with what a user has').toEqual([])
})
