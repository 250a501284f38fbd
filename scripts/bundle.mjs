import { gzipSync } from 'node:zlib'
import { isAbsolute, join } from 'node:path'
import { build } from 'vite'
import { root } from './setup.mjs'

/**
 * What an application's bundler makes of some of our sources, and what it read to do so.
 *
 * @param {string[]} files entries, relative to the project
 * @param {(name: string) => boolean} isExternal decides for each bare import, such as `bitecs` or `node:fs`
 */
export async function bundle(files, isExternal) {
  /** @type {Set<string>} */
  const externals = new Set()
  const code = files.map(file => `export * from ${JSON.stringify(join(root, file))}`).join('\n')

  const result = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    plugins: [
      {
        name: 'bundle-entry',
        enforce: 'pre',
        resolveId(id) {
          if (id === 'virtual:entry') return '\0entry.js'
          if (/^[.\0]/.test(id) || isAbsolute(id) || !isExternal(id)) return
          externals.add(id)
          return { id, external: true }
        },
        load: id => (id === '\0entry.js' ? code : undefined),
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      rolldownOptions: {
        input: 'virtual:entry',
        // As of a page, which exports nothing: what it loads later may take from it what it has already.
        preserveEntrySignatures: 'allow-extension',
        output: { format: 'es' },
      },
    },
  })

  const [output] = [result].flat()
  if (!output || !('output' in output)) throw new Error('The bundler made nothing.')
  const chunks = output.output.filter(file => file.type === 'chunk')
  // What is imported only when it is needed is no part of what a page waits for.
  const first = chunks.filter(chunk => chunk.isEntry)
  for (const chunk of first) {
    const more = chunks.filter(other => chunk.imports.includes(other.fileName) && !first.includes(other))
    first.push(...more)
  }
  const text = first.map(chunk => chunk.code).join('\n')
  return {
    /** Sources that are in the bundle, relative to the project, after unused exports were dropped. */
    modules: chunks
      .flatMap(chunk => Object.entries(chunk.modules))
      .filter(([, { renderedLength }]) => renderedLength > 0)
      .map(([id]) => id.replace(`${root}/`, '')),
    /** Packages that any source read on the way imports, used or not. */
    externals: [...externals].sort(),
    /** Size in bytes of what is loaded at first, minified. */
    bytes: Buffer.byteLength(text),
    /** The same compressed. */
    gzip: gzipSync(text, { level: 9 }).length,
  }
}

/** What a page loads besides bitECS, which it has anyway. */
export const clientBundles = {
  client: ['src/client.ts'],
  'client + geckos/client': ['src/client.ts', 'src/geckos-client.ts'],
}

/** @param {string} name */
export const isBitecs = name => name === 'bitecs' || name.startsWith('bitecs/')
